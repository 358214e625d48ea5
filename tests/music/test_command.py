"""``neurdsp music`` from prepared data to judged files, and what it does to MIDI files."""

import io
import json
import tarfile

import numpy as np
import pytest
from neurdsp.cli import app
from neurdsp.errors import ModelFileError
from neurdsp.midi import NOTE, MidiFile, read_midi, write_midi
from neurdsp.music.infer import MusicPipeline
from typer.testing import CliRunner

NETWORKS = {"emotion": 497_664, "melody": 412_672, "harmony": 74_048, "dynamics": 13_456, "groove": 19_040}


def run(*words):
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def beat(n_bars=2, late=0):
    rows = [(120 * step + late, 42, 60 + 30 * (step % 2)) for step in range(16 * n_bars)]
    rows += [(480 * beat + late, 36 + 2 * (beat % 2), 100) for beat in range(4 * n_bars)]
    notes = np.zeros(len(rows), NOTE)
    for place, (tick, pitch, velocity) in enumerate(rows):
        notes[place] = (tick, tick + 60, pitch, velocity, 9, 0)
    return MidiFile.new().with_track(notes)


@pytest.fixture
def source(tmp_path):
    write_midi(tmp_path / "beat.mid", beat())
    return tmp_path / "beat.mid"


def test_shipped_networks_have_the_counts_of_the_seed_and_are_listed():
    listed = json.loads(run("music", "models", "--json"))
    names = [row["name"] for row in listed["models"]]
    assert {"groove", "dynamics"} <= set(names)
    assert sorted([*names, *listed["missing"]]) == sorted(NETWORKS)
    for row in listed["models"]:
        assert row["parameters"] == NETWORKS[row["name"]]
        assert row["bytes"] > row["parameters"]


def test_amount_zero_writes_the_bytes_that_were_read(source, tmp_path):
    # A chunk that no reader knows, and a length that is too long, stay as they are.
    data = source.read_bytes() + b"XFIH\x00\x00\x00\x02hi"
    source.write_bytes(data)
    for command in ("humanise", "dynamics"):
        target = tmp_path / f"{command}.mid"
        run("music", command, source, "-o", target, "--amount", 0)
        assert target.read_bytes() == data


def test_the_shipped_network_follows_a_reference_and_repeats_itself(source, tmp_path):
    write_midi(tmp_path / "mine.mid", beat(4, late=18))
    for name in ("one.mid", "other.mid"):
        words = ("-o", tmp_path / name, "--reference", tmp_path / "mine.mid", "--tightness", 1, "--json")
        told = json.loads(run("music", "humanise", source, *words))
    assert (tmp_path / "one.mid").read_bytes() == (tmp_path / "other.mid").read_bytes()
    moved = (
        read_midi(tmp_path / "one.mid").notes()["start_ticks"].mean() - beat().notes()["start_ticks"].mean()
    )
    assert 12 < moved < 24
    assert told["network"]
    assert told["hits"] == 40


def test_without_the_groove_network_the_reference_alone_tells_the_feel(source, tmp_path):
    from shutil import copy

    (tmp_path / "models").mkdir()
    copy(MusicPipeline.load().paths["dynamics"], tmp_path / "models")
    words = ("--models", tmp_path / "models", "--reference", source, "--json")
    told = json.loads(run("music", "humanise", source, "-o", tmp_path / "out.mid", *words))
    assert told["network"] is False
    with pytest.raises(ModelFileError, match="the network 'groove' is missing"):
        MusicPipeline.load(tmp_path / "models").network("groove")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelFileError, match="holds no music network"):
        MusicPipeline.load(tmp_path / "empty")


def test_a_report_shows_the_files(source, tmp_path):
    pytest.importorskip("matplotlib")
    run("music", "report", source, source, "-o", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "beat (2)" in page
    assert "data:image/png" in page


def groove_midi(path):
    """An archive as Groove MIDI is one, with a take of ten bars for each split."""
    table = "midi_filename,split,time_signature\n"
    with tarfile.open(path, "w") as archive:
        for split in ("train", "validation", "test"):
            table += f"{split}.mid,{split},4-4\n"
            data = beat(10, late=7).to_bytes()
            member = tarfile.TarInfo(f"groove/{split}.mid")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        member = tarfile.TarInfo("groove/info.csv")
        member.size = len(table)
        archive.addfile(member, io.BytesIO(table.encode()))


def test_data_become_a_network_that_is_judged_pruned_and_rounded(tmp_path):
    pytest.importorskip("torch")
    groove_midi(tmp_path / "groove.tar")
    data, model = tmp_path / "groove.safetensors", tmp_path / "model.safetensors"
    told = json.loads(
        run("music", "prepare", "groove", "--groove", tmp_path / "groove.tar", "-o", data, "--json")
    )
    assert told["facts"]["takes"] == {"train": 1, "validation": 1, "test": 1}
    small = ("--set", "training.batch_size=16", "--set", "training.validate_steps=10")
    run("music", "train", "groove", data, "--run-dir", tmp_path / "run", "--steps", 20, *small)
    all_of_it = ("music", "train", "all", tmp_path, "--run-dir", tmp_path / "runs", "--steps", 20, *small)
    trained = json.loads(run(*all_of_it, "--json").splitlines()[-1])
    assert [(result["network"], result["summary"]["steps"]) for result in trained] == [("groove", 20)]
    same = [(tmp_path / name / "result.json").read_text() for name in ("run", "runs/groove")]
    assert json.loads(same[0])["metrics"] == json.loads(same[1])["metrics"], "one run repeats another"
    run("music", "export", tmp_path / "run", data, "-o", model)
    judged = json.loads(run("music", "evaluate", model, data, "--json"))
    assert judged["metrics"]["timing_ms"] < judged["baselines"]["quantised"]["timing_ms"]
    words = ("--steps", 0, "--precision", "int8", "--json")
    pruned = json.loads(run("music", "prune", model, data, "-o", tmp_path / "half.safetensors", *words))
    before, after = pruned["steps"][0], pruned["steps"][-1]
    assert after["parameters"] == pytest.approx(before["parameters"] / 2, rel=0.06)
    assert (after["precision"], after["size_bytes"] < 0.5 * before["size_bytes"]) == ("int8", True)
    rounded = json.loads(
        run("music", "quantise", model, data, "-o", tmp_path / "int8.safetensors", "--steps", 0, "--json")
    )
    first, last = rounded["steps"][0]["metrics"], rounded["steps"][-1]["metrics"]
    assert last["timing_ms"] == pytest.approx(first["timing_ms"], abs=0.5)
