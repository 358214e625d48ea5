"""The addresses of the project that ``neurdsp kick serve`` runs: the app, and errors as JSON."""

from django.urls import include, path

__all__ = ["urlpatterns"]

urlpatterns = [path("", include("neurdsp.kick.web.urls"))]
handler400 = "neurdsp.kick.web.answers.bad_request"
handler404 = "neurdsp.kick.web.answers.not_found"
handler500 = "neurdsp.kick.web.answers.server_error"
