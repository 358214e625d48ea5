"""The features of one audio file, block by block: memory does not grow with the length of the file.

Audio is read, resampled and transformed in blocks; each step gives the bits that it gives for
the whole signal. Results are rows over frames, but frames are computed one after the other, so large features
wait in an unnamed file beside their result.
"""

import contextlib
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import IO, Literal, NamedTuple, Self, TypeAlias

import numpy as np

from neurdsp.dsp.arrays import Array
from neurdsp.dsp.file_audio import Channels, FileAudio
from neurdsp.dsp.mel import MelSpectrogram, normalise
from neurdsp.errors import ParameterError

__all__ = ["ENDINGS", "DType", "Extracted", "Format", "extract"]

Format: TypeAlias = Literal["npy", "safetensors", "raw"]
DType: TypeAlias = Literal["float32", "float16"]

#: Endings of the names of results.
ENDINGS = {"npy": ".npy", "safetensors": ".safetensors", "raw": "_mel.bin"}

#: Limit of the features in memory in bytes: 35 minutes of 80 bands at 100 frames a second.
MAX_HELD_BYTES = 1 << 26

# Signals of up to so many samples are transformed in one call, which is quicker than a stream.
_SHORT_SAMPLES = 1 << 19


class Extracted(NamedTuple):
    """What became of a file.

    Attributes
    ----------
    n_frames
        Number of frames of the result.
    seconds
        Length of the audio in seconds.
    warning
        What is missing from the audio or lost of it, or None.
    """

    n_frames: int
    seconds: float
    warning: str | None


def extract(
    plan: MelSpectrogram,
    path: Path,
    target: str | os.PathLike[str],
    kind: Format,
    *,
    channel: Channels = "mean",
    dtype: DType = "float32",
    data: bytes | memoryview | None = None,
) -> Extracted:
    """Write the features of an audio file.

    Parameters
    ----------
    plan
        The features. Audio is resampled to ``plan.sr``. With ``pad_mode="wrap"`` or ``snip_edges=False`` the
        file is held in memory, because frames need its end.
    path
        The audio file.
    target
        Path of the result; its folder must exist. What is there after an error is of no use.
    kind
        ``npy``; ``safetensors`` with a tensor ``mel`` and the parameters; or ``raw``, float32 row after row
        (see `neurdsp.dsp.raw`).
    channel
        What is taken of the file: ``mean``, ``left``, ``right`` or an index, for features ``(n_rows,
        n_frames)``; ``each`` for ``(n_channels, n_rows, n_frames)``.
    dtype
        Type of the result.
    data
        The bytes of the audio file, where they are in memory.

    Returns
    -------
    Extracted
        Lengths, and a warning.

    Raises
    ------
    AudioFileError
        If the file cannot be read or is damaged, or has no such channel.
    ParameterError
        If it is too short for a frame, or float16 cannot hold its features.
    OSError
        If the result cannot be written.
    """
    length = plan.preparation.length
    if length is not None:
        plan = replace(plan, pad_or_trim=None)
    audio = FileAudio(path, plan.sr, channel=channel, length=length, data=data)
    with contextlib.ExitStack() as stack:
        channels = list[_Features]()
        for frames in _frames(plan, audio):
            channels = channels or [stack.enter_context(_Features(plan, Path(target).parent)) for _ in frames]
            for features, part in zip(channels, frames, strict=True):
                features.append(part)
        n_rows, n_frames = plan.n_rows, channels[0].n_frames
        if n_frames == 0:
            plan.n_frames(audio.n_samples)  # raises: it says how many samples a frame needs
        shape = (n_rows, n_frames) if channel != "each" else (len(channels), n_rows, n_frames)
        with open(target, "wb") as file:
            file.write(_header(kind, plan, shape, dtype))
            for features in channels:
                for piece in features.pieces():
                    file.write(_as_type(piece, dtype).data)
    return Extracted(n_frames, audio.seconds, "; ".join(audio.warnings) or None)


def _as_type(piece: Array, dtype: DType) -> Array:
    if dtype == "float32":
        return np.ascontiguousarray(piece, "<f4")
    largest = float(np.abs(piece).max(initial=0.0))
    if largest > np.finfo(np.float16).max:
        raise ParameterError(
            f"its features reach {largest:.3g}, but float16 holds at most 65504; take a logarithm "
            "(log='db') or float32"
        )
    return np.ascontiguousarray(piece, "<f2")


def _frames(plan: MelSpectrogram, audio: FileAudio) -> Iterator[list[Array]]:
    """Yield the features of a file piece by piece, one array for each channel, not normalised."""
    bare = plan if plan.normalize is None else replace(plan, normalize=None)
    # The first frame needs the end of the file, or the last one mirrors it.
    if plan.pad_mode == "wrap" or not plan.snip_edges:
        yield [bare(row, n_threads=1) for row in np.concatenate(list(audio), axis=1)]
        return
    blocks, held = iter(audio), []
    for block in blocks:
        held.append(block)
        if audio.n_samples * len(block) > _SHORT_SAMPLES:
            break
    else:
        if not plan.preemphasis:
            whole = held[0] if len(held) == 1 else np.concatenate(held, axis=1)
            core = plan.engine.plan()
            mels = [core.of_one(row, 1, sys.maxsize) for row in whole]
            if all(mel is not None for mel in mels):
                yield [mel for mel in mels if mel is not None]
                return
    streams = [bare.stream() for _ in held[0]]
    for block in chain(held, blocks):
        yield [stream.push(row) for stream, row in zip(streams, block, strict=True)]
    yield [stream.flush() for stream in streams]


class _Features:
    """Features to which frames are appended: in memory while they are small, then in an unnamed file."""

    def __init__(self, plan: MelSpectrogram, folder: Path) -> None:
        self._normalize, self._folder = plan.normalize, folder
        self._parts: list[Array] = []
        self._held_bytes = 0
        self._file: IO[bytes] | None = None
        self._widths: list[int] = []
        self._maximum = np.float32(-np.inf)
        self.n_rows, self.n_frames = plan.n_rows, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def append(self, frames: Array) -> None:
        """Add frames ``(n_rows, n)``."""
        if frames.shape[1] == 0:
            return
        self._parts.append(frames)
        self._held_bytes += frames.nbytes
        self.n_frames += frames.shape[1]
        if self._held_bytes > MAX_HELD_BYTES:
            self._move_to_file()

    def pieces(self) -> Iterator[Array]:
        """Yield all rows, normalised: at once if they are in memory, else one by one."""
        if self._file is None:
            mel = self._parts[0] if len(self._parts) == 1 else np.concatenate(self._parts, axis=1)
            normalise(mel[np.newaxis], self._normalize)
            yield mel
            return
        self._move_to_file()
        for row in range(self.n_rows):
            values, first, start = np.empty((1, self.n_frames), np.float32), 0, 0
            for width in self._widths:
                self._file.seek(start + 4 * row * width)
                values[0, first : first + width] = np.frombuffer(self._file.read(4 * width), np.float32)
                first += width
                start += 4 * self.n_rows * width
            normalise(values[np.newaxis], self._normalize, maximum=self._maximum)
            yield values

    def _move_to_file(self) -> None:
        if not self._parts:
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed by __exit__
        part = np.concatenate(self._parts, axis=1)
        self._maximum = max(self._maximum, part.max())
        self._file.seek(0, 2)
        self._file.write(part.data)
        self._widths.append(part.shape[1])
        self._parts, self._held_bytes = [], 0


def _header(kind: Format, plan: MelSpectrogram, shape: tuple[int, ...], dtype: DType) -> bytes:
    if kind == "npy":
        return _npy_header(shape, dtype)
    if kind == "raw":
        return b""
    # Made here, not by the package for such files, which wants the whole tensor in memory.
    # https://github.com/huggingface/safetensors: length of the header, header, values.
    parameters = json.dumps(plan.parameters(), default=float)
    name, n_bytes = ("F32", 4) if dtype == "float32" else ("F16", 2)
    tensor = {"dtype": name, "shape": shape, "data_offsets": (0, n_bytes * math.prod(shape))}
    text = json.dumps({"__metadata__": {"neurdsp.mel": parameters}, "mel": tensor}).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


@lru_cache
def _npy_header(shape: tuple[int, ...], dtype: DType) -> bytes:
    file = BytesIO()
    descr = "<f4" if dtype == "float32" else "<f2"
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue()
