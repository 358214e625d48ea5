"""``neurdsp music report``: MIDI files beside each other, seen and, where fluidsynth is, heard."""

from pathlib import Path
from typing import Annotated

import typer

from neurdsp import _guard as guard

__all__ = ["report"]


@guard.guarded
def report(
    sources: Annotated[
        list[Path], typer.Argument(metavar="IN...", help="MIDI files of the same bars."), guard.READS
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="HTML file to write; it needs no other file."), guard.FILE
    ],
) -> None:
    """Write a page with piano rolls of MIDI files and a player that solos and mutes them in step.

    Pictures need the extra `plot`; sound needs fluidsynth and the soundfont fluid-soundfont-gm.
    """
    from neurdsp.errors import ParameterError
    from neurdsp.midi import read_midi
    from neurdsp.music.report import write_report

    if len(sources) > 4:
        raise ParameterError(f"{len(sources)} files are given, but a report shows at most 4")
    files = {}
    facts = {}
    for number, source in enumerate(sources):
        midi = read_midi(source)
        name = source.stem if source.stem not in files else f"{source.stem} ({number + 1})"
        notes = midi.notes()
        files[name] = midi
        facts[name] = (
            f"{len(notes)} notes, velocities {notes['velocity'].mean() if len(notes) else 0:.0f} in the mean"
        )
    write_report(output, files, title=", ".join(files), facts=facts)
    typer.echo(f"written: {output}")
