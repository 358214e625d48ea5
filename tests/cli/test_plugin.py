"""``neurdsp plugin``: presets that hold what hosts need, and mistakes in one line."""

import base64
import hashlib
import json

import numpy as np
import pytest
import soundfile
from neurdsp.amp.lookup import find_model


def chunks(path):
    """The parts of a preset by name, found as a host finds them: from the list at its end."""
    data = path.read_bytes()
    assert data[:4] == b"VST3"
    assert len(bytes.fromhex(data[8:40].decode())) == 16
    offset = int.from_bytes(data[40:48], "little")
    assert data[offset : offset + 4] == b"List"
    parts = {}
    for index in range(int.from_bytes(data[offset + 4 : offset + 8], "little")):
        entry = data[offset + 8 + 20 * index :][:20]
        start, size = (int.from_bytes(entry[i : i + 8], "little") for i in (4, 12))
        parts[entry[:4]] = data[start : start + size]
    return parts


def content(resource):
    data = base64.b64decode(resource["content"])
    assert hashlib.sha256(data).hexdigest() == resource["hash"]
    return data


def test_a_preset_holds_the_model_the_cabinet_and_the_settings(run, tmp_path):
    response = np.exp(-np.arange(300) / 50).astype(np.float32)
    soundfile.write(tmp_path / "cabinet.flac", response, 44_100, subtype="PCM_24")
    options = ["--set", "bass=3", "--set", "gate=off", "--set", "oversampling=2x"]
    done = run("plugin", "preset", "-m", "ts9", "--ir", "cabinet.flac", *options, "-o", "lead.vstpreset")
    assert (done.status, done.out) == (0, "preset ... lead.vstpreset\n")

    state = json.loads(chunks(tmp_path / "lead.vstpreset")[b"Comp"])
    assert state["params"]["bass"] == {"f32": 3.0}
    assert state["params"]["gate"] == {"bool": False}
    assert state["params"]["oversampling"] == {"string": "2x"}
    session = json.loads(state["fields"]["session"])
    assert content(session["model"]) == find_model("ts9").read_bytes()
    # The plugin reads WAV only, so that is what it is given.
    (tmp_path / "kept.wav").write_bytes(content(session["cabinet"]))
    kept, rate = soundfile.read(tmp_path / "kept.wav")
    assert rate == 44_100
    np.testing.assert_allclose(kept, response, atol=2**-23)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--set", "bas=3"], "no parameter 'bas'; did you mean 'bass'?"),
        (["--set", "bass=30"], "bass is '30', but it must be -20 to 20"),
        (["--set", "bass=nan"], "bass is 'nan', but it must be -20 to 20"),
        (["--set", "gate=maybe"], "gate is 'maybe', but it must be true or false"),
        (["--set", "oversampling=3x"], "oversampling is '3x', but it must be one of 1x, 2x, 4x"),
        (["--set", "bass"], "--set is 'bass', but it must be PARAM=VALUE"),
        (["-m", "ts9", "--set", "quality=0.5"], "quality is 0.5, but 'ts9' has one size only"),
        (["-m", "missing"], "cannot load 'missing': no such file"),
        (["--ir", "missing.wav"], "'missing.wav': no such file"),
    ],
)
def test_a_mistake_costs_one_line_and_writes_nothing(run, tmp_path, options, said):
    done = run("plugin", "preset", *options, "-o", "x.vstpreset")
    assert done.status == 2
    assert said in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "x.vstpreset").exists()


def test_parameters_are_listed_with_what_is_allowed(run):
    out = run("plugin", "parameters").out
    assert "bass" in out
    assert "-20 to 20 (0.0)" in out
    assert "raw, normalised, calibrated (normalised)" in out
