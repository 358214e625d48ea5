"""Prepared kicks: level and length, audio with its spectrogram, whole kits held out, resumable."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from neurdsp import log_mel
from neurdsp.errors import ConfigError
from neurdsp.kick.attributes import QUANTITIES, WORDS, measure, thresholds
from neurdsp.kick.data.aggregate import aggregate
from neurdsp.kick.data.prepare import PrepareConfig, prepare, prepared_audio, split_by_kit
from neurdsp.kick.data.shards import open_prepared
from neurdsp.kick.fit import onset
from neurdsp.kick.mel.vocabulary import words_of_kicks

RATE = 44_100


@pytest.fixture
def data(tmp_path: Path, write_kits) -> Path:
    write_kits(tmp_path / "kits")
    aggregate([tmp_path / "kits"], tmp_path / "data")
    return tmp_path / "data"


def test_a_kick_gets_its_length_peak_and_fade():
    config = PrepareConfig()
    made = prepared_audio(np.ones(200_000, np.float32), RATE, config)
    assert made.shape == (88_200,)
    assert abs(made.max() - 10 ** (-1 / 20)) < 1e-6
    fade = made[-8_820:] / made[0]
    assert np.abs(fade - np.linspace(1, 0, 8_820)).max() < 1e-6
    assert made[-1] == 0
    short = prepared_audio(np.ones(100, np.float32), RATE, config)
    assert np.all(short[100:] == 0)
    # At another rate a sine keeps its frequency: 100 Hz make 100 cycles in the first second.
    slow = np.sin(2 * np.pi * 100 * np.arange(48_000) / 48_000).astype(np.float32)
    made = prepared_audio(slow, 48_000, config)[:44_100]
    assert np.count_nonzero(np.diff(np.signbit(made[200:-200]))) == pytest.approx(198, abs=2)


def test_a_shard_holds_the_spectrogram_of_its_very_audio(data: Path):
    done = prepare(data)
    found = open_prepared(done.folder)
    assert done.n_kicks == {"train": 6, "validation": 3}
    assert len(found.items) == 9
    for item in found.items:
        audio, mel = found.audio(item), found.log_mel(item)
        assert (audio.shape, mel.shape) == ((88_200,), (128, 173))
        own = log_mel(audio, sr=RATE, n_fft=2048, hop_length=512, htk=True, norm=None, pad_mode="reflect")
        assert np.array_equal(mel, own)
        assert mel.min() == np.float32(np.log(np.float32(1e-5)))
        assert item.keywords == tuple(item.filename.partition("_")[2].rsplit(" ", 1)[0].split())


def test_the_spectrogram_is_that_of_the_recipe_by_another_program(kick):
    """torchaudio's, as the original recipe has it."""
    torchaudio = pytest.importorskip("torchaudio")
    import torch

    audio = kick(60, 3, 88_200).astype(np.float32)
    transform = torchaudio.transforms.MelSpectrogram(RATE, n_fft=2048, hop_length=512, n_mels=128)
    theirs = torch.log(transform(torch.from_numpy(audio)).clamp(min=1e-5)).numpy()
    ours = log_mel(audio, **PrepareConfig().mel.parameters)
    assert np.abs(ours - theirs).max() < 2e-3


def test_a_kit_is_in_one_split_and_duplicates_are_left_out(data: Path, tmp_path: Path):
    # The same sound in another format, and twice as loud: it is equal once it is prepared.
    samples, rate = soundfile.read(tmp_path / "kits" / "Alpha" / "deep kick 0.wav")
    soundfile.write(tmp_path / "kits" / "Beta" / "again kick.wav", samples / 2, rate, subtype="FLOAT")
    aggregate([tmp_path / "kits"], data)
    done = prepare(data)
    assert done.n_duplicates == 1
    kits = {}
    for item in open_prepared(done.folder).items:
        assert kits.setdefault(item.kit, item.split) == item.split
    assert sorted(kits) == ["Alpha", "Beta", "Gamma"]
    assert sorted(kits.values()) == ["train", "train", "validation"]


def test_each_kick_has_what_it_measures_and_the_words_that_hold_by_the_training_split(data: Path):
    found = open_prepared(prepare(data).folder)
    names = [quantity.name for quantity in QUANTITIES]
    for item in found.items:
        again = measure(onset(found.audio(item), RATE))
        assert np.abs(np.subtract(item.quantities, again)).max() < 1e-4
    own = np.array([item.quantities for item in found.of("train")])
    strict = dict(zip([word.name for word in WORDS], thresholds(own, strictness=0.6), strict=True))
    assert found.thresholds["deep"] == pytest.approx(dict(zip(strict, thresholds(own), strict=True))["deep"])
    for item in found.items:
        pitch = item.quantities[names.index("pitch")]
        assert ("deep" in item.measured, "high" in item.measured) == (
            pitch < strict["deep"],
            pitch > strict["high"],
        )
    # What measures so is called so: the kicks of 50 Hz.
    assert {item.keywords[0] for item in found.items if "deep" in item.measured} == {"deep"}


def test_an_index_without_measures_is_read(prepared: Path, tmp_path: Path):
    folder = tmp_path / "prepared"
    shutil.copytree(prepared, folder)
    rows = [row[:8] for row in csv.reader((folder / "index.csv").open())]
    with (folder / "index.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    about = json.loads((folder / "prepared.json").read_text())
    del about["thresholds"]
    (folder / "prepared.json").write_text(json.dumps(about))
    found = open_prepared(folder)
    assert (found.thresholds, {item.quantities for item in found.items}) == ({}, {()})
    with pytest.raises(ConfigError, match="prepare the kicks again"):
        words_of_kicks(found, "measured")


def test_kits_are_held_out_by_size_and_keep_their_split_when_others_come():
    kits = [f"kit {number}" for number in range(40) for _ in range(number + 1)]
    splits = split_by_kit(kits, 0.1)
    held = sum(splits[kit] == "validation" for kit in kits)
    assert 0.05 * len(kits) < held < 0.15 * len(kits)
    assert set(split_by_kit(["a", "a", "a", "b"], 0.1).values()) == {"train", "validation"}
    assert set(split_by_kit(["a"], 0).values()) == {"train"}
    with pytest.raises(ConfigError, match="all 2 kicks are of one kit"):
        split_by_kit(["a", "a"], 0.1)


def test_a_second_run_reads_no_sample_and_a_changed_one_is_done_again(data: Path, kick):
    counts = []
    first = prepare(data, begin=counts.append)
    assert prepare(data, begin=counts.append) == first
    sample = sorted((data / "raw").iterdir())[0]
    soundfile.write(sample, kick(300, 99), RATE, format="WAV")
    changed = prepare(data, begin=counts.append)
    assert counts == [9, 0, 9]
    assert changed.fingerprint != first.fingerprint
    # Shards of before are gone.
    assert len([*changed.folder.glob("*.safetensors")]) == 1


def test_what_cannot_be_used_is_told_and_stops_nothing(data: Path):
    silent, text = sorted((data / "raw").iterdir())[:2]
    soundfile.write(silent, np.zeros(5_000), RATE, format="WAV")
    text.write_text("no audio")
    done = prepare(data)
    assert sum(done.n_kicks.values()) == 7
    assert "its first 2 s are silent" in done.failed[silent.name]
    assert "not an audio file" in done.failed[text.name]
    # They are still told when nothing is done again.
    assert prepare(data) == done


@pytest.mark.parametrize("damage", ["cut", "header", "shape", "index", "missing"])
def test_damaged_shards_are_one_line(prepared: Path, tmp_path: Path, damage: str):
    folder = tmp_path / "prepared"
    shutil.copytree(prepared, folder)
    (shard,) = folder.glob("*.safetensors")
    content = shard.read_bytes()
    if damage == "cut":
        shard.write_bytes(content[:-100])
    elif damage == "header":
        shard.write_bytes(b"\xff" * 8 + content[8:])
    elif damage == "shape":
        shard.write_bytes(content.replace(b'"I16"', b'"F16"'))
    elif damage == "index":
        table = (folder / "index.csv").read_text()
        (folder / "index.csv").write_text(table.replace(shard.name, "../../" + shard.name))
    else:
        (folder / "prepared.json").write_text(json.dumps({}))

    def read():
        found = open_prepared(folder)
        found.audio(found.items[-1])

    with pytest.raises(ConfigError) as caught:
        read()
    assert "\n" not in str(caught.value)
    assert "prepare" in str(caught.value)
