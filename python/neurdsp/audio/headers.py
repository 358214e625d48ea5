"""What the header of an uncompressed file says of its length, and files that are read with another header.

libsndfile takes what is there for what was written: it does not tell that half of a WAV file is missing. And
it finds no samples where a program that wrote to a pipe could not go back to fill in a size.

Sources: Microsoft, "Multiple channel audio data and WAVE files" (RIFF); EBU Tech 3306 (RF64); Sony Wave64
(W64); Apple, "Audio Interchange File Format" and "Core Audio Format" (AIFF, CAF); NIST SPHERE.
"""

import io
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

__all__ = ["PatchedFile", "Samples", "find_samples"]

# A file has few chunks before its samples; more are noise that looks like chunks.
_MAX_CHUNKS = 4096


@dataclass(frozen=True, slots=True)
class Samples:
    """Where the samples of a file are.

    Attributes
    ----------
    start
        Position of their first byte.
    n_bytes
        Their length as the header says it, or None if the header leaves it open, as pipes do.
    n_there
        The bytes that follow ``start``, to the end of the file or of the samples.
    sizes
        Positions of the fields of sizes that libsndfile has to be shown otherwise, and what it is shown.
    """

    start: int
    n_bytes: int | None
    n_there: int
    sizes: dict[int, bytes] = field(default_factory=dict)


def find_samples(file: BinaryIO) -> Samples | None:
    """Find the samples of a file, or None if its kind does not say where they are.

    The position in ``file`` is changed.
    """
    size = file.seek(0, os.SEEK_END)
    head = _at(file, 0, 40)
    try:
        if head[8:12] == b"WAVE" and head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64"):
            return _riff(file, size, ">" if head[:4] == b"RIFX" else "<")
        if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC", b"8SVX", b"16SV"):
            return _form(file, size)
        if head[:4] == b"riff" and head[24:28] == b"wave":
            return _w64(file, size)
        if head[:4] == b"caff":
            return _caf(file, size)
        if head[:4] in (b".snd", b"dns."):
            return _au(head, size)
        if head[:7] == b"NIST_1A":
            return _nist(_at(file, 0, 4096), size)
        if head[:19] == b"Creative Voice File":
            return _voc(file, head, size)
        if head[:4] == b"2BIT":
            return _avr(_at(file, 0, 128), size)
        if head[:16] == b"ALawSoundFile**\0":
            return _from(32, int(struct.unpack(">I", head[18:22])[0]), size)
    except (struct.error, ValueError, UnicodeDecodeError):
        return None
    return None


def _at(file: BinaryIO, position: int, n_bytes: int) -> bytes:
    file.seek(position)
    return file.read(n_bytes)


def _chunks(
    file: BinaryIO, size: int, start: int, layout: str, overhead: int = 0, align: int = 2
) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each chunk, the position of its content and the size that it claims."""
    length = struct.calcsize(layout)
    for _ in range(_MAX_CHUNKS):
        if start + length > size:
            return
        name, claimed = struct.unpack(layout, _at(file, start, length))
        yield name, start + length, claimed
        start += max(length + claimed - overhead, length)
        start += -start % align


def _open_ended(claimed: int, n_there: int) -> bool:
    """Whether 32 bits are what programs write that do not know a size: all ones, or 2 GiB."""
    return claimed >= 0xFFFFFF00 or (0x7FFF0000 <= claimed <= 0x80001000 and n_there < claimed)


def _riff(file: BinaryIO, size: int, order: str) -> Samples | None:
    large: tuple[int, int] | None = None  # position of RF64's size of the samples, and that size
    for name, start, claimed in _chunks(file, size, 12, f"{order}4sI"):
        n_there = size - start
        if name == b"ds64":
            large = start + 8, int.from_bytes(_at(file, start + 8, 8), "little")
        elif name == b"data" and large is not None and (claimed >= 0xFFFFFF00 or claimed == 0):
            at, claimed = large
            if claimed >> 63 == 0 and (claimed > 0 or n_there == 0):
                return _from(start, claimed, size)
            sizes = {at: n_there.to_bytes(8, "little"), at - 8: (size - 8).to_bytes(8, "little")}
            return Samples(start, None, n_there, sizes)
        elif name == b"data":
            if claimed == 0 and n_there > 0 and not _is_chunk(file, size, start, order):
                return Samples(start, None, n_there, {start - 4: struct.pack(f"{order}I", _capped(n_there))})
            return (
                Samples(start, None, n_there)
                if _open_ended(claimed, n_there)
                else _from(start, claimed, size)
            )
    return None


def _capped(n_bytes: int) -> int:
    return min(n_bytes, 0xFFFFFFFF)


def _is_chunk(file: BinaryIO, size: int, start: int, order: str) -> bool:
    """Whether a chunk, and not samples, follows samples of length zero."""
    head = _at(file, start, 8)
    if len(head) < 8 or not all(32 <= byte < 127 for byte in head[:4]):
        return False
    return start + 8 + int(struct.unpack(f"{order}I", head[4:])[0]) <= size


def _form(file: BinaryIO, size: int) -> Samples | None:
    for name, start, claimed in _chunks(file, size, 12, ">4sI"):
        if name not in (b"SSND", b"BODY"):
            continue
        before = 8 if name == b"SSND" else 0  # offset and size of a block
        n_there = max(size - start - before, 0)
        if _open_ended(claimed, n_there) or (claimed == 0 and n_there > 0):
            return Samples(start + before, None, n_there)
        n_bytes = max(claimed - before, 0)
        return Samples(start + before, n_bytes, min(n_there, n_bytes))
    return None


def _w64(file: BinaryIO, size: int) -> Samples | None:
    for name, start, claimed in _chunks(file, size, 40, "<16sQ", overhead=24, align=8):
        if name[:4] == b"data":
            n_there, n_bytes = size - start, claimed - 24
            if claimed >> 62 or n_bytes <= 0:
                return Samples(start, None, n_there)
            return Samples(start, n_bytes, min(n_there, n_bytes))
    return None


def _caf(file: BinaryIO, size: int) -> Samples | None:
    for name, start, claimed in _chunks(file, size, 8, ">4sQ", align=1):
        if name == b"data":
            n_there = size - start - 4  # after the count of edits
            if claimed >> 63 or (claimed == 0 and n_there > 0):
                return Samples(start + 4, None, n_there, {start - 8: (n_there + 4).to_bytes(8, "big")})
            n_bytes = claimed - 4
            cut = {start - 8: (n_there + 4).to_bytes(8, "big")} if n_bytes > n_there else {}
            return Samples(start + 4, n_bytes, min(n_there, n_bytes), cut)
    return None


def _au(head: bytes, size: int) -> Samples:
    order = ">" if head[:4] == b".snd" else "<"
    start, claimed = struct.unpack(f"{order}II", head[4:12])
    n_there = max(size - start, 0)
    if claimed == 0 and n_there > 0:
        return Samples(start, None, n_there, {8: b"\xff" * 4})
    return Samples(start, None, n_there) if _open_ended(claimed, n_there) else _from(start, claimed, size)


def _nist(head: bytes, size: int) -> Samples | None:
    start = int(head[8:16])
    lines = [line.split() for line in head[:start].decode("ascii", "replace").splitlines()]
    found = {words[0]: words[2] for words in lines if len(words) == 3}
    if not {"sample_count", "sample_n_bytes"} <= found.keys():
        return None
    width = int(found["sample_n_bytes"]) * int(found.get("channel_count", 1))
    return _from(start, int(found["sample_count"]) * width, size)


def _avr(head: bytes, size: int) -> Samples:
    stereo, bits = struct.unpack(">HH", head[12:16])
    n_samples = int(struct.unpack(">I", head[26:30])[0])
    return _from(128, n_samples * (2 if stereo else 1) * (2 if bits == 16 else 1), size)


def _from(start: int, n_bytes: int, size: int) -> Samples:
    return Samples(start, n_bytes, min(max(size - start, 0), n_bytes))


def _voc(file: BinaryIO, head: bytes, size: int) -> Samples | None:
    start = int(struct.unpack("<H", head[20:22])[0])
    block = _at(file, start, 4)
    before = {1: 2, 9: 12}.get(block[0] if block else 0)
    if before is None or len(block) < 4:
        return None
    return _from(start + 4 + before, int.from_bytes(block[1:], "little") - before, size)


class PatchedFile(io.RawIOBase):
    """A file of which some bytes read otherwise; soundfile takes it as it takes any file object.

    Parameters
    ----------
    file
        The file, which is not closed with this one.
    patches
        Positions and what is read there.
    head, start
        What is read before the rest of the file, which is that from ``start`` on.
    """

    def __init__(
        self, file: BinaryIO, patches: dict[int, bytes], *, head: bytes = b"", start: int = 0
    ) -> None:
        super().__init__()
        self._file, self._patches, self._shift = file, {**patches}, len(head) - start
        self._head, self._position = head, 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move, and return the new position."""
        if whence == os.SEEK_END:
            offset += self._file.seek(0, os.SEEK_END) + self._shift
        offset += self._position if whence == os.SEEK_CUR else 0
        # A damaged header may send libsndfile before the start: it stays, for an exception would be printed.
        self._position = offset if 0 <= offset < 1 << 62 else self._position
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fill ``buffer``, and return the number of bytes."""
        position = self._position
        data = bytearray(self._head[position : position + len(buffer)])
        if len(data) < len(buffer):
            self._file.seek(position + len(data) - self._shift)
            data += self._file.read(len(buffer) - len(data))
        for start, patch in self._patches.items():
            first, last = max(start, position), min(start + len(patch), position + len(data))
            if first < last:
                data[first - position : last - position] = patch[first - start : last - start]
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
