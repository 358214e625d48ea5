"""``neurdsp mel`` on files and folders: what it writes, says and returns."""

import json

import numpy as np
import pytest
import soundfile
from neurdsp import MelSpectrogram


@pytest.fixture
def corpus(tmp_path):
    root = tmp_path / "corpus"
    root.mkdir()
    rng = np.random.default_rng(0)
    for name in ("a.wav", "b.flac"):
        soundfile.write(root / name, 0.1 * rng.standard_normal(16000), 16000)
    return root


def test_a_folder_with_a_preset(run, corpus, tmp_path):
    outcome = run("mel", "corpus", "-o", "out", "--preset", "whisper", "--workers", 2)
    assert outcome.status == 0
    assert "2 files" in outcome.out
    audio, _ = soundfile.read(corpus / "a.wav", dtype="float32")
    assert (np.load(tmp_path / "out" / "a.npy") == MelSpectrogram.preset("whisper")(audio)).all()
    assert len((tmp_path / "out" / "manifest.jsonl").read_text().splitlines()) == 2


def test_json_and_resume(run, corpus):
    arguments = [
        "mel",
        corpus,
        "-o",
        "out",
        "--sr",
        16000,
        "--n-fft",
        512,
        "--n-mels",
        20,
        "--log",
        "db",
        "--json",
    ]
    first = json.loads(run(*arguments).out)
    assert (first["done"], first["kept"], first["failed"], first["seconds"]) == (2, 0, 0, 2.0)
    second = json.loads(run(*arguments).out)
    assert (second["done"], second["kept"]) == (0, 2)


def test_raw(run, corpus, tmp_path):
    assert run("mel", corpus / "a.wav", "-o", "out", "--preset", "gpt_sovits", "--raw").status == 0
    size = (tmp_path / "out" / "a_mel.bin").stat().st_size
    assert size == 4 * 704 * (32000 // 640)


def test_a_bad_file_is_passed_over_and_gives_status_1(run, corpus):
    (corpus / "c.wav").write_bytes(b"nonsense")
    outcome = run("mel", "corpus", "-o", "out")
    assert outcome.status == 1
    assert "c.wav" in outcome.err
    assert "2 files" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent"], "absent"),
        (["corpus", "--preset", "wisper"], "did you mean 'whisper'"),
        (["corpus", "--n-mels", 0], "n_mels is 0"),
        (["corpus", "--fmax", 1e6], "fmax is 1000000"),
        (["corpus", "--log", "log2"], "log is 'log2'"),
        (["corpus", "--raw", "--safetensors"], "one of them"),
        (["corpus", "--workers", 0], "workers"),
    ],
)
def test_mistakes_cost_one_line_and_status_2(run, corpus, tmp_path, arguments, message):
    outcome = run("mel", *arguments, "-o", "out")
    assert outcome.status == 2
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_another_corpus_in_the_same_folder_needs_overwrite(run, corpus, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    rng = np.random.default_rng(1)
    for name in ("a.wav", "c.wav"):
        soundfile.write(other / name, 0.1 * rng.standard_normal(16000), 16000)
    assert run("mel", "corpus", "-o", "out").status == 0
    before = (tmp_path / "out" / "a.npy").read_bytes()
    outcome = run("mel", "other", "-o", "out")
    assert outcome.status == 1
    (line,) = (line for line in outcome.err.splitlines() if line.startswith("neurdsp:"))
    assert line == (
        f"neurdsp: a.wav: cannot write 'out/a.npy': it is the result of '{corpus}/a.wav'; give another "
        "output folder, or --overwrite to replace it"
    )
    assert (tmp_path / "out" / "a.npy").read_bytes() == before
    assert (tmp_path / "out" / "c.npy").is_file()
    assert run("mel", "other", "-o", "out", "--overwrite").status == 0
    assert (tmp_path / "out" / "a.npy").read_bytes() != before
