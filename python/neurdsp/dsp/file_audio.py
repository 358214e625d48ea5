"""The audio of one file, block by block, as features need it: the channels asked for, at their rate."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from neurdsp.audio import AudioReader, FloatArray, StreamResampler, check_audio
from neurdsp.audio.channels import Cancelling, Channel, check_channel, take_channel
from neurdsp.audio.plain_wav import decode_plain_wav
from neurdsp.errors import AudioFileError, ParameterError

__all__ = ["Channels", "FileAudio", "check_channels"]

#: One channel of each file, or each of its channels by itself.
Channels: TypeAlias = Channel | Literal["each"]

# Samples that are read at a time, of all channels together.
_BLOCK_SAMPLES = 1 << 17


def check_channels(channel: object) -> None:
    """Raise a `ParameterError` unless ``channel`` is one of `Channels`."""
    if channel != "each":
        try:
            check_channel(channel)
        except ParameterError as error:
            raise ParameterError(f"{error}; or 'each'") from None


class FileAudio:
    """A file as blocks ``(n_channels, n)`` at one rate; its length is known when all of them have been read.

    Parameters
    ----------
    path
        The file.
    sample_rate
        Rate of the blocks in Hz.
    channel
        What to take of each file: one channel, so that blocks are ``(1, n)``, or each.
    length
        Samples that the file is cut or padded with zeros to, or None.
    data
        The bytes of the file, where they are in memory.

    Attributes
    ----------
    n_samples
        Samples yielded so far, after resampling.
    seconds
        Length of the file in seconds, known at its end.
    warnings
        What is missing from the file or lost of it, known at its end.
    """

    def __init__(
        self,
        path: Path,
        sample_rate: float,
        *,
        channel: Channels = "mean",
        length: int | None = None,
        data: bytes | memoryview | None = None,
    ) -> None:
        self._path, self._sample_rate, self._data = path, sample_rate, data
        self._channel, self._length = channel, length
        self.n_samples, self.seconds = 0, 0.0
        self.warnings = list[str]()

    def __iter__(self) -> Iterator[FloatArray]:
        n_rows, silent = 1, True
        for block in self._resampled():
            cut = block if self._length is None else block[:, : self._length - self.n_samples]
            self.n_samples += cut.shape[1]
            n_rows = len(cut)
            # Its middle is rarely zero, and tells at once.
            silent = silent and not (cut.size and cut[0, cut.shape[1] // 2]) and not cut.any()
            yield cut
            if self.n_samples == self._length:
                break
        if silent and not self.warnings:
            self.warnings.append("it holds only zeros: its features are constant")
        if self._length is not None and self.n_samples < self._length:
            missing = self._length - self.n_samples
            self.n_samples = self._length
            yield np.zeros((n_rows, missing), np.float32)

    def _resampled(self) -> Iterator[FloatArray]:
        plain = None if self._data is None else decode_plain_wav(self._data)
        if (
            plain is not None
            and plain[1] == self._sample_rate
            and self._channel in ("mean", "left", 0, "each")
        ):
            self.seconds = len(plain[0]) / plain[1]
            yield plain[0][np.newaxis]
            return
        with AudioReader(self._path, incomplete="allow") as reader:
            rate, channels = reader.info.sample_rate, reader.info.channels
            resamplers = list[StreamResampler]()
            cancelling = Cancelling()
            position = 0
            for block in reader.blocks(max(_BLOCK_SAMPLES // channels, 1)):
                taken = self._taken(block, position, cancelling)
                position += taken.shape[1]
                self.seconds = position / rate
                resamplers = resamplers or [StreamResampler(rate, self._sample_rate) for _ in taken]
                # Copied by the resampler, if there is something to do.
                yield _rows([one.process(row) for one, row in zip(resamplers, taken, strict=True)])
            if position == 0:
                raise AudioFileError(f"'{self._path}' is empty: it holds no samples")
            self.warnings += [text for text in (reader.missing, cancelling.found) if text is not None]
            rest = _rows([one.finish() for one in resamplers])
            if rest.size:
                yield rest

    def _taken(self, block: FloatArray, position: int, cancelling: Cancelling) -> FloatArray:
        name = f"'{self._path}'"
        try:
            audio = check_audio(block[0] if len(block) == 1 else block, name=name, first_sample=position)
            channels = np.atleast_2d(audio)
            if self._channel == "each":
                return channels
            taken = take_channel(channels, self._channel, name)
        except ParameterError as error:
            raise AudioFileError(str(error)) from error
        if self._channel == "mean":
            cancelling.watch(channels, taken)
        return taken[np.newaxis]


def _rows(rows: list[FloatArray]) -> FloatArray:
    return rows[0][np.newaxis] if len(rows) == 1 else np.stack(rows)
