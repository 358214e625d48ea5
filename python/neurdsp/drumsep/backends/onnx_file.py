"""From a model file to an ONNX file for other programs, checked in ONNX Runtime first."""

import logging
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurdsp._output import atomic_output
from neurdsp.audio import read_audio, resample
from neurdsp.dependencies import require
from neurdsp.drumsep.backends.graph import INPUT, build_graph
from neurdsp.drumsep.backends.onnx_runtime import open_session
from neurdsp.drumsep.backends.spectrum import Spectra
from neurdsp.drumsep.stored import StoredNetwork, read_network
from neurdsp.errors import ModelFileError, ParameterError
from neurdsp.modelfile import parity_error_db

__all__ = ["OnnxExport", "calibration_of", "export_onnx"]

FloatArray = NDArray[np.float32]
_PURPOSE = "an export to ONNX"
#: What INT8 covers; norms, activations and sums stay in float32.
_TO_INT8 = ["Conv", "MatMul"]
#: Kept in float32: what touches the spectra themselves, where an error goes straight to the stems.
_KEPT = ("first_conv.weight", "final_conv.0.weight", "final_conv.2.weight")


@dataclass(frozen=True)
class OnnxExport:
    """What an export made.

    Attributes
    ----------
    target
        The file.
    n_bytes
        Its size.
    error_db
        Energy of its error beside the test vectors of the model file, relative to theirs, in dB.
    """

    target: Path
    n_bytes: int
    error_db: float


def export_onnx(
    model: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    int8: bool = False,
    calibration: FloatArray | None = None,
) -> OnnxExport:
    """Write the body of a network as an ONNX file, and check it in ONNX Runtime.

    Parameters
    ----------
    model
        A model file.
    target
        The file to write.
    int8
        Whether convolutions and products are in INT8, but for those at the ends. It is a trap: the file
        loses far more than another precision does; see ``error_db``.
    calibration
        Recordings ``(audio_channels, n_samples)`` at the network's rate, for the ranges of INT8; without
        them, the test signal of the model file.

    Returns
    -------
    OnnxExport
        With the measured error.

    Raises
    ------
    ModelFileError
        If the model cannot be read, or if a file in float32 is further from the test vectors than the model
        file allows; nothing is written then.
    MissingDependencyError
        If ``onnx`` or ONNX Runtime is not installed.
    OSError
        If the folder of the target is absent.

    Examples
    --------
    >>> export_onnx("drumsep.safetensors", "drumsep.onnx").error_db < -75  # doctest: +SKIP
    True
    """
    onnx = require("onnx", extra="onnx", purpose=_PURPOSE)
    require("onnxruntime", extra="onnx", purpose=_PURPOSE)
    stored = read_network(model)
    with atomic_output(target, inputs=[model]) as temporary:
        if int8:
            _write_int8(stored, temporary, calibration)
        else:
            onnx.save(build_graph(stored), temporary)
        error_db = _error_db(stored, temporary)
        if not int8 and not error_db <= stored.parity_db:
            raise ModelFileError(
                f"'{target}' was not written: in ONNX Runtime it is {error_db:.1f} dB from the test vectors "
                f"of '{model}', and {stored.parity_db:g} dB are allowed; please report this network"
            )
        return OnnxExport(Path(target), temporary.stat().st_size, error_db)


def calibration_of(model: str | os.PathLike[str], recording: str | os.PathLike[str]) -> FloatArray:
    """Return the first ten seconds of a recording as a network hears them.

    Parameters
    ----------
    model
        A model file.
    recording
        An audio file of one or two channels.

    Returns
    -------
    ndarray
        ``(audio_channels, n_samples)`` at the network's rate.

    Raises
    ------
    AudioFileError, ModelFileError
        If a file cannot be read.
    ParameterError
        If the recording has more than two channels.
    """
    config = read_network(model).config
    audio, rate = read_audio(recording, duration=10.0)
    channels = np.atleast_2d(audio)
    if channels.shape[0] > 2:
        raise ParameterError(f"'{recording}' has {channels.shape[0]} channels, but one or two are needed")
    resampled = np.stack([resample(channel, rate, config.sample_rate) for channel in channels])
    if config.audio_channels == 1:
        mono: FloatArray = resampled.mean(axis=0, keepdims=True, dtype=np.float32)
        return mono
    return np.repeat(resampled, 2, axis=0) if len(resampled) == 1 else resampled


def _error_db(stored: StoredNetwork, path: Path) -> float:
    """Return the error of an ONNX file beside the test vectors of its network."""
    assert stored.proof is not None
    audio, wanted = stored.proof
    session = open_session(path)
    found = Spectra(stored.config).around(lambda x: session.run(None, {INPUT: x})[0], audio[None])
    return parity_error_db(wanted, found[0])


def _write_int8(stored: StoredNetwork, target: Path, calibration: FloatArray | None) -> None:
    import onnx
    from onnxruntime import quantization

    assert stored.proof is not None
    recording = stored.proof[0] if calibration is None else calibration
    with tempfile.TemporaryDirectory(prefix="neurdsp-") as folder:
        path = Path(folder) / "body.onnx"
        graph = build_graph(stored, weights_file=Path(folder) / "weights.bin")
        kept = [node.name for node in graph.graph.node if set(node.input) & set(_KEPT)]
        onnx.save(graph, path)
        logging.disable(logging.WARNING)  # of a step for networks with shapes that are not known
        try:
            quantization.quantize_static(
                path,
                target,
                _Calibration(stored, recording),
                quant_format=quantization.QuantFormat.QDQ,
                per_channel=True,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
                op_types_to_quantize=_TO_INT8,
                nodes_to_exclude=kept,
            )
        finally:
            logging.disable(logging.NOTSET)


class _Calibration:
    """Spectra of a recording in short chunks, as ONNX Runtime's quantiser asks for them."""

    def __init__(self, stored: StoredNetwork, recording: FloatArray) -> None:
        config = stored.config
        frames = 2 * config.frame_multiple  # short, for the quantiser keeps every activation
        while (frames - 1) * config.hop_length < config.n_fft:
            frames += config.frame_multiple
        length = (frames - 1) * config.hop_length
        chunks = [
            recording[None, :, start : start + length]
            for start in range(0, max(recording.shape[1] - length, 0) + 1, length)
        ]
        self._spectra = Spectra(config)
        self._chunks: Iterator[FloatArray] = iter(chunks)

    def get_next(self) -> dict[str, Any] | None:
        chunk = next(self._chunks, None)
        return None if chunk is None else {INPUT: self._spectra.analyse(chunk)}
