"""``neurdsp drumsep evaluate``: how well a network separates recordings whose stems are known."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurdsp import _guard as guard

if TYPE_CHECKING:
    from neurdsp.drumsep.judge.evaluate import Evaluation, StemScores

__all__ = ["evaluate"]


@guard.guarded
def evaluate(
    model: Annotated[
        str, typer.Argument(help="Model file, the name of a shipped network, or the folder of a run.")
    ],
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="With NAME/kick.wav, snare, toms, hihat, cymbals; .flac and .mp3 too."
        ),
        guard.READS,
    ],
    bss_eval: Annotated[
        bool, typer.Option("--bss-eval", help="SIR and SAR too, by fast-bss-eval; slow.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Separate the sums of true stems, and print SDR beside what the mixture and ideal masks score.

    A model file is run by the engine, the folder of a run by torch. Stems below -60 dB are left out.
    """
    from neurdsp.console import Progress
    from neurdsp.drumsep.judge.evaluate import evaluate as judge
    from neurdsp.drumsep.judge.evaluate import find_clips
    from neurdsp.drumsep.judge.separators import open_separator

    separate, stems = open_separator(model)
    count = len(find_clips(folder, stems))
    with Progress("evaluating", count) as bar:
        found = judge(
            separate, folder, stems=stems, bss_eval=bss_eval, progress=lambda name: bar.advance(1, name)
        )
    if as_json:
        typer.echo(json.dumps({"model": model, **found.to_json()}))
        return
    _print(found)


def _print(found: "Evaluation") -> None:
    from rich.console import Console
    from rich.table import Table

    extra = any(one.sir_db is not None for one in found.means().values())
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("recording", "stem", "SDR", "mixture", "ideal mask", *(("SIR", "SAR") if extra else ())):
        table.add_column(title, justify="left" if title in ("recording", "stem") else "right", no_wrap=True)
    for clip in found.clips:
        for name, scores in clip.stems.items():
            table.add_row(clip.name, name, *_numbers(scores, extra))
    for name, scores in found.means().items():
        table.add_row("mean", name, *_numbers(scores, extra), style="bold")
    Console(highlight=False, width=100).print(table)


def _numbers(scores: "StemScores", extra: bool) -> list[str]:
    values: list[Any] = [scores.sdr_db, scores.mixture_sdr_db, scores.ideal_mask_sdr_db]
    values += [scores.sir_db, scores.sar_db] if extra else []
    return ["" if value is None else f"{value:.2f}" for value in values]
