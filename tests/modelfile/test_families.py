"""A family is a folder and a line: ``neurdsp model`` knows a tiny one that only the tests have."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from neurdsp import modelfile
from neurdsp.cli import main
from neurdsp.errors import ModelFileError, ParameterError, UnsupportedModelError
from neurdsp.modelfile import families

LINE = families.Family(
    "tiny",
    prefixes=("tiny",),
    describe="tiny_family.information:describe",
    verify="tiny_family.information:verify",
    kind="predictor",
)


@pytest.fixture
def tiny(monkeypatch):
    """The family in the table, and its folder where Python finds it."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.setattr(families, "FAMILIES", [*families.FAMILIES, LINE])
    from tiny_family import model

    yield model
    for name in [name for name in sys.modules if name.partition(".")[0] == "tiny_family"]:
        del sys.modules[name]


@pytest.fixture
def path(tmp_path, tiny):
    """A model of the family."""
    path = tmp_path / "mixer.safetensors"
    tiny.export(path, [100, -7])
    return path


@pytest.fixture
def command(monkeypatch, capsys):
    """A function that runs ``neurdsp model`` in this process; gives the exit status and what was printed."""

    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["neurdsp", "model", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        return int(caught.value.code or 0), capsys.readouterr().out

    return run


def test_info_has_what_every_file_has_and_what_the_family_adds(path, command):
    status, out = command("info", path)
    assert status == 0
    # A long path continues on lines without a name.
    rows = dict(
        re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in out.splitlines() if "  " in line.strip()
    )
    expected = {
        "architecture": "tiny.mixer",
        "kind": "predictor",
        "parameters": "3",
        "stored values": "1 F16, 2 I8",
        "sample rate": "48000 Hz",
        "channels": "2",
        "peak weight": "100",
        "metric loss": "0.5",
    }
    assert {name: rows[name] for name in expected} == expected
    assert "input.audio [2, 100], input.gain [2], output [2, 100]" in " ".join(out.split())
    status, out = command("info", path, "--json")
    told = json.loads(out)
    assert (status, told["peak_weight"], told["stored"]) == (0, 100, {"F16": 1, "I8": 2})
    assert told["parity"] == {"input.audio": [2, 100], "input.gain": [2], "output": [2, 100]}
    assert "receptive_field" not in told


def test_verify_runs_the_familys_own_proof(tmp_path, tiny, path, command):
    status, out = command("verify", path, "--json")
    (row,) = json.loads(out)
    assert (status, row["passed"], row["n_samples"]) == (0, True, 200)
    file = modelfile.read(path)
    file.tensors["weight"] += np.int8(1)
    changed = tmp_path / "changed.safetensors"
    modelfile.write(changed, file.metadata, file.tensors)
    status, out = command("verify", path, changed, "--json")
    assert status == 1
    assert [row["passed"] for row in json.loads(out)] == [True, False]
    # One step of 100 and of 7: the error is that of the quieter channel's, -23 to -30 dB.
    assert -45 < json.loads(out)[1]["error_db"] < -20


def test_the_container_of_the_family_is_checked_as_any(path):
    file = modelfile.read(path)
    with pytest.raises(ModelFileError, match=r"neurdsp\.parity_db"):
        modelfile.write(path, file.metadata | {"neurdsp.parity_db": "9"}, file.tensors)
    path.write_bytes(path.read_bytes()[:-1])
    for act in (modelfile.read, modelfile.info, modelfile.verify):
        with pytest.raises(ModelFileError, match=r"mixer\.safetensors: the file is malformed"):
            act(path)


def test_without_its_line_the_family_is_unknown(path, monkeypatch):
    monkeypatch.setattr(families, "FAMILIES", [f for f in families.FAMILIES if f.name != "tiny"])
    for act in (modelfile.read, modelfile.info, modelfile.verify):
        with pytest.raises(UnsupportedModelError, match=r"tiny\.mixer"):
            act(path)


def test_every_line_of_the_table_names_parts_that_exist_and_prefixes_of_its_own():
    named = [name for f in families.FAMILIES for name in (f.command, f.describe, f.verify) if name]
    assert len(named) >= 2
    for name in named:
        assert callable(families.part(name)), name
    prefixes = [prefix for family in families.FAMILIES for prefix in family.prefixes]
    assert len(prefixes) == len(set(prefixes))


def test_parity_vectors_are_named_by_what_they_are():
    signal, gain = np.ones((2, 5), np.float32), np.ones(2, np.float32)
    single = modelfile.build_parity(signal, gain)
    assert [*single] == ["parity.input", "parity.output"]
    assert single["parity.input"] is signal
    several = modelfile.build_parity({"audio": signal, "gain": gain}, {"left": gain})
    assert [*several] == ["parity.input.audio", "parity.input.gain", "parity.output.left"]
    for inputs in ({}, {"": signal}, {"input": signal}):
        with pytest.raises(ParameterError, match=r"parity\.input needs at least one array"):
            modelfile.build_parity(inputs, signal)
    with pytest.raises(ParameterError, match=r"parity\.output\.x is float64, but must be float32"):
        modelfile.build_parity(signal, {"x": np.ones(3)})


def test_the_parity_error_is_relative_to_the_energy_of_the_expected_output():
    expected = np.array([[1.0, -1.0]])
    assert modelfile.parity_error_db(expected, expected) == -np.inf
    # 2 · 0.125² over 2 · 1² is -18.06 dB.
    assert modelfile.parity_error_db(expected, expected + 0.125) == pytest.approx(-18.0618, abs=1e-4)
    assert modelfile.parity_error_db(np.zeros(2), np.full(2, 1e-9)) == np.inf
    assert np.isnan(modelfile.parity_error_db(expected, np.full((1, 2), np.nan)))
    with pytest.raises(ParameterError, match=r"found has shape \(2,\), but must have \(1, 2\)"):
        modelfile.parity_error_db(expected, expected[0])


@pytest.mark.parametrize("facts", [{"gear_make": "Acme"}, {"name": "Mixer", "input_level_dbu": 12.0}])
def test_facts_about_a_device_are_refused_for_a_model_of_none(path, tmp_path, facts):
    target = tmp_path / "copy.safetensors"
    with pytest.raises(ParameterError) as caught:
        modelfile.convert(path, target, capture=facts)
    assert str(caught.value) == (
        f"{', '.join(facts)}: '{path}' holds tiny.mixer, which is no model of a device; "
        "leave these options out"
    )
    assert not target.exists()


@pytest.mark.parametrize("suffix", [".nam", ".json", ".aidax"])
def test_a_model_of_no_device_has_no_format_of_amps(path, tmp_path, suffix):
    with pytest.raises(UnsupportedModelError, match=r"only a \.safetensors file can hold it"):
        modelfile.convert(path, tmp_path / f"copy{suffix}")
    assert not (tmp_path / f"copy{suffix}").exists()


def test_the_command_refuses_the_options_of_another_family(path, tmp_path, command):
    target = tmp_path / "copy.safetensors"
    for more in (
        ["--gear-make", "Acme"],
        ["--dtype", "f32", "--output-dbu", "4"],
        ["--nam-version", "0.5.4"],
    ):
        assert command("convert", path, target, *more)[0] == 2
        assert not target.exists()
    assert command("convert", path, target, "--dtype", "f32")[0] == 0
