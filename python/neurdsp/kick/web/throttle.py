"""How many kicks an address may have in a minute, counted in Django's cache."""

import time

from django.core.cache import cache
from django.http import HttpRequest

from neurdsp.kick.web.conf import setting

__all__ = ["ThrottledError", "spend"]

_WINDOW_S = 60


class ThrottledError(Exception):
    """An address has had its kicks of this minute."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many kicks in a minute; try again in {wait_s} s")
        self.wait_s = wait_s


def spend(request: HttpRequest, kicks: int) -> None:
    """Count kicks of an address.

    The count is exact if the cache is shared and counts atomically, as Redis and Memcached do. The cache in
    memory counts in each process for itself.

    Raises
    ------
    ThrottledError
        If there were too many.
    """
    limit = setting("KICKS_PER_MINUTE")
    if not limit:
        return
    now = time.time()
    window = int(now // _WINDOW_S)
    # Hashed by nobody: an address has no characters that a cache refuses once others are left out.
    address = "".join(
        c for c in request.META.get(setting("ADDRESS_HEADER"), "")[:64] if c.isalnum() or c in ".:"
    )
    name = f"neurdsp-kick:{address}:{window}"
    cache.add(name, 0, 2 * _WINDOW_S)
    try:
        used = cache.incr(name, kicks)
    except ValueError:  # dropped between the two calls
        cache.set(name, kicks, 2 * _WINDOW_S)
        used = kicks
    if used > limit:
        raise ThrottledError(max(1, int((window + 1) * _WINDOW_S - now)))
