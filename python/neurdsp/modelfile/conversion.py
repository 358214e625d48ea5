"""Converting a model between the file of neurdsp and the JSON that earlier trainers wrote."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from neurdsp import _core
from neurdsp._output import atomic_output, check_output
from neurdsp.errors import ModelFileError, ParameterError
from neurdsp.modelfile.files import build_metadata, read, verify, write
from neurdsp.modelfile.reference import amp_reference, parity_input, receptive_field

__all__ = ["Conversion", "convert"]

_SUFFIXES = (".safetensors", ".json")
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
        What the target format has no place for.
    added
        What the source lacked and was computed.
    """

    source: Path
    target: Path
    lost: tuple[str, ...]
    added: tuple[str, ...]


def convert(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> Conversion:
    """Convert a model file; the suffixes choose the formats.

    Parameters
    ----------
    source
        A ``.safetensors`` model file, or the ``.json`` of an amp model.
    target
        A ``.json`` or ``.safetensors`` file to write.

    Returns
    -------
    Conversion
        With what was lost and what was added.

    Raises
    ------
    ParameterError
        If the suffixes are not one of each.
    ModelFileError
        If the source cannot be read or the target cannot be written.
    OSError
        If the folder of the target is absent.

    Notes
    -----
    The weights come through bit for bit. JSON has no parity vectors, so on the way to ``.safetensors`` they
    are computed in double precision by a plain implementation, and the engine is verified against them
    before the file is put in its place.
    """
    source, target = Path(source), Path(target)
    suffixes = (source.suffix.lower(), target.suffix.lower())
    for path, suffix in zip((source, target), suffixes, strict=True):
        if suffix not in _SUFFIXES:
            raise ParameterError(f"'{path}': the suffix must be one of {', '.join(_SUFFIXES)}")
    if suffixes[0] == suffixes[1]:
        raise ParameterError(
            f"'{source}' and '{target}' are both {suffixes[0]}; give a target with the suffix "
            f"{_SUFFIXES[1 - _SUFFIXES.index(suffixes[0])]}"
        )
    if suffixes[0] == ".json":
        return _from_json(source, target)
    return _to_json(source, target)


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
    tensors |= {"parity.input": signal, "parity.output": output.astype("float32")}
    with atomic_output(target) as temporary:
        try:
            write(temporary, metadata, tensors)
            result = verify(temporary)
        except ModelFileError as error:
            # The temporary name would tell a user nothing.
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
        raise ParameterError(f"'{source}' holds {model.architecture}, but JSON can hold only amp.wavenet")
    config = model.config
    shape = (config["channels"], config["num_layers"], config["kernel_size"], config["dilation_base"])
    weights = {name: tensor for name, tensor in model.tensors.items() if not name.startswith("parity.")}
    name = model.metadata.get("neurdsp.name", source.stem)
    check_output(target)
    _core.write_amp_json(target, name, model.sample_rate, shape, weights)
    dropped = sorted(model.metadata.keys() - _KEPT_BY_JSON)
    empty = {key for key in dropped if key == "neurdsp.metrics" and not json.loads(model.metadata[key])}
    return Conversion(
        source, target, lost=("parity vectors", *(key for key in dropped if key not in empty)), added=()
    )
