"""``neurdsp amp render`` and ``compare`` do what the library does, in bounded memory."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from neurdsp.amp import AmpModel
from neurdsp.metrics import esr, multi_resolution_stft_distance

AMP = "amp.safetensors"


def test_render_writes_what_the_model_plays(run, files):
    outcome = run("amp", "render", "dry.wav", "-m", AMP, "-o", "out.wav", "--json")
    assert outcome.status == 0, outcome
    dry, _ = soundfile.read(files / "dry.wav", dtype="float32")
    wet, rate = soundfile.read(files / "out.wav", dtype="float32")
    np.testing.assert_array_equal(wet, AmpModel.load(files / AMP).render(dry, 48_000))
    report = json.loads(outcome.out)
    assert report["n_samples"] == wet.size
    assert report["sample_rate"] == rate == 48_000
    assert report["peak_db"] == pytest.approx(20 * np.log10(np.abs(wet).max()), abs=1e-4)
    assert report["times_real_time"] > 0


def test_render_keeps_another_rate_and_length(run, files):
    outcome = run("amp", "render", "other_rate.wav", "-m", AMP, "-o", "out.flac")
    assert outcome.status == 0, outcome
    info = soundfile.info(files / "out.flac")
    assert (info.frames, info.samplerate, info.subtype) == (20_000, 44_100, "PCM_24")
    assert "20000" not in outcome.err
    assert "44100 Hz" in outcome.out


def test_render_plays_several_files_as_it_plays_each_and_passes_over_a_bad_one(run, files):
    (files / "broken.wav").write_bytes(b"no audio")
    outcome = run("amp", "render", "dry.wav", "broken.wav", "near.wav", "-m", AMP, "-o", "wet", "--json")
    assert outcome.status == 1
    assert "'broken.wav': not an audio file" in outcome.err
    report = json.loads(outcome.out)
    assert [Path(file["output"]).name for file in report["files"]] == ["dry.wav", "near.wav"]
    assert list(report["failed"]) == ["broken.wav"]
    assert sorted(path.name for path in (files / "wet").iterdir()) == ["dry.wav", "near.wav"]
    for name in ("dry.wav", "near.wav"):
        dry, _ = soundfile.read(files / name, dtype="float32")
        wet, _ = soundfile.read(files / "wet" / name, dtype="float32")
        np.testing.assert_array_equal(wet, AmpModel.load(files / AMP).render(dry, 48_000))
    table = run("amp", "render", "dry.wav", "near.wav", "-m", AMP, "-o", "wet2", "--workers", "2")
    assert table.status == 0
    assert "2 files in wet2" in table.out


@pytest.mark.parametrize(
    ("inputs", "output", "said"),
    [
        (("dry.wav", "sub/dry.wav"), "wet", "would both become"),
        (("dry.wav", "near.wav"), ".", "'dry.wav' would be overwritten"),
    ],
)
def test_render_refuses_results_that_would_overwrite(run, files, inputs, output, said):
    outcome = run("amp", "render", *inputs, "-m", AMP, "-o", output)
    assert outcome.status == 2
    assert said in outcome.err


def test_compare_prints_the_metrics(run, files):
    outcome = run("amp", "compare", "dry.wav", "near.wav", "--json")
    assert outcome.status == 0, outcome
    a, _ = soundfile.read(files / "dry.wav", dtype="float32")
    b, _ = soundfile.read(files / "near.wav", dtype="float32")
    report = json.loads(outcome.out)
    assert report["esr"] == pytest.approx(esr(a, b), rel=1e-9)
    assert report["stft_distance"] == pytest.approx(multi_resolution_stft_distance(a, b), rel=1e-9)
    assert report["predicted_dc"] - report["target_dc"] == pytest.approx(0.001, rel=1e-3)
    text = run("amp", "compare", "dry.wav", "near.wav").out
    assert f"{report['null_depth_db']:.1f} dB" in text
    assert "+0 samples" in text


def test_the_plot_is_a_picture(run, files):
    outcome = run("amp", "compare", "dry.wav", "near.wav", "-p", "plot.png")
    assert outcome.status == 0, outcome
    data = (files / "plot.png").read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(data[16:20], "big") == 1_100
    assert len(data) > 20_000


def test_the_plot_takes_one_sample_and_strange_names(run, files):
    soundfile.write(files / "$a$_{.wav", np.full(1, 0.25, np.float32), 48_000, subtype="FLOAT")
    assert run("amp", "compare", "$a$_{.wav", "$a$_{.wav", "-p", "plot.png").status == 0


@pytest.mark.slow
@pytest.mark.parametrize(("command", "minutes"), [("render", 10), ("compare", 2)])
def test_a_long_file_takes_no_more_memory_than_a_short_one(files, command, minutes, make_amp):
    """Ten minutes are 110 MiB as float32, two are 22 a file: peak memory may grow by a fraction of that."""
    make_amp(channels=2, num_layers=1).write(files / "tiny.safetensors")
    rng = np.random.default_rng(8)
    block = (0.2 * rng.standard_normal(480_000)).clip(-1, 1).astype(np.float32)
    for name, n_blocks in (("short", 3), ("long", 6 * minutes)):
        with soundfile.SoundFile(files / f"{name}.wav", "w", 48_000, 1, "FLOAT") as file:
            for _ in range(n_blocks):
                file.write(block)
    script = (
        "import sys, resource\n"
        "from neurdsp.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as done:\n    assert not done.code, done.code\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peak_kib = {}
    for name in ("short", "long"):
        arguments = {
            "render": ["render", f"{name}.wav", "-m", "tiny.safetensors", "-o", f"{name}_out.wav"],
            "compare": ["compare", f"{name}.wav", f"{name}.wav"],
        }[command]
        done = subprocess.run(
            [sys.executable, "-c", script, "amp", *arguments],
            cwd=files,
            capture_output=True,
            text=True,
            check=True,
        )
        peak_kib[name] = int(done.stdout.split()[-1])
    assert peak_kib["long"] - peak_kib["short"] < 10 * 1024, peak_kib
    if command == "render":
        assert soundfile.info(Path(files) / "long_out.wav").frames == 6 * minutes * 480_000
