"""What a job over a corpus is: which features, of which audio, to which folder."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from neurdsp.dsp.checks import choice
from neurdsp.dsp.extraction import ENDINGS, DType, Format
from neurdsp.dsp.file_audio import Channels, check_channels
from neurdsp.dsp.mel import MelSpectrogram
from neurdsp.errors import AudioFileError, ParameterError

__all__ = ["MelJob", "Task"]


@dataclass(frozen=True, kw_only=True)
class MelJob:
    """A job: which features, of which audio, to which folder.

    Parameters
    ----------
    source
        An audio file, or a folder that is searched with all its subfolders; or several of both.
    output
        Folder for the results, made if it does not exist.
    plan
        The features. Audio is resampled to ``plan.sr``.
    format
        ``npy``; ``safetensors`` with a tensor ``mel`` and the parameters; or ``raw``, float32 row after row
        in ``*_mel.bin`` (see `neurdsp.dsp.raw`).
    channel
        What is taken of each file: ``mean``, ``left``, ``right``, an index from 0, or ``each``, which gives
        results ``(n_channels, n_rows, n_frames)``.
    dtype
        ``float32`` or ``float16``.
    """

    source: Path | Sequence[Path]
    output: Path
    plan: MelSpectrogram
    format: Format = "npy"
    channel: Channels = "mean"
    dtype: DType = "float32"

    def __post_init__(self) -> None:
        if self.format not in ENDINGS:
            raise ParameterError(f"format is {self.format!r}, but it must be one of {', '.join(ENDINGS)}")
        check_channels(self.channel)
        choice("dtype", self.dtype, ("float32", "float16"))
        if self.format == "raw" and self.dtype != "float32":
            raise ParameterError(
                "a raw file has no header and holds float32; take npy or safetensors for float16"
            )
        if not self.sources:
            raise ParameterError("source is empty; give audio files or folders")
        for source in self.sources:
            if not source.exists():
                raise AudioFileError(f"cannot read '{source}': no such file or folder")
        if self.output.exists() and not self.output.is_dir():
            raise ParameterError(f"output is '{self.output}', which is no folder; give the name of a folder")

    @property
    def sources(self) -> tuple[Path, ...]:
        """The files and folders."""
        return (self.source,) if isinstance(self.source, Path) else tuple(self.source)

    @property
    def root(self) -> Path:
        """The folder that paths of the manifest are relative to: with several sources, the one above all."""
        folders = [source if source.is_dir() else source.parent for source in self.sources]
        return folders[0] if len(folders) == 1 else Path(os.path.commonpath([*map(os.path.abspath, folders)]))

    @property
    def config(self) -> str:
        """Hash of all parameters: 16 hexadecimal digits."""
        own = {"format": self.format, "channel": self.channel, "dtype": self.dtype}
        parameters = json.dumps({**self.plan.parameters(), **own}, sort_keys=True, default=float)
        return hashlib.blake2b(parameters.encode(), digest_size=8).hexdigest()


class Task(NamedTuple):
    """A file to do.

    Attributes
    ----------
    path
        The audio.
    name, output
        Paths of the audio and of its result, relative to the input and to the output folder.
    """

    path: Path
    name: str
    output: str
