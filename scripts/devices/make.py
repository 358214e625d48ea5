"""Makes the device bench: captures of circuits for training, validation and testing, from fixed seeds.

    python scripts/devices/make.py -o runs/devices            # all of devices.yaml
    python scripts/devices/make.py -o runs/devices ts9 fuzz   # some

The training input is ``neurdsp amp signal`` (synthetic strings, sweeps, noise), whose passage from 170.5 s
on, in another key, is for validation. The test input is other material: parts that fluidsynth plays on the
jazz guitar of FluidR3, in keys and scales and with seeds that are not in the training input. For each device
the script prints THD, level, offset, the error of the best linear filter, and the findings of the
examination.

A stopped run can be started again: a device is done when its ``NAME.json`` exists, and is made again only if
its settings or the inputs changed. Needs the Debian packages ``guitarix-lv2 lilv-utils fluidsynth
fluid-soundfont-gm``.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from cabinet import play_through_cabinet
from neurdsp.amp.capture.check import examine
from neurdsp.amp.capture.lv2 import capture
from neurdsp.amp.capture.signal import write_capture_signal
from neurdsp.audio import read_audio, write_audio
from neurdsp.errors import AudioFileError, NeurdspError

RATE = 48_000
HERE = Path(__file__).parent
PARTS = ("train", "test")
HEAD = "device      THD %   RMS dB  peak dB        DC   lag  linear ESR  (test)  replicate     MB"


def play(device: dict[str, Any], dry: Path, wet: Path) -> None:
    """Play a file through a device, its cabinet included."""
    capture(dry, wet, device["uri"], device.get("controls", {}))
    if device.get("cabinet"):
        signal, rate = read_audio(wet)
        write_audio(wet, play_through_cabinet(signal, rate), rate)


def thd_percent(device: dict[str, Any], folder: Path) -> float:
    """Return harmonics 2 to 10 of a 220 Hz tone at -18 dBFS, relative to the fundamental."""
    probe, response = folder / ".probe_dry.wav", folder / ".probe_wet.wav"
    tone = 0.125 * np.sin(2 * np.pi * 220.0 * np.arange(2 * RATE) / RATE)
    write_audio(probe, tone.astype(np.float32), RATE)
    try:
        play(device, probe, response)
        spectrum = np.abs(np.fft.rfft(read_audio(response)[0][RATE:] * np.hanning(RATE)))
    finally:
        probe.unlink()
        response.unlink(missing_ok=True)
    lines = [spectrum[220 * k - 3 : 220 * k + 4].max() for k in range(1, 11)]
    return float(100 * np.sqrt(np.sum(np.square(lines[1:]))) / lines[0])


def write_inputs(folder: Path, seed: int) -> str:
    """Write the inputs of all devices, and return a hash of them."""
    sys.path.insert(0, str(HERE.parent / "runs"))
    from capture_signal import test_signal

    write_capture_signal(folder / "train_in.wav", RATE, seed=seed)
    write_audio(folder / "test_in.wav", test_signal(), RATE)
    digest = hashlib.sha256()
    for part in PARTS:
        digest.update((folder / f"{part}_in.wav").read_bytes())
    return digest.hexdigest()[:16]


def made_before(name: str, made_from: dict[str, Any], folder: Path) -> dict[str, Any] | None:
    """Return the figures of an earlier run, if it made this device from the same inputs and settings."""
    try:
        found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    except (OSError, ValueError):
        return None
    whole = all((folder / f"{name}_{part}.wav").is_file() for part in PARTS)
    return found if whole and found.get("made_from") == made_from else None


def make(name: str, device: dict[str, Any], inputs: str, folder: Path) -> dict[str, Any]:
    """Capture a device and measure its properties; its JSON is written last."""
    made_from = {**device, "inputs": inputs}
    before = made_before(name, made_from, folder)
    if before is not None:
        return before
    dry = {part: folder / f"{part}_in.wav" for part in PARTS}
    wet = {part: folder / f"{name}_{part}.wav" for part in PARTS}
    for part in PARTS:
        play(device, dry[part], wet[part])
    report, test = (examine(dry[part], wet[part]).report for part in PARTS)
    if report.errors or report.alignment is None:
        raise AudioFileError(f"{name} cannot be trained on: {report.errors[0].message}")
    found = {
        "device": name,
        "kind": device["kind"],
        "thd_percent": thd_percent(device, folder),
        "rms_db": report.output.rms_db,
        "peak_db": report.output.peak_db,
        "dc": report.output.dc,
        "latency_samples": report.alignment.latency_samples,
        "linear_esr": report.linear_esr,
        "test_linear_esr": test.linear_esr,
        "replicate_esr": report.replicate_esr,
        "megabytes": sum(path.stat().st_size for path in wet.values()) / 1e6,
        "findings": [f"{f.severity}: {f.code}" for f in report.findings],
        "made_from": made_from,
    }
    (folder / f"{name}.json").write_text(json.dumps(found, indent=2) + "\n")
    return found


def row(found: dict[str, Any]) -> str:
    """Return the line of a device in the table."""
    return (
        f"{found['device']:10} {found['thd_percent']:6.2f} {found['rms_db']:8.1f} {found['peak_db']:8.1f} "
        f"{found['dc']:+9.4f} {found['latency_samples']:5d} {found['linear_esr']:11.4f} "
        f"{found['test_linear_esr']:7.4f} {found['replicate_esr']:10.2g} {found['megabytes']:6.1f}  "
        f"{', '.join(found['findings'])}"
    )


def main() -> int:
    """Make the inputs and the devices, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="devices of devices.yaml; all by default")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/devices"), help="folder")
    parser.add_argument("--seed", type=int, default=1, help="seed of the training input")
    options = parser.parse_args()
    devices = yaml.safe_load((HERE / "devices.yaml").read_text())
    unknown = set(options.names) - set(devices)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(devices)}")
    options.output.mkdir(parents=True, exist_ok=True)
    try:
        inputs = write_inputs(options.output, options.seed)
        print(HEAD, flush=True)
        for name in options.names or devices:
            print(row(make(name, devices[name], inputs, options.output)), flush=True)
    except (NeurdspError, RuntimeError) as error:
        print(f"make: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
