"""Which database the project uses: SQLite in its folder, or the PostgreSQL of a URL."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from neurdsp.errors import ConfigError

__all__ = ["database_of"]


def database_of(url: str, folder: Path) -> dict[str, Any]:
    """Return an entry of Django's ``DATABASES``.

    Parameters
    ----------
    url
        ``postgresql://user:password@host:port/name``; empty for SQLite.
    folder
        Where the file of SQLite is.

    Returns
    -------
    dict
        SQLite writes ahead (WAL), so that readers do not wait for a writer. A transaction takes its lock when
        it begins, so that none fails half way.

    Raises
    ------
    ConfigError
        If the URL is of another kind.

    Examples
    --------
    >>> database_of("postgresql://kick:secret@db:5433/kicks", Path("."))["PORT"]
    '5433'
    """
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(folder / "kicks.sqlite3"),
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
        raise ConfigError(
            "the database must be given as postgresql://user:password@host:port/name, or left out for SQLite"
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(port or ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": dict(parse_qsl(parts.query)),
    }
