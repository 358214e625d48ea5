"""The Django app: its name and its label."""

from django.apps import AppConfig

__all__ = ["KickWebConfig"]


class KickWebConfig(AppConfig):
    """Kicks in the browser."""

    name = "neurdsp.kick.web"
    label = "neurdsp_kick"
    verbose_name = "Kicks"
    default_auto_field = "django.db.models.BigAutoField"
