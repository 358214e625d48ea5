"""``import neurdsp`` is light: no heavy package, and little CPU time in a clean interpreter."""

import json
import subprocess
import sys

import pytest

HEAVY = (
    "torch",
    "torchaudio",
    "matplotlib",
    "librosa",
    "scipy",
    "typer",
    "rich",
    "pydantic",
    "yaml",
    "tensorboard",
)

# CPU seconds between the end of start-up and the end of the import, numpy included or not.
SCRIPT = """
import json, sys, time
{before}
start = time.process_time()
{statement}
elapsed = time.process_time() - start
print(json.dumps([elapsed, sorted(sys.modules)]))
"""


def clean_import(statement, before=""):
    # -I: neither the environment nor the working folder can put something into the interpreter.
    script = SCRIPT.format(statement=statement, before=before)
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_import_costs_less_than_100_ms_of_cpu():
    best_s = min(clean_import("import neurdsp")[0] for _ in range(7))
    assert best_s < 0.100, f"import neurdsp took {1e3 * best_s:.0f} ms of CPU at best"


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("import neurdsp", ()),
        ("import neurdsp, neurdsp.amp, neurdsp.audio, neurdsp.errors", ()),
        ("from neurdsp.amp import AmpModel", ()),
        ("import neurdsp.metrics", ()),
        ("import neurdsp.cli", ("typer", "rich")),
    ],
)
def test_heavy_packages_stay_out(statement, allowed):
    _, modules = clean_import(statement)
    loaded = {name.split(".")[0] for name in modules}
    assert loaded.intersection(HEAVY) - set(allowed) == set()


def test_a_heavy_import_would_be_seen():
    elapsed_s, modules = clean_import("import pydantic")
    assert "pydantic" in modules
    assert elapsed_s > 0
