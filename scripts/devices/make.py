"""Makes the device bench: captures of circuits, for training, validation and test, from fixed seeds.

    python scripts/devices/make.py -o runs/devices            # all of devices.yaml
    python scripts/devices/make.py -o runs/devices ts9 fuzz   # some

Training and validation are ``neurdsp amp signal`` (synthetic strings; the validation passage is at its end).
Test is other material: parts that fluidsynth plays on FluidR3's jazz guitar, in keys, scales and with seeds
that training never hears. For each device it prints what kind it is: THD, level, offset, the error of the
best linear filter, and how the capture examines. Needs Debian's ``guitarix-lv2 lilv-utils fluidsynth
fluid-soundfont-gm``.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import yaml
from cabinet import play_through_cabinet
from neurdsp.amp.check import examine
from neurdsp.amp.lv2 import capture
from neurdsp.amp.signal import write_capture_signal
from neurdsp.audio import read_audio, write_audio
from neurdsp.errors import NeurdspError

RATE = 48_000
HERE = Path(__file__).parent


def play(device: dict, dry: Path, wet: Path) -> None:
    """Play a file through a device of the list, cabinet included."""
    capture(dry, wet, device["uri"], device.get("controls", {}))
    if device.get("cabinet"):
        signal, rate = read_audio(wet)
        write_audio(wet, play_through_cabinet(signal, rate), rate)


def thd_percent(device: dict, folder: Path) -> float:
    """Return harmonics 2 to 10 of a 220 Hz tone at -18 dBFS, relative to the fundamental."""
    probe, answer = folder / ".probe_dry.wav", folder / ".probe_wet.wav"
    tone = 0.125 * np.sin(2 * np.pi * 220.0 * np.arange(2 * RATE) / RATE)
    write_audio(probe, tone.astype(np.float32), RATE)
    try:
        play(device, probe, answer)
        spectrum = np.abs(np.fft.rfft(read_audio(answer)[0][RATE:] * np.hanning(RATE)))
    finally:
        probe.unlink()
        answer.unlink(missing_ok=True)
    lines = [spectrum[220 * k - 3 : 220 * k + 4].max() for k in range(1, 11)]
    return float(100 * np.sqrt(np.sum(np.square(lines[1:]))) / lines[0])


def write_test_input(path: Path) -> None:
    """Write the held-out playing of scripts/runs/capture_signal.py."""
    sys.path.insert(0, str(HERE.parent / "runs"))
    from capture_signal import test_signal

    write_audio(path, test_signal(), RATE)


def make(name: str, device: dict, folder: Path) -> dict:
    """Capture a device and measure what kind it is."""
    for part in ("train", "test"):
        play(device, folder / f"{part}_in.wav", folder / f"{name}_{part}.wav")
    report = examine(folder / "train_in.wav", folder / f"{name}_train.wav").report
    test = examine(folder / "test_in.wav", folder / f"{name}_test.wav").report
    assert report.alignment is not None
    return {
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
        "findings": [f"{f.severity}: {f.code}" for f in report.findings],
    }


def main() -> int:
    """Make inputs, then devices, then the table and devices.json."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="devices of devices.yaml; all if none is named")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/devices"))
    parser.add_argument("--seed", type=int, default=1, help="of the training signal")
    options = parser.parse_args()
    devices = yaml.safe_load((HERE / "devices.yaml").read_text())
    unknown = set(options.names) - set(devices)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(devices)}")
    options.output.mkdir(parents=True, exist_ok=True)
    found = []
    try:
        write_capture_signal(options.output / "train_in.wav", RATE, seed=options.seed)
        write_test_input(options.output / "test_in.wav")
        print(
            "device      THD %   RMS dB  peak dB        DC   lag  linear ESR  (test)  replicate", flush=True
        )
        for name in options.names or devices:
            one = make(name, devices[name], options.output)
            found.append(one)
            print(
                f"{name:10} {one['thd_percent']:6.2f} {one['rms_db']:8.1f} {one['peak_db']:8.1f} "
                f"{one['dc']:+9.4f} {one['latency_samples']:5d} {one['linear_esr']:11.4f} "
                f"{one['test_linear_esr']:7.4f} {one['replicate_esr']:10.2g}  {', '.join(one['findings'])}",
                flush=True,
            )
    except (NeurdspError, RuntimeError) as error:
        print(f"make: {error}", file=sys.stderr)
        return 2
    (options.output / "devices.json").write_text(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
