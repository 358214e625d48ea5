"""Output of the commands: tables, and progress bars for work of over two seconds. Rich is imported on use."""

import sys
import time
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich import progress as rich_progress

__all__ = ["Progress", "print_table"]

_PATIENCE_S = 2.0


class Progress:
    """A progress bar on standard error that appears only if the work takes over two seconds.

    If standard error is not a terminal there is no bar, but a line now and then, if that is wanted.

    Parameters
    ----------
    description : str
        Text beside the bar, such as "rendering".
    total : float
        Amount of work, in the unit of `advance`.
    line_every_s : float, optional
        Seconds between lines that tell what is done and how long the rest takes, where there is no bar.
        Without it nothing is written there.

    Examples
    --------
    >>> with Progress("counting", total=3) as progress:
    ...     for _ in range(3):
    ...         progress.advance(1)
    """

    def __init__(self, description: str, total: float, *, line_every_s: float | None = None) -> None:
        self._description = description
        self._total = total
        self._done = 0.0
        self._note = ""
        self._bar: rich_progress.Progress | None = None
        self._enabled = sys.stderr.isatty()
        self._start = self._last_line = time.monotonic()
        self._line_every_s = line_every_s

    def __enter__(self) -> Self:
        return self

    def advance(self, amount: float, note: str = "") -> None:
        """Record that ``amount`` more is done, and show the note (a rate, for instance) beside the bar."""
        self._done += amount
        self._note = note
        if self._bar is None:
            if not self._enabled:
                self._write_line()
                return
            if time.monotonic() - self._start < _PATIENCE_S:
                return
            self._show()
        assert self._bar is not None
        self._bar.update(self._bar.task_ids[0], completed=self._done, note=self._note)

    def _write_line(self) -> None:
        now = time.monotonic()
        if self._line_every_s is None or now - self._last_line < self._line_every_s or self._done <= 0:
            return
        self._last_line = now
        share = min(self._done / self._total, 1.0)
        left_s = round((now - self._start) * (1 - share) / share)
        minutes, seconds = divmod(left_s, 60)
        note = f", {self._note}" if self._note else ""
        sys.stderr.write(
            f"neurdsp: {self._description}: {100 * share:.0f} %, about {minutes}:{seconds:02d} left{note}\n"
        )
        sys.stderr.flush()

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._bar.add_task(self._description, total=self._total, note="")
        self._bar.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def print_table(rows: Iterable[tuple[str, str]], *, title: str = "") -> None:
    """Print names and values in two aligned columns.

    Parameters
    ----------
    rows : iterable of (str, str)
        Names and values.
    title : str
        A line above the table; none if empty.

    Examples
    --------
    >>> print_table([("error-to-signal ratio", "0.0012"), ("null depth", "-29.2 dB")])
    error-to-signal ratio  0.0012
    null depth             -29.2 dB
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(name, style="cyan"), Text(value))
    console = Console(highlight=False)
    if title:
        console.print(Text(title, style="bold"))
    console.print(table)
