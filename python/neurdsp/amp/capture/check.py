"""Examining two recordings of a device before anything is trained on them, and saying in words what is wrong.

Every finding has a severity. An *error* would waste the training: the files are swapped, silent, unrelated,
at different rates. A *warning* costs quality: clipping, noise, a device that is not the same twice. A
*note* is good to know. The trainer refuses what has an error, with the error's words.
"""

import math
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from neurdsp.amp.capture.align import Alignment, find_blip_latency, find_latency
from neurdsp.amp.capture.diagnose import explain_mismatch
from neurdsp.amp.capture.drift import Drift, find_drift, undo_drift
from neurdsp.amp.capture.known import OWN_MATERIAL, UNKNOWN_INPUT, KnownInput, recognise
from neurdsp.amp.capture.linear import best_linear_esr
from neurdsp.amp.config import DataConfig
from neurdsp.audio import AudioReader, FloatArray, read_audio
from neurdsp.metrics import dc_offset, esr, peak_db, rms_db

__all__ = ["Examined", "Finding", "Report", "Side", "examine"]

SILENCE_DBFS = -80.0
_QUIET_DBFS = -35.0
_CLIP = 0.999
_NOISE_RATIO_DB = -50.0
_REPLICATE_ESR = 0.01
_MAX_PPM = 500.0
_LINEAR_ESR = 1e-3


@dataclass(frozen=True)
class Finding:
    """One thing that was seen: how bad, a word for programs, a sentence for people."""

    severity: Literal["error", "warning", "note"]
    code: str
    message: str


@dataclass(frozen=True)
class Side:
    """Facts of one file. Levels in dB of full scale; ``None`` where there was nothing to measure."""

    path: str
    sample_rate: int
    channels: int
    seconds: float
    format: str
    peak_db: float | None = None
    rms_db: float | None = None
    dc: float | None = None
    clipped_samples: int = 0
    noise_db: float | None = None


@dataclass(frozen=True)
class Report:
    """Everything that was found.

    Parameters
    ----------
    input, output
        Facts of the files.
    known
        What the input was recognised as.
    alignment, drift
        Lag and clock; None where an error came before.
    replicate_esr
        Error between two takes of the same passage in the output, where the input repeats one.
    linear_esr
        Error of the best linear filter: how nonlinear the device is.
    findings
        Worst first.
    """

    input: Side
    output: Side
    known: str = ""
    alignment: Alignment | None = None
    drift: Drift | None = None
    replicate_esr: float | None = None
    linear_esr: float | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What forbids training."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    def to_json(self) -> dict[str, Any]:
        """Return plain values, None in place of infinities."""

        def plain(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: plain(item) for key, item in value.items()}
            if isinstance(value, list | tuple):
                return [plain(item) for item in value]
            return None if isinstance(value, float) and not math.isfinite(value) else value

        result: dict[str, Any] = plain(asdict(self))
        return {**result, "ok": not self.errors}


@dataclass
class Examined:
    """A report, and the recordings it is about: the output with its clock corrected, not yet shifted."""

    report: Report
    dry: FloatArray
    wet: FloatArray
    sample_rate: int
    known: KnownInput


@dataclass
class _State:
    """What is gathered on the way; each step adds findings and may be the last."""

    input_path: str
    output_path: str
    data: DataConfig
    findings: list[Finding] = field(default_factory=list)

    def say(self, severity: Literal["error", "warning", "note"], code: str, message: str) -> None:
        self.findings.append(Finding(severity, code, message))

    @property
    def failed(self) -> bool:
        return any(finding.severity == "error" for finding in self.findings)


def examine(
    input_path: str | os.PathLike[str],
    output_path: str | os.PathLike[str],
    data: DataConfig | None = None,
) -> Examined:
    """Look at a pair of recordings.

    Parameters
    ----------
    input_path, output_path
        What went into the device, and what came out.
    data
        How far to look for a lag, and what to do about clocks.

    Returns
    -------
    Examined
        The report; after an error its later fields are empty.

    Raises
    ------
    AudioFileError
        Only when a file cannot be read at all.

    Examples
    --------
    >>> examine("in.wav", "out.wav").report.errors  # doctest: +SKIP
    ()
    """
    state = _State(str(input_path), str(output_path), data or DataConfig())
    dry, wet, sides = _read(state)
    rate = sides[0].sample_rate
    empty = np.zeros(0, np.float32)
    known = UNKNOWN_INPUT
    report = Report(sides[0], sides[1])
    if not state.failed:
        assert dry is not None
        assert wet is not None
        known = recognise(dry, rate)
        sides = tuple(_measure(side, s) for side, s in zip(sides, (dry, wet), strict=True))
        _judge_levels(state, sides)
        alignment = None if state.failed else _align(state, dry, wet, rate, known)
        drift, replicate, linear = None, None, None
        if alignment is not None and not state.failed:
            wet, drift = _clock(state, dry, wet, rate, alignment, known)
            if drift is not None and drift.significant and state.data.drift == "correct" and not state.failed:
                again = _State(state.input_path, state.output_path, state.data)
                alignment = _align(again, dry, wet, rate, known) or alignment
        if alignment is not None and not state.failed:
            sides = _noise(state, sides, dry, wet[max(alignment.latency_samples, 0) :])
            replicate, linear = _behaviour(state, dry, wet, alignment, known)
        report = Report(sides[0], sides[1], known.name, alignment, drift, replicate, linear)
    order = {"error": 0, "warning": 1, "note": 2}
    findings = tuple(sorted(state.findings, key=lambda finding: order[finding.severity]))
    return Examined(
        replace(report, findings=findings),
        empty if dry is None else dry,
        empty if wet is None else wet,
        rate,
        known,
    )


def _read(state: _State) -> tuple[FloatArray | None, FloatArray | None, tuple[Side, ...]]:
    """Read both files as far as their headers make sense."""
    sides = []
    for path in (state.input_path, state.output_path):
        with AudioReader(path) as reader:
            info = reader.info
        sides.append(
            Side(path, info.sample_rate, info.channels, info.duration_s, f"{info.format} {info.subtype}")
        )
        if info.channels != 1:
            state.say("error", "channels", _channels_message(path, info.channels))
    first, second = sides
    if Path(first.path).resolve() == Path(second.path).resolve():
        state.say(
            "error",
            "same_file",
            f"'{first.path}' is given both as input and as output; name the recorded output",
        )
    if first.sample_rate != second.sample_rate:
        state.say(
            "error",
            "rate",
            f"'{first.path}' has {first.sample_rate} Hz but '{second.path}' has {second.sample_rate} Hz; "
            "export both at the same sample rate",
        )
    if state.failed:
        return None, None, tuple(sides)
    dry, wet = (read_audio(path, mono=True)[0] for path in (state.input_path, state.output_path))
    for path, signal in ((first.path, dry), (second.path, wet)):
        if float(np.abs(signal).max()) < 10 ** (SILENCE_DBFS / 20):
            state.say(
                "error",
                "silence",
                f"'{path}' is silent: it never reaches {SILENCE_DBFS:.0f} dBFS; check the recording's "
                f"routing",
            )
    return dry, wet, tuple(sides)


def _channels_message(path: str, channels: int) -> str:
    message = f"'{path}' has {channels} channels, but mono is needed; "
    samples, _ = read_audio(path)
    levels = np.abs(samples).max(axis=1)
    if channels == 2 and np.array_equal(samples[0], samples[1]):
        return message + "both are equal: export either one"
    if channels == 2 and levels.min() < 1e-4 <= levels.max():
        return message + f"only the {'left' if levels[0] > levels[1] else 'right'} one has sound: export that"
    return message + "export one channel"


def _measure(side: Side, signal: FloatArray) -> Side:
    return replace(
        side,
        peak_db=peak_db(signal),
        rms_db=rms_db(signal),
        dc=dc_offset(signal),
        clipped_samples=_clipped(signal),
    )


def _clipped(signal: FloatArray) -> int:
    """Count samples in runs of three or more at full scale, where the file ends just there."""
    peak = float(np.abs(signal).max())
    if not _CLIP <= peak <= 1.001:
        return 0
    full = np.abs(signal) >= _CLIP * peak
    edges = np.flatnonzero(np.diff(full.astype(np.int8), prepend=0, append=0))
    lengths = edges[1::2] - edges[::2]
    return int(lengths[lengths >= 3].sum())


def _noise_db(signal: FloatArray, dry: FloatArray, rate: int) -> float | None:
    """Return the level where the input is silent: the quietest of the 50 ms that follow 100 ms of silence."""
    block = max(1, rate // 20)
    n = min(signal.size, dry.size) // block
    if n < 4:
        return None
    quiet = np.abs(dry[: n * block]).reshape(n, block).max(axis=1) < 1e-4
    quiet[2:] &= quiet[1:-1] & quiet[:-2]
    quiet[:2] = False
    if not quiet.any():
        return None
    blocks = signal[: n * block].reshape(n, block)[quiet].astype(np.float64)
    power = np.sort(np.var(blocks, axis=1))
    return float(10 * np.log10(power[: max(1, power.size // 2)].mean() + 1e-20))


def _judge_levels(state: _State, sides: tuple[Side, ...]) -> None:
    """Say what can be seen from levels and lengths alone."""
    for side in sides:
        if side.clipped_samples > 10:
            share = 100 * side.clipped_samples / (side.seconds * side.sample_rate)
            state.say(
                "warning",
                "clipped",
                f"'{side.path}' seems clipped: {side.clipped_samples} samples at full scale ({share:.2g} %); "
                "lower the recorder's input, not the device's gain, and record again",
            )
        assert side.dc is not None
        assert side.rms_db is not None
        assert side.peak_db is not None
        if abs(side.dc) > 0.02 and abs(side.dc) > 0.1 * 10 ** (side.rms_db / 20):
            state.say(
                "note",
                "dc",
                f"'{side.path}' has an offset of {side.dc:+.3f}; the model will learn it as it is",
            )
        if side.peak_db < _QUIET_DBFS:
            state.say(
                "warning",
                "quiet",
                f"'{side.path}' peaks at only {side.peak_db:.0f} dBFS; record louder, so that noise counts "
                f"less",
            )
    crest = [
        side.peak_db - side.rms_db for side in sides if side.peak_db is not None and side.rms_db is not None
    ]
    if crest[1] > crest[0] + 6:
        state.say(
            "warning",
            "dynamics",
            f"the output is much more dynamic than the input (crest {crest[1]:.0f} against {crest[0]:.0f} "
            f"dB); "
            "amps do the opposite: are the two files swapped?",
        )
    seconds = sides[1].seconds - sides[0].seconds
    if abs(seconds) > 0.1:
        kind = "longer" if seconds > 0 else "shorter"
        severity: Literal["warning", "note"] = "warning" if abs(seconds) > 0.1 * sides[0].seconds else "note"
        hint = "; is it another take? Only what both have is used" if severity == "warning" else ""
        state.say(severity, "length", f"the output is {abs(seconds):.2f} s {kind} than the input{hint}")


def _noise(state: _State, sides: tuple[Side, ...], dry: FloatArray, aligned: FloatArray) -> tuple[Side, ...]:
    """Measure both files where the input is silent."""
    noise = [_noise_db(signal, dry, sides[0].sample_rate) for signal in (dry, aligned)]
    level = sides[1].rms_db
    if noise[1] is not None and level is not None and noise[1] - level > _NOISE_RATIO_DB:
        state.say(
            "warning",
            "noise",
            f"the output's noise is only {level - noise[1]:.0f} dB below its sound; no model can have an "
            f"ESR under "
            f"{10 ** ((noise[1] - level) / 10):.1g}; look for hum and gain staging",
        )
    return tuple(replace(side, noise_db=value) for side, value in zip(sides, noise, strict=True))


def _align(state: _State, dry: FloatArray, wet: FloatArray, rate: int, known: KnownInput) -> Alignment | None:
    """Find the lag; where there is none to be found, say why."""
    data = state.data
    if data.latency_samples is not None:
        return Alignment(data.latency_samples, 1.0, inverted=False, method="given")
    if known.name == OWN_MATERIAL and recognise(wet, rate).name != OWN_MATERIAL:
        name = recognise(wet, rate).name
        state.say(
            "error", "swapped", f"'{state.output_path}' is an input ({name}) itself: swap the two files"
        )
        return None
    reach = int(data.max_latency_ms * 1e-3 * rate)
    by_correlation = find_latency(dry, wet, sample_rate=rate, max_latency_samples=reach)
    if by_correlation.confidence < data.min_confidence:
        why = explain_mismatch(dry, wet, rate)
        state.say(
            "error",
            why.code,
            f"'{state.output_path}' does not seem to be made from '{state.input_path}' (alignment confidence "
            f"{by_correlation.confidence:.2f}, at least {data.min_confidence:g} is needed): {why.message}",
        )
        return None
    found = by_correlation
    if known.blips:
        by_blips = find_blip_latency(wet, known.blips, sample_rate=rate, max_latency_samples=reach)
        if by_blips is not None:
            found = by_blips
            apart = by_blips.latency_samples - by_correlation.latency_samples
            if abs(apart) > 20 + by_correlation.uncertainty_samples:
                state.say(
                    "warning",
                    "blips_disagree",
                    f"the blips say {by_blips.latency_samples} samples of latency, the playing "
                    f"{by_correlation.latency_samples}; the blips are believed: was the file cut or edited?",
                )
        else:
            state.say(
                "note",
                "blips_unread",
                "the output does not answer the input's blips clearly; the latency is from the playing",
            )
    elif found.uncertainty_samples > 0:
        state.say(
            "note",
            "coarse_latency",
            f"the input has little treble, so the latency is known to about {found.uncertainty_samples} "
            f"samples; "
            "'neurdsp amp signal' makes an input with blips",
        )
    lead = found.latency_samples + 1 + (found.uncertainty_samples if found.method == "correlation" else 0)
    if lead < -2:
        drift = find_drift(dry, wet, sample_rate=rate)
        if drift is not None and _said_dropout(state, drift):
            return found
        state.say(
            "error",
            "swapped",
            f"'{state.output_path}' comes {-found.latency_samples} samples before '{state.input_path}'; swap "
            "the two files, or give the lag with --set data.latency_samples=0",
        )
        return found
    if found.inverted:
        state.say("note", "polarity", "the output has reversed polarity; the model will reproduce that")
    return found


def _clock(
    state: _State, dry: FloatArray, wet: FloatArray, rate: int, alignment: Alignment, known: KnownInput
) -> tuple[FloatArray, Drift | None]:
    """Follow the lag through time, and undo what a clock did to it."""
    shift = max(alignment.latency_samples, 0)
    repeat = (known.repeat, known.validation) if known.repeat and known.validation else None
    drift = find_drift(dry, wet[shift:], sample_rate=rate, repeat=repeat)
    if drift is None or state.data.drift == "ignore":
        return wet, drift
    if _said_dropout(state, drift):
        return wet, drift
    if drift.significant:
        words = (
            f"the recorder's clock is {abs(drift.ppm):.1f} ppm {'fast' if drift.ppm > 0 else 'slow'} "
            f"against the "
            f"player's ({drift.total_samples:+.1f} samples over the recording)"
        )
        if abs(drift.ppm) > _MAX_PPM:
            state.say(
                "error", "clock", f"{words}: that is no clock error; check the sample rates of both files"
            )
        elif state.data.drift == "refuse":
            state.say("error", "clock", f"{words}; play and record with one interface")
        else:
            state.say("note", "clock", f"{words}; this is undone by resampling the output")
            return undo_drift(wet, drift, sample_rate=rate), drift
    return wet, drift


def _said_dropout(state: _State, drift: Drift) -> bool:
    """Say that a buffer was lost, where one was."""
    if not drift.jump_samples or state.data.drift == "ignore":
        return False
    state.say(
        "error",
        "dropout",
        f"the output's lag jumps by {drift.jump_samples:+.0f} samples at {drift.jump_at_s:.0f} s: the "
        f"recorder "
        "lost or doubled a buffer; record again with larger buffers (--set data.drift=ignore trains "
        "anyway)",
    )
    return True


def _behaviour(
    state: _State, dry: FloatArray, wet: FloatArray, alignment: Alignment, known: KnownInput
) -> tuple[float | None, float]:
    """Measure whether the device is the same twice, and how far it is from a filter."""
    shift = max(alignment.latency_samples - (1 if alignment.method != "given" else 0), 0)
    aligned = wet[shift:]
    replicate = None
    if known.validation and known.repeat:
        (a, b), (c, d) = known.validation, known.repeat
        length = min(b, aligned.size) - a
        if length > (b - a) // 2 and aligned[a : a + length].any():
            replicate = esr(aligned[a : a + length], aligned[c : min(d, c + length)])
            if replicate > _REPLICATE_ESR:
                state.say(
                    "warning",
                    "replicate",
                    f"the same passage came out differently at {c / len(dry) * 100:.0f} % and "
                    f"{a / len(dry) * 100:.0f} % of the recording (ESR {replicate:.2g}): a noise gate, "
                    f"modulation, "
                    "reverb, noise, or a knob that was turned; no model can do better than that",
                )
    n_samples = min(dry.size, aligned.size)
    linear = best_linear_esr(dry[:n_samples], aligned[:n_samples])
    if linear < _LINEAR_ESR:
        state.say(
            "note" if linear > 1e-9 else "warning",
            "linear",
            f"a linear filter explains the output to an ESR of {linear:.1g}: there is no distortion to "
            f"learn. "
            "Is the device bypassed? For a cabinet an impulse response is enough",
        )
    return replicate, linear
