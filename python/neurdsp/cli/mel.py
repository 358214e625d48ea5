"""``neurdsp mel``: the mel spectrograms of a file or a folder."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from neurdsp import _guard as guard
from neurdsp._options import Address, Cluster, check_cluster

__all__ = ["mel"]


def mel(
    source: Annotated[
        list[Path],
        typer.Argument(help="Audio files, and folders to search with their subfolders."),
        guard.READS,
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results."), guard.FOLDER],
    preset: Annotated[
        str,
        typer.Option(
            help="Features of: librosa, torchaudio, whisper, hifigan, kaldi, nemo, gpt_sovits, kick."
        ),
    ] = "librosa",
    sr: Annotated[float | None, typer.Option(help="Sample rate in Hz that audio is resampled to.")] = None,
    n_fft: Annotated[int | None, typer.Option(help="Length of the transform in samples.")] = None,
    hop_length: Annotated[int | None, typer.Option(help="Distance between frames in samples.")] = None,
    win_length: Annotated[int | None, typer.Option(help="Length of the window in samples.")] = None,
    n_mels: Annotated[int | None, typer.Option(help="Number of mel bands.")] = None,
    fmin: Annotated[float | None, typer.Option(help="Lowest frequency in Hz.")] = None,
    fmax: Annotated[float | None, typer.Option(help="Highest frequency in Hz.")] = None,
    log: Annotated[str | None, typer.Option(help="Logarithm: ln, log10 or db.")] = None,
    power: Annotated[float | None, typer.Option(help="Exponent of the magnitude: 2 or 1.")] = None,
    norm: Annotated[
        str | None, typer.Option(help="Norm of the mel filters: slaney, none, or the order of a norm.")
    ] = None,
    htk: Annotated[
        bool | None, typer.Option("--htk/--slaney", help="Mel scale of HTK, or that of Slaney.")
    ] = None,
    snip_edges: Annotated[
        bool | None,
        typer.Option(
            "--snip-edges/--no-snip-edges", help="As Kaldi's option: frames within the signal only."
        ),
    ] = None,
    pad_or_trim: Annotated[
        float | None, typer.Option(help="Seconds to cut or pad each file to: 30 for Whisper.")
    ] = None,
    channel: Annotated[
        str, typer.Option(help="Channel to take: mean, left, right, an index from 0, or each.")
    ] = "mean",
    dtype: Annotated[str, typer.Option(help="Type of the results: float32 or float16.")] = "float32",
    exact: Annotated[bool, typer.Option("--exact", help="Transform in double precision.")] = False,
    safetensors: Annotated[bool, typer.Option("--safetensors", help="Write .safetensors, not .npy.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Write *_mel.bin: float32, bins x frames.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Number of files at a time; that of the cores by default.")
    ] = None,
    cluster: Cluster = False,
    address: Address = None,
    overwrite: guard.Overwrite = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write the mel spectrogram of each audio file, and a manifest.

    Run it again to continue after an interruption: results of unchanged files are kept. A file that cannot be
    read is recorded and skipped; one of which a part is missing has a result and a warning. Exit status 0:
    all done; 1: some files have no result; 2: a mistake in the call.
    """
    from neurdsp.console import print_table
    from neurdsp.dsp.corpus import MelJob, run
    from neurdsp.dsp.mel import MelSpectrogram
    from neurdsp.errors import ParameterError

    check_cluster(cluster=cluster, address=address)
    if raw and safetensors:
        raise ParameterError("--raw and --safetensors are two formats; give one of them")
    given = {
        "sr": sr,
        "n_fft": n_fft,
        "hop_length": hop_length,
        "win_length": win_length,
        "n_mels": n_mels,
        "fmin": fmin,
        "fmax": fmax,
        "log": log,
        "power": power,
        "htk": htk,
        "snip_edges": snip_edges,
        "pad_or_trim": pad_or_trim,
        "precision": "exact" if exact else None,
    }
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if norm is not None:
        changes["norm"] = _norm(norm)
    plan = MelSpectrogram.preset(preset, **changes)
    taken: Any = int(channel) if channel.isdecimal() else channel
    kind: Any = dtype
    job = MelJob(
        source=source,
        output=output,
        plan=plan,
        format="raw" if raw else "safetensors" if safetensors else "npy",
        channel=taken,
        dtype=kind,
    )
    executor = _executor(workers, cluster, address)
    started = time.monotonic()
    bar = _Bar()
    try:
        summary = run(job, executor=executor, begin=bar.begin, progress=bar.advance, overwrite=overwrite)
    finally:
        bar.end()
    for record in bar.told:
        said = record.error or f"warning: {record.warning}"
        typer.echo(f"neurdsp: {record.file}: {said}", err=True)
    elapsed_s = time.monotonic() - started
    if as_json:
        typer.echo(json.dumps({**asdict(summary), "elapsed_s": elapsed_s}))
    else:
        rows = [
            ("written", f"{summary.done} files, {summary.frames:,} frames"),
            ("kept", f"{summary.kept} files, done before"),
            ("failed", f"{summary.failed} files"),
            *([("warned", f"{summary.warned} files, see the manifest")] if summary.warned else []),
            *([("skipped", f"{summary.skipped}: no audio by their names")] if summary.skipped else []),
            ("speed", _speed(summary.done + summary.failed, summary.seconds, elapsed_s)),
            ("manifest", summary.manifest),
        ]
        print_table(rows)
    raise typer.Exit(1 if summary.failed else 0)


def _norm(text: str) -> Any:
    """Return a norm of mel filters by its name, or the order of one."""
    from neurdsp.errors import ParameterError

    if text in ("slaney", "none"):
        return None if text == "none" else text
    try:
        return float(text)
    except ValueError:
        raise ParameterError(
            f"--norm is '{text}', but it must be slaney, none or a number (the order of a norm, also inf)"
        ) from None


def _executor(workers: int | None, cluster: bool, address: str | None) -> Any:
    from neurdsp.dsp.executors import LocalPool, n_cores

    n_workers = workers or n_cores()
    if cluster:
        from neurdsp.dsp.cluster import RayPool

        return RayPool(address, workers=n_workers)
    return LocalPool(n_workers)


def _speed(n_files: int, seconds: float, elapsed_s: float) -> str:
    elapsed_s = max(elapsed_s, 1e-9)
    return f"{n_files / elapsed_s:,.1f} files/s, {seconds / elapsed_s:,.0f} x real time"


class _Bar:
    """Progress over the files, its rate, and the files that failed or have a warning."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self._bar: Any = None
        self._n_files, self._seconds, self._started = 0, 0.0, 0.0

    def begin(self, n_files: int) -> None:
        from neurdsp.console import Progress

        self._bar = Progress("mel spectrograms", n_files)
        self._bar.__enter__()
        self._started = time.monotonic()

    def advance(self, record: Any) -> None:
        self._n_files += 1
        self._seconds += record.seconds
        self._bar.advance(1, _speed(self._n_files, self._seconds, time.monotonic() - self._started))
        if record.error is not None or record.warning is not None:
            self.told.append(record)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
