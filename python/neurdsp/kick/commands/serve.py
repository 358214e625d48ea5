"""``neurdsp kick serve``: the service and its page on this machine."""

import json
import socket
from pathlib import Path
from typing import Annotated

import typer

from neurdsp import _guard as guard

__all__ = ["serve"]


@guard.guarded
def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for the whole network.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 for one that is free.")] = 8000,
    # The service adds to what is there and replaces nothing, so it is marked as read.
    data: Annotated[
        Path | None,
        typer.Option(help="Where kicks are kept. [default: below the user's data]", show_default=False),
        guard.READS,
    ] = None,
    database: Annotated[
        str, typer.Option(metavar="URL", help="A PostgreSQL database instead of SQLite.", show_default=False)
    ] = "",
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="A name under which the page is opened, besides localhost; repeatable."
        ),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", "-m", help="Model file, or a generator that comes with neurdsp.")
    ] = "default",
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes.")] = 2,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Requests answered at a time by each.")] = 4,
    per_minute: Annotated[
        int,
        typer.Option(
            min=0, help="Kicks that one address may have in a minute, by process; 0 for any number."
        ),
    ] = 1200,
    https: Annotated[bool, typer.Option("--https", help="A proxy in front speaks TLS.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the address as JSON.")] = False,
) -> None:
    """Serve the page that generates kicks, and its API.

    The database is made and brought up to date first. Needs the extra 'web'.
    """
    from neurdsp.kick.lookup import find_generator
    from neurdsp.kick.web import server

    folder = server.default_folder() if data is None else data
    path = str(find_generator(model).absolute())
    listening = _listen(host, port)
    shown, port = listening.getsockname()[:2]
    if shown in ("0.0.0.0", "::"):
        shown = "localhost"
    hosts = ["localhost", "127.0.0.1", "[::1]", *([] if ":" in host else [host]), *(allow_host or [])]
    server.prepare(
        folder,
        database=database,
        hosts=hosts,
        https=https,
        settings={"MODEL": path, "KICKS_PER_MINUTE": per_minute},
    )
    server.load_generator()
    url = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/"
    if as_json:
        typer.echo(json.dumps({"url": url, "data": str(folder)}))
    else:
        typer.echo(f"kicks at {url} (kept in {folder}); stop with Ctrl-C")
    server.serve(listening, workers=workers, threads=threads)


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises
    ------
    ParameterError
        If the address is taken or is none of this machine.
    """
    from neurdsp.errors import ParameterError

    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(256)
    except OSError as error:
        raise ParameterError(
            f"cannot listen on {host}:{port} ({error.strerror}); give another --port or --host"
        ) from None
    return listening
