// Draws a waveform, which comes as the least and the greatest sample of each column, onto a canvas.
// The square root of the time runs to the right, because a kick is mostly attack.

const style = getComputedStyle(document.documentElement);
const colour = (name) => style.getPropertyValue(name).trim();

const TICKS_MS = [5, 20, 50, 100, 200, 400, 800, 1500, 3000];

function drawTicks(pen, seconds, width, height, scale) {
  pen.font = `${10 * scale}px system-ui, sans-serif`;
  let free = 0; // where the next label may begin
  for (const ms of TICKS_MS) {
    const x = Math.sqrt(ms / 1000 / seconds) * width;
    if (x > width - 34 * scale) break;
    pen.fillStyle = colour("--raised");
    pen.fillRect(x, 0, scale, height);
    pen.fillStyle = colour("--faint");
    if (x < free) continue;
    const label = ms < 1000 ? `${ms} ms` : `${ms / 1000} s`;
    pen.fillText(label, x + 4 * scale, height - 6 * scale);
    free = x + pen.measureText(label).width + 10 * scale;
  }
}

/** Draws peaks (pairs from -127 to 127), a line at `at` (0 to 1 of the time), and ticks if `seconds` is given. */
export function draw(canvas, peaks, { at = null, seconds = 0 } = {}) {
  const scale = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * scale);
  const height = Math.round(canvas.clientHeight * scale);
  if (!width || !height) return;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, width, height);
  if (seconds) drawTicks(pen, seconds, width, height, scale);
  const middle = height / 2;
  const reach = 0.46 * height;
  pen.fillStyle = colour("--line");
  pen.fillRect(0, Math.round(middle), width, Math.max(1, scale / 2));
  if (!peaks) return;
  const columns = peaks.length / 2;
  const outline = new Path2D();
  for (let i = 0; i < columns; i += 1) outline.lineTo(((i + 0.5) / columns) * width, middle - (peaks[2 * i + 1] / 127) * reach - 0.5);
  for (let i = columns - 1; i >= 0; i -= 1) outline.lineTo(((i + 0.5) / columns) * width, middle - (peaks[2 * i] / 127) * reach + 0.5);
  outline.closePath();
  const fill = pen.createLinearGradient(0, middle - reach, 0, middle + reach);
  fill.addColorStop(0, colour("--accent"));
  fill.addColorStop(0.5, colour("--wave"));
  fill.addColorStop(1, colour("--accent"));
  pen.fillStyle = pen.strokeStyle = fill;
  pen.lineWidth = scale;
  pen.lineJoin = "round";
  pen.fill(outline);
  pen.stroke(outline);
  if (at !== null) {
    pen.fillStyle = colour("--text");
    pen.fillRect(Math.sqrt(at) * width, 0, 1.5 * scale, height);
  }
}
