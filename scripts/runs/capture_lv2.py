"""Plays a WAV file through an LV2 plugin and says in numbers what kind of device it is.

    python scripts/runs/capture_lv2.py URI dry.wav wet.wav --set fslider2_=0.7 --json

``lv2info URI`` lists a plugin's controls. Any mono plugin works that ``lv2apply`` (of lilv-utils) runs.
The numbers are for choosing a device and for trusting a capture: a delay that nobody expected, an output that
is silent or linear, an offset, a level that clips.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

__all__ = ["DeviceReport", "describe", "run_device"]

Signal = NDArray[np.float32]


@dataclass(frozen=True)
class DeviceReport:
    """What a device did to a signal."""

    delay_samples: int
    """Where the response to the first blip begins, less where the blip is."""
    rms_dry_dbfs: float
    rms_wet_dbfs: float
    peak_wet_dbfs: float
    dc_wet: float
    """Mean of the output."""
    thd_percent: float
    """Harmonics 2 to 10 of a 220 Hz tone at -18 dBFS, relative to the fundamental."""
    best_linear_esr: float
    """Error-to-signal ratio of the best linear filter of 512 taps: near 0, the device is linear."""


def run_device(uri: str, dry: Path, wet: Path, controls: dict[str, float]) -> None:
    """Play a mono WAV file through an LV2 plugin.

    Parameters
    ----------
    uri : str
        The plugin; ``lv2ls`` lists those installed.
    dry, wet : Path
        Input, and the file to be written in the input's rate and sample format. An old output is deleted
        first: lv2apply leaves it in place when it fails.
    controls : dict of str to float
        Values of control ports, by symbol; the others keep their defaults.

    Raises
    ------
    RuntimeError
        If lv2apply is not installed or fails, or if the output is not as long as the input, not finite
        or silent.
    """
    wet.unlink(missing_ok=True)
    command = ["lv2apply", "-i", str(dry), "-o", str(wet)]
    for symbol, value in controls.items():
        command += ["-c", symbol, repr(value)]
    try:
        done = subprocess.run([*command, uri], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise RuntimeError("lv2apply is missing; install it: apt-get install lilv-utils") from error
    if done.returncode or not wet.is_file():
        raise RuntimeError(f"lv2apply failed with status {done.returncode}: {done.stderr.strip()[-300:]}")
    before, after = soundfile.info(dry), soundfile.info(wet)
    if before.frames != after.frames:
        raise RuntimeError(
            f"{wet} has {after.frames} frames, its input {before.frames}: not a usable capture"
        )
    output, _ = soundfile.read(wet, dtype="float32")
    if not np.isfinite(output).all():
        raise RuntimeError(f"{uri} made NaN or infinity; choose other settings")
    if not output.any():
        raise RuntimeError(f"{uri} made only silence; check its controls with lv2info")


def describe(uri: str, dry: Signal, wet: Signal, controls: dict[str, float], folder: Path) -> DeviceReport:
    """Measure a device on a capture and on two probes of its own.

    Parameters
    ----------
    uri, controls
        As for `run_device`.
    dry, wet : ndarray of float32, shape (n,)
        Input and output at 48 kHz, a second or more.
    folder : Path
        Where the probes may be written; they are removed.

    Returns
    -------
    DeviceReport
    """
    rate = 48_000
    blip = np.zeros(rate, np.float32)
    blip[rate // 2] = 0.5
    tone = (0.125 * np.sin(2 * np.pi * 220.0 * np.arange(2 * rate) / rate)).astype(np.float32)
    answers = []
    for probe in (blip, tone):
        before, after = folder / "probe_dry.wav", folder / "probe_wet.wav"
        soundfile.write(before, probe, rate, subtype="FLOAT")
        run_device(uri, before, after, controls)
        answers.append(soundfile.read(after, dtype="float32")[0])
        before.unlink()
        after.unlink()
    response = np.abs(answers[0] - answers[0][: rate // 2].mean())
    threshold = 1e-3 * response[rate // 2 :].max() + response[: rate // 2].max()
    spectrum = np.abs(np.fft.rfft(answers[1][rate:] * np.hanning(rate)))
    lines = [spectrum[220 * k - 3 : 220 * k + 4].max() for k in range(1, 11)]
    return DeviceReport(
        delay_samples=int(np.argmax(response > threshold)) - rate // 2,
        rms_dry_dbfs=_db(np.sqrt(np.mean(np.square(dry, dtype=np.float64)))),
        rms_wet_dbfs=_db(np.sqrt(np.mean(np.square(wet, dtype=np.float64)))),
        peak_wet_dbfs=_db(np.abs(wet).max()),
        dc_wet=float(np.mean(wet, dtype=np.float64)),
        thd_percent=float(100 * np.sqrt(np.sum(np.square(lines[1:]))) / lines[0]),
        best_linear_esr=_linear_esr(dry.astype(np.float64), wet.astype(np.float64), 512),
    )


def _db(ratio: float) -> float:
    return float(20 * np.log10(max(float(ratio), 1e-12)))


def _linear_esr(dry: NDArray[np.float64], wet: NDArray[np.float64], taps: int) -> float:
    """Solve the Wiener-Hopf equations for the causal filter that comes closest."""
    size = 1 << int(np.ceil(np.log2(len(dry) + taps)))
    x, y = np.fft.rfft(dry, size), np.fft.rfft(wet, size)
    auto = np.fft.irfft(np.abs(x) ** 2, size)[:taps]
    cross = np.fft.irfft(np.conj(x) * y, size)[:taps]
    matrix = auto[np.abs(np.subtract.outer(np.arange(taps), np.arange(taps)))]
    matrix[np.diag_indices(taps)] += 1e-9 * auto[0]
    gain = np.linalg.solve(matrix, cross)
    residual = wet - np.fft.irfft(x * np.fft.rfft(gain, size), size)[: len(wet)]
    return float(np.sum(residual**2) / np.sum(wet**2))


def _control(text: str) -> tuple[str, float]:
    symbol, equals, value = text.partition("=")
    try:
        if not equals:
            raise ValueError
        return symbol, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not SYMBOL=NUMBER") from None


def main() -> int:
    """Capture, then print the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("uri")
    parser.add_argument("dry", type=Path)
    parser.add_argument("wet", type=Path)
    parser.add_argument(
        "--set", dest="controls", type=_control, action="append", default=[], metavar="SYMBOL=NUMBER"
    )
    parser.add_argument("--json", action="store_true", help="print the report as one line of JSON")
    options = parser.parse_args()
    controls = dict(options.controls)
    try:
        run_device(options.uri, options.dry, options.wet, controls)
        dry, wet = (soundfile.read(path, dtype="float32")[0] for path in (options.dry, options.wet))
        report = describe(options.uri, dry, wet, controls, options.wet.parent)
    except (RuntimeError, soundfile.LibsndfileError) as error:
        print(f"capture_lv2: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(asdict(report)))
    else:
        for name, value in asdict(report).items():
            print(f"{name:18} {value:.6g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
