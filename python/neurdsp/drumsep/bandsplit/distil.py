"""Training a small network on the stems of another separator, from a bank to a model file."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from neurdsp.drumsep.bandsplit.recipe import Recipe
from neurdsp.drumsep.bandsplit.teacher import Recordings, Teacher
from neurdsp.drumsep.bandsplit.train import TrainResult, export_run, train
from neurdsp.drumsep.data.bank import open_bank
from neurdsp.drumsep.infer import DrumSeparator
from neurdsp.drumsep.judge.rendered import rendered_sdr_db
from neurdsp.drumsep.options import Tier
from neurdsp.errors import ConfigError
from neurdsp.modelfile.files import DType

__all__ = ["DistilResult", "distil"]


@dataclass(frozen=True)
class DistilResult:
    """What `distil` did.

    Parameters
    ----------
    run
        The training.
    sdr_db
        Of each stem on mixtures of the bank's test kits, by the student's file in the engine.
    """

    run: TrainResult
    sdr_db: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {**self.run.to_json(), "test_sdr_db": dict(self.sdr_db)}


def distil(
    teacher: str | os.PathLike[str],
    bank_path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    recipe: Recipe,
    *,
    run_dir: str | os.PathLike[str],
    recordings: str | os.PathLike[str] | None = None,
    tier: Tier | None = None,
    dtype: DType = "F16",
    name: str = "",
    resume: bool = False,
    show: bool = False,
    config_path: str | os.PathLike[str] | None = None,
) -> DistilResult:
    """Train a student on the stems of a teacher, and write its model file.

    Parameters
    ----------
    teacher
        A model file of any separator, or the name of a shipped one. It runs in the engine on each batch.
    bank_path
        The bank that mixtures are rendered from, and whose held-out kits judge the student.
    output
        The model file to write.
    recipe
        The student and how it is trained. ``loss.teacher`` is the teacher's part of the targets,
        ``data.unlabelled`` the part of the steps that hear ``recordings``.
    run_dir
        Folder of the run.
    recordings
        A folder of recordings without true stems.
    tier
        Of a teacher that sees chunks; ``fast`` by default.
    dtype, name
        As for `neurdsp.drumsep.bandsplit.train.export_run`.
    resume, show, config_path
        As for `neurdsp.drumsep.bandsplit.train.train`.

    Returns
    -------
    DistilResult

    Raises
    ------
    ConfigError, ParameterError
        If the teacher lacks a stem, nothing is learned from it, or the bank or a setting cannot be used.
    ModelFileError
        If there is no such teacher.
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> recipe = load_recipe("draft", overrides=["model.width=32", "loss.teacher=0.5"])  # doctest: +SKIP
    >>> distil("draft", "bank.safetensors", "small.safetensors", recipe, run_dir="runs/small")
    ... # doctest: +SKIP
    """
    unlabelled = recipe.data.unlabelled
    if (recordings is None) != (unlabelled == 0):
        raise ConfigError(
            f"data.unlabelled is {unlabelled:g}, {'without' if recordings is None else 'with'} recordings "
            "without stems; give both of them, or none"
        )
    if recipe.loss.teacher == 0 and not unlabelled:
        raise ConfigError("loss.teacher is 0, so nothing is learned from the teacher; set it above 0")
    separator, rate = DrumSeparator.load(teacher), recipe.model.sample_rate
    result = train(
        recipe,
        bank_path,
        run_dir=run_dir,
        resume=resume,
        show=show,
        config_path=config_path,
        teacher=Teacher(separator, recipe.model.stems, sample_rate=rate, tier=tier),
        recordings=None if recordings is None else Recordings(recordings, sample_rate=rate),
    )
    details = {"teacher": separator.path.name, "teacher_part": f"{recipe.loss.teacher:g}"}
    export_run(run_dir, output, dtype=dtype, name=name, details=details)
    data = recipe.data
    ratios = rendered_sdr_db(
        output,
        open_bank(bank_path),
        n_clips=data.validation_clips,
        seconds=data.validation_seconds,
        config=data.render,
    )
    return DistilResult(result, ratios)
