"""All measurements of a model file against a capture, with the engine that users run."""

import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from neurdsp._output import check_output
from neurdsp.amp.capture.align import lay_over
from neurdsp.amp.capture.check import examine
from neurdsp.amp.capture.report import Report
from neurdsp.amp.config import DataConfig
from neurdsp.amp.infer import AmpModel
from neurdsp.amp.judge.aliasing import AliasingResult, measure_aliasing
from neurdsp.amp.judge.breakdown import Breakdown, Slice
from neurdsp.amp.judge.compare import matched_esr
from neurdsp.amp.lookup import find_model
from neurdsp.dependencies import require
from neurdsp.errors import AudioFileError
from neurdsp.metrics import Comparison, ComparisonResult

__all__ = ["Evaluation", "evaluate"]

_BLOCK_SAMPLES = 65_536


@dataclass(frozen=True)
class Evaluation:
    """Result of an evaluation.

    Parameters
    ----------
    model
        Path, architecture, number of parameters, receptive field and sample rate of the file.
    part
        ``(start, stop)`` of the compared part of the capture, in seconds.
    comparison
        All metrics of the output of the model against that of the device.
    matched_esr
        Error-to-signal ratio after the best gain.
    bands, levels
        The error by frequency and by level.
    aliasing
        Of the model alone, for three sines.
    us_per_sample
        Time of the engine in microseconds per sample, on this machine.
    report
        The examination of the capture.
    """

    model: dict[str, Any]
    part: tuple[float, float]
    comparison: ComparisonResult
    matched_esr: float
    bands: list[Slice]
    levels: list[Slice]
    aliasing: list[AliasingResult]
    us_per_sample: float
    report: Report

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "model": self.model,
            "part_s": list(self.part),
            **self.comparison.to_json(),
            "matched_esr": self.matched_esr,
            "bands": [asdict(band) for band in self.bands],
            "levels": [asdict(level) for level in self.levels],
            "aliasing": [{**asdict(probe), "asr_db": max(probe.asr_db, -300.0)} for probe in self.aliasing],
            "us_per_sample": self.us_per_sample,
            "data": self.report.to_json(),
        }


def evaluate(
    model: str | os.PathLike[str],
    input_path: str | os.PathLike[str],
    output_path: str | os.PathLike[str],
    *,
    part: Literal["auto", "all", "validation"] = "auto",
    data: DataConfig | None = None,
    plot: str | os.PathLike[str] | None = None,
    knobs: Mapping[str, float] | None = None,
) -> Evaluation:
    """Play the input of a capture through a model, and compare the result with the output of the capture.

    Parameters
    ----------
    model
        A model file, or the name of a shipped amp.
    input_path, output_path
        The capture.
    part
        ``"validation"`` compares the passage that a known input reserves for it, ``"all"`` everything,
        ``"auto"`` the former if there is one.
    data
        How to align, as in training.
    plot
        PNG to write, with waveforms, spectra, the residual, the error by frequency and level, and aliasing.
        Needs the ``plot`` extra.
    knobs
        Positions of the model's knobs, 0 to 1; the others keep their defaults.

    Returns
    -------
    Evaluation

    Raises
    ------
    AudioFileError
        If the capture has an error, or lacks a validation passage that is asked for.
    ModelFileError
        If the model cannot be loaded.
    MissingDependencyError
        If a plot is wanted and matplotlib is not installed.

    Examples
    --------
    >>> evaluate("amp.safetensors", "in.wav", "out.wav").comparison.esr  # doctest: +SKIP
    """
    settings = data or DataConfig()
    if plot is not None:
        check_output(plot, inputs=[input_path, output_path, find_model(model)])
        require("matplotlib", extra="plot", purpose="a plot")
    amp = AmpModel.load(model).with_knobs(**(knobs or {}))
    examined = examine(input_path, output_path, settings)
    report, rate = examined.report, examined.sample_rate
    if report.errors or report.alignment is None:
        raise AudioFileError(report.errors[0].message)
    shift = report.alignment.shift(settings.safety_samples)
    dry, aligned = lay_over(examined.dry, examined.wet, shift)
    n_samples = aligned.size
    start, stop = 0, n_samples
    known = examined.known.cut(max(-shift, 0)).validation
    if part == "validation" and known is None:
        raise AudioFileError(
            f"'{input_path}' reserves no passage for validation; evaluate all of it: --part all"
        )
    if part != "all" and known is not None and known[0] < n_samples:
        start, stop = known[0], min(known[1], n_samples)
    # The model hears a receptive field before the part, as in the whole recording.
    begin = max(0, start - round(amp.receptive_field * rate / amp.sample_rate) - rate // 10)
    clock = time.perf_counter()
    predicted = amp.render(dry[begin:stop], rate)
    seconds = time.perf_counter() - clock
    target, predicted = aligned[start:stop], predicted[start - begin :]
    comparison, breakdown = Comparison(), Breakdown(rate)
    for at in range(0, target.size, _BLOCK_SAMPLES):
        blocks = target[at : at + _BLOCK_SAMPLES], predicted[at : at + _BLOCK_SAMPLES]
        comparison.update(*blocks)
        breakdown.update(*blocks)
    result = comparison.result()
    aliasing = measure_aliasing(lambda x: amp.render(x, amp.sample_rate), sample_rate=amp.sample_rate)
    bands, levels = breakdown.bands(), breakdown.levels()
    if plot is not None:
        from neurdsp.amp.judge.plot import ComparisonPlot  # needs matplotlib

        figure = ComparisonPlot(target.size, rate)
        for at in range(0, target.size, _BLOCK_SAMPLES):
            figure.update(target[at : at + _BLOCK_SAMPLES], predicted[at : at + _BLOCK_SAMPLES])
        names = Path(output_path).name, Path(model).name
        figure.save(plot, result, names=names, bands=bands, levels=levels, aliasing=aliasing)
    return Evaluation(
        model={
            "path": str(Path(model)),
            "architecture": amp.architecture,
            "n_parameters": amp.n_parameters,
            "receptive_field": amp.receptive_field,
            "sample_rate": amp.sample_rate,
            "knobs": amp.knobs,
        },
        part=(start / rate, stop / rate),
        comparison=result,
        matched_esr=matched_esr(result),
        bands=bands,
        levels=levels,
        aliasing=aliasing,
        us_per_sample=1e6 * seconds / max(1, stop - begin),
        report=report,
    )
