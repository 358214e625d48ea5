"""Prepared kicks on the disk: shards of audio and log-mel spectrograms, and an index of what is in them.

A shard is a safetensors file with the tensors ``audio (n, n_samples)`` in 16 bits and ``mel (n, n_mels,
n_frames)``, the spectrogram of that very audio. The files are mapped: training reads only what it takes.
"""

import contextlib
import csv
import hashlib
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurdsp._output import atomic_output
from neurdsp.config import build
from neurdsp.errors import ConfigError
from neurdsp.kick.attributes import QUANTITIES
from neurdsp.kick.mel.config import MelConfig
from neurdsp.training.mapped import TYPES, map_tensor, read_header, write_tensors

__all__ = [
    "SPLITS",
    "Item",
    "Prepared",
    "open_prepared",
    "read_shard",
    "shard_contents",
    "write_index",
    "write_shard",
]

SPLITS = ("train", "validation")

_INDEX, _ABOUT = "index.csv", "prepared.json"
_QUANTITIES = tuple(quantity.name for quantity in QUANTITIES)
_COLUMNS = ("shard", "row", "filename", "kit", "split", "keywords", "measured", "digest", *_QUANTITIES)
_MAX_HEADER_BYTES = 1 << 20


@dataclass(frozen=True)
class Item:
    """A kick in a shard.

    Attributes
    ----------
    shard, row
        The file's name and the row in it.
    filename
        Of the sample.
    kit
        Kicks of one kit are in one split.
    split
        ``train`` or ``validation``.
    keywords
        Words of its name.
    measured
        Words that its sound deserves.
    digest
        Hash of the prepared audio.
    quantities
        What it measures, one value for each of `neurdsp.kick.attributes.QUANTITIES`; none if it was prepared
        before these were kept.
    """

    shard: str
    row: int
    filename: str
    kit: str
    split: str
    keywords: tuple[str, ...]
    measured: tuple[str, ...]
    digest: str
    quantities: tuple[float, ...] = ()


class Prepared:
    """The kicks of a folder that `neurdsp.kick.data.prepare.prepare` wrote.

    Parameters
    ----------
    folder
        The folder.
    items
        What is in its shards.
    mel
        The spectrogram.
    fingerprint
        Hash of all kicks, their splits and words.
    thresholds
        Beyond which a measured word holds, by the word.
    """

    def __init__(
        self,
        folder: Path,
        items: Sequence[Item],
        mel: MelConfig,
        fingerprint: str,
        thresholds: Mapping[str, float] | None = None,
    ) -> None:
        self.folder, self.items, self.mel, self.fingerprint = folder, tuple(items), mel, fingerprint
        self.thresholds = dict(thresholds or {})
        self._shards: dict[str, dict[str, NDArray[Any]]] = {}

    def of(self, split: str) -> list[Item]:
        """Return the kicks of a split.

        Raises
        ------
        ConfigError
            If it has none.
        """
        found = [item for item in self.items if item.split == split]
        if not found:
            raise ConfigError(f"{self.folder}: no kicks of the split '{split}'; prepare more kits")
        return found

    def audio(self, item: Item) -> NDArray[np.float32]:
        """Return the audio ``(n_samples,)``, full scale at 1."""
        return self._row("audio", item).astype(np.float32) * np.float32(2**-15)

    def log_mel(self, item: Item) -> NDArray[np.float32]:
        """Return the log-mel spectrogram ``(n_mels, n_frames)`` of the audio."""
        return np.array(self._row("mel", item), np.float32)

    def _row(self, name: str, item: Item) -> NDArray[Any]:
        if item.shard not in self._shards:
            self._shards[item.shard] = read_shard(self.folder / item.shard, self.mel)
        tensor = self._shards[item.shard][name]
        if not 0 <= item.row < len(tensor):
            raise ConfigError(f"{self.folder / item.shard}: has no row {item.row}; prepare the kicks again")
        row: NDArray[Any] = tensor[item.row]
        return row


def write_shard(
    path: Path,
    audio: NDArray[np.int16],
    mel: NDArray[np.float32],
    *,
    names: Sequence[str],
    quantities: Sequence[Sequence[float]],
    failed: Mapping[str, str],
) -> None:
    """Write a shard, whole or not at all.

    Parameters
    ----------
    path
        The file.
    audio
        ``(n, n_samples)``.
    mel
        ``(n, n_mels, n_frames)``.
    names
        The sample of each row.
    quantities
        What each row measures.
    failed
        Why other samples have none.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    # JSON escapes names that are no text.
    about = {"names": [*names], "quantities": [[*row] for row in quantities], "failed": {**failed}}
    metadata = {key: json.dumps(value) for key, value in about.items()}
    write_tensors(path, {"mel": mel, "audio": audio}, metadata)


def read_shard(path: Path, mel: MelConfig) -> dict[str, NDArray[Any]]:
    """Map the tensors of a shard.

    Raises
    ------
    ConfigError
        If the file is missing, damaged, or of another shape.
    """
    shapes = {"audio": (mel.n_samples,), "mel": (mel.n_mels, mel.n_frames)}
    types = {"audio": "I16", "mel": "F32"}
    with _damage_named(path):
        header, start = read_header(path, max_bytes=_MAX_HEADER_BYTES)
        size = path.stat().st_size
        tensors: dict[str, NDArray[Any]] = {}
        for name, shape in shapes.items():
            entry, dtype = header[name], TYPES[types[name]]
            rows, *rest = (int(n) for n in entry["shape"])
            begin, end = (int(n) for n in entry["data_offsets"])
            n_bytes = rows * int(np.prod(shape)) * np.dtype(dtype).itemsize
            if entry["dtype"] != types[name] or tuple(rest) != shape or rows < 0 or begin < 0:
                raise ValueError(f"its tensor '{name}' is of another shape")
            if end - begin != n_bytes or start + end > size:
                raise ValueError(f"its tensor '{name}' does not fit into the file")
            tensors[name] = map_tensor(path, dtype, (rows, *shape), offset=start + begin)
    return tensors


def shard_contents(path: Path) -> tuple[list[str], list[tuple[float, ...]], dict[str, str]]:
    """Return sample and quantities of each row of a shard, and why other samples have no row.

    Raises
    ------
    ConfigError
        If the file is missing or damaged.
    """
    with _damage_named(path):
        header, _ = read_header(path, max_bytes=_MAX_HEADER_BYTES)
        about = header["__metadata__"]
        names, rows, failed = (json.loads(about[key]) for key in ("names", "quantities", "failed"))
        measured = [tuple(float(value) for value in row) for row in rows]
        if len(measured) != len(names) or any(len(row) != len(_QUANTITIES) for row in measured):
            raise ValueError("its quantities are not those of its rows")
        reasons = {str(name): str(reason) for name, reason in failed.items()}
        return [str(name) for name in names], measured, reasons


@contextlib.contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Turn the errors of a damaged shard into one that says what to do."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the shard: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        reason = str(error).splitlines()[0][:80] if str(error) else type(error).__name__
        raise ConfigError(
            f"{path}: a damaged shard ({reason}); remove it and prepare the kicks again"
        ) from None


def write_index(folder: Path, items: Sequence[Item], mel: MelConfig, facts: Mapping[str, Any]) -> str:
    """Write what is in the shards of a folder, and return the fingerprint of all.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    digest = hashlib.blake2b(mel.model_dump_json().encode(), digest_size=16)
    with (
        atomic_output(folder / _INDEX) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="surrogateescape") as stream,
    ):
        table = csv.writer(stream)
        table.writerow(_COLUMNS)
        for item in items:
            words = " ".join(item.keywords), " ".join(item.measured)
            row = (item.shard, item.row, item.filename, item.kit, item.split, *words, item.digest)
            table.writerow((*row, *item.quantities))
            digest.update("\0".join((item.digest, item.split, *words)).encode(errors="surrogateescape"))
    fingerprint = digest.hexdigest()
    about = {"mel": mel.model_dump(mode="json"), "fingerprint": fingerprint, **facts}
    with atomic_output(folder / _ABOUT) as temporary:
        temporary.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return fingerprint


def open_prepared(folder: Path) -> Prepared:
    """Open a folder of prepared kicks.

    Raises
    ------
    ConfigError
        If it is missing, damaged, or holds something else.

    Examples
    --------
    >>> open_prepared(Path("data/prepared")).of("train")[0].keywords  # doctest: +SKIP
    ('deep', 'kick')
    """
    try:
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        mel = build(MelConfig, about["mel"], source=str(folder / _ABOUT))
        fingerprint = str(about["fingerprint"])
        thresholds = {str(word): float(at) for word, at in about.get("thresholds", {}).items()}
        with (folder / _INDEX).open(newline="", encoding="utf-8", errors="surrogateescape") as stream:
            items = [_item(entry) for entry in csv.DictReader(stream)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        if isinstance(error, ConfigError):
            raise
        reason = str(error).splitlines()[0][:80] if str(error) else type(error).__name__
        raise ConfigError(
            f"{folder}: no prepared kicks, or damaged ones ({reason}); make them with 'neurdsp kick prepare'"
        ) from None
    return Prepared(folder, items, mel, fingerprint, thresholds)


def _item(entry: Mapping[str, str]) -> Item:
    shard, split = entry["shard"], entry["split"]
    # A shard lies in the folder, and nowhere else.
    if Path(shard).name != shard or split not in SPLITS:
        raise ValueError(f"the index names the shard {shard!r} and the split {split!r}")
    return Item(
        shard,
        int(entry["row"]),
        entry["filename"],
        entry["kit"],
        split,
        tuple(entry["keywords"].split()),
        tuple(entry["measured"].split()),
        entry["digest"],
        # An index of before has no such columns.
        tuple(float(entry[name]) for name in _QUANTITIES if entry.get(name)),
    )
