"""Who may import whom: crates by cargo's own word, Python packages by their syntax trees."""

import ast
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from python_imports import base_of

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "python" / "neurdsp"

# crate -> workspace crates that it may use in what it ships (not in its tests and benches)
ALLOWED_CRATES = {
    "neurdsp-simd": set(),
    "neurdsp-dsp": {"neurdsp-simd"},
    "neurdsp-midi": set(),
    "neurdsp-nn": {"neurdsp-simd"},
    "neurdsp-models": {"neurdsp-simd", "neurdsp-dsp", "neurdsp-midi", "neurdsp-nn"},
    "neurdsp-rt": {"neurdsp-simd", "neurdsp-dsp", "neurdsp-midi", "neurdsp-nn", "neurdsp-models"},
    "neurdsp-py": {
        "neurdsp-simd",
        "neurdsp-dsp",
        "neurdsp-midi",
        "neurdsp-nn",
        "neurdsp-models",
        "neurdsp-rt",
    },
    "neurdsp-plugin": {
        "neurdsp-simd",
        "neurdsp-dsp",
        "neurdsp-midi",
        "neurdsp-nn",
        "neurdsp-models",
        "neurdsp-rt",
    },
    "neurdsp-benches": {
        "neurdsp-simd",
        "neurdsp-dsp",
        "neurdsp-midi",
        "neurdsp-nn",
        "neurdsp-models",
        "neurdsp-rt",
    },
    "xtask": {"neurdsp-simd", "neurdsp-dsp", "neurdsp-midi", "neurdsp-nn", "neurdsp-models", "neurdsp-rt"},
}

FAMILIES = ("amp", "kick", "music", "drumsep")
FOUNDATION = {"_core", "errors"}
HELPERS = FOUNDATION | {"_output", "_guard", "_options", "console", "dependencies", "audio"}
# layer -> layers that it may import besides itself; a new package must be put in its place here
ALLOWED_PYTHON = {
    "_core": set(),
    "errors": set(),
    "_notices": {"errors"},
    "_output": FOUNDATION,
    "_guard": FOUNDATION | {"_output"},
    "_options": FOUNDATION | {"_guard"},
    "console": {"errors"},
    "dependencies": {"errors"},
    "audio": FOUNDATION | {"_notices", "_output"},
    "midi": FOUNDATION | {"_output"},
    "config": FOUNDATION | {"_output"},
    "modelfile": HELPERS,
    "dsp": HELPERS | {"_notices"},
    "metrics": HELPERS | {"dsp"},
    "report": HELPERS | {"dsp", "midi"},
    "nn": HELPERS | {"dsp"},
    "losses": HELPERS | {"config", "dsp", "nn"},
    "training": HELPERS | {"config", "modelfile", "dsp", "nn", "metrics", "losses"},
    **dict.fromkeys(
        FAMILIES,
        HELPERS | {"config", "midi", "modelfile", "dsp", "nn", "metrics", "losses", "training", "report"},
    ),
}
#: Stand above everything: the command and the package's own __init__.
ABOVE = {"cli", "__init__", "__main__"}


def crate_violations(metadata, allowed):
    members = {package["name"] for package in metadata["packages"]}
    for package in metadata["packages"]:
        used = {d["name"] for d in package["dependencies"] if d["name"] in members and d["kind"] != "dev"}
        if package["name"] not in allowed:
            yield f"crate {package['name']} has no place in ALLOWED_CRATES"
        for name in sorted(used - allowed.get(package["name"], used)):
            yield f"crate {package['name']} must not depend on {name}"


@pytest.mark.skipif(shutil.which("cargo") is None, reason="cargo is not installed")
def test_crates_depend_downwards_only():
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps", "--offline"]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)
    assert len(metadata["packages"]) >= 7
    assert list(crate_violations(metadata, ALLOWED_CRATES)) == []


def test_an_upward_crate_dependency_would_be_found():
    packages = [
        {"name": "neurdsp-dsp", "dependencies": [{"name": "neurdsp-rt", "kind": None}]},
        {"name": "neurdsp-rt", "dependencies": [{"name": "neurdsp-dsp", "kind": "dev"}]},
    ]
    found = list(crate_violations({"packages": packages}, ALLOWED_CRATES))
    assert found == ["crate neurdsp-dsp must not depend on neurdsp-rt"]


def layer(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def home(name):
    """Where a name lives that is imported from the top: a package, the core's version, or a transform."""
    if name == "_core" or (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file():
        return f"neurdsp.{name}"
    return "neurdsp._core" if name == "__version__" else "neurdsp.dsp"


def imported_layers(source, module, is_package):
    """Yield (layer, line) of every import of neurdsp, inside functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = base_of(node, module, is_package)
            names = [home(alias.name) for alias in node.names] if base == "neurdsp" else [base]
        else:
            continue
        for name in names:
            if name == "neurdsp" or name.startswith("neurdsp."):
                yield layer(name), node.lineno


def python_violations(source, module, is_package=False):
    own = layer(module)
    if own in ABOVE:
        return
    if own not in ALLOWED_PYTHON:
        yield f"{module}: package {own} has no place in ALLOWED_PYTHON"
        return
    for used, line in imported_layers(source, module, is_package):
        if used != own and used not in ALLOWED_PYTHON[own]:
            yield f"{module}:{line}: {own} must not import {used}"


def test_python_packages_import_downwards_only():
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) > 20
    found = []
    for path in files:
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        module = ".".join(parts[:-1] if is_package else parts)
        found += python_violations(path.read_text(), module, is_package)
    assert found == []


@pytest.mark.parametrize(
    ("source", "module", "message"),
    [
        ("from neurdsp.amp.infer import AmpModel", "neurdsp.kick.infer", "kick must not import amp"),
        ("def f():\n    import neurdsp.training", "neurdsp.dsp.mel", "dsp must not import training"),
        ("from ..cli import app", "neurdsp.amp.cli", "amp must not import cli"),
        ("from neurdsp import amp", "neurdsp.audio.files", "audio must not import amp"),
        ("from neurdsp import stft", "neurdsp.audio.files", "audio must not import dsp"),
        ("", "neurdsp.novelty.model", "no place in ALLOWED_PYTHON"),
    ],
)
def test_an_upward_or_sideways_import_would_be_found(source, module, message):
    (found,) = python_violations(source, module)
    assert message in found


def imports_of_torch(source):
    """Yield the line of each import of torch that runs: those for type checkers alone do not count."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if any(name.split(".")[0] in {"torch", "torchaudio"} for name in names):
            yield node.lineno


def test_only_training_code_imports_torch():
    """What plays a model must not know PyTorch: the import may stand in the families' training files only."""
    allowed = {"network.py", "model.py", "lstm.py", "train.py", "task.py", "export.py", "data.py"} | {
        "active.py",
        "pytorch.py",
        "transform.py",
        "crops.py",
        "fast.py",
        "loss.py",
        "prune.py",
        "pruning.py",
        "start.py",
        "stages.py",
        "embedding.py",
    }
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).parts
        if parts[0] in {"losses", "nn", "training"} or (parts[0] in FAMILIES and parts[-1] in allowed):
            continue
        if parts[0] in FAMILIES and parts[-2] in {"networks", "tasks"}:  # folders of training code
            continue
        found += [f"{path.name}:{line}" for line in imports_of_torch(path.read_text())]
    assert found == []


def test_an_import_of_torch_would_be_found():
    assert list(imports_of_torch("def f():\n    import torch.nn\n")) == [2]
    assert list(imports_of_torch("if TYPE_CHECKING:\n    from torch import Tensor\n")) == []
