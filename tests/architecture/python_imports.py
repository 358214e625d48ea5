"""Which modules of a Python package import which, read from their syntax trees, inside functions too.

A name taken from a package is followed through its `__init__.py` to the module that defines it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from import_graph import Import

__all__ = ["base_of", "package_imports"]


def package_imports(package: Path) -> list[Import]:
    """Return the imports among the modules of a package, once per pair, named by dotted path."""
    modules = {_name(package, path): path for path in sorted(package.rglob("*.py"))}
    trees = {name: ast.parse(path.read_text()) for name, path in modules.items()}
    faces = {name: path.name == "__init__.py" for name, path in modules.items()}
    # Package -> name that its `__init__.py` passes on -> module that it comes from.
    passed = {
        name: {alias: base for base, alias, _ in _imports(tree, name, True) if alias}
        for name, tree in trees.items()
        if faces[name]
    }

    def home(base: str, alias: str | None) -> str | None:
        for _ in modules:
            if alias and f"{base}.{alias}" in modules:
                return f"{base}.{alias}"
            if not alias or base not in passed or alias not in passed[base]:
                break
            base = passed[base][alias]
        return base if base in modules else None

    found: dict[tuple[str, str], Import] = {}
    for name, tree in trees.items():
        for base, alias, line in _imports(tree, name, faces[name]):
            target = home(base, alias)
            if target and target != name:
                found.setdefault((name, target), Import(name, target, line, faces[name]))
    return list(found.values())


def _name(package: Path, path: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(tree: ast.Module, module: str, is_package: bool) -> Iterator[tuple[str, str | None, int]]:
    """Yield (module, name taken from it or None, line) of every import in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None, node.lineno
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield base_of(node, module, is_package), alias.name, node.lineno


def base_of(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    """The absolute name of the module that a `from … import` takes its names from."""
    base = node.module or ""
    if not node.level:
        return base
    parts = module.split(".") if is_package else module.split(".")[:-1]
    return ".".join([*parts[: len(parts) - node.level + 1], *([base] if base else [])])
