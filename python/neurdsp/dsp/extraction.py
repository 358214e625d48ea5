"""The features of one audio file, block by block: memory does not grow with the length of the file.

Audio is read, mixed to mono, resampled and transformed in blocks; each step gives the bits that it gives for
the whole signal. Results are rows over frames, but frames are computed one after the other, so large features
wait in an unnamed file beside their result.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import IO, Literal, Self, TypeAlias

import numpy as np

from neurdsp.audio import AudioReader, FloatArray, StreamResampler, check_audio
from neurdsp.audio.plain_wav import decode_plain_wav
from neurdsp.dsp.arrays import Array
from neurdsp.dsp.mel import MelSpectrogram, normalise
from neurdsp.errors import AudioFileError, ParameterError

__all__ = ["ENDINGS", "Format", "extract"]

Format: TypeAlias = Literal["npy", "safetensors", "raw"]

#: Endings of the names of results.
ENDINGS = {"npy": ".npy", "safetensors": ".safetensors", "raw": "_mel.bin"}

#: Limit of the features in memory in bytes: 35 minutes of 80 bands at 100 frames a second.
MAX_HELD_BYTES = 1 << 26

# Samples that are read at a time, of all channels together.
_BLOCK_SAMPLES = 1 << 17

# Signals of up to so many samples are transformed in one call, which is quicker than a stream.
_SHORT_SAMPLES = 1 << 19


def extract(
    plan: MelSpectrogram,
    path: Path,
    target: str | os.PathLike[str],
    kind: Format,
    *,
    data: bytes | memoryview | None = None,
) -> tuple[int, float]:
    """Write the features of an audio file.

    Parameters
    ----------
    plan
        The features. Audio is mixed to mono and resampled to ``plan.sr``. With ``pad_mode="wrap"`` the file
        is held in memory, because its first frame needs its end.
    path
        The audio file.
    target
        Path of the result; its folder must exist. What is there after an error is of no use.
    kind
        ``npy``; ``safetensors`` with a tensor ``mel`` and the parameters; or ``raw``, float32 row after row
        (see `neurdsp.dsp.raw`).
    data
        The bytes of the audio file, where they are in memory.

    Returns
    -------
    n_frames : int
        Number of frames of the result.
    seconds : float
        Length of the audio in seconds.

    Raises
    ------
    AudioFileError
        If the file cannot be read or is damaged.
    ParameterError
        If it is too short for a frame.
    OSError
        If the result cannot be written.
    """
    audio = _MonoAudio(path, plan.sr, data)
    with _Features(plan, Path(target).parent) as features:
        for frames in _frames(plan, audio):
            features.append(frames)
        if features.n_frames == 0:
            plan.n_frames(audio.n_samples)  # raises: it says how many samples a frame needs
        with open(target, "wb") as file:
            file.write(_header(kind, plan, (features.n_rows, features.n_frames)))
            for piece in features.pieces():
                file.write(np.ascontiguousarray(piece, "<f4").data)
    return features.n_frames, audio.seconds


def _frames(plan: MelSpectrogram, audio: "_MonoAudio") -> Iterator[Array]:
    """Yield the features of a file piece by piece, not normalised."""
    bare = plan if plan.normalize is None else replace(plan, normalize=None)
    if plan.pad_mode == "wrap":  # the first frame needs the end of the file
        yield bare(np.concatenate(list(audio)), n_threads=1)
        return
    blocks, held = iter(audio), []
    for block in blocks:
        held.append(block)
        if audio.n_samples > _SHORT_SAMPLES:
            break
    else:
        if not plan.preemphasis:
            whole = held[0] if len(held) == 1 else np.concatenate(held)
            mel = plan.engine.plan().of_one(whole, 1, sys.maxsize)
            if mel is not None:
                yield mel
                return
    stream = bare.stream()
    for block in chain(held, blocks):
        yield stream.push(block)
    yield stream.flush()


class _MonoAudio:
    """A file as mono blocks at one rate; its length is known when all of them have been read.

    Attributes
    ----------
    n_samples
        Samples yielded so far, after resampling.
    seconds
        Length of the file in seconds, known at its end.
    """

    def __init__(self, path: Path, sample_rate: float, data: bytes | memoryview | None) -> None:
        self._path, self._sample_rate, self._data = path, sample_rate, data
        self.n_samples, self.seconds = 0, 0.0

    def __iter__(self) -> Iterator[FloatArray]:
        plain = None if self._data is None else decode_plain_wav(self._data)
        if plain is not None and plain[1] == self._sample_rate:
            self.seconds = len(plain[0]) / plain[1]
            yield self._counted(plain[0])
            return
        with AudioReader(self._path) as reader:
            rate, channels = reader.info.sample_rate, reader.info.channels
            resampler = StreamResampler(rate, self._sample_rate)
            position = 0
            for block in reader.blocks(max(_BLOCK_SAMPLES // channels, 1)):
                mono = self._mono(block, position)
                position += len(mono)
                yield self._counted(resampler.process(mono))
            if position == 0:
                raise AudioFileError(f"'{self._path}' is empty: it holds no samples")
            self.seconds = position / rate
            rest = resampler.finish()
            if rest.size:
                yield self._counted(rest)

    def _mono(self, block: FloatArray, position: int) -> FloatArray:
        try:
            audio = check_audio(
                block[0] if len(block) == 1 else block, name=f"'{self._path}'", first_sample=position
            )
        except ParameterError as error:
            raise AudioFileError(str(error)) from error
        mono: FloatArray = audio if audio.ndim == 1 else audio.mean(axis=0, dtype=np.float32)
        return mono

    def _counted(self, block: FloatArray) -> FloatArray:
        self.n_samples += len(block)
        return block


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


def _header(kind: Format, plan: MelSpectrogram, shape: tuple[int, int]) -> bytes:
    if kind == "npy":
        return _npy_header(shape)
    if kind == "raw":
        return b""
    # Made here, not by the package for such files, which wants the whole tensor in memory.
    # https://github.com/huggingface/safetensors: length of the header, header, values.
    parameters = json.dumps(plan.parameters(), default=float)
    tensor = {"dtype": "F32", "shape": shape, "data_offsets": (0, 4 * shape[0] * shape[1])}
    text = json.dumps({"__metadata__": {"neurdsp.mel": parameters}, "mel": tensor}).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


@lru_cache
def _npy_header(shape: tuple[int, int]) -> bytes:
    file = BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return file.getvalue()
