"""What a job over a corpus is: which features, of which audio, to which folder."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from neurdsp.dsp.audio_files import result_names
from neurdsp.dsp.batch_job import BatchJob, Task
from neurdsp.dsp.checks import choice
from neurdsp.dsp.extraction import ENDINGS, DType, Format
from neurdsp.dsp.file_audio import Channels, check_channels
from neurdsp.dsp.mel import MelSpectrogram
from neurdsp.errors import ParameterError

__all__ = ["MelJob"]


@dataclass(frozen=True, kw_only=True)
class MelJob(BatchJob):
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
        super().__post_init__()

    @property
    def config(self) -> str:
        """Hash of all parameters: 16 hexadecimal digits."""
        own = {"format": self.format, "channel": self.channel, "dtype": self.dtype}
        parameters = json.dumps({**self.plan.parameters(), **own}, sort_keys=True, default=float)
        return hashlib.blake2b(parameters.encode(), digest_size=8).hexdigest()

    @property
    def program(self) -> str:
        """The command, for messages."""
        return "neurdsp mel"

    def tasks(self, files: Sequence[Path]) -> list[Task]:
        """Return the task of each file."""
        names = self.names(files)
        outputs = result_names(names, ENDINGS[self.format])
        return [Task(path, name, outputs[name]) for path, name in zip(files, names, strict=True)]
