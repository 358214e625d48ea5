"""The configuration base: coercion, refusals that name the nearest key, overrides, YAML."""

import sys
from pathlib import Path
from subprocess import run

import pytest
from neurdsp.config import (
    Config,
    apply_overrides,
    build,
    did_you_mean,
    dump_yaml,
    load_yaml,
    parse_yaml,
    save_yaml,
)
from neurdsp.errors import ConfigError


class Optimiser(Config):
    learning_rate: float = 1e-3
    steps: int | None = None


class Root(Config):
    optimiser: Optimiser = Optimiser()
    name: str = "x"


def message(call, *args, **kwargs) -> str:
    with pytest.raises(ConfigError) as caught:
        call(*args, **kwargs)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_yaml_scientific_notation_becomes_a_float():
    tree = parse_yaml("optimiser:\n  learning_rate: 1e-4\n  steps: '12'\n")
    assert tree["optimiser"]["learning_rate"] == "1e-4"  # the trap of YAML 1.1
    config = build(Root, tree)
    assert config.optimiser.learning_rate == 1e-4
    assert config.optimiser.steps == 12


def test_unknown_key_names_file_key_and_nearest():
    text = message(build, Root, {"optimiser": {"learning_rat": 1}}, source="my.yaml")
    assert text == "my.yaml: unknown key 'optimiser.learning_rat'; did you mean 'learning_rate'?"


def test_unknown_key_without_a_near_one_lists_the_known():
    assert "known are: name, optimiser" in message(build, Root, {"zzz": 1})


@pytest.mark.parametrize("value", ["fast", float("nan"), [1]])
def test_wrong_value_names_key_and_value(value):
    text = message(build, Root, {"optimiser": {"learning_rate": value}}, source="my.yaml")
    assert text.startswith(f"my.yaml: 'optimiser.learning_rate' = {value!r}: ")


def test_frozen():
    with pytest.raises(ValueError, match="frozen"):
        Root().name = "y"


def test_overrides_nest_without_touching_the_original():
    tree = {"optimiser": {"steps": 3}}
    changed = apply_overrides(tree, ["optimiser.learning_rate=1e-5", "name=a.b=c", "optimiser.steps=null"])
    assert tree == {"optimiser": {"steps": 3}}
    config = build(Root, changed)
    assert (config.optimiser.learning_rate, config.optimiser.steps, config.name) == (1e-5, None, "a.b=c")


@pytest.mark.parametrize("override", ["steps", "=3", "a..b=3", "name.x=3", "name=[1"])
def test_malformed_override_is_named(override):
    assert f"--set {override}" in message(apply_overrides, {"name": "x"}, [override])


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"a: [1", "line 1"),
        (b"- 1\n", "a configuration must be a mapping"),
        (b"a: 1\na: 2\n", "'a' is given twice"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[" * 3_000, "nested too deeply"),
        (b"#" * (1 << 21), "larger than"),
    ],
)
def test_bad_file_is_one_line_with_its_name(tmp_path: Path, raw: bytes, expected: str):
    file = tmp_path / "c.yaml"
    file.write_bytes(raw)
    text = message(load_yaml, file)
    assert str(file) in text
    assert expected in text


def test_missing_file():
    assert "cannot read the configuration" in message(load_yaml, "absent.yaml")


def test_saved_yaml_round_trips_and_leaves_no_temporary(tmp_path: Path):
    config = build(Root, {"optimiser": {"learning_rate": 1e-7}})
    save_yaml(config, tmp_path / "c.yaml")
    assert build(Root, load_yaml(tmp_path / "c.yaml")) == config
    assert [entry.name for entry in tmp_path.iterdir()] == ["c.yaml"]
    assert "steps: null" in dump_yaml(config)


def test_did_you_mean_finds_the_nearest():
    assert did_you_mean("seed-16x", ["seed-16x6", "seed-32x10"]) == "; did you mean 'seed-16x6'?"


def test_importing_neurdsp_loads_no_configuration_machinery():
    code = (
        "import sys, neurdsp; print([m for m in ('pydantic', 'yaml', 'torch', 'rich') if m in sys.modules])"
    )
    assert run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
