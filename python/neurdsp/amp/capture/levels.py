"""What the levels of two recordings tell: clipping, offset, quiet takes, noise, swapped files."""

from dataclasses import replace

import numpy as np

from neurdsp.amp.capture.report import Examination, Severity, Side
from neurdsp.audio import FloatArray
from neurdsp.metrics import dc_offset, peak_db, rms_db

__all__ = ["judge_levels", "measure_levels", "measure_noise"]

_QUIET_DBFS = -35.0
_CLIP = 0.999
_NOISE_RATIO_DB = -50.0


def measure_levels(side: Side, signal: FloatArray) -> Side:
    """Return the facts of a file with the levels of its samples, ``(n_samples,)``."""
    return replace(
        side,
        peak_db=peak_db(signal),
        rms_db=rms_db(signal),
        dc=dc_offset(signal),
        clipped_samples=_clipped(signal),
    )


def _clipped(signal: FloatArray) -> int:
    """Count samples in runs of three or more at full scale, if full scale is the peak of the file."""
    peak = float(np.abs(signal).max())
    if not _CLIP <= peak <= 1.001:
        return 0
    full = np.abs(signal) >= _CLIP * peak
    edges = np.flatnonzero(np.diff(full.astype(np.int8), prepend=0, append=0))
    lengths = edges[1::2] - edges[::2]
    return int(lengths[lengths >= 3].sum())


def judge_levels(examination: Examination, input_side: Side, output_side: Side) -> None:
    """Add what the levels and lengths alone tell to the findings."""
    crests = []
    for side in (input_side, output_side):
        if side.dc is None or side.rms_db is None or side.peak_db is None:
            raise ValueError(f"the levels of '{side.path}' were not measured")
        crests.append(side.peak_db - side.rms_db)
        if side.clipped_samples > 10:
            share = 100 * side.clipped_samples / (side.seconds * side.sample_rate)
            examination.add(
                "warning",
                "clipped",
                f"'{side.path}' seems clipped: {side.clipped_samples} samples at full scale ({share:.2g} %); "
                "lower the recorder's input, not the device's gain, and record again",
            )
        if abs(side.dc) > 0.02 and abs(side.dc) > 0.1 * 10 ** (side.rms_db / 20):
            examination.add(
                "note",
                "dc",
                f"'{side.path}' has an offset of {side.dc:+.3f}; the model will learn it",
            )
        if side.peak_db < _QUIET_DBFS:
            examination.add(
                "warning",
                "quiet",
                f"'{side.path}' peaks at only {side.peak_db:.0f} dBFS; record it louder, to lower the noise",
            )
    if crests[1] > crests[0] + 6:
        examination.add(
            "warning",
            "dynamics",
            f"the output is much more dynamic than the input (crest {crests[1]:.0f} against {crests[0]:.0f} "
            "dB), but amps compress: are the two files swapped?",
        )
    seconds = output_side.seconds - input_side.seconds
    if abs(seconds) > 0.1:
        kind = "longer" if seconds > 0 else "shorter"
        severity: Severity = "warning" if abs(seconds) > 0.1 * input_side.seconds else "note"
        hint = "; is it another take? Only the common part is used" if severity == "warning" else ""
        examination.add(severity, "length", f"the output is {abs(seconds):.2f} s {kind} than the input{hint}")


def measure_noise(
    examination: Examination,
    sides: tuple[Side, Side],
    dry: FloatArray,
    aligned: FloatArray,
    *,
    warn: bool = True,
) -> tuple[Side, Side]:
    """Return the facts of both files with their levels while the input is silent; ``warn`` about noise."""
    rate = sides[0].sample_rate
    noise = [_noise_db(signal, dry, rate) for signal in (dry, aligned)]
    level = sides[1].rms_db
    if warn and noise[1] is not None and level is not None and noise[1] - level > _NOISE_RATIO_DB:
        examination.add(
            "warning",
            "noise",
            f"the noise of the output is only {level - noise[1]:.0f} dB below its signal; no model can have "
            f"an ESR under {10 ** ((noise[1] - level) / 10):.1g}; look for hum, and check the gain staging",
        )
    return replace(sides[0], noise_db=noise[0]), replace(sides[1], noise_db=noise[1])


def _noise_db(signal: FloatArray, dry: FloatArray, rate: int) -> float | None:
    """Return the level of the quietest 50 ms blocks that follow 100 ms of silence in the input."""
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
