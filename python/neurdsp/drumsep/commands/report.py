"""``neurdsp drumsep report``: an HTML page to hear and see what a network does to a recording."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from neurdsp import _guard as guard

__all__ = ["report"]


@guard.guarded
def report(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Recording."), guard.READS],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="HTML file to write; it needs no other file."), guard.FILE
    ],
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="Model file; without one, the network that comes with neurdsp."),
    ] = None,
    tier: Annotated[
        str | None, typer.Option(help="Of a model file: exact, balanced (default), fast or turbo.")
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder with the true stems, kick.wav and so on: to hear them, and for SDR."
        ),
        guard.READS,
    ] = None,
    start: Annotated[float, typer.Option(min=0.0, help="Where to begin, in seconds.")] = 0.0,
    seconds: Annotated[
        float,
        typer.Option(
            min=0.1, max=300.0, help="How much to separate; in stereo the page has 0.6 MB a second."
        ),
    ] = 30.0,
) -> None:
    """Separate part of a recording, and write a page that plays its stems together, muted and soloed.

    The page has a waveform and a spectrogram of each stem, which needs the extra `plot`. With true stems it
    plays these too, and shows SDR beside that of the recording itself.
    """
    from neurdsp._output import check_output
    from neurdsp.audio import read_audio
    from neurdsp.drumsep.infer import DrumSeparator
    from neurdsp.drumsep.judge.report import Separation, write_listening_report
    from neurdsp.drumsep.judge.truth import read_truth

    if truth is not None and truth.is_dir():
        check_output(output, inputs=truth.iterdir())
    separator = DrumSeparator.load(model)
    mixture, sample_rate = read_audio(source, offset=start, duration=seconds)
    true_stems = (
        {}
        if truth is None
        else read_truth(truth, separator.stems, mixture, sample_rate, start_s=start, seconds=seconds)
    )
    options: Any = {} if tier is None else {"tier": tier}
    began_s = time.process_time()
    stems = separator.separate(mixture, sample_rate, **options)
    spent_s = time.process_time() - began_s
    duration_s = mixture.shape[-1] / sample_rate
    facts = {
        "network": separator.path.name,
        **({} if tier is None else {"tier": tier}),
        "part": f"{duration_s:.1f} s from {start:g} s on, {sample_rate} Hz",
        "separated in": f"{spent_s:.1f} s of CPU time",
    }
    found = Separation(mixture=mixture, sample_rate=sample_rate, stems=stems, truth=true_stems)
    write_listening_report(output, found, title=source.name, facts=facts)
    for name, (sdr_db, mixture_db) in found.scores().items():
        typer.echo(f"{name:8} SDR {sdr_db:6.2f} dB, the recording itself {mixture_db:6.2f} dB")
    typer.echo(f"written: {output}")
