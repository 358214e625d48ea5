"""Which files of a Rust crate import which, read from their tokens.

Paths are followed through `use` and `pub use` to the file that defines the name. Code under `#[cfg(test)]`
is left out. A name that a macro builds is attributed to the file of its module.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from import_graph import Import

__all__ = ["crate_imports"]

_IGNORED = re.compile(
    r"""//[^\n]*|/\*.*?\*/|b?r(?P<fence>\#*)".*?"(?P=fence)|b?"(?:\\.|[^"\\])*"|b?'(?:\\[^']*|[^'\\\n])'""",
    re.S,
)
_TOKEN = re.compile(r"[A-Za-z_]\w*|::|\n|\S")
_DEFINING = {"fn", "struct", "enum", "trait", "type", "const", "static", "union"}
_OPEN, _CLOSE = set("({["), set(")}]")


@dataclass
class _Module:
    file: str
    parent: "_Module | None" = None
    children: dict[str, "_Module"] = field(default_factory=dict)
    definitions: set[str] = field(default_factory=set)
    #: Name in this module -> the path that `use` takes it from.
    bindings: dict[str, list[str]] = field(default_factory=dict)
    globs: list[list[str]] = field(default_factory=list)
    #: (path, line, whether it is a re-export)
    paths: list[tuple[list[str], int, bool]] = field(default_factory=list)


def crate_imports(src: Path) -> list[Import]:
    """Return the imports among the files of a crate, named relative to its `src`, once per pair and kind."""
    root = _Module("lib.rs" if (src / "lib.rs").exists() else "main.rs")
    _read(src, src, root)
    found: dict[tuple[str, str, bool], Import] = {}
    for module in _all(root):
        for path, line, reexport in module.paths:
            target = _resolve(root, module, path)
            if target is not None and target != module.file:
                key = (module.file, target, reexport)
                found.setdefault(key, Import(module.file, target, line, reexport))
    return sorted(found.values(), key=lambda one: (one.source, one.target, one.reexport))


def _all(module: _Module) -> Iterator[_Module]:
    yield module
    for child in module.children.values():
        yield from _all(child)


def _tokens(text: str) -> list[tuple[str, int]]:
    """The tokens of a source and their lines, without comments, strings and characters."""
    text = _IGNORED.sub(lambda found: "\n" * found[0].count("\n") or " ", text)
    line, tokens = 1, []
    for found in _TOKEN.finditer(text):
        if found[0] == "\n":
            line += 1
        else:
            tokens.append((found[0], line))
    return tokens


def _read(src: Path, folder: Path, module: _Module) -> None:
    """Read the file of a module whose child modules lie in ``folder``."""
    tokens = _tokens((src / module.file).read_text())
    _Reader(src, tokens).items(0, module, folder)


@dataclass
class _Reader:
    src: Path
    tokens: list[tuple[str, int]]

    def word(self, at: int) -> str:
        return self.tokens[at][0] if 0 <= at < len(self.tokens) else ""

    def items(self, at: int, module: _Module, folder: Path) -> int:
        """Read to the brace that closes the module or the end of the file; return the place after it."""
        depth = 0
        while at < len(self.tokens):
            word = self.word(at)
            if word == "#":
                start = at + (2 if self.word(at + 1) == "!" else 1)
                at = self.closing(start)
                if self.is_test_only(start, at):
                    at = self.item_end(at)
            elif word == "mod" and self.word(at + 2) in {";", "{"}:
                at = self.child(at, module, folder)
            elif word == "use":
                at = self.use(at, module)
            elif word in _DEFINING or (word == "macro_rules" and self.word(at + 1) == "!"):
                name = self.word(at + 1 if word != "macro_rules" else at + 2)
                module.definitions.add(name)
                at += 1
            elif word == "}" and depth == 0:
                return at + 1
            elif self.word(at + 1) == "::" and self.word(at - 1) != "::" and word.isidentifier():
                at = self.path(at, module)
            else:
                depth += (word == "{") - (word == "}")
                at += 1
        return at

    def closing(self, at: int) -> int:
        """The place after the bracket that closes the one at ``at``."""
        depth = 0
        while at < len(self.tokens):
            depth += (self.word(at) in _OPEN) - (self.word(at) in _CLOSE)
            at += 1
            if depth == 0:
                break
        return at

    def is_test_only(self, start: int, end: int) -> bool:
        words = [self.word(at) for at in range(start, end)]
        return "cfg" in words[:2] and "test" in words and "not" not in words

    def item_end(self, at: int) -> int:
        """The place after the item at ``at``: its semicolon, or its body in braces."""
        is_use = "use" in (self.word(at), self.word(at + 1))
        while at < len(self.tokens):
            word = self.word(at)
            if word in _OPEN:
                at = self.closing(at)
                if word == "{" and not is_use:
                    return at
                continue
            at += 1
            if word == ";":
                return at
        return at

    def child(self, at: int, module: _Module, folder: Path) -> int:
        name, inline = self.word(at + 1), self.word(at + 2) == "{"
        if inline:
            child = module.children[name] = _Module(module.file, module)
            return self.items(at + 3, child, folder / name)
        beside = folder / f"{name}.rs"
        file = beside if beside.exists() else folder / name / "mod.rs"
        child = module.children[name] = _Module(file.relative_to(self.src).as_posix(), module)
        _read(self.src, folder / name, child)
        return at + 3

    def path(self, at: int, module: _Module) -> int:
        line, path = self.tokens[at][1], [self.word(at)]
        while self.word(at + 1) == "::" and self.word(at + 2).isidentifier():
            path.append(self.word(at + 2))
            at += 2
        if self.word(at + 1) == "::" and self.word(at + 2) == "$":
            path.append("*")  # the name comes from a macro's parameter
        module.paths.append((path, line, False))
        return at + 1

    def use(self, at: int, module: _Module) -> int:
        public, line, end = self.is_public(at), self.tokens[at][1], at
        while self.word(end) not in {";", ""}:
            end += 1
        words = [self.word(place) for place in range(at + 1, end)]
        for path, name in _use_tree(words):
            if name == "*":
                module.globs.append(path)
            else:
                module.bindings[name] = path
            module.paths.append((path if name != "*" else [*path, "*"], line, public))
        return end + 1

    def is_public(self, at: int) -> bool:
        before = self.word(at - 1)
        return before == "pub" or (before == ")" and "pub" in (self.word(at - 4), self.word(at - 5)))


def _use_tree(words: list[str]) -> Iterator[tuple[list[str], str]]:
    """Yield (path, name that it is bound to) of each leaf of a `use` tree; the name of a glob is `*`."""
    path: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        if word == "{":
            depth, start = 1, at + 1
            for at in range(start, len(words)):
                depth += (words[at] == "{") - (words[at] == "}")
                if depth == 0 or (words[at] == "," and depth == 1):
                    for inner, name in _use_tree(words[start:at]):
                        yield (
                            path + (inner[:-1] if inner[-1] == "self" else inner),
                            (path[-1] if name == "self" else name),
                        )
                    start = at + 1
            return
        if word == "*":
            yield path, "*"
            return
        if word == "as":
            yield path, words[at + 1]
            return
        if word != "::":
            path = [*path, word]
        at += 1
    if path:
        yield path, path[-1]


def _resolve(root: _Module, module: _Module, path: list[str], depth: int = 0) -> str | None:
    """The file that defines what a path names; None for another crate, and for a module itself."""
    if depth > 20:
        return None
    first, at = path[0], 1
    if first in {"crate", "self", "super"}:
        here = {"crate": root, "self": module, "super": module.parent}[first]
    elif first in module.children:
        here = module.children[first]
    else:
        return _through(root, module, path, depth)
    while here is not None and at < len(path):
        name = path[at]
        if name == "super":
            here = here.parent
        elif name in here.children:
            here = here.children[name]
        elif name in here.definitions or name == "*":
            return here.file
        else:
            return _through(root, here, path[at:], depth) or here.file
        at += 1
    return None


def _through(root: _Module, module: _Module, path: list[str], depth: int) -> str | None:
    """Follow the first name of a path through what the module itself has imported."""
    if path[0] in module.bindings:
        source = module.bindings[path[0]]
        # `use serde::de` binds `de` to another crate, in which nothing can be followed.
        return _resolve(root, module, source + path[1:], depth + 1) if source != path[:1] else None
    for glob in module.globs:
        target = _module_at(root, module, glob)
        if target and (
            path[0] in target.definitions or path[0] in target.children or path[0] in target.bindings
        ):
            return _resolve(root, target, ["self", *path], depth + 1)
    return None


def _module_at(root: _Module, module: _Module, path: list[str]) -> _Module | None:
    here: _Module | None = module
    for at, name in enumerate(path):
        if name == "crate":
            here = root
        elif name == "super":
            here = here.parent
        elif name != "self":
            here = here.children.get(name)
        if here is None:
            return None
        assert at < len(path)
    return here
