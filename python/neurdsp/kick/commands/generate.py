"""``neurdsp kick generate``, ``vary``, ``interpolate``, ``resynthesise`` and ``keywords``."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from neurdsp import _guard as guard
from neurdsp.kick.commands.options import (
    Bits,
    Decay,
    Folder,
    Generator,
    Length,
    Rate,
    Seed,
    Sheet,
    Tune,
    file_stem,
    samples_of,
    write_kicks,
)

__all__ = ["generate", "interpolate", "keywords", "resynthesise", "vary"]

Recording = Annotated[Path, typer.Argument(help="Recording of a kick."), guard.READS]


@guard.guarded
def generate(
    output: Folder,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[WORD]...", help="Keywords; see 'neurdsp kick keywords'.")
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, max=10_000, help="How many kicks.")] = 8,
    seed: Seed = 0,
    negative: Annotated[
        list[str] | None,
        typer.Option("--not", metavar="WORD", help="A word that should not hold; repeatable."),
    ] = None,
    slider: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=0..1", help="A slider, such as pitch=0.2; repeatable."),
    ] = None,
    guidance: Annotated[float, typer.Option(help="How strictly words are followed, 1 to 8.")] = 2.0,
    steps: Annotated[
        int | None, typer.Option(help="Steps of the sampler; the generator that ships takes one.")
    ] = None,
    length: Length = 2.0,
    tune: Tune = 0.0,
    decay: Decay = 1.0,
    rate: Rate = 44_100,
    bits: Bits = "24",
    model: Generator = "default",
    threads: Annotated[int, typer.Option(min=1, help="Threads; the kicks are the same with any number.")] = 1,
    sheet: Sheet = True,
    overwrite: guard.Overwrite = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the files as JSON.")] = False,
) -> None:
    """Generate kicks from keywords, a WAV for each.

    The same words and seed always give the same kicks.
    """
    from neurdsp.kick.infer import KickGenerator

    samples = samples_of(length, rate)
    asked = [word for text in words or [] for word in text.split(",") if word]
    generator = KickGenerator.load(model)
    kicks = generator.generate(
        asked,
        negative=negative or [],
        n=n,
        seed=seed,
        length=samples,
        tune=tune,
        decay=decay,
        guidance=guidance,
        steps=steps,
        sample_rate=rate,
        attributes=_sliders(slider or []),
        threads=threads,
    )
    known = [word.lower() for word in asked if word.lower() in generator.keywords]
    stems = [file_stem(known, seed, k) for k in range(n)]
    write_kicks(
        output,
        kicks,
        stems,
        rate,
        bits=bits,
        sheet=file_stem(known, seed, 0)[:-3] + "_sheet" if sheet else "",
        title=f"{' '.join(known) or 'any kick'}, seed {seed}",
        overwrite=overwrite,
        as_json=as_json,
        facts={"keywords": known, "seed": seed},
    )


def _sliders(settings: Sequence[str]) -> dict[str, float]:
    from neurdsp.errors import ParameterError

    found = {}
    for text in settings:
        name, _, value = text.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise ParameterError(f"--set is {text!r}, but must be NAME=VALUE, such as pitch=0.2") from None
    return found


@guard.guarded
def vary(
    source: Recording,
    output: Folder,
    n: Annotated[int, typer.Option("-n", min=1, max=10_000, help="How many variations.")] = 8,
    amount: Annotated[float, typer.Option(help="0 is the kick itself, 1 is hardly related.")] = 0.3,
    seed: Seed = 0,
    length: Length = 2.0,
    rate: Rate = 44_100,
    bits: Bits = "24",
    sheet: Sheet = True,
    overwrite: guard.Overwrite = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the files as JSON.")] = False,
) -> None:
    """Make variations of a recorded kick: its pitch, glide, decay, click and noise move."""
    from neurdsp.kick.kick import render_kicks, shift

    samples = samples_of(length, rate)
    kick = _fitted(source)
    kicks = [shift(kick, amount, seed, k) for k in range(n)]
    write_kicks(
        output,
        render_kicks(kicks, sample_rate=rate, length=samples),
        [file_stem([source.stem, "varied"], seed, k) for k in range(n)],
        rate,
        bits=bits,
        sheet=file_stem([source.stem, "varied"], seed, 0)[:-3] + "_sheet" if sheet else "",
        title=f"{source.name}, varied by {amount:g}",
        overwrite=overwrite,
        as_json=as_json,
        facts={"source": str(source), "amount": amount, "seed": seed},
    )


@guard.guarded
def interpolate(
    first: Recording,
    second: Annotated[Path, typer.Argument(help="Recording of another kick."), guard.READS],
    output: Folder,
    n: Annotated[int, typer.Option("-n", min=2, max=10_000, help="How many kicks, both ends included.")] = 8,
    length: Length = 2.0,
    rate: Rate = 44_100,
    bits: Bits = "24",
    sheet: Sheet = True,
    overwrite: guard.Overwrite = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the files as JSON.")] = False,
) -> None:
    """Make kicks on the way from one recording to another."""
    from neurdsp.kick.kick import blend, render_kicks

    samples = samples_of(length, rate)
    a, b = _fitted(first), _fitted(second)
    words = [first.stem, second.stem]
    write_kicks(
        output,
        render_kicks([blend(a, b, k / (n - 1)) for k in range(n)], sample_rate=rate, length=samples),
        [file_stem(words, 0, k) for k in range(n)],
        rate,
        bits=bits,
        sheet=file_stem(words, 0, 0)[:-3] + "_sheet" if sheet else "",
        title=f"{first.name} to {second.name}",
        overwrite=overwrite,
        as_json=as_json,
        facts={"first": str(first), "second": str(second)},
    )


@guard.guarded
def resynthesise(
    source: Recording,
    output: Annotated[Path, typer.Option("--output", "-o", help="WAV to write."), guard.FILE],
    tune: Tune = 0.0,
    decay: Decay = 1.0,
    glide: Annotated[float, typer.Option(help="Factor on the depth of the fall of the pitch, 0 to 4.")] = 1.0,
    body: Annotated[float, typer.Option(metavar="DB", help="Gain of the partials.")] = 0.0,
    click: Annotated[float, typer.Option(metavar="DB", help="Gain of the first 18 ms without them.")] = 0.0,
    noise: Annotated[float, typer.Option(metavar="DB", help="Gain of the noise.")] = 0.0,
    drive: Annotated[float, typer.Option(help="Overdrive of the body, 0 to 16.")] = 0.0,
    length: Length = 2.0,
    rate: Rate = 44_100,
    bits: Bits = "24",
    overwrite: guard.Overwrite = False,  # noqa: ARG001 - the guard sees to it
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Make a recorded kick again from partials, noise and a transient, and edit it on the way."""
    from neurdsp.audio import write_audio
    from neurdsp.console import print_table
    from neurdsp.errors import ParameterError
    from neurdsp.kick.fit import onset
    from neurdsp.kick.judge.figures import log_mel_distance

    subtypes = {"16": "PCM_16", "24": "PCM_24", "32": "FLOAT"}
    if bits not in subtypes:
        raise ParameterError(f"bits is {bits!r}, but must be {', '.join(subtypes)}")
    samples = samples_of(length, rate)
    kick = _fitted(source)
    distance = log_mel_distance(onset(*_read(source)), kick.render(level=False))
    edited = kick.edit(
        tune=tune, decay=decay, glide=glide, drive=drive, body_db=body, click_db=click, noise_db=noise
    )
    write_audio(output, edited.render(rate, samples), rate, subtype=subtypes[bits])
    if as_json:
        typer.echo(json.dumps({"output": str(output), "distance_nats": distance}))
        return
    print_table([("output", str(output)), ("distance before edits", f"{distance:.2f} nats of log-mel")])


def keywords(
    model: Generator = "default",
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """Print the words and the sliders that a generator knows, and what they mean."""
    from neurdsp.console import print_table
    from neurdsp.kick.infer import KickGenerator

    generator = KickGenerator.load(model)
    if as_json:
        typer.echo(json.dumps({"keywords": generator.keywords, "attributes": generator.attributes}))
        return
    print_table(
        [
            *generator.keywords.items(),
            *((f"--set {name}=0..1", text) for name, text in generator.attributes.items()),
        ]
    )


def _read(path: Path):  # type: ignore[no-untyped-def]
    from neurdsp.audio import read_audio

    return read_audio(path, duration=30.0)


def _fitted(path: Path):  # type: ignore[no-untyped-def]
    from neurdsp.kick.counted import kick_key
    from neurdsp.kick.fit import fit
    from neurdsp.kick.kick import Kick

    return Kick(fit(*_read(path)), kick_key(0, 0))
