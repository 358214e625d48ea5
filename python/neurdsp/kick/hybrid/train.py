"""Training the `fast` preset: data, basis, teacher, student and probe, in one run folder."""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neurdsp.config import build, load_yaml, save_yaml
from neurdsp.errors import ConfigError, ParameterError
from neurdsp.kick.attributes import QUANTITIES, labels, thresholds
from neurdsp.kick.code import KickCode
from neurdsp.kick.hybrid.basis import Basis
from neurdsp.kick.hybrid.config import QUANTITY_NAMES, SLIDERS, FastRecipe
from neurdsp.kick.hybrid.data import PIECE, Kicks, levelled, load_kicks, prepare
from neurdsp.kick.hybrid.network import LatentGenerator, Probe
from neurdsp.kick.hybrid.stages import (
    Conditions,
    ProbeTask,
    StudentTask,
    TeacherTask,
    guided_pairs,
    student_latents,
)
from neurdsp.training import Reporter, Trainer, TrainingConfig
from neurdsp.training.checkpoint import best_of, load_checkpoint, save_checkpoint
from neurdsp.training.ranks import refuse_ranks
from neurdsp.training.run_folder import save_json
from neurdsp.training.task import PhasedTask, Task

__all__ = ["STAGES", "FastRun", "train"]

STAGES = ("data", "basis", "teacher", "student", "probe")
"""The stages, in their order."""
_LENIENT = 1.4
"""By how much larger the share of a word is made before a kick counts as clearly not deserving it."""


@dataclass(frozen=True)
class FastRun:
    """What a run has made: the networks, and what they were trained on.

    Parameters
    ----------
    recipe
        Of the run.
    basis
        Between latents and codes.
    student, probe
        In evaluation mode.
    mean, spread
        Of the measured quantities, ``(quantities,)``.
    at
        The threshold of each word, in the units of its quantity.
    figures
        Score and steps of each stage.
    """

    recipe: FastRecipe
    basis: Basis
    student: LatentGenerator
    probe: Probe
    mean: np.ndarray
    spread: np.ndarray
    at: np.ndarray
    figures: dict[str, Any]

    @classmethod
    def load(cls, folder: Path) -> "FastRun":
        """Read a run that has passed all stages.

        Raises
        ------
        ConfigError
            If a stage is missing.
        """
        run = _Run(folder, build(FastRecipe, load_yaml(folder / "config.yaml"), source=str(folder)))
        basis, latents = run.basis()
        student, probe = LatentGenerator(run.recipe.shape), Probe(run.recipe.shape, len(QUANTITIES))
        figures = {"student": run.restore("student", student), "probe": run.restore("probe", probe)}
        numbers = {name: latents[name].numpy() for name in ("mean", "spread", "at")}
        return cls(run.recipe, basis, student.eval(), probe.eval(), **numbers, figures=figures)


def train(
    recipe: FastRecipe,
    run_dir: str | os.PathLike[str],
    *,
    samples: Path | None = None,
    stages: Sequence[str] = STAGES,
    resume: bool = False,
    overwrite: bool = False,
    workers: int = 1,
    show: bool = False,
    progress: Callable[[str, int, int], None] = lambda _name, _done, _total: None,
) -> dict[str, Any]:
    """Train the `fast` preset.

    Parameters
    ----------
    recipe
        Data, networks and budgets.
    run_dir
        Folder for everything; made if it is missing.
    samples
        A folder of recordings that may be learnt from.
    stages
        Which of `STAGES` to run.
    resume
        Go on where an earlier run in the folder stopped; stages that are finished are left out.
    overwrite
        Remove an earlier run in the folder.
    workers
        Processes that prepare data.
    show
        Whether to show progress on standard error.
    progress
        Called while data are prepared.

    Returns
    -------
    dict
        Score and steps of each stage; it ends with a stage that was interrupted.

    Raises
    ------
    ConfigError, ParameterError
        For an unusable folder or setting.
    """
    refuse_ranks("kick train fast")
    unknown = [stage for stage in stages if stage not in STAGES]
    if unknown:
        raise ParameterError(f"there is no stage {unknown[0]!r}; choose from {', '.join(STAGES)}")
    folder = Path(run_dir)
    settings = folder / "config.yaml"
    if overwrite and resume:
        raise ParameterError("resume and overwrite are both given; give one of them")
    if overwrite and settings.exists():
        for name in (*STAGES, "latents.pt", "pairs.pt", "probed.pt", "config.yaml", "result.json"):
            path = folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    if settings.exists():
        before = build(FastRecipe, load_yaml(settings), source=str(settings))
        if not resume:
            raise ConfigError(
                f"{folder}: holds a run already; pass resume (--resume), or give another folder"
            )
        if before.data != recipe.data or before.shape != recipe.shape:
            raise ConfigError(
                f"{folder}: the run began with other data or networks; set them back, or give another folder"
            )
    folder.mkdir(parents=True, exist_ok=True)
    save_yaml(recipe, settings)
    run = _Run(folder, recipe, show=show, resume=resume)
    figures: dict[str, Any] = {}
    if "data" in stages:
        prepare(
            run.data,
            samples=samples,
            n_synthesised=recipe.data.synthesised,
            n_recombined=recipe.data.recombined if samples is not None else 0,
            seed=recipe.data.seed,
            workers=workers,
            progress=progress,
        )
    for stage in STAGES[1:]:
        if stage in stages:
            figures[stage] = getattr(run, f"train_{stage}")()
            if figures[stage].get("stopped") == "interrupted":
                break
    save_json(folder / "result.json", figures)
    return figures


class _Run:
    """The folder of a run, and its stages."""

    def __init__(self, folder: Path, recipe: FastRecipe, *, show: bool = False, resume: bool = False) -> None:
        self.folder, self.recipe, self.show, self.resume = folder, recipe, show, resume
        self.data = folder / "data"

    def fit(
        self, stage: str, net: nn.Module, task: Task | PhasedTask, training: TrainingConfig
    ) -> dict[str, Any]:
        own = self.folder / stage
        own.mkdir(exist_ok=True)
        begun = (own / "checkpoint.pt").exists()
        torch.manual_seed(training.seed)
        with torch.random.fork_rng([]):
            reporter = Reporter(own / "metrics.jsonl", show=self.show, score_name=f"{stage} loss")
            trainer = Trainer(net, task, training, run_dir=own, reporter=reporter)
            summary = trainer.run(resume=self.resume and begun)
        seconds = round(summary.seconds, 1)
        return {
            "steps": summary.steps,
            "seconds": seconds,
            "stopped": summary.stopped,
            **summary.best_metrics,
        }

    def restore(self, stage: str, net: nn.Module) -> dict[str, Any]:
        path = self.folder / stage / "checkpoint.pt"
        if not path.exists():
            raise ConfigError(
                f"{self.folder}: the stage {stage!r} has not been run; run 'neurdsp kick train fast' first"
            )
        state = load_checkpoint(path)
        weights, metrics = best_of(state)
        net.load_state_dict(weights)
        return {"steps": int(state["step"]), "seconds": round(float(state["seconds"]), 1), **metrics}

    def kicks(self) -> tuple[Kicks, Tensor]:
        """Return the training set, and how often each kick is drawn."""
        kicks, data = load_kicks(self.data), self.recipe.data
        chances = np.zeros(len(kicks.measured))
        shares = {"recording": data.recording_share, "recombined": data.recombined_share}
        shares["synthesis"] = 1 - sum(share for name, share in shares.items() if (kicks.source == name).any())
        for name, share in shares.items():
            chosen = kicks.source == name
            chances[chosen] = max(share, 0.0) / max(chosen.sum(), 1)
        return kicks, torch.from_numpy(chances / chances.sum())

    def train_basis(self) -> dict[str, Any]:
        kicks, chances = self.kicks()
        basis = Basis.of(kicks.code, chances.numpy(), self.recipe.shape.decoder)
        latent = torch.from_numpy(basis.encode(kicks.code.packed())).float()
        # Words are judged by the mixture that is learnt, so a draw of it sets their thresholds.
        drawn = torch.multinomial(chances, 6000, True, generator=torch.Generator().manual_seed(1)).numpy()
        mixture = kicks.measured[drawn]
        at, strict = thresholds(mixture), thresholds(mixture, strictness=self.recipe.data.strictness)
        words = labels(kicks.measured, strict).astype(np.float32)
        words -= ~labels(kicks.measured, thresholds(mixture, strictness=_LENIENT))
        mean, spread = mixture.mean(0), mixture.std(0) + 1e-6
        arrays = {
            "words": words,
            "measured": (kicks.measured - mean) / spread,
            "mean": mean,
            "spread": spread,
            "at": at,
        }
        arrays["recorded"] = np.where(kicks.source == "synthesis", -1.0, 1.0)
        state = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()}
        state |= {"latent": latent, "chances": chances, "centre": torch.from_numpy(basis.mean)}
        for p, (encoder, decoder) in enumerate(zip(basis.encoders, basis.decoders, strict=True)):
            state |= {
                f"encoder.{p}": torch.from_numpy(encoder.copy()),
                f"decoder.{p}": torch.from_numpy(decoder.copy()),
            }
        state["explained"] = torch.tensor(basis.explained, dtype=torch.float64)
        save_checkpoint(self.folder / "latents.pt", state)
        return {"explained": list(basis.explained)}

    def basis(self) -> tuple[Basis, dict[str, Tensor]]:
        held = self.latents()
        parts = range(len(self.recipe.shape.decoder))
        encoders = tuple(held[f"encoder.{p}"].numpy() for p in parts)
        decoders = tuple(held[f"decoder.{p}"].numpy() for p in parts)
        explained = tuple(float(share) for share in held["explained"])
        return Basis(held["centre"].numpy(), encoders, decoders, explained), held

    def latents(self) -> dict[str, Tensor]:
        path = self.folder / "latents.pt"
        if not path.exists():
            raise ConfigError(f"{self.folder}: the stage 'basis' has not been finished; run it first")
        return load_checkpoint(path)

    def conditions(self) -> Conditions:
        held = self.latents()
        columns = [QUANTITY_NAMES.index(name) for name in SLIDERS]
        return Conditions(
            held["latent"],
            held["words"].float(),
            held["measured"][:, columns].float(),
            held["recorded"].float(),
            held["chances"],
        )

    def train_teacher(self) -> dict[str, Any]:
        torch.manual_seed(self.recipe.teacher.seed)
        net = LatentGenerator(self.recipe.shape)
        return self.fit("teacher", net, TeacherTask(self.conditions(), self.recipe), self.recipe.teacher)

    def train_student(self) -> dict[str, Any]:
        net = LatentGenerator(self.recipe.shape)
        self.restore("teacher", net)
        path = self.folder / "pairs.pt"
        if path.exists() and self.resume:
            stored = load_checkpoint(path)
            pairs = (stored["noise"], stored["condition"], stored["guidance"], stored["latent"])
        else:
            pairs = guided_pairs(net.eval(), self.conditions(), self.recipe)
            save_checkpoint(path, dict(zip(("noise", "condition", "guidance", "latent"), pairs, strict=True)))
        return self.fit("student", net, StudentTask(pairs, self.recipe), self.recipe.student)

    def train_probe(self) -> dict[str, Any]:
        held = self.latents()
        made, measured = self.student_kicks()
        latent = torch.cat([held["latent"].float(), made])
        values = torch.cat([held["measured"].float(), measured])
        # Half of a batch is what the student makes: that is what the probe will choose from.
        share = torch.full((len(made),), 1 / len(made), dtype=held["chances"].dtype)
        chances = torch.cat([held["chances"], share]) / 2
        torch.manual_seed(self.recipe.probe.seed)
        net = Probe(self.recipe.shape, len(QUANTITIES))
        return self.fit("probe", net, ProbeTask(latent, values, chances, self.recipe), self.recipe.probe)

    def student_kicks(self) -> tuple[Tensor, Tensor]:
        """Return latents of the student, and what their renders measure, standardised."""
        path = self.folder / "probed.pt"
        if path.exists() and self.resume:
            stored = load_checkpoint(path)
            return stored["latent"], stored["measured"]
        student = LatentGenerator(self.recipe.shape)
        self.restore("student", student)
        latent = student_latents(student.eval(), self.conditions(), self.recipe)
        basis, held = self.basis()
        found = []
        for start in range(0, len(latent), PIECE):
            packed = basis.decode(latent[start : start + PIECE].numpy())
            found.append(levelled(KickCode.from_packed(packed.astype(np.float32)), start)[1])
        values = torch.from_numpy(np.concatenate(found))
        measured = ((values - held["mean"]) / held["spread"]).float()
        save_checkpoint(path, {"latent": latent, "measured": measured})
        return latent, measured
