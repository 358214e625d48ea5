"""Training a model with knobs on several captures of one device, and judging it at settings it never saw."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neurdsp._output import atomic_output, check_output
from neurdsp.amp.config import AmpConfig
from neurdsp.amp.data import Crops
from neurdsp.amp.infer import AmpModel
from neurdsp.amp.knobs.captures import Captures, load_captures
from neurdsp.amp.knobs.export import export_parametric
from neurdsp.amp.knobs.model import ParametricWaveNet
from neurdsp.amp.nam_config import NamWaveNetConfig
from neurdsp.audio import FloatArray
from neurdsp.config import save_yaml
from neurdsp.errors import ConfigError, ParameterError
from neurdsp.losses import build_loss
from neurdsp.metrics import esr
from neurdsp.training import Reporter, Trainer
from neurdsp.training.ranks import refuse_ranks

__all__ = ["KnobsResult", "train_parametric"]

_INPUT_LEVEL = 1.0
_OUTPUT_FACTOR = 0.1
_GLANCE_S = 2.0
"""So much of each capture's held-out part is looked at while training; all of it is measured at the end."""


@dataclass(frozen=True)
class KnobsResult:
    """What a run left behind.

    Parameters
    ----------
    model_path
        The exported file.
    esr_train
        Mean error-to-signal ratio at the captured settings, of the exported file in the engine, on held-out
        audio.
    esr_test
        The same at the settings that were not trained on; None if the manifest has none.
    esr_nearest, esr_blend
        What the nearest capture, and the two nearest mixed by distance, would have at those settings.
    settings
        The ratio at each setting, with its positions.
    steps, seconds
        Of training.
    warnings
        What was odd about the recordings.
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

    def figures(self) -> dict[str, Any]:
        """Return what goes into the model file."""
        ratios = {name: getattr(self, name) for name in ("esr_train", "esr_test", "esr_nearest", "esr_blend")}
        known = {name: float(f"{value:.4g}") for name, value in ratios.items() if value is not None}
        return {**known, "measured_by": "engine", "steps": self.steps, "seconds": round(self.seconds, 1)}


class _KnobsTask:
    """Crops of captures drawn at random, each played with its own weights."""

    def __init__(self, captures: Captures, config: AmpConfig, path: Path) -> None:
        self._captures, self._config, self._path = captures, config, path
        self._train = captures.of("train")
        self._crops: list[Crops] = []
        self._levels: list[float] = []
        heard = []
        for index in self._train:
            pair = captures.pairs[index]
            self._crops.append(
                Crops(
                    pair,
                    captures.split,
                    batch_size=1,
                    crop_samples=config.crop_samples,
                    receptive_field=config.model.receptive_field,
                    seed=config.training.seed + 7919 * index,
                )
            )
            wet = np.concatenate([pair.wet[start:stop] for start, stop in captures.split.training])
            self._levels.append(max(float(np.sqrt(np.mean(np.square(wet, dtype=np.float64)))), 1e-6))
            heard.append(wet / np.float32(self._levels[-1]))
        # Each setting is brought to the same level, so that one loss serves a batch of several: half the
        # time of a step went into calling one for each.
        self._loss = build_loss(
            config.loss,
            reference=torch.from_numpy(np.concatenate(heard)),
            sample_rate=captures.pairs[0].sample_rate,
        )
        self.samples_per_step = config.training.batch_size * self._crops[0].crop_samples

    def loss(self, model: nn.Module, step: int) -> Tensor:
        rng = np.random.default_rng((self._config.training.seed, step))
        n = self._config.training.batch_size
        chosen = rng.choice(len(self._train), n, replace=n > len(self._train))
        outputs, targets = [], []
        for which in chosen:
            dry, wet = (torch.from_numpy(array) for array in self._crops[which].batch(step))
            output = model(dry, self._captures.positions(self._train[which]))
            outputs.append(output / self._levels[which])
            targets.append(wet / self._levels[which])
        loss: Tensor = self._loss(torch.cat(outputs), torch.cat(targets))
        return loss

    def validate(self, model: nn.Module) -> dict[str, float]:
        start, stop = self._captures.split.validation
        ratios = []
        for turn, index in enumerate(self._train):
            pair = self._captures.pairs[index]
            # A different stretch at each setting: together they hear all of the held-out part.
            glance = min(round(_GLANCE_S * pair.sample_rate), stop - start)
            at = start + (stop - start - glance) * turn // max(len(self._train) - 1, 1)
            margin = self._config.model.receptive_field - 1
            past = np.concatenate([np.zeros(margin, np.float32), pair.dry[: at + glance]])[at:]
            output = model(torch.from_numpy(past)[None], self._captures.positions(index))[0].numpy()
            ratios.append(esr(pair.wet[at : at + glance], output))
        return {"score": float(np.mean(ratios)), "esr": float(np.mean(ratios)), "worst_esr": max(ratios)}

    def improved(self, model: nn.Module, metrics: Mapping[str, float]) -> None:
        measured = {name: value for name, value in metrics.items() if name != "score"}
        _export(model, self._path, self._captures, self._config, {**measured, "measured_by": "training"})


def _export(
    model: nn.Module, path: Path, captures: Captures, config: AmpConfig, metrics: Mapping[str, Any]
) -> None:
    if not isinstance(model, ParametricWaveNet):
        raise TypeError(f"expected a ParametricWaveNet, got {type(model).__name__}")
    pair = captures.pairs[0]
    export_parametric(
        model,
        path,
        knobs={name: knob.default for name, knob in captures.manifest.knobs.items()},
        sample_rate=pair.sample_rate,
        metrics=metrics,
        level=float(np.sqrt(np.mean(np.square(pair.dry, dtype=np.float64)))),
        name=path.stem,
        description=config.description,
        extra={"neurdsp.training": json.dumps(config.model_dump(mode="json"))},
    )


def _judge(path: Path, captures: Captures) -> tuple[list[dict[str, Any]], float | None, float | None]:
    """Play the held-out part at every setting with the engine, and measure captures nearby."""
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
) -> KnobsResult:
    """Train a model with knobs on the captures of a manifest.

    Parameters
    ----------
    config
        Network (a preset whose architecture is ``nam.wavenet``), data, loss, budget.
    manifest_path
        See `neurdsp.amp.capture.sweep.Manifest`; captures for testing are only measured on, at the end.
    model_path
        The ``.safetensors`` file to write.
    run_dir
        The folder for configuration, log and checkpoint; made where it is absent.
    resume
        Go on from the checkpoint in ``run_dir``.
    show
        Whether to show progress on standard error.

    Returns
    -------
    KnobsResult
        All ratios are measured on the exported file by the engine.

    Raises
    ------
    AudioFileError, ConfigError, ParameterError
        Before anything is written, for captures or settings that cannot work.

    Examples
    --------
    >>> config = load_config("light", overrides=["training.minutes=5"])  # doctest: +SKIP
    >>> train_parametric(config, "runs/drive/manifest.yaml", model_path="drive.safetensors",
    ...                  run_dir="runs/drive/train").esr_test  # doctest: +SKIP
    """
    refuse_ranks("train-knobs")
    path, folder = Path(model_path), Path(run_dir)
    if path.suffix != ".safetensors":
        raise ParameterError(f"the model file '{path}' must end in .safetensors")
    if not isinstance(config.model, NamWaveNetConfig):
        raise ConfigError(
            f"a model with knobs needs a preset of the architecture nam.wavenet, not {config.architecture}; "
            "take light or standard"
        )
    if config.training.compile or config.training.precision != "float32":
        raise ConfigError(
            "models with knobs are trained by the core, on a CPU and in float32; leave out "
            "training.precision and training.compile"
        )
    check_output(path)
    captures = load_captures(manifest_path, config)
    folder.mkdir(parents=True, exist_ok=True)
    if not resume:
        for name in ("metrics.jsonl", "checkpoint.pt", "result.json"):
            (folder / name).unlink(missing_ok=True)
    save_yaml(config, folder / "config.yaml")

    def rms(signal: FloatArray) -> float:
        heard = np.concatenate([signal[start:stop] for start, stop in captures.split.training])
        return max(float(np.sqrt(np.mean(np.square(heard, dtype=np.float64)))), 1e-6)

    torch.manual_seed(config.training.seed)
    wets = [rms(captures.pairs[index].wet) for index in captures.of("train")]
    model = ParametricWaveNet(
        config.model,
        len(captures.manifest.knobs),
        input_scale=_INPUT_LEVEL / rms(captures.pairs[0].dry),
        output_scale=_OUTPUT_FACTOR * float(np.mean(wets)),
    )
    if show:
        for warning in captures.warnings:
            sys.stderr.write(f"note: {warning}\n")
    reporter = Reporter(folder / "metrics.jsonl", show=show, score_name="ESR")
    task = _KnobsTask(captures, config, path)
    summary = Trainer(model, task, config.training, run_dir=folder, reporter=reporter).run(resume=resume)

    settings, nearest, blend = _judge(path, captures)
    means = {part: [one["esr"] for one in settings if one["part"] == part] for part in ("train", "test")}
    result = KnobsResult(
        model_path=path,
        esr_train=float(np.mean(means["train"])),
        esr_test=float(np.mean(means["test"])) if means["test"] else None,
        esr_nearest=nearest,
        esr_blend=blend,
        settings=tuple(settings),
        steps=summary.steps,
        seconds=summary.seconds,
        warnings=captures.warnings,
    )
    _export(model, path, captures, config, result.figures())
    report = {**result.figures(), "settings": list(result.settings), "warnings": list(result.warnings)}
    with atomic_output(folder / "result.json") as temporary:
        temporary.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return result
