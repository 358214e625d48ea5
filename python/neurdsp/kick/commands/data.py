"""``neurdsp kick aggregate``: samples from nested folders into one."""

import json
from pathlib import Path
from typing import Annotated

import typer

from neurdsp import _guard as guard

__all__ = ["aggregate"]


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
    from neurdsp.console import Progress, print_table
    from neurdsp.kick.data import aggregate as gathering

    bars: list[Progress] = []

    def begin(total: int) -> None:
        bars.append(Progress("gathering kicks", max(total, 1)).__enter__())

    try:
        done = gathering.aggregate(
            sources,
            output,
            words=words or ["kick"],
            min_bytes=round(min_kb * 1024),
            max_bytes=round(max_kb * 1024),
            overwrite=overwrite,
            begin=begin,
            advance=lambda count: bars[0].advance(count),
        )
    finally:
        for bar in bars:
            bar.__exit__(None, None, None)
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
