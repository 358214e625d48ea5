"""Training an amp model: from two recordings to a model file whose figures the engine has measured."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from neurdsp.amp.config import AmpConfig
from neurdsp.amp.data import Pair, Split, load_pair, split_in_time
from neurdsp.amp.infer import AmpModel
from neurdsp.amp.judge.report import Excerpt, write_report
from neurdsp.amp.model import build_network
from neurdsp.amp.place import ModelPlace
from neurdsp.amp.run import check_model_path, check_resume, network_scales, rms, run_files, spare_name
from neurdsp.amp.task import AmpTask
from neurdsp.errors import ParameterError
from neurdsp.metrics import esr, multi_resolution_stft_distance, pre_emphasised_esr
from neurdsp.training import Ranks, Trainer, TrainingSummary
from neurdsp.training.report import reporter_of
from neurdsp.training.run_folder import begin_run, save_json

__all__ = ["RunResult", "measure", "train"]


@dataclass(frozen=True)
class RunResult:
    """Result of a run.

    Parameters
    ----------
    model_path, run_dir
        The exported file, and the folder with configuration, log and checkpoint.
    esr, pre_emphasised_esr, spectral_distance
        Of the exported file, played by the engine over the held-out part of the recording.
    n_parameters
        Of the network.
    latency_samples, confidence, inverted
        Alignment of the recordings.
    summary
        Steps, time and best score of the training.
    warnings
        Flaws of the recordings that did not prevent training.
    older_model
        What became of a model that was at the wanted path before: it was kept, and ``model_path`` is in the
        run folder, or it was replaced. Empty without one.
    """

    model_path: Path
    run_dir: Path
    esr: float
    pre_emphasised_esr: float
    spectral_distance: float
    n_parameters: int
    latency_samples: int
    confidence: float
    inverted: bool
    summary: TrainingSummary
    warnings: tuple[str, ...]
    older_model: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {**asdict(self), "model_path": str(self.model_path), "run_dir": str(self.run_dir)}


def measure(path: str | os.PathLike[str], pair: Pair, start: int, stop: int) -> dict[str, float]:
    """Play part of a recording through a model file with the engine, and compare the result with the target.

    Parameters
    ----------
    path
        The exported file.
    pair
        The aligned recordings.
    start, stop
        Range of outputs to measure, in samples.

    Returns
    -------
    dict
        ``esr``, ``pre_emphasised_esr``, ``spectral_distance``.
    """
    excerpt = _play_excerpt(Path(path), pair, start, stop)
    return {
        "esr": float(esr(excerpt.target, excerpt.predicted)),
        "pre_emphasised_esr": float(pre_emphasised_esr(excerpt.target, excerpt.predicted)),
        "spectral_distance": float(multi_resolution_stft_distance(excerpt.target, excerpt.predicted)),
    }


def _play_excerpt(path: Path, pair: Pair, start: int, stop: int) -> Excerpt:
    """Play a range through a model file, with as much past as its receptive field."""
    model = AmpModel.load(path)
    first = max(0, start - (model.receptive_field - 1))
    rendered = model.render(pair.dry[first:stop], pair.sample_rate)[start - first :]
    return Excerpt(pair.dry[start:stop], pair.wet[start:stop], rendered, pair.sample_rate)


def train(
    config: AmpConfig,
    input_path: str | os.PathLike[str],
    output_path: str | os.PathLike[str],
    *,
    model_path: str | os.PathLike[str],
    run_dir: str | os.PathLike[str],
    resume: bool = False,
    show: bool = False,
    report: bool = False,
    overwrite: bool = False,
    config_path: str | os.PathLike[str] | None = None,
) -> RunResult:
    """Train an amp model on the input and the output of a device.

    From the first validation on, ``model_path`` always holds the best model so far. A model that is there
    already is replaced only by one with a lower ESR; until then the new ones go to
    ``run_dir/NAME-new.safetensors``.

    Parameters
    ----------
    config
        Network, data, loss, budget.
    input_path, output_path
        Mono recordings at the same sample rate.
    model_path
        The ``.safetensors`` file to write.
    run_dir
        Folder for the configuration, the log, the checkpoint, and the model in the formats of other players;
        made if it is missing.
    resume
        Continue from the checkpoint in ``run_dir``; only the budget may have changed.
    show
        Whether to show progress on standard error.
    report
        Whether to write ``report.html`` into the run folder at the end: figures, the error over time, audio
        players and, if matplotlib is installed, plots.
    overwrite
        Whether an older model is replaced even by a worse one, and an earlier run in ``run_dir`` is removed
        rather than moved to ``run_dir/earlier``.
    config_path
        The file that ``config`` was read from, so that the run does not write over it.

    Returns
    -------
    RunResult
        Its errors are measured on the exported file, by the engine.

    Raises
    ------
    AudioFileError, ConfigError, ParameterError
        For unusable recordings or settings, before anything is written.
    ParameterError
        If a step does not fit into memory; the message says what to make smaller.
    OSError
        If a file cannot be written, or is an input.

    Examples
    --------
    >>> config = load_config("seed-16x6", overrides=["training.minutes=2"])  # doctest: +SKIP
    >>> train(config, "in.wav", "out.wav", model_path="amp.safetensors", run_dir="runs/amp")  # doctest: +SKIP
    """
    inputs = [input_path, output_path, *([] if config_path is None else [config_path])]
    path, folder = check_model_path(model_path, inputs=inputs), Path(run_dir)
    pair = load_pair(input_path, output_path, config)
    split = split_in_time(pair, config)
    device = _device(config)
    facts = {
        "input": str(input_path),
        "output": str(output_path),
        "fingerprint": pair.fingerprint(),
        "sample_rate": pair.sample_rate,
        "alignment": asdict(pair.alignment),
        "warnings": list(pair.warnings),
        **asdict(split),
    }
    if resume:
        check_resume(folder, config, facts)
    with Ranks.joined(device) as ranks:
        reporter = None
        if ranks.first:
            begin_run(
                folder,
                config,
                facts,
                fresh=not resume,
                overwrite=overwrite,
                names=run_files(path),
                inputs=inputs,
            )
            if show:
                _show_recordings(pair)
            reporter = reporter_of(folder, config.training, show=show, score_name="ESR")
        torch.manual_seed(config.training.seed)
        scales = network_scales(rms(pair.dry, split.training), rms(pair.wet, split.training))
        network = build_network(config.model, **scales._asdict()).to(device)
        place = ModelPlace(path, folder / spare_name(path), replace=overwrite, resumed=resume)
        task = AmpTask(network, pair, split, config, place=place, run_dir=folder, device=device)
        trainer = Trainer(network, task, config.training, run_dir=folder, reporter=reporter, ranks=ranks)
        with _explaining_memory(config):
            summary = trainer.run(resume=resume)
        network.cpu()
        result = ranks.decided(lambda: _finish(task, summary, pair, split, config, place, folder))
        if report and ranks.first:
            _report(result, pair, split, config)
    return result


def _finish(
    task: AmpTask,
    summary: TrainingSummary,
    pair: Pair,
    split: Split,
    config: AmpConfig,
    place: ModelPlace,
    folder: Path,
) -> RunResult:
    """Measure the exported file with the engine; write the figures into it and into the run folder."""
    measured = measure(place.path, pair, *split.validation)
    task.export(
        {
            **measured,
            "measured_by": "engine",
            "steps": summary.steps,
            "seconds": round(summary.seconds, 1),
        }
    )
    result = RunResult(
        model_path=place.path,
        run_dir=folder,
        **measured,
        n_parameters=config.model.n_parameters,
        latency_samples=pair.alignment.latency_samples,
        confidence=pair.alignment.confidence,
        inverted=pair.alignment.inverted,
        summary=summary,
        warnings=pair.warnings,
        older_model=place.story(),
    )
    save_json(folder / "result.json", result.to_json())
    return result


def _report(result: RunResult, pair: Pair, split: Split, config: AmpConfig) -> None:
    """Write the HTML report of a run."""
    summary, found = result.summary, pair.alignment
    start, stop = (sample / pair.sample_rate for sample in split.validation)
    facts = {
        "network": f"{config.architecture}, {result.n_parameters:,} parameters; {config.description}",
        "ESR": f"{result.esr:.3g}, of this file, played by the engine, on {start:.1f} to {stop:.1f} s",
        "ESR, pre-emphasised": f"{result.pre_emphasised_esr:.3g}",
        "spectral distance": f"{result.spectral_distance:.3g}",
        "trained": f"{summary.steps:,} steps in {summary.seconds / 60:.1f} min ({summary.stopped})",
        "went back": f"{summary.rollbacks} times",
        "latency": f"{found.latency_samples} samples, confidence {found.confidence:.2f}",
        "loss": config.loss.type,
    }
    facts |= {f"note {i}": warning for i, warning in enumerate(result.warnings, 1)}
    write_report(
        result.run_dir / "report.html",
        model=result.model_path,
        excerpt=_play_excerpt(result.model_path, pair, *split.validation),
        log=result.run_dir / "metrics.jsonl",
        facts=facts,
    )


@contextmanager
def _explaining_memory(config: AmpConfig) -> Iterator[None]:
    """Turn an out-of-memory error into one that says what to make smaller."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        # torch has an exception class for CUDA only; its CPU allocator is known by its message.
        words = ("out of memory", "can't allocate memory", "not enough memory")
        if not isinstance(error, MemoryError) and not any(word in str(error).lower() for word in words):
            raise
        crop, batch = config.crop_samples, config.training.batch_size
        advice = f"--set data.crop_samples={max(16, crop // 2)}, or choose a smaller preset"
        if batch > 1:
            advice = f"--set training.batch_size={batch // 2}, {advice}"
        raise ParameterError(
            f"out of memory at {batch} crops of {crop} samples a step; try {advice}. The best model so far "
            "and the last checkpoint are kept"
        ) from error


def _show_recordings(pair: Pair) -> None:
    """Print what was found in the recordings."""
    found = pair.alignment
    sys.stderr.write(
        f"{pair.dry.size / pair.sample_rate:.1f} s at {pair.sample_rate} Hz; "
        f"latency {found.latency_samples} samples, confidence {found.confidence:.2f}\n"
    )
    for warning in pair.warnings:
        sys.stderr.write(f"note: {warning}\n")


def _device(config: AmpConfig) -> torch.device:
    wanted = config.training.device
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ParameterError("training.device = cuda, but torch finds no CUDA device; use cpu or auto")
    if wanted == "cuda":
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    for key, only in (("precision", "float32"), ("compile", False)):
        value = getattr(config.training, key)
        if value != only:
            raise ParameterError(
                f"training.{key} = {value} is for CUDA: on a CPU the Rust core trains in float32; "
                f"leave it at {only}"
            )
    return torch.device(wanted)
