"""A user's mistake costs one clear line and exit status 2, and leaves nothing half-written."""

import re
import sys

import numpy as np
import pytest
import soundfile

AMP = "amp.safetensors"

MISTAKES = [
    # usage
    ("amp", "no such command", "amp rendr", "No such command 'rendr'"),
    ("amp", "missing argument", "amp render", "Missing argument 'INPUT'"),
    ("amp", "unknown option", f"amp render dry.wav -m {AMP} -o out.wav --loud", "No such option"),
    # amp render: input
    ("amp", "missing input", f"amp render missing.wav -m {AMP} -o out.wav", "'missing.wav': no such file"),
    ("amp", "folder as input", f"amp render folder.wav -m {AMP} -o out.wav", "'folder.wav': it is a folder"),
    ("amp", "unreadable input", f"amp render text.wav -m {AMP} -o out.wav", "'text.wav': not an audio file"),
    ("amp", "empty input", f"amp render empty.wav -m {AMP} -o out.wav", "'empty.wav' is empty"),
    (
        "amp",
        "too many channels",
        f"amp render many.wav -m {AMP} -o out.wav",
        "'many.wav' has 65 channels, but at most 64",
    ),
    (
        "amp",
        "NaN in input",
        f"amp render nan.wav -m {AMP} -o out.wav",
        "'nan.wav': audio: sample 12345 is nan",
    ),
    (
        "amp",
        "infinity in input",
        f"amp render inf.wav -m {AMP} -o out.wav",
        "'inf.wav': audio: sample 7 is inf",
    ),
    (
        "amp",
        "absurd sample rate",
        f"amp render slow.wav -m {AMP} -o out.wav",
        "50 Hz, too far from the model's 48000",
    ),
    # amp render: model
    (
        "amp",
        "missing model",
        "amp render dry.wav -m missing -o out.wav",
        "cannot load 'missing': no such file",
    ),
    ("amp", "truncated model", "amp render dry.wav -m cut.safetensors -o out.wav", "cut.safetensors"),
    ("amp", "foreign model", "amp render dry.wav -m foreign.safetensors -o out.wav", "foreign.safetensors"),
    ("amp", "model of a newer format", "amp render dry.wav -m newer.safetensors -o out.wav", r"9\.0"),
    ("amp", "audio as model", "amp render dry.wav -m dry.wav -o out.wav", "dry.wav"),
    # amp render: output
    (
        "amp",
        "absent folder",
        f"amp render dry.wav -m {AMP} -o nowhere/out.wav",
        "folder 'nowhere' does not exist",
    ),
    ("amp", "folder as output", f"amp render dry.wav -m {AMP} -o folder.wav", "'folder.wav': it is a folder"),
    (
        "amp",
        "unknown suffix",
        f"amp render dry.wav -m {AMP} -o out.xyz",
        r"unknown suffix '\.xyz'; use one of \.wav",
    ),
    (
        "amp",
        "unknown sample format",
        f"amp render dry.wav -m {AMP} -o out.wav --subtype PCM_17",
        "WAV PCM_17",
    ),
    # amp compare
    ("amp", "missing target", "amp compare missing.wav dry.wav -p p.png", "'missing.wav': no such file"),
    (
        "amp",
        "different rates",
        "amp compare dry.wav other_rate.wav -p p.png",
        "48000 Hz and 'other_rate.wav' has 44100 Hz",
    ),
    (
        "amp",
        "different lengths",
        "amp compare dry.wav short.wav -p p.png",
        "20000 samples and 'short.wav' has 19999",
    ),
    ("amp", "silent target", "amp compare silent.wav dry.wav -p p.png", "target is silent"),
    ("amp", "stereo prediction", "amp compare dry.wav stereo.wav -p p.png", "'stereo.wav' has 2 channels"),
    ("amp", "NaN in prediction", "amp compare dry.wav nan.wav -p p.png", "predicted: sample 12345 is nan"),
    ("amp", "empty files", "amp compare empty.wav empty.wav -p p.png", "empty"),
    (
        "amp",
        "plot into an absent folder",
        "amp compare dry.wav near.wav -p nowhere/p.png",
        "'nowhere' does not exist",
    ),
    # model
    ("model", "missing file", "model info missing.safetensors", "missing.safetensors"),
    ("model", "truncated file", "model info cut.safetensors", "cut.safetensors"),
    ("model", "foreign file", "model info foreign.safetensors", "foreign.safetensors"),
    ("model", "newer format", "model info newer.safetensors", r"9\.0"),
    ("model", "audio", "model info dry.wav", "dry.wav"),
    ("model", "convert into an absent folder", f"model convert {AMP} nowhere/amp.json", "nowhere"),
    # demo
    ("demo", "missing model", "demo -o demo -m missing", "cannot load 'missing': no such file"),
    ("demo", "a file where the folder should be", f"demo -o dry.wav -m {AMP}", "dry.wav"),
]


@pytest.mark.parametrize(
    ("arguments", "message"), [row[2:] for row in MISTAKES], ids=[f"{row[0]}: {row[1]}" for row in MISTAKES]
)
def test_a_mistake_costs_one_line_and_status_2(run, files, arguments, message):
    before = {path: path.stat().st_mtime_ns for path in files.rglob("*")}
    outcome = run(*arguments.split())
    assert outcome.status == 2, outcome
    assert outcome.out == ""
    assert re.fullmatch(r"neurdsp: [^\n]+\n", outcome.err), outcome.err
    assert re.search(message, outcome.err), outcome.err
    assert {path: path.stat().st_mtime_ns for path in files.rglob("*")} == before


def test_a_clip_shorter_than_the_receptive_field_is_no_mistake(run, files):
    soundfile.write(files / "tiny.wav", np.full(3, 0.25, np.float32), 48_000, subtype="FLOAT")
    outcome = run("amp", "render", "tiny.wav", "-m", AMP, "-o", "out.wav")
    assert outcome.status == 0, outcome
    assert soundfile.info(files / "out.wav").frames == 3


@pytest.mark.parametrize(
    "arguments", [f"amp render dry.wav -m {AMP} -o out.wav", "amp compare dry.wav near.wav -p plot.png"]
)
def test_a_full_disk_costs_one_line_and_leaves_nothing(run, files, files_end_at, arguments):
    before = sorted(files.iterdir())
    with files_end_at(30_000):
        outcome = run(*arguments.split())
    assert outcome.status == 2, outcome
    assert re.fullmatch(r"neurdsp: [^\n]*(disk is full|too large)[^\n]*\n", outcome.err), outcome.err
    assert sorted(files.iterdir()) == before


def test_without_matplotlib_the_extra_is_named(run, files, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    outcome = run("amp", "compare", "dry.wav", "near.wav", "-p", "plot.png")
    assert outcome.status == 2
    assert re.fullmatch(r"neurdsp: [^\n]*matplotlib[^\n]*pip install 'neurdsp\[plot\]'\n", outcome.err), (
        outcome.err
    )
    assert not (files / "plot.png").exists()
    assert run("amp", "compare", "dry.wav", "near.wav").status == 0


def test_debug_shows_the_trace(run, files, monkeypatch):
    monkeypatch.setenv("NEURDSP_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["neurdsp", "amp", "render", "missing.wav", "-m", AMP, "-o", "out.wav"])
    from neurdsp.cli import main
    from neurdsp.errors import AudioFileError

    with pytest.raises(AudioFileError, match="no such file"):
        main()
