"""Families of models and plugins share rooms, and never reach into each other.

In `neurdsp-models` each family is a folder; in the plugin crate each plugin is one. They use the shared rooms
beside them, which import none of them. Only the registry and the root of a crate know them all.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest
from import_graph import Import
from rust_imports import crate_imports

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class House:
    #: Folders that never import each other.
    apart: set[str]
    #: Files and folders that all may use, and that use none of the above.
    shared: set[str]
    #: Files that may import everything.
    above: set[str]


HOUSES = {
    "crates/neurdsp-models": House(
        apart={"amp", "kick", "music", "drumsep"},
        shared={"container", "error", "family", "kinds"},
        above={"lib", "registry"},
    ),
    "plugin": House(
        apart={"amp", "companion", "drums", "kick"},
        shared={"audio", "host", "instance", "loading", "preset", "shell", "state", "ui", "window"},
        above={"lib", "main"},
    ),
}


def room(file: str) -> str:
    return file.split("/")[0].removesuffix(".rs")


def rooms(house: str) -> set[str]:
    return {
        room(path.relative_to(ROOT / house / "src").as_posix())
        for path in (ROOT / house / "src").rglob("*.rs")
    }


def problems(imports: list[Import], present: set[str], plan: House) -> list[str]:
    known = plan.apart | plan.shared | plan.above
    found = [f"{name} has no place: is it apart or shared?" for name in sorted(present - known)]
    found += [f"{name} is gone: delete it from the list" for name in sorted(plan.shared - present)]
    for one in imports:
        source, target = room(one.source), room(one.target)
        if source in plan.above or target == source:
            continue
        if target in plan.apart | plan.above:
            found.append(f"{one.source}:{one.line}: {source} must not import {target}")
    return found


@pytest.mark.parametrize("house", HOUSES)
def test_families_and_plugins_use_shared_rooms_only(house):
    imports = crate_imports(ROOT / house / "src")
    assert len(imports) > 30, f"the reader finds hardly an import in {house}"
    assert problems(imports, rooms(house), HOUSES[house]) == []


PLAN = House(apart={"amp", "kick"}, shared={"container"}, above={"lib", "registry"})


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("amp/loaded.rs", "kick/mod.rs", "amp/loaded.rs:7: amp must not import kick"),
        ("kick/mod.rs", "amp/mod.rs", "kick/mod.rs:7: kick must not import amp"),
        ("container/file.rs", "amp/mod.rs", "container/file.rs:7: container must not import amp"),
        ("container/file.rs", "registry.rs", "container/file.rs:7: container must not import registry"),
        ("amp/loaded.rs", "registry.rs", "amp/loaded.rs:7: amp must not import registry"),
    ],
)
def test_an_import_of_another_family_would_be_found(source, target, message):
    present = {"amp", "kick", "container", "lib", "registry"}
    for reexport in (False, True):
        assert problems([Import(source, target, 7, reexport)], present, PLAN) == [message]
    allowed = [Import("registry.rs", "amp/mod.rs", 1), Import("amp/mod.rs", "container/file.rs", 1)]
    assert problems([*allowed, Import("amp/mod.rs", "amp/nam/mod.rs", 1)], present, PLAN) == []


def test_a_room_without_a_place_and_one_that_is_gone_would_be_found():
    assert problems([], {"container", "lib", "novelty"}, PLAN) == [
        "novelty has no place: is it apart or shared?"
    ]
    assert problems([], {"lib"}, PLAN) == ["container is gone: delete it from the list"]
