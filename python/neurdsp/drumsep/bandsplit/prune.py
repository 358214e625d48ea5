"""Pruning a model file: its network with fewer units, trained on, and what each step costs and gives."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from neurdsp.drumsep.bandsplit.config import BandSplitConfig
from neurdsp.drumsep.bandsplit.export import write_band_split
from neurdsp.drumsep.bandsplit.pruning import measure_importance, pruned, pruned_config
from neurdsp.drumsep.bandsplit.recipe import Recipe
from neurdsp.drumsep.bandsplit.start import read_band_split
from neurdsp.drumsep.bandsplit.task import SeparationTask
from neurdsp.drumsep.bandsplit.train import export_run, train
from neurdsp.drumsep.data.bank import Bank, open_bank
from neurdsp.drumsep.judge.rendered import rendered_sdr_db
from neurdsp.drumsep.lookup import find_network
from neurdsp.errors import ConfigError
from neurdsp.modelfile.files import DType
from neurdsp.training import TrainingSummary
from neurdsp.training.run_folder import file_fingerprint

__all__ = ["Measured", "PruneResult", "prune"]

N_BATCHES = 24
"""Batches that importance is measured on."""


@dataclass(frozen=True)
class Measured:
    """A network and what it gives.

    Parameters
    ----------
    n_parameters
        Trained values.
    macs_per_second
        Multiplications for a second of one channel, without the transforms.
    sdr_db
        Of each stem on mixtures of the bank's test kits, by the file in the engine.
    """

    n_parameters: int
    macs_per_second: float
    sdr_db: Mapping[str, float]

    @property
    def mean_sdr_db(self) -> float:
        """The mean over the stems."""
        return float(np.mean(list(self.sdr_db.values()))) if self.sdr_db else float("nan")

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        return {**vars(self), "sdr_db": dict(self.sdr_db), "mean_sdr_db": self.mean_sdr_db}


@dataclass(frozen=True)
class PruneResult:
    """What `prune` did.

    Parameters
    ----------
    before, pruned, tuned
        Figures of the network as it was, with fewer units, and after training; None without training.
    summary
        Of the training.
    """

    before: Measured
    pruned: Measured
    tuned: Measured | None
    summary: TrainingSummary | None

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {
            "before": self.before.to_json(),
            "pruned": self.pruned.to_json(),
            "tuned": self.tuned.to_json() if self.tuned else None,
            "steps": self.summary.steps if self.summary else 0,
            "seconds": self.summary.seconds if self.summary else 0.0,
        }


def prune(
    model: str | os.PathLike[str],
    bank_path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    recipe: Recipe,
    *,
    keep: float = 0.5,
    tune: bool = True,
    run_dir: str | os.PathLike[str],
    dtype: DType = "F16",
    name: str = "",
    n_batches: int = N_BATCHES,
    resume: bool = False,
    show: bool = False,
    config_path: str | os.PathLike[str] | None = None,
) -> PruneResult:
    """Take the least important units out of a network, and train what is left.

    Parameters
    ----------
    model
        A band-split model file, or the name of a shipped one.
    bank_path
        The bank to measure importance, to train and to judge with.
    output
        The model file to write.
    recipe
        Mixtures, loss and budget; its model is not used.
    keep
        Part of the units that stay, above 0 and at most 1. With 1 and without training the weights are the
        same bit for bit.
    tune
        Whether to train what is left.
    run_dir
        Folder of the training.
    dtype, name
        As for `neurdsp.drumsep.bandsplit.train.export_run`.
    n_batches
        Batches to measure importance on.
    resume, show, config_path
        As for `neurdsp.drumsep.bandsplit.train.train`.

    Returns
    -------
    PruneResult

    Raises
    ------
    ParameterError, ConfigError
        If ``keep`` is out of range, or the bank or a setting cannot be used.
    UnsupportedModelError
        If the model is no band-split network.
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> prune("draft", "bank.safetensors", "half.safetensors", load_recipe("draft"), run_dir="runs/half")
    ... # doctest: +SKIP
    """
    source = find_network(model)
    network, bank = read_band_split(source), open_bank(bank_path)
    config = pruned_config(network.config, keep)
    if recipe.loss.teacher or recipe.data.unlabelled:
        raise ConfigError("loss.teacher and data.unlabelled need a teacher; set both to 0, or run distil")
    recipe = recipe.model_copy(update={"model": config})
    before = _measured(source, network.config, bank, recipe)
    # The batches behind the last step that training could take.
    task = SeparationTask(bank, recipe, device=torch.device("cpu"))
    importance = measure_importance(network, task, range(1 << 30, (1 << 30) + n_batches))
    smaller = pruned(network, importance, keep)
    arrays = {key: tensor.detach().numpy() for key, tensor in smaller.state_dict().items()}
    with TemporaryDirectory() as folder:
        trial = Path(folder) / "pruned.safetensors"
        write_band_split(arrays, config, trial, dtype=dtype)
        cut = _measured(trial, config, bank, recipe)
    details = {"pruned_from": source.name, "pruned_keep": f"{keep:g}"}
    if not tune:
        write_band_split(arrays, config, output, dtype=dtype, name=name, details=details)
        return PruneResult(before, cut, None, None)
    result = train(
        recipe,
        bank_path,
        run_dir=run_dir,
        resume=resume,
        show=show,
        config_path=config_path,
        start=smaller.state_dict(),
        source=f"{file_fingerprint(source)}-{keep:g}-{n_batches}",
        sources=[source],
    )
    export_run(run_dir, output, dtype=dtype, name=name, details=details)
    return PruneResult(before, cut, _measured(Path(output), config, bank, recipe), result.summary)


def _measured(path: Path, config: BandSplitConfig, bank: Bank, recipe: Recipe) -> Measured:
    data = recipe.data
    ratios = rendered_sdr_db(
        path, bank, n_clips=data.validation_clips, seconds=data.validation_seconds, config=data.render
    )
    return Measured(config.n_parameters, config.macs_per_second, ratios)
