"""How the service answers: JSON, an error as one line, and in what cases a client is to come back later."""

import functools
import logging
from collections.abc import Callable
from typing import Any

from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_protect

from neurdsp.errors import ConfigError, NeurdspError, ParameterError
from neurdsp.kick.web.conf import setting
from neurdsp.kick.web.engine import BusyError
from neurdsp.kick.web.jobs import QueueFullError
from neurdsp.kick.web.schemas import TooLargeError
from neurdsp.kick.web.throttle import ThrottledError

__all__ = [
    "FullError",
    "bad_request",
    "csrf_failure",
    "endpoint",
    "not_found",
    "refusal",
    "server_error",
]

_log = logging.getLogger(__name__)
_BUSY_RETRY_S = 2


class FullError(Exception):
    """A visitor keeps as many favourites as there may be."""


def refusal(status: int, message: str, retry_s: int | None = None) -> JsonResponse:
    """Return an error as JSON: ``{"error": "…"}``."""
    answer = JsonResponse({"error": message}, status=status)
    if retry_s is not None:
        answer["Retry-After"] = str(retry_s)
    return answer


def _answer_to(error: Exception) -> HttpResponse:
    match error:
        case Http404():
            return refusal(404, "there is no such kick or call; it may have been deleted")
        case TooLargeError():
            return refusal(413, f"the body may have at most {setting('MAX_BODY_BYTES'):,} bytes")
        case ThrottledError():
            return refusal(429, str(error), error.wait_s)
        case QueueFullError():
            return refusal(error.status, str(error), error.wait_s)
        case FullError():
            return refusal(409, str(error))
        case ParameterError() | ConfigError():
            return refusal(400, str(error))
        case BusyError():
            return refusal(503, "all generators are busy; try again in a moment", _BUSY_RETRY_S)
        case OperationalError():
            _log.warning("the database did not answer: %s", error)
            return refusal(503, "the database is busy; try again in a moment", _BUSY_RETRY_S)
        case NeurdspError():
            _log.error("%s", error)
            return refusal(500, str(error))
    _log.error("a request failed", exc_info=error)
    return refusal(500, "the service made a mistake; its log says more")


def endpoint(**by_method: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Return a view that hands each method to a function, and answers every error in one line of JSON.

    The token against forged requests is demanded here, whatever middleware the project has.

    Parameters
    ----------
    **by_method
        The function of each method, by its name in lower case.

    Examples
    --------
    >>> view = endpoint(get=lambda request: JsonResponse({}))
    """
    allowed = [name.upper() for name in by_method]

    @csrf_protect
    def view(request: HttpRequest, **values: Any) -> HttpResponse:
        method = (request.method or "").lower()
        chosen = by_method.get("get" if method == "head" else method)
        if chosen is None:
            answer = refusal(405, f"{request.method} is not possible here; use {' or '.join(allowed)}")
            answer["Allow"] = ", ".join(allowed)
            return answer
        try:
            return chosen(request, **values)
        except Exception as error:
            return _answer_to(error)

    return functools.update_wrapper(view, next(iter(by_method.values())))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a request that may be forged."""
    return refusal(403, "the token of the page is missing or old; load the page again (X-CSRFToken)")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer what Django itself refuses."""
    return refusal(400, "the request is not valid")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer for an address that does not exist."""
    return refusal(404, "there is nothing at this address; the page is at /")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer after an error outside the views."""
    return refusal(500, "the service made a mistake; its log says more")
