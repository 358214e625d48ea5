"""Writing audio files, whole or block by block, with soundfile (libsndfile)."""

import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
import numpy.typing as npt

from neurdsp._output import atomic_output
from neurdsp.audio.checks import check_audio, check_sample_rate
from neurdsp.errors import AudioFileError, ParameterError

__all__ = ["BLOCK_SAMPLES", "AudioWriter", "forget_time", "reason_of", "write_audio"]

#: Samples per channel that are read, rendered and written at a time: 1.4 s at 48 kHz, 256 KiB.
BLOCK_SAMPLES = 65_536

# The length of a WAV chunk has 32 bits; some room is left for the header and metadata chunks.
_WAV_MAX_BYTES = 2**32 - 65_536
_SUBTYPE_BYTES = {"PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}
_FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".aif": "AIFF", ".aiff": "AIFF", ".w64": "W64"}
# Where a chunk PEAK may be, and its time in it: behind name, size and version.
_HEAD_BYTES = 4096
_PEAK_TIME_AT = 12
# Sample formats instead of FLOAT where the file format has no floats.
_FALLBACK_SUBTYPES = {"FLAC": "PCM_24", "OGG": "VORBIS"}


def reason_of(error: BaseException) -> str:
    """Return libsndfile's message without the prefix, which repeats the path."""
    text = str(getattr(error, "error_string", "")) or str(error) or type(error).__name__
    return text.strip().rstrip(".")


def forget_time(file: BinaryIO) -> None:
    """Take out the time that libsndfile puts into files of floats, so that equal sound is equal bytes.

    It stands in the chunk ``PEAK`` of WAV and AIFF, before the samples.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    ends = [at for at in (head.find(b"data"), head.find(b"SSND")) if at >= 0]
    at = head.find(b"PEAK", 0, min(ends, default=0))
    if at >= 0:
        file.seek(at + _PEAK_TIME_AT)
        file.write(bytes(4))


class AudioWriter:
    """Writes an audio file block by block; the file appears under its name only when it is complete.

    Use it as a context manager. At the end of the block the file is renamed into place. After an error, such
    as a full disk, the unfinished file is removed, and an existing file of that name is unchanged.

    Parameters
    ----------
    path : path-like
        The suffix determines the format: .wav, .flac, .ogg, .aiff or .w64 (for more than 4 GiB).
    sample_rate : int
        In Hz.
    channels : int
        At least 1.
    subtype : str
        Sample format as libsndfile names it: FLOAT, PCM_16, PCM_24, DOUBLE. For a file format without floats,
        FLOAT stands for its best sample format (PCM_24 for FLAC).
    expected_samples : int
        About how many samples per channel there will be, if that is known: a WAV file that would exceed 4 GiB
        then gets the header that allows it (RF64, EBU Tech 3306).

    Raises
    ------
    AudioFileError
        If the folder is absent, the format is unknown, or the disk is full.
    ParameterError
        If the sample rate is out of range or not whole, or a block has another number of channels.

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
        expected_samples: int = 0,
    ) -> None:
        rate = check_sample_rate(sample_rate)
        if rate != int(rate):
            raise ParameterError(
                f"the sample_rate of a file must be a whole number, got {sample_rate!r}; resample first"
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
        # Compressed files tell their length to within a frame or two.
        self._n_samples = expected_samples + expected_samples // 100
        if self._format == "WAV" and self._n_bytes() > _WAV_MAX_BYTES:
            self._format = "RF64"
        self._n_samples = 0
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        import soundfile

        try:
            self._temporary = self._stack.enter_context(atomic_output(self._path))
        except OSError as error:
            raise AudioFileError(str(error)) from error
        try:
            # As bytes, because a name may be no text in the encoding of the file system.
            name = os.fsencode(self._temporary) if os.name == "posix" else self._temporary
            self._file = soundfile.SoundFile(
                name, "w", self._rate, self._channels, self._subtype, format=self._format
            )
        except (soundfile.SoundFileError, OSError, TypeError, ValueError) as error:
            self._abandon(error)
            raise AudioFileError(
                f"cannot write '{self._path}' as {self._format} {self._subtype} with {self._channels} "
                f"channels at {self._rate} Hz ({reason_of(error)})"
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
                f"cannot write '{self._path}': a WAV file is limited to 4 GiB; use the suffix .w64 or .flac"
            )
        try:
            self._file.write(samples.T)
        except (soundfile.SoundFileError, OSError, RuntimeError, AssertionError) as error:
            # python-soundfile asserts that libsndfile wrote all samples; on a full disk the assertion fails.
            raise self._disk_error(reason_of(error)) from error

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
            with open(self._temporary, "r+b") as written:
                forget_time(written)
            # libsndfile does not report an error in its last flush: only the file size shows it.
            size = self._temporary.stat().st_size
            if self._subtype in _SUBTYPE_BYTES and self._format != "FLAC" and size < self._n_bytes():
                raise OSError(f"{size} bytes written of {self._n_bytes()}")
        except (soundfile.SoundFileError, OSError, RuntimeError) as failure:
            self._abandon(failure)
            raise self._disk_error(reason_of(failure)) from failure
        try:
            self._stack.close()
        except OSError as failure:
            raise AudioFileError(f"cannot write '{self._path}' ({reason_of(failure)})") from failure

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


def write_audio(
    path: str | os.PathLike[str], samples: npt.ArrayLike, sample_rate: float, *, subtype: str = "FLOAT"
) -> None:
    """Write samples to an audio file, completely or not at all.

    Parameters
    ----------
    path : path-like
        The suffix determines the format; see `AudioWriter`.
    samples : array_like of float, shape (n_samples,) or (n_channels, n_samples)
        Full scale is 1.0; integer formats clip at full scale.
    sample_rate : int
        In Hz.
    subtype : str
        Sample format as libsndfile names it: FLOAT, PCM_16, PCM_24 and others.

    Raises
    ------
    AudioFileError
        If the file cannot be written: the folder is absent, the disk full, or the suffix unknown.
    ParameterError
        If the samples are empty, not finite or of the wrong shape, or the sample rate is out of range.

    Examples
    --------
    >>> write_audio("click.wav", [1.0, 0.0, 0.0], 48_000)  # doctest: +SKIP
    """
    array = np.atleast_2d(check_audio(samples, name="samples"))  # (n_channels, n_samples)
    with AudioWriter(path, sample_rate, channels=array.shape[0], subtype=subtype) as writer:
        for start in range(0, array.shape[1], BLOCK_SAMPLES):
            writer.write(array[:, start : start + BLOCK_SAMPLES])
