"""Bar charts of an error by frequency and by level, and of the aliasing of a model."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from neurdsp.amp.judge.aliasing import AliasingResult
from neurdsp.amp.judge.breakdown import Slice
from neurdsp.report.figure import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_breakdown"]

_LOWEST_ESR = 1e-6
_LOWEST_ASR_DB = -120.0
_LEAST_SHARE = 1e-4
_COLUMNS = 12


def draw_breakdown(
    figure: Any,
    row: Any,
    bands: list[Slice],
    levels: list[Slice],
    aliasing: list[AliasingResult],
    colour: str,
) -> None:
    """Draw the bar charts side by side into one row of a figure's grid.

    Parameters
    ----------
    figure, row
        A matplotlib figure, and the cell of its grid to use.
    bands, levels
        The error by frequency and by level. Faint bars hold less than 0.01 % of the target's energy: an error
        there is inaudible.
    aliasing
        Of the model; if it is empty, its chart is left out.
    colour
        Colour of the bars.
    """
    grid = row.subgridspec(1, _COLUMNS)
    splits = (0, 5, 9, 12) if aliasing else (0, 7, 12)
    axes = [figure.add_subplot(grid[0, a:b]) for a, b in pairwise(splits)]
    _draw_slices(axes[0], bands, [_hz(band.high) for band in bands], colour)
    style(axes[0], "Error by frequency", "up to (Hz)", "ESR")
    _draw_slices(axes[1], levels, [f"{step.high:g}" for step in levels], colour)
    style(axes[1], "Error by loudness", "up to (dBFS RMS)", "ESR")
    if aliasing:
        heights = [max(probe.asr_db, _LOWEST_ASR_DB) - _LOWEST_ASR_DB for probe in aliasing]
        bars = axes[2].bar(range(len(aliasing)), heights, bottom=_LOWEST_ASR_DB, color=colour, width=0.7)
        texts = [f"{probe.asr_db:.0f}" if probe.asr_db > _LOWEST_ASR_DB else "–" for probe in aliasing]
        axes[2].bar_label(bars, texts, fontsize=7, padding=1)
        axes[2].set_ylim(_LOWEST_ASR_DB, 10)
        axes[2].set_xticks(range(len(aliasing)), [_hz(probe.frequency_hz) for probe in aliasing])
        style(axes[2], "Aliasing", "sine (Hz)", "dB of harmonics")


def _draw_slices(axes: "Axes", slices: list[Slice], labels: list[str], colour: str) -> None:
    ratios = [_LOWEST_ESR if part.esr is None else max(part.esr, _LOWEST_ESR) for part in slices]
    top = max(2.0, *(3 * ratio for ratio in ratios))
    bars = axes.bar(range(len(slices)), ratios, color=colour, width=0.8)
    for bar, part in zip(bars, slices, strict=True):
        bar.set_alpha(1.0 if part.share > _LEAST_SHARE else 0.25)
    texts = ["–" if part.esr is None else f"{part.esr:.1g}" for part in slices]
    axes.bar_label(bars, texts, fontsize=7, padding=1)
    axes.set_yscale("log")
    present = [ratio for ratio, part in zip(ratios, slices, strict=True) if part.esr is not None]
    axes.set_ylim(0.3 * min([3e-4, *present]), top)
    axes.set_xticks(range(len(slices)), labels)


def _hz(frequency_hz: float) -> str:
    return f"{frequency_hz:g}" if frequency_hz < 1_000 else f"{frequency_hz / 1_000:.3g}k"
