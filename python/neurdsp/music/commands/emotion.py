"""``neurdsp music emotion``: cue-model valence and arousal of a sound file."""

import json
from pathlib import Path
from typing import Annotated

import typer

from neurdsp import _guard as guard
from neurdsp._options import Json
from neurdsp.music.commands.options import Models

__all__ = ["emotion"]


@guard.guarded
def emotion(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Sound file."), guard.READS],
    models: Models = "default",
    plot: Annotated[
        Path | None, typer.Option("--plot", help="PNG file to draw both over time into."), guard.FILE
    ] = None,
    curve: Annotated[
        bool, typer.Option("--curve", help="With --json, every answer, not the means alone.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what an additive model of musical cues would: valence and arousal, -1 to 1.

    These are not feelings of listeners. The network was trained on rendered tunes, labelled by mode, tempo,
    register, dynamics, articulation and timbre: use it as a meter, or to modulate.
    """
    from neurdsp.audio import read_audio
    from neurdsp.console import print_table
    from neurdsp.music.infer import MusicPipeline

    audio, sample_rate = read_audio(source)
    mood = MusicPipeline.load(models).emotion(audio, sample_rate)
    if plot is not None:
        from neurdsp.music.emotion.listen import draw_mood
        from neurdsp.report.figure import save_figure

        save_figure(draw_mood(mood, title=f"{source.name}: cue-model valence and arousal"), plot)
    means = {name: round(value, 4) for name, value in mood.mean().items()}
    if as_json:
        found: dict[str, object] = {
            "labels": "cue-model",
            "valence": means.pop("valence"),
            "arousal": means.pop("arousal"),
            "cues": means,
            "frame_rate_hz": mood.frame_rate_hz,
            "frames": len(mood.valence),
        }
        if curve:
            found |= {
                "valence_curve": [round(float(value), 4) for value in mood.valence],
                "arousal_curve": [round(float(value), 4) for value in mood.arousal],
            }
        typer.echo(json.dumps(found))
        return
    rows = [
        ("cue-model valence", f"{means.pop('valence'):+.2f}"),
        ("cue-model arousal", f"{means.pop('arousal'):+.2f}"),
        *((f"heard {name}", f"{value:+.2f}") for name, value in means.items()),
    ]
    print_table([*rows, *([("plot", str(plot))] if plot is not None else [])])
