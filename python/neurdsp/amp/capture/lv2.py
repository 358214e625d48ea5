"""LV2 plugins as devices: which there are, which knobs they have, and a recording played through one.

Runs the programs ``lv2ls``, ``lv2info`` and ``lv2apply`` (Debian package ``lilv-utils``). They run one plugin
faster than real time, with no host and no sound card; reruns are equal to the bit.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurdsp._output import check_output
from neurdsp.audio import AudioReader, AudioWriter
from neurdsp.audio.checks import FloatArray
from neurdsp.config import did_you_mean
from neurdsp.errors import AudioFileError, MissingDependencyError, ParameterError
from neurdsp.metrics.level import amplitude_to_db

__all__ = [
    "CaptureResult",
    "Control",
    "Device",
    "capture",
    "describe_device",
    "find_control",
    "find_device",
    "list_devices",
    "resolve_controls",
]

_PACKAGE = "lilv-utils"
_LIST_TIMEOUT_S = 30
_RUN_TIMEOUT_S = 3600
_BLOCK_SAMPLES = 65_536
_SETTLING_S = 2.0


@dataclass(frozen=True)
class Control:
    """A knob of a device.

    Parameters
    ----------
    symbol
        The plugin's own name for it, which ``--set`` takes.
    name
        What its panel says.
    minimum, maximum, default
        In the knob's own unit.
    toggled
        Whether it is a switch.
    """

    symbol: str
    name: str
    minimum: float
    maximum: float
    default: float
    toggled: bool


@dataclass(frozen=True)
class Device:
    """A plugin that could be captured.

    Parameters
    ----------
    uri, name
        Its identity, and what people call it.
    controls
        Its knobs, in the plugin's order.
    audio_inputs, audio_outputs
        Numbers of channels; only mono devices can be captured.
    required_features
        What a host must offer; ``lv2apply`` offers little, so that devices with long lists may not run.
    """

    uri: str
    name: str
    controls: tuple[Control, ...]
    audio_inputs: int
    audio_outputs: int
    required_features: tuple[str, ...]


@dataclass(frozen=True)
class CaptureResult:
    """What a capture wrote: the device, its resolved knob positions, length, rate, peak and level in dBFS."""

    device: str
    controls: dict[str, float]
    n_samples: int
    sample_rate: int
    peak_db: float
    rms_db: float


def _run(arguments: list[str], timeout_s: float) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            arguments, capture_output=True, text=True, errors="replace", check=False, timeout=timeout_s
        )
    except FileNotFoundError:
        raise MissingDependencyError(
            f"capturing a device needs the program {arguments[0]}, which is not installed: "
            f"apt-get install {_PACKAGE}"
        ) from None
    except subprocess.TimeoutExpired:
        raise ParameterError(
            f"{arguments[0]} did not end within {timeout_s:g} s; try another device"
        ) from None


def list_devices() -> list[tuple[str, str]]:
    """Return ``(uri, name)`` of every installed LV2 plugin, by URI.

    Raises
    ------
    MissingDependencyError
        If ``lv2ls`` is not installed.

    Examples
    --------
    >>> for uri, name in list_devices():  # doctest: +SKIP
    ...     print(name, uri)
    """
    uris, names = (
        _run(command, _LIST_TIMEOUT_S).stdout.splitlines() for command in (["lv2ls"], ["lv2ls", "-n"])
    )
    if len(uris) != len(names):  # a plugin without a name
        names = [uri.rsplit("#", 1)[-1] for uri in uris]
    return list(zip(uris, names, strict=True))


def find_device(name_or_uri: str) -> str:
    """Return the URI of a plugin that is named by its URI, its name or the end of its URI.

    Raises
    ------
    ParameterError
        If there is none, or several; the message lists the nearest.
    MissingDependencyError
        If ``lv2ls`` is not installed.

    Examples
    --------
    >>> find_device("GxTubeScreamer")  # doctest: +SKIP
    'http://guitarix.sourceforge.net/plugins/gxts9#ts9sim'
    """
    devices = list_devices()
    if name_or_uri in {uri for uri, _ in devices}:
        return name_or_uri
    wanted = name_or_uri.casefold()

    def words(uri: str, name: str) -> set[str]:
        return {name.casefold(), re.split(r"[#/]", uri)[-1].casefold(), uri.rsplit("/", 1)[-1].casefold()}

    found = [uri for uri, name in devices if wanted in words(uri, name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ParameterError(f"several devices are called '{name_or_uri}': {', '.join(found)}; give the URI")
    if not devices:
        raise ParameterError(
            f"there is no device '{name_or_uri}': no LV2 plugin is installed; "
            "Debian's guitarix-lv2 brings many: apt-get install guitarix-lv2"
        )
    hint = did_you_mean(name_or_uri, [name for _, name in devices])
    raise ParameterError(
        f"there is no device '{name_or_uri}'{hint}; 'neurdsp amp capture --list' shows all {len(devices)}"
    )


def describe_device(uri: str) -> Device:
    """Ask ``lv2info`` for a plugin's knobs and channels.

    Raises
    ------
    ParameterError
        If there is no such plugin.
    MissingDependencyError
        If ``lv2info`` is not installed.
    """
    done = _run(["lv2info", uri], _LIST_TIMEOUT_S)
    if done.returncode or "Port 0:" not in done.stdout:
        raise ParameterError(f"lv2info knows no device '{uri}'; 'neurdsp amp capture --list' shows all")
    return parse_lv2info(done.stdout)


def parse_lv2info(text: str) -> Device:
    r"""Read the report of ``lv2info``: a head, then a paragraph for each port.

    Examples
    --------
    >>> parse_lv2info("urn:a\n\n\tName:              A\n").name
    'A'
    """
    head, *ports = re.split(r"^\s*Port \d+:\s*$", text, flags=re.M)
    fields = _fields(head)
    controls, counts = [], {"Input": 0, "Output": 0}
    for port in ports:
        values = _fields(port)
        types = {kind.rsplit("#", 1)[-1] for kind in values.get("Type", [])}
        side = "Input" if "InputPort" in types else "Output"
        if "AudioPort" in types:
            counts[side] += 1
        elif "ControlPort" in types and side == "Input":
            low, high = _number(values, "Minimum", 0.0), _number(values, "Maximum", 1.0)
            controls.append(
                Control(
                    symbol=values.get("Symbol", ["?"])[0],
                    name=values.get("Name", values.get("Symbol", ["?"]))[0],
                    minimum=low,
                    maximum=high,
                    default=_number(values, "Default", low),
                    toggled=any(value.endswith("#toggled") for value in values.get("Properties", [])),
                )
            )
    return Device(
        uri=text.split("\n", 1)[0].strip(),
        name=fields.get("Name", [""])[0],
        controls=tuple(controls),
        audio_inputs=counts["Input"],
        audio_outputs=counts["Output"],
        required_features=tuple(fields.get("Required Features", [])),
    )


def _fields(paragraph: str) -> dict[str, list[str]]:
    """Collect ``Key:   value`` lines; a line that is only a value belongs to the key before it."""
    found: dict[str, list[str]] = {}
    key = ""
    for line in paragraph.splitlines():
        match = re.match(r"^\s*([A-Z][A-Za-z ]*):(?:\s+(\S.*))?$", line)
        if match:
            key = match[1]
            if match[2]:
                found.setdefault(key, []).append(match[2].strip())
        elif line.strip() and key:
            found.setdefault(key, []).append(line.strip())
    return found


def _number(values: Mapping[str, list[str]], key: str, fallback: float) -> float:
    try:
        return float(values[key][0])
    except (KeyError, ValueError):
        return fallback


def find_control(device: Device, name: str) -> Control:
    """Return the control of this symbol, or of this name on the panel, in any case.

    Raises
    ------
    ParameterError
        If there is none; the message lists all.
    """
    by_name = {control.name.casefold(): control for control in device.controls}
    by_name |= {control.symbol.casefold(): control for control in device.controls}
    control = by_name.get(name.casefold())
    if control is None:
        known = ", ".join(f"{c.symbol} ({c.name})" for c in device.controls) or "none"
        raise ParameterError(f"{device.name} has no control '{name}'; it has: {known}")
    return control


def resolve_controls(device: Device, wanted: Mapping[str, float]) -> dict[str, float]:
    """Return the position of every knob by symbol: what is wanted, and else the device's default.

    Parameters
    ----------
    device
        With its knobs.
    wanted
        Positions by symbol, or by the panel's name in any case.

    Raises
    ------
    ParameterError
        For a knob that the device lacks, or a position outside its range.

    Examples
    --------
    >>> device = Device("urn:a", "A", (Control("fslider2_", "Drive", 0.0, 1.0, 0.5, False),), 1, 1, ())
    >>> resolve_controls(device, {"drive": 0.7})
    {'fslider2_': 0.7}
    """
    positions = {control.symbol: control.default for control in device.controls}
    for name, value in wanted.items():
        control = find_control(device, name)
        if not control.minimum <= value <= control.maximum:
            raise ParameterError(
                f"{control.symbol} ({control.name}) of {device.name} goes from {control.minimum:g} to "
                f"{control.maximum:g}, got {value:g}"
            )
        positions[control.symbol] = value
    return positions


def capture(
    input_path: str | os.PathLike[str],
    output_path: str | os.PathLike[str],
    device: str,
    controls: Mapping[str, float] | None = None,
) -> CaptureResult:
    """Play a recording through an LV2 plugin and write what comes out, sample for sample.

    Two seconds of silence are played before it and cut off again: a circuit that has just been switched on
    charges its capacitors into the output, which no player hears and no model can know.

    Parameters
    ----------
    input_path
        Mono, of any rate. It reaches the plugin as floats, so that an output over full scale is not clipped.
    output_path
        Replaced in one step when the capture is complete; a failing run leaves what was there as it was, and
        nothing half-written.
    device
        A URI, or a name that only one plugin has.
    controls
        Knob positions by symbol or name; the others keep their defaults.

    Returns
    -------
    CaptureResult
        The positions of all knobs, and the level that came out.

    Raises
    ------
    MissingDependencyError
        If ``lilv-utils`` is not installed.
    ParameterError
        For an unknown device or knob, a device that is not mono, or one that ``lv2apply`` cannot run.
    AudioFileError
        If the input cannot be read or the output not be written, or if what came out is no capture: silent,
        not finite, of another length.

    Examples
    --------
    >>> capture("in.wav", "out.wav", "GxTubeScreamer", {"Drive": 0.7})  # doctest: +SKIP
    """
    check_output(output_path)
    found = describe_device(find_device(device))
    if (found.audio_inputs, found.audio_outputs) != (1, 1):
        raise ParameterError(
            f"{found.name} has {found.audio_inputs} inputs and {found.audio_outputs} outputs; "
            "only devices with one of each can be captured"
        )
    positions = resolve_controls(found, controls or {})
    with tempfile.TemporaryDirectory(prefix="neurdsp-capture-") as folder:
        before, after = Path(folder, "in.wav"), Path(folder, "out.wav")
        n_samples, sample_rate = _copy_as_float(input_path, before)
        command = ["lv2apply", "-i", str(before), "-o", str(after)]
        for symbol, value in positions.items():
            command += ["-c", symbol, repr(value)]
        done = _run([*command, found.uri], _RUN_TIMEOUT_S)
        if done.returncode or not after.is_file():
            raise ParameterError(_failure(found, done))
        peak, energy = _check_output_audio(after, found, n_samples)
        with AudioReader(after, mono=True) as reader, AudioWriter(output_path, sample_rate) as writer:
            for block in _settled(reader):
                writer.write(block)
    return CaptureResult(
        device=found.uri,
        controls=positions,
        n_samples=n_samples,
        sample_rate=sample_rate,
        peak_db=amplitude_to_db(peak),
        rms_db=amplitude_to_db(float(np.sqrt(energy / n_samples))),
    )


def _failure(device: Device, done: subprocess.CompletedProcess[str]) -> str:
    reason = " ".join(done.stderr.split())[-200:] or "no reason given"
    needs = ", ".join(feature.rsplit("/", 1)[-1] for feature in device.required_features)
    hint = (
        f"; it asks its host for {needs}, which lv2apply may not offer: try another device" if needs else ""
    )
    return f"lv2apply cannot run {device.name} (status {done.returncode}: {reason}){hint}"


def _copy_as_float(source: str | os.PathLike[str], target: Path) -> tuple[int, int]:
    with AudioReader(source, mono=True) as reader:
        rate, n_samples = reader.info.sample_rate, 0
        with AudioWriter(target, rate) as writer:
            writer.write(np.zeros((1, round(_SETTLING_S * rate)), np.float32))
            for block in reader.blocks(_BLOCK_SAMPLES):
                if not np.isfinite(block).all():
                    raise AudioFileError(f"'{source}' holds NaN or infinity; repair it before it is played")
                writer.write(block)
                n_samples += block.shape[1]
            if not n_samples:
                raise AudioFileError(f"'{source}' is empty: it holds no samples")
    return n_samples, rate


def _settled(reader: AudioReader) -> Iterator[FloatArray]:
    """Yield the blocks of a capture after the silence that was played before it."""
    before = round(_SETTLING_S * reader.info.sample_rate)
    for block in reader.blocks(_BLOCK_SAMPLES):
        kept = block[:, min(before, block.shape[1]) :]
        before -= block.shape[1] - kept.shape[1]
        if kept.shape[1]:
            yield kept


def _check_output_audio(path: Path, device: Device, n_samples: int) -> tuple[float, float]:
    """Return peak and energy of what came out, or say why it is no capture."""
    peak, energy, n_out = 0.0, 0.0, 0
    with AudioReader(path, mono=True) as reader:
        for block in _settled(reader):
            if not np.isfinite(block).all():
                raise AudioFileError(f"{device.name} made NaN or infinity; choose other control positions")
            peak = max(peak, float(np.abs(block).max()))
            energy += float(np.sum(np.square(block, dtype=np.float64)))
            n_out += block.shape[1]
    if n_out != n_samples:
        raise AudioFileError(f"{device.name} made {n_out} samples of {n_samples}: not a usable capture")
    if peak == 0:
        raise AudioFileError(
            f"{device.name} made only silence; look at its controls: neurdsp amp capture --list --device "
            f"{device.uri}"
        )
    return peak, energy
