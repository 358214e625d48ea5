"""What a job over a corpus is: which features, of which audio, to which folder."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from neurdsp.dsp.extraction import ENDINGS, Format
from neurdsp.dsp.mel import MelSpectrogram
from neurdsp.errors import AudioFileError, ParameterError

__all__ = ["MelJob", "Task"]


@dataclass(frozen=True, kw_only=True)
class MelJob:
    """A job: which features, of which audio, to which folder.

    Parameters
    ----------
    source
        An audio file, or a folder that is searched with all its subfolders.
    output
        Folder for the results, made if it does not exist.
    plan
        The features. Audio is mixed to mono and resampled to ``plan.sr``.
    format
        ``npy``; ``safetensors`` with a tensor ``mel`` and the parameters; or ``raw``, float32 row after row
        in ``*_mel.bin`` (see `neurdsp.dsp.raw`).
    """

    source: Path
    output: Path
    plan: MelSpectrogram
    format: Format = "npy"

    def __post_init__(self) -> None:
        if self.format not in ENDINGS:
            raise ParameterError(f"format is {self.format!r}, but it must be one of {', '.join(ENDINGS)}")
        if not self.source.exists():
            raise AudioFileError(f"cannot read '{self.source}': no such file or folder")
        if self.output.exists() and not self.output.is_dir():
            raise ParameterError(f"output is '{self.output}', which is no folder; give the name of a folder")

    @property
    def root(self) -> Path:
        """The folder that the paths of the manifest are relative to."""
        return self.source if self.source.is_dir() else self.source.parent

    @property
    def config(self) -> str:
        """Hash of all parameters: 16 hexadecimal digits."""
        parameters = json.dumps(
            {**self.plan.parameters(), "format": self.format}, sort_keys=True, default=float
        )
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
