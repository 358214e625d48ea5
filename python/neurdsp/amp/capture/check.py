"""Examining two recordings of a device before training, and saying what is wrong with them.

The trainer refuses recordings with an error, in the error's words; see `neurdsp.amp.capture.report`.
"""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from neurdsp.amp.capture.align import Alignment, lay_over
from neurdsp.amp.capture.drift import Drift, find_drift, undo_drift
from neurdsp.amp.capture.known import UNKNOWN_INPUT, KnownInput, recognise
from neurdsp.amp.capture.levels import judge_levels, measure_levels, measure_noise
from neurdsp.amp.capture.linear import best_linear_esr
from neurdsp.amp.capture.locate import add_dropout, locate
from neurdsp.amp.capture.report import Examination, Examined, Report, Side
from neurdsp.amp.capture.tail import find_tail
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
        drift, replicate, linear, alignment = None, None, None, None
        if not examination.failed:
            first = examination.again()
            alignment = locate(first, dry, wet, rate, known)
            corrected = None
            if alignment is not None and not first.failed:
                corrected, drift = _correct_clock(examination, dry, wet, rate, alignment, known)
            if corrected is not None:
                # What was found before the correction no longer holds.
                wet, first = corrected, examination.again()
                alignment = locate(first, dry, wet, rate, known)
            examination.take(first)
        if alignment is not None and not examination.failed:
            tail = _look_for_a_tail(examination, dry, wet, alignment, rate, known)
            # Between the sounds of the input an echo would pass for noise.
            sides = measure_noise(examination, sides, *lay_over(dry, wet, alignment.shift(0)), warn=not tail)
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


def _correct_clock(
    examination: Examination,
    dry: FloatArray,
    wet: FloatArray,
    rate: int,
    alignment: Alignment,
    known: KnownInput,
) -> tuple[FloatArray | None, Drift | None]:
    """Follow the latency over time; return the output with its clock corrected, if that is needed."""
    shift = alignment.shift(0)
    cut = known.cut(max(-shift, 0))
    repeat = (cut.repeat, cut.validation) if cut.repeat and cut.validation else None
    drift = find_drift(*lay_over(dry, wet, shift), sample_rate=rate, repeat=repeat)
    if drift is None or examination.data.drift == "ignore" or add_dropout(examination, drift):
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


def _look_for_a_tail(
    examination: Examination,
    dry: FloatArray,
    wet: FloatArray,
    alignment: Alignment,
    rate: int,
    known: KnownInput,
) -> bool:
    """Warn about a delay or a reverb, which no model here can hold; return whether there is one."""
    shift = alignment.shift(0)
    a, b = lay_over(dry, wet, shift)
    tail = find_tail(a, b, known.cut(max(-shift, 0)).blips, sample_rate=rate)
    if tail is not None:
        examination.add(
            "warning",
            "tail",
            f"the output sounds on after the input has ended: {tail.words}; a model remembers a tenth of a "
            "second at most, so switch the effect off and record again",
        )
    return tail is not None


def _judge_behaviour(
    examination: Examination, dry: FloatArray, wet: FloatArray, alignment: Alignment, known: KnownInput
) -> tuple[float | None, float]:
    """Measure whether the device sounds the same twice, and how close it is to a linear filter."""
    shift = alignment.shift(_SAFETY_SAMPLES)
    dry, aligned = lay_over(dry, wet, shift)
    known = known.cut(max(-shift, 0))
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
    linear = best_linear_esr(dry, aligned)
    if linear < _LINEAR_ESR:
        examination.add(
            "note" if linear > 1e-9 else "warning",
            "linear",
            f"a linear filter explains the output to an ESR of {linear:.1g}: there is no distortion to "
            "learn. Is the device bypassed? For a cabinet, an impulse response is enough",
        )
    return replicate, linear
