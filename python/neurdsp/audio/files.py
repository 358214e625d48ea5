"""Reading and writing audio files, whole or block by block, with soundfile (libsndfile)."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from neurdsp._output import atomic_output
from neurdsp.audio.checks import FloatArray, check_audio, check_sample_rate
from neurdsp.errors import AudioFileError, ParameterError

__all__ = ["BLOCK_SAMPLES", "AudioInfo", "AudioReader", "AudioWriter", "read_audio", "write_audio"]

#: Samples a channel that are read, rendered and written at a time: 1.4 s at 48 kHz, a quarter of a megabyte.
BLOCK_SAMPLES = 65_536

# A WAV chunk carries its length in 32 bits; some room is left for the header and the metadata chunks.
_WAV_MAX_BYTES = 2**32 - 65_536
_SUBTYPE_BYTES = {"PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}
_FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".aif": "AIFF", ".aiff": "AIFF", ".w64": "W64"}
_FALLBACK_SUBTYPES = {
    "FLAC": "PCM_24",
    "OGG": "VORBIS",
}  # what stands in for FLOAT where the format has no floats


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What the header of an audio file says: rate in Hz, channels, samples a channel, sample format."""

    sample_rate: int
    channels: int
    n_samples: int
    format: str
    subtype: str

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate


def _reason(error: BaseException) -> str:
    """Return libsndfile's message without the prefix that repeats the path."""
    text = str(getattr(error, "error_string", "")) or str(error) or type(error).__name__
    return text.strip().rstrip(".")


class AudioReader:
    """An audio file that is read block by block, so that its length does not matter.

    Parameters
    ----------
    path : path-like
        Any file that libsndfile reads: WAV, FLAC, AIFF, Ogg, MP3 and more.
    mono : bool
        Whether to refuse a file of several channels.

    Attributes
    ----------
    info : AudioInfo
        The header.

    Raises
    ------
    AudioFileError
        If the file is missing, is not audio, has several channels where ``mono`` is asked for, or turns out
        to be damaged while it is read.

    Examples
    --------
    >>> with AudioReader("guitar.wav") as reader:  # doctest: +SKIP
    ...     peak = max(abs(block).max() for block in reader.blocks())
    """

    def __init__(self, path: str | os.PathLike[str], *, mono: bool = False) -> None:
        import soundfile

        self._path = Path(path)
        if self._path.is_dir():
            raise AudioFileError(f"cannot read '{path}': it is a folder; give an audio file")
        if not self._path.exists():
            raise AudioFileError(f"cannot read '{path}': no such file")
        try:
            self._file = soundfile.SoundFile(self._path, "r")
        except (soundfile.SoundFileError, OSError, TypeError, ValueError) as error:
            raise AudioFileError(
                f"cannot read '{path}': not an audio file that neurdsp knows, or damaged ({_reason(error)})"
            ) from error
        if self._file.channels < 1 or self._file.samplerate < 1:
            self._file.close()
            raise AudioFileError(f"cannot read '{path}': its header gives no channels or no sample rate")
        if mono and self._file.channels != 1:
            self._file.close()
            raise AudioFileError(
                f"'{path}' has {self._file.channels} channels, but mono is needed; export one channel"
            )
        self.info = AudioInfo(
            sample_rate=self._file.samplerate,
            channels=self._file.channels,
            n_samples=max(0, self._file.frames),
            format=self._file.format,
            subtype=self._file.subtype,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def blocks(self, block_samples: int = BLOCK_SAMPLES) -> Iterator[FloatArray]:
        """Yield float32 blocks of shape (n_channels, n) with n ≤ ``block_samples``, from here to the end."""
        import soundfile

        # numpy scales 16 bits to the same floats as libsndfile, several times faster.
        dtype = "int16" if self.info.subtype == "PCM_16" else "float32"
        while True:
            try:
                block = self._file.read(block_samples, dtype=dtype, always_2d=True)
            except (soundfile.SoundFileError, OSError, RuntimeError) as error:
                raise AudioFileError(f"cannot read '{self._path}': damaged ({_reason(error)})") from error
            if len(block) == 0:
                return
            if dtype == "int16":
                block = np.multiply(block, np.float32(2**-15), dtype=np.float32)
            yield np.ascontiguousarray(block.T)


class AudioWriter:
    """An audio file that is written block by block and appears under its name only when it is complete.

    Use it as a context manager: leaving the block without an error renames the file into place; an error,
    or a full disk, removes the unfinished file and leaves a former file of that name as it was.

    Parameters
    ----------
    path : path-like
        The name's suffix chooses the format: .wav, .flac, .ogg, .aiff or .w64 (for more than 4 GiB).
    sample_rate : int
        In Hz.
    channels : int
        At least 1.
    subtype : str
        Sample format as libsndfile calls it: FLOAT, PCM_16, PCM_24, DOUBLE. Where the format has no floats,
        FLOAT means its best (PCM_24 for FLAC).

    Raises
    ------
    AudioFileError
        If the folder is absent, the format unknown, or the disk full.

    Examples
    --------
    >>> with AudioWriter("silence.wav", 48_000) as writer:  # doctest: +SKIP
    ...     writer.write(np.zeros(480, np.float32))
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        sample_rate: float,
        *,
        channels: int = 1,
        subtype: str = "FLOAT",
    ) -> None:
        rate = check_sample_rate(sample_rate)
        if rate != int(rate):
            raise ParameterError(
                f"sample_rate of a file must be a whole number, got {sample_rate!r}; resample first"
            )
        suffix = Path(path).suffix.lower()
        if suffix not in _FORMATS:
            raise AudioFileError(
                f"cannot write '{path}': unknown suffix {suffix!r}; use one of {', '.join(_FORMATS)}"
            )
        self._path = Path(path)
        self._format = _FORMATS[suffix]
        self._subtype = _FALLBACK_SUBTYPES.get(self._format, subtype) if subtype == "FLOAT" else subtype
        self._rate = int(rate)
        self._channels = channels
        self._n_samples = 0
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        import soundfile

        try:
            self._temporary = self._stack.enter_context(atomic_output(self._path))
        except OSError as error:
            raise AudioFileError(str(error)) from error
        try:
            self._file = soundfile.SoundFile(
                self._temporary, "w", self._rate, self._channels, self._subtype, format=self._format
            )
        except (soundfile.SoundFileError, OSError, TypeError, ValueError) as error:
            self._abandon(error)
            raise AudioFileError(
                f"cannot write '{self._path}' as {self._format} {self._subtype} with {self._channels} "
                f"channels at {self._rate} Hz ({_reason(error)})"
            ) from error
        return self

    def write(self, block: npt.ArrayLike) -> None:
        """Append float samples of shape (n,) or (n_channels, n)."""
        import soundfile

        samples = np.atleast_2d(np.asarray(block, dtype=np.float32))  # (n_channels, n)
        if samples.ndim != 2 or samples.shape[0] != self._channels:
            raise ParameterError(
                f"block has shape {samples.shape}, but the file has {self._channels} channels"
            )
        self._n_samples += samples.shape[1]
        if self._format == "WAV" and self._n_bytes() > _WAV_MAX_BYTES:
            raise AudioFileError(
                f"cannot write '{self._path}': a WAV file ends at 4 GiB; use the suffix .w64 or .flac"
            )
        try:
            self._file.write(samples.T)
        except (soundfile.SoundFileError, OSError, RuntimeError, AssertionError) as error:
            # python-soundfile asserts on the count that libsndfile wrote: that is how a full disk shows.
            raise self._disk_error(_reason(error)) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import soundfile

        if error is not None:
            with contextlib.suppress(soundfile.SoundFileError, OSError, RuntimeError):
                self._file.close()
            self._stack.__exit__(kind, error, trace)
            return
        try:
            self._file.close()
            # libsndfile reports no error of its last flush, so the size is the only witness.
            size = self._temporary.stat().st_size
            if self._subtype in _SUBTYPE_BYTES and self._format != "FLAC" and size < self._n_bytes():
                raise OSError(f"{size} bytes written of {self._n_bytes()}")
        except (soundfile.SoundFileError, OSError, RuntimeError) as failure:
            self._abandon(failure)
            raise self._disk_error(_reason(failure)) from failure
        try:
            self._stack.close()
        except OSError as failure:
            raise AudioFileError(f"cannot write '{self._path}' ({_reason(failure)})") from failure

    def _n_bytes(self) -> int:
        return self._n_samples * self._channels * _SUBTYPE_BYTES.get(self._subtype, 1)

    def _abandon(self, error: BaseException) -> None:
        with contextlib.suppress(type(error)):
            self._stack.__exit__(type(error), error, error.__traceback__)

    def _disk_error(self, reason: str) -> AudioFileError:
        detail = f" ({reason})" if reason and reason != "AssertionError" else ""
        return AudioFileError(
            f"cannot write '{self._path}': the disk is full or a size limit was reached after "
            f"{self._n_samples} samples{detail}; free some space or choose another folder"
        )


def read_audio(path: str | os.PathLike[str], *, mono: bool = False) -> tuple[FloatArray, int]:
    """Read a whole audio file as float32.

    Parameters
    ----------
    path : path-like
        Any file that libsndfile reads. For long files see :class:`AudioReader`.
    mono : bool
        Whether to refuse a file of several channels.

    Returns
    -------
    samples : ndarray of float32, shape (n_samples,) or (n_channels, n_samples)
        One axis for a mono file, two otherwise.
    sample_rate : int
        In Hz.

    Raises
    ------
    AudioFileError
        If the file is missing, damaged, empty, not audio, holds NaN or infinity, or has several channels
        where ``mono`` is asked for.

    Examples
    --------
    >>> samples, sample_rate = read_audio("guitar.wav")  # doctest: +SKIP
    """
    with AudioReader(path, mono=mono) as reader:
        info = reader.info
        # Block by block, because a header can promise more samples than any memory holds.
        blocks = list(reader.blocks())
    if not blocks:
        raise AudioFileError(f"'{path}' is empty: it holds no samples")
    samples = blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)
    if info.channels == 1:
        samples = samples[0]
    try:
        return check_audio(samples, name=f"'{path}'"), info.sample_rate
    except ParameterError as error:
        raise AudioFileError(str(error)) from error


def write_audio(
    path: str | os.PathLike[str], samples: npt.ArrayLike, sample_rate: float, *, subtype: str = "FLOAT"
) -> None:
    """Write samples to an audio file that appears whole or not at all.

    Parameters
    ----------
    path : path-like
        The suffix chooses the format, see :class:`AudioWriter`.
    samples : array_like of float, shape (n_samples,) or (n_channels, n_samples)
        Full scale is 1.0; integer formats clip beyond it.
    sample_rate : int
        In Hz.
    subtype : str
        FLOAT, PCM_16, PCM_24 or another of libsndfile's names.

    Raises
    ------
    AudioFileError
        If the file cannot be written: folder absent, disk full, unknown suffix.
    ParameterError
        If the samples are empty, not finite or of the wrong shape.

    Examples
    --------
    >>> write_audio("click.wav", [1.0, 0.0, 0.0], 48_000)  # doctest: +SKIP
    """
    array = np.atleast_2d(check_audio(samples, name="samples"))  # (n_channels, n_samples)
    with AudioWriter(path, sample_rate, channels=array.shape[0], subtype=subtype) as writer:
        for start in range(0, array.shape[1], BLOCK_SAMPLES):
            writer.write(array[:, start : start + BLOCK_SAMPLES])
