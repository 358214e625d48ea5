"""No circle among the files of a crate or of the Python package, but those that are named here.

A circle is allowed by naming an arrow that closes it, with the reason. An arrow that no longer
closes a circle fails too, so that the lists shrink with what they list.
"""

from pathlib import Path

import pytest
from import_graph import Import, circles
from python_imports import package_imports
from rust_imports import crate_imports

ROOT = Path(__file__).parents[2]

#: Formats that contain themselves: these circles may stay.
RECURSIVE = {
    "crates/neurdsp-models": {
        ("amp/nam/wavenet.rs", "amp/nam/file.rs"): "the condition of a WaveNet is a `.nam` model itself",
    },
}
HOUSES = [
    *sorted(f"crates/{folder.name}" for folder in (ROOT / "crates").iterdir()),
    "plugin",
    "python/neurdsp",
]


def imports_of(house: str) -> list[Import]:
    return (
        package_imports(ROOT / house) if house.startswith("python") else crate_imports(ROOT / house / "src")
    )


def problems(imports: list[Import], allowed: set[tuple[str, str]]) -> list[str]:
    found = [f"circle: {', '.join(group)}" for group in circles(imports, allowed)]
    if not found:
        for arrow in sorted(allowed):
            if not circles(imports, allowed - {arrow}):
                found.append(f"{arrow[0]} -> {arrow[1]} closes no circle any more: delete it from the list")
    return found


@pytest.mark.parametrize("house", HOUSES)
def test_files_form_no_circle(house):
    imports = imports_of(house)
    assert len(imports) >= 4, f"the reader finds hardly an import in {house}"
    assert problems(imports, set(RECURSIVE.get(house, {}))) == []


def test_the_lists_name_houses_that_exist():
    assert set(RECURSIVE) <= set(HOUSES)


def test_a_circle_and_a_stale_permission_would_be_found():
    ring = [Import("a", "b", 1), Import("b", "c", 1), Import("c", "a", 1), Import("c", "d", 1)]
    assert problems(ring, set()) == ["circle: a, b, c"]
    assert problems(ring, {("c", "a")}) == []
    (stale,) = problems(ring, {("c", "a"), ("c", "d")})
    assert stale == "c -> d closes no circle any more: delete it from the list"
    # A file that passes a name on does not depend on it.
    assert problems([Import("a", "b", 1, reexport=True), Import("b", "a", 1)], set()) == []


RUST = {
    "lib.rs": """
        //! Text about crate::comments::Nothing.
        mod one; mod two; mod face;
        pub use two::Two;
        #[macro_export] macro_rules! show { ($e:expr) => { $crate::one::shown($e) }; }
    """,
    "one.rs": """
        use crate::{face::{self, Deep as Renamed}, two};
        pub struct One<'a>(&'a str);
        fn call() { let text = "crate::two::Text"; two::run(); face::helper() }
        #[cfg(test)]
        mod tests { use crate::only_in_tests::Nothing; }
    """,
    "two.rs": """
        pub struct Two;
        pub fn run() -> usize { super::face::deep::SIZE }
        #[cfg(test)]
        use crate::one::{One};
        macro_rules! named { ($name:ident) => { crate::one::$name() }; }
    """,
    "face/mod.rs": "pub(crate) mod deep;\npub(crate) use deep::*;\npub fn helper() {}",
    "face/deep.rs": "pub struct Deep; pub const SIZE: u8 = 1; impl Deep { fn up() { super::super::Two; } }",
}


def test_rust_paths_are_followed_to_the_file_that_defines_them(tmp_path):
    for name, text in RUST.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = {(one.source, one.target) for one in crate_imports(tmp_path) if not one.reexport}
    assert found == {
        ("lib.rs", "one.rs"),  # in the macro
        ("one.rs", "face/deep.rs"),
        ("one.rs", "face/mod.rs"),
        ("one.rs", "two.rs"),
        ("two.rs", "face/deep.rs"),
        ("two.rs", "one.rs"),
        ("face/deep.rs", "two.rs"),
    }
    passed_on = {(one.source, one.target) for one in crate_imports(tmp_path) if one.reexport}
    assert passed_on == {("lib.rs", "two.rs"), ("face/mod.rs", "face/deep.rs")}


def test_python_names_are_followed_to_the_module_that_defines_them(tmp_path):
    package = tmp_path / "house"
    (package / "room").mkdir(parents=True)
    (package / "__init__.py").write_text("from house.room import Table\n")
    (package / "room" / "__init__.py").write_text("from house.room.table import Table\n")
    (package / "room" / "table.py").write_text("def f():\n    from ..door import open_it\n")
    (package / "door.py").write_text("from house import Table\nimport house.room\nfrom house import room\n")
    found = {(one.source, one.target) for one in package_imports(package) if not one.reexport}
    assert found == {
        ("house.room.table", "house.door"),
        ("house.door", "house.room.table"),
        ("house.door", "house.room"),
    }
    assert problems(package_imports(package), set()) == ["circle: house.door, house.room.table"]
