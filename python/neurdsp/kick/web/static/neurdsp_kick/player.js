// Plays one kick at a time, from memory: the next one cuts the last with a short fade.

import { audio } from "./client.js";

const KEPT = 64;
const FADE_S = 0.004;
const decoded = new Map();
let context;
let current;

async function bufferOf(url) {
  if (!decoded.has(url)) {
    const loading = audio(url).then((data) => context.decodeAudioData(data));
    decoded.set(url, loading);
    loading.catch(() => decoded.delete(url));
    if (decoded.size > KEPT) decoded.delete(decoded.keys().next().value);
  }
  return decoded.get(url);
}

export function stop() {
  if (!current) return;
  const { source, gain } = current;
  current = undefined;
  gain.gain.setTargetAtTime(0, context.currentTime, FADE_S);
  source.stop(context.currentTime + 8 * FADE_S);
}

/** Plays a WAV; `moved` is told where it is, from 0 to 1, on every picture, and at the end null. */
export async function play(url, moved) {
  context ??= new AudioContext();
  const wanted = (play.last = Symbol(url));
  context.resume();
  const buffer = await bufferOf(url);
  if (play.last !== wanted) return;
  stop();
  const source = new AudioBufferSourceNode(context, { buffer });
  const gain = new GainNode(context);
  source.connect(gain).connect(context.destination);
  const own = (current = { source, gain });
  const start = context.currentTime;
  source.onended = () => {
    if (current === own) current = undefined;
    own.over = true;
  };
  source.start();
  const step = () => {
    if (own.over || (current !== own && current)) return moved(null);
    moved(Math.min(1, (context.currentTime - start) / buffer.duration));
    requestAnimationFrame(step);
  };
  step();
}
