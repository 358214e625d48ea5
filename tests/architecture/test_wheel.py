"""The wheel works without PyTorch, and a wheel without its licences or its metadata is refused."""

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CRATES = ["pyo3 0.30.0", "realfft 3.5.0"]


def script(name):
    """Import a script of `scripts/wheel`, which is not a package."""
    spec = importlib.util.spec_from_file_location(f"wheel_{name}", ROOT / "scripts/wheel" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check = script("check")


@pytest.mark.slow
def test_a_built_wheel_plays_amps_without_torch(tmp_path):
    command = [sys.executable, "-m", "maturin", "build", "--quiet", "--release", "--out", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True)
    (wheel,) = tmp_path.glob("neurdsp-*-cp311-abi3-*.whl")
    script("install").use(sys.executable, wheel, tmp_path)


def pyproject_metadata():
    """The metadata that pyproject.toml makes a build write."""
    project = check.tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [f"Name: {project['name']}", f"Summary: {project['description']}"]
    lines += [f"License-Expression: {project['license']}", f"Requires-Python: {project['requires-python']}"]
    lines += [f"Classifier: {name}" for name in project["classifiers"]]
    lines += [f"Requires-Dist: {name}" for name in project["dependencies"]]
    extras = project["optional-dependencies"]
    return lines + [
        f"Requires-Dist: {name} ; extra == '{extra}'" for extra in extras for name in extras[extra]
    ]


@pytest.fixture
def wheel(tmp_path):
    """A function that writes a wheel: a good one, but for the files and lines of metadata that are given."""

    def write(files=(), metadata=(), platform=check.PLATFORM):
        info = "neurdsp-0.1.0.dist-info"
        contents = dict.fromkeys(check.FILES, "") | {f"{info}/METADATA": ""}
        contents |= {f"{info}/licenses/{name}": "" for name in check.LICENCES}
        contents[f"{info}/licenses/LICENSE-THIRD-PARTY"] = "".join(f"{crate}: MIT\n" for crate in CRATES)
        contents |= {name.replace("INFO", info): text for name, text in dict(files).items()}
        lines = [line for line in pyproject_metadata() if not line.startswith(tuple(dict(metadata)))]
        lines += [f"{key}: {value}" for key, value in dict(metadata).items() if value]
        contents[f"{info}/METADATA"] = "\n".join(lines)
        path = tmp_path / f"neurdsp-0.1.0-cp311-abi3-{platform}.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in contents.items():
                if text is not None:
                    archive.writestr(name, text)
        return path

    return write


def test_a_good_wheel_has_no_problems(wheel):
    assert check.wheel_problems(wheel(), CRATES) == []


THIRD_PARTY = "INFO/licenses/LICENSE-THIRD-PARTY"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"platform": "linux_x86_64"}, "is not tagged cp311-abi3-manylinux2014_x86_64"),
        ({"files": {"neurdsp/noise": "0" * 15_000_001}}, "at most 15,000,000 are allowed"),
        ({"files": {"neurdsp/py.typed": None}}, "neurdsp/py.typed is missing"),
        ({"files": {"tests/test_x.py": ""}}, "tests/test_x.py does not belong in the wheel"),
        ({"files": {"INFO/licenses/LICENSE-MIT": None}}, "licenses/LICENSE-MIT is missing"),
        ({"files": {THIRD_PARTY: "pyo3 0.30.0: MIT\n"}}, "the licence of realfft 3.5.0 is missing"),
        ({"metadata": {"License-Expression": "MIT"}}, "License-Expression is 'MIT', not 'MIT OR Apache-2.0'"),
        ({"metadata": {"Project-URL": "Home, https://neurdsp.example"}}, "not those of pyproject.toml"),
        ({"metadata": {"Classifier": ""}}, "the classifiers are not those of pyproject.toml"),
        ({"metadata": {"Requires-Dist": "torch>=2.11"}}, "'torch>=2.11' must be in an extra"),
    ],
)
def test_a_bad_wheel_would_be_found(wheel, changes, message):
    (found,) = check.wheel_problems(wheel(**changes), CRATES)
    assert message in found


def test_the_licences_of_the_linked_crates_are_asked_for():
    crates = check.linked_crates()
    names = [crate.split()[0] for crate in crates]
    assert {"pyo3", "numpy", "realfft", "safetensors"} - set(names) == {"safetensors"}
    assert not {name for name in names if name.startswith("neurdsp") or name == "serde_derive"}


def test_classifiers_name_every_python_that_the_wheel_is_used_with():
    project = check.tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    minors = {int(name.rpartition(".")[2]) for name in project["classifiers"] if "Python :: 3." in name}
    assert minors
    assert min(minors) == script("install").OLDEST[1]
    assert minors == set(range(min(minors), max(minors) + 1))
    # An SPDX expression and a classifier of a licence exclude each other.
    assert not [name for name in project["classifiers"] if name.startswith("License ::")]
