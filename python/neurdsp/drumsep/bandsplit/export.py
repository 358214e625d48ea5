"""From the weights of a band-split network to a model file that proves itself; torch is the reference."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurdsp.drumsep.bandsplit.config import ARCHITECTURE, BandSplitConfig
from neurdsp.modelfile.files import DType, VerifyResult, build_metadata
from neurdsp.modelfile.parity import build_parity
from neurdsp.modelfile.proof import as_stored, check_weights, write_proven

__all__ = ["write_band_split"]

#: Error that a file allows; networks with random weights leave -127 to -132 dB.
PARITY_DB = -100.0

#: Hops of the test signal: what comes in, and silence after it.
_SOUND_HOPS, _SILENT_HOPS = 16, 4


def write_band_split(
    weights: Mapping[str, NDArray[np.float32]],
    config: BandSplitConfig,
    target: str | os.PathLike[str],
    *,
    dtype: DType = "F16",
    name: str = "",
    metrics: Mapping[str, Any] | None = None,
    details: Mapping[str, str] | None = None,
) -> VerifyResult:
    """Write a network to a model file, with test vectors of torch, and verify it in the engine.

    Parameters
    ----------
    weights
        float32 arrays of the names and shapes of ``config.parameter_shapes``.
    config
        The shape of the network.
    target
        The file to write.
    dtype
        The number type to store the weights in: ``F32``, ``F16`` or ``BF16``. The test vectors are those of
        the weights as they are stored.
    name
        Name of the network.
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
        If a weight is missing, too many or of another shape.
    ModelFileError
        If the engine misses the test vectors; nothing is written then.
    OSError
        If the folder of the target is absent.

    Examples
    --------
    >>> config = BandSplitConfig()
    >>> weights = {key: np.zeros(shape, np.float32) for key, shape in config.parameter_shapes.items()}
    >>> write_band_split(weights, config, "zero.safetensors").passed  # doctest: +SKIP
    True
    """
    shapes = config.parameter_shapes
    check_weights(weights, shapes, whole="the network")
    stored = as_stored({key: weights[key] for key in shapes}, dtype)
    audio = _test_signal(config)
    metadata = build_metadata(
        architecture=ARCHITECTURE,
        config=config.model_dump(mode="json"),
        sample_rate=config.sample_rate,
        channels=2,
        name=name,
        metrics=metrics,
        parity_db=PARITY_DB,
    )
    return write_proven(
        target,
        {**(details or {}), **metadata},
        {**stored, **build_parity(audio, _streamed(stored, config, audio))},
        dict.fromkeys(stored, dtype),
        reference="torch",
    )


def _test_signal(config: BandSplitConfig) -> NDArray[np.float32]:
    """Return decaying bursts of noise, each panned, then silence."""
    rng, hop = np.random.default_rng(16), config.hop_length
    n_samples = _SOUND_HOPS * hop
    time = np.arange(n_samples)
    burst = time // (4 * hop)
    decay = np.exp(-(time % (4 * hop)) / (1.0 * hop))
    noise = rng.standard_normal((2, n_samples))
    panned = np.stack([noise[0], np.where(burst % 2 == 0, noise[0], 0.4 * noise[1])])
    audio = np.pad(0.3 * decay * panned, ((0, 0), (0, _SILENT_HOPS * hop)))
    return audio.astype(np.float32)


def _streamed(
    weights: Mapping[str, NDArray[np.float32]], config: BandSplitConfig, audio: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return what a stream gives for the recording, ``(n_outputs * 2, n_samples)``, from torch."""
    import torch

    from neurdsp.drumsep.bandsplit.network import BandSplitNet

    network = BandSplitNet(config).eval()
    network.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in weights.items()})
    hop, n_samples = config.hop_length, audio.shape[1]
    with torch.inference_mode():
        spectrum = network.stft(torch.from_numpy(audio)[None])
        masked = (network.masks(spectrum)[0] * spectrum[:, None])[0]
        # A stream also gives the hop before the recording, which the first frame overlaps, a hop late.
        before = torch.zeros_like(masked[..., :1, :])
        stems = network.stft.inverse(torch.cat([before, masked], -2), n_samples - hop)
    streamed = torch.nn.functional.pad(stems, (hop, 0)).flatten(0, 1)
    return np.ascontiguousarray(streamed.numpy())
