"""What a command may write: none of its inputs ever, and an older file only with ``--overwrite``.

The parameters of a command say by marks in their annotations which paths it reads and which it writes. From
these marks `guarded` checks a call before the command begins, so no command can forget an input.
"""

import functools
import inspect
import os
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer

from neurdsp._output import check_output, same_file

__all__ = [
    "FILE",
    "FOLDER",
    "MODEL",
    "READS",
    "Overwrite",
    "Reads",
    "Writes",
    "check_new",
    "guarded",
    "marks",
]

Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")]


@dataclass(frozen=True)
class Reads:
    """Marks a path that a command reads."""


@dataclass(frozen=True)
class Writes:
    """Marks a path that a command writes.

    Parameters
    ----------
    kind
        A ``"file"`` is replaced only with ``--overwrite``. A ``"model"`` of a training is replaced also by a
        better one or when the run is resumed, which the training decides. Of a ``"folder"`` the command
        checks each file itself.
    when
        Takes the values of all parameters, and tells whether the path is a file in this call, and not a
        folder.
    """

    kind: Literal["file", "model", "folder"] = "file"
    when: Callable[[Mapping[str, Any]], bool] = lambda _: True


READS = Reads()
FILE, MODEL, FOLDER = Writes(), Writes("model"), Writes("folder")


def marks(command: Callable[..., Any]) -> dict[str, Reads | Writes]:
    """Return the mark of each parameter of a command that has one."""
    hints = typing.get_type_hints(command, include_extras=True)
    return {
        name: mark
        for name, hint in hints.items()
        for mark in getattr(hint, "__metadata__", ())
        if isinstance(mark, Reads | Writes)
    }


def check_new(path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Refuse to write a file that exists, unless it may be replaced.

    Raises
    ------
    FileExistsError
        If it exists.
    """
    if not overwrite and os.path.lexists(path) and os.path.exists(path):
        raise FileExistsError(
            f"cannot write '{path}': it exists already; give another name, or --overwrite to replace it"
        )


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that checks its outputs before it begins, and says which of them it replaced.

    The command gets the option ``--overwrite`` if it writes a file, and its value if it has a parameter of
    that name.

    Parameters
    ----------
    command
        The function of a Typer command, with the marks of this module on its paths.

    Returns
    -------
    callable
        For ``app.command()``.

    Examples
    --------
    >>> def copy(source: Annotated[Path, READS], target: Annotated[Path, FILE]) -> None: ...
    >>> guarded(copy)(source="in.wav", target="in.wav")  # doctest: +SKIP
    Traceback (most recent call last):
    FileExistsError: cannot write 'in.wav': it is also an input, which would be lost; give another name
    """
    written = {name: mark for name, mark in marks(command).items() if isinstance(mark, Writes)}
    signature = inspect.signature(command)
    told = "overwrite" in signature.parameters

    @functools.wraps(command)
    def run(**values: Any) -> None:
        overwrite = values["overwrite"] if told else values.pop("overwrite", False)
        files = _outputs(written, values)
        inputs = [
            file
            for name, value in values.items()
            if name not in written
            for path in _paths(value)
            for file in _files(path)
        ]
        before = {}
        for path, kind in files:
            check_output(path, inputs=inputs)
            if kind == "file":
                check_new(path, overwrite=overwrite)
                before[path] = _identity(path)
        for index, (path, _) in enumerate(files):
            for other, _ in files[:index]:
                if same_file(path, other):
                    raise FileExistsError(f"'{other}' and '{path}' are one file; give two names")
        try:
            command(**values)
        finally:
            for path, identity in before.items():
                if identity is not None and _identity(path) != identity:
                    typer.echo(f"replaced {path}", err=True)

    run.__annotations__ = dict(command.__annotations__)
    if written and not told and any(mark.kind == "file" for mark in written.values()):
        added = inspect.Parameter(
            "overwrite", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Overwrite
        )
        run.__annotations__["overwrite"] = Overwrite
        signature = signature.replace(parameters=[*signature.parameters.values(), added])
    run.__signature__ = signature  # type: ignore[attr-defined]
    return run


def _outputs(written: Mapping[str, Writes], values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return path and kind of each output of a call that is a file."""
    return [
        (path, mark.kind)
        for name, mark in written.items()
        if mark.kind != "folder" and mark.when(values)
        for path in _paths(values.get(name))
    ]


def _paths(value: Any) -> Iterator[str]:
    """Yield what may be a path in the value of a parameter."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from _paths(item)
    elif isinstance(value, str | os.PathLike):
        yield os.fspath(value)


def _files(path: str) -> Iterator[str]:
    """Yield the file at a path, if there is one, or the files of a model that is a folder."""
    if os.path.isfile(path):
        yield path
    elif os.path.isfile(os.path.join(path, "config.json")):
        yield from (os.path.join(path, name) for name in os.listdir(path))


def _identity(path: str) -> tuple[int, int] | None:
    """Return what changes when a file is replaced; None without a file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
