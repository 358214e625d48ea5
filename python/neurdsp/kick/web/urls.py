"""The addresses of the app: its page and its API. A project includes them below any path."""

from django.urls import path

from neurdsp.kick.web import api, pages

__all__ = ["app_name", "urlpatterns"]

app_name = "neurdsp_kick"
urlpatterns = [
    path("", pages.page, name="page"),
    path("health", api.health, name="health"),
    path("api/jobs", api.queue, name="jobs"),
    path("api/jobs/<uuid:public_id>", api.job, name="job"),
    path("api/vocabulary", api.vocabulary, name="vocabulary"),
    path("api/kicks", api.kicks, name="kicks"),
    path("api/kicks/<uuid:public_id>", api.kick, name="kick"),
    path("api/kicks/<uuid:public_id>/variations", api.variations, name="variations"),
    path("api/kicks/<uuid:public_id>/audio.wav", api.audio, name="audio"),
]
