"""``neurdsp drumsep separate``: files and folders, whatever their names, and what is bad among them."""

import json
import shutil

import numpy as np
import pytest
import soundfile
from neurdsp.audio import read_audio
from neurdsp.drumsep import DrumSeparator
from neurdsp.drumsep.batch import SeparationJob
from neurdsp.drumsep.batch import run as run_batch
from neurdsp.dsp.cluster import RayPool
from neurdsp.dsp.executors import LocalPool
from neurdsp.dsp.manifest import read_manifest

STEMS = ("kick", "snare", "toms", "hihat", "cymbals")


def recording(seed, n_samples=3_000, channels=2, level=0.3):
    return (level * np.random.default_rng(seed).standard_normal((n_samples, channels))).astype(np.float32)


@pytest.fixture
def place(tmp_path, tiny_file):
    shutil.copy(tiny_file, tmp_path / "tiny.safetensors")
    return tmp_path


def contents(folder):
    """Return the bytes of each file."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def separate(run, *arguments):
    return run(
        "drumsep",
        "separate",
        *arguments,
        "-m",
        "tiny.safetensors",
        "--tier",
        "fast",
        "--threads",
        "1",
        "--json",
    )


def test_a_file_gives_the_stems_of_the_library_at_its_rate(run, place):
    soundfile.write(place / "loop.wav", recording(1), 48_000, subtype="FLOAT")
    done = separate(run, "loop.wav", "-o", "stems", "--residual")
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert (told["done"], told["failed"]) == (1, 0)
    audio, rate = read_audio(place / "loop.wav")
    wanted = DrumSeparator.load(place / "tiny.safetensors").separate(audio, rate, tier="fast", residual=True)
    for name in (*STEMS, "residual"):
        found, found_rate = read_audio(place / "stems" / "loop" / f"{name}.wav")
        assert found_rate == 48_000
        assert np.array_equal(found, wanted[name])
    assert [path.rsplit("/", 1)[1] for path in told["files"][0]["outputs"]] == [
        *(f"{name}.wav" for name in STEMS),
        "residual.wav",
    ]


@pytest.mark.slow
def test_workers_of_a_ray_cluster_give_the_same_stems(place):
    (place / "in").mkdir()
    for seed, name in enumerate(["a.wav", "b.wav"]):
        soundfile.write(place / "in" / name, recording(seed, 1_200), 44_100)
    (place / "in" / "bad.wav").write_text("no audio")
    summaries = []
    for output, executor in (("here", LocalPool(2)), ("there", RayPool(workers=2))):
        job = SeparationJob(
            source=place / "in",
            output=place / output,
            model=place / "tiny.safetensors",
            settings={"tier": "fast", "threads": 1},
        )
        summaries.append(run_batch(job, executor=executor))
    assert [(summary.done, summary.failed) for summary in summaries] == [(2, 1), (2, 1)]
    here, there = contents(place / "here"), contents(place / "there")
    assert len(here) == 11
    assert {name: data for name, data in here.items() if name != "manifest.jsonl"} == {
        name: data for name, data in there.items() if name != "manifest.jsonl"
    }


def test_names_never_collide_and_every_name_works(run, place):
    folder = place / "in"
    (folder / "sub").mkdir(parents=True)
    names = [
        "a.wav",
        "a.flac",
        "F.O.O..wav",
        "100%.wav",
        "x|y.wav",
        "Барабаны.wav",
        "sub/a.wav",
        "B.wav",
        "b.flac",
    ]
    for seed, name in enumerate(names):
        soundfile.write(folder / name, recording(seed, 1_200, 1), 44_100)
    done = separate(run, "in", "-o", "out", "--stems", "kick,snare")
    assert done.status == 0, done.err
    manifest = read_manifest(place / "out" / "manifest.jsonl")
    outputs = {name: record.output for name, record in manifest.items()}
    assert outputs == {
        "a.wav": "a.wav",
        "a.flac": "a.flac",
        "B.wav": "B.wav",  # some systems know no case
        "b.flac": "b.flac",
        "F.O.O..wav": "F.O.O..wav",
        "100%.wav": "100%",
        "x|y.wav": "x|y",
        "Барабаны.wav": "Барабаны",
        "sub/a.wav": "sub/a",
    }
    written = [name for name in contents(place / "out") if name.endswith(".wav")]
    assert sorted(written) == sorted(
        f"{output}/{stem}.wav" for output in outputs.values() for stem in ("kick", "snare")
    )
    separator = DrumSeparator.load(place / "tiny.safetensors")
    for name, output in outputs.items():
        audio, rate = read_audio(folder / name)
        wanted = separator.separate(audio, rate, tier="fast")["snare"]
        assert np.array_equal(read_audio(place / "out" / output / "snare.wav")[0], wanted)


def test_bad_files_are_recorded_and_passed_over(run, place):
    folder = place / "in"
    folder.mkdir()
    soundfile.write(folder / "good.wav", recording(1, 1_200), 44_100)
    soundfile.write(folder / "six.wav", recording(2, 1_200, 6), 44_100)
    soundfile.write(folder / "empty.wav", recording(3, 0), 44_100)
    (folder / "text.wav").write_text("no audio")
    bad = recording(4, 90_000)
    bad[80_000, 1] = np.nan
    soundfile.write(folder / "nan.wav", bad, 44_100, subtype="FLOAT")
    done = separate(run, "in", "-o", "out")
    assert done.status == 1
    told = json.loads(done.out)
    assert (told["done"], told["failed"]) == (1, 4)
    errors = {file["file"]: file["error"] for file in told["files"] if file["error"]}
    assert "has 6 channels, but one or two can be separated; mix it down" in errors["six.wav"]
    assert "is empty: it holds no samples" in errors["empty.wav"]
    assert "not an audio file in a known format" in errors["text.wav"]
    assert "sample 80000 of channel 1 is nan" in errors["nan.wav"]
    assert done.err.count("\n") == 4
    assert sorted(path.name for path in (place / "out").iterdir() if not path.name.startswith(".")) == [
        "good",
        "manifest.jsonl",
    ]
    assert not list((place / "out").rglob("*.tmp"))


def test_a_second_run_keeps_what_is_done_and_mends_what_is_not(run, place):
    folder = place / "in"
    folder.mkdir()
    for seed, name in enumerate(["a.wav", "b.wav", "c.wav"]):
        soundfile.write(folder / name, recording(seed, 1_200), 44_100)
    assert separate(run, "in", "-o", "in/stems").status == 0
    before = contents(folder / "stems")
    (folder / "stems" / "b" / "toms.wav").unlink()
    soundfile.write(folder / "c.wav", recording(9, 1_300), 44_100)
    done = separate(run, "in", "-o", "in/stems")
    told = json.loads(done.out)
    # Stems of the first run, which lie in the folder of the recordings, are no recordings.
    assert (told["done"], told["kept"], told["failed"]) == (2, 1, 0)
    after = contents(folder / "stems")
    assert {name for name in after if after[name] != before[name]} == {
        *(f"c/{stem}.wav" for stem in STEMS),
        "manifest.jsonl",
    }
    told = json.loads(separate(run, "in", "-o", "in/stems").out)
    assert (told["done"], told["kept"]) == (0, 3)
    # Other settings do them again.
    told = json.loads(separate(run, "in", "-o", "in/stems", "--stems", "kick").out)
    assert (told["done"], told["kept"], told["failed"]) == (3, 0, 0)


def test_stems_of_other_recordings_and_files_of_others_stay(run, place):
    for name, seed in (("one", 1), ("two", 2)):
        (place / name).mkdir()
        soundfile.write(place / name / "a.wav", recording(seed, 1_200), 44_100)
    assert separate(run, "one", "-o", "out").status == 0
    before = contents(place / "out")
    assert len(before) == 6
    done = separate(run, "two", "-o", "out")
    assert done.status == 1
    assert "'out/a/kick.wav': it is the result of" in done.err
    after = contents(place / "out")
    assert {name: data for name, data in after.items() if name.endswith(".wav")} == {
        name: data for name, data in before.items() if name.endswith(".wav")
    }
    (place / "mine" / "a").mkdir(parents=True)
    (place / "mine" / "a" / "toms.wav").write_bytes(b"precious")
    done = separate(run, "one", "-o", "mine")
    assert done.status == 2
    assert "'mine/a/toms.wav': it exists already, and was not made by neurdsp drumsep" in done.err
    assert (place / "mine" / "a" / "toms.wav").read_bytes() == b"precious"
    assert separate(run, "one", "-o", "mine", "--overwrite").status == 0


def test_a_recording_or_a_model_is_never_written_over(run, place):
    (place / "kick").mkdir()
    soundfile.write(place / "kick.wav", recording(1, 1_200), 44_100)
    (place / "kick" / "kick.wav").symlink_to("../kick.wav")
    before = (place / "kick.wav").read_bytes()
    for more in ([], ["--overwrite"]):
        done = separate(run, "kick.wav", "-o", ".", *more)
        assert done.status == 2, done
        assert "an input, which would be lost" in done.err
    (place / "kick" / "kick.wav").unlink()
    (place / "kick" / "kick.wav").symlink_to("../tiny.safetensors")
    model = (place / "tiny.safetensors").read_bytes()
    done = separate(run, "kick.wav", "-o", ".", "--overwrite")
    assert done.status == 1
    assert "it is also an input" in done.err
    assert (place / "kick.wav").read_bytes() == before
    assert (place / "tiny.safetensors").read_bytes() == model
    (place / "in").mkdir()
    done = separate(run, "in", "-o", "in")
    assert "the folder with the recordings" in done.err


@pytest.mark.parametrize(
    ("kind", "suffix", "subtype"),
    [
        ("float", "wav", "FLOAT"),
        ("wav24", "wav", "PCM_24"),
        ("wav16", "wav", "PCM_16"),
        ("flac", "flac", "PCM_24"),
    ],
)
def test_what_exceeds_full_scale_is_kept_in_floats_and_clipped_and_told_elsewhere(
    run, place, kind, suffix, subtype
):
    soundfile.write(place / "loud.wav", recording(1, 2_000, level=3.0), 44_100, subtype="FLOAT")
    done = separate(run, "loud.wav", "-o", "out", "--format", kind)
    assert done.status == 0, done.err
    stems = [place / "out" / "loud" / f"{name}.{suffix}" for name in STEMS]
    assert {soundfile.info(path).subtype for path in stems} == {subtype}
    peak = max(np.abs(read_audio(path)[0]).max() for path in stems)
    warning = json.loads(done.out)["files"][0]["warning"]
    if kind == "float":
        assert peak > 1.6
        assert warning is None
        return
    assert peak == pytest.approx(1, abs=1e-4)
    assert "samples beyond full scale were clipped (" in warning
    assert "take the format float, or a gain of -" in warning
    gain = warning.split("a gain of ")[1].split(" dB")[0]
    done = separate(run, "loud.wav", "-o", "quiet", "--format", kind, "--gain", gain)
    assert json.loads(done.out)["files"][0]["warning"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--stems", "bass"], "must name some of kick, snare, toms, hihat, cymbals"),
        (["--tier", "best"], "tier is 'best', but must be one of exact, balanced, fast, turbo and draft"),
        (["--overlap", "x"], "overlap is 'x', but must be a whole number of at least 1, or 'config'"),
        (["--overlap", "99999"], "choose fewer overlaps"),
        (["--format", "mp3"], "format is 'mp3', but must be one of float, wav24, wav16, flac"),
        (["--compat", "uvr"], "compat is 'uvr'"),
        (["--backend", "tpu"], "backend is 'tpu'"),
        (["--gain", "100"], "gain_db is 100.0, but must be from -60 to 60"),
        (["--address", "auto"], "give --cluster too"),
        (["--model", "absent"], "no such file, nor a shipped network"),
    ],
)
def test_a_mistake_is_one_line_before_anything_is_written(run, place, arguments, message):
    soundfile.write(place / "a.wav", recording(1, 1_200), 44_100)
    done = run("drumsep", "separate", "a.wav", "-o", "out", "-m", "tiny.safetensors", *arguments)
    assert (done.status, done.out) == (2, "")
    assert message in done.err
    assert done.err.count("\n") == 1
    assert not (place / "out").exists()
