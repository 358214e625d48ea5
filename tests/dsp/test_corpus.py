"""The job over a folder: everything found, nothing lost, done once, and mistakes on the record."""

import errno
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from neurdsp import MelSpectrogram
from neurdsp.audio import read_audio, resample
from neurdsp.dsp.corpus import MelJob, find_audio, read_manifest, run
from neurdsp.dsp.executors import LocalPool
from neurdsp.dsp.raw import read_raw, write_raw
from neurdsp.errors import AudioFileError, ParameterError

PLAN = MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=40, log="ln")


def tone(seconds, rate, channels=1):
    t = np.arange(int(seconds * rate)) / rate
    return np.stack([0.5 * np.sin(2 * np.pi * (220 + 110 * c) * t) for c in range(channels)], axis=1)


@pytest.fixture
def corpus(tmp_path):
    """Five good files of several kinds and two bad ones."""
    root = tmp_path / "corpus"
    (root / "deep" / "deeper").mkdir(parents=True)
    soundfile.write(root / "mono.wav", tone(0.5, 16000), 16000)
    soundfile.write(root / "stereo.flac", tone(0.7, 44100, 2), 44100)
    soundfile.write(root / "deep" / "a.ogg", tone(0.4, 22050), 22050)
    soundfile.write(root / "deep" / "deeper" / "a.mp3", tone(0.9, 32000), 32000)
    soundfile.write(root / "deep" / "deeper" / "a.WAV", tone(0.3, 16000), 16000, format="WAV")
    (root / "deep" / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEjunk")
    soundfile.write(root / "nan.wav", np.full(4000, np.nan), 16000, subtype="FLOAT")
    (root / "notes.txt").write_text("no audio")
    (root / ".hidden.wav").write_bytes(b"")
    return root


GOOD = {"mono.wav", "stereo.flac", "deep/a.ogg", "deep/deeper/a.mp3", "deep/deeper/a.WAV"}
BAD = {"deep/broken.wav", "nan.wav"}


def expected(path):
    audio, rate = read_audio(path)
    mono = audio if audio.ndim == 1 else audio.mean(axis=0, dtype=np.float32)
    return PLAN(mono if rate == 16000 else resample(mono, rate, 16000))


@pytest.mark.parametrize("workers", [1, 3])
def test_every_file_is_found_and_the_bad_ones_are_recorded(corpus, tmp_path, workers):
    job = MelJob(source=corpus, output=tmp_path / "out", plan=PLAN)
    summary = run(job, executor=LocalPool(workers))
    assert (summary.done, summary.kept, summary.failed) == (5, 0, 2)
    records = read_manifest(tmp_path / "out" / "manifest.jsonl")
    assert set(records) == GOOD | BAD
    for name in GOOD:
        record = records[name]
        mel = np.load(tmp_path / "out" / record.output)
        assert (mel == expected(corpus / name)).all()
        assert record.frames == mel.shape[1]
        assert record.error is None
        assert record.seconds == pytest.approx(
            len(read_audio(corpus / name)[0].T) / read_audio(corpus / name)[1]
        )
    assert "sample 0 is nan" in records["nan.wav"].error
    assert records["deep/broken.wav"].error
    assert records["deep/broken.wav"].output is None
    # Two files with one stem keep their endings.
    assert records["deep/deeper/a.mp3"].output == "deep/deeper/a.mp3.npy"
    assert records["deep/a.ogg"].output == "deep/a.npy"


def test_a_second_run_keeps_what_is_done(corpus, tmp_path):
    job = MelJob(source=corpus, output=tmp_path / "out", plan=PLAN)
    run(job)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.npy")}
    again = run(job)
    assert (again.done, again.kept, again.failed) == (0, 5, 2)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.npy")} == times
    assert len((tmp_path / "out" / "manifest.jsonl").read_text().splitlines()) == 7


def test_what_has_changed_is_done_again(corpus, tmp_path):
    job = MelJob(source=corpus, output=tmp_path / "out", plan=PLAN)
    run(job)
    soundfile.write(corpus / "mono.wav", tone(0.6, 16000), 16000)
    (tmp_path / "out" / "stereo.npy").unlink()
    (corpus / "deep" / "a.ogg").touch()
    summary = run(job)
    assert (summary.done, summary.kept) == (2, 3)
    assert (np.load(tmp_path / "out" / "mono.npy") == expected(corpus / "mono.wav")).all()
    other = MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=20)
    assert run(MelJob(source=corpus, output=tmp_path / "out", plan=other)).done == 5
    soundfile.write(corpus / "nan.wav", tone(0.6, 16000), 16000)
    assert run(MelJob(source=corpus, output=tmp_path / "out", plan=other)).failed == 1


def test_an_interrupted_run_goes_on(corpus, tmp_path):
    job = MelJob(source=corpus, output=tmp_path / "out", plan=PLAN)

    class StopError(Exception):
        pass

    done = []

    def interrupt(record):
        done.append(record)
        if len(done) == 3:
            raise StopError

    with pytest.raises(StopError):
        run(job, progress=interrupt)
    manifest = tmp_path / "out" / "manifest.jsonl"
    manifest.write_text(manifest.read_text() + '{"file": "mono.wav", "outp')
    n_good = sum(record.error is None for record in done)
    summary = run(job)
    assert summary.kept == n_good
    assert summary.done == 5 - n_good
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    assert {line["file"] for line in lines} == GOOD | BAD
    assert not list((tmp_path / "out").rglob("*.tmp"))


KILLED = """
import sys, time
from pathlib import Path
from neurdsp import MelSpectrogram
from neurdsp.dsp.corpus import MelJob, run
from neurdsp.dsp.executors import LocalPool
plan = MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=40, log="ln")
job = MelJob(source=Path(sys.argv[1]), output=Path(sys.argv[2]), plan=plan)
done = []
def progress(record):
    done.append(record)
    if len(done) == 9:
        print("nine", flush=True)
        time.sleep(600)
run(job, executor=LocalPool(2), progress=progress)
"""


def test_a_run_that_was_killed_goes_on_to_the_same_bytes(tmp_path):
    root, out = tmp_path / "corpus", tmp_path / "out"
    root.mkdir()
    rng = np.random.default_rng(0)
    for number in range(30):
        soundfile.write(root / f"{number:02}.flac", 0.1 * rng.standard_normal(20_000), 22050)
    (root / "bad.flac").write_bytes(b"fLaC")
    killed = subprocess.Popen([sys.executable, "-c", KILLED, root, out], stdout=subprocess.PIPE, text=True)
    assert killed.stdout.readline() == "nine\n"
    job = MelJob(source=root, output=out, plan=PLAN)
    with pytest.raises(ParameterError, match="another run is writing to"):
        run(job)
    killed.kill()
    killed.wait()
    killed.stdout.close()
    # What writers that are killed halfway leave, and a file of the user's.
    (out / ".07.npy.0a1b2c3d.tmp").write_bytes(b"half")
    (out / ".mine.npy.0a1b2c3d.tmp").write_bytes(b"not ours")
    with open(out / "manifest.jsonl", "a") as manifest:
        manifest.write('{"file": "29.flac", "output": "29.npy", "frames": 1')
    summary = run(job)
    assert summary.kept >= 8
    assert (summary.kept + summary.done, summary.failed) == (30, 1)
    run(MelJob(source=root, output=tmp_path / "straight", plan=PLAN))
    (tmp_path / "straight" / ".mine.npy.0a1b2c3d.tmp").write_bytes(b"not ours")
    assert contents(out) == contents(tmp_path / "straight")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_links_are_followed_once_and_dead_ones_recorded(corpus, tmp_path):
    (corpus / "deep" / "loop").symlink_to(corpus)
    (corpus / "gone.wav").symlink_to(tmp_path / "nowhere.wav")
    other = tmp_path / "elsewhere"
    other.mkdir()
    soundfile.write(other / "linked.wav", tone(0.3, 16000), 16000)
    (corpus / "linked").symlink_to(other)
    out = tmp_path / "out"
    for _ in range(2):
        assert run(MelJob(source=corpus, output=out, plan=PLAN)).failed == 3
    records = read_manifest(out / "manifest.jsonl")
    assert set(records) == GOOD | BAD | {"gone.wav", "linked/linked.wav"}
    assert "No such file" in records["gone.wav"].error


def test_a_manifest_of_nonsense_does_no_harm(corpus, tmp_path):
    job = MelJob(source=corpus, output=tmp_path / "out", plan=PLAN)
    run(job)
    manifest = tmp_path / "out" / "manifest.jsonl"
    good = manifest.read_text()
    lines = ["[1]", "7", "null", '{"file": []}', '{"file": {}}', '{"frames": 3}', "\0", "{" * 100_000, '"']
    manifest.write_text("\n".join(lines) + "\n" + good)
    assert run(job).kept == 5
    assert manifest.read_text() == good
    manifest.write_text('{"file": "mono.wav", "output": 3, "size": "x", "config": null}\n')
    assert run(job).kept == 0


def test_a_touched_file_is_read_once_more_and_no_more(corpus, tmp_path, monkeypatch):
    job = MelJob(source=corpus / "mono.wav", output=tmp_path / "out", plan=PLAN)
    run(job)
    os.utime(corpus / "mono.wav", (1, 1))
    assert run(job).kept == 1
    monkeypatch.setattr("neurdsp.dsp.batch.file_hash", lambda path: "another")
    assert run(job).kept == 1


def test_formats(corpus, tmp_path):
    from safetensors import safe_open

    source = corpus / "mono.wav"
    wanted = expected(source)
    run(MelJob(source=source, output=tmp_path / "st", plan=PLAN, format="safetensors"))
    with safe_open(tmp_path / "st" / "mono.safetensors", "numpy") as file:
        assert (file.get_tensor("mel") == wanted).all()
        assert json.loads(file.metadata()["neurdsp.mel"])["n_mels"] == 40
    run(MelJob(source=source, output=tmp_path / "raw", plan=PLAN, format="raw"))
    path = tmp_path / "raw" / "mono_mel.bin"
    assert path.read_bytes() == wanted.astype("<f4").tobytes()
    assert (read_raw(path, n_bins=40) == wanted).all()
    with pytest.raises(ParameterError, match="a frame of 704 bins has 2816"):
        read_raw(path)
    with pytest.raises(ParameterError, match="40 bins of 52 frames make 8320"):
        read_raw(path, n_bins=40, n_frames=52)
    with pytest.raises(ParameterError, match="format is 'wav'"):
        MelJob(source=source, output=tmp_path / "x", plan=PLAN, format="wav")
    with pytest.raises(ParameterError, match="shape"):
        write_raw(path, wanted[0])
    path.write_bytes(b"")
    with pytest.raises(ParameterError, match="0 bytes"):
        read_raw(path, n_bins=40)


def test_mistakes_that_stop_the_job(corpus, tmp_path):
    with pytest.raises(AudioFileError, match="no such file"):
        MelJob(source=tmp_path / "absent", output=tmp_path / "out", plan=PLAN)
    with pytest.raises(ParameterError, match="no folder"):
        MelJob(source=corpus, output=corpus / "mono.wav", plan=PLAN)
    (tmp_path / "empty").mkdir()
    with pytest.raises(AudioFileError, match="cannot find audio"):
        find_audio(tmp_path / "empty")


def test_a_result_that_cannot_be_written_is_recorded_and_the_others_are(corpus, tmp_path):
    out = tmp_path / "out"
    (out / "mono.npy").mkdir(parents=True)
    (out / "deep").write_text("a file where a folder should be")
    summary = run(MelJob(source=corpus, output=out, plan=PLAN))
    assert (summary.done, summary.failed) == (1, 6)
    records = read_manifest(out / "manifest.jsonl")
    assert "it is a folder" in records["mono.wav"].error
    assert "File exists" in records["deep/a.ogg"].error or "Not a directory" in records["deep/a.ogg"].error
    assert records["stereo.flac"].error is None


def test_a_full_disk_stops_the_job(corpus, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("neurdsp.dsp.results.extract", full)
    with pytest.raises(OSError, match="No space left"):
        run(MelJob(source=corpus, output=tmp_path / "out", plan=PLAN))


@pytest.mark.parametrize("kind", ["npy", "safetensors", "raw"])
def test_names_up_to_the_limit_of_the_file_system_have_results(tmp_path, kind):
    """255 bytes, which Cyrillic letters use up two by two, and one that the result's ending would exceed."""
    root, out = tmp_path / "corpus", tmp_path / "out"
    root.mkdir()
    names = ["a" * 251 + ".wav", "я" * 125 + ".wav", "鼓" * 83 + ".wav", "b.wav"]
    for name in names:
        soundfile.write(root / "x.wav", tone(0.1, 16000), 16000)
        (root / "x.wav").rename(root / name)
    job = MelJob(source=root, output=out, plan=PLAN, format=kind)
    assert run(job).done == len(names)
    records = read_manifest(out / "manifest.jsonl")
    outputs = {(out / records[name].output).read_bytes() for name in names}
    assert len(outputs) == 1
    assert run(job).kept == len(names)
    assert not list(out.glob(".*.tmp"))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_not_utf8_is_read(tmp_path):
    root, out = tmp_path / "corpus", tmp_path / "out"
    root.mkdir()
    soundfile.write(root / "x.flac", tone(0.1, 16000), 16000)
    (root / "x.flac").rename(os.fsdecode(bytes(root) + b"/caf\xe9.flac"))
    (root / "x.wav").write_bytes(b"")
    assert run(MelJob(source=root, output=out, plan=PLAN)).done == 1
    record = next(iter(read_manifest(out / "manifest.jsonl").values()))
    assert record.error is None
    assert np.load(out / record.output).shape[0] == 40
