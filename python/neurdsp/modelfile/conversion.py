"""Converting a model between model files, ``.nam``, JSON of earlier trainers, and that of other players."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from neurdsp import _core
from neurdsp._output import atomic_output, check_output, same_file
from neurdsp.audio import FloatArray
from neurdsp.errors import ModelFileError, ParameterError, UnsupportedModelError
from neurdsp.modelfile.families import FAMILIES, family_of, part
from neurdsp.modelfile.files import DType, VerifyResult, build_metadata, read, verify, write
from neurdsp.modelfile.loudness import measure_levels
from neurdsp.modelfile.parity import build_parity
from neurdsp.modelfile.precision import store_as
from neurdsp.modelfile.reference import amp_reference, parity_input, receptive_field

__all__ = ["Conversion", "NamVersion", "convert"]

NamVersion = Literal["oldest", "keep", "0.5.4"]
"""Which version of the ``.nam`` format to write; see `convert`."""

# Checkpoints of PyTorch.
_CHECKPOINTS = (".ckpt", ".pth", ".pt", ".th", ".bin")
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
    capture: Mapping[str, Any] | None = None,
    nam_version: NamVersion = "oldest",
    config: str | os.PathLike[str] | None = None,
) -> Conversion:
    """Convert a model file; the suffixes choose the formats.

    Parameters
    ----------
    source
        A ``.safetensors`` model file, a ``.nam`` file or the folder of an older one, the ``.json`` of an amp
        model, or an LSTM of AIDA-X (``.aidax`` or ``.json``) or Proteus (``.json``). Or the checkpoint of a
        separator: ``.ckpt``, ``.pth``, ``.pt``, or a ``.safetensors`` file of another program.
    target
        A file to write, with another of these suffixes; with a ``dtype``, another model file. A ``.nam`` file
        may become another one in another version. ``.aidax`` holds LSTMs only, and ``.json`` an LSTM in the
        form of Proteus.
    dtype
        The number type to store the weights of a model file in: ``F32``, ``F16`` or ``BF16``, rounded to the
        nearest. The parity vectors stay as they are, and the copy is verified against them.
    parity_db
        The error that such a copy allows, -200 to -20 dB; without one, that of the source.
    capture
        Facts about the device and its capture by the keys of ``.nam`` metadata, such as ``gear_make`` or
        ``input_level_dbu``; they replace those of the source. With them a ``.safetensors`` file may become
        another one.
    nam_version
        Of a ``.nam`` target: the oldest that can express the network, which the most players read (0.5.4 for
        A1 networks, LSTMs, ConvNets and impulse responses); that of a source that is a ``.nam`` model; or
        0.5.4, which not every network allows.
    config
        The YAML file that came with a checkpoint; by default one that is found beside it.

    Returns
    -------
    Conversion
        With what was lost and what was added.

    Raises
    ------
    ParameterError
        If the suffixes are not two of these, if ``dtype``, ``parity_db`` or ``nam_version`` is given for
        other formats, ``capture`` for a model of no device or beside a ``dtype``, or if source and target are
        the same file.
    UnsupportedModelError
        If the target format, or the version of it, cannot hold the source: JSON holds amp models and LSTMs
        only, and ``.nam`` amp models only.
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
    if config is not None or _is_checkpoint(source):
        given: dict[str, object] = {"parity_db": parity_db, "capture": capture or None}
        given["nam_version"] = None if nam_version == "oldest" else nam_version
        for name, value in given.items():
            if value is not None:
                raise ParameterError(f"'{source}' is a checkpoint, for which {name} cannot be given")
        return _from_checkpoint(source, target, config, dtype or "F32")
    suffixes = (".nam" if source.is_dir() else source.suffix.lower(), target.suffix.lower())
    for path, suffix in zip((source, target), suffixes, strict=True):
        if suffix not in _SUFFIXES:
            checkpoints = f", or of a checkpoint: {', '.join(_CHECKPOINTS)}" if path is source else ""
            raise ParameterError(f"'{path}': the suffix must be one of {', '.join(_SUFFIXES)}{checkpoints}")
    sources = sorted(source.iterdir()) if source.is_dir() else [source]
    if any(same_file(target, one) for one in sources):
        raise ParameterError(f"'{target}' is the file to convert; give another name for the copy")
    if nam_version not in ("oldest", "keep", "0.5.4"):
        raise ParameterError(f"nam_version is {nam_version!r}, but it must be 'oldest', 'keep' or '0.5.4'")
    if nam_version != "oldest" and suffixes[1] != ".nam":
        raise ParameterError(f"'{target}': a version of the .nam format can be chosen only for a .nam file")
    facts = dict(capture or {})
    if suffixes[0] == ".safetensors" and _core.is_model_file(source):
        _refuse_other_families(source, target, facts)
    if dtype is not None:
        if suffixes != (".safetensors", ".safetensors"):
            raise ParameterError(
                f"'{source}' to '{target}': a dtype can be chosen only from .safetensors to .safetensors"
            )
        if facts:
            raise ParameterError(
                f"a dtype and facts about the device ({', '.join(facts)}) take two conversions; give one now"
            )
        rounded, proof = store_as(source, target, dtype, parity_db)
        lost = (f"precision of {rounded:,} values",) if rounded else ()
        return Conversion(source, target, lost=lost, added=(), proof=proof)
    if parity_db is not None:
        raise ParameterError("parity_db can be set only together with a dtype")
    if facts and suffixes == (".safetensors", ".safetensors"):
        with atomic_output(target) as temporary:
            _write_described(source, temporary, facts)
        return Conversion(source, target, lost=(), added=tuple(sorted(facts)))
    if facts and suffixes[1] in (".json", ".aidax"):
        raise ParameterError(
            f"'{target}': JSON holds no facts about a device; convert to .nam or .safetensors"
        )
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
            return _from_json(source, target, {**_levels(source, facts), **facts})
        case _, ".safetensors":
            return _from_nam(source, target, facts)
        case _, ".nam":
            return _to_nam(source, target, kind, nam_version, facts)
        case _, suffix if suffix == ".aidax" or _is_lstm(source):
            return _to_lstm_json(source, target, kind)
        case "model", _:
            return _to_json(source, target)
        case _:
            return _nam_to_json(source, target)


def _refuse_other_families(source: Path, target: Path, facts: Mapping[str, Any]) -> None:
    """Refuse what only models of devices have for any other model: facts about a device, other formats."""
    architecture = _core.model_file_layout(source)[0]["neurdsp.architecture"]
    family = family_of(architecture)
    if family is not None and family.captured:
        return
    holds = f"'{source}' holds {architecture}, which is no model of a device"
    if facts:
        raise ParameterError(f"{', '.join(facts)}: {holds}; leave these options out")
    if target.suffix.lower() != ".safetensors":
        raise UnsupportedModelError(f"{holds}; only a .safetensors file can hold it")


def _is_checkpoint(path: Path) -> bool:
    """Tell whether a file is to be read as the checkpoint of another program."""
    suffix = path.suffix.lower()
    if suffix != ".safetensors" or not path.is_file():
        return suffix in _CHECKPOINTS
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            return "neurdsp.format" not in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False  # the reader of model files says why


def _from_checkpoint(
    source: Path, target: Path, config: str | os.PathLike[str] | None, dtype: DType
) -> Conversion:
    if target.suffix.lower() != ".safetensors":
        raise ParameterError(f"'{target}': a checkpoint becomes a model file, so the suffix is .safetensors")
    for one in (source, *(() if config is None else (config,))):
        if same_file(target, one):
            raise ParameterError(f"'{target}' is a file to convert; give another name for the model file")
    if not source.is_file():
        raise ModelFileError(f"cannot read '{source}': no such file")
    # The one family whose models come as checkpoints of other programs.
    read_checkpoint = next(family.checkpoint for family in FAMILIES if family.checkpoint)
    done: Conversion = part(read_checkpoint)(
        source, target, config=None if config is None else Path(config), dtype=dtype
    )
    return done


def _is_same(source: Path, target: Path) -> bool:
    return target.exists() and source.samefile(target)


def _kind(source: Path, suffix: str) -> str:
    """Return what the source is by its content: ``model``, ``.nam``, ``JSON`` or that of another player."""
    if suffix == ".safetensors":
        return "model"
    return ".nam" if source.is_dir() else _core.amp_json_format(source)


def _is_lstm(source: Path) -> bool:
    return _core.AmpModel.load(source, None, False).architecture == "nam.lstm"


def _from_nam(source: Path, target: Path, facts: dict[str, Any]) -> Conversion:
    with atomic_output(target) as temporary:
        _core.nam_to_model_file(source, temporary, f"neurdsp {_core.__version__}")
        if facts:
            _write_described(temporary, temporary, facts)
        result = verify(temporary)
    added = (f"parity vectors ({result.n_samples} samples)", *sorted(facts))
    return Conversion(source, target, lost=(), added=added)


def _write_described(source: Path, target: Path, facts: Mapping[str, Any]) -> None:
    """Write a copy of a model file that says these facts too; its tensors are the same bits."""
    model = read(source)
    own = json.loads(model.metadata.get("neurdsp.capture", "{}"))
    metadata = {**model.metadata, "neurdsp.capture": json.dumps({**own, **facts})}
    if isinstance(facts.get("name"), str):
        metadata["neurdsp.name"] = facts["name"]
    write(target, metadata, model.tensors, model.dtypes)


def _levels(path: Path, known: Mapping[str, Any]) -> dict[str, float]:
    """Measure the levels of an amp model that are not known."""
    if all(known.get(key) is not None for key in ("loudness", "gain")):
        return {}
    model = _core.AmpModel.load(path, None, False)

    def play(clip: FloatArray) -> FloatArray:
        return model.stream(model.sample_rate, 1, False).process(clip)

    found = measure_levels(play, model.sample_rate)
    return {key: value for key, value in found.items() if known.get(key) is None}


def _to_nam(source: Path, target: Path, kind: str, version: NamVersion, facts: dict[str, Any]) -> Conversion:
    """Write a ``.nam`` file, with what the metadata of the source says in the words of that format."""
    own, said, lost, came_as_nam = _told(source, kind)
    # A model that came as .nam goes back as it came.
    measured = {} if came_as_nam else _levels(source, {**own, **facts})
    check_output(target)
    _core.model_to_nam(source, target, json.dumps({**said, **measured, **facts}), version)
    added = (*(f"{key} ({value:g})" for key, value in measured.items()), *sorted(facts))
    return Conversion(source, target, lost=tuple(lost), added=added)


def _to_lstm_json(source: Path, target: Path, kind: str) -> Conversion:
    """Write an LSTM as AIDA-X or Proteus have it, and play it beside the source before it is in its place."""
    own, said, lost, _ = _told(source, kind)
    is_aidax = target.suffix.lower() == ".aidax"
    if not is_aidax:
        lost += [f"metadata {key}" for key in sorted(own)]
    with atomic_output(target) as temporary:
        try:
            _core.lstm_to_json(source, temporary, json.dumps(said), is_aidax)
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


def _told(source: Path, kind: str) -> tuple[dict[str, Any], dict[str, Any], list[str], bool]:
    """Return what the source says, and whether it came as ``.nam``.

    Returns
    -------
    own, said : dict
        What it says in the words of ``.nam`` metadata, and in words of its own that have a key there.
    lost : list of str
        What that format cannot hold.
    came_as_nam : bool
        Whether it is a ``.nam`` model.
    """
    own: dict[str, Any] = json.loads(_core.AmpModel.load(source, None, False).capture)
    said: dict[str, Any] = {}
    lost: list[str] = []
    came_as_nam = kind == ".nam"
    if kind == "model":
        model = read(source)
        lost = ["parity vectors"]
        esr = model.metrics.get("esr")
        said = {"name": model.metadata.get("neurdsp.name")}
        came_as_nam = model.architecture.startswith("nam.") and "neurdsp.training" not in model.metadata
        if isinstance(esr, int | float):
            said["training"] = {"validation_esr": esr}
        if not model.architecture.startswith("nam."):
            kept = {*_KEPT_BY_JSON, "neurdsp.capture", "neurdsp.parity_db", "neurdsp.producer"}
            if not model.metrics or model.metrics.keys() == {"esr"}:
                kept |= {"neurdsp.metrics"}
            lost += sorted(model.metadata.keys() - kept)
        if model.architecture == "amp.parametric":
            lost += ["knobs, which stay at their defaults"]
    elif kind == "JSON":
        said = {"name": _core.read_amp_json(source)[0]}
    said = {key: value for key, value in said.items() if value and own.get(key) is None}
    return own, said, lost, came_as_nam


def _nam_to_json(source: Path, target: Path) -> Conversion:
    """Write the JSON of the amp model that a ``.nam`` file was made from."""
    sample_rate, shape, tensors = _core.read_nam_as_amp(source)
    capture = json.loads(_core.AmpModel.load(source, None, False).capture)
    check_output(target)
    _core.write_amp_json(target, str(capture.pop("name", source.stem)), sample_rate, shape, tensors)
    return Conversion(source, target, lost=tuple(f"metadata {key}" for key in sorted(capture)), added=())


def _from_json(source: Path, target: Path, facts: dict[str, Any]) -> Conversion:
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
        name=str(facts.get("name", name)),
    )
    if facts:
        metadata["neurdsp.capture"] = json.dumps(facts)
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
    added = (f"parity vectors ({result.error_db:.1f} dB)", *sorted(facts))
    return Conversion(source, target, lost=(), added=added)


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
