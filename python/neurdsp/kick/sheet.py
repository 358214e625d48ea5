"""The contact sheet of kicks: waveform and spectrogram of each, in one picture."""

import math
import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neurdsp.report.figure import COLOURS, Envelope, new_figure, save_figure
from neurdsp.report.mel import draw_mel, mel_levels_db

__all__ = ["MAX_SHEET", "draw_sheet"]

MAX_SHEET = 64
"""The most kicks that a sheet shows."""
_SECONDS = 1.0


def draw_sheet(
    path: str | os.PathLike[str],
    audio: Sequence[NDArray[np.float32]] | NDArray[np.float32],
    sample_rate: int,
    names: Sequence[str],
    *,
    title: str = "",
) -> int:
    """Draw kicks beside each other: the waveform above the log-mel spectrogram, over the first second.

    Parameters
    ----------
    path
        The PNG to write.
    audio
        Kicks, each ``(samples,)``.
    sample_rate
        In Hz.
    names
        What to write above each.
    title
        Above the sheet.

    Returns
    -------
    int
        How many kicks are shown, at most `MAX_SHEET`.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    shown = min(len(audio), MAX_SHEET)
    columns = min(8, max(4, math.ceil(math.sqrt(shown * 1.5))), shown)
    rows = math.ceil(shown / columns)
    figure = new_figure(1.9 * columns, 2.2 * rows + (0.4 if title else 0))
    grid = figure.add_gridspec(2 * rows, columns, height_ratios=[0.6, 1] * rows)
    n = int(_SECONDS * sample_rate)
    for k in range(shown):
        kick = np.zeros(n, np.float32)
        kick[: len(audio[k])] = audio[k][:n]
        above = figure.add_subplot(grid[2 * (k // columns), k % columns])
        below = figure.add_subplot(grid[2 * (k // columns) + 1, k % columns])
        envelope = Envelope(n)
        envelope.update(kick)
        envelope.draw(above, sample_rate, color=COLOURS["predicted"])
        above.set(xlim=(0, _SECONDS), ylim=(-1, 1))
        above.set_title(names[k], fontsize=7, loc="left", parse_math=False)
        levels = mel_levels_db(kick, sample_rate)
        draw_mel(below, levels, duration_s=_SECONDS, top_db=float(levels.max()))
        for axes in (above, below):
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_visible(False)
    if title:
        figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    save_figure(figure, path)
    return shown
