"""Reading audio files, whole or block by block, with soundfile (libsndfile); what is missing from them."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal, Self, TypeAlias

import numpy as np

from neurdsp._notices import warn
from neurdsp.audio.channels import Cancelling, Channel, check_channel, take_channel
from neurdsp.audio.checks import FloatArray, check_audio
from neurdsp.audio.decoder_messages import decoder_messages
from neurdsp.audio.files import BLOCK_SAMPLES, reason_of
from neurdsp.audio.headers import PatchedFile, Samples, find_samples
from neurdsp.audio.sources import Source, open_source, shown_name, sound_file
from neurdsp.audio.streams import MpegStream, ogg_fault, read_mpeg_stream
from neurdsp.errors import AudioFileError, ParameterError

__all__ = ["AudioInfo", "AudioReader", "Channel", "Incomplete", "read_audio"]

#: What to do with a file that is shorter than its header says, or holed: warn of it, refuse it, or allow it.
Incomplete: TypeAlias = Literal["warn", "refuse", "allow"]

_SAMPLE_BYTES = {"PCM_S8": 1, "PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}
_SAMPLE_BYTES |= {"ULAW": 1, "ALAW": 1}

# libsndfile's length of a stream that does not tell its own.
_UNKNOWN_LENGTH = 1 << 62

# Formats in which the way to a later sample is exact and short.
_SEEKABLE = {"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "NIST"}


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """Header of an audio file.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    channels : int
        Number of channels.
    n_samples : int
        Samples per channel.
    format, subtype : str
        File format and sample format as libsndfile names them.
    """

    sample_rate: int
    channels: int
    n_samples: int
    format: str
    subtype: str

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate


class AudioReader:
    """Reads an audio file block by block, so that a file of any length can be read.

    Parameters
    ----------
    source : path-like or file object
        Any file that libsndfile reads: WAV, FLAC, AIFF, Ogg, MP3 and more. A file object is in binary mode,
        and is not closed.
    mono : bool
        Whether to reject a file with several channels.
    incomplete : {"warn", "refuse", "allow"}
        What to do with a file of which a part is missing: its end is cut off, or there is a hole in it.
        ``warn`` tells it with both lengths as soon as it is known, ``refuse`` raises an error.

    Attributes
    ----------
    info : AudioInfo
        The header.
    missing : str or None
        What is missing, once the end has been read.

    Raises
    ------
    AudioFileError
        If the file is missing or not audio, has several channels although ``mono`` is set, or proves to be
        damaged while it is read.

    Warns
    -----
    NeurdspWarning
        If a part of the file is missing.

    Examples
    --------
    >>> with AudioReader("guitar.wav") as reader:  # doctest: +SKIP
    ...     peak = max(abs(block).max() for block in reader.blocks())
    """

    def __init__(self, source: Source, *, mono: bool = False, incomplete: Incomplete = "warn") -> None:
        if incomplete not in ("warn", "refuse", "allow"):
            raise ParameterError(f"incomplete is {incomplete!r}, but it must be 'warn', 'refuse' or 'allow'")
        self.missing: str | None = None
        self._incomplete, self._messages = incomplete, list[str]()
        self._stack = contextlib.ExitStack()
        self._name, self._path, file = open_source(source, self._stack)
        try:
            self._header = find_samples(file)
            # Before libsndfile has it: it reads on from where it was.
            self._mpeg, self._ogg_fault = _stream(file)
            file.seek(0)
            self._file = self._open(file)
            mpeg = self._uncounted()
            if mpeg is not None and self._file.frames + 1152 < mpeg.n_samples:
                # libsndfile would stop at the length that it guesses from the size of the file.
                counted = PatchedFile(file, {}, head=mpeg.counting_frame(), start=mpeg.start)
                self._file = self._open(counted)
            self.info = self._read_info(mono)
            missing = self._structure()
            self._refuse(missing)
            self._told = missing is not None
            if self._told and incomplete == "warn":
                warn(f"{self._name} is incomplete: {missing}")
        except BaseException:
            self.close()
            raise
        self._position = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._stack.close()

    def skip(self, n_samples: int) -> None:
        """Move on by ``n_samples``, at most to the end."""
        import soundfile

        if self.info.format in _SEEKABLE and self._file.frames < _UNKNOWN_LENGTH:
            with contextlib.suppress(soundfile.SoundFileError, RuntimeError):
                self._position = self._file.seek(min(self._position + n_samples, self.info.n_samples))
                return
        for _ in self.blocks(n_samples=n_samples):
            pass

    def blocks(
        self, block_samples: int = BLOCK_SAMPLES, *, n_samples: int | None = None
    ) -> Iterator[FloatArray]:
        """Yield the rest of the file in float32 blocks of shape (n_channels, n), n ≤ ``block_samples``.

        Parameters
        ----------
        block_samples
            Longest block.
        n_samples
            Samples to read, by default all.
        """
        # numpy scales 16 bits to the same floats as libsndfile, several times faster.
        dtype = "int16" if self.info.subtype == "PCM_16" else "float32"
        end = None if n_samples is None else self._position + n_samples
        while end is None or self._position < end:
            wanted = block_samples if end is None else min(block_samples, end - self._position)
            block = self._read(wanted, dtype)
            if len(block) == 0:
                self._judge()
                return
            self._position += len(block)
            if dtype == "int16":
                block = np.multiply(block, np.float32(2**-15), dtype=np.float32)
            yield np.ascontiguousarray(block.T)

    def _open(self, file: BinaryIO | PatchedFile) -> Any:
        """Open the file with libsndfile: by its name where that will do, else through the file object."""
        import soundfile

        sizes = self._header.sizes if self._header is not None else {}
        if isinstance(file, PatchedFile):
            source: Any = file
        elif sizes or self._path is None:
            source = PatchedFile(file, sizes)
        else:
            # As bytes, because a name may be no text in the encoding of the file system.
            source = os.fsencode(self._path) if os.name == "posix" else self._path
        try:
            with self._heard():
                return self._stack.enter_context(sound_file()(source, "r"))
        except (soundfile.SoundFileError, OSError, TypeError, ValueError) as error:
            raise AudioFileError(
                f"cannot read {self._name}: not an audio file in a known format, or damaged "
                f"({self._reason(error)})"
            ) from error

    def _read_info(self, mono: bool) -> AudioInfo:
        file = self._file
        if file.channels < 1 or file.samplerate < 1:
            raise AudioFileError(f"cannot read {self._name}: its header has no channels or no sample rate")
        if mono and file.channels != 1:
            raise AudioFileError(
                f"{self._name} has {file.channels} channels, but mono is needed; export one channel"
            )
        uncounted = self._uncounted()
        n_samples = max(0, file.frames) if uncounted is None else uncounted.n_samples
        if n_samples >= _UNKNOWN_LENGTH:
            n_samples = self._count()
        return AudioInfo(file.samplerate, file.channels, n_samples, file.format, file.subtype)

    def _uncounted(self) -> MpegStream | None:
        """Return the frames of an MP3 file that does not tell how many there are."""
        mpeg = self._mpeg
        return mpeg if mpeg is not None and mpeg.n_promised is None and self._file.format == "MP3" else None

    def _count(self) -> int:
        """Count the samples of a file whose header does not, and go back to its start."""
        n_samples = 0
        while n := len(self._read(BLOCK_SAMPLES, "float32", n_samples)):
            n_samples += n
        self._file.seek(0)
        return n_samples

    def _read(self, n_samples: int, dtype: str, position: int | None = None) -> Any:
        import soundfile

        try:
            with self._heard():
                return self._file.read(n_samples, dtype=dtype, always_2d=True)
        except (soundfile.SoundFileError, OSError, RuntimeError) as error:
            at, of = (self._position, f" of {self.info.n_samples:,}") if position is None else (position, "")
            raise AudioFileError(
                f"cannot read {self._name}: damaged beyond sample {at:,}{of} ({self._reason(error)})"
            ) from error

    def _heard(self) -> contextlib.AbstractContextManager[None]:
        """Keep what the decoder says of a file that looks damaged."""
        mpeg = self._mpeg
        quiet = mpeg is None or (mpeg.whole and not mpeg.odd_size)
        return contextlib.nullcontext() if quiet else decoder_messages(self._messages)

    def _reason(self, error: BaseException) -> str:
        return "; ".join([reason_of(error), *self._messages[:1]])

    def _structure(self) -> str | None:
        """Return what the structure of the file tells to be missing."""
        info, header, mpeg = self.info, self._header, self._mpeg
        if header is not None and header.n_bytes is not None and header.n_bytes > header.n_there:
            n_promised = _samples_in(header, info)
            if n_promised > info.n_samples:
                return self._shorter(n_promised, info.n_samples)
        if mpeg is not None and info.format == "MP3":
            if mpeg.lost_bytes:
                return f"{mpeg.lost_bytes:,} bytes within it are not sound: a part is missing or overwritten"
            if mpeg.n_promised is not None and not mpeg.whole:
                return self._shorter(info.n_samples, min(mpeg.n_samples, info.n_samples))
            if mpeg.cut:
                return "it breaks off within a frame: its end is missing"
        return self._ogg_fault

    def _judge(self) -> None:
        """Compare what was read with what the header promised, and say what is missing."""
        info, n_read = self.info, self._position
        # Of MP3 frames, encoders count one or two more or less.
        tolerance = 2304 if info.format == "MP3" else 0
        if self._uncounted() is None and n_read + tolerance < info.n_samples:
            missing: str | None = self._shorter(info.n_samples, n_read)
        else:
            missing = self._structure()
            if missing is not None and "samples" not in missing:
                missing += f"; {_length(n_read, info)} can be read"
        self._refuse(missing)
        if missing is not None:
            said = f" (the decoder says: {self._messages[0]})" if self._messages else ""
            self.missing = missing + said
            if self._incomplete == "warn" and not self._told:
                warn(f"{self._name} is incomplete: {self.missing}")

    def _shorter(self, n_promised: int, n_there: int) -> str:
        return (
            f"its header promises {_length(n_promised, self.info)}, but {_length(n_there, self.info)} can be "
            "read"
        )

    def _refuse(self, missing: str | None) -> None:
        if missing is not None and self._incomplete == "refuse":
            raise AudioFileError(f"{self._name} is incomplete: {missing}; copy or export it again")


def read_audio(
    source: Source,
    *,
    mono: bool = False,
    channel: Channel | None = None,
    offset: float = 0.0,
    duration: float | None = None,
    incomplete: Incomplete = "warn",
) -> tuple[FloatArray, int]:
    """Read an audio file, or a part of it, as float32.

    Parameters
    ----------
    source : path-like or file object
        Any file that libsndfile reads; a file object is in binary mode. For long files see `AudioReader`.
    mono : bool
        Whether to mix all channels to their mean, as librosa does.
    channel : {"mean", "left", "right"} or int, optional
        The channel to take, by default all.
    offset : float
        Where to begin, in seconds.
    duration : float, optional
        How much to read, in seconds; by default all, and at most what is there.
    incomplete : {"warn", "refuse", "allow"}
        As in `AudioReader`.

    Returns
    -------
    samples : ndarray of float32, shape (n_samples,) or (n_channels, n_samples)
        One axis for a mono file or one channel, otherwise two.
    sample_rate : int
        In Hz.

    Raises
    ------
    AudioFileError
        If the file is missing, damaged, empty or not audio, contains NaN or infinity, or ends before
        ``offset``.
    ParameterError
        If a parameter is outside its domain, or the file has no such channel.

    Warns
    -----
    NeurdspWarning
        If a part of the file is missing, or if channels cancel in their mean.

    Examples
    --------
    >>> samples, sample_rate = read_audio("guitar.wav", mono=True, offset=1.5, duration=2)  # doctest: +SKIP
    """
    if channel is not None:
        check_channel(channel)
    elif mono:
        channel = "mean"
    for name, value, least in (("offset", offset, 0.0), ("duration", duration, 1e-9)):
        if value is not None and not least <= value < np.inf:
            above = "of at least 0" if name == "offset" else "above 0"
            raise ParameterError(f"{name} is {value!r}, but it must be a number of seconds {above}")
    # A part of a file may be whole although its end is missing: the warning waits for the end.
    with AudioReader(source, incomplete="allow" if incomplete == "warn" else incomplete) as reader:
        info, name = reader.info, shown_name(source)
        n_samples = None if duration is None else max(int(duration * info.sample_rate), 1)
        if offset:
            reader.skip(int(offset * info.sample_rate))
        # Block by block, because a header can claim more samples than fit into memory.
        blocks = list(reader.blocks(n_samples=n_samples))
    if reader.missing is not None and incomplete == "warn":
        warn(f"{name} is incomplete: {reader.missing}")
    if not blocks and offset:
        raise AudioFileError(
            f"{name} ends before offset = {offset:g} s: it has {_length(info.n_samples, info)}"
        )
    if not blocks:
        raise AudioFileError(f"{name} is empty: it holds no samples")
    samples = blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)
    try:
        shaped = samples[0] if info.channels == 1 else samples
        check_audio(shaped, name=name, first_sample=int(offset * info.sample_rate))
    except ParameterError as error:
        raise AudioFileError(str(error)) from error
    if channel is None:
        return shaped, info.sample_rate
    one = take_channel(samples, channel, name)
    if channel == "mean":
        cancelling = Cancelling()
        cancelling.watch(samples, one)
        if cancelling.found is not None:
            warn(f"{name}: {cancelling.found}")
    return np.ascontiguousarray(one), info.sample_rate


def _stream(file: BinaryIO) -> tuple[MpegStream | None, str | None]:
    """Return the frames of a file that may be MPEG audio, and what is wrong with the pages of an Ogg file."""
    file.seek(0)
    head = file.read(4)
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] >= 0xE0):
        return read_mpeg_stream(file), None
    return None, ogg_fault(file) if head == b"OggS" else None


def _samples_in(header: Samples, info: AudioInfo) -> int:
    """Return how many samples per channel the header promises."""
    n_bytes = header.n_bytes or 0
    width = _SAMPLE_BYTES.get(info.subtype)
    if width is not None:
        return n_bytes // (width * info.channels)
    return round(info.n_samples * n_bytes / max(header.n_there, 1))


def _length(n_samples: int, info: AudioInfo) -> str:
    return f"{n_samples:,} samples ({n_samples / info.sample_rate:.2f} s)"
