"""Settings of the project that ``neurdsp kick serve`` runs, read from the environment.

The variables are `NEURDSP_KICK_DATA` (a folder), `NEURDSP_KICK_DATABASE` (a URL, for PostgreSQL),
`NEURDSP_KICK_HOSTS` (names under which the page is opened, with commas), `NEURDSP_KICK_SECRET` (at least 32
characters), `NEURDSP_KICK_HTTPS` (1 behind a proxy that speaks TLS) and `NEURDSP_KICK_SETTINGS` (the settings
of the app, as JSON). ``neurdsp kick serve`` sets those that its options name.
"""

import json
import os
import secrets
from pathlib import Path

from neurdsp.kick.web.databases import database_of

_data = Path(os.environ.get("NEURDSP_KICK_DATA", "."))
_https = os.environ.get("NEURDSP_KICK_HTTPS") == "1"

# Without a secret of its own each process has another, and sessions end with it.
SECRET_KEY = os.environ.get("NEURDSP_KICK_SECRET") or secrets.token_urlsafe(48)
DEBUG = False
ALLOWED_HOSTS = [
    name for name in os.environ.get("NEURDSP_KICK_HOSTS", "localhost,127.0.0.1,[::1]").split(",") if name
]
INSTALLED_APPS = ["django.contrib.staticfiles", "neurdsp.kick.web"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "neurdsp.kick.web.project_urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {"default": database_of(os.environ.get("NEURDSP_KICK_DATABASE", ""), _data)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
APPEND_SLASH = False

# The session holds only who a visitor is; in a signed cookie it costs no query.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_NAME = "neurdsp_kick"
SESSION_COOKIE_AGE = 365 * 24 * 3600
CSRF_COOKIE_NAME = "neurdsp_kick_token"
CSRF_FAILURE_VIEW = "neurdsp.kick.web.answers.csrf_failure"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
if _https:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "ERROR"},
    "loggers": {"django.request": {"level": "ERROR"}, "django.security": {"level": "CRITICAL"}},
}
NEURDSP_KICK = json.loads(os.environ.get("NEURDSP_KICK_SETTINGS", "{}"))
