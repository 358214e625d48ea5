"""``neurdsp drumsep prepare`` and ``render``: the bank of recordings, and sets of mixtures from it."""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import typer

from neurdsp import _guard as guard

__all__ = ["prepare", "render"]

_PURPOSE = "rendering drums"


@guard.guarded
def prepare(
    groove: Annotated[
        Path,
        typer.Option(help="Groove MIDI data set: groove-v1.0.0-midionly.zip unpacked, or a .tar.gz."),
        guard.READS,
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Bank to write, .safetensors."), guard.FILE],
    kits: Annotated[
        list[Path] | None,
        typer.Option(
            "--kit",
            help="Hydrogen kit, .sf2 file, or folder of one-shots; repeatable. By default those that the "
            "Debian packages hydrogen-drumkits, hydrogen-data, avldrums.lv2-soundfont, fluid-soundfont-gm "
            "and sonic-pi-samples have installed.",
        ),
        guard.READS,
    ] = None,
    splits: Annotated[
        list[str] | None,
        typer.Option(
            "--split", metavar="KIT=SPLIT", help="Put a kit into train, validation or test; repeatable."
        ),
    ] = None,
    synthesised: Annotated[
        int | None,
        typer.Option(
            min=0, help="Kits to synthesise of each style for training. [default: 8, and 14 membranes]"
        ),
    ] = None,
    overwrite: guard.Overwrite = False,  # noqa: ARG001 - the guard sees to it
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Gather drum kits, synthesised kits and performances into one file, from which training renders.

    A call that was stopped goes on where it was. NAME.kits.csv beside the bank lists kits, licences, splits.
    """
    from neurdsp.console import Progress, print_table
    from neurdsp.dependencies import require
    from neurdsp.drumsep.data.prepare import DEFAULT_SOURCES, SYNTHESISED
    from neurdsp.drumsep.data.prepare import prepare as gather
    from neurdsp.errors import ParameterError

    require("scipy", extra="train", purpose=_PURPOSE)
    sources = kits or [Path(source) for source in DEFAULT_SOURCES if Path(source).exists()]
    chosen = {}
    for text in splits or ():
        name, equals, split = text.rpartition("=")
        if not equals or split not in ("train", "validation", "test"):
            raise ParameterError(f"--split is '{text}'; write it as KIT=train, KIT=validation or KIT=test")
        chosen[name] = split
    counts = SYNTHESISED
    if synthesised is not None:
        held_out = {style: min(1, synthesised) for style in SYNTHESISED["train"]}
        counts = {
            "train": dict.fromkeys(SYNTHESISED["train"], synthesised),
            "validation": held_out,
            "test": held_out,
        }
    with Progress("gathering kits", 1.0) as bar:
        found = gather(
            output,
            groove=groove,
            sources=sources,
            splits=chosen,
            synthesised=counts,
            show=lambda name, _, total: bar.advance(1 / total, name),
        )
    if as_json:
        typer.echo(json.dumps({**vars(found), "bank": str(found.bank)}))
        return
    print_table(
        [
            ("bank", f"{found.bank}, {found.bank.stat().st_size / 1e6:.0f} MB"),
            ("kits", f"{found.n_kits}, with {found.n_strokes:,} recordings"),
            ("performances", f"{found.n_performances:,}, {found.minutes / 60:.1f} hours"),
        ]
    )


@guard.guarded
def render(
    bank: Annotated[Path, typer.Argument(help="Bank of 'neurdsp drumsep prepare'."), guard.READS],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the clips."), guard.FOLDER],
    split: Annotated[
        Literal["train", "validation", "test"], typer.Option(help="Whose kits and performances.")
    ] = "test",
    clips: Annotated[int, typer.Option(min=1, max=100_000, help="How many clips.")] = 10,
    seconds: Annotated[float, typer.Option(min=0.5, max=600, help="Duration of a clip.")] = 10.0,
    mono: Annotated[bool, typer.Option("--mono", help="One channel; otherwise two.")] = False,
    effects: Annotated[
        bool, typer.Option("--effects", help="With the effects of training; otherwise the kits as they are.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn.")] = 0,
    overwrite: guard.Overwrite = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """Write mixtures with their true stems as WAV, to listen to and for 'neurdsp drumsep evaluate'."""
    from neurdsp.console import Progress
    from neurdsp.dependencies import require

    require("scipy", extra="train", purpose=_PURPOSE)
    from neurdsp.drumsep.data.bank import open_bank
    from neurdsp.drumsep.data.config import RenderConfig
    from neurdsp.drumsep.data.sets import write_set

    opened = open_bank(bank)
    for number in range(clips):
        guard.check_new(output / f"{split}-{number:03d}", overwrite=overwrite)
    config = RenderConfig() if effects else RenderConfig().plain()
    written = []
    with Progress("rendering", clips) as bar:
        channels = 1 if mono else 2
        for clip in write_set(
            opened,
            output,
            split=split,
            n_clips=clips,
            seconds=seconds,
            channels=channels,
            config=config,
            seed=seed,
        ):
            written.append(clip)
            bar.advance(1)
    if as_json:
        typer.echo(json.dumps({"clips": [str(clip.folder) for clip in written]}))
        return
    counts = Counter(clip.folder.parent for clip in written)
    for folder, count in counts.items():
        typer.echo(f"{count} clips of {seconds:g} s in {folder}")
