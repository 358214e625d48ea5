"""Comparing two audio files: metrics and, on request, a figure, in one pass and bounded memory."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurdsp._output import check_output
from neurdsp.amp.judge.breakdown import Breakdown, Slice
from neurdsp.audio import AudioReader, AudioWriter
from neurdsp.console import Progress
from neurdsp.errors import AudioFileError, ParameterError
from neurdsp.metrics import Comparison, ComparisonResult

__all__ = ["DetailedComparison", "compare_files", "compare_in_detail", "matched_esr", "write_ab"]

_TURN_S = 2.0
_FADE_S = 0.01


@dataclass(frozen=True)
class DetailedComparison:
    """All metrics, and the error by frequency and level.

    Parameters
    ----------
    result
        Metrics of the whole signals.
    matched_esr
        Error-to-signal ratio after the best gain, which removes the error of level, and of polarity if the
        prediction is inverted.
    bands, levels
        The error by frequency and by level.
    """

    result: ComparisonResult
    matched_esr: float
    bands: list[Slice]
    levels: list[Slice]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            **self.result.to_json(),
            "matched_esr": self.matched_esr,
            "bands": [asdict(band) for band in self.bands],
            "levels": [asdict(level) for level in self.levels],
        }


def matched_esr(result: ComparisonResult) -> float:
    """Return the error-to-signal ratio after the best gain, and with the polarity of the target.

    Examples
    --------
    >>> comparison = Comparison()
    >>> comparison.update([1.0, -1.0], [0.5, -0.5])
    >>> matched_esr(comparison.result()) < 1e-12
    True
    """
    if not np.isfinite(result.best_gain_db):
        return 1.0
    power_db = result.predicted_rms_db + result.best_gain_db - result.target_rms_db
    return max(0.0, 1.0 - float(10 ** (power_db / 10)))


def compare_files(
    target: str | os.PathLike[str],
    predicted: str | os.PathLike[str],
    *,
    plot: str | os.PathLike[str] | None = None,
) -> ComparisonResult:
    """Measure how close one mono audio file is to another.

    Parameters
    ----------
    target, predicted : path-like
        The wanted and the actual output, of the same sample rate and length.
    plot : path-like, optional
        PNG to write, with both waveforms, their spectra, the residual, and the error by frequency and level.
        Needs the ``plot`` extra.

    Returns
    -------
    ComparisonResult
        All metrics.

    Raises
    ------
    AudioFileError
        If a file is missing, damaged or not mono, if the target is silent, or if rates or lengths differ.
    MissingDependencyError
        If a plot is wanted and matplotlib is not installed.

    Examples
    --------
    >>> compare_files("amp.wav", "model.wav", plot="compare.png").esr  # doctest: +SKIP
    """
    return compare_in_detail(target, predicted, plot=plot).result


def compare_in_detail(
    target: str | os.PathLike[str],
    predicted: str | os.PathLike[str],
    *,
    plot: str | os.PathLike[str] | None = None,
) -> DetailedComparison:
    """Compare two files as `compare_files` does, and break the error down by frequency and level.

    Parameters, errors and the plot are those of `compare_files`.

    Examples
    --------
    >>> compare_in_detail("amp.wav", "model.wav").bands[0].esr  # doctest: +SKIP
    """
    with AudioReader(target, mono=True) as a, AudioReader(predicted, mono=True) as b:
        if a.info.sample_rate != b.info.sample_rate:
            raise AudioFileError(
                f"'{target}' has {a.info.sample_rate} Hz and '{predicted}' has {b.info.sample_rate} Hz; "
                "resample one of them first"
            )
        if a.info.n_samples != b.info.n_samples:
            raise AudioFileError(
                f"'{target}' has {a.info.n_samples} samples and '{predicted}' has {b.info.n_samples}; "
                "cut them to the same length"
            )
        figure = None
        if plot is not None:
            from neurdsp.amp.judge.plot import ComparisonPlot  # needs matplotlib

            check_output(plot, inputs=[target, predicted])
            figure = ComparisonPlot(a.info.n_samples, a.info.sample_rate)
        comparison, breakdown = Comparison(), Breakdown(a.info.sample_rate)
        try:
            with Progress("comparing", a.info.n_samples) as progress:
                for block_a, block_b in zip(a.blocks(), b.blocks(), strict=True):
                    comparison.update(block_a, block_b)
                    breakdown.update(block_a[0], block_b[0])
                    if figure is not None:
                        figure.update(block_a[0], block_b[0])
                    progress.advance(block_a.shape[1])
            result = comparison.result()
        except (ParameterError, ValueError) as error:  # ValueError: a file ends earlier than its header says
            raise AudioFileError(f"cannot compare '{target}' with '{predicted}': {error}") from error
        found = DetailedComparison(result, matched_esr(result), breakdown.bands(), breakdown.levels())
        if figure is not None and plot is not None:
            names = Path(target).name, Path(predicted).name
            figure.save(plot, result, names=names, bands=found.bands, levels=found.levels)
    return found


def write_ab(
    target: str | os.PathLike[str],
    predicted: str | os.PathLike[str],
    path: str | os.PathLike[str],
    result: ComparisonResult,
) -> None:
    """Write a file that alternates between target and prediction at equal level, for a blind listening test.

    Parameters
    ----------
    target, predicted
        The files that were compared.
    path
        The file to write: two seconds of the target, two of the prediction, and so on, joined by fades of
        10 ms.
    result
        Result of the comparison, whose RMS levels set the gain of the prediction.

    Raises
    ------
    AudioFileError
        If a file cannot be read or written.
    FileExistsError
        If ``path`` is one of the compared files.

    Examples
    --------
    >>> result = compare_files("amp.wav", "model.wav")  # doctest: +SKIP
    >>> write_ab("amp.wav", "model.wav", "ab.wav", result)  # doctest: +SKIP
    """
    check_output(path, inputs=[target, predicted])
    gain_db = result.target_rms_db - result.predicted_rms_db
    gain = 10 ** (gain_db / 20) if np.isfinite(gain_db) else 1.0
    with AudioReader(target, mono=True) as a, AudioReader(predicted, mono=True) as b:
        rate, position = a.info.sample_rate, 0
        turn, fade = _TURN_S * rate, _FADE_S * rate
        with AudioWriter(path, rate) as writer:
            for block_a, block_b in zip(a.blocks(), b.blocks(), strict=True):
                there = position + np.arange(block_a.shape[1])
                # 1 while the prediction sounds: a trapezoid with the period of two turns.
                phase = there % (2 * turn)
                weight = np.clip((phase - turn) / fade, 0, 1)
                weight -= np.clip((phase - 2 * turn + fade) / fade, 0, 1)
                writer.write((1 - weight) * block_a[0] + weight * gain * block_b[0])
                position += block_a.shape[1]
