"""Training an amp model: from two recordings to a model file that the engine has measured."""

import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neurdsp import modelfile
from neurdsp._output import check_output
from neurdsp.amp.config import AmpConfig, build_config
from neurdsp.amp.data import Crops, Pair, Split, load_pair, split_in_time
from neurdsp.amp.export import export
from neurdsp.amp.infer import AmpModel
from neurdsp.amp.judge.report import Heard, write_report
from neurdsp.amp.model import build_network
from neurdsp.amp.network import AmpNetwork
from neurdsp.errors import ParameterError
from neurdsp.losses import build_loss
from neurdsp.losses.energy import pre_emphasise
from neurdsp.metrics import esr, multi_resolution_stft_distance, pre_emphasised_esr
from neurdsp.modelfile import convert
from neurdsp.training import Ranks, Reporter, Trainer, TrainingSummary, autocast
from neurdsp.training.run_folder import begin_run, check_resumable, save_json

__all__ = ["RunResult", "measure", "train"]

INPUT_LEVEL = 1.0
"""RMS to which the input is scaled before training; the factor is folded at export."""

OUTPUT_FACTOR = 0.1
"""Scale of the output before training, relative to the RMS of the target; it is folded at export. Networks
that start loud, or that must learn a large gain first, converge several times slower."""

_VALIDATION_BLOCK = 1 << 15


@dataclass(frozen=True)
class RunResult:
    """What a run left behind.

    Parameters
    ----------
    model_path, run_dir
        The exported file, and the folder with configuration, log and checkpoint.
    esr, pre_emphasised_esr, spectral_distance
        Of the exported file, played by the engine over the held-out part of the recording.
    n_parameters
        Of the network.
    latency_samples, confidence, inverted
        The alignment of the recordings.
    summary
        How the training went.
    warnings
        What was odd about the recordings.
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

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {**asdict(self), "model_path": str(self.model_path), "run_dir": str(self.run_dir)}


class _AmpTask:
    """What the trainer asks: crops, loss, validation on held-out audio, and the export of a better model."""

    def __init__(
        self, pair: Pair, split: Split, config: AmpConfig, path: Path, folder: Path, device: torch.device
    ) -> None:
        self._pair, self._split, self._config, self._device = pair, split, config, device
        self._path, self._folder = path, folder
        self._crops = Crops(
            pair,
            split,
            batch_size=config.training.batch_size,
            crop_samples=config.crop_samples,
            receptive_field=config.model.receptive_field,
            seed=config.training.seed,
        )
        training = np.concatenate([pair.wet[start:stop] for start, stop in split.training])
        self._loss = build_loss(
            config.loss, reference=torch.from_numpy(training), sample_rate=pair.sample_rate
        ).to(device)
        self.samples_per_step = config.training.batch_size * self._crops.crop_samples
        self._forward: Callable[[Tensor], Tensor] | None = None

    def loss(self, model: nn.Module, step: int) -> Tensor:
        if self._forward is None:
            self._forward = torch.compile(model) if self._config.training.compile else model
        dry, wet = (torch.from_numpy(array).to(self._device) for array in self._crops.batch(step))
        with autocast(self._config.training.precision, self._device):
            predicted = self._forward(dry)
        loss: Tensor = self._loss(predicted.float(), wet)
        return loss

    def validate(self, model: nn.Module) -> dict[str, float]:
        start, stop = self._split.validation
        target = torch.from_numpy(self._pair.wet[start:stop])
        predicted = _predict(model, self._pair, start, stop, self._device)
        error = float((predicted - target).double().square().mean() / target.double().square().mean())
        emphasised = pre_emphasise(predicted - target, 0.97).double().square().mean()
        emphasised_target = pre_emphasise(target, 0.97).double().square().mean()
        loss = float(self._loss.cpu()(predicted[None], target[None]))
        self._loss.to(self._device)
        # A recipe without a waveform term leaves the phase free: then the ESR cannot tell which
        # model is best.
        score = error if self._config.loss.weights()["esr"] > 0 else loss
        return {
            "score": score,
            "esr": error,
            "pre_emphasised_esr": float(emphasised / (emphasised_target + 1e-30)),
            "loss": loss,
        }

    def improved(self, model: nn.Module, metrics: Mapping[str, float]) -> None:
        assert isinstance(model, AmpNetwork)
        measured = {name: value for name, value in metrics.items() if name not in ("score", "loss")}
        _export(model, self._path, self._pair, self._config, {**measured, "measured_by": "training"})
        _convert(self._path, self._folder)


def _predict(model: nn.Module, pair: Pair, start: int, stop: int, device: torch.device) -> Tensor:
    """Compute the outputs of a range in blocks, each with the true past; ``(stop - start,)`` on the CPU."""
    assert isinstance(model, AmpNetwork)
    margin = model.receptive_field - 1
    padded = np.concatenate([np.zeros(margin, np.float32), pair.dry[:stop]])
    blocks = []
    step = _VALIDATION_BLOCK * model.blocks_at_once
    for begin in range(start, stop, step):
        end = min(begin + step, stop)
        rows = min(model.blocks_at_once, end - begin)
        length = math.ceil((end - begin) / rows)
        # Rows of one length, of which the last may begin before the one before it ends.
        begins = [min(begin + row * length, end - length) for row in range(rows)]
        batch = np.stack([padded[at : at + length + margin] for at in begins])
        outputs = model(torch.from_numpy(batch).to(device)).cpu()  # (rows, length)
        for row, at in enumerate(begins):
            blocks.append(outputs[row, begin + row * length - at :])
    return torch.cat(blocks)


def _export(model: AmpNetwork, path: Path, pair: Pair, config: AmpConfig, metrics: Mapping[str, Any]) -> None:
    export(
        model,
        path,
        sample_rate=pair.sample_rate,
        metrics=metrics,
        level=float(np.sqrt(np.mean(np.square(pair.dry, dtype=np.float64)))),
        name=path.stem,
        description=config.description,
        extra={"neurdsp.training": json.dumps(config.model_dump(mode="json"))},
    )


def _convert(path: Path, folder: Path) -> None:
    """Write the model beside the log as ``.nam``, and as JSON where that can hold it."""
    convert(path, folder / f"{path.stem}.nam")
    if modelfile.read(path).architecture == "amp.wavenet":
        convert(path, folder / f"{path.stem}.json")


def measure(path: str | os.PathLike[str], pair: Pair, start: int, stop: int) -> dict[str, float]:
    """Play a range of a recording through a model file with the engine, and compare it with the target.

    Parameters
    ----------
    path
        The exported file.
    pair
        The aligned recordings.
    start, stop
        The range of outputs to measure, in samples.

    Returns
    -------
    dict
        ``esr``, ``pre_emphasised_esr``, ``spectral_distance``.
    """
    heard = _hear(Path(path), pair, start, stop)
    return {
        "esr": float(esr(heard.target, heard.predicted)),
        "pre_emphasised_esr": float(pre_emphasised_esr(heard.target, heard.predicted)),
        "spectral_distance": float(multi_resolution_stft_distance(heard.target, heard.predicted)),
    }


def _hear(path: Path, pair: Pair, start: int, stop: int) -> Heard:
    """Play a range through a model file, with the past that it needs."""
    model = AmpModel.load(path)
    first = max(0, start - (model.receptive_field - 1))
    rendered = model.render(pair.dry[first:stop], pair.sample_rate)[start - first :]
    return Heard(pair.dry[start:stop], pair.wet[start:stop], rendered, pair.sample_rate)


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
) -> RunResult:
    """Train an amp model on what went into a device and what came out.

    The best model so far is in ``model_path`` at any time after the first validation.

    Parameters
    ----------
    config
        Network, data, loss, budget.
    input_path, output_path
        Mono recordings of the same rate.
    model_path
        The ``.safetensors`` file to write.
    run_dir
        The folder for configuration, log, checkpoint, and the model in the formats of other players; made
        where it is absent.
    resume
        Go on from the checkpoint in ``run_dir``; only the budget may have changed.
    show
        Whether to show progress on standard error.
    report
        Whether to write ``report.html`` into the run folder at the end: figures, the curve of the error,
        pictures where matplotlib is installed, and players.

    Returns
    -------
    RunResult
        With the error measured on the exported file by the engine.

    Raises
    ------
    AudioFileError, ConfigError, ParameterError
        Before anything is written, for recordings or settings that cannot work.
    ParameterError
        When a step does not fit into memory, naming what to make smaller.
    OSError
        When a file cannot be written.

    Examples
    --------
    >>> config = load_config("seed-16x6", overrides=["training.minutes=2"])  # doctest: +SKIP
    >>> train(config, "in.wav", "out.wav", model_path="amp.safetensors", run_dir="runs/amp")  # doctest: +SKIP
    """
    path, folder = Path(model_path), Path(run_dir)
    if path.suffix != ".safetensors":
        raise ParameterError(f"the model file '{path}' must end in .safetensors")
    check_output(path)
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
        check_resumable(folder, config, facts, build_config=build_config)
    with Ranks.joined(device) as ranks:
        if ranks.first:
            begin_run(folder, config, facts, fresh=not resume)
            if show:
                _show_recordings(pair)
        reporter = None
        if ranks.first:
            reporter = Reporter(
                folder / "metrics.jsonl",
                show=show,
                score_name="ESR",
                tensorboard=folder / "tensorboard" if config.training.tensorboard else None,
            )
        torch.manual_seed(config.training.seed)
        model = _build_model(pair, split, config).to(device)
        task = _AmpTask(pair, split, config, path, folder, device)
        trainer = Trainer(model, task, config.training, run_dir=folder, reporter=reporter, ranks=ranks)
        with _explaining_memory(config):
            summary = trainer.run(resume=resume)
        result = ranks.decided(lambda: _finish(model.cpu(), summary, pair, split, config, path, folder))
        if report and ranks.first:
            _report(result, pair, split, config)
    return result


def _finish(
    model: nn.Module,
    summary: TrainingSummary,
    pair: Pair,
    split: Split,
    config: AmpConfig,
    path: Path,
    folder: Path,
) -> RunResult:
    """Measure the exported file with the engine, and write the figures into it and beside the log."""
    assert isinstance(model, AmpNetwork)
    measured = measure(path, pair, *split.validation)
    metrics = {
        **measured,
        "measured_by": "engine",
        "steps": summary.steps,
        "seconds": round(summary.seconds, 1),
    }
    _export(model, path, pair, config, metrics)
    _convert(path, folder)
    result = RunResult(
        model_path=path,
        run_dir=folder,
        **measured,
        n_parameters=config.model.n_parameters,
        latency_samples=pair.alignment.latency_samples,
        confidence=pair.alignment.confidence,
        inverted=pair.alignment.inverted,
        summary=summary,
        warnings=pair.warnings,
    )
    save_json(folder / "result.json", result.to_json())
    return result


def _report(result: RunResult, pair: Pair, split: Split, config: AmpConfig) -> None:
    """Write the page that shows and plays what came of a run."""
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
        heard=_hear(result.model_path, pair, *split.validation),
        log=result.run_dir / "metrics.jsonl",
        facts=facts,
    )


@contextmanager
def _explaining_memory(config: AmpConfig) -> Iterator[None]:
    """Say what to change where a step does not fit into memory."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        # torch has a class of its own for CUDA only; its CPU allocator says so in words.
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
    """Say before training what was found in the recordings."""
    found = pair.alignment
    sys.stderr.write(
        f"{pair.dry.size / pair.sample_rate:.1f} s at {pair.sample_rate} Hz; "
        f"latency {found.latency_samples} samples, confidence {found.confidence:.2f}\n"
    )
    for warning in pair.warnings:
        sys.stderr.write(f"note: {warning}\n")


def _build_model(pair: Pair, split: Split, config: AmpConfig) -> AmpNetwork:
    """Make the network, scaled to the levels of the training part of the recordings."""

    def rms(signal: np.ndarray) -> float:
        parts = np.concatenate([signal[start:stop] for start, stop in split.training])
        return max(float(np.sqrt(np.mean(np.square(parts, dtype=np.float64)))), 1e-6)

    return build_network(
        config.model, input_scale=INPUT_LEVEL / rms(pair.dry), output_scale=OUTPUT_FACTOR * rms(pair.wet)
    )


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
                f"training.{key} = {value} is for CUDA: on a CPU the Rust core trains, in float32; "
                f"leave it at {only}"
            )
    return torch.device(wanted)
