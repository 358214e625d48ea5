"""The report of a run: one self-contained HTML file with metrics, plots and audio players."""

import json
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from neurdsp.amp.infer import AmpModel
from neurdsp.amp.judge.aliasing import measure_aliasing
from neurdsp.amp.judge.breakdown import Breakdown
from neurdsp.audio import FloatArray, write_audio
from neurdsp.metrics import Comparison
from neurdsp.report.page import NO_PICTURES, embedded, fact_table, write_page

__all__ = ["Excerpt", "write_report"]

_CLIP_S = 6.0
_BLOCK = 1 << 16
_WIDTH, _HEIGHT = 720, 220


@dataclass(frozen=True)
class Excerpt:
    """The part of a recording on which a run was measured.

    Parameters
    ----------
    dry, target, predicted
        Input, output of the device and output of the model, ``(n_samples,)`` each.
    sample_rate
        In Hz.
    """

    dry: FloatArray
    target: FloatArray
    predicted: FloatArray
    sample_rate: int


def write_report(path: Path, *, model: Path, excerpt: Excerpt, log: Path, facts: Mapping[str, str]) -> None:
    """Write the report of a run.

    Parameters
    ----------
    path
        The HTML file; it is written whole or not at all.
    model
        The exported file.
    excerpt
        Signals to compare, plot and play.
    log
        ``metrics.jsonl`` of the run, for the plot of the error over time.
    facts
        Names and values for the table.

    Raises
    ------
    ModelFileError
        If the model cannot be loaded.
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> paths = {"model": Path("amp.safetensors"), "log": Path("metrics.jsonl")}
    >>> write_report(Path("report.html"), excerpt=excerpt, facts={"ESR": "0.01"}, **paths)  # doctest: +SKIP
    """
    parts = [fact_table(facts), _curve(log)]
    with tempfile.TemporaryDirectory() as folder:
        parts.append(_players(excerpt, Path(folder)))
        parts.append(_figure(model, excerpt, Path(folder) / "comparison.png"))
    write_page(path, title=model.name, body="\n".join(parts))


def _players(excerpt: Excerpt, folder: Path) -> str:
    """Return players of the loudest seconds of all three signals."""
    length = min(excerpt.target.size, int(_CLIP_S * excerpt.sample_rate))
    energy = np.concatenate([[0.0], np.cumsum(np.square(excerpt.target, dtype=np.float64))])
    start = int(np.argmax(energy[length:] - energy[:-length]))
    figures = []
    peak = max(float(np.abs(excerpt.target[start:][:length]).max()), 1e-6)
    signals = {"input": excerpt.dry, "device": excerpt.target, "model": excerpt.predicted}
    for name, signal in signals.items():
        clip = signal[start:][:length]
        loudest = max(float(np.abs(clip).max()), 1e-6)
        # Device and model share one gain: separate gains would hide an error of level.
        gain = 0.7 / (loudest if name == "input" else peak)
        samples = np.clip(gain * clip, -1, 1).astype(np.float32)
        write_audio(folder / f"{name}.wav", samples, excerpt.sample_rate)
        source = embedded((folder / f"{name}.wav").read_bytes(), "audio/wav")
        player = f'<audio controls preload="metadata" src="{source}"></audio>'
        figures.append(f"<figure><figcaption>{name}</figcaption>{player}</figure>")
    return "<h2>Listen</h2>" + "".join(figures)


def _figure(model: Path, excerpt: Excerpt, path: Path) -> str:
    """Return the figure: waveforms, spectra, residual, error by frequency and level, and aliasing."""
    if find_spec("matplotlib") is None:
        return NO_PICTURES
    from neurdsp.amp.judge.plot import ComparisonPlot  # needs matplotlib

    amp = AmpModel.load(model)
    comparison, breakdown = Comparison(), Breakdown(excerpt.sample_rate)
    figure = ComparisonPlot(excerpt.target.size, excerpt.sample_rate)
    for at in range(0, excerpt.target.size, _BLOCK):
        blocks = excerpt.target[at : at + _BLOCK], excerpt.predicted[at : at + _BLOCK]
        comparison.update(*blocks)
        breakdown.update(*blocks)
        figure.update(*blocks)
    figure.save(
        path,
        comparison.result(),
        names=("device", "model"),
        bands=breakdown.bands(),
        levels=breakdown.levels(),
        aliasing=measure_aliasing(lambda x: amp.render(x, amp.sample_rate), sample_rate=amp.sample_rate),
    )
    picture = embedded(path.read_bytes(), "image/png")
    return f'<h2>See</h2><img alt="Waveforms, spectra, residual, error" src="{picture}">'


def _curve(log: Path) -> str:
    """Return a plot of the held-out error over the time of the run, on a logarithmic axis, as SVG."""
    points = []
    for line in log.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event.get("event") == "validation" and 0 < event.get("esr", 0) < math.inf:
            points.append((float(event["seconds"]), float(event["esr"])))
    if len(points) < 2:
        return ""
    last = max(seconds for seconds, _ in points) or 1.0
    low = math.floor(math.log10(min(error for _, error in points)))
    high = max(math.ceil(math.log10(max(error for _, error in points))), low + 1)

    def place(seconds: float, decade: float) -> tuple[float, float]:
        x = 60 + (_WIDTH - 80) * seconds / last
        return x, 15 + (_HEIGHT - 45) * (high - decade) / (high - low)

    marks = []
    for decade in range(low, high + 1):
        y = place(0, decade)[1]
        marks.append(f'<line x1="60" x2="{_WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}" stroke="#d9dde1"/>')
        marks.append(f'<text x="50" y="{y + 4:.1f}" text-anchor="end" font-size="11">{10.0**decade:g}</text>')
    line = " ".join("{:.1f},{:.1f}".format(*place(s, math.log10(e))) for s, e in points)
    end = f'<text x="{_WIDTH - 20}" y="{_HEIGHT - 8}" text-anchor="end" font-size="11">{last:.0f} s</text>'
    drawn = f'<polyline fill="none" stroke="#e07b00" stroke-width="2" points="{line}"/>'
    box = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Held-out ESR over time">'
    return f"<h2>Held-out ESR while it trained</h2>{box}{''.join(marks)}{drawn}{end}</svg>"
