"""The bank: all recordings and performances in one file, from which mixtures are rendered.

It is a safetensors file. The recordings lie one behind the other in 16 bits, each scaled to its peak, and the
file is mapped, not read: rendering touches only what it plays.
"""

import hashlib
import json
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurdsp.drumsep.data.groove import Performance
from neurdsp.drumsep.data.recordings import Instrument, Kit, Stroke
from neurdsp.drumsep.data.roles import ROLES
from neurdsp.errors import ConfigError
from neurdsp.training.mapped import TYPES, map_tensor, read_header, write_tensors

__all__ = ["Bank", "BankKit", "StoredStroke", "instruments_of", "open_bank", "write_bank"]

_FORMAT = "neurdsp.drumsep.bank 1"
_MAX_HEADER_BYTES = 64 << 20
_SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class StoredStroke:
    """A recording in the bank: ``samples (channels, n_samples)`` in 16 bits, times ``scale``."""

    low: float
    high: float
    samples: NDArray[np.int16]
    scale: np.float32


@dataclass(frozen=True)
class BankKit:
    """A kit of the bank: the alternatives for each role, each with its strokes by velocity."""

    name: str
    author: str
    licence: str
    split: str
    roles: Mapping[str, Sequence[Sequence[StoredStroke]]]

    @property
    def synthesised(self) -> bool:
        """Whether `neurdsp.drumsep.data.synthesis` made it."""
        return self.author.startswith("synthesis-")


@dataclass(frozen=True)
class Bank:
    """Kits and performances, by split.

    Parameters
    ----------
    kits
        In the order in which they were written.
    performances
        Those of each split.
    fingerprint
        A hash of all that is in it.
    """

    kits: Sequence[BankKit]
    performances: Mapping[str, Sequence[Performance]]
    fingerprint: str

    def of(self, split: str) -> list[BankKit]:
        """Return the kits of a split.

        Raises
        ------
        ConfigError
            If it has none, or no performances.
        """
        found = [kit for kit in self.kits if kit.split == split]
        if not found or not self.performances.get(split):
            raise ConfigError(
                f"the bank has {len(found)} kits and {len(self.performances.get(split, ()))} performances of "
                f"the split '{split}'; prepare it with some of both"
            )
        return found


def write_bank(path: Path, kits: Sequence[Kit], performances: Sequence[Performance]) -> None:
    """Write a bank; recordings that several instruments share are stored once.

    Raises
    ------
    OSError
        If the file cannot be written. An existing one is then unchanged.
    """
    digest = hashlib.blake2b(digest_size=16)
    places: dict[bytes, tuple[int, np.float32]] = {}
    blocks: list[NDArray[np.int16]] = []
    length = 0
    strokes: list[tuple[int, int, int, int]] = []  # instrument, begin, n_samples, channels
    numbers: list[tuple[float, float, float]] = []  # low, high, scale
    instruments: list[tuple[int, int]] = []  # kit, role
    for number, kit in enumerate(kits):
        for instrument in kit.instruments:
            instruments.append((number, ROLES.index(instrument.role)))
            for stroke in instrument.strokes:
                block, scale = _quantised(stroke)
                key = hashlib.blake2b(block.tobytes(), digest_size=16).digest()
                if key not in places:
                    places[key] = (length, scale)
                    digest.update(key)
                    blocks.append(block)
                    length += block.size
                begin = places[key][0]
                strokes.append((len(instruments) - 1, begin, block.shape[-1], len(block)))
                numbers.append((stroke.low, stroke.high, float(scale)))
    counts = [len(one.times_s) for one in performances]
    # In the order of the file: the small ones first.
    tensors: dict[str, NDArray[Any]] = {
        "strokes": np.array(strokes, np.int64).reshape(-1, 4),
        "numbers": np.array(numbers, np.float32).reshape(-1, 3),
        "instruments": np.array(instruments, np.int32).reshape(-1, 2),
        "performances": np.array(
            [(_SPLITS.index(one.split), n) for one, n in zip(performances, counts, strict=True)], np.int32
        ).reshape(-1, 2),
        "times_s": np.concatenate([[], *(one.times_s for one in performances)]).astype(np.float32),
        "velocities": np.concatenate([[], *(one.velocities for one in performances)]).astype(np.float32),
        "roles": np.concatenate([[], *(one.roles for one in performances)]).astype(np.uint8),
        "samples": np.concatenate([np.zeros(0, np.int16), *(block.ravel() for block in blocks)]),
    }
    about = [
        {"name": kit.name, "author": kit.author, "licence": kit.licence, "split": kit.split} for kit in kits
    ]
    for name, tensor in tensors.items():
        if name != "samples":
            digest.update(tensor.tobytes())
    digest.update(json.dumps(about).encode())
    metadata = {"format": _FORMAT, "kits": json.dumps(about), "fingerprint": digest.hexdigest()}
    write_tensors(path, tensors, metadata)


def _quantised(stroke: Stroke) -> tuple[NDArray[np.int16], np.float32]:
    peak = np.float32(max(float(np.abs(stroke.samples).max()), 1e-9))
    scale = peak / np.float32(32767)
    return np.rint(stroke.samples / scale).astype(np.int16), scale


def open_bank(path: str | os.PathLike[str]) -> Bank:
    """Open a bank; its recordings stay in the file until they are played.

    Raises
    ------
    ConfigError
        If the file is missing, damaged, or no bank.
    """
    file = Path(path)
    try:
        tensors, metadata = _load(file)
        return _bank(tensors, metadata)
    except OSError as error:
        raise ConfigError(f"{file}: cannot read the bank: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, IndexError, struct.error) as error:
        reason = str(error).splitlines()[0][:80] if str(error) else type(error).__name__
        raise ConfigError(
            f"{file}: not a bank of drum recordings, or a damaged one ({reason}); make it with "
            "'neurdsp drumsep prepare'"
        ) from None


def _load(file: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    header, start = read_header(file, max_bytes=_MAX_HEADER_BYTES)
    size = file.stat().st_size
    metadata = header.pop("__metadata__")
    if metadata["format"] != _FORMAT:
        raise ValueError(f"its format is '{metadata['format']}', not '{_FORMAT}'")
    tensors = {}
    for name, entry in header.items():
        dtype, shape = TYPES[entry["dtype"]], tuple(int(n) for n in entry["shape"])
        begin, end = entry["data_offsets"]
        wanted = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        if min(shape, default=0) < 0 or end - begin != wanted or start + end > size or begin < 0:
            raise ValueError(f"its tensor '{name}' does not fit")
        tensors[name] = map_tensor(file, dtype, shape, offset=start + begin)
    return tensors, metadata


def _bank(tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> Bank:
    samples = tensors["samples"]
    numbers, instruments = tensors["numbers"], tensors["instruments"]
    about = json.loads(metadata["kits"])
    played: list[list[StoredStroke]] = [[] for _ in instruments]
    for (owner, begin, n_samples, channels), (low, high, scale) in zip(
        tensors["strokes"].tolist(), numbers, strict=True
    ):
        if (
            begin < 0
            or n_samples < 1
            or channels not in (1, 2)
            or begin + n_samples * channels > len(samples)
        ):
            raise ValueError("a recording lies outside the file")
        block = samples[begin : begin + n_samples * channels].reshape(channels, n_samples)
        played[owner].append(StoredStroke(float(low), float(high), block, np.float32(scale)))
    roles: list[dict[str, list[list[StoredStroke]]]] = [{} for _ in about]
    for (kit, role), strokes in zip(instruments.tolist(), played, strict=True):
        if strokes:
            roles[kit].setdefault(ROLES[role], []).append(strokes)
    kits = [
        BankKit(entry["name"], entry["author"], entry["licence"], entry["split"], found)
        for entry, found in zip(about, roles, strict=True)
    ]
    return Bank(kits, _performances(tensors), metadata["fingerprint"])


def _performances(tensors: Mapping[str, NDArray[Any]]) -> dict[str, list[Performance]]:
    found: dict[str, list[Performance]] = {split: [] for split in _SPLITS}
    at = 0
    for split, count in tensors["performances"].tolist():
        part = slice(at, at + count)
        at += count
        if at > len(tensors["times_s"]) or count < 0:
            raise ValueError("a performance lies outside the file")
        one = Performance(
            _SPLITS[split],
            np.asarray(tensors["times_s"][part]),
            np.asarray(tensors["roles"][part]),
            np.asarray(tensors["velocities"][part]),
        )
        found[one.split].append(one)
    return found


def instruments_of(kit: BankKit) -> Iterator[Instrument]:
    """Yield the instruments of a stored kit in float32."""
    for role, alternatives in kit.roles.items():
        for strokes in alternatives:
            yield Instrument(
                role, tuple(Stroke(s.low, s.high, s.samples.astype(np.float32) * s.scale) for s in strokes)
            )
