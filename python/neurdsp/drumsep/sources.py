"""Where recordings come from: an array or a file, block by block, and again from the start."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from neurdsp.audio import AudioReader, FloatArray, check_audio
from neurdsp.audio.files import BLOCK_SAMPLES
from neurdsp.errors import AudioFileError, ParameterError

__all__ = ["ArraySource", "FileSource", "Source"]

_MAX_CHANNELS = 2


class Source(Protocol):
    """A recording.

    Attributes
    ----------
    channels : int
        One or two.
    n_samples : int
        Samples per channel; of a file, as its header has them.
    """

    channels: int
    n_samples: int

    @property
    def sample_rate(self) -> float:
        """In Hz."""
        ...

    def blocks(self) -> Iterator[FloatArray]:
        """Yield the recording in blocks ``(channels, n)`` of finite values, from its start."""
        ...


class ArraySource:
    """A recording in memory.

    Parameters
    ----------
    audio
        Checked, ``(channels, n_samples)``.
    sample_rate
        In Hz.

    Raises
    ------
    ParameterError
        If it has more than two channels.
    """

    def __init__(self, audio: FloatArray, sample_rate: float) -> None:
        self.sample_rate = sample_rate
        self.channels, self.n_samples = audio.shape
        if self.channels > _MAX_CHANNELS:
            raise ParameterError(f"the audio {_too_many(self.channels)}, for instance audio[:2]")
        self._audio = audio

    def blocks(self) -> Iterator[FloatArray]:
        """Yield the recording; see `Source.blocks`."""
        for start in range(0, self.n_samples, BLOCK_SAMPLES):
            yield self._audio[:, start : start + BLOCK_SAMPLES]


class FileSource:
    """A recording in a file, of which a block at a time is read.

    Parameters
    ----------
    path
        Any file that libsndfile reads.

    Attributes
    ----------
    missing : str or None
        What is missing from the file, known when it was read to its end.

    Raises
    ------
    AudioFileError
        If the file cannot be read or has more than two channels; `blocks` raises it if the file proves to be
        damaged or empty, or holds values that are not finite.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.missing: str | None = None
        with AudioReader(path, incomplete="allow") as reader:
            info = reader.info
        if info.channels > _MAX_CHANNELS:
            raise AudioFileError(f"'{path}' {_too_many(info.channels)}, or take two of its channels")
        self.sample_rate, self.channels, self.n_samples = info.sample_rate, info.channels, info.n_samples

    def blocks(self) -> Iterator[FloatArray]:
        """Yield the recording; see `Source.blocks`."""
        position = 0
        with AudioReader(self._path, incomplete="allow") as reader:
            for block in reader.blocks():
                mono = block.shape[0] == 1
                try:
                    check_audio(block[0] if mono else block, name=f"'{self._path}'", first_sample=position)
                except ParameterError as error:
                    raise AudioFileError(str(error)) from error
                position += block.shape[1]
                yield block
            self.missing = reader.missing
        if position == 0:
            raise AudioFileError(f"'{self._path}' is empty: it holds no samples")


def _too_many(channels: int) -> str:
    return f"has {channels} channels, but one or two can be separated; mix it down to stereo first"
