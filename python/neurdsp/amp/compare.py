"""Comparing two audio files: the numbers, and on request a picture, in one pass with bounded memory."""

import os
from pathlib import Path

from neurdsp._output import check_output
from neurdsp.audio import AudioReader
from neurdsp.console import Progress
from neurdsp.errors import AudioFileError, ParameterError
from neurdsp.metrics import Comparison, ComparisonResult

__all__ = ["compare_files"]


def compare_files(
    target: str | os.PathLike[str],
    predicted: str | os.PathLike[str],
    *,
    plot: str | os.PathLike[str] | None = None,
) -> ComparisonResult:
    """Measure how close one mono audio file comes to another.

    Parameters
    ----------
    target, predicted : path-like
        What should have come out, and what did: same sample rate, same length.
    plot : path-like, optional
        Where to put a PNG with both waveforms, their spectra and the residual. Needs the ``plot`` extra.

    Returns
    -------
    ComparisonResult
        All metrics.

    Raises
    ------
    AudioFileError
        If a file is missing, damaged, silent where it is the target, not mono, or does not fit the other.
    MissingDependencyError
        If a plot is asked for and matplotlib is not installed.

    Examples
    --------
    >>> compare_files("amp.wav", "model.wav", plot="compare.png").esr  # doctest: +SKIP
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
        picture = None
        if plot is not None:
            from neurdsp.amp.plot import ComparisonPlot  # matplotlib only where a picture is wanted

            check_output(plot)
            picture = ComparisonPlot(a.info.n_samples, a.info.sample_rate)
        comparison = Comparison()
        try:
            with Progress("comparing", a.info.n_samples) as progress:
                for block_a, block_b in zip(a.blocks(), b.blocks(), strict=True):
                    comparison.update(block_a, block_b)
                    if picture is not None:
                        picture.update(block_a[0], block_b[0])
                    progress.advance(block_a.shape[1])
            result = comparison.result()
        except (ParameterError, ValueError) as error:  # ValueError: one file ends before its header said
            raise AudioFileError(f"cannot compare '{target}' with '{predicted}': {error}") from error
        if picture is not None and plot is not None:
            picture.save(plot, result, names=(Path(target).name, Path(predicted).name))
    return result
