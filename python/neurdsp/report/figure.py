"""What all figures share: colours, axes, waveform envelopes, and PNG files written in one step."""

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from neurdsp._output import atomic_output
from neurdsp.audio import FloatArray
from neurdsp.dependencies import require

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLOURS", "Envelope", "new_figure", "save_figure", "style"]

#: Target, prediction and residual differ in hue and in lightness, so that they survive printing in grey.
COLOURS = {"target": "#4c5a67", "predicted": "#e07b00", "residual": "#b3123f"}

_COLUMNS = 1_600


class Envelope:
    """Lowest and highest sample of each of at most 1600 columns: draws a waveform of any length.

    Parameters
    ----------
    n_samples : int
        Length of the whole signal.
    """

    def __init__(self, n_samples: int) -> None:
        self.samples_per_column = max(1, -(-n_samples // _COLUMNS))
        n_columns = -(-n_samples // self.samples_per_column)
        self.low = np.full(n_columns, np.inf)
        self.high = np.full(n_columns, -np.inf)
        self._position = 0

    def update(self, samples: FloatArray) -> None:
        """Add the next samples, ``(n,)``."""
        columns = (self._position + np.arange(samples.size)) // self.samples_per_column
        starts = np.flatnonzero(np.diff(columns, prepend=-1))
        which = columns[starts]
        self.low[which] = np.minimum(self.low[which], np.minimum.reduceat(samples, starts))
        self.high[which] = np.maximum(self.high[which], np.maximum.reduceat(samples, starts))
        self._position += samples.size

    def draw(self, axes: "Axes", sample_rate: float, **keywords: Any) -> None:
        """Fill the area between lowest and highest samples, over seconds."""
        time_s = np.arange(self.low.size) * self.samples_per_column / sample_rate
        axes.fill_between(time_s, self.low, self.high, linewidth=0.4, **keywords)


def new_figure(width_in: float, height_in: float) -> Any:
    """Return a matplotlib figure that needs no display and changes no global state."""
    require("matplotlib", extra="plot", purpose="a plot")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def style(axes: "Axes", title: str, x_label: str, y_label: str) -> None:
    """Label axes and give them the common look."""
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold", parse_math=False)  # a name may hold $
    axes.set_xlabel(x_label, fontsize=9)
    axes.set_ylabel(y_label, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.grid(color="#d9dde1", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    legend = axes.get_legend()
    if legend is not None:
        legend.get_frame().set(alpha=0.85, linewidth=0)
        for text in legend.get_texts():
            text.set_fontsize(8)


def save_figure(figure: Any, path: str | os.PathLike[str]) -> None:
    """Write a figure as a PNG, whole or not at all.

    Raises
    ------
    OSError
        If the folder is missing or the disk is full.
    """
    with atomic_output(path) as temporary:
        figure.savefig(temporary, format="png")
