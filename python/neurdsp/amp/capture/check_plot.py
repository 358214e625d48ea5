"""The figure of an examination: both recordings, the response at the latency, and the latency over time."""

import os
from typing import TYPE_CHECKING

import numpy as np

from neurdsp._output import check_output
from neurdsp.amp.capture.align import impulse_response, lay_over
from neurdsp.amp.capture.report import Examined
from neurdsp.errors import ParameterError
from neurdsp.report.figure import COLOURS, Envelope, new_figure, save_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_examination"]

_BEFORE, _AFTER = 24, 104  # samples around the lag


def plot_examination(examined: Examined, path: str | os.PathLike[str]) -> None:
    """Draw the result of `neurdsp.amp.capture.check.examine` as a PNG.

    Parameters
    ----------
    examined
        Its report must have an alignment.
    path
        The file, which is written whole or not at all.

    Raises
    ------
    ParameterError
        If nothing was aligned because of an error.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> plot_examination(examine("in.wav", "out.wav"), "check.png")  # doctest: +SKIP
    """
    check_output(path)
    report, rate = examined.report, examined.sample_rate
    if report.alignment is None:
        first = report.errors[0].message if report.errors else "nothing was aligned"
        raise ParameterError(f"there is nothing to draw: {first}")
    figure = new_figure(10, 7.5)
    grid = figure.add_gridspec(3, 2, height_ratios=[1, 1, 1.5])
    names = ("Input", "Output")
    for row, (role, signal) in enumerate((("target", examined.dry), ("predicted", examined.wet))):
        axes = figure.add_subplot(grid[row, :])
        envelope = Envelope(signal.size)
        envelope.update(signal)
        envelope.draw(axes, rate, color=COLOURS[role])
        axes.set_xlim(0, max(examined.dry.size, examined.wet.size) / rate)
        if row == 0:
            _mark_validation(axes, examined)
        style(axes, names[row], "time (s)", "amplitude")
    _draw_response(figure.add_subplot(grid[2, 0]), examined)
    _draw_drift(figure.add_subplot(grid[2, 1]), examined)
    lag = report.alignment
    figure.suptitle(
        f"latency {lag.latency_samples} samples ({1e3 * lag.latency_samples / rate:.2f} ms), "
        f"by {lag.method}, confidence {lag.confidence:.2f}",
        fontsize=12,
    )
    save_figure(figure, path)


def _mark_validation(axes: "Axes", examined: Examined) -> None:
    known = examined.known
    for span, label in ((known.validation, "validation"), (known.repeat, "the same passage")):
        if span is not None:
            axes.axvspan(
                span[0] / examined.sample_rate,
                span[1] / examined.sample_rate,
                color=COLOURS["residual"],
                alpha=0.15,
                linewidth=0,
                label=label,
            )
    if known.validation is not None:
        axes.legend(loc="upper center", ncols=2)


def _draw_response(axes: "Axes", examined: Examined) -> None:
    """Draw the responses to the blips, or else the estimated impulse response, around the latency."""
    alignment = examined.report.alignment
    assert alignment is not None
    lag = alignment.latency_samples
    there = np.arange(lag - _BEFORE, lag + _AFTER)
    if alignment.method == "blips":
        title = "Responses to the blips"
        for blip in examined.known.blips:
            if blip + there[0] >= 0 and blip + there[-1] < examined.wet.size:
                axes.plot(there, examined.wet[blip + there], color=COLOURS["predicted"], linewidth=1.2)
    else:
        title = "Estimated impulse response"
        dry, wet = lay_over(examined.dry, examined.wet, lag)
        response, _ = impulse_response(dry, wet, max_latency_samples=max(_AFTER, 512))
        middle = (response.size - 1) // 2
        axes.plot(
            there, response[middle - _BEFORE : middle + _AFTER], color=COLOURS["predicted"], linewidth=1.2
        )
    axes.axvline(lag, color=COLOURS["residual"], linewidth=1, label=f"lag {lag}")
    axes.set_xlim(there[0], there[-1])
    axes.legend(loc="upper right")
    style(axes, title, "samples after the input", "amplitude")


def _draw_drift(axes: "Axes", examined: Examined) -> None:
    drift = examined.report.drift
    if drift is not None:
        axes.plot(drift.times_s, drift.lags, "o", color=COLOURS["predicted"], markersize=4)
        axes.plot(
            drift.times_s,
            1e-6 * drift.ppm * examined.sample_rate * (np.array(drift.times_s) - np.median(drift.times_s)),
            color=COLOURS["target"],
            linewidth=1.2,
            label=f"{drift.ppm:+.2f} ppm",
        )
        # The lag of a window without treble may be anything: it must not set the scale.
        bound = max(2.0, 2 * float(np.quantile(np.abs(drift.lags), 0.9)))
        axes.set_ylim(-bound, bound)
        axes.legend(loc="upper right")
    style(axes, "Latency over time", "time (s)", "samples from the median")
