"""The figure of a comparison: waveforms, a close-up, spectra, the residual, and the error in detail."""

import os
from typing import TYPE_CHECKING

import numpy as np

from neurdsp.amp.judge.aliasing import AliasingResult
from neurdsp.amp.judge.breakdown import Slice
from neurdsp.amp.judge.breakdown_plot import draw_breakdown
from neurdsp.audio import FloatArray
from neurdsp.dependencies import require
from neurdsp.dsp import stft
from neurdsp.metrics import ComparisonResult
from neurdsp.report.figure import COLOURS, Envelope, new_figure, save_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ComparisonPlot"]

_N_FFT = 4_096
_CLOSE_UP_S = 0.012


class ComparisonPlot:
    """Collects the data of the figure while both signals pass.

    Parameters
    ----------
    n_samples : int
        Length of the signals.
    sample_rate : float
        In Hz.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed; raised at the beginning of a comparison, not at its end.
    """

    def __init__(self, n_samples: int, sample_rate: float) -> None:
        require("matplotlib", extra="plot", purpose="a plot")
        self._sample_rate = sample_rate
        self._envelopes = [Envelope(n_samples) for _ in range(3)]  # target, predicted, residual
        self._power = np.zeros((3, _N_FFT // 2 + 1))
        self._n_frames = 0
        self._loudest = -1.0
        self._close_up: FloatArray = np.zeros((2, 1), np.float32)
        self._close_up_start_s = 0.0
        self._position = 0

    def update(self, target: FloatArray, predicted: FloatArray) -> None:
        """Add the next samples of both signals, ``(n,)`` each."""
        signals = np.stack([target, predicted, target - predicted])  # (3, n)
        for envelope, signal in zip(self._envelopes, signals, strict=True):
            envelope.update(signal)
        # Frames lie within a block; the few that would straddle two blocks do not matter.
        padded = np.pad(signals, ((0, 0), (0, max(0, _N_FFT - target.size))))
        spectrum = stft(padded, n_fft=_N_FFT, hop_length=_N_FFT // 2, center=False)  # (3, n_bins, n_frames)
        self._power += np.sum(np.square(np.abs(spectrum), dtype=np.float64), axis=2)
        self._n_frames += spectrum.shape[2]
        peak = float(np.abs(target).max())
        if peak > self._loudest:
            self._loudest = peak
            n = int(_CLOSE_UP_S * self._sample_rate)
            start = max(0, min(int(np.abs(target).argmax()) - n // 2, target.size - n))
            self._close_up = signals[:2, start : start + n].copy()
            self._close_up_start_s = (self._position + start) / self._sample_rate
        self._position += target.size

    def save(
        self,
        path: str | os.PathLike[str],
        result: ComparisonResult,
        *,
        names: tuple[str, str],
        bands: list[Slice],
        levels: list[Slice],
        aliasing: list[AliasingResult] | None = None,
    ) -> None:
        """Draw the figure, and write it as a PNG, whole or not at all.

        Parameters
        ----------
        path : path-like
            The file to write.
        result : ComparisonResult
            The metrics for the title.
        names : tuple of str
            Labels of target and prediction.
        bands, levels : list of Slice
            The error by frequency and by level.
        aliasing : list of AliasingResult, optional
            Of the model, if the prediction comes from one.
        """
        figure = new_figure(10, 11)
        grid = figure.add_gridspec(5, 2, height_ratios=[1, 1, 1.7, 1, 1.3])
        figure.suptitle(
            f"ESR {result.esr:.3g}   ·   null {result.null_depth_db:.1f} dB   ·   "
            f"spectral distance {result.stft_distance:.3g}",
            fontsize=12,
        )
        low = min(envelope.low.min() for envelope in self._envelopes[:2])
        high = max(envelope.high.max() for envelope in self._envelopes[:2])
        for row, (role, name) in enumerate(zip(("target", "predicted"), names, strict=True)):
            axes = figure.add_subplot(grid[row, :])
            self._draw_waveform(axes, row, f"{role.capitalize()}: {name}", COLOURS[role])
            axes.set_ylim(1.08 * min(low, -1e-6), 1.08 * max(high, 1e-6))
        self._draw_close_up(figure.add_subplot(grid[2, 0]))
        self._draw_spectra(figure.add_subplot(grid[2, 1]))
        peak = max(abs(self._envelopes[2].low.min()), abs(self._envelopes[2].high.max()))
        share = 100 * peak / max(self._loudest, 1e-9)
        title = f"Residual, {result.null_depth_db:.1f} dB of the target (peak: {share:.2g} % of the target's)"
        self._draw_waveform(figure.add_subplot(grid[3, :]), 2, title, COLOURS["residual"])
        draw_breakdown(figure, grid[4, :], bands, levels, aliasing or [], COLOURS["residual"])
        save_figure(figure, path)

    def _draw_waveform(self, axes: "Axes", which: int, title: str, colour: str) -> None:
        self._envelopes[which].draw(axes, self._sample_rate, color=colour)
        axes.set_xlim(0, self._position / self._sample_rate)
        style(axes, title, "time (s)", "amplitude")

    def _draw_close_up(self, axes: "Axes") -> None:
        time_ms = 1e3 * (self._close_up_start_s + np.arange(self._close_up.shape[1]) / self._sample_rate)
        axes.plot(time_ms, self._close_up[0], color=COLOURS["target"], linewidth=2.6)
        axes.plot(time_ms, self._close_up[1], color=COLOURS["predicted"], linewidth=1.1)
        if time_ms.size > 1:
            axes.set_xlim(time_ms[0], time_ms[-1])
        style(axes, "Around the loudest sample", "time (ms)", "amplitude")

    def _draw_spectra(self, axes: "Axes") -> None:
        bin_hz = self._sample_rate / _N_FFT
        # Mean power of bands of 1/24 octave, or of single bins if those are wider.
        edges = np.unique(np.round(2 ** np.arange(0, np.log2(_N_FFT / 2), 1 / 24)).astype(int))
        widths = np.diff(edges, append=_N_FFT // 2 + 1)
        power = np.add.reduceat(self._power, edges, axis=1) / widths / self._n_frames  # (3, n_bands)
        # A full-scale sine is at 0 dB: with a Hann window its peak bin is n_fft / 4.
        level_db = 10 * np.log10(power / (_N_FFT / 4) ** 2 + 1e-30)
        for name, level, width in zip(COLOURS, level_db, (2.6, 1.1, 1.1), strict=True):
            axes.semilogx(
                (edges + (widths - 1) / 2) * bin_hz, level, color=COLOURS[name], linewidth=width, label=name
            )
        top = 10 * np.ceil(level_db[:2].max() / 10 + 0.2)
        axes.set_xlim(20, self._sample_rate / 2)
        axes.set_ylim(max(top - 130, level_db.min() - 5), top)
        axes.set_xticks([20, 100, 1_000, 10_000], ["20", "100", "1k", "10k"])
        axes.legend(loc="upper right")
        style(axes, "Spectra", "frequency (Hz)", "level (dBFS)")
