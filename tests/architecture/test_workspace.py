"""A plain `cargo test` and `cargo bench` at the root serve a Rust user, who need not have Python."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: The members that take Python, or the libraries of a screen.
NOT_BY_DEFAULT = {"neurdsp-py", "neurdsp-plugin"}


@pytest.fixture(scope="module")
def packages():
    """The members of the workspace by name, and the names of the default ones."""
    if shutil.which("cargo") is None:
        pytest.skip("cargo is not installed")
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps", "--offline"]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)
    by_name = {package["name"]: package for package in metadata["packages"]}
    default = {
        name for name, package in by_name.items() if package["id"] in metadata["workspace_default_members"]
    }
    return by_name, default


def test_default_members_are_all_but_the_binding_and_the_plugin(packages):
    by_name, default = packages
    assert set(by_name) - default == NOT_BY_DEFAULT


def test_no_default_member_takes_python(packages):
    by_name, default = packages
    taking = {
        name for name, package in by_name.items() if "pyo3" in {d["name"] for d in package["dependencies"]}
    }
    assert taking == {"neurdsp-py"}
    users = {name for name in by_name for d in by_name[name]["dependencies"] if d["name"] in taking}
    assert users & default == set()


def test_every_bench_is_run_by_a_plain_cargo_bench(packages):
    by_name, default = packages
    declared = {
        target["name"]
        for name in default
        for target in by_name[name]["targets"]
        if target["kind"] == ["bench"]
    }
    written = {path.stem for path in (ROOT / "benches/benches").glob("*.rs")}
    assert declared == written
    assert len(written) >= 4
