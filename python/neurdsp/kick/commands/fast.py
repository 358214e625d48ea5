"""``neurdsp kick train fast``, ``export-fast`` and ``evaluate``."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from neurdsp import _guard as guard

__all__ = ["evaluate", "export_fast", "train_fast"]


@guard.guarded
def train_fast(
    run_dir: Annotated[
        Path,
        typer.Option("--run-dir", "-r", help="Folder for data, configuration and checkpoints."),
        guard.FOLDER,
    ],
    samples: Annotated[
        Path | None,
        typer.Option("--samples", help="Folder of kicks to learn from besides synthesis."),
        guard.READS,
    ] = None,
    preset: Annotated[str, typer.Option(help="fast, or fast-tiny to try the stages in seconds.")] = "fast",
    config_path: Annotated[
        Path | None, typer.Option("--config", "-c", help="YAML file in place of a preset."), guard.READS
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override: teacher.minutes=5."),
    ] = None,
    stages: Annotated[str, typer.Option(help="Stages to run: data, basis, teacher, student, probe.")] = "all",
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes that prepare data.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --run-dir.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove an earlier run in --run-dir.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Train the generator that makes a kick in one step: data, basis, teacher, student and probe.

    'neurdsp kick export-fast' makes a model file of the run.
    """
    from neurdsp.console import Progress, print_table
    from neurdsp.dependencies import require
    from neurdsp.kick.hybrid.config import load_recipe

    require("torch", extra="train", purpose="kick train fast")
    from neurdsp.kick.hybrid.train import STAGES, train

    recipe = load_recipe(preset, path=config_path, overrides=overrides or [])
    chosen = STAGES if stages == "all" else tuple(name.strip() for name in stages.split(","))
    with Progress("preparing kicks", 1.0, line_every_s=60) as bar:
        done = [0.0]

        def show(name: str, count: int, total: int) -> None:
            if name == "pieces" and total:
                bar.advance(count / total - done[0])
                done[0] = count / total

        figures = train(
            recipe,
            run_dir,
            samples=samples,
            stages=chosen,
            resume=resume,
            overwrite=overwrite,
            workers=workers,
            show=not as_json,
            progress=show,
        )
    if as_json:
        typer.echo(json.dumps({"run_dir": str(run_dir), "stages": figures}))
        return
    rows = [("run", str(run_dir))]
    rows += [(name, _told(values)) for name, values in figures.items()]
    print_table(rows)


def _told(values: dict[str, Any]) -> str:
    if "steps" in values:
        return f"{values['steps']:,} steps, score {values.get('score', float('nan')):.4f}"
    return ", ".join(f"{name} {value}" for name, value in values.items())


@guard.guarded
def export_fast(
    run_dir: Annotated[Path, typer.Argument(help="Folder of a run that has passed all stages."), guard.READS],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file to write."), guard.FILE],
    dtype: Annotated[str, typer.Option(help="Number type of the weights: F16, F32 or BF16.")] = "F16",
    name: Annotated[str, typer.Option(help="Name of the generator, for its metadata.")] = "",
    overwrite: guard.Overwrite = False,  # noqa: ARG001 - the guard sees to it
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Make a model file of a run of 'neurdsp kick train fast', and verify it in the engine."""
    from neurdsp.console import print_table
    from neurdsp.dependencies import require
    from neurdsp.errors import ParameterError

    require("torch", extra="train", purpose="kick export-fast")
    from neurdsp.kick.hybrid.export import export

    if dtype not in ("F16", "F32", "BF16"):
        raise ParameterError(f"dtype is {dtype!r}, but must be F16, F32 or BF16")
    verdict = export(run_dir, output, dtype=dtype, name=name)  # type: ignore[arg-type]
    if as_json:
        typer.echo(
            json.dumps({"output": str(output), "error_db": verdict.error_db, "passed": verdict.passed})
        )
        return
    print_table(
        [
            ("output", f"{output}, {output.stat().st_size / 1e6:.2f} MB"),
            ("engine", f"{verdict.error_db:.1f} dB from the reference"),
        ]
    )


@guard.guarded
def evaluate(
    model: Annotated[
        str, typer.Argument(help="Model file, or a generator that comes with neurdsp.")
    ] = "default",
    recordings: Annotated[
        Path | None,
        typer.Option("--recordings", help="Folder of kicks that it has not learnt from."),
        guard.READS,
    ] = None,
    training: Annotated[
        Path | None,
        typer.Option("--training", help="Folder of those that it has, for the floors."),
        guard.READS,
    ] = None,
    per_word: Annotated[int, typer.Option(min=1, max=10_000, help="Kicks for each word.")] = 50,
    n: Annotated[int, typer.Option("-n", min=2, max=100_000, help="Kicks for hygiene and distances.")] = 300,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the kicks that are judged.")] = 1,
    distances: Annotated[
        bool, typer.Option("--distances/--no-distances", help="Measure distances, with torch and aisfx.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Judge a generator: whether each word holds, kicks are clean, and how near to recordings they are.

    Floors stand beside the figures: what recordings themselves have.
    """
    from neurdsp.console import Progress, print_table
    from neurdsp.kick.infer import KickGenerator
    from neurdsp.kick.judge.evaluate import evaluate as judge
    from neurdsp.kick.judge.evaluate import read_recordings

    generator = KickGenerator.load(model)
    real = None if recordings is None else read_recordings(recordings)
    learnt = None if training is None else read_recordings(training)
    with Progress("judging", 3.0, line_every_s=60) as bar:
        found = judge(
            generator,
            recordings=real,
            training=learnt,
            per_word=per_word,
            n_kicks=n,
            seed=seed,
            distances=distances,
            progress=lambda name, _done, total: bar.advance(1 / total, name),
        )
    if as_json:
        typer.echo(json.dumps(found.to_json()))
        return
    rows = []
    for name, rate in found.words.items():
        text = f"{rate:.2f}, of other words {found.other_words[name]:.2f}"
        text += f", of recordings {found.floor_words[name]:.2f}" if found.floor_words else ""
        rows.append((f"word {name}", text))
    if found.words:
        rows.append(("words, mean", f"{sum(found.words.values()) / len(found.words):.3f}"))
        rows.append(("words, least", f"{min(found.words.values()):.2f}"))
    if found.pairs is not None:
        rows.append(("pairs of words", f"{found.pairs:.3f}"))
    for title, clean in (("", found.hygiene), (" of recordings", found.floor_hygiene)):
        if clean is not None:
            rows.append((f"last sample{title}", f"{clean.last_sample:.1e}"))
            rows.append((f"DC{title}", f"{clean.dc_median:.1e}, at most {clean.dc:.1e}"))
            rows.append((f"ripple{title}", f"{clean.ripple_cents:.0f} cents"))
            rows.append((f"late swells{title}", f"{clean.swells:.1%} of kicks"))
            typical = f"{clean.pitch_hz:.0f} Hz, {clean.length_s:.2f} s, {clean.click_db:.0f} dB"
            rows.append((f"pitch, length, click{title}", typical))
    for name, far in found.distances.items():
        text = f"{far.raw:.2f}, masked {far.masked:.2f}, nearest is own {far.nearest:.2f}"
        text += f", density {far.density:.2f}, coverage {far.coverage:.2f}"
        rows.append((f"aisfx, {name}", text + ("" if far.copies is None else f", copies {far.copies:.2f}")))
    if found.resynthesis_nats is not None:
        rows.append(
            (
                "resynthesis",
                f"{found.resynthesis_nats:.2f} nats; two seeds of one code {found.seeds_nats:.2f}",
            )
        )
    print_table([*rows, *(("left out", text) for text in found.left_out)])
