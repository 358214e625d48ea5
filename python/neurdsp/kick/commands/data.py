"""``neurdsp kick aggregate`` and ``prepare``: samples from nested folders into one, and into shards."""

import contextlib
import json
from pathlib import Path
from typing import Annotated, Any, Self

import typer

from neurdsp import _guard as guard

__all__ = ["aggregate", "prepare"]


@guard.guarded
def aggregate(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="SRC...", help="Folders of samples, searched with their subfolders."),
        guard.READS,
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for raw/ and metadata.csv."), guard.FOLDER
    ],
    words: Annotated[
        list[str] | None,
        typer.Option("--word", help="Take files whose names contain this; repeatable. [default: kick]"),
    ] = None,
    min_kb: Annotated[float, typer.Option(min=0, help="Least size of a file in KiB.")] = 5,
    max_kb: Annotated[float, typer.Option(min=0, help="Largest size of a file in KiB.")] = 1024,
    overwrite: guard.Overwrite = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Gather kicks from nested folders into one, without loops and duplicates.

    Keywords come from the names. A call that was stopped goes on; one with other folders adds to what is
    there.
    """
    from neurdsp.console import print_table
    from neurdsp.kick.data import aggregate as gathering

    with _Bar("gathering kicks") as bar:
        done = gathering.aggregate(
            sources,
            output,
            words=words or ["kick"],
            min_bytes=round(min_kb * 1024),
            max_bytes=round(max_kb * 1024),
            overwrite=overwrite,
            begin=bar.begin,
            advance=bar.advance,
        )
    if as_json:
        typer.echo(json.dumps({**vars(done), "folder": str(done.folder)}))
        return
    print_table(
        [
            ("folder", str(done.folder)),
            ("kicks", f"{done.n_samples:,}"),
            ("copied", f"{done.n_copied:,}"),
            ("there already", f"{done.n_kept:,}"),
            ("duplicates", f"{done.n_duplicates:,}"),
            *((f"left out: {reason}", f"{count:,}") for reason, count in done.left_out.items()),
        ]
    )


@guard.guarded
def prepare(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="Folder of 'neurdsp kick aggregate'."), guard.READS
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for the shards. [default: DATA/prepared]"),
        guard.FOLDER,
    ] = None,
    preset: Annotated[
        str, typer.Option("--preset", "-p", help="Whose spectrograms: seed or seed-tiny.")
    ] = "seed",
    peak_db: Annotated[float, typer.Option(help="Peak of each kick in dBFS.")] = -1.0,
    fade: Annotated[float, typer.Option(help="Seconds of the fade at the end.")] = 0.2,
    validation: Annotated[float, typer.Option(help="Part of the kicks to hold out, by whole kits.")] = 0.1,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Make shards again that are there already.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Make shards of the gathered kicks: one rate, length and peak, with log-mel spectrograms.

    Whole kits are held out. A call that was stopped goes on where it was.
    """
    from neurdsp.config import build
    from neurdsp.console import print_table
    from neurdsp.kick.data import prepare as preparing
    from neurdsp.kick.mel.recipe import load_recipe

    settings = {"peak_db": peak_db, "fade_s": fade, "validation": validation}
    mel = load_recipe(preset).model.mel.model_dump()
    config = build(preparing.PrepareConfig, {"mel": mel, **settings}, source="kick prepare")
    with _Bar("preparing kicks") as bar:
        done = preparing.prepare(
            data, output, config=config, overwrite=overwrite, begin=bar.begin, advance=bar.advance
        )
    if as_json:
        typer.echo(json.dumps({**vars(done), "folder": str(done.folder)}))
        return
    for name, reason in done.failed.items():
        typer.echo(f"left out {name}: {reason}", err=True)
    print_table(
        [
            ("folder", str(done.folder)),
            *(
                (split, f"{count:,} kicks of {done.n_kits[split]:,} kits")
                for split, count in sorted(done.n_kicks.items())
            ),
            ("duplicates", f"{done.n_duplicates:,}"),
            ("unusable", f"{len(done.failed):,}"),
        ]
    )


class _Bar:
    """A progress bar whose length is known once the work has begun."""

    def __init__(self, description: str) -> None:
        self._description = description
        self._stack = contextlib.ExitStack()
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def begin(self, total: int) -> None:
        from neurdsp.console import Progress

        self._bar = self._stack.enter_context(Progress(self._description, max(total, 1)))

    def advance(self, count: int) -> None:
        self._bar.advance(count)
