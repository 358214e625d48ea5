"""Training a band-split network: from a bank to a checkpoint whose best weights can be exported."""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from neurdsp.config import build, load_yaml
from neurdsp.drumsep.bandsplit.export import write_band_split
from neurdsp.drumsep.bandsplit.fast import accelerate
from neurdsp.drumsep.bandsplit.network import BandSplitNet
from neurdsp.drumsep.bandsplit.recipe import Recipe
from neurdsp.drumsep.bandsplit.task import SeparationTask
from neurdsp.drumsep.bandsplit.teacher import Recordings, TaughtTask, Teacher
from neurdsp.drumsep.data.bank import open_bank
from neurdsp.errors import ConfigError, ParameterError
from neurdsp.modelfile.files import DType, VerifyResult
from neurdsp.training import Trainer, TrainingSummary
from neurdsp.training.checkpoint import best_of, load_checkpoint
from neurdsp.training.device import device_of
from neurdsp.training.ranks import refuse_ranks
from neurdsp.training.report import reporter_of
from neurdsp.training.run_folder import begin_run, check_resumable, save_json

__all__ = ["TrainResult", "export_run", "load_trained", "train"]


@dataclass(frozen=True)
class TrainResult:
    """Result of a run.

    Parameters
    ----------
    run_dir
        Its folder.
    n_parameters
        Of the network.
    metrics
        Figures of the best network on held-out kits.
    summary
        Steps, time and best score.
    """

    run_dir: Path
    n_parameters: int
    metrics: Mapping[str, float]
    summary: TrainingSummary

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {**asdict(self), "run_dir": str(self.run_dir)}


def train(
    recipe: Recipe,
    bank_path: str | os.PathLike[str],
    *,
    run_dir: str | os.PathLike[str],
    resume: bool = False,
    show: bool = False,
    overwrite: bool = False,
    config_path: str | os.PathLike[str] | None = None,
    start: Mapping[str, Tensor] | None = None,
    teacher: Teacher | None = None,
    recordings: Recordings | None = None,
    source: str = "",
    sources: Sequence[str | os.PathLike[str]] = (),
) -> TrainResult:
    """Train a network on mixtures rendered from a bank.

    Parameters
    ----------
    recipe
        Network, mixtures, loss, budget. ``training.precision=bfloat16`` and ``training.compile`` also work on
        a CPU here; figures are measured in float32.
    bank_path
        The bank that `neurdsp.drumsep.data.prepare.prepare` wrote.
    run_dir
        Folder for the configuration, the log and the checkpoint; made if it is missing.
    resume
        Continue from the checkpoint in ``run_dir``; only the budget may have changed.
    show
        Whether to show progress on standard error.
    overwrite
        Whether an earlier run in ``run_dir`` is removed rather than moved to ``run_dir/earlier``.
    config_path
        The file that ``recipe`` was read from, so that the run does not write over it.
    start
        Weights to begin with, instead of random ones.
    teacher
        A separator to learn from, in the part ``loss.teacher``.
    recordings
        Recordings without true stems to learn from the teacher on.
    source
        A fingerprint of where ``start`` came from; a run is resumed with the same only.
    sources
        Further files that the caller reads; the run writes over none of them.

    Returns
    -------
    TrainResult

    Raises
    ------
    ConfigError, ParameterError
        For an unusable bank or setting, before anything is written.
    OSError
        If a file cannot be written, or is an input.

    Examples
    --------
    >>> train(load_recipe("draft"), "bank.safetensors", run_dir="runs/draft")  # doctest: +SKIP
    """
    refuse_ranks("drumsep train")
    folder, training = Path(run_dir), recipe.training
    bank = open_bank(bank_path)
    device = _device(recipe)
    if teacher is None and (recipe.loss.teacher or recipe.data.unlabelled):
        raise ConfigError("loss.teacher and data.unlabelled need a teacher; set both to 0, or run distil")
    prints = [bank.fingerprint, source]
    prints += [one.fingerprint for one in (teacher, recordings) if one is not None]
    facts = {
        "bank": str(bank_path),
        "fingerprint": "+".join(filter(None, prints)),
        "kits": [kit.name for kit in bank.kits],
    }
    if resume:
        check_resumable(
            folder, recipe, facts, load=lambda path: build(Recipe, load_yaml(path), source=str(path))
        )
    torch.manual_seed(training.seed)
    network = BandSplitNet(recipe.model).to(device)
    if start is not None:
        network.load_state_dict(dict(start))
    task = (
        SeparationTask(bank, recipe, device=device)
        if teacher is None
        else TaughtTask(bank, recipe, teacher, recordings, device=device)
    )
    inputs = [bank_path, *sources, *([] if config_path is None else [config_path])]
    inputs += [] if teacher is None else [teacher.path]
    inputs += [] if recordings is None else recordings.files
    begin_run(folder, recipe, facts, fresh=not resume, overwrite=overwrite, inputs=inputs)
    half = training.precision == "bfloat16"
    if device.type == "cpu" and (half or training.compile):
        accelerate(network, compiled=training.compile, dtype=torch.bfloat16 if half else torch.float32)
    reporter = reporter_of(folder, training, show=show, score_name="error")
    summary = Trainer(network, task, training, run_dir=folder, reporter=reporter).run(resume=resume)
    result = TrainResult(folder, recipe.model.n_parameters, dict(summary.best_metrics), summary)
    save_json(folder / "result.json", result.to_json())
    return result


def load_trained(
    run_dir: str | os.PathLike[str], *, which: str = "best"
) -> tuple[BandSplitNet, dict[str, Any]]:
    """Return the network of a run, which may still be going on, and facts about its training.

    Parameters
    ----------
    run_dir
        Folder of the run.
    which
        ``best`` by validation, ``average`` of the last weights, or the ``last`` weights.

    Returns
    -------
    network : BandSplitNet
        On the CPU, in evaluation mode.
    facts : dict
        ``steps``, ``seconds`` and ``metrics`` of the best validation.

    Raises
    ------
    ConfigError
        If there is no such run, or its checkpoint has no such weights.
    """
    folder = Path(run_dir)
    recipe = build(Recipe, load_yaml(folder / "config.yaml"), source=str(folder / "config.yaml"))
    state = load_checkpoint(folder / "checkpoint.pt")
    names = {"best": "best_state", "average": "average", "last": "model"}
    if which not in names:
        raise ParameterError(f"which is '{which}', but it must be best, average or last")
    best = best_of(state)
    weights, metrics = best if which == "best" else (state.get(names[which]), state["best_metrics"])
    if weights is None:
        raise ConfigError(f"{folder}: the run keeps no {which} weights; take --weights best or last")
    network = BandSplitNet(recipe.model)
    network.load_state_dict(weights)
    facts = {
        "steps": int(state["step"]),
        "seconds": float(state["seconds"]),
        "metrics": dict(metrics or {}),
    }
    return network.eval(), facts


def export_run(
    run_dir: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    which: str = "best",
    dtype: DType = "F16",
    name: str = "",
    metrics: Mapping[str, Any] | None = None,
    details: Mapping[str, str] | None = None,
) -> VerifyResult:
    """Write the network of a run to a model file, and verify it in the engine.

    Parameters
    ----------
    run_dir, which
        As for `load_trained`.
    target
        The file to write.
    dtype
        Number type of the weights.
    name
        Name of the network.
    metrics
        Further figures, beside those of the run.
    details
        Further metadata, text by key.

    Returns
    -------
    VerifyResult
        The verdict on the file.

    Raises
    ------
    ConfigError
        If there is no such run.
    ModelFileError
        If the engine misses the test vectors; nothing is written then.
    OSError
        If the file cannot be written.
    """
    network, facts = load_trained(run_dir, which=which)
    arrays = {key: tensor.detach().numpy() for key, tensor in network.state_dict().items()}
    held_out = {f"held_out_{key}": value for key, value in facts["metrics"].items() if key != "score"}
    about = {"steps": facts["steps"], "seconds": round(facts["seconds"], 1), **held_out, **(metrics or {})}
    return write_band_split(
        arrays, network.config, target, dtype=dtype, name=name, metrics=about, details=details
    )


def _device(recipe: Recipe) -> torch.device:
    """Return the device to train on, and refuse settings that it cannot fulfil."""
    training = recipe.training
    device = device_of(training)
    if training.precision == "float16":
        raise ConfigError(
            "training.precision is float16, but separators train in float32 or bfloat16; set one of these"
        )
    if (
        training.compile
        and device.type == "cpu"
        and not any(shutil.which(tool) for tool in ("c++", "g++", "clang++"))
    ):
        raise ConfigError("training.compile needs a C++ compiler; install g++, or set it to false")
    return device
