"""Sweeps: settings that cover all positions, a manifest that says what was done, captures that are kept."""

import json

import numpy as np
import pytest
import yaml
from neurdsp.amp.capture.lv2 import CaptureResult
from neurdsp.amp.capture.lv2_info import parse_lv2info
from neurdsp.amp.capture.manifest import Knob, Manifest, load_manifest
from neurdsp.amp.capture.settings import corner_settings, latin_hypercube
from neurdsp.amp.capture.sweep import parse_knob, sweep
from neurdsp.audio import read_audio, write_audio
from neurdsp.cli import app
from neurdsp.config import build
from neurdsp.errors import ConfigError, ParameterError
from typer.testing import CliRunner

PORT = """
\tPort {index}:
\t\tType:        http://lv2plug.in/ns/lv2core#{kind}Port
\t\t             http://lv2plug.in/ns/lv2core#{side}Port
\t\tSymbol:      {symbol}
\t\tName:        {name}
"""
RANGE = "\t\tMinimum:     {0}\n\t\tMaximum:     {1}\n\t\tDefault:     {2}\n"
INFO = (
    "urn:test#drive\n\n\tName:              Test Drive\n"
    + PORT.format(index=0, kind="Control", side="Input", symbol="g", name="Pre Gain")
    + RANGE.format(-20.0, 20.0, 0.0)
    + PORT.format(index=1, kind="Control", side="Input", symbol="t", name="Tone")
    + RANGE.format(0.0, 1.0, 0.25)
    + PORT.format(index=2, kind="Audio", side="Output", symbol="out", name="Out")
    + PORT.format(index=3, kind="Audio", side="Input", symbol="in", name="In")
)


@pytest.mark.parametrize(("n", "knobs"), [(2, 1), (5, 2), (9, 3)])
def test_every_knob_stands_at_every_step_once_from_end_to_end(n, knobs):
    settings = latin_hypercube(n, knobs, seed=3)
    for column in settings.T:
        np.testing.assert_allclose(np.sort(column), np.linspace(0, 1, n))
    np.testing.assert_array_equal(settings, latin_hypercube(n, knobs, seed=3))


def test_the_settings_keep_their_distance():
    settings = latin_hypercube(9, 2)
    squares = np.sum((settings[:, None] - settings[None]) ** 2, axis=2)
    nearest = np.sqrt(squares[np.triu_indices(9, 1)].min())
    # A diagonal, which is a Latin hypercube too, has 0.18.
    assert nearest > 0.27


def test_a_knob_is_read_with_its_range():
    device = parse_lv2info(INFO)
    assert parse_knob("Pre Gain", device) == (
        "pre_gain",
        Knob(control="g", minimum=-20, maximum=20, default=0.5),
    )
    name, knob = parse_knob("drive=g:-10:10", device)
    assert (name, knob.value(0.25), knob.default) == ("drive", -5.0, 0.5)
    for text, message in [
        ("drive=g:low:10", "NAME=CONTROL:LOW:HIGH"),
        ("drive=g:-30:10", "is -30, but it must be from -20 to 20"),
        ("x=nothing", "no control 'nothing'"),
        ("My Knob=g", "cannot name a knob"),
    ]:
        with pytest.raises(ParameterError, match=message):
            parse_knob(text, device)


def test_a_manifest_is_checked():
    good = {
        "input": "in.wav",
        "knobs": {"gain": {}},
        "captures": [
            {"output": "a.wav", "positions": {"gain": 0}},
            {"output": "b.wav", "positions": {"gain": 1}},
        ],
    }
    assert build(Manifest, good).captures[1].positions == {"gain": 1.0}
    for change, message in [
        ({"positions": {"gain": 1.5}}, "positions go from 0 to 1"),
        ({"positions": {"tone": 0.5}}, "give one for each"),
        ({"part": "test"}, "fewer than two captures are for training"),
    ]:
        captures = [good["captures"][0], {**good["captures"][1], **change}]
        with pytest.raises(ConfigError, match=message):
            build(Manifest, {**good, "captures": captures})


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Stand-ins for the programs: lv2apply copies its input and writes down its arguments."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (tmp_path / "info").write_text(INFO)
    for name, body in [
        ("lv2ls", '[ "$1" = -n ] && echo "Test Drive" || echo urn:test#drive'),
        ("lv2info", f'cat "{tmp_path}/info"'),
        ("lv2apply", f'echo "$@" >> "{tmp_path}/seen"; cp "$2" "$4"'),
    ]:
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    write_audio(tmp_path / "in.wav", 0.1 * np.sin(np.arange(4800) * 0.03), 48_000)
    return lambda: [line.split()[4:] for line in (tmp_path / "seen").read_text().splitlines()]


def test_a_sweep_captures_each_setting_once_and_goes_on_where_it_was(programs, tmp_path):
    knobs = {"gain": Knob(control="g", minimum=-10, maximum=10)}

    def run(n, **more):
        plan = {"n_train": n, "n_test": 1, "seed": 1} | more
        return sweep(tmp_path / "in.wav", tmp_path / "s", "Test Drive", knobs, **plan)

    path = run(3)
    manifest = load_manifest(path)
    assert [c.positions["gain"] for c in manifest.captures[:3]] == [0.0, 0.5, 1.0]
    assert [c.part for c in manifest.captures] == ["train", "train", "train", "test"]
    assert manifest.fixed == {"t": 0.25}
    values = [float(call[call.index("g") + 1]) for call in programs()]
    assert values[:3] == [-10.0, 0.0, 10.0]
    assert all(call[call.index("t") + 1] == "0.25" for call in programs())
    (tmp_path / "s" / "train_001.wav").unlink()
    run(3)
    assert len(programs()) == 4 + 1  # only the one that was missing
    before = load_manifest(path)
    with pytest.raises(ParameterError, match=r"2 files in .*, such as .* --overwrite to delete them"):
        run(2)
    assert load_manifest(path) == before
    run(2, overwrite=True)
    # Of the other plan only the setting in the middle is new; what is no longer wanted is gone.
    assert len(programs()) == 5 + 1
    assert [c.positions["gain"] for c in load_manifest(path).captures[:2]] == [0.0, 1.0]
    assert not (tmp_path / "s" / "train_002.wav").exists()
    write_audio(tmp_path / "in.wav", np.zeros(4800) + 0.1, 48_000)
    with pytest.raises(ParameterError, match="are of another device, input or plan"):
        run(2)
    run(2, overwrite=True)
    assert len(programs()) == 6 + 3  # another input: all


def test_a_sweep_takes_no_file_of_others_for_a_capture(programs, tmp_path):
    knobs, folder = {"gain": Knob(control="g", minimum=-10, maximum=10)}, tmp_path / "s"
    folder.mkdir()
    (folder / "train_001.wav").write_bytes(b"precious")
    with pytest.raises(ParameterError, match=r"1 files in .*, such as 'train_001\.wav'"):
        sweep(tmp_path / "in.wav", folder, "Test Drive", knobs, n_train=3)
    assert [path.name for path in folder.iterdir()] == ["train_001.wav"]
    assert (folder / "train_001.wav").read_bytes() == b"precious"
    sweep(tmp_path / "in.wav", folder, "Test Drive", knobs, n_train=3, overwrite=True)
    assert len(programs()) == 3
    (folder / "train_003.wav").write_bytes(b"precious")
    with pytest.raises(ParameterError, match=r"such as 'train_00"):
        sweep(tmp_path / "in.wav", folder, "Test Drive", knobs, n_train=4)
    assert (folder / "train_003.wav").read_bytes() == b"precious"


def test_a_sweep_never_deletes_or_plays_over_its_input(programs, tmp_path):
    knobs, folder = {"gain": Knob(control="g", minimum=-10, maximum=10)}, tmp_path / "s"
    sweep(tmp_path / "in.wav", folder, "Test Drive", knobs, n_train=3)
    source = folder / "train_001.wav"
    before = source.read_bytes()
    for overwrite in (False, True):
        with pytest.raises(FileExistsError, match=r"train_001\.wav': it is also an input"):
            sweep(source, folder, "Test Drive", knobs, n_train=2, overwrite=overwrite)
    assert source.read_bytes() == before


def test_the_corners_are_captured_once_each(programs, tmp_path):
    knobs = {"gain": Knob(control="g"), "tone": Knob(control="t")}
    path = sweep(tmp_path / "in.wav", tmp_path / "s", "Test Drive", knobs, n_train=3, corners=True)
    train = load_manifest(path).captures
    points = [tuple(c.positions.values()) for c in train]
    assert len(set(points)) == len(points) == len(programs())
    assert set(points) >= {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert {c.chosen for c in train} == {"Latin hypercube", "corner"}
    with pytest.raises(ParameterError, match="5 knobs have 32 corners"):
        corner_settings(5)


def test_a_player_takes_the_place_of_the_program(tmp_path):
    """A device that is a function needs no plugin, and gets its controls in their own unit."""
    write_audio(tmp_path / "in.wav", 0.1 * np.sin(np.arange(4800) * 0.03), 48_000)
    seen = []

    def player(source, output, controls):
        seen.append(dict(controls))
        write_audio(output, (read_audio(source)[0] * controls["g"]).astype(np.float32), 48_000)
        return CaptureResult("mine", dict(controls), 4800, 48_000, 0.0, 0.0)

    knobs = {"gain": Knob(control="g", minimum=1, maximum=5)}
    sweep(tmp_path / "in.wav", tmp_path / "s", "mine", knobs, n_train=3, fixed={"h": 2.0}, player=player)
    assert seen == [{"h": 2.0, "g": 1.0}, {"h": 2.0, "g": 3.0}, {"h": 2.0, "g": 5.0}]


def test_the_command_sweeps(programs, tmp_path):
    arguments = ["amp", "capture", "-i", str(tmp_path / "in.wav"), "-o", str(tmp_path / "s")]
    arguments += ["--device", "Test Drive", "--sweep", "3", "--knob", "gain=g:0:10", "--knob", "Tone"]
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    manifest = load_manifest(json.loads(done.stdout)["manifest"])
    assert list(manifest.knobs) == ["gain", "tone"]
    assert {(0, 0), (0, 1), (1, 0), (1, 1)} <= {tuple(c.positions.values()) for c in manifest.captures}
    done = CliRunner().invoke(app, [*arguments, "--no-corners", "--json", "--overwrite"])
    assert len(load_manifest(json.loads(done.stdout)["manifest"]).captures) == 3
    refused = CliRunner().invoke(app, [*arguments[:8], "--knob", "Tone"])
    assert refused.exit_code != 0


@pytest.mark.parametrize(
    ("words", "method"),
    [
        ("Latin hypercube", "latin_hypercube"),
        ("corner", "corner"),
        ("at random", "random"),
        ("disputed: variance 0.2 of the power, 0.01 elsewhere", "active"),
        ("by ear", "hand"),
        ("", "hand"),
    ],
)
def test_a_manifest_of_an_older_version_gets_its_methods_from_the_words(tmp_path, words, method):
    captures = [
        {"output": "a.wav", "positions": {"gain": 0.0}, "chosen": words},
        {"output": "b.wav", "positions": {"gain": 1.0}, "chosen": words, "method": "random"},
    ]
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml.safe_dump({"input": "in.wav", "knobs": {"gain": {}}, "captures": captures}))
    assert [setting.method for setting in load_manifest(path).captures] == [method, "random"]
