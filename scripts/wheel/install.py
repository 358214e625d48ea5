# /// script
# requires-python = ">=3.11"
# ///
"""Install the wheel of a folder into an empty environment of each Python at hand and use it there.

The sdist is built and used as well, with the oldest of them. Run by `make wheel`, through uv.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
OLDEST = (3, 11)
SMOKE = Path(__file__).with_name("smoke.py")
# `uv run` names itself; a virtual environment that make made has its own.
UV = os.environ.get("UV") or shutil.which("uv", path=Path(sys.executable).parent) or "uv"
VERSION = (
    "import sys, sysconfig; print(*sys.version_info[:2], sysconfig.get_config_var('Py_GIL_DISABLED') or 0)"
)


def run(*command: str | Path, cwd: Path | None = None, **environment: str) -> str:
    """Run a command outside of any environment and return what it printed."""
    inherited = {
        key: value
        for key, value in os.environ.items()
        if key not in {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"}
    }
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=cwd, env=inherited | environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def interpreters() -> dict[tuple[int, int], str]:
    """Return one interpreter for each version of Python that can use the wheel, oldest first."""
    candidates = [shutil.which(f"python3.{minor}") for minor in range(OLDEST[1], 30)]
    candidates += [
        shutil.which("python3"),
        *map(str, (Path.home() / ".pyenv/versions").glob("*/bin/python3")),
    ]
    found: dict[tuple[int, int], str] = {}
    for candidate in filter(None, candidates):
        # A shim of a version manager is on the PATH but fails if no such version is selected.
        asked = subprocess.run([candidate, "-c", VERSION], capture_output=True, text=True, check=False)
        if asked.returncode == 0:
            major, minor, free_threaded = map(int, asked.stdout.split())
            if (major, minor) >= OLDEST and not free_threaded:
                found.setdefault((major, minor), candidate)
    return dict(sorted(found.items()))


def use(interpreter: str, package: Path, folder: Path, **environment: str) -> None:
    """Install a package into an empty environment in `folder`, and use what needs no extra but `plot`."""
    python = folder / "venv/bin/python"
    run(UV, "venv", "--quiet", "--python", interpreter, folder / "venv")
    run(UV, "pip", "install", "--quiet", "--python", python, package, **environment)
    report = json.loads(run(python, "-I", SMOKE, cwd=folder))
    amps = report["amps"]
    if not (amps and all(amp["streams_alike"] and 0 < amp["peak"] < 100 for amp in amps.values())):
        raise SystemExit(f"the shipped amps do not play as they should: {amps}")
    if report["mel_shape"] != [128, 94] or not report["mel_is_finite"]:
        raise SystemExit(f"log_mel does not give what it should: {report}")
    if report["heavy"]:
        raise SystemExit(f"playing an amp imports {report['heavy']}")
    said = run(python.with_name("neurdsp"), "--version", cwd=folder)
    if report["version"] not in said:
        raise SystemExit(f"neurdsp --version says {said!r}, but the package has version {report['version']}")
    run(UV, "pip", "install", "--quiet", "--python", python, f"{package}[plot]", **environment)
    run(python.with_name("neurdsp"), "demo", "-o", "demo", cwd=folder)
    written = {path.name for path in (folder / "demo").iterdir()}
    wanted = {"amped.wav", "report.png", "drums-kick.wav", "drums.html", "kicks.png", "beat-humanised.mid"}
    if not wanted <= written:
        raise SystemExit(f"neurdsp demo did not write {sorted(wanted - written)}")


def main(folder: Path) -> None:
    """Use the wheel with each Python, and the sdist with the oldest."""
    (wheel,), (sdist,) = folder.resolve().glob("*.whl"), folder.resolve().glob("*.tar.gz")
    found = interpreters()
    if not found:
        raise SystemExit("no Python from 3.11 on is on the PATH")
    # The sdist is compiled anew; third-party crates that were compiled before are reused.
    sdist_environment = {"CARGO_TARGET_DIR": os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))}
    tries = [(interpreter, wheel, {}) for interpreter in found.values()]
    tries.append((next(iter(found.values())), sdist, sdist_environment))
    for interpreter, package, environment in tries:
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as temporary:
            use(interpreter, package, Path(temporary), **environment)
        print(f"{package.name} with {interpreter}: used, {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
