"""Playing a recording through an LV2 plugin, to capture it without hardware.

Runs the program ``lv2apply`` of the Debian package ``lilv-utils``: one plugin, faster than real time, without
a host or a sound card. Each run gives the same bits.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurdsp._output import check_output
from neurdsp.amp.capture.lv2_info import Device, describe_device, find_device, resolve_controls, run_tool
from neurdsp.audio import AudioReader, AudioWriter
from neurdsp.audio.checks import FloatArray
from neurdsp.errors import AudioFileError, ParameterError
from neurdsp.metrics.level import amplitude_to_db

__all__ = ["CaptureResult", "capture"]

_RUN_TIMEOUT_S = 3600
_BLOCK_SAMPLES = 65_536
_SETTLING_S = 2.0


@dataclass(frozen=True)
class CaptureResult:
    """A finished capture: device, values of its controls, length, rate, and peak and RMS level in dBFS."""

    device: str
    controls: dict[str, float]
    n_samples: int
    sample_rate: int
    peak_db: float
    rms_db: float


def capture(
    input_path: str | os.PathLike[str],
    output_path: str | os.PathLike[str],
    device: str,
    controls: Mapping[str, float] | None = None,
) -> CaptureResult:
    """Play a recording through an LV2 plugin, and write its output, aligned sample by sample.

    Two seconds of silence come before it and are cut off again: the capacitors of a circuit that was just
    switched on charge into the output, which no player hears and no model can predict.

    Parameters
    ----------
    input_path
        Mono file of any sample rate. All samples are floats, so an output over full scale is not clipped.
    output_path
        The file to write. It is replaced when the capture is complete; a failed run leaves it unchanged.
    device
        A URI, or a name that only one plugin has.
    controls
        Values of controls by symbol or label; the others keep their defaults.

    Returns
    -------
    CaptureResult
        The values of all controls, and the level of the output.

    Raises
    ------
    MissingDependencyError
        If ``lilv-utils`` is not installed.
    ParameterError
        For an unknown device or control, a device that is not mono, or one that ``lv2apply`` cannot run.
    AudioFileError
        If the input cannot be read or the output cannot be written, or if the output of the plugin is silent,
        not finite or of another length.

    Examples
    --------
    >>> capture("in.wav", "out.wav", "GxTubeScreamer", {"Drive": 0.7})  # doctest: +SKIP
    """
    check_output(output_path, inputs=[input_path])
    found = describe_device(find_device(device))
    if (found.audio_inputs, found.audio_outputs) != (1, 1):
        raise ParameterError(
            f"{found.name} has {found.audio_inputs} inputs and {found.audio_outputs} outputs; "
            "only devices with one of each can be captured"
        )
    values = resolve_controls(found, controls or {})
    with tempfile.TemporaryDirectory(prefix="neurdsp-capture-") as folder:
        before, after = Path(folder, "in.wav"), Path(folder, "out.wav")
        n_samples, sample_rate = _copy_as_float(input_path, before)
        command = ["lv2apply", "-i", str(before), "-o", str(after)]
        for symbol, value in values.items():
            command += ["-c", symbol, repr(value)]
        done = run_tool([*command, found.uri], _RUN_TIMEOUT_S)
        if done.returncode or not after.is_file():
            raise ParameterError(_failure(found, done))
        peak, energy = _check_output_audio(after, found, n_samples)
        with AudioReader(after, mono=True) as reader, AudioWriter(output_path, sample_rate) as writer:
            for block in _settled(reader):
                writer.write(block)
    return CaptureResult(
        device=found.uri,
        controls=values,
        n_samples=n_samples,
        sample_rate=sample_rate,
        peak_db=amplitude_to_db(peak),
        rms_db=amplitude_to_db(float(np.sqrt(energy / n_samples))),
    )


def _failure(device: Device, done: subprocess.CompletedProcess[str]) -> str:
    reason = " ".join(done.stderr.split())[-200:] or "no reason given"
    needs = ", ".join(feature.rsplit("/", 1)[-1] for feature in device.required_features)
    hint = f"; it needs {needs}, which lv2apply may not offer: try another device" if needs else ""
    return f"lv2apply cannot run {device.name} (status {done.returncode}: {reason}){hint}"


def _copy_as_float(source: str | os.PathLike[str], target: Path) -> tuple[int, int]:
    with AudioReader(source, mono=True, incomplete="refuse") as reader:
        rate, n_samples = reader.info.sample_rate, 0
        with AudioWriter(target, rate) as writer:
            writer.write(np.zeros((1, round(_SETTLING_S * rate)), np.float32))
            for block in reader.blocks(_BLOCK_SAMPLES):
                if not np.isfinite(block).all():
                    raise AudioFileError(f"'{source}' holds NaN or infinity; repair it first")
                writer.write(block)
                n_samples += block.shape[1]
            if not n_samples:
                raise AudioFileError(f"'{source}' is empty: it holds no samples")
    return n_samples, rate


def _settled(reader: AudioReader) -> Iterator[FloatArray]:
    """Yield the blocks of a capture without the silence at its beginning."""
    before = round(_SETTLING_S * reader.info.sample_rate)
    for block in reader.blocks(_BLOCK_SAMPLES):
        kept = block[:, min(before, block.shape[1]) :]
        before -= block.shape[1] - kept.shape[1]
        if kept.shape[1]:
            yield kept


def _check_output_audio(path: Path, device: Device, n_samples: int) -> tuple[float, float]:
    """Return the peak and the energy of an output; raise if it is no usable capture."""
    peak, energy, n_out = 0.0, 0.0, 0
    with AudioReader(path, mono=True, incomplete="allow") as reader:  # the length is compared below
        for block in _settled(reader):
            if not np.isfinite(block).all():
                raise AudioFileError(
                    f"the output of {device.name} has NaN or infinity; choose other values of its controls"
                )
            peak = max(peak, float(np.abs(block).max()))
            energy += float(np.sum(np.square(block, dtype=np.float64)))
            n_out += block.shape[1]
    if n_out != n_samples:
        raise AudioFileError(
            f"{device.name} returned {n_out} samples instead of {n_samples}; try another device"
        )
    if peak == 0:
        raise AudioFileError(
            f"the output of {device.name} is silent; look at its controls: neurdsp amp capture --list "
            f"--device {device.uri}"
        )
    return peak, energy
