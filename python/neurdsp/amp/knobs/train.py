"""Training a model with knobs on several captures of a device, and judging it at settings it never saw."""

import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neurdsp.amp.config import AmpConfig, NamAmpConfig
from neurdsp.amp.infer import AmpModel
from neurdsp.amp.knobs.captures import Captures, load_captures
from neurdsp.amp.knobs.crops import SettingCrops
from neurdsp.amp.knobs.export import export_parametric
from neurdsp.amp.knobs.model import ParametricWaveNet
from neurdsp.amp.place import ModelPlace
from neurdsp.amp.run import check_model_path, check_resume, export_details, run_files, spare_name
from neurdsp.errors import ConfigError
from neurdsp.metrics import esr
from neurdsp.training import Reporter, Trainer
from neurdsp.training.ranks import refuse_ranks
from neurdsp.training.run_folder import begin_run, save_json

__all__ = ["KnobsResult", "require_nam", "train_parametric"]

_GLANCE_S = 2.0
"""Length of each capture's held-out part that a validation plays; the end of the run measures all of it."""


@dataclass(frozen=True)
class KnobsResult:
    """Result of a run.

    Parameters
    ----------
    model_path
        The exported file.
    esr_train
        Mean error-to-signal ratio at the captured settings, of the exported file in the engine, on held-out
        audio.
    esr_test
        The same at the test settings, which were not trained on; None if the manifest has none.
    esr_nearest, esr_blend
        What the nearest capture, and a mix of the two nearest by distance, would have at the test settings.
    settings
        Part, positions and ratio of each setting.
    steps, seconds
        Of training.
    warnings
        Flaws of the recordings that did not prevent training.
    older_model
        As in `neurdsp.amp.train.RunResult`.
    """

    model_path: Path
    esr_train: float
    esr_test: float | None
    esr_nearest: float | None
    esr_blend: float | None
    settings: tuple[dict[str, Any], ...]
    steps: int
    seconds: float
    warnings: tuple[str, ...] = ()
    older_model: str = ""

    def figures(self) -> dict[str, Any]:
        """Return the metrics of the model file."""
        ratios = {name: getattr(self, name) for name in ("esr_train", "esr_test", "esr_nearest", "esr_blend")}
        known = {name: float(f"{value:.4g}") for name, value in ratios.items() if value is not None}
        return {**known, "measured_by": "engine", "steps": self.steps, "seconds": round(self.seconds, 1)}


class _KnobsTask:
    """What the trainer asks of a model with knobs: a loss over crops of captures, validation, export."""

    def __init__(
        self,
        network: ParametricWaveNet,
        crops: SettingCrops,
        captures: Captures,
        config: NamAmpConfig,
        place: ModelPlace,
    ) -> None:
        self._network, self._crops = network, crops
        self._captures, self._config, self._place = captures, config, place
        self._train = captures.of("train")
        self.samples_per_step = crops.samples_per_batch

    def loss(self, model: nn.Module, step: int) -> Tensor:
        return self._crops.loss(model, step)

    def validate(self, model: nn.Module) -> dict[str, float]:
        start, stop = self._captures.split.validation
        ratios = []
        for turn, index in enumerate(self._train):
            pair = self._captures.pairs[index]
            # A different stretch at each setting, so that together they cover the held-out part.
            glance = min(round(_GLANCE_S * pair.sample_rate), stop - start)
            at = start + (stop - start - glance) * turn // max(len(self._train) - 1, 1)
            margin = self._config.model.receptive_field - 1
            past = np.concatenate([np.zeros(margin, np.float32), pair.dry[: at + glance]])[at:]
            output = model(torch.from_numpy(past)[None], self._captures.positions(index))[0].numpy()
            ratios.append(esr(pair.wet[at : at + glance], output))
        return {"score": float(np.mean(ratios)), "esr": float(np.mean(ratios)), "worst_esr": max(ratios)}

    def improved(self, model: nn.Module, metrics: Mapping[str, float]) -> None:  # noqa: ARG002
        measured = {name: value for name, value in metrics.items() if name != "score"}
        self.export({**measured, "measured_by": "training"})

    def export(self, metrics: Mapping[str, Any]) -> None:
        knobs = {name: knob.default for name, knob in self._captures.manifest.knobs.items()}
        path = self._place.choose(metrics)
        details = export_details(self._place.wanted, self._captures.pairs[0], self._config)
        export_parametric(self._network, path, knobs=knobs, metrics=metrics, **details)


def _judge(path: Path, captures: Captures) -> tuple[list[dict[str, Any]], float | None, float | None]:
    """Measure the held-out part at every setting with the engine, and what nearby captures would give."""
    amp = AmpModel.load(path)
    start, stop = captures.split.validation
    first = max(0, start - (amp.receptive_field - 1))
    found: list[dict[str, Any]] = []
    nearest: list[float] = []
    blend: list[float] = []
    train = captures.of("train")
    for index, (setting, pair) in enumerate(zip(captures.settings, captures.pairs, strict=True)):
        target = pair.wet[start:stop]
        played = amp.with_knobs(**setting.positions).render(pair.dry[first:stop], pair.sample_rate)
        ratio = float(esr(target, played[start - first :]))
        found.append({"part": setting.part, "positions": dict(setting.positions), "esr": ratio})
        if setting.part == "test":
            here = np.array(captures.positions(index))
            away = np.array([np.linalg.norm(here - captures.positions(other)) for other in train])
            one, two = np.argsort(away)[:2]
            a, b = (captures.pairs[train[which]].wet[start:stop] for which in (one, two))
            share = away[two] / max(away[one] + away[two], 1e-12)
            nearest.append(float(esr(target, a)))
            blend.append(float(esr(target, (share * a + (1 - share) * b).astype(np.float32))))
    return found, _mean(nearest), _mean(blend)


def _mean(ratios: list[float]) -> float | None:
    return float(np.mean(ratios)) if ratios else None


def train_parametric(
    config: AmpConfig,
    manifest_path: str | os.PathLike[str],
    *,
    model_path: str | os.PathLike[str],
    run_dir: str | os.PathLike[str],
    resume: bool = False,
    show: bool = False,
    overwrite: bool = False,
) -> KnobsResult:
    """Train a model with knobs on the captures of a manifest.

    Parameters
    ----------
    config
        Network, data, loss, budget; the architecture must be ``nam.wavenet``.
    manifest_path
        See `neurdsp.amp.capture.manifest.Manifest`; test captures are only measured on, at the end.
    model_path
        The ``.safetensors`` file to write.
    run_dir
        Folder for configuration, log and checkpoint; made if it is missing.
    resume
        Continue from the checkpoint in ``run_dir``; only the budget may have changed.
    show
        Whether to show progress on standard error.
    overwrite
        As in `neurdsp.amp.train.train`; a model there already is compared by its ESR at captured settings.

    Returns
    -------
    KnobsResult
        All ratios are measured on the exported file by the engine.

    Raises
    ------
    AudioFileError, ConfigError, ParameterError
        For unusable captures or settings, before anything is written.

    Examples
    --------
    >>> config = load_config("light", overrides=["training.minutes=5"])  # doctest: +SKIP
    >>> train_parametric(config, "runs/drive/manifest.yaml", model_path="drive.safetensors",
    ...                  run_dir="runs/drive/train").esr_test  # doctest: +SKIP
    """
    refuse_ranks("train-knobs")
    folder = Path(run_dir)
    nam = require_nam(config)
    if config.training.compile or config.training.precision != "float32":
        raise ConfigError(
            "models with knobs are trained by the Rust core, on a CPU and in float32; leave out "
            "training.precision and training.compile"
        )
    path = check_model_path(model_path, inputs=[manifest_path])
    captures = load_captures(manifest_path, config)
    beside = Path(manifest_path).parent
    inputs = [manifest_path, beside / captures.manifest.input]
    inputs += [beside / setting.output for setting in captures.manifest.captures]
    check_model_path(path, inputs=inputs)
    facts = {
        "manifest": str(manifest_path),
        "fingerprint": captures.fingerprint(),
        "sample_rate": captures.pairs[0].sample_rate,
        "knobs": list(captures.manifest.knobs),
        "captures": {setting.output: dict(setting.positions) for setting in captures.settings},
        "warnings": list(captures.warnings),
        **asdict(captures.split),
    }
    if resume:
        # Versions up to 0.1 wrote no data.json for these runs.
        check_resume(folder, config, facts, facts_required=False)
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
        for warning in captures.warnings:
            sys.stderr.write(f"note: {warning}\n")
    torch.manual_seed(config.training.seed)
    crops = SettingCrops(
        captures,
        nam,
        batch_size=config.training.batch_size,
        seed=config.training.seed,
        ranges=captures.split.training,
    )
    network = crops.new_network()
    reporter = Reporter(folder / "metrics.jsonl", show=show, score_name="ESR")
    place = ModelPlace(path, folder / spare_name(path), replace=overwrite, resumed=resume)
    task = _KnobsTask(network, crops, captures, nam, place)
    summary = Trainer(network, task, config.training, run_dir=folder, reporter=reporter).run(resume=resume)

    settings, nearest, blend = _judge(place.path, captures)
    means = {part: [one["esr"] for one in settings if one["part"] == part] for part in ("train", "test")}
    result = KnobsResult(
        model_path=place.path,
        esr_train=float(np.mean(means["train"])),
        esr_test=_mean(means["test"]),
        esr_nearest=nearest,
        esr_blend=blend,
        settings=tuple(settings),
        steps=summary.steps,
        seconds=summary.seconds,
        warnings=captures.warnings,
    )
    task.export(result.figures())
    result = replace(result, model_path=place.path, older_model=place.story())
    report = {**result.figures(), "settings": list(result.settings), "warnings": list(result.warnings)}
    save_json(folder / "result.json", report)
    return result


def require_nam(config: AmpConfig) -> NamAmpConfig:
    """Return the configuration, if its network can have knobs.

    Raises
    ------
    ConfigError
        If the architecture is not ``nam.wavenet``.
    """
    if not isinstance(config, NamAmpConfig):
        raise ConfigError(
            f"a model with knobs needs a preset of the architecture nam.wavenet, not {config.architecture}; "
            "take light or standard"
        )
    return config
