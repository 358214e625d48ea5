"""The stages of the preset ``seed``: VAE, latents, diffusion, vocoder; each by itself, or all in turn."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from neurdsp.config import Config, build, load_yaml
from neurdsp.errors import ConfigError
from neurdsp.kick.data.shards import Prepared, open_prepared
from neurdsp.kick.mel.config import MelDiffusionConfig
from neurdsp.kick.mel.latents import LATENTS, StoredLatents, load_latents, save_latents
from neurdsp.kick.mel.networks.discriminators import Discriminators
from neurdsp.kick.mel.networks.unet import Denoiser
from neurdsp.kick.mel.networks.vae import MelVae
from neurdsp.kick.mel.networks.vocoder import HifiGan
from neurdsp.kick.mel.recipe import DiffusionStage, Recipe, VaeStage, VocoderStage
from neurdsp.kick.mel.tasks.diffusion import DiffusionTask, Latents
from neurdsp.kick.mel.tasks.sounds import Listener
from neurdsp.kick.mel.tasks.vae import VaeTask
from neurdsp.kick.mel.tasks.vocoder import VocoderGan, VocoderTask
from neurdsp.kick.mel.vocabulary import build_vocabulary, numbers_of, words_of_kicks
from neurdsp.training import PhasedTask, Reporter, Trainer, TrainingConfig, TrainingSummary
from neurdsp.training.checkpoint import best_of, load_checkpoint
from neurdsp.training.device import device_of
from neurdsp.training.ranks import refuse_ranks
from neurdsp.training.report import reporter_of
from neurdsp.training.run_folder import begin_run, check_resumable, save_json

__all__ = [
    "STAGES",
    "Stage",
    "StageResult",
    "StageRun",
    "encode",
    "load_stage",
    "train_all",
    "train_diffusion",
    "train_vae",
    "train_vocoder",
    "weights_hash",
]

Stage = Literal["vae", "diffusion", "vocoder"]
STAGES: tuple[Stage, ...] = ("vae", "diffusion", "vocoder")
"""The stages that train, in their order. Latents are encoded after the first."""

_ENCODED_AT_ONCE = 64

StageConfig = TypeVar("StageConfig", VaeStage, DiffusionStage, VocoderStage)


class StageRun(Config):
    """The resolved configuration of one stage, in the folder of its run.

    Parameters
    ----------
    model
        The networks, with the vocabulary from the stage ``diffusion`` on.
    vae, diffusion, vocoder
        Settings of the stage.
    training
        Its budget and optimiser.
    """

    model: MelDiffusionConfig
    vae: VaeStage | None = None
    diffusion: DiffusionStage | None = None
    vocoder: VocoderStage | None = None
    training: TrainingConfig


@dataclass(frozen=True)
class StageResult:
    """The result of a stage.

    Attributes
    ----------
    stage
        ``vae``, ``diffusion`` or ``vocoder``.
    run_dir
        Its folder.
    metrics
        Figures of the best weights on held-out kits.
    summary
        Steps, time and best score; None for a stage that was done before.
    """

    stage: Stage
    run_dir: Path
    metrics: Mapping[str, float]
    summary: TrainingSummary | None

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {**asdict(self), "run_dir": str(self.run_dir)}


@dataclass(frozen=True)
class _Way:
    """How a stage runs: from its beginning or on, and what it must not write over."""

    resume: bool
    overwrite: bool
    inputs: Sequence[str | os.PathLike[str]]


def train_vae(
    recipe: Recipe,
    prepared: str | os.PathLike[str],
    *,
    run_dir: str | os.PathLike[str],
    resume: bool = False,
    overwrite: bool = False,
    show: bool = False,
    inputs: Sequence[str | os.PathLike[str]] = (),
) -> StageResult:
    """Train the VAE on prepared kicks.

    Parameters
    ----------
    recipe
        The preset.
    prepared
        Folder of `neurdsp.kick.data.prepare.prepare`.
    run_dir
        Folder of all stages; this one writes to ``vae`` in it.
    resume
        Continue from the checkpoint; only the budget may have changed.
    overwrite
        Whether an earlier run is removed rather than moved to ``earlier``.
    show
        Whether to show progress on standard error.
    inputs
        Further files that the caller reads, which are never written.

    Returns
    -------
    StageResult

    Raises
    ------
    ConfigError
        For unusable data or settings, before anything is written.
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> train_vae(load_recipe("seed"), "data/prepared", run_dir="runs/seed")  # doctest: +SKIP
    """
    data = _open(prepared, recipe)
    training = _resolved(recipe.vae.training, recipe.vae.epochs, len(data.of("train")))
    run = StageRun(model=recipe.model, vae=_settings(recipe.vae), training=training)
    model = _seeded(training, lambda: MelVae(recipe.model.vae, recipe.model.mel))
    folder, device = Path(run_dir) / "vae", device_of(training)
    reporter = reporter_of(folder, training, show=show, score_name="MSE + L1")
    task = VaeTask(data, recipe.vae, training, device=device, listener=Listener(reporter, data.mel))
    way = _Way(resume, overwrite, inputs)
    return _run("vae", model.to(device), task, run, folder, {"fingerprint": data.fingerprint}, reporter, way)


def encode(
    prepared: str | os.PathLike[str],
    *,
    run_dir: str | os.PathLike[str],
) -> StoredLatents:
    """Encode all prepared kicks with the trained VAE into ``latents.safetensors`` of the run.

    The means are taken, nothing is drawn. The file tells the mean and the standard deviation of each channel
    over the training split: the U-Net works on latents of unit variance.

    Raises
    ------
    ConfigError
        If there is no trained VAE, or it was trained on other kicks.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> encode("data/prepared", run_dir="runs/seed").values.shape  # doctest: +SKIP
    (13613, 4, 8, 11)
    """
    folder = Path(run_dir)
    run, weights = load_stage(folder, "vae")
    data = open_prepared(Path(prepared))
    _check_mel(data, run.model)
    vae = MelVae(run.model.vae, run.model.mel)
    vae.load_state_dict(dict(weights))
    values = _means(vae.to(device_of(run.training)).eval(), data)
    return save_latents(folder, values, data, vae=weights_hash(weights))


def train_diffusion(
    recipe: Recipe,
    prepared: str | os.PathLike[str],
    *,
    run_dir: str | os.PathLike[str],
    resume: bool = False,
    overwrite: bool = False,
    show: bool = False,
    inputs: Sequence[str | os.PathLike[str]] = (),
) -> StageResult:
    """Train the U-Net and the encoder of keywords on the latents that `encode` wrote.

    The parameters are those of `train_vae`; the stage writes to ``diffusion`` in the folder.

    Raises
    ------
    ConfigError
        If latents are missing, belong to other kicks, or no word has kicks enough to be a keyword.
    OSError
        If a file cannot be written.
    """
    data, folder = _open(prepared, recipe), Path(run_dir)
    latents = load_latents(folder, data)
    vae_run, vae_weights = load_stage(folder, "vae")
    words = words_of_kicks(data, recipe.vocabulary.source)
    own = [(item.kit, words[row]) for row, item in enumerate(data.items) if item.split == "train"]
    vocabulary = build_vocabulary(own, recipe.vocabulary)
    keywords = recipe.model.keywords.model_copy(update={"words": vocabulary})
    model_config = build(MelDiffusionConfig, {**recipe.model.model_dump(), "keywords": keywords.model_dump()})
    if vae_run.model.vae != recipe.model.vae:
        raise ConfigError(f"{folder / 'vae'}: the VAE has other channels than model.vae; set them back")
    if latents.vae != weights_hash(vae_weights):
        raise ConfigError(
            f"{folder / LATENTS}: encoded by the VAE of before; run 'neurdsp kick encode --overwrite'"
        )
    stage = recipe.diffusion
    training = _resolved(stage.training, stage.epochs, len(data.of("train")))
    run = StageRun(model=model_config, diffusion=_settings(stage), training=training)
    model, device = _seeded(training, lambda: Denoiser(model_config)), device_of(training)
    reporter = reporter_of(folder / "diffusion", training, show=show, score_name="MSE")
    vae = MelVae(recipe.model.vae, recipe.model.mel).eval()
    vae.load_state_dict(dict(vae_weights))
    vae.to(device)
    mean, std = (torch.from_numpy(array).to(device)[:, None, None] for array in (latents.mean, latents.std))

    def decode(unit: Tensor) -> Tensor:
        return vae.decode(unit * std + mean)[:, 0]

    def of(split: str) -> Latents:
        rows = latents.rows(split, data)
        return Latents(latents.unit[rows], [numbers_of(words[row], vocabulary) for row in rows])

    task = DiffusionTask(
        of("train"),
        of("validation"),
        model_config,
        stage,
        training,
        device=device,
        listener=Listener(reporter, data.mel),
        decode=decode,
    )
    facts = {"fingerprint": f"{data.fingerprint}+{latents.digest}", "words": list(vocabulary)}
    way = _Way(resume, overwrite, inputs)
    return _run("diffusion", model.to(device), task, run, folder / "diffusion", facts, reporter, way)


def train_vocoder(
    recipe: Recipe,
    prepared: str | os.PathLike[str],
    *,
    run_dir: str | os.PathLike[str],
    resume: bool = False,
    overwrite: bool = False,
    show: bool = False,
    inputs: Sequence[str | os.PathLike[str]] = (),
) -> StageResult:
    """Train the vocoder against its discriminators on prepared kicks.

    The parameters are those of `train_vae`; the stage writes to ``vocoder`` in the folder. It needs no other
    stage.

    Raises
    ------
    ConfigError
        For unusable data or settings, before anything is written.
    OSError
        If a file cannot be written.
    """
    data, folder, stage = _open(prepared, recipe), Path(run_dir) / "vocoder", recipe.vocoder
    training = _resolved(stage.training, stage.epochs, len(data.of("train")))
    run = StageRun(model=recipe.model, vocoder=_settings(stage), training=training)
    model = _seeded(
        training,
        lambda: VocoderGan(
            HifiGan(recipe.model.vocoder, recipe.model.mel.n_mels), Discriminators(stage.discriminators)
        ),
    )
    device = device_of(training)
    reporter = reporter_of(folder, training, show=show, score_name="log-mel distance")
    task = VocoderTask(data, stage, training, device=device, listener=Listener(reporter, data.mel))
    way = _Way(resume, overwrite, inputs)
    facts = {"fingerprint": data.fingerprint}
    return _run("vocoder", model.to(device), task, run, folder, facts, reporter, way)


def train_all(
    recipe: Recipe,
    prepared: str | os.PathLike[str],
    *,
    run_dir: str | os.PathLike[str],
    overwrite: bool = False,
    show: bool = False,
    inputs: Sequence[str | os.PathLike[str]] = (),
) -> list[StageResult]:
    """Run all stages in turn; called again, go on where the last call was stopped.

    Parameters
    ----------
    recipe, prepared, run_dir, show, inputs
        As for `train_vae`.
    overwrite
        Whether to begin anew and remove what is there.

    Returns
    -------
    list of StageResult
        Those that were run; it ends with a stage that was interrupted.

    Raises
    ------
    ConfigError
        As the stages, and if a finished stage had other settings or data.
    OSError
        If a file cannot be written.
    """
    folder, results = Path(run_dir), list[StageResult]()
    trainers = {"vae": train_vae, "diffusion": train_diffusion, "vocoder": train_vocoder}
    for stage in STAGES:
        checkpoint = folder / stage / "checkpoint.pt"
        resume = checkpoint.is_file() and not overwrite
        # A finished run that is resumed does no step, but checks its settings and data.
        result = trainers[stage](
            recipe, prepared, run_dir=folder, resume=resume, overwrite=overwrite, show=show, inputs=inputs
        )
        results.append(result)
        if result.summary is not None and result.summary.stopped == "interrupted":
            break
        if stage == "vae" and not _encoded(folder, prepared):
            encode(prepared, run_dir=folder)
    return results


def load_stage(run_dir: str | os.PathLike[str], stage: Stage) -> tuple[StageRun, Mapping[str, Tensor]]:
    """Return configuration and best weights of a stage.

    Raises
    ------
    ConfigError
        If the stage was not trained.
    """
    folder = Path(run_dir) / stage
    if not (folder / "checkpoint.pt").is_file():
        raise ConfigError(f"{folder}: the {stage} is not trained; run 'neurdsp kick train-{stage}' first")
    run = _load_run(folder / "config.yaml")
    return run, best_of(load_checkpoint(folder / "checkpoint.pt"))[0]


def _encoded(run_dir: Path, prepared: str | os.PathLike[str]) -> bool:
    """Tell whether the latents of these kicks by the trained VAE are there."""
    if not (run_dir / LATENTS).is_file():
        return False
    try:
        latents = load_latents(run_dir, open_prepared(Path(prepared)))
    except ConfigError:
        return False
    return latents.vae == weights_hash(load_stage(run_dir, "vae")[1])


def weights_hash(weights: Mapping[str, Tensor]) -> str:
    """Return a hash of weights by name."""
    digest = hashlib.blake2b(digest_size=8)
    for name, tensor in sorted(weights.items()):
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _load_run(path: Path) -> StageRun:
    return build(StageRun, load_yaml(path), source=str(path))


def _open(prepared: str | os.PathLike[str], recipe: Recipe) -> Prepared:
    data = open_prepared(Path(prepared))
    _check_mel(data, recipe.model)
    return data


def _check_mel(data: Prepared, model: MelDiffusionConfig) -> None:
    if data.mel != model.mel:
        raise ConfigError(
            f"{data.folder}: its spectrograms differ from model.mel of the recipe; prepare the kicks with "
            "that preset, or set model.mel"
        )


def _settings(stage: StageConfig) -> StageConfig:
    """Return a stage without its budget and optimiser: `StageRun.training` holds them, resolved."""
    return stage.model_copy(update={"epochs": None, "training": TrainingConfig()})


def _resolved(training: TrainingConfig, epochs: int | None, n_train: int) -> TrainingConfig:
    """Return the configuration with the budget in steps, and in the precision of the device."""
    update: dict[str, Any] = {}
    if epochs is not None:
        per_epoch = -(-n_train // (training.batch_size * training.accumulate_batches))
        update |= {"minutes": None, "steps": epochs * per_epoch}
    if training.precision == "float16" and device_of(training).type == "cpu":
        update["precision"] = "float32"  # half precision is for a GPU
    return training.model_copy(update=update)


def _seeded(training: TrainingConfig, make: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(training.seed)
    return make()


def _run(
    stage: Stage,
    model: nn.Module,
    task: PhasedTask,
    run: StageRun,
    folder: Path,
    facts: Mapping[str, Any],
    reporter: Reporter,
    way: _Way,
) -> StageResult:
    """Train the networks of a stage in its folder."""
    refuse_ranks(f"kick train-{stage}")
    if way.resume:
        check_resumable(folder, run, facts, load=_load_run)
    begin_run(
        folder,
        run,
        facts,
        fresh=not way.resume,
        overwrite=way.overwrite,
        names=["tensorboard"] if run.training.tensorboard and not way.overwrite else [],
        inputs=way.inputs,
    )
    trainer = Trainer(model, task, run.training, run_dir=folder, reporter=reporter)
    summary = trainer.run(resume=way.resume)
    result = StageResult(stage, folder, dict(summary.best_metrics), summary)
    save_json(folder / "result.json", result.to_json())
    return result


@torch.no_grad()
def _means(vae: MelVae, data: Prepared) -> NDArray[np.float32]:
    """Return the means of the latents of all kicks, ``(n, channels, bands, frames)``."""
    device, found = next(vae.parameters()).device, []
    for start in range(0, len(data.items), _ENCODED_AT_ONCE):
        items = data.items[start : start + _ENCODED_AT_ONCE]
        mels = torch.from_numpy(np.stack([data.log_mel(item) for item in items])[:, None]).to(device)
        found.append(vae.encode(mels)[0].float().cpu().numpy())
    return np.concatenate(found)
