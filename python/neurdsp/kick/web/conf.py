"""What a project may set about the app: one dictionary, ``NEURDSP_KICK``, in the settings of Django."""

from typing import Any

from django.conf import settings

from neurdsp.config import did_you_mean
from neurdsp.errors import ConfigError

__all__ = ["DEFAULTS", "setting"]

DEFAULTS: dict[str, Any] = {
    # A model file, or the name of a generator that comes with neurdsp.
    "MODEL": "default",
    # The class that loads it, as a dotted path.
    "GENERATOR": "neurdsp.kick.infer.KickGenerator",
    # Kicks of one request, at most.
    "MAX_KICKS_PER_REQUEST": 32,
    # Seconds of one kick, at most; the engine allows 10.
    "MAX_SECONDS": 5.0,
    # Requests that generate or render at a time, in one process, and how many seconds the others wait.
    "CONCURRENCY": 2,
    "WAIT_S": 5.0,
    # Of a generator that takes its time: calls that may wait or run, of all and of one visitor, and after how
    # many seconds without a sign of life another process takes over a call.
    "QUEUED": 64,
    "QUEUED_PER_OWNER": 4,
    "SILENT_S": 30.0,
    # Kicks that one address may make or hear in a minute, counted in Django's cache; 0 for any number.
    "KICKS_PER_MINUTE": 1200,
    # The header in which a trusted proxy puts the address of the client, such as HTTP_X_REAL_IP.
    "ADDRESS_HEADER": "REMOTE_ADDR",
    # Kicks kept: of one visitor, of these favourites, and of all. The oldest that are no favourites go first.
    "KEPT_PER_OWNER": 2_000,
    "FAVOURITES_PER_OWNER": 500,
    "KEPT": 200_000,
    # Bytes of the body of a request.
    "MAX_BODY_BYTES": 65_536,
}


def setting(name: str) -> Any:
    """Return a setting of the app: the project's, or else the default.

    Raises
    ------
    ConfigError
        If the project sets something that does not exist.
    """
    chosen = getattr(settings, "NEURDSP_KICK", {})
    for key in chosen:
        if key not in DEFAULTS:
            raise ConfigError(f"NEURDSP_KICK: unknown key '{key}'{did_you_mean(key, DEFAULTS)}")
    return chosen.get(name, DEFAULTS[name])
