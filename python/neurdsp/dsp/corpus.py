"""The mel spectrograms of a file or of a folder, with a manifest of the outcome of each file.

The manifest, ``manifest.jsonl`` in the output folder, has a line of JSON for each file, appended after its
result is on the disk: ``file``, ``output``, ``frames``, ``seconds``, ``hash`` (BLAKE2 of the file's
bytes), ``error``, ``warning`` (what is missing from the audio), ``size``, ``mtime_ns`` and ``config``, by
which a later run knows that nothing has changed, and ``source`` and ``claims``, by which it knows whose each
result is. An interrupted run continues where it stopped.
"""

from collections.abc import Callable, Iterator, Sequence

from neurdsp.dsp.audio_files import SUFFIXES, find_audio
from neurdsp.dsp.batch import Summary, run_batch
from neurdsp.dsp.batch_job import Task
from neurdsp.dsp.executors import Executor, LocalPool
from neurdsp.dsp.extraction import Format
from neurdsp.dsp.manifest import Record, read_manifest
from neurdsp.dsp.mel_job import MelJob
from neurdsp.dsp.results import groups_done

__all__ = ["SUFFIXES", "Format", "MelJob", "Record", "Summary", "find_audio", "read_manifest", "run"]


def run(
    job: MelJob,
    *,
    executor: Executor | None = None,
    progress: Callable[[Record], None] | None = None,
    begin: Callable[[int], None] | None = None,
    overwrite: bool = False,
) -> Summary:
    """Do every file that the manifest does not show as done.

    Parameters
    ----------
    job
        The job.
    executor
        Where files are done: in a `neurdsp.dsp.executors.LocalPool`, by default of one thread, or in a
        `neurdsp.dsp.cluster.RayPool`. The results are the same, byte for byte.
    progress
        Called with the record of each file when the manifest names it.
    begin
        Called with the number of files to do.
    overwrite
        Whether files of the names of the results may be replaced that another corpus or no run made.

    Returns
    -------
    Summary
        Counts; the manifest holds the details.

    Raises
    ------
    AudioFileError
        If there is no audio. A bad file is recorded, and does not stop the run; so is one whose result would
        replace that of another file.
    ParameterError
        If another run is writing to the output folder, or if a file in it would be lost that no run made.
    OSError
        If no result can be written, for instance because the disk is full.
    """
    config = job.config

    def groups(todo: Sequence[Task]) -> Iterator[list[Record]]:
        return groups_done(job, todo, executor or LocalPool(), config)

    return run_batch(job, groups, progress=progress, begin=begin, overwrite=overwrite)
