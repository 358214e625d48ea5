"""A corpus of what people have: cut files, antiphase stereo, many endings, several sources."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from neurdsp import MelSpectrogram
from neurdsp.audio import read_audio
from neurdsp.dsp.corpus import SUFFIXES, MelJob, find_audio, read_manifest, run
from neurdsp.dsp.extraction import extract
from neurdsp.errors import AudioFileError, ParameterError

PLAN = MelSpectrogram(sr=16_000, n_fft=512, hop_length=160, n_mels=40, log="ln")
ENDINGS = {
    "WAV": [".wav", ".wave", ".bwf"],
    "RF64": [".rf64"],
    "W64": [".w64"],
    "FLAC": [".flac"],
    "OGG": [".ogg", ".oga", ".opus"],
    "MP3": [".mp3", ".mpga"],
    "AIFF": [".aif", ".aiff", ".aifc"],
    "CAF": [".caf"],
    "AU": [".au", ".snd"],
    "NIST": [".sph", ".nist"],
    "VOC": [".voc"],
    "SVX": [".svx", ".8svx", ".iff"],
    "AVR": [".avr"],
    "IRCAM": [".ircam", ".sf"],
    "PAF": [".paf"],
    "PVF": [".pvf"],
    "XI": [".xi"],
}


def noise(n_samples=16_000, n_channels=1):
    samples = 0.1 * np.random.default_rng(0).standard_normal((n_samples, n_channels))
    return samples.astype(np.float32)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "corpus").mkdir()
    return tmp_path / "corpus"


def test_every_ending_is_found_and_read_and_the_others_are_counted(root, tmp_path):
    for kind, endings in ENDINGS.items():
        for ending in endings:
            with open(root / f"{kind}-{ending[1:].upper()}{ending.upper()}", "wb") as file:
                soundfile.write(file, noise(), 44_100 if kind == "XI" else 16_000, format=kind)
    for name in ("a.txt", "b.txt", "c.m4a", "LICENSE"):
        (root / name).write_text("no audio")
    assert {ending for endings in ENDINGS.values() for ending in endings} <= set(SUFFIXES)
    summary = run(MelJob(source=root, output=tmp_path / "out", plan=PLAN))
    assert (summary.done, summary.failed) == (sum(map(len, ENDINGS.values())), 0)
    assert summary.skipped in ("2 .txt, 1 .m4a, 1 without an ending", "2 .txt, 1 without an ending, 1 .m4a")
    for path in (root / "a.wav", *root.iterdir()):
        if path.suffix.lower() in SUFFIXES:
            path.unlink(missing_ok=True)
    with pytest.raises(AudioFileError, match=r"none of its files \(2 \.txt, .*\) ends in \.wav"):
        find_audio(root)


def test_a_cut_file_has_a_result_and_a_warning_that_stays(root, tmp_path):
    soundfile.write(root / "whole.wav", noise(), 16_000)
    soundfile.write(root / "cut.wav", noise(), 16_000)
    soundfile.write(root / "cut.ogg", noise(80_000), 16_000)
    os.truncate(root / "cut.wav", 20_044)
    os.truncate(root / "cut.ogg", (root / "cut.ogg").stat().st_size // 2)
    job = MelJob(source=root, output=tmp_path / "out", plan=PLAN)
    summary = run(job)
    assert (summary.done, summary.failed, summary.warned) == (3, 0, 2)
    again = run(job)
    assert (again.kept, again.warned) == (3, 2)
    records = read_manifest(tmp_path / "out" / "manifest.jsonl")
    assert records["whole.wav"].warning is None
    assert records["cut.wav"].warning == (
        "its header promises 16,000 samples (1.00 s), but 10,000 samples (0.62 s) can be read"
    )
    assert "its end is missing" in records["cut.ogg"].warning
    assert records["cut.wav"].seconds == 10_000 / 16_000


def test_channels_that_cancel_are_told_and_one_can_be_taken(root, tmp_path):
    left = noise()
    soundfile.write(root / "anti.wav", np.concatenate([left, -left], axis=1), 16_000, subtype="FLOAT")
    soundfile.write(root / "wide.wav", noise(n_channels=2), 16_000, subtype="FLOAT")
    soundfile.write(root / "mono.wav", left, 16_000, subtype="FLOAT")
    soundfile.write(root / "silent.wav", 0 * left, 16_000)
    run(MelJob(source=root, output=tmp_path / "mean", plan=PLAN))
    records = read_manifest(tmp_path / "mean" / "manifest.jsonl")
    assert "cancel each other: their mean has -inf dB" in records["anti.wav"].warning
    assert "only zeros" in records["silent.wav"].warning
    assert records["wide.wav"].warning is records["mono.wav"].warning is None
    for channel, index in (("left", 0), ("right", 1), (0, 0), (1, 1)):
        out = tmp_path / str(channel)
        summary = run(MelJob(source=root, output=out, plan=PLAN, channel=channel))
        assert summary.failed == (2 if channel == 1 else 0)
        wide = read_audio(root / "wide.wav")[0][index]
        assert (np.load(out / "wide.npy") == PLAN(wide)).all()
        assert read_manifest(out / "manifest.jsonl")["anti.wav"].warning is None
        if channel != 1:  # a mono file is its left and its right
            assert (np.load(out / "mono.npy") == PLAN(left[:, 0])).all()
    assert "1 channel, but channel 1" in read_manifest(tmp_path / "1" / "manifest.jsonl")["mono.wav"].error
    run(MelJob(source=root, output=tmp_path / "each", plan=PLAN, channel="each"))
    each = np.load(tmp_path / "each" / "wide.npy")
    assert (each == PLAN(read_audio(root / "wide.wav")[0])).all()
    assert np.load(tmp_path / "each" / "mono.npy").shape == (1, *each.shape[1:])
    with pytest.raises(ParameterError, match=r"channel is 'middle', but it must be .*'each'"):
        MelJob(source=root, output=tmp_path / "x", plan=PLAN, channel="middle")


@pytest.mark.parametrize("held", [1 << 26, 1])
@pytest.mark.parametrize("kind", ["npy", "safetensors", "raw"])
def test_each_channel_of_a_long_file_is_that_of_the_channel_alone(tmp_path, monkeypatch, kind, held):
    monkeypatch.setattr("neurdsp.dsp.extraction.MAX_HELD_BYTES", held)
    soundfile.write(tmp_path / "a.wav", noise(400_000, 3), 22_050, subtype="FLOAT")
    plan = MelSpectrogram(sr=16_000, n_mels=20, log="ln", normalize="per_feature")
    extract(plan, tmp_path / "a.wav", tmp_path / "each", kind, channel="each")
    alone = []
    for channel in range(3):
        extract(plan, tmp_path / "a.wav", tmp_path / "one", "raw", channel=channel)
        alone.append(np.fromfile(tmp_path / "one", "<f4"))
    size = sum(one.nbytes for one in alone)
    data = (tmp_path / "each").read_bytes()
    assert data[-size:] == np.concatenate(alone).tobytes()
    if kind == "npy":
        assert np.load(tmp_path / "each").shape == (3, 20, alone[0].size // 20)


def test_half_precision_is_rounded_and_never_infinite(root, tmp_path):
    from safetensors.numpy import load_file

    soundfile.write(root / "a.wav", noise(), 16_000, subtype="FLOAT")
    wanted = PLAN(noise()[:, 0]).astype(np.float16)
    run(MelJob(source=root, output=tmp_path / "npy", plan=PLAN, dtype="float16"))
    found = np.load(tmp_path / "npy" / "a.npy")
    assert found.dtype == np.float16
    assert (found == wanted).all()
    run(MelJob(source=root, output=tmp_path / "st", plan=PLAN, dtype="float16", format="safetensors"))
    assert (load_file(tmp_path / "st" / "a.safetensors")["mel"] == wanted).all()
    soundfile.write(root / "loud.wav", 1000 * noise(), 16_000, subtype="FLOAT")
    linear = MelSpectrogram(sr=16_000, n_fft=512, norm=None)
    summary = run(MelJob(source=root, output=tmp_path / "x", plan=linear, dtype="float16"))
    assert (summary.done, summary.failed) == (1, 1)
    error = read_manifest(tmp_path / "x" / "manifest.jsonl")["loud.wav"].error
    assert "but float16 holds at most 65504" in error
    assert not (tmp_path / "x" / "loud.npy").exists()
    with pytest.raises(ParameterError, match="a raw file has no header and holds float32"):
        MelJob(source=root, output=tmp_path / "y", plan=PLAN, dtype="float16", format="raw")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders")
def test_a_pipe_in_a_folder_does_not_stop_the_corpus(root, tmp_path):
    soundfile.write(root / "a.wav", noise(), 16_000)
    os.mkfifo(root / "pipe.wav")
    summary = run(MelJob(source=root, output=tmp_path / "out", plan=PLAN))
    assert (summary.done, summary.failed) == (1, 1)
    record = read_manifest(tmp_path / "out" / "manifest.jsonl")["pipe.wav"]
    assert "it is not a regular file" in record.error


def test_several_sources_keep_their_folders_apart(root, tmp_path):
    for name in ("a/x.wav", "b/x.wav", "b/deep/y.wav"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / name, noise(), 16_000)
    sources = [root / "a" / "x.wav", root / "b", root / "b" / "x.wav"]
    summary = run(MelJob(source=sources, output=tmp_path / "out", plan=PLAN))
    assert summary.done == 3
    assert set(read_manifest(tmp_path / "out" / "manifest.jsonl")) == {"a/x.wav", "b/x.wav", "b/deep/y.wav"}
    assert run(MelJob(source=sources, output=tmp_path / "out", plan=PLAN)).kept == 3
    with pytest.raises(AudioFileError, match="gone"):
        MelJob(source=[root, root / "gone"], output=tmp_path / "out", plan=PLAN)
    with pytest.raises(ParameterError, match="source is empty"):
        MelJob(source=[], output=tmp_path / "out", plan=PLAN)


@pytest.mark.parametrize("n_samples", [5_000, 16_000, 600_000])
def test_files_are_cut_or_padded_as_signals_are(root, tmp_path, n_samples):
    soundfile.write(root / "a.wav", noise(n_samples, 2), 16_000, subtype="FLOAT")
    whisper = MelSpectrogram.preset("whisper", pad_or_trim=30)
    kaldi = MelSpectrogram.preset("kaldi", snip_edges=False)
    for name, plan in (("whisper", whisper), ("kaldi", kaldi)):
        run(MelJob(source=root, output=tmp_path / name, plan=plan))
        assert (np.load(tmp_path / name / "a.npy") == plan(read_audio(root / "a.wav", mono=True)[0])).all()
    assert np.load(tmp_path / "whisper" / "a.npy").shape == (80, 3000)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_no_text_pass_through_the_command(run, root, tmp_path):
    folder = Path(os.fsdecode(bytes(root) + b"/caf\xe9"))
    folder.mkdir()
    for name, kind in ((b"a\xff.flac", "FLAC"), (b"b\xff.mp3", "MP3")):
        with open(Path(os.fsdecode(bytes(folder) + b"/" + name)), "wb") as file:
            soundfile.write(file, noise(60_000), 16_000, format=kind)
    broken = Path(os.fsdecode(bytes(folder) + b"/c\xff.mp3"))
    broken.write_bytes(b"nonsense")
    cut = Path(os.fsdecode(bytes(folder) + b"/b\xff.mp3"))
    os.truncate(cut, cut.stat().st_size // 2)
    outcome = run("mel", folder, "-o", folder / "out")
    assert outcome.status == 1
    assert "2 files" in outcome.out
    assert r"c\udcff.mp3: cannot read" in outcome.err
    assert r"b\udcff.mp3: warning: its header promises" in outcome.err
    assert outcome.err.count("\n") == 2


def test_the_command_takes_files_and_all_parameters(run, root, tmp_path):
    soundfile.write(root / "a.wav", noise(n_channels=2), 16_000, subtype="FLOAT")
    soundfile.write(root / "b.wav", noise(), 16_000, subtype="FLOAT")
    outcome = run(
        *("mel", root / "a.wav", root / "b.wav", "-o", "out", "--sr", 16_000, "--power", 1, "--norm", "none"),
        *("--htk", "--channel", "right", "--dtype", "float16", "--log", "db", "--json"),
    )
    assert json.loads(outcome.out)["done"] == 2
    plan = MelSpectrogram(sr=16_000, power=1, norm=None, htk=True, log="db")
    wanted = plan(noise(n_channels=2)[:, 1].copy()).astype(np.float16)
    assert (np.load(tmp_path / "out" / "a.npy") == wanted).all()
    outcome = run("mel", root / "b.wav", "-o", "k", "--preset", "kaldi", "--no-snip-edges", "--norm", "2")
    assert np.load(tmp_path / "k" / "b.npy").shape == (80, 100)
    outcome = run("mel", root / "b.wav", "-o", "w", "--preset", "whisper", "--pad-or-trim", "30")
    assert np.load(tmp_path / "w" / "b.npy").shape == (80, 3000)
    (root / "notes.txt").write_text("no audio")
    assert "1 .txt: no audio by their names" in run("mel", root, "-o", "s").out
    for arguments, message in (
        (["--norm", "half"], "--norm is 'half', but it must be slaney, none or a number"),
        (["--dtype", "int8"], "dtype is 'int8', but it must be 'float32' or 'float16'"),
        (["--channel", "-1"], "channel is '-1', but it must be"),
        (["--preset", "whisper", "--sr", 8000], "preset 'whisper' is defined at 16000 Hz, but sr is 8000"),
    ):
        outcome = run("mel", root / "b.wav", "-o", "x", *arguments)
        assert outcome.status == 2
        assert message in outcome.err
        assert outcome.err.count("\n") == 1
