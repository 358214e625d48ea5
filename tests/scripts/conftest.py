"""Makes the recipes' modules importable: they are scripts, not a package."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

RUNS = Path(__file__).parents[2] / "scripts" / "runs"


@pytest.fixture(scope="session")
def import_run() -> Callable[[str], ModuleType]:
    """Import a module of ``scripts/runs`` by its name."""

    def import_by_name(name: str) -> ModuleType:
        sys.path.insert(0, str(RUNS))
        try:
            return importlib.import_module(name)
        finally:
            sys.path.remove(str(RUNS))

    return import_by_name
