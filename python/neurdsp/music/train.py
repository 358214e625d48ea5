"""Training a music network: from prepared data to a checkpoint whose best weights can be exported."""

import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from neurdsp.config import build, load_yaml
from neurdsp.errors import ConfigError
from neurdsp.modelfile.files import VerifyResult
from neurdsp.music.dataset import Dataset
from neurdsp.music.export import Precision, export_network
from neurdsp.music.model import Network, network_of, quantised
from neurdsp.music.recipe import Recipe
from neurdsp.music.task import MusicTask, Runner
from neurdsp.music.tasks import task_of
from neurdsp.training import Trainer, TrainingSummary
from neurdsp.training.checkpoint import best_of, load_checkpoint
from neurdsp.training.precision import autocast
from neurdsp.training.ranks import refuse_ranks
from neurdsp.training.report import reporter_of
from neurdsp.training.run_folder import begin_run, check_resumable, save_json

__all__ = ["TrainResult", "export_run", "load_trained", "runner", "train"]


@dataclass(frozen=True)
class TrainResult:
    """Result of a run.

    Parameters
    ----------
    run_dir
        Its folder.
    network
        Its name.
    n_parameters
        Trained values.
    metrics
        Figures of the best network on the validation split.
    summary
        Steps, time and best score.
    """

    run_dir: Path
    network: str
    n_parameters: int
    metrics: Mapping[str, float]
    summary: TrainingSummary

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {**asdict(self), "run_dir": str(self.run_dir)}


class _Training:
    """What the trainer asks for: a music task with its teacher, in the arithmetic of the recipe."""

    def __init__(
        self, task: MusicTask, recipe: Recipe, teacher: Network | None, device: torch.device
    ) -> None:
        self._task, self._recipe, self._teacher, self._device = task, recipe, teacher, device
        self.samples_per_step = task.samples_per_step

    def loss(self, model: nn.Module, step: int) -> Tensor:
        """Return the loss of a batch."""
        assert isinstance(model, Network)
        batch = tuple(part.to(self._device) for part in self._task.batch(step))
        with autocast(self._recipe.training.precision, self._device), self._arithmetic(model):
            predicted = self._task.predict(model, batch).float()
        loss = self._task.loss(predicted, batch)
        if self._teacher is None:
            return loss
        with torch.no_grad():
            told = self._task.predict(self._teacher, batch)
        part = self._recipe.teacher
        return (1 - part) * loss + part * self._task.imitation(predicted, told, batch)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Measure the network on the validation split."""
        assert isinstance(model, Network)
        with self._arithmetic(model):
            return self._task.metrics(runner(model), "validation")

    def improved(self, model: nn.Module, metrics: Mapping[str, float]) -> None:
        """Do nothing: the checkpoint has the best weights."""

    def _arithmetic(self, model: Network) -> Any:
        return quantised(model) if self._recipe.quantise else nullcontext()


def runner(network: Network) -> Runner:
    """Return a function that runs a network in torch as the engine does, from arrays to arrays.

    Parameters
    ----------
    network
        In evaluation or training mode; it is left as it is.
    """
    device = next(network.parameters()).device

    def run(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            outputs = network.steps(torch.from_numpy(np.ascontiguousarray(inputs)).to(device))
        found: NDArray[np.float32] = outputs.cpu().numpy()
        return found

    return run


def train(
    recipe: Recipe,
    dataset: Dataset,
    *,
    run_dir: str | os.PathLike[str],
    resume: bool = False,
    show: bool = False,
    overwrite: bool = False,
    start: Mapping[str, Tensor] | None = None,
    teacher: Network | None = None,
    origin: str = "",
    inputs: Sequence[str | os.PathLike[str]] = (),
) -> TrainResult:
    """Train a network on prepared data.

    Parameters
    ----------
    recipe
        Network, settings and budget.
    dataset
        What `neurdsp.music.tasks.TaskEntry.prepare` made.
    run_dir
        Folder for the configuration, the log and the checkpoint; made if it is missing.
    resume
        Continue from the checkpoint in ``run_dir``; only the budget may have changed.
    show
        Whether to show progress on standard error.
    overwrite
        Whether an earlier run in ``run_dir`` is removed rather than moved to ``run_dir/earlier``.
    start
        Weights to begin with, instead of random ones.
    teacher
        A network to learn from, in the part ``recipe.teacher``.
    origin
        A fingerprint of where ``start`` and ``teacher`` came from; a run is resumed with the same only.
    inputs
        Files that the caller reads; the run writes over none of them.

    Returns
    -------
    TrainResult

    Raises
    ------
    ConfigError
        For unusable data or settings, before anything is written.
    OSError
        If a file cannot be written, or is an input.

    Examples
    --------
    >>> data = open_dataset("groove.safetensors", task="groove")  # doctest: +SKIP
    >>> train(load_recipe("groove"), data, run_dir="runs/groove").metrics["timing_ms"]  # doctest: +SKIP
    15.3
    """
    refuse_ranks("music train")
    folder, training = Path(run_dir), recipe.training
    if (recipe.teacher > 0) != (teacher is not None):
        raise ConfigError(
            f"teacher is {recipe.teacher:g}; above 0 it needs a teacher network, see music distil"
        )
    facts = {
        "fingerprint": "+".join(filter(None, [dataset.fingerprint, origin])),
        "task": dataset.task,
        **dict(dataset.facts),
    }
    if resume:
        check_resumable(folder, recipe, facts, load=_load)
    device = _device(recipe)
    torch.manual_seed(training.seed)
    network = network_of(recipe.shape)
    if start is not None:
        network.load_state_dict(dict(start))
    network.to(device)
    task = task_of(recipe.network).task(dataset, recipe)
    begin_run(folder, recipe, facts, fresh=not resume, overwrite=overwrite, inputs=inputs)
    reporter = reporter_of(folder, training, show=show, score_name="score")
    lesson = _Training(task, recipe, None if teacher is None else teacher.to(device).eval(), device)
    summary = Trainer(network, lesson, training, run_dir=folder, reporter=reporter).run(resume=resume)
    shape = recipe.shape
    result = TrainResult(folder, recipe.network, shape.n_parameters, dict(summary.best_metrics), summary)
    save_json(folder / "result.json", result.to_json())
    return result


def load_trained(run_dir: str | os.PathLike[str]) -> tuple[Network, Recipe, dict[str, Any]]:
    """Return the best network of a run, which may still be going on.

    Parameters
    ----------
    run_dir
        Folder of the run.

    Returns
    -------
    network : Network
        On the CPU, in evaluation mode.
    recipe : Recipe
        Of the run.
    facts : dict
        ``steps``, ``seconds`` and the figures of the best validation.

    Raises
    ------
    ConfigError
        If there is no such run.
    """
    folder = Path(run_dir)
    recipe = _load(folder / "config.yaml")
    state = load_checkpoint(folder / "checkpoint.pt")
    network = network_of(recipe.shape)
    try:
        weights, metrics = best_of(state)
        network.load_state_dict(weights)
        facts = {"steps": int(state["step"]), "seconds": float(state["seconds"]), **metrics}
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise ConfigError(f"{folder}: the checkpoint fits no such network ({str(error)[:80]})") from None
    return network.eval(), recipe, facts


def export_run(
    run_dir: str | os.PathLike[str],
    dataset: Dataset,
    path: str | os.PathLike[str],
    *,
    precision: Precision = "float32",
    name: str = "",
    details: Mapping[str, str] | None = None,
) -> VerifyResult:
    """Write the best network of a run to a model file, with its figures, and verify it in the engine.

    Parameters
    ----------
    run_dir
        Folder of the run.
    dataset
        The data that it was trained on: the file also holds what the task measures there.
    path
        The file to write.
    precision
        ``float32`` or ``int8``.
    name
        Of the network, for its metadata.
    details
        Further metadata.

    Raises
    ------
    ConfigError
        If there is no such run, or the data are those of another task.
    ModelFileError
        If the engine misses the test vectors.
    OSError
        If the file cannot be written.
    """
    network, recipe, facts = load_trained(run_dir)
    if dataset.task != recipe.network:
        raise ConfigError(f"the run trained {recipe.network}, but the data are for {dataset.task}")
    task = task_of(recipe.network).task(dataset, recipe)
    with quantised(network) if precision == "int8" else nullcontext():
        run = runner(network)
        metrics = {f"test_{key}": value for key, value in task.metrics(run, "test").items()}
        further = dict(task.details(run))
    return export_network(
        network,
        path,
        precision=precision,
        metrics={**{key: round(value, 6) for key, value in metrics.items()}, "steps": facts["steps"]},
        name=name or recipe.network,
        details={**further, **(details or {})},
    )


def _load(path: Path) -> Recipe:
    return build(Recipe, load_yaml(path), source=str(path))


def _device(recipe: Recipe) -> torch.device:
    chosen = recipe.training.device
    if chosen == "cuda" and not torch.cuda.is_available():
        raise ConfigError("training.device is cuda, but there is no CUDA device; set it to cpu or auto")
    return torch.device("cuda" if chosen != "cpu" and torch.cuda.is_available() else "cpu")
