"""Converting a model between model files, ``.nam``, JSON of earlier trainers, and that of other players."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from neurdsp import _core
from neurdsp._output import atomic_output, check_output
from neurdsp.errors import ModelFileError, ParameterError, UnsupportedModelError
from neurdsp.modelfile.files import DType, VerifyResult, build_metadata, read, verify, write
from neurdsp.modelfile.parity import build_parity
from neurdsp.modelfile.precision import store_as
from neurdsp.modelfile.reference import amp_reference, parity_input, receptive_field

__all__ = ["Conversion", "NamVersion", "convert"]

NamVersion = Literal["oldest", "keep", "0.5.4"]
"""Which version of the ``.nam`` format to write; see `convert`."""

_SUFFIXES = (".safetensors", ".nam", ".json", ".aidax")
# Largest error of an LSTM in the JSON of another player, in dB.
_LSTM_DB = -100.0
_PARITY_EXTRA_SAMPLES = 2048
_KEPT_BY_JSON = {"neurdsp.format", "neurdsp.architecture", "neurdsp.config", "neurdsp.audio", "neurdsp.name"}


@dataclass(frozen=True)
class Conversion:
    """What a conversion did.

    Attributes
    ----------
    source, target
        The files.
    lost
        What the target cannot hold.
    added
        What the source lacked and was computed.
    proof
        How well the target reproduces the parity vectors of the source, if both are model files.
    """

    source: Path
    target: Path
    lost: tuple[str, ...]
    added: tuple[str, ...]
    proof: VerifyResult | None = None


def convert(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    dtype: DType | None = None,
    parity_db: float | None = None,
    nam_version: NamVersion = "oldest",
) -> Conversion:
    """Convert a model file; the suffixes choose the formats.

    Parameters
    ----------
    source
        A ``.safetensors`` model file, a ``.nam`` file or the folder of an older one, the ``.json`` of an amp
        model, or an LSTM of AIDA-X (``.aidax`` or ``.json``) or Proteus (``.json``).
    target
        A file to write, with another of these suffixes; with a ``dtype``, another model file. A ``.nam`` file
        may become another one in another version. ``.aidax`` holds LSTMs only, and ``.json`` an LSTM in the
        form of Proteus.
    dtype
        The number type to store the weights of a model file in: ``F32``, ``F16`` or ``BF16``, rounded to the
        nearest. The parity vectors stay as they are, and the copy is verified against them.
    parity_db
        The error that such a copy allows, -200 to -20 dB; without one, that of the source.
    nam_version
        Of a ``.nam`` target: the oldest that can express the network, which the most players read (0.5.4 for
        A1 networks, LSTMs, ConvNets and impulse responses); that of a source that is a ``.nam`` model; or
        0.5.4, which not every network allows.

    Returns
    -------
    Conversion
        With what was lost and what was added.

    Raises
    ------
    ParameterError
        If the suffixes are not two of these, if ``dtype``, ``parity_db`` or ``nam_version`` is given for
        other formats, or if source and target are the same file.
    UnsupportedModelError
        If the target format, or the version of it, cannot hold the source: JSON holds amp models and LSTMs
        only.
    ModelFileError
        If the source cannot be read, the target cannot be written, or the target misses the parity vectors
        by more than it allows; nothing is written then.
    OSError
        If the folder of the target is absent.

    Notes
    -----
    ``.safetensors`` holds every ``.nam`` model, sizes, metadata and unknown keys included, and gives the same
    file back with ``nam_version="keep"``. An amp model becomes a ``.nam`` of version 0.5.4 that computes the
    same function and plays in every NAM player: the bias of the input convolution is folded into the other
    biases, and a first layer array carries the input to the output.

    An LSTM of AIDA-X or Proteus that adds its input to its output becomes an LSTM of one more unit, which
    carries the input; the way back takes that unit out again.

    Amp models keep the weights of their JSON bit for bit. JSON has no parity vectors, so a plain
    implementation computes them in double precision, and the engine is verified against them before the file
    is put in its place; those of ``.nam`` models are the engine's output for a test signal.

    Examples
    --------
    >>> convert("amp.safetensors", "amp.nam").lost  # doctest: +SKIP
    ('parity vectors',)
    """
    source, target = Path(source), Path(target)
    suffixes = (".nam" if source.is_dir() else source.suffix.lower(), target.suffix.lower())
    for path, suffix in zip((source, target), suffixes, strict=True):
        if suffix not in _SUFFIXES:
            raise ParameterError(f"'{path}': the suffix must be one of {', '.join(_SUFFIXES)}")
    if dtype is not None:
        if suffixes != (".safetensors", ".safetensors"):
            raise ParameterError(
                f"'{source}' to '{target}': a dtype can be chosen only from .safetensors to .safetensors"
            )
        rounded, proof = store_as(source, target, dtype, parity_db)
        lost = (f"precision of {rounded:,} values",) if rounded else ()
        return Conversion(source, target, lost=lost, added=(), proof=proof)
    if parity_db is not None:
        raise ParameterError("parity_db can be set only together with a dtype")
    if nam_version not in ("oldest", "keep", "0.5.4"):
        raise ParameterError(f"nam_version is {nam_version!r}, but it must be 'oldest', 'keep' or '0.5.4'")
    if nam_version != "oldest" and suffixes[1] != ".nam":
        raise ParameterError(f"'{target}': a version of the .nam format can be chosen only for a .nam file")
    same = suffixes[0] == suffixes[1] and not source.is_dir()
    if same and not (suffixes[1] == ".nam" and nam_version == "0.5.4" and not _is_same(source, target)):
        others = " or ".join(suffix for suffix in _SUFFIXES[:3] if suffix != suffixes[0])
        same_format = {".safetensors": ", or a dtype", ".nam": ", or nam_version 0.5.4"}.get(suffixes[0], "")
        lstm = "" if suffixes[0] == ".aidax" else "; an LSTM may become .aidax"
        raise ParameterError(
            f"'{source}' and '{target}' are both {suffixes[0]}; "
            f"give a target with the suffix {others}{same_format}{lstm}"
        )
    if source.is_dir() and suffixes[1] == ".nam":
        raise ParameterError(f"'{source}' is the folder of a .nam model; convert it to .safetensors first")
    kind = _kind(source, suffixes[0])
    match kind, suffixes[1]:
        case "JSON", ".safetensors":
            return _from_json(source, target)
        case _, ".safetensors":
            return _from_nam(source, target)
        case _, ".nam":
            return _to_nam(source, target, kind, nam_version)
        case _, suffix if suffix == ".aidax" or _is_lstm(source):
            return _to_lstm_json(source, target, kind)
        case "model", _:
            return _to_json(source, target)
        case _:
            return _nam_to_json(source, target)


def _is_same(source: Path, target: Path) -> bool:
    return target.exists() and source.samefile(target)


def _kind(source: Path, suffix: str) -> str:
    """Return what the source is by its content: ``model``, ``.nam``, ``JSON`` or that of another player."""
    if suffix == ".safetensors":
        return "model"
    return ".nam" if source.is_dir() else _core.amp_json_format(source)


def _is_lstm(source: Path) -> bool:
    return _core.AmpModel.load(source, None, False).architecture == "nam.lstm"


def _from_nam(source: Path, target: Path) -> Conversion:
    with atomic_output(target) as temporary:
        _core.nam_to_model_file(source, temporary, f"neurdsp {_core.__version__}")
        result = verify(temporary)
    return Conversion(source, target, lost=(), added=(f"parity vectors ({result.n_samples} samples)",))


def _to_nam(source: Path, target: Path, kind: str, version: NamVersion) -> Conversion:
    """Write a ``.nam`` file, with what the metadata of the source says in the words of that format."""
    capture, lost = _capture(source, kind)
    check_output(target)
    _core.model_to_nam(source, target, json.dumps(capture), version)
    return Conversion(source, target, lost=tuple(lost), added=())


def _to_lstm_json(source: Path, target: Path, kind: str) -> Conversion:
    """Write an LSTM as AIDA-X or Proteus have it, and play it beside the source before it is in its place."""
    capture, lost = _capture(source, kind)
    is_aidax = target.suffix.lower() == ".aidax"
    if not is_aidax:
        facts = json.loads(_core.AmpModel.load(source, None, False).capture)
        lost += [f"metadata {key}" for key in sorted(facts)]
    with atomic_output(target) as temporary:
        try:
            _core.lstm_to_json(source, temporary, json.dumps(capture), is_aidax)
        except ModelFileError as error:
            # The user does not know the temporary name.
            raise type(error)(str(error).replace(str(temporary), str(target))) from error
        signal = parity_input(_PARITY_EXTRA_SAMPLES)
        wanted, found = (
            _core.AmpModel.load(path, None, False).stream().process(signal).astype(np.float64)
            for path in (source, temporary)
        )
        error_db = 10 * np.log10((np.sum((found - wanted) ** 2) + 1e-30) / (np.sum(wanted**2) + 1e-30))
        if error_db > _LSTM_DB:
            raise ModelFileError(
                f"'{target}' was not written: it plays {error_db:.1f} dB from '{source}', at most "
                f"{_LSTM_DB:g} dB is allowed; convert the model to .nam"
            )
    return Conversion(source, target, lost=tuple(lost), added=())


def _capture(source: Path, kind: str) -> tuple[dict[str, Any], list[str]]:
    """Return what the source says in the words of ``.nam`` metadata, and what that format cannot hold."""
    name = ""
    lost: list[str] = []
    capture: dict[str, Any] = {}
    if kind == "model":
        model = read(source)
        name = model.metadata.get("neurdsp.name", "")
        lost = ["parity vectors"]
        esr = model.metrics.get("esr")
        if isinstance(esr, int | float):
            capture["training"] = {"validation_esr": esr}
        if not model.architecture.startswith("nam."):
            kept = {*_KEPT_BY_JSON, "neurdsp.capture", "neurdsp.parity_db", "neurdsp.producer"}
            if not model.metrics or len(model.metrics) == len(capture):
                kept |= {"neurdsp.metrics"}
            lost += sorted(model.metadata.keys() - kept)
        if model.architecture == "amp.parametric":
            lost += ["knobs, which stay at their defaults"]
    elif kind == "JSON":
        name = _core.read_amp_json(source)[0]
    if name:
        capture["name"] = name
    return capture, lost


def _nam_to_json(source: Path, target: Path) -> Conversion:
    """Write the JSON of the amp model that a ``.nam`` file was made from."""
    sample_rate, shape, tensors = _core.read_nam_as_amp(source)
    capture = json.loads(_core.AmpModel.load(source, None, False).capture)
    check_output(target)
    _core.write_amp_json(target, str(capture.pop("name", source.stem)), sample_rate, shape, tensors)
    return Conversion(source, target, lost=tuple(f"metadata {key}" for key in sorted(capture)), added=())


def _from_json(source: Path, target: Path) -> Conversion:
    name, sample_rate, shape, tensors = _core.read_amp_json(source)
    channels, num_layers, kernel_size, dilation_base = shape
    signal = parity_input(receptive_field(num_layers, kernel_size, dilation_base) + _PARITY_EXTRA_SAMPLES)
    output = amp_reference(
        tensors, signal, num_layers=num_layers, kernel_size=kernel_size, dilation_base=dilation_base
    )
    metadata = build_metadata(
        architecture="amp.wavenet",
        config={
            "channels": channels,
            "num_layers": num_layers,
            "kernel_size": kernel_size,
            "dilation_base": dilation_base,
        },
        sample_rate=sample_rate,
        name=name,
    )
    tensors |= build_parity(signal, output.astype("float32"))
    with atomic_output(target) as temporary:
        try:
            write(temporary, metadata, tensors)
            result = verify(temporary)
        except ModelFileError as error:
            # The user does not know the temporary name.
            raise ModelFileError(str(error).replace(str(temporary), str(target))) from error
        if not result.passed:
            raise ModelFileError(
                f"{source}: the engine is {result.error_db:.1f} dB from the double-precision reference, "
                f"above {result.threshold_db:g} dB; nothing was written, please report this model"
            )
    return Conversion(source, target, lost=(), added=(f"parity vectors ({result.error_db:.1f} dB)",))


def _to_json(source: Path, target: Path) -> Conversion:
    model = read(source)
    if model.architecture != "amp.wavenet":
        raise UnsupportedModelError(
            f"'{source}' holds {model.architecture}, but JSON can hold only amp.wavenet; convert it to .nam"
        )
    config = model.config
    shape = (config["channels"], config["num_layers"], config["kernel_size"], config["dilation_base"])
    weights = {
        name: tensor.astype("float32", copy=False)  # widens half precision, which is exact
        for name, tensor in model.tensors.items()
        if not name.startswith("parity.")
    }
    name = model.metadata.get("neurdsp.name", source.stem)
    check_output(target)
    _core.write_amp_json(target, name, model.sample_rate, shape, weights)
    dropped = sorted(model.metadata.keys() - _KEPT_BY_JSON)
    empty = {key for key in dropped if key == "neurdsp.metrics" and not json.loads(model.metadata[key])}
    return Conversion(
        source, target, lost=("parity vectors", *(key for key in dropped if key not in empty)), added=()
    )
