"""A graph of files that import each other, and the circles in it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["Import", "circles"]


@dataclass(frozen=True)
class Import:
    """One file names something that another file defines."""

    source: str
    target: str
    line: int
    #: Passes the name on (`pub use`, an `__init__.py`) and does not use it.
    reexport: bool = False


def circles(imports: Iterable[Import], without: Iterable[tuple[str, str]] = ()) -> list[list[str]]:
    """Return the groups of files that reach each other; `without` names arrows to leave out."""
    dropped = set(without)
    arrows: dict[str, set[str]] = {}
    for found in imports:
        if not found.reexport and (found.source, found.target) not in dropped:
            arrows.setdefault(found.source, set()).add(found.target)
    return sorted(sorted(group) for group in _strong_components(arrows) if len(group) > 1)


def _strong_components(arrows: dict[str, set[str]]) -> Iterator[set[str]]:
    """Tarjan's algorithm."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(node: str) -> Iterator[set[str]]:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in sorted(arrows.get(node, ())):
            if target not in index:
                yield from visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            start = stack.index(node)
            yield set(stack[start:])
            del stack[start:]

    for node in sorted(arrows):
        if node not in index:
            yield from visit(node)
