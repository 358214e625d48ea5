"""Presets of the plugin: a model, a cabinet and settings in a file that VST3 hosts load.

The container is Steinberg's ``.vstpreset`` (VST 3 SDK, ``vstpresetfile.h``): a header, the state of the
plugin, and a list of offsets and sizes of the parts. The state is JSON: the values of all parameters, and the
session with the files themselves in base64.
"""

import base64
import hashlib
import io
import json
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neurdsp import __version__
from neurdsp._output import atomic_output, check_output
from neurdsp.amp.infer import AmpModel
from neurdsp.amp.lookup import find_model
from neurdsp.amp.play.effects import ResponseChannel, impulse_response, response_channel
from neurdsp.amp.play.parameters import PLUGIN_PARAMETERS, one_spelling
from neurdsp.audio.files import forget_time
from neurdsp.errors import ParameterError

__all__ = ["write_plugin_preset"]

# Class ID of the plugin, its bytes in the order in which VST3 writes them.
_CLASS_ID = b"neurdsp.AmpPlay1"
_SESSION_VERSION = 2
# The plugin keeps only the path and the hash of a larger file.
_MAX_EMBEDDED_BYTES = 8 << 20
_TRUTH = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}


def write_plugin_preset(
    path: str | os.PathLike[str],
    model: str | os.PathLike[str] | None = None,
    *,
    ir: str | os.PathLike[str] | None = None,
    ir_channel: ResponseChannel | str = "each",
    knobs: Mapping[str, float] | None = None,
    **settings: bool | float | str,
) -> Path:
    """Write a preset of the plugin that VST3 hosts load.

    Parameters
    ----------
    path : path-like
        The file to write; its name should end in ``.vstpreset``.
    model : str or path-like, optional
        A model file of any kind, or the name of a shipped amp. Files up to 8 MiB are kept in the preset
        itself.
    ir : path-like, optional
        Impulse response of a cabinet, any audio file.
    ir_channel : {"each", "left", "right", "mean"} or int
        Which channel of it plays. By default the left on the left and the right on the right.
    knobs : mapping of str to float, optional
        Positions of the model's knobs by name, 0 to 1; the others keep the defaults of the model. In the
        plugin they are ``knob1`` to ``knob8``, in the order of the model file.
    **settings
        Any of `PLUGIN_PARAMETERS`; the others keep their defaults. Text is read as on the command line.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ModelFileError, AudioFileError
        If the model or the impulse response cannot be read.
    ParameterError
        If a setting or a knob is unknown or out of range, if ``quality`` is given for a model that has one
        size only, or if the model is an old ``.nam`` folder, which no project can hold.
    FileExistsError
        If ``path`` is the model or the impulse response.

    Examples
    --------
    >>> write_plugin_preset("lead.vstpreset", "ts9", bass=3, gate_threshold=-60)  # doctest: +SKIP
    >>> write_plugin_preset("rhythm.vstpreset", "crunch", knobs={"gain": 0.8})  # doctest: +SKIP
    """
    used = [*([] if model is None else [find_model(model)]), *([] if ir is None else [ir])]
    check_output(path, inputs=used)
    resource, positions = (None, {}) if model is None else _model(model, dict(knobs or {}), settings)
    if model is None and knobs:
        raise ParameterError("knobs belong to a model; give the model as well")
    session = {
        "version": _SESSION_VERSION,
        "model": resource,
        "cabinet": None if ir is None else _cabinet(Path(ir), ir_channel),
    }
    state = {
        "version": __version__,
        "params": _values(positions | settings) | {"revision": {"i32": 0}},
        "fields": {"session": json.dumps(session)},
    }
    with atomic_output(path) as temporary:
        temporary.write_bytes(_container(json.dumps(state).encode()))
    return Path(path)


def _container(state: bytes) -> bytes:
    """Return the content of the file: header, state, list of the parts."""
    header_size = 4 + 4 + 32 + 8
    header = b"VST3" + struct.pack("<i", 1) + _CLASS_ID.hex().upper().encode()
    offset = struct.pack("<q", header_size + len(state))
    listed = b"List" + struct.pack("<i", 1) + b"Comp" + struct.pack("<qq", header_size, len(state))
    return header + offset + state + listed


def _values(settings: dict[str, Any]) -> dict[str, dict[str, Any]]:
    for name in settings:
        if name not in PLUGIN_PARAMETERS:
            from neurdsp.config import did_you_mean

            raise ParameterError(
                f"the plugin has no parameter '{name}'{did_you_mean(name, PLUGIN_PARAMETERS)}"
            )
    values: dict[str, dict[str, Any]] = {}
    for name, (default, allowed) in PLUGIN_PARAMETERS.items():
        value = settings.get(name, default)
        if name == "output_mode":
            value = one_spelling(value)
        if isinstance(default, bool):
            values[name] = {"bool": _switch(name, value)}
        elif isinstance(default, float):
            values[name] = {"f32": _number(name, value, allowed)}
        elif value in allowed:
            values[name] = {"string": value}
        else:
            raise ParameterError(f"{name} is {value!r}, but it must be one of {', '.join(allowed)}")
    return values


def _switch(name: str, value: Any) -> bool:
    if isinstance(value, str):
        value = _TRUTH.get(value.lower(), value)
    if not isinstance(value, bool):
        raise ParameterError(f"{name} is {value!r}, but it must be true or false")
    return value


def _number(name: str, value: Any, allowed: tuple[Any, ...]) -> float:
    least, largest = allowed
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not least <= number <= largest:
        raise ParameterError(f"{name} is {value!r}, but it must be {least} to {largest}")
    return number


def _model(
    name_or_path: str | os.PathLike[str], knobs: dict[str, float], settings: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, float]]:
    """Return the model's part of the session, and the parameters of its knobs."""
    path = find_model(name_or_path)
    if path.is_dir():
        raise ParameterError(
            f"the model '{path}' is a folder; convert it first: neurdsp model convert {path} amp.nam"
        )
    # A model that cannot be played is refused here, not in the host.
    model = AmpModel.load(path).with_knobs(**knobs)
    quality = settings.get("quality", 1.0)
    if not model.size_steps and _number("quality", quality, PLUGIN_PARAMETERS["quality"][1]) != 1:
        raise ParameterError(f"quality is {quality}, but '{path.stem}' has one size only; leave it out")
    positions = {f"knob{number}": position for number, position in enumerate(model.knobs.values(), 1)}
    return _resource(path, path.read_bytes()), positions


def _cabinet(path: Path, channel: ResponseChannel | str) -> dict[str, str]:
    import soundfile

    samples, sample_rate = impulse_response(path, 0, channel=channel, n_channels=2)
    data = path.read_bytes()
    if data[:4] != b"RIFF" or response_channel(channel) != response_channel("each"):
        # The plugin reads only WAV, and plays each channel on its own side.
        file = io.BytesIO()
        soundfile.write(file, samples.T, round(sample_rate), format="WAV", subtype="FLOAT")
        forget_time(file)
        data = file.getvalue()
    return _resource(path, data)


def _resource(path: Path, data: bytes) -> dict[str, str]:
    resource = {"path": str(path.resolve()), "hash": hashlib.sha256(data).hexdigest()}
    if len(data) <= _MAX_EMBEDDED_BYTES:
        resource["content"] = base64.b64encode(data).decode()
    return resource
