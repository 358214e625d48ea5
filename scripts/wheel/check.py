# /// script
# requires-python = ">=3.11"
# dependencies = ["abi3audit", "auditwheel", "trove-classifiers", "twine"]
# ///
"""Check the wheel and the sdist in a folder before they are handed out; a part of `make wheel`.

Each check returns a list of problems, one line each. Nothing is installed here; `install.py` does that.
"""

import email
import email.message
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAX_BYTES = 15_000_000
PLATFORM = "manylinux2014_x86_64.manylinux_2_17_x86_64"
LICENCES = ("LICENSE-APACHE", "LICENSE-MIT", "LICENSE-THIRD-PARTY")
#: What a wheel holds besides the Python modules.
FILES = (
    "neurdsp/_core.abi3.so",
    "neurdsp/_core.pyi",
    "neurdsp/py.typed",
    "neurdsp/amp/shipped/LICENSES.md",
    "neurdsp/kick/web/static/neurdsp_kick/page.js",
    "neurdsp/kick/web/templates/neurdsp_kick/page.html",
)
SOURCES = ("Cargo.lock", "Cargo.toml", "pyproject.toml", "README.md", "crates/neurdsp-py/Cargo.toml")


def wheel_problems(path: Path, crates: list[str]) -> list[str]:
    """Check a wheel's name, size, files, licences and metadata; `crates` are linked in, as `name version`."""
    found = []
    if not path.name.endswith(f"-cp311-abi3-{PLATFORM}.whl"):
        found.append(f"{path.name} is not tagged cp311-abi3-{PLATFORM}")
    if path.stat().st_size > MAX_BYTES:
        found.append(f"{path.name} has {path.stat().st_size:,} bytes; at most {MAX_BYTES:,} are allowed")
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        info = next((name.split("/")[0] for name in names if name.endswith(".dist-info/METADATA")), "")
        if not info:
            return [*found, f"{path.name} has no METADATA"]
        found += [f"{name} is missing" for name in FILES if name not in names]
        stray = {
            name for name in names if name.split("/")[0] not in {"neurdsp", info} or name.endswith(".pyc")
        }
        found += [f"{name} does not belong in the wheel" for name in sorted(stray)]
        for licence in LICENCES:
            if f"{info}/licenses/{licence}" not in names:
                found.append(f"licenses/{licence} is missing")
        third_party = f"{info}/licenses/LICENSE-THIRD-PARTY"
        text = archive.read(third_party).decode() if third_party in names else ""
        listed = {line.split(":")[0] for line in text.splitlines()}
        found += [f"the licence of {crate} is missing" for crate in crates if crate not in listed]
        found += metadata_problems(email.message_from_bytes(archive.read(f"{info}/METADATA")))
    return found


def metadata_problems(metadata: email.message.Message) -> list[str]:
    """Check what an index shows of a distribution against `pyproject.toml`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = []
    for key, expected in {
        "Name": project["name"],
        "Summary": project["description"],
        "License-Expression": project["license"],
        "Requires-Python": project["requires-python"],
    }.items():
        if metadata[key] != expected:
            found.append(f"{key} is {metadata[key]!r}, not {expected!r}")
    urls = dict(value.split(", ", 1) for value in metadata.get_all("Project-URL", []))
    if urls != project.get("urls", {}):
        found.append(f"the project URLs are {urls}, not those of pyproject.toml")
    if set(metadata.get_all("Classifier", [])) != set(project["classifiers"]):
        found.append("the classifiers are not those of pyproject.toml")
    light = [value for value in metadata.get_all("Requires-Dist", []) if "extra ==" not in value]
    found += [f"'{value}' must be in an extra" for value in light if re.match("torch|matplotlib|ray", value)]
    return found


def classifier_problems() -> list[str]:
    """Check that every classifier is one that indexes know."""
    from trove_classifiers import classifiers

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [f"unknown classifier '{name}'" for name in project["classifiers"] if name not in classifiers]


def sdist_problems(path: Path) -> list[str]:
    """Check the size, the sources and the licences of an sdist."""
    found = []
    if path.stat().st_size > MAX_BYTES:
        found.append(f"{path.name} has {path.stat().st_size:,} bytes; at most {MAX_BYTES:,} are allowed")
    with tarfile.open(path) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers()}
    found += [f"{name} is missing in the sdist" for name in (*SOURCES, *LICENCES) if name not in names]
    stray = {name for name in names if re.search(r"\.(so|pyc|whl)$|(^|/)(target|\.venv|__pycache__)/", name)}
    return found + [f"{name} does not belong in the sdist" for name in sorted(stray)]


def linked_crates() -> list[str]:
    """Return `name version` of each third-party crate linked into the extension module, as cargo tells it."""
    command = ["cargo", "tree", "--package", "neurdsp-py", "--edges", "normal,no-proc-macro"]
    command += ["--prefix", "none", "--format", "{p}", "--target", "x86_64-unknown-linux-gnu", "--locked"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    crates = {tuple(line.split()[:2]) for line in printed.splitlines() if line and "(/" not in line}
    return sorted(f"{name} {version.removeprefix('v')}" for name, version in crates)


def tool_problems(wheel: Path, sdist: Path) -> list[str]:
    """Run the checks of twine, abi3audit and auditwheel."""
    found = []
    for tool in (
        ["twine", "check", "--strict", wheel, sdist],
        ["abi3audit", "--strict", wheel],
        ["auditwheel", "show", wheel],
    ):
        command = [sys.executable, "-m", *map(str, tool)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said = " ".join((done.stdout + done.stderr).split())
        if done.returncode != 0:
            found.append(f"{tool[0]}: {said}")
        # The symbols decide here, not the name of the file.
        if tool[0] == "auditwheel" and 'platform tag: "manylinux_2_17_x86_64"' not in said:
            found.append(f"the wheel needs more than manylinux2014 has: {said}")
    return found


def only(folder: Path, pattern: str) -> Path:
    """Return the only file of a pattern."""
    files = sorted(folder.glob(pattern))
    if len(files) != 1:
        raise SystemExit(f"'{folder}' has {len(files)} files {pattern}, not one; run make wheel again")
    return files[0]


def main(folder: Path) -> None:
    """Check both files of a folder and end with status 1 if there is a problem."""
    wheel, sdist = only(folder, "*.whl"), only(folder, "*.tar.gz")
    found = wheel_problems(wheel, linked_crates()) + sdist_problems(sdist)
    found += classifier_problems() + tool_problems(wheel, sdist)
    if found:
        raise SystemExit("\n".join(found))
    for path in (wheel, sdist):
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, checked")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
