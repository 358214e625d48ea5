"""The API reference in docs/reference lists every public name."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
SNAPSHOT = Path(__file__).with_name("public_api.txt")

#: Packages whose names users import from elsewhere, or whose use is the command line.
ELSEWHERE = {"neurdsp.cli", "neurdsp.console", "neurdsp.dependencies", "neurdsp.dsp"}
#: Types and modules that the pages describe in other words.
NOT_ENTRIES = {"neurdsp.__version__", "neurdsp.filters", "neurdsp.audio.FloatArray"}


def public_names(snapshot):
    """Yield the top-level names of the snapshot of the public API."""
    for line in snapshot.splitlines():
        found = re.match(r"(?:class|def|value|module) (neurdsp[\w.]*\.\w+)", line)
        if found and found[1].rpartition(".")[0] not in ELSEWHERE and found[1] not in NOT_ENTRIES:
            yield found[1]


def documented_names(folder):
    pages = [page.read_text() for page in folder.glob("*.md")]
    return {name for page in pages for name in re.findall(r"^::: (\S+)$", page, re.M)}


def test_every_public_name_has_an_entry():
    names = set(public_names(SNAPSHOT.read_text()))
    assert len(names) > 100
    assert names - documented_names(REFERENCE) == set()


def test_every_entry_names_something_that_exists():
    pytest.importorskip("torch")
    import importlib

    for name in sorted(documented_names(REFERENCE)):
        module, _, member = name.rpartition(".")
        assert hasattr(importlib.import_module(module), member), name


def test_a_name_without_an_entry_would_be_found(tmp_path):
    (tmp_path / "page.md").write_text("# Page\n\n::: neurdsp.stft\n")
    snapshot = "def neurdsp.stft(y)\ndef neurdsp.mfcc(y)\n    def method(self)\n"
    assert set(public_names(snapshot)) - documented_names(tmp_path) == {"neurdsp.mfcc"}
