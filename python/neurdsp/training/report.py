"""Progress of a run: a live line in the terminal, and a log with one JSON object per line."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from neurdsp.audio import FloatArray
from neurdsp.dependencies import require
from neurdsp.training.config import TrainingConfig

__all__ = ["Reporter", "reporter_of"]


class Reporter:
    """Writes ``metrics.jsonl`` and can show progress on standard error.

    A terminal gets a live bar with the loss, the score, the rate and the time left. A pipe or a file gets one
    line per validation, so that logs stay readable.

    Parameters
    ----------
    log
        The JSON Lines file, which a resumed run continues; None for no log.
    show
        Whether to show progress.
    score_name
        Name of the validation score, such as ``ESR``.
    tensorboard
        Folder for the figures of all events in TensorBoard's format; None for none.

    Raises
    ------
    MissingDependencyError
        If a folder is given and tensorboard is not installed.
    """

    def __init__(
        self,
        log: str | os.PathLike[str] | None = None,
        *,
        show: bool = False,
        score_name: str = "score",
        tensorboard: str | os.PathLike[str] | None = None,
    ) -> None:
        if tensorboard is not None:
            require("tensorboard", extra="train", purpose="training.tensorboard")
        self._board_folder = tensorboard
        self._board: Any = None
        self._path = None if log is None else Path(log)
        self._show = show
        self._score_name = score_name
        self._file: IO[str] | None = None
        self._progress: Any = None
        self._bar: Any = None

    def __enter__(self) -> Self:
        if self._path is not None:
            self._file = self._path.open("a", encoding="utf-8")
        if self._board_folder is not None:
            from torch.utils.tensorboard import SummaryWriter  # seconds to import

            self._board = SummaryWriter(os.fspath(self._board_folder))
        if self._show and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TimeElapsedColumn(),
                TextColumn("{task.fields[status]}"),
                console=Console(stderr=True),
            )
            self._bar = self._progress.add_task("training", total=1.0, status="")
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()
        if self._file is not None:
            self._file.close()
        if self._board is not None:
            self._board.close()

    def step(
        self, *, progress: float, loss: float, score: float | None, rate: str, seconds_left: float
    ) -> None:
        """Refresh the live line. This takes microseconds; call it at each step."""
        if self._progress is None:
            return
        best = "" if score is None else f" · {self._score_name} {score:.5f}"
        left = f"{int(seconds_left) // 60}:{int(seconds_left) % 60:02d}"
        status = f"loss {loss:.5f}{best} · {rate} · {left} left"
        self._progress.update(self._bar, completed=min(progress, 1.0), status=status)

    @property
    def takes_audio(self) -> bool:
        """Whether `audio` has a place for sounds."""
        return self._board is not None

    def audio(self, name: str, samples: FloatArray, *, sample_rate: int, step: int) -> None:
        """Add a sound to TensorBoard's folder, if there is one.

        Parameters
        ----------
        name
            Such as ``sample/deep``.
        samples
            ``(n_samples,)``, full scale at 1; what is above is cut off.
        sample_rate
            In Hz.
        step
            Steps done so far.
        """
        if self._board is not None:
            self._board.add_audio(name, samples.clip(-1.0, 1.0)[None], step, sample_rate=sample_rate)

    def event(self, kind: str, values: Mapping[str, Any], *, text: str | None = None) -> None:
        """Log an event as a JSON line, and show its text.

        Parameters
        ----------
        kind
            Such as ``validation``, ``rollback`` or ``stopped``.
        values
            Numbers and short strings.
        text
            Text to show; None shows nothing.
        """
        if self._file is not None:
            self._file.write(json.dumps({"event": kind, **values}) + "\n")
            self._file.flush()
        if self._board is not None and "step" in values:
            for name, value in values.items():
                if name != "step" and isinstance(value, int | float) and not isinstance(value, bool):
                    self._board.add_scalar(f"{kind}/{name}", value, values["step"])
            self._board.flush()
        if text is not None and self._show:
            if self._progress is not None:
                self._progress.console.print(text, highlight=False, markup=False)
            else:
                sys.stderr.write(f"{text}\n")
                sys.stderr.flush()


def reporter_of(folder: Path, training: TrainingConfig, *, show: bool, score_name: str) -> Reporter:
    """Return the reporter of a run, which writes into its folder.

    Parameters
    ----------
    folder
        Of the run.
    training
        Tells whether there are figures for TensorBoard.
    show, score_name
        As for `Reporter`.
    """
    board = folder / "tensorboard" if training.tensorboard else None
    return Reporter(folder / "metrics.jsonl", show=show, score_name=score_name, tensorboard=board)
