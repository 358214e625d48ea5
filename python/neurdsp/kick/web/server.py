"""Running the project: its folder, migrations, and worker processes that are replaced when they die."""

import json
import os
import secrets
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from neurdsp._output import atomic_output
from neurdsp.dependencies import require
from neurdsp.errors import ParameterError

__all__ = ["application", "default_folder", "load_generator", "prepare", "serve"]

_SETTINGS = "neurdsp.kick.web.settings"
_TIMEOUT_S = 30


def default_folder() -> Path:
    """Return the folder of the service where none is given: below the user's data."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "neurdsp" / "kicks"


def _secret(folder: Path) -> str:
    """Return what sessions are signed with: made once, and readable by its owner only."""
    path = folder / "secret"
    if not path.is_file():
        with atomic_output(path) as temporary:
            temporary.touch(mode=0o600)
            temporary.chmod(0o600)
            temporary.write_text(secrets.token_urlsafe(48))
    return path.read_text().strip()


def prepare(
    folder: Path,
    *,
    database: str = "",
    hosts: Sequence[str] = (),
    https: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Set up Django in this process and bring the database up to date.

    Parameters
    ----------
    folder
        Where the database and the secret are kept; made if it is absent.
    database
        The URL of a PostgreSQL database; empty for SQLite in the folder.
    hosts
        Names under which the page is opened.
    https
        Whether a proxy in front speaks TLS.
    settings
        Settings of the app, as `NEURDSP_KICK` has them.

    Raises
    ------
    MissingDependencyError
        If Django is not installed.
    ParameterError
        If the database cannot be used.
    OSError
        If the folder cannot be written.
    """
    django = require("django", extra="web", purpose="neurdsp kick serve")
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("NEURDSP_KICK_SECRET", _secret(folder))
    os.environ["NEURDSP_KICK_DATA"] = str(folder.absolute())
    os.environ["NEURDSP_KICK_HTTPS"] = "1" if https else "0"
    if database:
        os.environ["NEURDSP_KICK_DATABASE"] = database
    if hosts:
        os.environ["NEURDSP_KICK_HOSTS"] = ",".join(hosts)
    if settings:
        given = json.loads(os.environ.get("NEURDSP_KICK_SETTINGS", "{}"))
        os.environ["NEURDSP_KICK_SETTINGS"] = json.dumps({**given, **settings})
    os.environ["DJANGO_SETTINGS_MODULE"] = _SETTINGS
    if os.environ.get("NEURDSP_KICK_DATABASE"):
        require("psycopg", extra="web-postgres", purpose="a PostgreSQL database")
    django.setup()
    from django.core.management import call_command
    from django.db import DatabaseError, connections

    try:
        call_command("migrate", verbosity=0, interactive=False)
    except DatabaseError as error:
        raise ParameterError(f"the database cannot be used: {' '.join(str(error).split())}") from None
    connections.close_all()


def application() -> Callable[..., Any]:
    """Return the WSGI application, which serves the files of the page too."""
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.exceptions import SuspiciousOperation
    from django.core.wsgi import get_wsgi_application

    from neurdsp.kick.web.answers import not_found

    class Files(StaticFilesHandler):
        def get_response(self, request: Any) -> Any:
            try:
                return super().get_response(request)
            except SuspiciousOperation:  # a path out of the folder
                return not_found(request)

    return Files(get_wsgi_application())


def serve(listening: socket.socket, *, workers: int, threads: int) -> None:
    """Serve until the process is told to stop; `prepare` comes first.

    Parameters
    ----------
    listening
        A socket that is bound.
    workers
        Processes. One that dies is replaced.
    threads
        Requests that each of them reads and answers at a time.

    Raises
    ------
    MissingDependencyError
        If gunicorn is not installed.
    """
    base = require("gunicorn.app.base", extra="web", purpose="neurdsp kick serve")

    class Server(base.BaseApplication):  # type: ignore[name-defined]
        def load_config(self) -> None:
            chosen = {
                "bind": f"fd://{listening.fileno()}",
                "workers": workers,
                "worker_class": "gthread",
                "threads": threads,
                "timeout": _TIMEOUT_S,
                "graceful_timeout": 10,
                "loglevel": "error",
                "post_worker_init": _warm,
            }
            for name, value in chosen.items():
                self.cfg.set(name, value)

        def load(self) -> Callable[..., Any]:
            return application()

    listening.set_inheritable(True)
    sys.argv = sys.argv[:1]
    Server().run()


def load_generator() -> None:
    """Load the generator of the settings, so that a fault is told before anything is served.

    Raises
    ------
    ModelFileError
        If the model file cannot be read.
    """
    from neurdsp.kick.web import engine

    engine.generator()


def _warm(_: Any) -> None:
    """Load the generator before the first request, and go on with calls that wait."""
    from neurdsp.kick.web import engine, jobs

    if not engine.is_editable():
        jobs.start()
