"""The tasks of music, one entry each: where its data and its training are. Reading it needs no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neurdsp.errors import ParameterError
from neurdsp.modelfile.families import part

if TYPE_CHECKING:
    from neurdsp.music.dataset import Dataset
    from neurdsp.music.recipe import Recipe
    from neurdsp.music.task import MusicTask

__all__ = ["TASKS", "Sources", "TaskEntry", "task_of"]


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Data sets that can be read.

    Parameters
    ----------
    groove
        Groove MIDI: a folder or its archive.
    pop909
        POP909: a folder or its archive.
    music21
        Whether the corpus of the package music21 may be read.
    soundfont
        A soundfont to render with.
    """

    groove: Path | None = None
    pop909: Path | None = None
    music21: bool = False
    soundfont: Path | None = None

    def need(self, name: str) -> Path:
        """Return the path of a data set.

        Raises
        ------
        ParameterError
            If it was not given.
        """
        found = getattr(self, name)
        if not isinstance(found, Path):
            raise ParameterError(f"the data set {name} is needed; give its path with --{name}")
        return found


@dataclass(frozen=True)
class TaskEntry:
    """Where the parts of a task are, each as ``module:attribute``.

    Parameters
    ----------
    name
        Of its network.
    collect
        A function ``(sources, *, progress)`` from `Sources` to a `Dataset`; ``progress(done, of_all)`` is
        called now and then.
    build
        A function ``(dataset, recipe)`` that returns the `MusicTask`. It needs torch.
    """

    name: str
    collect: str
    build: str

    def prepare(
        self, sources: Sources, *, progress: Callable[[int, int], None] = lambda _done, _all: None
    ) -> "Dataset":
        """Read the sources."""
        found: Dataset = part(self.collect)(sources, progress=progress)
        return found

    def task(self, dataset: "Dataset", recipe: "Recipe") -> "MusicTask":
        """Return the task on prepared data."""
        found: MusicTask = part(self.build)(dataset, recipe)
        return found


TASKS: tuple[TaskEntry, ...] = (
    TaskEntry("dynamics", "neurdsp.music.dynamics.sources:collect", "neurdsp.music.dynamics.task:build"),
    TaskEntry("emotion", "neurdsp.music.emotion.sources:collect", "neurdsp.music.emotion.task:build"),
    TaskEntry("groove", "neurdsp.music.groove.sources:collect", "neurdsp.music.groove.task:build"),
    TaskEntry("harmony", "neurdsp.music.harmony.sources:collect", "neurdsp.music.harmony.task:build"),
    TaskEntry("melody", "neurdsp.music.melody.sources:collect", "neurdsp.music.melody.task:build"),
)
"""Every task. A new one is a folder and an entry here."""


def task_of(name: str) -> TaskEntry:
    """Return the task of a network.

    Raises
    ------
    ParameterError
        If there is none of the name.

    Examples
    --------
    >>> task_of("groove").name
    'groove'
    """
    for entry in TASKS:
        if entry.name == name:
            return entry
    names = ", ".join(entry.name for entry in TASKS)
    raise ParameterError(f"no music task is called {name!r}; choose one of {names}")
