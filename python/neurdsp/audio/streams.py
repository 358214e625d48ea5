"""What is wrong with the stream of an MP3 or Ogg file, seen without decoding it.

An MP3 file is a row of frames, each with a header of its own; an Ogg file is a row of pages, each with a
checksum, of which the last is marked. Decoders skip what they do not understand, and do not say that
something is missing.

Sources: ISO/IEC 11172-3 and 13818-3 (MPEG audio); RFC 3533 (Ogg); the Xing and VBRI headers as LAME and
Fraunhofer write them.
"""

import mmap
import struct
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO, TypeVar

__all__ = ["MpegStream", "ogg_fault", "read_mpeg_stream"]

T = TypeVar("T")

# Bits per second in thousands, by version 1 or 2 and layer.
_BIT_RATES = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES = (44_100, 48_000, 32_000)

# Positions that are tried in search of a next frame: a file of noise has many that look like one.
_MOST_TRIES = 1 << 18

_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class MpegStream:
    """The frames of an MPEG audio file.

    Attributes
    ----------
    n_samples
        Samples per channel in its whole frames, less those of a frame that counts the others.
    n_promised
        Samples that this frame promises, or None if there is no such frame.
    lost_bytes
        Bytes between its frames that belong to none.
    cut
        Whether its last frame ends before its time.
    odd_size
        Whether the first frame tells another size of the file.
    start, header
        Position of the first frame, and its first four bytes.
    n_frames
        Number of whole frames.
    """

    n_samples: int
    n_promised: int | None
    lost_bytes: int
    cut: bool
    odd_size: bool
    start: int
    header: bytes
    n_frames: int

    @property
    def whole(self) -> bool:
        """Whether nothing is known to be missing, but perhaps a frame that an encoder counted twice."""
        promised = self.n_promised or 0
        return not self.lost_bytes and not self.cut and self.n_samples + 1152 >= promised

    def counting_frame(self) -> bytes:
        """Return a frame that counts the others, to be read before them.

        Without it a decoder guesses the length from the size of the file, and stops there: a file of variable
        bit rate loses its end.
        """
        # No checksum, and a bit rate at which there is room for the count.
        head = bytes([0xFF, self.header[1] | 1, self.header[2] & 0x0C | 0x90, self.header[3]])
        frame = _frame(head, 0)
        mono, version_1 = head[3] >> 6 == 3, head[1] >> 3 & 3 == 3
        side = (17 if mono else 32) if version_1 else (9 if mono else 17)
        body = bytes(side) + b"Xing" + struct.pack(">II", 1, self.n_frames)
        return (head + body).ljust(frame[0] if frame else 0, b"\0")


def read_mpeg_stream(file: BinaryIO) -> MpegStream | None:
    """Follow the frames of an MPEG audio file; return None if it has none.

    The position in ``file`` is changed.
    """
    return _look_into(file, _follow)


def _look_into(file: BinaryIO, look: Callable[[bytes | mmap.mmap], T]) -> T:
    """Return what is found in the bytes of a file, which are mapped where it is one of the system."""
    try:
        with closing(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) as data:
            return look(data)
    except (OSError, ValueError):
        file.seek(0)
        return look(file.read())


def _follow(data: bytes | mmap.mmap) -> MpegStream | None:
    end = _end_of_frames(data)
    position = _after_tag(data, 0)
    n_samples = n_frames = lost = 0
    promised: tuple[int, int] | None = None
    cut, first, tries = False, position, _MOST_TRIES
    while position + 4 <= end:
        frame = _frame(data, position)
        if frame is not None and position + frame[0] > end:
            cut = n_frames > 0
            break
        following = -1 if frame is None else position + frame[0]
        # What looks like a frame is one only if another follows, or the end.
        if frame is None or not (following + 4 > end or _known(data, following)):
            found, tries = _next_frame(data, position + 1, end, tries)
            if found < 0:
                lost += end - position if tries <= 0 and n_frames else 0
                break
            lost += (found - position) if n_frames else 0
            position = found
            continue
        if n_frames == 0:
            promised, first = _promise(data[position : position + min(frame[0], 200)], frame[1]), position
        n_frames += 1
        n_samples += frame[1] if n_frames > 1 or promised is None else 0
        position = _after_tag(data, following)
    if not n_frames:
        return None
    n_promised, n_bytes = promised or (None, 0)
    odd = n_bytes > 0 and abs(end - first - n_bytes) > n_bytes // 128
    return MpegStream(n_samples, n_promised, lost, cut, odd, first, data[first : first + 4], n_frames)


def _frame(data: bytes | mmap.mmap, position: int) -> tuple[int, int] | None:
    """Return the bytes and the samples of the frame at ``position``, or None if there is none."""
    if data[position] != 0xFF:
        return None
    second, third = data[position + 1], data[position + 2]
    version, layer = second >> 3 & 3, 4 - (second >> 1 & 3)
    rate, speed = third >> 2 & 3, third >> 4
    if second < 0xE0 or version == 1 or layer == 4 or rate == 3 or speed in (0, 15):
        return None
    n_bits = _BIT_RATES[1 if version == 3 else 2, layer][speed - 1] * 1000
    n_hz = _SAMPLE_RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    padding = third >> 1 & 1
    if layer == 1:
        return (12 * n_bits // n_hz + padding) * 4, 384
    n_samples = 576 if layer == 3 and version != 3 else 1152
    return n_samples // 8 * n_bits // n_hz + padding, n_samples


def _known(data: bytes | mmap.mmap, position: int) -> bool:
    return data[position : position + 3] in (b"ID3", b"TAG") or _frame(data, position) is not None


def _next_frame(data: bytes | mmap.mmap, position: int, end: int, tries: int) -> tuple[int, int]:
    """Return the position of the next two frames in a row, or −1, and how many tries are left."""
    while True:
        position = data.find(b"\xff", position, end - 4)
        tries -= 1
        if position < 0 or tries <= 0:
            return -1, tries
        frame = _frame(data, position)
        if frame is not None and position + frame[0] + 4 <= end and _frame(data, position + frame[0]):
            return position, tries
        position += 1


def _after_tag(data: bytes | mmap.mmap, position: int) -> int:
    """Return the position after the ID3v2 tag that may start at ``position``."""
    head = data[position : position + 10]
    if len(head) < 10 or head[:3] != b"ID3":
        return position
    size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    return position + 10 + size + (10 if head[5] & 0x10 else 0)


def _end_of_frames(data: bytes | mmap.mmap) -> int:
    """Return where the tags at the end of the file, and the zeros before them, begin."""
    end = len(data)
    if data[max(end - 128, 0) :][:3] == b"TAG":
        end -= 128
    foot = data[max(end - 32, 0) : end]
    if foot[:8] == b"APETAGEX" and len(foot) == 32:
        size, _, flags = struct.unpack("<III", foot[12:24])
        end = max(end - size - (32 if flags >> 31 else 0), 0)
    return end


def _promise(frame: bytes, frame_samples: int) -> tuple[int, int] | None:
    """Return the samples and the bytes (or zero) of a file by its first frame, if that counts the others."""
    for name in (b"Xing", b"Info"):
        at = frame.find(name)
        if at > 0 and len(frame) >= at + 16:
            flags, n_frames, n_bytes = struct.unpack(">III", frame[at + 4 : at + 16])
            return (n_frames * frame_samples, n_bytes if flags & 2 else 0) if flags & 1 else None
    at = frame.find(b"VBRI")
    if at > 0 and len(frame) >= at + 18:
        n_bytes, n_frames = struct.unpack(">II", frame[at + 10 : at + 18])
        return n_frames * frame_samples, n_bytes
    return None


def ogg_fault(file: BinaryIO) -> str | None:
    """Return what is wrong with the pages of an Ogg file, or None: a decoder leaves damaged pages out.

    The position in ``file`` is changed.
    """
    return _look_into(file, _fault_of_pages)


def _fault_of_pages(data: bytes | mmap.mmap) -> str | None:
    position, ended, n_damaged = 0, True, 0
    numbers = dict[bytes, int]()  # the last page of each stream
    while position + 27 <= len(data):
        head = data[position : position + 27]
        if head[:5] != b"OggS\0":
            position = data.find(b"OggS\0", position + 1)
            if position < 0:  # a tag, or nothing
                break
            n_damaged += 1
            continue
        lengths = data[position + 27 : position + 27 + head[26]]
        end = position + 27 + head[26] + sum(lengths)
        if end > len(data) or len(lengths) < head[26]:
            return "its last page is cut off: its end is missing"
        if _ogg_checksum(data[position:end]) == int.from_bytes(head[22:26], "little"):
            serial, number = head[14:18], int.from_bytes(head[18:22], "little")
            n_damaged += number > numbers.get(serial, number - 1) + 1
            numbers[serial] = number
            ended = bool(head[5] & 4)
            position = end
        else:
            n_damaged += 1
            position = max(data.find(b"OggS\0", position + 1), position + 1)
    if n_damaged and numbers:
        return "pages within it are damaged or missing"
    return None if ended else "its last page does not end it: its end is missing"


def _ogg_checksum(page: bytes) -> int:
    """Return the CRC of a page, whose own field counts as zero.

    It is that of zlib with the bits of each byte the other way round.
    """
    bits = (page[:22] + bytes(4) + page[26:]).translate(_REVERSED)
    reflected = zlib.crc32(bits, 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{reflected:032b}"[::-1], 2)
