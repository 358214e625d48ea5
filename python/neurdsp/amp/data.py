"""Recordings of a device: read, checked, aligned, split in time, and cut into training crops."""

import hashlib
import os
from dataclasses import dataclass, field

import numpy as np

from neurdsp.amp.capture.align import Alignment, lay_over
from neurdsp.amp.capture.check import examine
from neurdsp.amp.capture.known import UNKNOWN_INPUT, KnownInput, find_repeats
from neurdsp.amp.capture.report import Examined, Report
from neurdsp.amp.config import AmpConfig
from neurdsp.audio import FloatArray
from neurdsp.errors import AudioFileError

__all__ = ["Crops", "Pair", "Ranges", "Split", "load_pair", "pair_of", "split_in_time"]

Ranges = tuple[tuple[int, int], ...]
"""Ranges of samples, ``(start, stop)`` each."""


@dataclass(frozen=True)
class Pair:
    """An input and the output aligned to it.

    Parameters
    ----------
    dry, wet
        Input and output, ``(n_samples,)`` each.
    sample_rate
        In Hz.
    alignment
        The latency, and its confidence, which is 1 if the latency was given.
    warnings
        Flaws of the recordings that do not prevent training.
    known
        What the input was recognised as.
    report
        Everything that the examination found; None if the pair was not read from files.
    lead_samples
        How many samples were cut from the beginning of the input, because the output leads by as many.
    """

    dry: FloatArray
    wet: FloatArray
    sample_rate: int
    alignment: Alignment
    warnings: tuple[str, ...] = ()
    known: KnownInput = UNKNOWN_INPUT
    report: Report | None = None
    lead_samples: int = 0

    def fingerprint(self) -> str:
        """Return a hash of the samples, by which a resumed run recognises its data."""
        digest = hashlib.sha256()
        for signal in (self.dry, self.wet):
            digest.update(signal.tobytes())
        return digest.hexdigest()[:16]


def load_pair(
    input_path: str | os.PathLike[str], output_path: str | os.PathLike[str], config: AmpConfig
) -> Pair:
    """Read two recordings, check them, and align the output to the input.

    Parameters
    ----------
    input_path, output_path
        Input and output of the device: mono files at the same sample rate.
    config
        Of the run; the receptive field of its model determines the least length.

    Returns
    -------
    Pair
        Both recordings, cut to their common length after alignment.

    Raises
    ------
    AudioFileError
        If a file cannot be read, if `neurdsp.amp.capture.check.examine` finds an error, or if the recordings
        are too short for the model.

    Examples
    --------
    >>> pair = load_pair("in.wav", "out.wav", load_config("standard"))  # doctest: +SKIP
    """
    return pair_of(examine(input_path, output_path, config.data), config)


def pair_of(examined: Examined, config: AmpConfig) -> Pair:
    """Align two recordings that were examined, as `load_pair` does.

    Raises
    ------
    AudioFileError
        If the examination found an error, or if the recordings are too short for the model.
    """
    report = examined.report
    input_path, output_path = report.input.path, report.output.path
    if report.errors:
        raise AudioFileError(report.errors[0].message)
    alignment = report.alignment
    if alignment is None:  # never without an error
        raise AudioFileError(f"'{output_path}' could not be aligned to '{input_path}'")
    dry, wet, rate = examined.dry, examined.wet, examined.sample_rate
    shift = alignment.shift(config.data.safety_samples)
    lead = max(-shift, 0)
    dry, wet = lay_over(dry, wet, shift)
    _check_length(dry.size, rate, config, input_path, output_path)
    return Pair(
        dry=dry,
        wet=np.ascontiguousarray(wet),
        sample_rate=rate,
        alignment=alignment,
        warnings=tuple(finding.message for finding in report.findings),
        known=examined.known.cut(lead),
        report=report,
        lead_samples=lead,
    )


def _check_length(
    n_samples: int, sample_rate: int, config: AmpConfig, input_path: str, output_path: str
) -> None:
    """Refuse recordings too short for a crop and a validation range, each with its receptive field."""
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
    """Ranges of input samples, ``(start, stop)``, for training and validation; they share nothing.

    Parameters
    ----------
    training
        Ranges from which crops are cut, with their receptive fields.
    validation
        Range of the measured outputs. Their inputs begin a receptive field earlier; no training range reaches
        them.
    """

    training: Ranges
    validation: tuple[int, int]


def split_in_time(pair: Pair, config: AmpConfig) -> Split:
    """Hold out one range of time, at least a receptive field away from the training ranges.

    Parameters
    ----------
    pair
        The aligned recordings.
    config
        Its ``data`` section says how much to hold out and, optionally, where.

    Returns
    -------
    Split
        The validation range is the one that a known input reserves for it. Otherwise it is the end of the
        recording or, if that is nearly silent (20 dB below the whole), the last range before that is not.
        Other passages with exactly the same input are not trained on either.

    Raises
    ------
    AudioFileError
        If the wanted validation range is outside the recording, or leaves too little to train on.
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
    # Inputs before `start - margin` and from `stop` on never enter a validation output. Validation inputs
    # must not enter a training output either, so crops begin at `stop`. Repetitions of the passage are held
    # out in the same way.
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
    """Return start and length of the recorded part of a known input's validation range."""
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
    """Random crops that depend only on a seed and on the number of the step.

    Parameters
    ----------
    pair, split
        The recordings, and the ranges to cut from.
    batch_size
        Crops in a batch.
    crop_samples
        Outputs of a crop; fewer if the recordings are short.
    receptive_field
        Of the model, in samples.
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
            The inputs ``(batch, receptive_field - 1 + crop)``, which begin with a receptive field of past,
            and the targets ``(batch, crop)``, which belong to the inputs from ``receptive_field - 1`` on.
        """
        rng = np.random.default_rng((self.seed, step))
        positions = [self._position(rng) for _ in range(self.batch_size)]
        margin = self.receptive_field - 1
        dry = np.stack([self.pair.dry[p : p + margin + self.crop_samples] for p in positions])
        wet = np.stack([self.pair.wet[p + margin : p + margin + self.crop_samples] for p in positions])
        return dry, wet

    def _position(self, rng: np.random.Generator) -> int:
        """Draw a start; nearly silent crops teach little, so they are drawn again a few times."""
        position = 0
        for _ in range(4):
            offset = int(rng.integers(int(self._rooms.sum())))
            which = int(np.searchsorted(np.cumsum(self._rooms), offset, side="right"))
            position = int(self._starts[which] + offset - self._rooms[:which].sum())
            target = self.pair.wet[position + self.receptive_field - 1 :][: self.crop_samples]
            if float(np.dot(target, target)) / target.size >= self._quiet:
                break
        return position
