"""``neurdsp drumsep separate`` and ``list``."""

import json
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurdsp import _guard as guard
from neurdsp._options import Address, Cluster, check_cluster

if TYPE_CHECKING:
    from neurdsp.drumsep.batch import SeparationJob

__all__ = ["list_networks", "separate"]

# Without a terminal, seconds between lines of progress: a program without output looks as if it hung.
_LINE_EVERY_S = 60.0


@guard.guarded
def separate(
    source: Annotated[
        list[Path],
        typer.Argument(
            metavar="IN...",
            help="Recordings, and folders to search with their subfolders.",
            show_default=False,
        ),
        guard.READS,
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Folder for the stems; each recording gets a folder in it."),
        guard.FOLDER,
    ],
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="Model file; without one, the network that comes with neurdsp."),
    ] = None,
    tier: Annotated[
        str | None,
        typer.Option(
            help="Of a model file: exact, balanced (default), fast or turbo. The network that comes with "
            "neurdsp has draft only."
        ),
    ] = None,
    stems: Annotated[
        str | None, typer.Option(help="Stems to write, such as kick,snare; all of them by default.")
    ] = None,
    file_format: Annotated[
        str,
        typer.Option(
            "--format",
            help="float (WAV), wav24, wav16, flac (24 bits). All but float clip at full scale, and tell it.",
        ),
    ] = "float",
    gain: Annotated[
        float, typer.Option(metavar="DB", help="Gain of all stems alike; nothing else changes their level.")
    ] = 0.0,
    residual: Annotated[
        bool, typer.Option("--residual", help="Write what is in no stem, too: with it they sum to the input.")
    ] = False,
    overlap: Annotated[
        str | None,
        typer.Option(
            help="Chunks that cover a sample, in place of the tier's; 'config' takes the number of the model."
        ),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Chunks at a time, by default that of the model. For GPUs.")
    ] = None,
    compat: Annotated[
        str, typer.Option(help="Whose chunks: msst, or audio-separator, which takes shorter ones.")
    ] = "msst",
    precision: Annotated[
        str | None, typer.Option(help="Number type of the products: float32, or bfloat16 as turbo has it.")
    ] = None,
    backend: Annotated[
        str, typer.Option(help="Who computes: engine, torch, onnxruntime or openvino.")
    ] = "engine",
    device: Annotated[str, typer.Option(help="Of the backend torch: cpu, cuda or auto.")] = "auto",
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of each file; that of the cores by default.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Files at a time. [default: 1, or the cores for a network that streams]"),
    ] = None,
    cluster: Cluster = False,
    address: Address = None,
    overwrite: guard.Overwrite = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Take drum recordings apart into stems: a folder for each recording, a file for each stem.

    Stems have the rate, the channels and the length of the recording. Run it again to continue after an
    interruption: stems of unchanged recordings are kept. A file that cannot be read is recorded and skipped.
    Exit status 0: all done; 1: some files have no stems; 2: a mistake in the call.
    """
    from neurdsp.drumsep.batch import SeparationJob
    from neurdsp.drumsep.lookup import find_network
    from neurdsp.dsp.executors import n_cores

    check_cluster(cluster=cluster, address=address)
    given: dict[str, Any] = {
        "tier": tier,
        "overlap": _overlap(overlap),
        "batch_size": batch_size,
        "precision": precision,
        # Workers of a cluster have a core each.
        "threads": threads or (1 if cluster else None),
        "compat": compat,
        "backend": backend,
        "device": device,
    }
    settings: Any = {name: value for name, value in given.items() if value is not None}
    kind: Any = file_format
    job = SeparationJob(
        source=source,
        output=output,
        model=find_network(model),
        stems=None if stems is None else [name.strip() for name in stems.split(",")],
        residual=residual,
        file_format=kind,
        gain_db=gain,
        settings=settings,
    )
    # A network that streams runs on one thread, and needs little memory.
    n_workers = workers or (n_cores() if job.streams else 1)
    _run(job, _executor(n_workers, cluster, address), overwrite=overwrite, as_json=as_json)


def _run(job: "SeparationJob", executor: Any, *, overwrite: bool, as_json: bool) -> None:
    from neurdsp.console import print_table
    from neurdsp.drumsep.batch import run

    started, bar = time.monotonic(), _Bar()
    try:
        summary = run(
            job,
            executor=executor,
            begin=bar.begin,
            share=bar.advance,
            progress=bar.done,
            overwrite=overwrite,
        )
    finally:
        bar.end()
    elapsed_s = time.monotonic() - started
    for record in bar.records:
        if record.error is not None or record.warning is not None:
            said = record.error or f"warning: {record.warning}"
            typer.echo(f"neurdsp: {record.file}: {said}", err=True)
    if as_json:
        files = [
            {
                "file": record.file,
                "outputs": [str(job.output / name) for name in record.results if record.error is None],
                "error": record.error,
                "warning": record.warning,
            }
            for record in bar.records
        ]
        figures = asdict(summary)
        typer.echo(json.dumps({**figures, "elapsed_s": elapsed_s, "files": files}))
    else:
        rows = [
            ("stems", ", ".join(job.names_of_stems)),
            ("separated", f"{summary.done} files, {summary.seconds:,.0f} s of audio"),
            *([("kept", f"{summary.kept} files, done before")] if summary.kept else []),
            ("failed", f"{summary.failed} files"),
            *([("warned", f"{summary.warned} files, see the manifest")] if summary.warned else []),
            *([("skipped", f"{summary.skipped}: no audio by their names")] if summary.skipped else []),
            ("time", f"{elapsed_s:.1f} s, {summary.seconds / max(elapsed_s, 1e-9):.1f} x real time"),
            ("manifest", summary.manifest),
        ]
        print_table(rows)
    raise typer.Exit(1 if summary.failed else 0)


@guard.guarded
def list_networks(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Print the networks that come with neurdsp."""
    from neurdsp.drumsep.lookup import shipped_networks

    names = shipped_networks()
    typer.echo(json.dumps(names) if as_json else "\n".join(names) or "none; convert a checkpoint first")


def _overlap(text: str | None) -> int | str | None:
    """Return an overlap as the user wrote it; a wrong word is refused with the other options."""
    return int(text) if text is not None and text.isdecimal() else text


def _executor(workers: int, cluster: bool, address: str | None) -> Any:
    if cluster:
        from neurdsp.dsp.cluster import RayPool
        from neurdsp.dsp.executors import n_cores

        return RayPool(address, workers=max(workers, n_cores()))
    from neurdsp.dsp.executors import LocalPool

    return LocalPool(workers)


class _Bar:
    """Progress over the files and within each, with the time left; and the records of the files."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self._bar: Any = None
        self._lock = threading.Lock()
        self._shares: dict[str, float] = {}

    def begin(self, n_files: int) -> None:
        from neurdsp.console import Progress

        self._bar = Progress("separating", n_files, line_every_s=_LINE_EVERY_S)
        self._bar.__enter__()

    def advance(self, file: str, share: float) -> None:
        with self._lock:
            self._shares[file] = self._shares.get(file, 0.0) + share
            self._bar.advance(share)

    def done(self, record: Any) -> None:
        self.records.append(record)
        with self._lock:
            # Workers of a cluster tell no shares, and files that failed not all of them.
            self._bar.advance(1.0 - self._shares.pop(record.file, 0.0))

    def end(self) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
