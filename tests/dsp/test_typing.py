"""A type checker accepts what works, names what does not, and knows that results are arrays."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import neurdsp
import pytest
from neurdsp.dsp.options import MelParameters

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).with_name("typing")


@pytest.fixture(scope="module")
def findings():
    """The errors of both scripts under ``mypy --strict``: ``{script: {line: text}}``."""
    # With the configuration of the package, and so with the cache that its own check fills.
    command = [sys.executable, "-m", "mypy", "--no-pretty", "--hide-error-context"]
    scripts = [str(SCRIPTS / name) for name in ("accepted.py", "refused.py")]
    done = subprocess.run([*command, *scripts], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = {"accepted.py": {}, "refused.py": {}}
    for path, line, text in re.findall(r"^(.+):(\d+): error: (.+)$", done.stdout, re.M):
        lines = found[Path(path).name]
        lines[int(line)] = f"{lines.get(int(line), '')} {text}"
    return found


def test_a_script_with_every_function_passes(findings):
    assert findings["accepted.py"] == {}


def test_a_script_with_every_function_runs(tmp_path):
    done = subprocess.run(
        [sys.executable, SCRIPTS / "accepted.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_each_mistake_is_found_and_named(findings):
    expected = {}
    for number, line in enumerate((SCRIPTS / "refused.py").read_text().splitlines(), 1):
        if "  # " in line:
            expected[number] = line.partition("  # ")[2].split("; ")
    assert len(expected) == 10
    assert findings["refused.py"].keys() == expected.keys()
    for number, parts in expected.items():
        for part in parts:
            assert part in findings["refused.py"][number]


def test_the_keywords_that_are_checked_are_the_parameters_there_are():
    names = {field.name for field in dataclasses.fields(neurdsp.MelSpectrogram)}
    assert MelParameters.__annotations__.keys() == names


def test_the_package_and_its_transforms_name_the_same():
    # Twice and in full, for type checkers read nothing but a literal list.
    assert sorted(neurdsp.__all__) == sorted([*neurdsp.dsp.__all__, "__version__"])
