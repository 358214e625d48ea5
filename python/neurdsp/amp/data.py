"""Recordings of a device: read and checked, aligned, split in time, and cut into training crops."""

import hashlib
import os
from dataclasses import dataclass, field, replace

import numpy as np

from neurdsp.amp.capture.align import Alignment
from neurdsp.amp.capture.check import examine
from neurdsp.amp.capture.known import UNKNOWN_INPUT, KnownInput, find_repeats
from neurdsp.amp.capture.report import Report
from neurdsp.amp.config import AmpConfig
from neurdsp.audio import FloatArray
from neurdsp.errors import AudioFileError

__all__ = ["Crops", "Pair", "Ranges", "Split", "load_pair", "split_in_time"]

Ranges = tuple[tuple[int, int], ...]
"""Ranges of samples, ``(start, stop)`` each."""


@dataclass(frozen=True)
class Pair:
    """An input and the output that belongs to it, sample by sample.

    Parameters
    ----------
    dry, wet
        ``(n_samples,)`` each; ``wet`` is already shifted to the input.
    sample_rate
        In Hz.
    alignment
        The latency that was found, and how sure it is; the confidence is 1 where the latency was given.
    warnings
        What is odd about the recordings but can be used.
    known
        What the input was recognised as.
    report
        All that was found; None for a pair that was not read from files.
    """

    dry: FloatArray
    wet: FloatArray
    sample_rate: int
    alignment: Alignment
    warnings: tuple[str, ...] = ()
    known: KnownInput = UNKNOWN_INPUT
    report: Report | None = None

    def fingerprint(self) -> str:
        """Return a hash of the samples, by which a resumed run knows its data."""
        digest = hashlib.sha256()
        for signal in (self.dry, self.wet):
            digest.update(signal.tobytes())
        return digest.hexdigest()[:16]


def load_pair(
    input_path: str | os.PathLike[str], output_path: str | os.PathLike[str], config: AmpConfig
) -> Pair:
    """Read the two recordings, check them, and align the output to the input.

    Parameters
    ----------
    input_path, output_path
        What went into the device, and what came out: mono files of the same sample rate.
    config
        Of the run; the receptive field of its model sets the least length.

    Returns
    -------
    Pair
        Cut to their common length after alignment.

    Raises
    ------
    AudioFileError
        When a file cannot be read, or `neurdsp.amp.capture.check.examine` finds an error: not
        mono, silent, too short, rates that differ, an output that is not made from the input.
    """
    examined = examine(input_path, output_path, config.data)
    report = examined.report
    if report.errors:
        raise AudioFileError(report.errors[0].message)
    alignment = report.alignment
    if alignment is None:  # an examination without an error has one
        raise AudioFileError(f"'{output_path}' could not be aligned to '{input_path}'")
    dry, wet, rate = examined.dry, examined.wet, examined.sample_rate
    alignment = replace(alignment, latency_samples=max(alignment.latency_samples, 0))
    shift = alignment.shift(config.data.safety_samples)
    n_samples = min(dry.size, wet.size - shift)
    _check_length(n_samples, rate, config, str(input_path), str(output_path))
    return Pair(
        dry=dry[:n_samples],
        wet=np.ascontiguousarray(wet[shift:][:n_samples]),
        sample_rate=rate,
        alignment=alignment,
        warnings=tuple(finding.message for finding in report.findings),
        known=examined.known,
        report=report,
    )


def _check_length(
    n_samples: int, sample_rate: int, config: AmpConfig, input_path: str, output_path: str
) -> None:
    """Refuse recordings that leave no room for a crop and a validation range with their receptive fields."""
    field_samples = config.model.receptive_field
    validation = max(1, int(n_samples * config.data.validation_fraction))
    training = n_samples - validation - (field_samples - 1)
    if validation >= 256 and training >= field_samples + 2048:
        return
    least = 256 / config.data.validation_fraction
    needed = int(max(least, (2 * field_samples + 2048) / (1 - config.data.validation_fraction))) + 2
    raise AudioFileError(
        f"'{input_path}' and '{output_path}' overlap for {n_samples} samples "
        f"({n_samples / sample_rate:.2f} s), but this model (receptive field {field_samples} samples) "
        f"needs {needed} samples ({needed / sample_rate:.2f} s); record more, a minute or longer is best, "
        "or choose a smaller preset"
    )


@dataclass(frozen=True)
class Split:
    """Ranges of samples, ``(start, stop)`` of inputs, that share nothing.

    Parameters
    ----------
    training
        Where crops are cut from, input and receptive field included.
    validation
        The outputs that are measured; their inputs begin a receptive field earlier, and no training range
        reaches them.
    """

    training: Ranges
    validation: tuple[int, int]


def split_in_time(pair: Pair, config: AmpConfig) -> Split:
    """Hold out one range of time, with a receptive field of distance on both sides.

    Parameters
    ----------
    pair
        The aligned recordings.
    config
        Its ``data`` section says how much and, where wanted, from when on.

    Returns
    -------
    Split
        The validation range is what the input's makers meant for it, where the input is a known one; else the
        end of the recording, or, where that is nearly silent (20 dB below the whole), the last range before
        it that is not. Passages whose input is the validation's, sample for sample, are trained on neither.

    Raises
    ------
    AudioFileError
        When the wanted validation range lies outside the recording or leaves no room to train.
    """
    n_samples, margin = pair.dry.size, config.model.receptive_field - 1
    length = max(1, int(n_samples * config.data.validation_fraction))
    if config.data.validation_start_s is not None:
        start = int(config.data.validation_start_s * pair.sample_rate)
        if start + length > n_samples:
            raise AudioFileError(
                f"data.validation_start_s = {config.data.validation_start_s:g} leaves less than the wanted "
                f"{length / pair.sample_rate:.2f} s of the {n_samples / pair.sample_rate:.2f} s; "
                "choose an earlier start"
            )
    else:
        start, length = _known_range(pair) or (_last_loud_range(pair.wet, length), length)
    validation = (start, start + length)
    # Inputs before `start - margin` never enter a validation output; those from `stop` on never either,
    # but what the network would remember of the validation's inputs must not reach a training output:
    # crops start at `stop`. The same holds for every other time the passage is played.
    held_out = sorted([validation, *find_repeats(pair.dry, validation)])
    ranges, begin = [], 0
    for a, b in held_out:
        ranges.append((begin, max(a - margin, begin)))
        begin = b
    ranges.append((begin, n_samples))
    usable = tuple((a, b) for a, b in ranges if b - a >= margin + 1024)
    if not usable:
        raise AudioFileError(
            f"the validation range ({length} samples) and its receptive field leave too little to train on; "
            "record more, or lower data.validation_fraction"
        )
    return Split(training=usable, validation=validation)


def _known_range(pair: Pair) -> tuple[int, int] | None:
    """Return start and length of the validation range of a known input, as far as it was recorded."""
    if pair.known.validation is None:
        return None
    start, stop = pair.known.validation
    recorded = min(stop, pair.dry.size) - start
    return (start, recorded) if recorded >= (stop - start) // 2 else None


def _last_loud_range(wet: FloatArray, length: int) -> int:
    """Return the start of the last range whose power is within 20 dB of the whole recording's."""
    power = np.concatenate([[0.0], np.cumsum(np.square(wet, dtype=np.float64))])
    threshold = 0.01 * power[-1] / wet.size * length
    for start in range(wet.size - length, -1, -max(1, length // 4)):
        if power[start + length] - power[start] >= threshold:
            return start
    return wet.size - length


@dataclass
class Crops:
    """Random crops that follow from a seed and the number of the step alone.

    Parameters
    ----------
    pair, split
        The recordings and where to cut from.
    batch_size
        Crops in a batch.
    crop_samples
        Outputs of a crop; shortened where the recordings are.
    receptive_field
        Of the model.
    seed
        Of the positions.
    """

    pair: Pair
    split: Split
    batch_size: int
    crop_samples: int
    receptive_field: int
    seed: int
    _starts: np.ndarray = field(init=False, repr=False)
    _rooms: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        longest = max(stop - start for start, stop in self.split.training) - (self.receptive_field - 1)
        self.crop_samples = min(self.crop_samples, longest)
        needed = self.crop_samples + self.receptive_field - 1
        ranges = [(start, stop) for start, stop in self.split.training if stop - start >= needed]
        self._starts = np.array([start for start, _ in ranges])
        self._rooms = np.array([stop - start - needed + 1 for start, stop in ranges])
        self._quiet = 1e-4 * float(np.mean(np.square(self.pair.wet, dtype=np.float64)))

    def batch(self, step: int) -> tuple[FloatArray, FloatArray]:
        """Cut the batch of a step.

        Returns
        -------
        tuple
            The inputs ``(batch, receptive_field - 1 + crop)``, whose first part is burn-in, and the
            targets ``(batch, crop)``, which belong to the inputs from ``receptive_field - 1`` on.
        """
        rng = np.random.default_rng((self.seed, step))
        positions = [self._position(rng) for _ in range(self.batch_size)]
        margin = self.receptive_field - 1
        dry = np.stack([self.pair.dry[p : p + margin + self.crop_samples] for p in positions])
        wet = np.stack([self.pair.wet[p + margin : p + margin + self.crop_samples] for p in positions])
        return dry, wet

    def _position(self, rng: np.random.Generator) -> int:
        """Draw a start; crops that are nearly silent teach little, so they are drawn again a few times."""
        position = 0
        for _ in range(4):
            offset = int(rng.integers(int(self._rooms.sum())))
            which = int(np.searchsorted(np.cumsum(self._rooms), offset, side="right"))
            position = int(self._starts[which] + offset - self._rooms[:which].sum())
            target = self.pair.wet[position + self.receptive_field - 1 :][: self.crop_samples]
            if float(np.dot(target, target)) / target.size >= self._quiet:
                break
        return position
