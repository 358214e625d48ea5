"""Options that several commands which write kicks share."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from neurdsp import _guard as guard

__all__ = [
    "Bits",
    "Decay",
    "Folder",
    "Generator",
    "Length",
    "Rate",
    "Seed",
    "Sheet",
    "Tune",
    "file_stem",
    "samples_of",
    "write_kicks",
]

Folder = Annotated[Path, typer.Option("--output", "-o", help="Folder for the kicks."), guard.FOLDER]
Generator = Annotated[
    str, typer.Option("--model", "-m", help="Model file, or a generator that comes with neurdsp.")
]
Seed = Annotated[int, typer.Option(min=0, help="Another seed gives other kicks.")]
Length = Annotated[float, typer.Option(metavar="S", help="Seconds.")]
Rate = Annotated[int, typer.Option("--rate", help="Sample rate in Hz, 8000 to 192000.")]
Tune = Annotated[float, typer.Option(metavar="ST", help="Semitones, -48 to 48.")]
Decay = Annotated[float, typer.Option(help="Factor on the duration, 0.1 to 10.")]
Bits = Annotated[str, typer.Option(help="16, 24 or 32 (float).")]
Sheet = Annotated[bool, typer.Option("--sheet/--no-sheet", help="Write a picture of all kicks, too.")]

_SUBTYPES = {"16": "PCM_16", "24": "PCM_24", "32": "FLOAT"}


def samples_of(seconds: float, rate: int) -> int:
    """Return how many samples a duration has.

    Raises
    ------
    ParameterError
        If it is no duration of a kick.
    """
    from neurdsp.kick.kick import MAX_SECONDS, check_range

    check_range("rate", rate, 8_000, 192_000)
    check_range("length", seconds, 64 / rate, MAX_SECONDS)
    return round(seconds * rate)


def file_stem(words: Sequence[str], seed: int, number: int) -> str:
    """Return the name of a kick's file: what it is, the seed, and its number.

    Examples
    --------
    >>> file_stem(["deep", "punchy"], 7, 3)
    'kick_deep-punchy_7_03'
    """
    text = "-".join(re.sub(r"[^a-z0-9]+", "", word.lower())[:24] for word in words[:6]).strip("-") or "any"
    return f"kick_{text}_{seed}_{number:02d}"


def write_kicks(
    folder: Path,
    audio: NDArray[np.float32],
    stems: Sequence[str],
    rate: int,
    *,
    bits: str,
    sheet: str,
    title: str,
    overwrite: bool,
    as_json: bool,
    facts: dict[str, Any],
) -> None:
    """Write a WAV for each kick, the contact sheet, and tell what was written.

    Raises
    ------
    ParameterError
        If ``bits`` is unknown.
    OSError
        If a file exists and may not be replaced, or cannot be written.
    """
    from neurdsp.audio import write_audio
    from neurdsp.console import Progress, print_table
    from neurdsp.errors import MissingDependencyError, ParameterError

    if bits not in _SUBTYPES:
        raise ParameterError(f"bits is {bits!r}, but must be {', '.join(_SUBTYPES)}")
    if folder.exists() and not folder.is_dir():
        raise ParameterError(f"output is '{folder}', which is no folder; give the name of a folder")
    files = [folder / f"{stem}.wav" for stem in stems]
    picture = folder / f"{sheet}.png" if sheet else None
    for path in [*files, *([picture] if picture else [])]:
        guard.check_new(path, overwrite=overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    with Progress("writing kicks", max(len(files), 1)) as progress:
        for path, kick in zip(files, audio, strict=True):
            write_audio(path, kick, rate, subtype=_SUBTYPES[bits])
            progress.advance(1)
    notes = []
    if picture and len(audio):
        from neurdsp.kick.sheet import draw_sheet

        try:
            draw_sheet(picture, audio, rate, [stem.removeprefix("kick_") for stem in stems], title=title)
        except MissingDependencyError:
            picture = None
            notes.append("no contact sheet: it needs matplotlib (pip install 'neurdsp[plot]')")
    else:
        picture = None
    if as_json:
        typer.echo(
            json.dumps(
                {**facts, "files": [str(path) for path in files], "sheet": str(picture) if picture else None}
            )
        )
        return
    rows = [("kicks", f"{len(files)} in {folder}"), *((name, str(value)) for name, value in facts.items())]
    if picture:
        rows.append(("sheet", str(picture)))
    print_table([*rows, *(("note", note) for note in notes)])
