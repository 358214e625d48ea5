"""Kicks are gathered from nested folders as names and sizes say, each content once."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from neurdsp.errors import AudioFileError, ConfigError, ParameterError
from neurdsp.kick.data.aggregate import aggregate, read_metadata
from neurdsp.kick.data.names import is_loop, keywords_of, kits_of


def write_kick(path: Path, seed: int, n_samples: int = 4_000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).standard_normal(n_samples)
    soundfile.write(path, 0.2 * noise * np.exp(-np.arange(n_samples) / 800), 44_100)


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    packs = tmp_path / "packs"
    for seed, name in enumerate(
        ["One/Kicks/Deep Kick 01.wav", "One/Kicks/hard_KICK-2.WAV", "Two/Punchy.kick.wav", "Two/snare.wav"]
    ):
        write_kick(packs / name, seed)
    (packs / "Three").mkdir()
    (packs / "Three" / "copy_of_kick.wav").write_bytes((packs / "One/Kicks/Deep Kick 01.wav").read_bytes())
    write_kick(packs / "Two/kick loop.wav", 7)
    write_kick(packs / "Two/kick_128bpm.wav", 8)
    write_kick(packs / "Drum Loops/kick.wav", 9)
    write_kick(packs / "Two/kick tiny.wav", 10, n_samples=1_000)
    write_kick(packs / "Two/kick huge.wav", 11, n_samples=600_000)
    (packs / "Two" / "kick.txt").write_text("no audio")
    return packs


def test_names_are_split_as_the_recipe_says():
    assert keywords_of("EE_Kick-Low 1.b.deep.808.wav") == ("ee", "kick", "low", "deep")
    assert keywords_of("Kick kick.WAV") == ("kick",)
    assert is_loop("a/Kick_Loops/kick.wav")
    assert not is_loop("Loopy Records/kick.wav")
    # Each source has its own first level: where the sources themselves lie makes no kits.
    paths = ["/one/packs/A/k.wav", "/one/packs/B/k.wav", "/two/C/x/k.wav", "/two/D/k.wav"]
    assert kits_of(paths, ["/one/packs", "/two"]) == ["packs/A", "packs/B", "two/C", "two/D"]
    assert kits_of(["x/A/k1.wav", "x/B/C/k1.wav", "x/k 2.wav"]) == ["A", "B", "k"]


def test_what_the_filters_leave_is_copied_once_for_each_content(packs: Path, tmp_path: Path):
    done = aggregate([packs], tmp_path / "data")
    rows = read_metadata(tmp_path / "data")
    assert (done.n_samples, done.n_copied, done.n_duplicates) == (3, 3, 1)
    assert done.left_out == {"of another name": 1, "loops": 3, "too small": 1, "too large": 1}
    words = {row.filename.partition("_")[2]: row.keywords for row in rows}
    assert words == {
        # The words of both names of the same content, the first found by path.
        "Deep Kick 01.wav": ("deep", "kick", "copy", "of"),
        "hard_KICK-2.WAV": ("hard", "kick"),
        "Punchy.kick.wav": ("punchy", "kick"),
    }
    for row in rows:
        assert (tmp_path / "data" / "raw" / row.filename).read_bytes() == Path(row.original_path).read_bytes()
        assert len(row.filename.partition("_")[0]) == 6
    with (tmp_path / "data" / "metadata.csv").open(newline="") as stream:
        assert next(csv.reader(stream)) == ["filename", "original_path", "keywords"]


def test_a_second_run_copies_nothing_and_another_source_adds(packs: Path, tmp_path: Path):
    data = tmp_path / "data"
    aggregate([packs], data)
    table = (data / "metadata.csv").read_bytes()
    again = aggregate([packs], data)
    assert (again.n_copied, again.n_kept) == (0, 3)
    assert (data / "metadata.csv").read_bytes() == table
    write_kick(tmp_path / "more" / "my kick.wav", 20)
    assert aggregate([tmp_path / "more"], data).n_samples == 4
    # A copy that was lost is made again.
    (data / "raw" / read_metadata(data)[0].filename).unlink()
    assert aggregate([packs, tmp_path / "more"], data).n_copied == 1


def test_a_file_of_another_content_is_kept_unless_it_may_be_replaced(packs: Path, tmp_path: Path):
    data = tmp_path / "data"
    aggregate([packs], data)
    name = data / "raw" / read_metadata(data)[0].filename
    good = name.read_bytes()
    name.write_bytes(b"precious")
    with pytest.raises(FileExistsError, match="another content; give another folder, or --overwrite"):
        aggregate([packs], data)
    assert name.read_bytes() == b"precious"
    assert aggregate([packs], data, overwrite=True).n_copied == 1
    assert name.read_bytes() == good


def test_names_that_are_no_text_pass_through(tmp_path: Path):
    source = tmp_path / "packs"
    write_kick(source / "kick.wav", 1)
    os.rename(source / "kick.wav", os.fsencode(source) + b"/kick \xff deep.wav")
    aggregate([source], tmp_path / "data")
    (row,) = read_metadata(tmp_path / "data")
    assert row.keywords[0] == "kick"
    assert (tmp_path / "data" / "raw" / row.filename).is_file()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "its columns must be filename, original_path, keywords"),
        ("filename,original_path,keywords\n../../etc/passwd,x,y\n", "is damaged"),
        ("filename,original_path,keywords\nonly\n", "is damaged"),
    ],
)
def test_a_damaged_table_is_one_line(tmp_path: Path, content: str, message: str):
    (tmp_path / "metadata.csv").write_text(content)
    with pytest.raises(ConfigError, match=message) as caught:
        read_metadata(tmp_path)
    assert "\n" not in str(caught.value)


def test_nothing_to_gather_says_why(packs: Path, tmp_path: Path):
    with pytest.raises(AudioFileError, match=r"cannot find kicks in .*: .*of another name"):
        aggregate([packs], tmp_path / "data", words=["zzz"])
    with pytest.raises(AudioFileError, match="no such file or folder"):
        aggregate([tmp_path / "absent"], tmp_path / "data")
    with pytest.raises(ParameterError, match="sizes from 2 to 1 bytes"):
        aggregate([packs], tmp_path / "data", min_bytes=2, max_bytes=1)


def test_the_command_tells_what_it_left_out(run, packs: Path):
    done = run("kick", "aggregate", packs, "-o", "data", "--json")
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert (told["n_samples"], told["left_out"]["loops"]) == (3, 3)
    done = run("kick", "aggregate", packs, "-o", "data", "--word", "snare", "--word", "kick")
    assert done.status == 0
    assert "there already" in done.out
