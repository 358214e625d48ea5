"""Compressing a model file: pruned, distilled or trained for int8, with the figures before and after."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from neurdsp.config import build
from neurdsp.errors import ConfigError, UnsupportedModelError
from neurdsp.modelfile.files import read
from neurdsp.music.config import CONFIGS, NAMES
from neurdsp.music.dataset import Dataset
from neurdsp.music.evaluate import evaluate
from neurdsp.music.export import Precision, export_network
from neurdsp.music.model import Network, network_of
from neurdsp.music.pruning import kept_units, pruned
from neurdsp.music.recipe import Recipe
from neurdsp.music.tasks import task_of
from neurdsp.music.train import TrainResult, export_run, train
from neurdsp.training.run_folder import file_fingerprint

__all__ = ["Compressed", "Measured", "distil", "prune", "quantise", "read_network"]

N_BATCHES = 32
"""Batches that importance is measured on; they lie behind those of any training."""
_FIRST_BATCH = 1 << 30


@dataclass(frozen=True)
class Measured:
    """A model file and its figures on the test split, by the engine.

    Parameters
    ----------
    name
        What it is: ``before``, ``pruned``, ``tuned`` and so on.
    precision
        ``float32`` or ``int8``.
    parameters, size_bytes, weight_bytes
        Trained values, the size of the file, and of the weights in it.
    metrics
        Its figures.
    """

    name: str
    precision: str
    parameters: int
    size_bytes: int
    weight_bytes: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Compressed:
    """What a compression did.

    Parameters
    ----------
    steps
        The files on the way, the first as it was and the last as it was written.
    run
        The training; None without one.
    """

    steps: tuple[Measured, ...]
    run: TrainResult | None

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        return {
            "steps": [asdict(step) for step in self.steps],
            "run": None if self.run is None else self.run.to_json(),
        }


def read_network(model: str | os.PathLike[str]) -> Network:
    """Return the network of a model file in torch; integers become what they stand for.

    Raises
    ------
    ModelFileError
        If the file is missing or damaged.
    UnsupportedModelError
        If it holds no music network.
    """
    file = read(model)
    family, _, name = file.architecture.partition(".")
    if family != "music" or name not in NAMES:
        raise UnsupportedModelError(f"'{model}' holds {file.architecture}, but must hold a music network")
    config = build(CONFIGS[name], file.config, source=str(model))
    network = network_of(config)
    weights = {}
    for key in config.parameter_shapes:
        value = file.tensors[key].astype(np.float32)
        if f"{key}_scale" in file.tensors:
            value = value * file.tensors[f"{key}_scale"].astype(np.float32)[:, None]
        weights[key] = torch.from_numpy(value)
    network.load_state_dict(weights)
    return network.eval()


def prune(
    model: str | os.PathLike[str],
    dataset: Dataset,
    output: str | os.PathLike[str],
    recipe: Recipe,
    *,
    run_dir: str | os.PathLike[str],
    keep: float = 0.5,
    tune: bool = True,
    precision: Precision = "float32",
    name: str = "",
    resume: bool = False,
    show: bool = False,
) -> Compressed:
    """Take the least important units out of a network, and train what is left.

    Parameters
    ----------
    model
        The model file.
    dataset
        Of its task.
    output
        The file to write.
    recipe
        Budget and settings of the training; its model is not used. ``teacher`` is the teacher's part.
    run_dir
        Folder of the training.
    keep
        Part of the parameters that stays, above 0 and at most 1.
    tune
        Whether to train what is left.
    precision
        Of the file that is written.
    name
        For its metadata.
    resume, show
        As for `neurdsp.music.train.train`.

    Raises
    ------
    ParameterError, ConfigError
        If ``keep`` is out of range, or the data or a setting cannot be used.
    """
    network = _checked(model, recipe)
    task = task_of(recipe.network).task(dataset, recipe)
    chosen = kept_units(network, task, keep=keep, batches=range(_FIRST_BATCH, _FIRST_BATCH + N_BATCHES))
    smaller = pruned(network, chosen)
    recipe = recipe.with_shape(smaller.config)
    details = {"pruned_from": Path(model).name, "pruned_keep": f"{keep:g}"}
    steps = [_measured("before", model, dataset, recipe), _tried("pruned", smaller, dataset, recipe)]
    if not tune:
        export_network(smaller, output, precision=precision, name=name, details=details)
        return Compressed((*steps, _measured("written", output, dataset, recipe)), None)
    run = train(
        recipe,
        dataset,
        run_dir=run_dir,
        resume=resume,
        show=show,
        start=smaller.state_dict(),
        teacher=network if recipe.teacher else None,
        origin=f"{file_fingerprint(model)}-{keep:g}",
        inputs=[model],
    )
    export_run(run_dir, dataset, output, precision=precision, name=name, details=details)
    return Compressed((*steps, _measured("tuned", output, dataset, recipe)), run)


def distil(
    teacher: str | os.PathLike[str],
    dataset: Dataset,
    output: str | os.PathLike[str],
    recipe: Recipe,
    *,
    run_dir: str | os.PathLike[str],
    precision: Precision = "float32",
    name: str = "",
    resume: bool = False,
    show: bool = False,
) -> Compressed:
    """Train a network of another shape on what a teacher says, and write its file.

    Parameters
    ----------
    teacher
        The model file of the teacher.
    dataset, output, run_dir, precision, name, resume, show
        As for `prune`.
    recipe
        The student, its budget, and the teacher's part of the loss.

    Raises
    ------
    ConfigError
        If nothing is learned from the teacher, or the data or a setting cannot be used.
    """
    if recipe.teacher == 0:
        raise ConfigError("teacher is 0, so nothing is learned from the teacher; set it above 0")
    network = _checked(teacher, recipe)
    run = train(
        recipe,
        dataset,
        run_dir=run_dir,
        resume=resume,
        show=show,
        teacher=network,
        origin=file_fingerprint(teacher),
        inputs=[teacher],
    )
    details = {"teacher": Path(teacher).name, "teacher_part": f"{recipe.teacher:g}"}
    export_run(run_dir, dataset, output, precision=precision, name=name, details=details)
    steps = (_measured("teacher", teacher, dataset, recipe), _measured("student", output, dataset, recipe))
    return Compressed(steps, run)


def quantise(
    model: str | os.PathLike[str],
    dataset: Dataset,
    output: str | os.PathLike[str],
    recipe: Recipe,
    *,
    run_dir: str | os.PathLike[str],
    tune: bool = True,
    name: str = "",
    resume: bool = False,
    show: bool = False,
) -> Compressed:
    """Train a network on in the arithmetic of int8, and write it as such.

    Parameters
    ----------
    model, dataset, output, run_dir, name, resume, show
        As for `prune`.
    recipe
        Budget and settings; its model is not used.
    tune
        Whether to train; otherwise the weights are rounded as they are.

    Raises
    ------
    ConfigError
        If the data or a setting cannot be used.
    """
    network = _checked(model, recipe)
    recipe = recipe.with_shape(network.config).model_copy(update={"quantise": True})
    steps = [_measured("before", model, dataset, recipe)]
    steps.append(_tried("rounded", network, dataset, recipe, precision="int8"))
    if not tune:
        details = dict(task_of(recipe.network).task(dataset, recipe).details(_engine(model)))
        export_network(network, output, precision="int8", name=name, details=details)
        return Compressed((*steps, _measured("written", output, dataset, recipe)), None)
    run = train(
        recipe,
        dataset,
        run_dir=run_dir,
        resume=resume,
        show=show,
        start=network.state_dict(),
        teacher=network if recipe.teacher else None,
        origin=file_fingerprint(model),
        inputs=[model],
    )
    export_run(run_dir, dataset, output, precision="int8", name=name)
    return Compressed((*steps, _measured("tuned", output, dataset, recipe)), run)


def _checked(model: str | os.PathLike[str], recipe: Recipe) -> Network:
    network = read_network(model)
    if network.config.name != recipe.network:
        raise ConfigError(f"'{model}' holds {network.config.name}, but the recipe is for {recipe.network}")
    return network


def _engine(model: str | os.PathLike[str]) -> Any:
    from neurdsp.music.evaluate import engine_runner
    from neurdsp.music.network import MusicNetwork

    return engine_runner(MusicNetwork(model))


def _measured(name: str, path: str | os.PathLike[str], dataset: Dataset, recipe: Recipe) -> Measured:
    found = evaluate(path, dataset, recipe=recipe, baselines=False)
    return Measured(
        name, found.precision, found.parameters, found.size_bytes, found.weight_bytes, found.metrics
    )


def _tried(
    name: str, network: Network, dataset: Dataset, recipe: Recipe, *, precision: Precision = "float32"
) -> Measured:
    """Measure a network by a file that is not kept."""
    with TemporaryDirectory() as folder:
        trial = Path(folder) / "trial.safetensors"
        export_network(network, trial, precision=precision)
        return _measured(name, trial, dataset, recipe)
