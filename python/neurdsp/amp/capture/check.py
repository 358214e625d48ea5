"""Examining two recordings of a device before training, and saying what is wrong with them.

The trainer refuses recordings with an error, in the error's words; see `neurdsp.amp.capture.report`.
"""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from neurdsp.amp.capture.align import Alignment, find_blip_latency, find_latency
from neurdsp.amp.capture.diagnose import explain_mismatch
from neurdsp.amp.capture.drift import Drift, find_drift, undo_drift
from neurdsp.amp.capture.known import OWN_MATERIAL, UNKNOWN_INPUT, KnownInput, recognise
from neurdsp.amp.capture.levels import judge_levels, measure_levels, measure_noise
from neurdsp.amp.capture.linear import best_linear_esr
from neurdsp.amp.capture.report import Examination, Examined, Report, Side
from neurdsp.amp.config import DataConfig
from neurdsp.audio import AudioReader, FloatArray, read_audio
from neurdsp.metrics import esr

__all__ = ["examine"]

_SILENCE_DBFS = -80.0
_REPLICATE_ESR = 0.01
_MAX_PPM = 500.0
_LINEAR_ESR = 1e-3

_SAFETY_SAMPLES = 1
"""The output is compared with filters of the input that begin one sample early, whatever training will do."""


def examine(
    input_path: str | os.PathLike[str],
    output_path: str | os.PathLike[str],
    data: DataConfig | None = None,
) -> Examined:
    """Examine a pair of recordings.

    Parameters
    ----------
    input_path, output_path
        Input and output of the device.
    data
        How far to search for the latency, and what to do about clock drift.

    Returns
    -------
    Examined
        The report, whose later fields are empty after an error, and the recordings.

    Raises
    ------
    AudioFileError
        If a file cannot be read at all; everything else is a finding.

    Examples
    --------
    >>> examine("in.wav", "out.wav").report.errors  # doctest: +SKIP
    ()
    """
    examination = Examination(str(input_path), str(output_path), data or DataConfig())
    sides = _read_headers(examination)
    rate = sides[0].sample_rate
    dry = wet = np.zeros(0, np.float32)
    known = UNKNOWN_INPUT
    report = Report(*sides)
    if not examination.failed:
        dry, wet = (read_audio(side.path, mono=True, incomplete="refuse")[0] for side in sides)
        _refuse_silence(examination, dry, wet)
    if not examination.failed:
        known = recognise(dry, rate)
        sides = measure_levels(sides[0], dry), measure_levels(sides[1], wet)
        judge_levels(examination, *sides)
        alignment = None if examination.failed else _align(examination, dry, wet, rate, known)
        drift, replicate, linear = None, None, None
        if alignment is not None and not examination.failed:
            corrected, drift = _correct_clock(examination, dry, wet, rate, alignment, known)
            if corrected is not None:
                wet = corrected
                again = Examination(examination.input_path, examination.output_path, examination.data)
                alignment = _align(again, dry, wet, rate, known) or alignment
        if alignment is not None and not examination.failed:
            sides = measure_noise(examination, sides, dry, wet[alignment.shift(0) :])
            replicate, linear = _judge_behaviour(examination, dry, wet, alignment, known)
        report = Report(*sides, known.name, alignment, drift, replicate, linear)
    return Examined(replace(report, findings=examination.findings), dry, wet, rate, known)


def _read_headers(examination: Examination) -> tuple[Side, Side]:
    """Return the facts in both headers; add errors where the files cannot belong together."""
    sides = []
    for path in (examination.input_path, examination.output_path):
        with AudioReader(path, incomplete="refuse") as reader:
            info = reader.info
        sides.append(
            Side(path, info.sample_rate, info.channels, info.duration_s, f"{info.format} {info.subtype}")
        )
        if info.channels != 1:
            examination.add("error", "channels", _channels_message(path, info.channels))
    first, second = sides
    if Path(first.path).resolve() == Path(second.path).resolve():
        examination.add(
            "error",
            "same_file",
            f"'{first.path}' is given both as input and as output; give the recorded output",
        )
    if first.sample_rate != second.sample_rate:
        examination.add(
            "error",
            "rate",
            f"'{first.path}' has {first.sample_rate} Hz but '{second.path}' has {second.sample_rate} Hz; "
            "export both at the same sample rate",
        )
    return first, second


def _channels_message(path: str, channels: int) -> str:
    message = f"'{path}' has {channels} channels, but mono is needed; "
    samples, _ = read_audio(path)
    levels = np.abs(samples).max(axis=1)
    if channels == 2 and np.array_equal(samples[0], samples[1]):
        return message + "both are equal: export either one"
    if channels == 2 and levels.min() < 1e-4 <= levels.max():
        return message + f"only the {'left' if levels[0] > levels[1] else 'right'} one has sound: export that"
    return message + "export one channel"


def _refuse_silence(examination: Examination, dry: FloatArray, wet: FloatArray) -> None:
    for path, signal in ((examination.input_path, dry), (examination.output_path, wet)):
        if float(np.abs(signal).max()) < 10 ** (_SILENCE_DBFS / 20):
            examination.add(
                "error",
                "silence",
                f"'{path}' is silent: it never reaches {_SILENCE_DBFS:.0f} dBFS; check the routing of the "
                "recording",
            )


def _align(
    examination: Examination, dry: FloatArray, wet: FloatArray, rate: int, known: KnownInput
) -> Alignment | None:
    """Find the latency; if that fails, add an error that says why."""
    data = examination.data
    if data.latency_samples is not None:
        return Alignment(data.latency_samples, 1.0, inverted=False, method="given")
    if known.name == OWN_MATERIAL:
        name = recognise(wet, rate).name
        if name != OWN_MATERIAL:
            examination.add(
                "error",
                "swapped",
                f"'{examination.output_path}' is itself a known input ({name}): swap the two files",
            )
            return None
    reach = int(data.max_latency_ms * 1e-3 * rate)
    by_correlation = find_latency(dry, wet, sample_rate=rate, max_latency_samples=reach)
    if by_correlation.confidence < data.min_confidence:
        why = explain_mismatch(dry, wet, rate)
        examination.add(
            "error",
            why.code,
            f"'{examination.output_path}' does not seem to be made from '{examination.input_path}' "
            f"(alignment confidence {by_correlation.confidence:.2f}, at least {data.min_confidence:g} is "
            f"needed): {why.message}",
        )
        return None
    found = _prefer_blips(examination, by_correlation, wet, rate, known, reach)
    lead = found.latency_samples + 1 + (found.uncertainty_samples if found.method == "correlation" else 0)
    if lead < -2:
        drift = find_drift(dry, wet, sample_rate=rate)
        if drift is None or not _add_dropout(examination, drift):
            examination.add(
                "error",
                "swapped",
                f"'{examination.output_path}' comes {-found.latency_samples} samples before "
                f"'{examination.input_path}'; swap the two files, or give the latency with "
                "--set data.latency_samples=0",
            )
    elif found.inverted:
        examination.add("note", "polarity", "the output has reversed polarity; the model will reproduce that")
    return found


def _prefer_blips(
    examination: Examination,
    by_correlation: Alignment,
    wet: FloatArray,
    rate: int,
    known: KnownInput,
    reach: int,
) -> Alignment:
    """Return the alignment by blips if the input has some and the output answers them, else the other one."""
    if known.blips:
        by_blips = find_blip_latency(wet, known.blips, sample_rate=rate, max_latency_samples=reach)
        if by_blips is None:
            examination.add(
                "note",
                "blips_unread",
                "the output has no clear response to the blips of the input; the latency was measured by "
                "correlation",
            )
            return by_correlation
        apart = by_blips.latency_samples - by_correlation.latency_samples
        if abs(apart) > 20 + by_correlation.uncertainty_samples:
            examination.add(
                "warning",
                "blips_disagree",
                f"the latency is {by_blips.latency_samples} samples by the blips and "
                f"{by_correlation.latency_samples} by correlation; the blips are used: was the file cut or "
                "edited?",
            )
        return by_blips
    if by_correlation.uncertainty_samples > 0:
        examination.add(
            "note",
            "coarse_latency",
            "the input has little treble, so the latency is known to about "
            f"{by_correlation.uncertainty_samples} samples; 'neurdsp amp signal' makes an input with blips",
        )
    return by_correlation


def _correct_clock(
    examination: Examination,
    dry: FloatArray,
    wet: FloatArray,
    rate: int,
    alignment: Alignment,
    known: KnownInput,
) -> tuple[FloatArray | None, Drift | None]:
    """Follow the latency over time; return the output with its clock corrected, if that is needed."""
    repeat = (known.repeat, known.validation) if known.repeat and known.validation else None
    drift = find_drift(dry, wet[alignment.shift(0) :], sample_rate=rate, repeat=repeat)
    if drift is None or examination.data.drift == "ignore" or _add_dropout(examination, drift):
        return None, drift
    if not drift.significant:
        return None, drift
    words = (
        f"the recorder's clock is {abs(drift.ppm):.1f} ppm {'fast' if drift.ppm > 0 else 'slow'} against the "
        f"player's ({drift.total_samples:+.1f} samples over the recording)"
    )
    if abs(drift.ppm) > _MAX_PPM:
        examination.add(
            "error", "clock", f"{words}, too much for a clock error; check the sample rates of both files"
        )
        return None, drift
    if examination.data.drift == "refuse":
        examination.add("error", "clock", f"{words}; play and record with one interface")
        return None, drift
    examination.add("note", "clock", f"{words}; the output is resampled to correct it")
    return undo_drift(wet, drift, sample_rate=rate), drift


def _add_dropout(examination: Examination, drift: Drift) -> bool:
    """Add an error if a buffer was lost, and return whether there is one."""
    if not drift.jump_samples or examination.data.drift == "ignore":
        return False
    examination.add(
        "error",
        "dropout",
        f"the latency jumps by {drift.jump_samples:+.0f} samples at {drift.jump_at_s:.0f} s: the recorder "
        "lost or repeated a buffer; record again with larger buffers (--set data.drift=ignore trains anyway)",
    )
    return True


def _judge_behaviour(
    examination: Examination, dry: FloatArray, wet: FloatArray, alignment: Alignment, known: KnownInput
) -> tuple[float | None, float]:
    """Measure whether the device sounds the same twice, and how close it is to a linear filter."""
    aligned = wet[alignment.shift(_SAFETY_SAMPLES) :]
    replicate = None
    if known.validation and known.repeat:
        (a, b), (c, d) = known.validation, known.repeat
        length = min(b, aligned.size) - a
        if length > (b - a) // 2 and aligned[a : a + length].any():
            replicate = esr(aligned[a : a + length], aligned[c : min(d, c + length)])
            if replicate > _REPLICATE_ESR:
                examination.add(
                    "warning",
                    "replicate",
                    f"the same passage sounds different at {c / len(dry) * 100:.0f} % and "
                    f"{a / len(dry) * 100:.0f} % of the recording (ESR {replicate:.2g}): a noise gate, "
                    "modulation, reverb, noise, or a knob that was turned; no model can be better than that",
                )
    n_samples = min(dry.size, aligned.size)
    linear = best_linear_esr(dry[:n_samples], aligned[:n_samples])
    if linear < _LINEAR_ESR:
        examination.add(
            "note" if linear > 1e-9 else "warning",
            "linear",
            f"a linear filter explains the output to an ESR of {linear:.1g}: there is no distortion to "
            "learn. Is the device bypassed? For a cabinet, an impulse response is enough",
        )
    return replicate, linear
