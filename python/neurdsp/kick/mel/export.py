"""From trained networks to one model file that proves each of its parts; torch is the reference."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurdsp import _core
from neurdsp._output import atomic_output
from neurdsp.config import build
from neurdsp.errors import ConfigError, ModelFileError, ParameterError
from neurdsp.kick.hybrid.config import ARCHITECTURE as HYBRID
from neurdsp.kick.mel.config import ARCHITECTURE, MelDiffusionConfig
from neurdsp.kick.mel.infer import THRESHOLDS
from neurdsp.kick.mel.latents import latent_statistics, stored_thresholds
from neurdsp.kick.mel.networks.unet import Denoiser
from neurdsp.kick.mel.networks.vae import MelVae
from neurdsp.kick.mel.networks.vocoder import HifiGan, folded_state, load_folded
from neurdsp.kick.mel.train import STAGES, load_stage, weights_hash
from neurdsp.modelfile.files import DType, VerifyResult, build_metadata, read, verify, write
from neurdsp.modelfile.parity import build_parity, parity_error_db
from neurdsp.modelfile.proof import as_stored, check_weights
from neurdsp.training.checkpoint import best_of, load_checkpoint

__all__ = ["PARITY_DB", "Networks", "export_run", "verify_in_torch", "write_mel_diffusion"]

PARITY_DB = -100.0
"""Error that a file allows."""

#: Frames of which the vocoder makes audio in the test vectors.
_PARITY_FRAMES = 16


class Networks:
    """The networks of a model file on the CPU, for their outputs in full precision.

    Parameters
    ----------
    config
        Their shapes, the vocabulary included.
    weights
        Tensors of the names and shapes of ``config.parameter_shapes``.
    """

    def __init__(self, config: MelDiffusionConfig, weights: Mapping[str, NDArray[np.float32]]) -> None:
        tensors = {name: torch.from_numpy(np.array(value, np.float32)) for name, value in weights.items()}
        self.config = config
        self.latent_mean, self.latent_std = tensors["vae.latent_mean"], tensors["vae.latent_std"]
        self.vae = MelVae(config.vae, config.mel).eval()
        self.vae.load_state_dict(_part(tensors, "vae.", without=("latent_mean", "latent_std")))
        self.denoiser = Denoiser(config).eval()
        self.denoiser.load_state_dict(
            {**_part(tensors, "unet.", keep=True), **_part(tensors, "keywords.", keep=True)}
        )
        self.vocoder = HifiGan(config.vocoder, config.mel.n_mels).eval()
        load_folded(self.vocoder, _part(tensors, "vocoder."))

    @torch.inference_mode()
    def outputs(self, inputs: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """Return what each part makes of the inputs of `parity_inputs`, by the names of the test vectors."""
        given = {name: torch.from_numpy(np.array(value)) for name, value in inputs.items()}
        latent, mel = given["latent"][None], given["mel"][None, None]
        numbers = [int(number) for number in given["keywords"]]
        some, none = self.denoiser.keywords.encode([numbers]), self.denoiser.keywords.encode([[]])
        found: dict[str, Tensor] = {
            "condition": some[0],
            "null_condition": none[0],
            "noise": self.denoiser.unet(latent, given["step"], some)[0],
            "mel": self.vae.decode(latent)[0, 0],
            "latent": self.vae.encode(mel)[0][0],
            "audio": self.vocoder(mel[0, :, :, :_PARITY_FRAMES])[0],
        }
        return {name: np.ascontiguousarray(value.numpy(), np.float32) for name, value in found.items()}


def write_mel_diffusion(
    weights: Mapping[str, NDArray[np.float32]],
    config: MelDiffusionConfig,
    target: str | os.PathLike[str],
    *,
    dtype: DType = "F16",
    name: str = "",
    metrics: Mapping[str, Any] | None = None,
    details: Mapping[str, str] | None = None,
) -> VerifyResult:
    """Write networks to a model file, with a test vector for each part, and verify it.

    Parameters
    ----------
    weights
        float32 arrays of the names and shapes of ``config.parameter_shapes``.
    config
        The shapes, and the vocabulary.
    target
        The file to write.
    dtype
        The number type to store the weights in: ``F32``, ``F16`` or ``BF16``. The test vectors are those of
        the weights as they are stored.
    name
        Name of the model.
    metrics
        What was measured, as finite JSON values.
    details
        Further metadata, text by key.

    Returns
    -------
    VerifyResult
        The verdict on the file.

    Raises
    ------
    ParameterError
        If a weight is missing, too many or of another shape, or there are no keywords.
    ModelFileError
        If the file misses its test vectors; nothing is written then.
    OSError
        If the folder of the target is absent.

    Examples
    --------
    >>> write_mel_diffusion(weights, config, "kick.safetensors").passed  # doctest: +SKIP
    True
    """
    _check(weights, config)
    stored = as_stored({key: weights[key] for key in config.parameter_shapes}, dtype)
    inputs = _parity_inputs(config)
    metadata = build_metadata(
        architecture=ARCHITECTURE,
        config=config.model_dump(mode="json"),
        sample_rate=config.mel.sample_rate,
        name=name,
        metrics=metrics,
        parity_db=PARITY_DB,
    )
    with atomic_output(target) as temporary:
        vectors = build_parity(inputs, Networks(config, stored).outputs(inputs))
        write(temporary, {**(details or {}), **metadata}, {**stored, **vectors}, dict.fromkeys(stored, dtype))
        result = verify(temporary)
        if not result.passed:
            raise ModelFileError(
                f"'{target}' was not written: it is {result.error_db:.1f} dB from the trained networks, and "
                f"{result.threshold_db:g} dB are allowed; please report this model"
            )
    return result


def export_run(
    run_dir: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    dtype: DType = "F16",
    name: str = "",
) -> VerifyResult:
    """Write the networks of a run of all stages to a model file.

    Parameters
    ----------
    run_dir
        Folder of all stages.
    target, dtype, name
        As for `write_mel_diffusion`.

    Returns
    -------
    VerifyResult
        The verdict on the file.

    Raises
    ------
    ConfigError
        If a stage was not trained.
    ModelFileError, OSError
        As `write_mel_diffusion`.

    Examples
    --------
    >>> export_run("runs/seed", "kick.safetensors").passed  # doctest: +SKIP
    True
    """
    folder = Path(run_dir)
    found = {stage: load_stage(folder, stage) for stage in STAGES}
    config = found["diffusion"][0].model
    if found["vae"][0].model.vae != config.vae or found["vocoder"][0].model.vocoder != config.vocoder:
        raise ConfigError(
            f"{folder}: its stages were trained with different networks; train them with one recipe"
        )
    mean, std, vae = latent_statistics(folder)
    if vae != weights_hash(found["vae"][1]):
        raise ConfigError(
            f"{folder}: the latents are of another VAE; run 'neurdsp kick encode --overwrite' and train on"
        )
    vocoder = HifiGan(config.vocoder, config.mel.n_mels)
    vocoder.load_state_dict(
        {
            key.removeprefix("generator."): tensor
            for key, tensor in found["vocoder"][1].items()
            if key.startswith("generator.")
        }
    )
    tensors = {f"vae.{key}": tensor for key, tensor in found["vae"][1].items()}
    tensors |= dict(found["diffusion"][1]) | {f"vocoder.{k}": v for k, v in folded_state(vocoder).items()}
    weights = {key: tensor.detach().numpy() for key, tensor in tensors.items()}
    weights |= {"vae.latent_mean": mean, "vae.latent_std": std}
    thresholds = stored_thresholds(folder)
    return write_mel_diffusion(
        weights,
        config,
        target,
        dtype=dtype,
        name=name,
        metrics=_metrics(folder),
        details={THRESHOLDS: thresholds} if thresholds else None,
    )


def _metrics(folder: Path) -> dict[str, float]:
    """Return the figures of all stages on held-out kits."""
    metrics: dict[str, float] = {}
    for stage in STAGES:
        state = load_checkpoint(folder / stage / "checkpoint.pt")
        best = best_of(state)[1]
        metrics |= {f"{stage}_{key}": float(value) for key, value in best.items() if key != "score"}
        metrics[f"{stage}_steps"] = int(state["step"])
    return metrics


def verify_in_torch(path: str | os.PathLike[str]) -> VerifyResult:
    """Run the test vectors of a file through torch, or, of codes in one step, through the engine.

    Raises
    ------
    ModelFileError
        If a tensor is missing or wrong.
    """
    file = read(path)
    if file.architecture == HYBRID:
        return VerifyResult(*_core.verify_model_file(path))
    config = build(MelDiffusionConfig, file.config, source=str(path))
    weights = {key: np.asarray(file.tensors.get(key), np.float32) for key in config.parameter_shapes}
    try:
        _check(weights, config)
    except ParameterError as error:
        raise ModelFileError(f"{path}: {error}") from None
    prefixes = {kind: f"parity.{kind}." for kind in ("input", "output")}
    vectors = {
        kind: {
            key.removeprefix(prefix): np.asarray(tensor, np.float32)
            for key, tensor in file.tensors.items()
            if key.startswith(prefix)
        }
        for kind, prefix in prefixes.items()
    }
    found = Networks(config, weights).outputs(vectors["input"])
    errors = [parity_error_db(expected, found[key]) for key, expected in vectors["output"].items()]
    n_values = sum(expected.size for expected in vectors["output"].values())
    return VerifyResult(max(errors), file.parity_db, n_values)


def _parity_inputs(config: MelDiffusionConfig) -> dict[str, NDArray[np.float32]]:
    """Return a latent, a step, up to three keywords, and a mel spectrogram like that of a kick."""
    rng = np.random.default_rng(17)
    bands, frames = np.arange(config.mel.n_mels)[:, None], np.arange(config.mel.n_frames)
    level = (
        4.0
        - 0.1 * frames
        - 8.0 * bands / config.mel.n_mels
        + 0.5 * rng.standard_normal((len(bands), len(frames)))
    )
    n_keywords = min(3, len(config.keywords.words))
    return {
        "latent": rng.standard_normal(config.latent_shape).astype(np.float32),
        "step": np.array([config.noise.n_steps // 3], np.float32),
        "keywords": np.arange(n_keywords, dtype=np.float32),
        "mel": np.maximum(level, np.log(config.mel.floor)).astype(np.float32),
    }


def _part(
    tensors: Mapping[str, Tensor], prefix: str, *, without: tuple[str, ...] = (), keep: bool = False
) -> dict[str, Tensor]:
    return {
        (name if keep else name.removeprefix(prefix)): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix) and name.removeprefix(prefix) not in without
    }


def _check(weights: Mapping[str, NDArray[np.float32]], config: MelDiffusionConfig) -> None:
    if not config.keywords.words:
        raise ParameterError("keywords.words is empty, but a model needs at least one keyword")
    check_weights(weights, config.parameter_shapes, whole="the networks")
