"""``neurdsp music harmonise`` and ``continue``: chords for a melody, and what comes after it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurdsp import _guard as guard
from neurdsp._options import Json
from neurdsp.errors import ParameterError
from neurdsp.music.commands.options import Models, Output

if TYPE_CHECKING:
    from neurdsp.midi import MidiFile

__all__ = ["continue_melody", "harmonise"]

Source = Annotated[Path, typer.Argument(metavar="IN", help="MIDI file with a melody."), guard.READS]
Key = Annotated[
    str | None, typer.Option(help="Key, such as C, F# or Bbm; by default the one that fits best.")
]
Track = Annotated[
    int | None, typer.Option(help="Number of the track with the melody, from 0; by default all.")
]
Report = Annotated[
    Path | None,
    typer.Option(help="HTML file to write, with piano rolls and, where fluidsynth is, players."),
    guard.FILE,
]

_SHOWN = 64


@guard.guarded
def harmonise(
    source: Source,
    output: Output,
    suggestions: Annotated[int, typer.Option(help="Chords to suggest for each half bar, 1 to 64.")] = 3,
    lock: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N=CHORD",
            help="Half bar from 1, and the chord that stays there, as in 3=Am7; repeatable.",
        ),
    ] = None,
    change_rate: Annotated[
        float | None, typer.Option(help="Part of the half bars that change the chord, 0 to 1.")
    ] = None,
    key: Key = None,
    track: Track = None,
    velocity: Annotated[int, typer.Option(help="Of the chords, 1 to 127.")] = 70,
    channel: Annotated[int, typer.Option(help="Of the chords, 1 to 16.")] = 2,
    lookahead: Annotated[
        bool,
        typer.Option(
            "--lookahead/--no-lookahead", help="Whether a chord may depend on the half bars to come."
        ),
    ] = True,
    models: Models = "default",
    report: Report = None,
    as_json: Json = False,
) -> None:
    """Add chords to a melody: a plan for each half bar, with ranked suggestions, as a track of its own.

    To accept a suggestion, lock it and run the command again: the plan around it follows. All other tracks
    stay as they are.
    """
    from neurdsp.midi import read_midi
    from neurdsp.music.harmony.harmonise import PlanSettings
    from neurdsp.music.infer import MusicPipeline

    before = read_midi(source)
    found = MusicPipeline.load(models).harmonise(
        before,
        settings=PlanSettings(change_rate=change_rate, suggestions=suggestions, lookahead=lookahead),
        key=key,
        locks=_locks(lock or []),
        track=track,
        velocity=velocity,
        channel=channel - 1,
    )
    facts = found.to_json()
    lines = [
        (
            f"bar {half.bar}, half bar {half.number}",
            f"{half.chord:8} "
            + "  ".join(f"{other.chord} {other.probability:.0%}" for other in half.suggestions),
        )
        for half in found.half_bars[:_SHOWN]
    ]
    if len(found.half_bars) > _SHOWN:
        lines.append(("…", f"{len(found.half_bars) - _SHOWN} half bars more; --json prints all"))
    rows = [
        ("output", str(output)),
        ("key", found.key),
        ("on chord tones", f"{found.coverage:.0%} of the melody's time"),
        ("changes", f"in {found.change_rate:.0%} of the half bars"),
        *lines,
    ]
    _finish(source, output, before, found.midi, report, rows, facts, as_json=as_json)


@guard.guarded
def continue_melody(
    source: Source,
    output: Output,
    bars: Annotated[int, typer.Option(help="Bars to add, 1 to 256.")] = 4,
    memory: Annotated[
        float, typer.Option(help="How much the piece itself counts: 0 not at all, 1 as learnt, to 8.")
    ] = 1.0,
    scale_lock: Annotated[
        bool, typer.Option("--scale-lock/--no-scale-lock", help="Whether only notes of the key begin.")
    ] = False,
    temperature: Annotated[float, typer.Option(help="0 takes the likeliest notes, 1 draws, to 4.")] = 0.9,
    seed: Annotated[int, typer.Option(help="What chance depends on.")] = 0,
    key: Key = None,
    track: Track = None,
    models: Models = "default",
    report: Report = None,
    as_json: Json = False,
) -> None:
    """Continue a melody from the bar after its last note on, as a track of its own.

    All other tracks stay as they are. The same seed gives the same notes.
    """
    from neurdsp.midi import read_midi
    from neurdsp.music.infer import MusicPipeline
    from neurdsp.music.melody.continuation import ContinueSettings

    before = read_midi(source)
    settings = ContinueSettings(
        bars=bars,
        memory=memory,
        scale_lock=scale_lock,
        temperature=temperature,
        seed=seed,
        key=key,
        track=track,
    )
    found = MusicPipeline.load(models).continue_melody(before, settings)
    rows = [
        ("output", str(output)),
        ("key", found.key),
        ("notes", f"{len(found.notes)} from tick {found.start_ticks} to {found.end_ticks}"),
    ]
    _finish(source, output, before, found.midi, report, rows, found.to_json(), as_json=as_json)


def _locks(texts: list[str]) -> dict[int, str]:
    locks = {}
    for text in texts:
        number, equals, chord = text.partition("=")
        if not equals or not number.strip().isdecimal():
            raise ParameterError(f"--lock is '{text}', but must be a half bar and a chord, as in 3=Am7")
        locks[int(number)] = chord.strip()
    return locks


def _finish(
    source: Path,
    output: Path,
    before: "MidiFile",
    after: "MidiFile",
    report: Path | None,
    rows: list[tuple[str, str]],
    facts: Mapping[str, Any],
    *,
    as_json: bool,
) -> None:
    from neurdsp._output import atomic_output
    from neurdsp.console import print_table

    with atomic_output(output, inputs=[source]) as temporary:
        temporary.write_bytes(after.to_bytes())
    if report is not None:
        from neurdsp.music.report import write_report

        write_report(report, {"before": before, "after": after}, title=f"{source.name}", facts=dict(rows[1:]))
        rows = [*rows, ("report", str(report))]
    if as_json:
        typer.echo(json.dumps({"output": str(output), **facts}))
        return
    print_table(rows)
