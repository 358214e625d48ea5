"""The page: a shell of HTML with the vocabulary in it; scripts do the rest over the API."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie

from neurdsp.kick.web.answers import endpoint
from neurdsp.kick.web.api import facts
from neurdsp.kick.web.shelf import owner_of

__all__ = ["page"]

# Nothing from elsewhere, and no script or style in the page itself.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@ensure_csrf_cookie
def _page(request: HttpRequest) -> HttpResponse:
    """Show the page."""
    owner_of(request, begin=True)  # so that requests of the page that are sent at once have one owner
    answer = render(request, "neurdsp_kick/page.html", {"facts": facts()})
    answer["Content-Security-Policy"] = _POLICY
    answer["Cache-Control"] = "no-cache"
    return answer


page = endpoint(get=_page)
