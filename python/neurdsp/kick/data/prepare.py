"""From aggregated samples to shards: every kick mono, of one rate, length and peak, with its spectrogram."""

import hashlib
import re
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from neurdsp.audio import FloatArray, read_audio, resample
from neurdsp.config import Config
from neurdsp.dsp import MelSpectrogram
from neurdsp.dsp.executors import LocalPool, Lost, n_cores
from neurdsp.dsp.manifest import only_run, sweep
from neurdsp.errors import AudioFileError, ConfigError, NeurdspWarning, ParameterError
from neurdsp.kick.data.aggregate import RAW, MetadataRow, read_metadata, read_sources
from neurdsp.kick.data.measured import quantities_of, words_of
from neurdsp.kick.data.names import kits_of
from neurdsp.kick.data.shards import Item, read_shard, shard_contents, write_index, write_shard
from neurdsp.kick.mel.config import MelConfig

__all__ = ["PrepareConfig", "PrepareResult", "prepare", "prepared_audio", "split_by_kit"]

_SHARD_ROWS = 128
_SHARD_NAME = re.compile(r"\d{5}-[0-9a-f]{16}\.safetensors")
_VERSION = 2
"""Raised when the same configuration gives other bytes."""
_SILENT = 1e-4


class PrepareConfig(Config):
    """How kicks are prepared.

    Parameters
    ----------
    mel
        The spectrogram, which gives rate and length.
    peak_db
        Peak of each kick in dBFS.
    fade_s
        Length of the linear fade at the end, in seconds; kicks that are shorter than the rest do not meet it.
    validation
        Part of the kicks that are held out, by whole kits.
    """

    mel: MelConfig = MelConfig()
    peak_db: float = Field(-1.0, ge=-60, le=0)
    fade_s: float = Field(0.2, ge=0, le=10)
    validation: float = Field(0.1, ge=0, lt=1)


@dataclass(frozen=True)
class PrepareResult:
    """What `prepare` wrote.

    Attributes
    ----------
    folder
        The folder of the shards.
    n_kicks
        Kicks by split.
    n_kits
        Kits by split.
    n_duplicates
        Kicks left out because their prepared audio is that of another.
    failed
        Reason by sample, for those that are unusable.
    fingerprint
        Hash of all kicks, splits and words.
    """

    folder: Path
    n_kicks: Mapping[str, int]
    n_kits: Mapping[str, int]
    n_duplicates: int
    failed: Mapping[str, str]
    fingerprint: str


@dataclass(frozen=True)
class _Sample:
    """A sample to prepare, and the shard that it goes to."""

    filename: str
    path: Path
    kit: str
    keywords: tuple[str, ...]
    shard: str


@dataclass(frozen=True)
class _Found:
    """A kick in a shard."""

    filename: str
    kit: str
    keywords: tuple[str, ...]
    shard: str
    row: int
    digest: str
    quantities: tuple[float, ...]


_Outcome = tuple[NDArray[np.int16], NDArray[np.float32], list[float]] | str
"""Audio, spectrogram and quantities of a kick, or why there are none."""


def prepared_audio(samples: FloatArray, sample_rate: int, config: PrepareConfig) -> FloatArray:
    """Return a kick of the configured rate, length and peak, faded at its end.

    Parameters
    ----------
    samples
        ``(n_samples,)``.
    sample_rate
        In Hz.
    config
        What to make of them.

    Raises
    ------
    AudioFileError
        If they are silent.

    Examples
    --------
    >>> kick = prepared_audio(np.ones(100, np.float32), 44_100, PrepareConfig())
    >>> len(kick), round(float(kick[0]), 3)
    (88200, 0.891)
    """
    wanted = config.mel.n_samples
    if sample_rate != config.mel.sample_rate:
        # What would be cut off is not resampled, but for a margin that the filter rings over.
        longest = int((wanted + 4096) * Fraction(sample_rate, config.mel.sample_rate)) + 4096
        samples = resample(samples[:longest], sample_rate, config.mel.sample_rate)
    kick = np.zeros(wanted, np.float32)
    kick[: len(samples)] = samples[:wanted]
    peak = float(np.abs(kick).max())
    if peak < _SILENT:
        raise AudioFileError(f"its first {wanted / config.mel.sample_rate:g} s are silent")
    kick *= np.float32(10 ** (config.peak_db / 20) / peak)
    n_fade = min(round(config.fade_s * config.mel.sample_rate), wanted)
    if n_fade:
        kick[wanted - n_fade :] *= np.linspace(1.0, 0.0, n_fade, dtype=np.float32)
    return kick


def split_by_kit(kits: Sequence[str], validation: float) -> dict[str, str]:
    """Return the split of each kit: whole kits are held out, until they hold about a part of the kicks.

    Kits are drawn in the order of a hash of their names, so that a kit keeps its place when others come.

    Parameters
    ----------
    kits
        Kit of each kick.
    validation
        Part of the kicks to hold out; one kit at least, if that is not 0.

    Raises
    ------
    ConfigError
        If there is one kit only, which cannot be in both splits.

    Examples
    --------
    >>> split_by_kit(["a", "a", "b", "c"], 0.25)
    {'a': 'train', 'b': 'validation', 'c': 'train'}
    """
    counts = Counter(kits)
    if validation and len(counts) < 2:
        raise ConfigError(
            f"all {len(kits)} kicks are of one kit, so none can be held out; give samples of several "
            "folders, or --validation 0"
        )
    left = validation * len(kits)
    drawn = sorted(counts, key=lambda kit: hashlib.blake2b(kit.encode(errors="surrogateescape")).digest())
    held = []
    for kit in drawn:
        if counts[kit] <= 1.5 * left:
            held.append(kit)
            left -= counts[kit]
    if validation and not held:
        held = [min(drawn, key=lambda kit: (counts[kit], drawn.index(kit)))]
    return {kit: "validation" if kit in held else "train" for kit in sorted(counts)}


def prepare(
    data: Path,
    output: Path | None = None,
    *,
    config: PrepareConfig | None = None,
    overwrite: bool = False,
    workers: int | None = None,
    begin: Callable[[int], None] = lambda _total: None,
    advance: Callable[[int], None] = lambda _done: None,
) -> PrepareResult:
    """Write the kicks of a folder into shards, and an index with their splits and words.

    A call that was stopped goes on where it was: shards that are there are not made again, unless a sample or
    the configuration has changed.

    Parameters
    ----------
    data
        The folder that `neurdsp.kick.data.aggregate.aggregate` wrote.
    output
        Folder for the shards; by default ``prepared`` in ``data``.
    config
        How to prepare.
    overwrite
        Whether shards that are there are made again all the same.
    workers
        Kicks that are prepared at a time; by default one for each core.
    begin, advance
        Called with the number of kicks to prepare, and with how many were done since.

    Returns
    -------
    PrepareResult
        Counts, and what could not be used.

    Raises
    ------
    ConfigError
        If there is no table of samples, no usable sample, or only one kit.
    ParameterError
        If another run is writing to the folder.
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> prepare(Path("data")).n_kicks  # doctest: +SKIP
    {'train': 12252, 'validation': 1361}
    """
    config = config or PrepareConfig()
    folder = data / "prepared" if output is None else output
    samples = read_metadata(data)
    if not samples:
        raise ConfigError(f"{data}: its table holds no samples; run 'neurdsp kick aggregate'")
    kits = kits_of([sample.original_path for sample in samples], read_sources(data))
    plan = _plan(samples, kits, data / RAW, config)
    folder.mkdir(parents=True, exist_ok=True)
    with only_run(folder):
        sweep(folder, ["index.csv", "prepared.json", *plan])
        todo = {name: own for name, own in plan.items() if overwrite or not (folder / name).is_file()}
        _write_shards(todo, folder, config, workers=workers or n_cores(), begin=begin, advance=advance)
        found, failed, n_duplicates = _collect(plan, folder, config)
        if not found:
            raise ConfigError(f"{data}: no sample is usable; the first: {next(iter(failed.items()))}")
        splits = split_by_kit([one.kit for one in found], config.validation)
        words, at = words_of([one.quantities for one in found], [splits[one.kit] == "train" for one in found])
        items = [
            Item(
                one.shard,
                one.row,
                one.filename,
                one.kit,
                splits[one.kit],
                one.keywords,
                own,
                one.digest,
                one.quantities,
            )
            for one, own in zip(found, words, strict=True)
        ]
        facts = {"thresholds": at, "config": config.model_dump(mode="json")}
        fingerprint = write_index(folder, items, config.mel, facts)
        for path in folder.iterdir():
            if _SHARD_NAME.fullmatch(path.name) and path.name not in plan:
                path.unlink()
    return PrepareResult(
        folder,
        n_kicks=dict(Counter(item.split for item in items)),
        n_kits=dict(Counter(splits.values())),
        n_duplicates=n_duplicates,
        failed=failed,
        fingerprint=fingerprint,
    )


def _plan(
    samples: Sequence[MetadataRow], kits: Sequence[str], raw: Path, config: PrepareConfig
) -> dict[str, list[_Sample]]:
    """Return the samples of each shard by its name, which changes when anything about them does."""
    plan = {}
    for start in range(0, len(samples), _SHARD_ROWS):
        own = range(start, min(start + _SHARD_ROWS, len(samples)))
        digest = hashlib.blake2b(f"{_VERSION} {config.model_dump_json()}".encode(), digest_size=8)
        for index in own:
            path = raw / samples[index].filename
            try:
                status = path.stat()
                stamp = f"{status.st_size} {status.st_mtime_ns}"
            except OSError:
                stamp = "missing"
            digest.update(f"\0{samples[index].filename}\0{stamp}".encode(errors="surrogateescape"))
        name = f"{start // _SHARD_ROWS:05d}-{digest.hexdigest()}.safetensors"
        plan[name] = [
            _Sample(
                samples[index].filename,
                raw / samples[index].filename,
                kits[index],
                samples[index].keywords,
                name,
            )
            for index in own
        ]
    return plan


def _write_shards(
    plan: Mapping[str, Sequence[_Sample]],
    folder: Path,
    config: PrepareConfig,
    *,
    workers: int,
    begin: Callable[[int], None],
    advance: Callable[[int], None],
) -> None:
    """Write shards, each as soon as all its kicks are prepared."""
    todo = [sample for own in plan.values() for sample in own]
    begin(len(todo))
    work = partial(_prepared, config, MelSpectrogram(**config.mel.parameters))
    waiting: dict[str, dict[str, _Outcome]] = {}
    for sample, outcome in LocalPool(workers).map(work, todo):
        assert not isinstance(outcome, Lost)
        done = waiting.setdefault(sample.shard, {})
        done[sample.filename] = outcome
        if len(done) == len(plan[sample.shard]):
            _write(folder / sample.shard, plan[sample.shard], waiting.pop(sample.shard), config.mel)
        advance(1)


def _prepared(config: PrepareConfig, plan: MelSpectrogram, sample: _Sample) -> _Outcome:
    """Return audio and spectrogram of a sample, or why it cannot be used."""
    try:
        if not sample.path.is_file():  # a pipe would wait for a writer
            return "no such file"
        # A little more than is needed: resampling rings over the cut.
        longest_s = config.mel.n_samples / config.mel.sample_rate + 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NeurdspWarning)
            samples, sample_rate = read_audio(
                sample.path, channel="mean", duration=longest_s, incomplete="allow"
            )
        kick = prepared_audio(samples, sample_rate, config)
        audio = np.rint(kick * np.float32(2**15)).clip(-(2**15), 2**15 - 1).astype(np.int16)
        kept = audio.astype(np.float32) * np.float32(2**-15)
        quantities = quantities_of(kept, config.mel.sample_rate)
    except (AudioFileError, ParameterError, OSError) as error:
        return " ".join(str(error).split())
    mel: NDArray[np.float32] = plan(kept, n_threads=1)
    return audio, mel, quantities


def _write(path: Path, samples: Sequence[_Sample], outcomes: Mapping[str, _Outcome], mel: MelConfig) -> None:
    """Write a shard of the usable samples; its header tells of the others."""
    good = [
        (sample.filename, found)
        for sample in samples
        if not isinstance(found := outcomes[sample.filename], str)
    ]
    failed = {name: found for name, found in outcomes.items() if isinstance(found, str)}
    audio = np.array([found[0] for _, found in good], np.int16).reshape(-1, mel.n_samples)
    mels = np.array([found[1] for _, found in good], np.float32).reshape(-1, mel.n_mels, mel.n_frames)
    names, quantities = [name for name, _ in good], [found[2] for _, found in good]
    write_shard(path, audio, mels, names=names, quantities=quantities, failed=failed)


def _collect(
    plan: Mapping[str, Sequence[_Sample]], folder: Path, config: PrepareConfig
) -> tuple[list[_Found], dict[str, str], int]:
    """Return the kicks of all shards without duplicates, the failures, and the number of duplicates."""
    found, failed, seen, n_duplicates = list[_Found](), dict[str, str](), set[str](), 0
    for shard, samples in plan.items():
        names, quantities, failures = shard_contents(folder / shard)
        failed |= failures
        audio = read_shard(folder / shard, config.mel)["audio"]
        known = {sample.filename: sample for sample in samples}
        for row, name in enumerate(names):
            digest = hashlib.blake2b(audio[row].tobytes(), digest_size=16).hexdigest()
            if digest in seen:
                n_duplicates += 1
                continue
            seen.add(digest)
            sample = known[name]
            found.append(_Found(name, sample.kit, sample.keywords, shard, row, digest, quantities[row]))
    return found, failed, n_duplicates
