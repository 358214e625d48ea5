"""LV2 plugins as devices: which are installed, and which controls they have.

Runs the programs ``lv2ls`` and ``lv2info`` of the Debian package ``lilv-utils``.
"""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from neurdsp.config import did_you_mean
from neurdsp.errors import MissingDependencyError, ParameterError

__all__ = [
    "Control",
    "Device",
    "describe_device",
    "find_control",
    "find_device",
    "list_devices",
    "parse_lv2info",
    "resolve_controls",
    "run_tool",
]

_PACKAGE = "lilv-utils"
_LIST_TIMEOUT_S = 30


@dataclass(frozen=True)
class Control:
    """A control of a device.

    Parameters
    ----------
    symbol
        The plugin's identifier, which ``--set`` takes.
    name
        The label on its panel.
    minimum, maximum, default
        In the control's own unit.
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
    """A plugin that can be captured.

    Parameters
    ----------
    uri, name
        Its identifier, and its name for people.
    controls
        Its controls, in the plugin's order.
    audio_inputs, audio_outputs
        Numbers of channels; only mono devices can be captured.
    required_features
        Features that its host must have. ``lv2apply`` has few, so devices with long lists may not run.
    """

    uri: str
    name: str
    controls: tuple[Control, ...]
    audio_inputs: int
    audio_outputs: int
    required_features: tuple[str, ...]


def run_tool(arguments: list[str], timeout_s: float) -> subprocess.CompletedProcess[str]:
    """Run one of the programs, and return what it printed.

    Raises
    ------
    MissingDependencyError
        If it is not installed.
    ParameterError
        If it does not end in time.
    """
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
        run_tool(command, _LIST_TIMEOUT_S).stdout.splitlines() for command in (["lv2ls"], ["lv2ls", "-n"])
    )
    if len(uris) != len(names):  # a plugin has no name
        names = [uri.rsplit("#", 1)[-1] for uri in uris]
    return list(zip(uris, names, strict=True))


def find_device(name_or_uri: str) -> str:
    """Return the URI of a plugin, given its URI, its name or the end of its URI.

    Raises
    ------
    ParameterError
        If there is none or more than one; the message lists the nearest.
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
            "the Debian package guitarix-lv2 has many: apt-get install guitarix-lv2"
        )
    hint = did_you_mean(name_or_uri, [name for _, name in devices])
    raise ParameterError(
        f"there is no device '{name_or_uri}'{hint}; 'neurdsp amp capture --list' shows all {len(devices)}"
    )


def describe_device(uri: str) -> Device:
    """Return the controls and channels of a plugin, as ``lv2info`` reports them.

    Raises
    ------
    ParameterError
        If there is no such plugin.
    MissingDependencyError
        If ``lv2info`` is not installed.
    """
    done = run_tool(["lv2info", uri], _LIST_TIMEOUT_S)
    if done.returncode or "Port 0:" not in done.stdout:
        raise ParameterError(f"lv2info knows no device '{uri}'; 'neurdsp amp capture --list' shows all")
    return parse_lv2info(done.stdout)


def parse_lv2info(text: str) -> Device:
    r"""Parse the output of ``lv2info``: a head, then a paragraph for each port.

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
    """Collect ``Key:   value`` lines; a line with only a value belongs to the key before it."""
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
    """Return the control with this symbol, or with this label on the panel; case does not matter.

    Raises
    ------
    ParameterError
        If there is none; the message lists all controls.
    """
    by_name = {control.name.casefold(): control for control in device.controls}
    by_name |= {control.symbol.casefold(): control for control in device.controls}
    control = by_name.get(name.casefold())
    if control is None:
        known = ", ".join(f"{c.symbol} ({c.name})" for c in device.controls) or "none"
        raise ParameterError(f"{device.name} has no control '{name}'; it has: {known}")
    return control


def resolve_controls(device: Device, wanted: Mapping[str, float]) -> dict[str, float]:
    """Return the value of every control by symbol: the wanted one, or else the default.

    Parameters
    ----------
    device
        The device.
    wanted
        Values by symbol or label; case does not matter.

    Raises
    ------
    ParameterError
        For a control that the device lacks, or a value outside its range.

    Examples
    --------
    >>> device = Device("urn:a", "A", (Control("fslider2_", "Drive", 0.0, 1.0, 0.5, False),), 1, 1, ())
    >>> resolve_controls(device, {"drive": 0.7})
    {'fslider2_': 0.7}
    """
    values = {control.symbol: control.default for control in device.controls}
    for name, value in wanted.items():
        control = find_control(device, name)
        if not control.minimum <= value <= control.maximum:
            raise ParameterError(
                f"{control.symbol} ({control.name}) of {device.name} is {value:g}, but it must be "
                f"from {control.minimum:g} to {control.maximum:g}"
            )
        values[control.symbol] = value
    return values
