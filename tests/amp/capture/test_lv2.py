"""Capturing a plugin: devices and knobs are read right, and a failure never passes for a capture."""

import json

import numpy as np
import pytest
from neurdsp.amp.capture.lv2 import capture
from neurdsp.amp.capture.lv2_info import Control, find_device, parse_lv2info, resolve_controls
from neurdsp.audio import read_audio, write_audio
from neurdsp.cli import app
from neurdsp.errors import AudioFileError, MissingDependencyError, ParameterError
from typer.testing import CliRunner

INFO = """urn:test#drive

\tName:              Test Drive
\tClass:             Plugin
\tHas latency:       no
\tRequired Features: http://lv2plug.in/ns/ext/urid#map
\t                   http://lv2plug.in/ns/ext/worker#schedule
\tPort 0:
\t\tType:        http://lv2plug.in/ns/lv2core#ControlPort
\t\t             http://lv2plug.in/ns/lv2core#InputPort
\t\tSymbol:      fslider0_
\t\tName:        Drive
\t\tMinimum:     -20.000000
\t\tMaximum:     4.000000
\t\tDefault:     -16.000000

\tPort 1:
\t\tType:        http://lv2plug.in/ns/lv2core#AudioPort
\t\t             http://lv2plug.in/ns/lv2core#OutputPort
\t\tSymbol:      out
\t\tName:        Out

\tPort 2:
\t\tType:        http://lv2plug.in/ns/lv2core#AudioPort
\t\t             http://lv2plug.in/ns/lv2core#InputPort
\t\tSymbol:      in
\t\tName:        In

\tPort 3:
\t\tType:        http://lv2plug.in/ns/lv2core#ControlPort
\t\t             http://lv2plug.in/ns/lv2core#InputPort
\t\tSymbol:      BYPASS
\t\tName:        Bypass
\t\tMinimum:     0.000000
\t\tMaximum:     1.000000
\t\tDefault:     1.000000
\t\tProperties:  http://lv2plug.in/ns/lv2core#toggled
"""


def test_the_report_of_lv2info_is_read():
    device = parse_lv2info(INFO)
    assert (device.uri, device.name) == ("urn:test#drive", "Test Drive")
    assert (device.audio_inputs, device.audio_outputs) == (1, 1)
    assert device.controls == (
        Control("fslider0_", "Drive", -20.0, 4.0, -16.0, toggled=False),
        Control("BYPASS", "Bypass", 0.0, 1.0, 1.0, toggled=True),
    )
    assert [feature.rsplit("/", 1)[-1] for feature in device.required_features] == [
        "urid#map",
        "worker#schedule",
    ]


def test_knobs_go_by_symbol_or_name_and_keep_their_defaults():
    device = parse_lv2info(INFO)
    assert resolve_controls(device, {"drive": -3.0}) == {"fslider0_": -3.0, "BYPASS": 1.0}
    with pytest.raises(ParameterError, match=r"is 5, but it must be from -20 to 4"):
        resolve_controls(device, {"fslider0_": 5.0})
    with pytest.raises(ParameterError, match=r"no control 'tone'; it has: fslider0_ \(Drive\), BYPASS"):
        resolve_controls(device, {"tone": 0.5})
    with pytest.raises(ParameterError, match="is nan, but it must be"):
        resolve_controls(device, {"Drive": float("nan")})


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Stand-ins for lv2ls and lv2info, and a function that installs one for lv2apply."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (tmp_path / "info").write_text(INFO)

    def install(name, body):
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)

    install("lv2ls", '[ "$1" = -n ] && echo "Test Drive" || echo urn:test#drive')
    install("lv2info", f'cat "{tmp_path}/info"')
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return lambda body: install("lv2apply", body)


@pytest.fixture
def paths(tmp_path):
    write_audio(tmp_path / "in.wav", 0.1 * np.sin(np.arange(4800) * 0.03), 48_000, subtype="PCM_16")
    (tmp_path / "out.wav").write_bytes(b"old")
    return tmp_path / "in.wav", tmp_path / "out.wav"


def test_a_capture_has_what_came_out_and_says_all_positions(programs, paths, tmp_path):
    programs(f'echo "$@" > "{tmp_path}/seen"; cp "$2" "$4"')
    result = capture(*paths, "test drive", {"Drive": -3.5})
    assert result.controls == {"fslider0_": -3.5, "BYPASS": 1.0}
    arguments = (tmp_path / "seen").read_text().split()[4:]
    assert arguments == ["-c", "fslider0_", "-3.5", "-c", "BYPASS", "1.0", "urn:test#drive"]
    np.testing.assert_array_equal(read_audio(paths[1])[0], read_audio(paths[0])[0])
    assert result.peak_db == pytest.approx(-20, abs=0.01)


def test_the_device_is_warm_when_the_recording_begins(programs, paths, tmp_path):
    programs(f'cp "$2" "{tmp_path}/played.wav"; cp "$2" "$4"')
    capture(*paths, "urn:test#drive")
    played, dry = read_audio(tmp_path / "played.wav")[0], read_audio(paths[0])[0]
    assert not played[:96_000].any()
    np.testing.assert_array_equal(played[96_000:], dry)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("echo 'no such plugin' >&2; exit 1", "status 1: no such plugin"),
        ("exit 0", "cannot run Test Drive"),
        ('head -c 9644 "$2" > "$4"', "samples instead of"),
        ("kill -9 $$", "urid#map, worker#schedule, which lv2apply may not offer"),
    ],
    ids=["error", "nothing", "half", "crash"],
)
def test_a_failing_run_leaves_what_was_there(programs, paths, body, message):
    programs(body)
    with pytest.raises((ParameterError, AudioFileError), match=message):
        capture(*paths, "urn:test#drive")
    assert paths[1].read_bytes() == b"old"
    assert sorted(p.name for p in paths[1].parent.iterdir()) == ["bin", "in.wav", "info", "out.wav"]


@pytest.mark.parametrize(("value", "message"), [(0.0, "is silent"), (np.nan, "NaN")])
def test_silence_and_nan_are_no_captures(programs, paths, tmp_path, value, message):
    import soundfile

    prepared = tmp_path / "prepared.wav"
    soundfile.write(prepared, np.full(100_800, value), 48_000, subtype="FLOAT")
    programs(f'cp "{prepared}" "$4"')
    with pytest.raises(AudioFileError, match=message):
        capture(*paths, "urn:test#drive")


def test_missing_programs_and_unknown_devices_are_named(programs, monkeypatch, tmp_path):
    with pytest.raises(ParameterError, match="no device 'Test Drove'; did you mean 'Test Drive'"):
        find_device("Test Drove")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependencyError, match="apt-get install lilv-utils"):
        find_device("anything")


def test_the_command_lists_devices_and_knobs(programs):
    listed = CliRunner().invoke(app, ["amp", "capture", "--list", "--json"])
    assert json.loads(listed.stdout) == [{"uri": "urn:test#drive", "name": "Test Drive"}]
    knobs = CliRunner().invoke(app, ["amp", "capture", "--list", "--device", "Test Drive"])
    assert "fslider0_" in knobs.stdout
    assert "-20" in knobs.stdout


def test_a_device_that_is_not_mono_is_refused(programs, paths, tmp_path):
    (tmp_path / "info").write_text(INFO.replace("Port 2", "Port 4", 1).replace("AudioPort", "Other", 1))
    with pytest.raises(ParameterError, match="only devices with one of each"):
        capture(*paths, "urn:test#drive")
