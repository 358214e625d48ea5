"""``neurdsp music humanise`` and ``dynamics``: MIDI files played as a musician would."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from neurdsp import _guard as guard
from neurdsp._options import Json
from neurdsp.music.commands.options import Models, Output

__all__ = ["dynamics", "humanise"]

Source = Annotated[Path, typer.Argument(metavar="IN", help="MIDI file."), guard.READS]


@guard.guarded
def humanise(
    source: Source,
    output: Output,
    reference: Annotated[
        Path | None,
        typer.Option(help="MIDI file whose feel is taken over: a few bars are enough."),
        guard.READS,
    ] = None,
    amount: Annotated[float, typer.Option(help="0 leaves the file as it is, 1 plays it all.")] = 1.0,
    tightness: Annotated[float, typer.Option(help="0 has a drummer's chance, 1 has none.")] = 0.0,
    lean: Annotated[float, typer.Option(help="Milliseconds later, -50 to 50; below 0 it pushes.")] = 0.0,
    accents: Annotated[float, typer.Option(help="Factor on differences of velocity, 0 to 2.")] = 1.0,
    seed: Annotated[int, typer.Option(help="What chance depends on.")] = 0,
    lock: Annotated[
        list[str] | None, typer.Option(metavar="VOICE", help="Voice that stays as it is; repeatable.")
    ] = None,
    late_only: Annotated[
        bool, typer.Option("--late-only", help="No hit before its step: for live use.")
    ] = False,
    channel: Annotated[int, typer.Option(help="Of the drums, 1 to 16.")] = 10,
    models: Models = "default",
    as_json: Json = False,
) -> None:
    """Play the drums of a MIDI file with the timing and dynamics of a drummer, or of a reference of your own.

    All other notes, the tempo and the length stay as they are. With amount 0 the output is the input, byte
    for byte. Voices: kick, snare, closed_hat, open_hat, low_tom, mid_tom, high_tom, crash, ride.
    """
    from neurdsp.midi import read_midi
    from neurdsp.music.groove.humanise import Feel
    from neurdsp.music.infer import MusicPipeline

    pipeline = MusicPipeline.load(models)
    feel = Feel(
        amount=amount,
        tightness=tightness,
        lean_ms=lean,
        accents=accents,
        seed=seed,
        lock=tuple(lock or ()),
        late_only=late_only,
    )
    before = read_midi(source)
    played = pipeline.humanise(
        before, feel, reference=None if reference is None else read_midi(reference), channel=channel
    )
    _write(source, output, before, played.midi)
    facts = {
        "hits": played.n_hits,
        "moved": played.n_moved,
        "mean_shift_ms": round(played.shift_ms, 2),
        "latency_ms": round(played.latency_ms, 2),
        "network": "groove" in pipeline.paths,
    }
    rows = [
        ("output", str(output)),
        (
            "hits",
            f"{played.n_hits}; {played.n_moved} start elsewhere, by {played.shift_ms:.1f} ms in the mean",
        ),
        ("live use", f"needs a latency of {played.latency_ms:.0f} ms"),
        *(() if facts["network"] else [("network", "missing: the reference alone tells the feel")]),
    ]
    _finish(facts, rows, as_json)


@guard.guarded
def dynamics(
    source: Source,
    output: Output,
    valence: Annotated[float, typer.Option(help="From -1, dark, to 1, bright.")] = 0.0,
    arousal: Annotated[float, typer.Option(help="From -1, calm, to 1, excited: louder.")] = 0.0,
    amount: Annotated[float, typer.Option(help="How much of the shape is added, 0 to 2.")] = 1.0,
    models: Models = "default",
    as_json: Json = False,
) -> None:
    """Give the velocities of each part of a MIDI file the shape of a player, and of a mood.

    Nothing but velocities changes. A part keeps its mean, but for what the mood changes, and is
    never flattened.
    """
    from neurdsp.midi import read_midi
    from neurdsp.music.infer import MusicPipeline

    before = read_midi(source)
    shaped = MusicPipeline.load(models).dynamics(before, valence=valence, arousal=arousal, amount=amount)
    _write(source, output, before, shaped.midi)
    facts = {
        "notes": shaped.n_notes,
        "spread_before": round(shaped.spread_before, 2),
        "spread_after": round(shaped.spread_after, 2),
    }
    rows = [
        ("output", str(output)),
        ("notes", str(shaped.n_notes)),
        ("spread of velocity", f"{shaped.spread_before:.1f} before, {shaped.spread_after:.1f} after"),
    ]
    _finish(facts, rows, as_json)


def _write(source: Path, output: Path, before: "object", after: "object") -> None:
    """Write a file; one that did not change as the bytes that were read."""
    from neurdsp._output import atomic_output
    from neurdsp.midi import MidiFile

    assert isinstance(after, MidiFile)
    data = source.read_bytes() if after is before else after.to_bytes()
    with atomic_output(output, inputs=[source]) as temporary:
        temporary.write_bytes(data)


def _finish(facts: Mapping[str, object], rows: list[tuple[str, str]], as_json: bool) -> None:
    from neurdsp.console import print_table

    if as_json:
        typer.echo(json.dumps({"output": rows[0][1], **facts}))
        return
    print_table(rows)
