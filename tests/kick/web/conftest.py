"""The project in this process with a database in memory, and visitors that talk JSON to it."""

import json
import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("django")

sys.path.insert(0, str(Path(__file__).parent))
BODY = "application/json"


@pytest.fixture(scope="session")
def project():
    """Set Django up, with the generator that stands in for the real one."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "neurdsp.kick.web.settings")
    import django
    from django.conf import settings
    from django.db import connection
    from django.test.utils import setup_test_environment

    django.setup()
    settings.NEURDSP_KICK = {"GENERATOR": "double.Double", "KICKS_PER_MINUTE": 0}
    setup_test_environment()
    connection.creation.create_test_db(verbosity=0)
    return settings


@pytest.fixture
def configure(project, monkeypatch):
    """Return a function that changes settings of the app for one test."""

    def change(**values):
        monkeypatch.setattr(project, "NEURDSP_KICK", {**project.NEURDSP_KICK, **values})

    return change


@pytest.fixture
def new_visitor(project):
    from django.test import Client

    class Visitor(Client):
        def send(self, method, path, body=None, **headers):
            data = body if isinstance(body, bytes | str) else json.dumps(body if body is not None else {})
            return self.generic(method, path, data, BODY, **headers)

        def make(self, **wishes):
            answer = self.send("POST", "/api/kicks", {"n": 1, "seed": 7, **wishes})
            assert answer.status_code == 201, answer.content
            return answer.json()["kicks"]

    return Visitor


@pytest.fixture
def visitor(new_visitor):
    return new_visitor()
