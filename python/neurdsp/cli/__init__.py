"""The ``neurdsp`` command."""

from neurdsp.cli.main import app, main

__all__ = ["app", "main"]
