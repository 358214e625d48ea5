"""The kicks of a visitor: whose they are, how they are kept, and which go when there are too many."""

import secrets
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet
from django.http import HttpRequest

from neurdsp.kick.web.conf import setting
from neurdsp.kick.web.models import SavedKick

__all__ = ["as_json", "file_name", "keep", "kicks_of", "owner_of"]

_SESSION_KEY = "neurdsp_kick_owner"


def owner_of(request: HttpRequest, *, begin: bool = False) -> str:
    """Return whose request it is: the user that is logged in, or what the session remembers.

    Parameters
    ----------
    request
        The request.
    begin
        Whether a visitor without a session gets one.

    Returns
    -------
    str
        Empty for a visitor without a session.
    """
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return f"user:{user.pk}"
    known = request.session.get(_SESSION_KEY)
    if known is None and begin:
        known = request.session[_SESSION_KEY] = secrets.token_urlsafe(16)
    return f"visitor:{known}" if known else ""


def kicks_of(request: HttpRequest) -> "QuerySet[SavedKick]":
    """Return the kicks of a visitor, the newest first."""
    return SavedKick.objects.filter(owner=owner_of(request) or "nobody")


def keep(kicks: Sequence[SavedKick]) -> None:
    """Store new kicks of one visitor, all or none, and let go of the oldest beyond the limits."""
    with transaction.atomic():
        # The newest is listed first, and the first of a call should be: so it is stored last.
        SavedKick.objects.bulk_create(list(reversed(kicks)))
        own = SavedKick.objects.filter(owner=kicks[0].owner)
        beyond = own.values_list("id", flat=True)[setting("KEPT_PER_OWNER") :][:1]
        last = next(iter(beyond), None)
        if last is not None:
            own.filter(id__lte=last, favourite=False).delete()
        newest = SavedKick.objects.aggregate(Max("id"))["id__max"]
        if newest > setting("KEPT"):
            SavedKick.objects.filter(id__lte=newest - setting("KEPT"), favourite=False).delete()


def file_name(kick: SavedKick) -> str:
    """Return the name of the WAV of a kick: what it is, the seed, and its number."""
    from neurdsp.kick.commands.options import file_stem

    stem = file_stem(kick.keywords, kick.seed, kick.number)
    return f"{stem}_v.wav" if kick.amount is not None else f"{stem}.wav"


def as_json(kick: SavedKick) -> dict[str, Any]:
    """Return what a client learns of a kick."""
    return {
        "id": str(kick.public_id),
        "created": kick.created.isoformat(timespec="milliseconds"),
        "favourite": kick.favourite,
        "keywords": kick.keywords,
        "negative": kick.negative,
        "attributes": kick.attributes,
        "guidance": kick.guidance,
        "seed": kick.seed,
        "number": kick.number,
        "amount": kick.amount,
        "tune": kick.tune,
        "decay": kick.decay,
        "seconds": kick.seconds,
        "editable": kick.editable,
        "file": file_name(kick),
        "peaks": list(memoryview(bytes(kick.peaks)).cast("b")),
    }
