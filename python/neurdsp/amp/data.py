"""Recordings of a device: read and checked, aligned, split in time, and cut into training crops."""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from neurdsp.amp.align import Alignment, find_latency
from neurdsp.amp.config import AmpConfig
from neurdsp.audio import FloatArray, read_audio
from neurdsp.errors import AudioFileError

__all__ = ["Crops", "Pair", "Split", "load_pair", "split_in_time"]

SILENCE_DBFS = -80.0
_SILENT_PEAK = 10 ** (SILENCE_DBFS / 20)


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
    """

    dry: FloatArray
    wet: FloatArray
    sample_rate: int
    alignment: Alignment
    warnings: tuple[str, ...] = ()

    def fingerprint(self) -> str:
        """Return a hash of the samples, by which a resumed run knows its data."""
        digest = hashlib.sha256()
        for signal in (self.dry, self.wet):
            digest.update(signal.tobytes())
        return digest.hexdigest()[:16]


def _rms_db(signal: FloatArray) -> float:
    return float(10 * np.log10(np.mean(np.square(signal, dtype=np.float64)) + 1e-30))


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
        When a file cannot be read, is not mono, is silent or too short, when the rates differ, or when
        the output does not seem to be made from the input.
    """
    dry, dry_rate = read_audio(input_path, mono=True)
    wet, wet_rate = read_audio(output_path, mono=True)
    if dry_rate != wet_rate:
        raise AudioFileError(
            f"'{input_path}' has {dry_rate} Hz but '{output_path}' has {wet_rate} Hz; "
            "export both at the same sample rate"
        )
    if Path(input_path).resolve() == Path(output_path).resolve():
        raise AudioFileError(f"'{input_path}' is given both as input and as output; name the recorded output")
    for path, signal in ((input_path, dry), (output_path, wet)):
        if float(np.abs(signal).max()) < _SILENT_PEAK:
            raise AudioFileError(
                f"'{path}' is silent: it never reaches {SILENCE_DBFS:.0f} dBFS; check the recording's routing"
            )
    warnings = _level_warnings(dry, wet, str(input_path), str(output_path))
    if abs(dry.size - wet.size) > 0.1 * dry_rate:
        seconds = (wet.size - dry.size) / dry_rate
        warnings.append(
            f"the output is {abs(seconds):.2f} s {'longer' if seconds > 0 else 'shorter'} than the input"
        )
    _check_length(min(dry.size, wet.size), dry_rate, config, str(input_path), str(output_path))
    alignment = _align(dry, wet, dry_rate, config, str(input_path), str(output_path))
    if alignment.inverted:
        warnings.append("the output has reversed polarity; the model will reproduce that")
    shift = _shift(alignment, config)
    n_samples = min(dry.size, wet.size - shift)
    _check_length(n_samples, dry_rate, config, str(input_path), str(output_path))
    return Pair(
        dry=dry[:n_samples],
        wet=np.ascontiguousarray(wet[shift:][:n_samples]),
        sample_rate=dry_rate,
        alignment=alignment,
        warnings=tuple(warnings),
    )


def _level_warnings(dry: FloatArray, wet: FloatArray, input_path: str, output_path: str) -> list[str]:
    """Name what can be seen from levels alone."""
    warnings = []
    for path, signal in ((input_path, dry), (output_path, wet)):
        peak = float(np.abs(signal).max())
        clipped = int(np.count_nonzero(np.abs(signal) >= min(peak, 1.0) * 0.99999))
        if peak >= 0.999 and clipped > 10:
            warnings.append(f"'{path}' seems clipped: {clipped} samples at full scale")
    crest_dry, crest_wet = (20 * np.log10(float(np.abs(s).max())) - _rms_db(s) for s in (dry, wet))
    if crest_wet > crest_dry + 6:
        warnings.append(
            f"the output is much more dynamic than the input (crest {crest_wet:.0f} against "
            f"{crest_dry:.0f} dB); amps do the opposite: are the two files swapped?"
        )
    return warnings


def _align(
    dry: FloatArray, wet: FloatArray, sample_rate: int, config: AmpConfig, input_path: str, output_path: str
) -> Alignment:
    if config.data.latency_samples is not None:
        return Alignment(config.data.latency_samples, 1.0, inverted=False)
    reach = int(config.data.max_latency_ms * 1e-3 * sample_rate)
    found = find_latency(dry, wet, sample_rate=sample_rate, max_latency_samples=reach)
    if found.confidence < config.data.min_confidence:
        raise AudioFileError(
            f"'{output_path}' does not seem to be made from '{input_path}' (alignment confidence "
            f"{found.confidence:.2f}, at least {config.data.min_confidence:g} is needed); check that the "
            "files belong together, or give the lag with --set data.latency_samples=0"
        )
    if found.latency_samples < -1:
        raise AudioFileError(
            f"'{output_path}' comes {-found.latency_samples} samples before '{input_path}'; swap the two "
            "files, or give the lag with --set data.latency_samples=0"
        )
    return Alignment(max(found.latency_samples, 0), found.confidence, found.inverted)


def _shift(alignment: Alignment, config: AmpConfig) -> int:
    """Return by how much to shift the output: the latency, less the safety margin where it was estimated."""
    if config.data.latency_samples is not None:
        return config.data.latency_samples
    return max(alignment.latency_samples - config.data.safety_samples, 0)


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
        Where crops are cut from, input and receptive field included: one range or two.
    validation
        The outputs that are measured; their inputs begin a receptive field earlier, and no training range
        reaches them.
    """

    training: tuple[tuple[int, int], ...]
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
        The validation range is the end of the recording, or, where that is nearly silent (20 dB below the
        whole), the last range before it that is not.

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
        start = _last_loud_range(pair.wet, length)
    # Inputs before `start - margin` never enter a validation output; those from `stop` on never either,
    # but what the network would remember of the validation's inputs must not reach a training output:
    # crops start at `stop`.
    ranges = ((0, max(start - margin, 0)), (start + length, n_samples))
    usable = tuple((a, b) for a, b in ranges if b - a >= margin + 1024)
    if not usable:
        raise AudioFileError(
            f"the validation range ({length} samples) and its receptive field leave too little to train on; "
            "record more, or lower data.validation_fraction"
        )
    return Split(training=usable, validation=(start, start + length))


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
