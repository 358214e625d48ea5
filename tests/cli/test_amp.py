"""``neurdsp amp render`` and ``compare`` do what the library does, in bounded memory."""

import ast
import json
import re
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


def test_render_plays_each_channel_and_keeps_them(run, files):
    dry, _ = soundfile.read(files / "dry.wav", dtype="float32")
    soundfile.write(files / "two.wav", np.stack([dry, -dry], axis=1), 44_100, subtype="FLOAT")
    amp = AmpModel.load(files / AMP)
    assert run("amp", "render", "two.wav", "-m", AMP, "-o", "out.wav").status == 0
    wet, rate = soundfile.read(files / "out.wav", dtype="float32")
    assert (wet.shape, rate) == ((20_000, 2), 44_100)
    np.testing.assert_array_equal(wet[:, 0], amp.render(dry, 44_100))
    np.testing.assert_array_equal(wet[:, 1], amp.render(-dry, 44_100))
    # In the chain, and several files at once.
    assert run("amp", "render", "two.wav", "-m", AMP, "-o", "chain.wav", "--bass", 6).status == 0
    chain, _ = soundfile.read(files / "chain.wav", dtype="float32")
    assert run("amp", "render", "two.wav", "dry.wav", "-m", AMP, "-o", "wet").status == 0
    np.testing.assert_array_equal(soundfile.read(files / "wet" / "two.wav", dtype="float32")[0], wet)
    from neurdsp.amp import AmpChain

    alone = AmpChain(amp, sample_rate=44_100, bass_db=6, dc_block_on=False)
    np.testing.assert_array_equal(chain[:, 1], alone.render(-dry))


@pytest.mark.parametrize("channels", [1, 2])
def test_the_tail_keeps_what_the_cabinet_still_plays(run, files, channels):
    dry, _ = soundfile.read(files / "dry.wav", dtype="float32")
    sound = dry if channels == 1 else np.stack([dry, dry], axis=1)
    soundfile.write(files / "in.wav", sound, 48_000, subtype="FLOAT")
    soundfile.write(files / "ir.wav", np.exp(-np.arange(24_000) / 8_000), 48_000, subtype="FLOAT")
    call = ["amp", "render", "in.wav", "-m", AMP, "--ir", "ir.wav"]
    assert run(*call, "-o", "cut.wav").status == 0
    done = run(*call, "-o", "whole.wav", "--tail", "0.5", "--json")
    assert done.status == 0, done
    cut, whole = (soundfile.read(files / f"{name}.wav", dtype="float32")[0] for name in ("cut", "whole"))
    assert len(whole) == json.loads(done.out)["n_samples"] == 20_000 + 24_000
    np.testing.assert_array_equal(whole[:20_000], cut)
    assert np.abs(whole[20_000:30_000]).max() > 0.01
    for wrong in ("-1", "nan", "601"):
        done = run(*call, "-o", "x.wav", "--tail", wrong)
        assert done.status == 2
        assert "must be 0 to 600 seconds" in done.err


def test_the_gate_of_the_command_is_that_of_the_chain(run, files):
    from neurdsp.amp import AmpChain

    dry, _ = soundfile.read(files / "dry.wav", dtype="float32")
    dry[9_000:] *= 1e-4
    soundfile.write(files / "in.wav", dry, 48_000, subtype="FLOAT")
    call = ["amp", "render", "in.wav", "-m", AMP, "-o"]
    gate = ["--gate", "-40", "--gate-hold", 20, "--gate-release", 30]
    gate += ["--gate-attack", 2, "--gate-hysteresis", 3]
    assert run(*call, "a.wav", *gate).status == 0
    assert run(*call, "b.wav", "--gate", "-40").status == 0
    settings = {"gate_hold_ms": 20, "gate_release_ms": 30, "gate_attack_ms": 2, "gate_hysteresis_db": 3}
    chain = AmpChain(files / AMP, gate_on=True, gate_threshold_db=-40, dc_block_on=False, **settings)
    a, b = (soundfile.read(files / name, dtype="float32")[0] for name in ("a.wav", "b.wav"))
    np.testing.assert_array_equal(a, chain.render(dry))
    assert np.abs(a - b).max() > 1e-6
    done = run(*call, "c.wav", "--gate-hold", 20)
    assert done.status == 2
    assert "--gate-hold is of the gate; switch it on with --gate DB" in done.err
    done = run(*call, "c.wav", "--gate", "-40", "--gate-release", 6_000)
    assert done.status == 2
    assert "gate_release_ms" in done.err


def test_both_spellings_of_normalised_are_one_mode(run, files):
    for spelling in ("normalised", "normalized"):
        call = ["amp", "render", "dry.wav", "-m", "ts9", "--output-mode", spelling]
        assert run(*call, "-o", f"{spelling}.wav").status == 0
        preset = ["plugin", "preset", "-m", "ts9", "--set", f"output_mode={spelling}"]
        assert run(*preset, "-o", f"{spelling}.vstpreset").status == 0
    one, other = (files / spelling for spelling in ("normalised", "normalized"))
    assert one.with_suffix(".vstpreset").read_bytes() == other.with_suffix(".vstpreset").read_bytes()
    # The header of a file of floats has a time in it.
    sounds = [soundfile.read(name.with_suffix(".wav"), dtype="float32")[0] for name in (one, other)]
    np.testing.assert_array_equal(*sounds)
    done = run("amp", "render", "dry.wav", "-m", "ts9", "-o", "x.wav", "--output-mode", "normal")
    assert "must be one of raw, normalised, calibrated" in done.err


@pytest.mark.parametrize(
    "call",
    ["amp render dry.wav -m AMP -o out.wav --size 0.5", "bench amp AMP --size 1 --seconds 0.05"],
)
@pytest.mark.parametrize("model", [AMP, "ts9"])
def test_a_size_for_a_model_of_one_size_is_an_error(run, files, call, model):
    done = run(*call.replace("AMP", model).split())
    assert done.status == 2
    assert "has one size only; leave the size (--size) out" in done.err
    assert not (files / "out.wav").exists()


@pytest.mark.parametrize("name", ["ts9", "TS9", "Ts9"])
def test_shipped_amps_are_found_by_name_in_any_case_by_every_command(run, files, name):
    for call in (
        ["model", "info", name],
        ["model", "verify", name],
        ["model", "convert", name, "out.nam", "--overwrite"],
        ["amp", "render", "dry.wav", "-m", name, "-o", "wet.wav", "--overwrite"],
        ["plugin", "preset", "-m", name, "-o", "x.vstpreset", "--overwrite"],
        ["bench", "amp", name, "--seconds", "0.02"],
    ):
        done = run(*call)
        assert done.status == 0, (call, done)
    assert AmpModel.load(files / "out.nam").receptive_field == AmpModel.load("ts9").receptive_field
    done = run("model", "verify", "ts99")
    assert done.status == 2
    assert "no such file, nor a shipped model" in done.err


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


@pytest.mark.parametrize(
    ("predicted", "said"),
    [
        (lambda dry: -0.5 * dry, ["inverted: turn over one of them", "+6.02 dB on the inverted prediction"]),
        (lambda dry: 0 * dry, ["silent", "none: the prediction is silent"]),
        (lambda dry: 0 * dry + 0.1, ["none: the prediction is one constant value"]),
        (lambda dry: dry[::-1], ["unknown: the prediction does not resemble the target"]),
        (lambda dry: dry, ["exact", "kept", "+0.00 dB on the prediction", "+0 samples"]),
    ],
)
def test_compare_says_what_is_wrong_in_words(run, files, predicted, said):
    dry, _ = soundfile.read(files / "dry.wav", dtype="float32")
    soundfile.write(files / "p.wav", predicted(dry).astype(np.float32), 48_000, subtype="FLOAT")
    outcome = run("amp", "compare", "dry.wav", "p.wav")
    assert outcome.status == 0, outcome
    assert "nan" not in outcome.out
    assert "inf " not in outcome.out
    for text in said:
        assert text in outcome.out


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


@pytest.fixture
def capture(files):
    """Twenty seconds of a soft clipper at 8 kHz, 20 samples late."""
    rng = np.random.default_rng(4)
    swell = np.repeat(rng.uniform(0.05, 1.0, 100), 1_600)
    dry = (0.3 * swell * rng.standard_normal(swell.size)).astype(np.float32)
    wet = np.concatenate([np.zeros(20, np.float32), 0.4 * np.tanh(4 * dry)])
    soundfile.write(files / "i.wav", dry, 8_000, subtype="FLOAT")
    soundfile.write(files / "o.wav", wet, 8_000, subtype="FLOAT")
    return files


def cut(folder, n_samples):
    for name in ("i.wav", "o.wav"):
        samples, rate = soundfile.read(folder / name, dtype="float32")
        soundfile.write(folder / name, samples[:n_samples], rate, subtype="FLOAT")


@pytest.mark.parametrize(
    ("n_samples", "settings", "said"),
    [
        (12_000, [], "this model \\(receptive field 6347 samples\\) needs 1"),
        (12_000, ["--preset", "heavy"], "receptive field 6347 samples"),
        (12_000, ["--preset", "seed-16x6"], ""),
        (2_000, ["--preset", "seed-16x6"], "receptive field 127 samples"),
        (160_000, ["--set", "data.validation_start_s=19.9"], "data.validation_start_s = 19.9"),
        (160_000, ["--set", "data.latency_samples=159_000"], "overlap for 1"),
        (160_000, [], ""),
    ],
)
def test_check_refuses_what_training_would_refuse(run, capture, n_samples, settings, said):
    cut(capture, n_samples)
    checked = run("amp", "check", "i.wav", "o.wav", *settings, "--json")
    assert checked.status == (1 if said else 0), checked
    report = json.loads(checked.out)
    assert report["ok"] is not bool(said)
    trained = run("amp", "train", "i.wav", "o.wav", "-o", "m.safetensors", "--steps", "1", *settings)
    assert trained.status == (2 if said else 0), trained
    if said:
        (message,) = [one["message"] for one in report["findings"] if one["severity"] == "error"]
        assert re.search(said, message)
        assert " ".join(message.split()) in trained.err


def options_of(*path):
    import typer
    from neurdsp.cli import app

    command = typer.main.get_command(app)
    for name in path:
        command = command.commands[name]
    return {name for option in command.params for name in option.opts}


def test_advice_about_recordings_names_only_options_that_every_reader_of_them_has():
    """What an examination says reaches the user through `check`, `evaluate` and the trainings."""
    from neurdsp.amp import capture

    advice = set()
    folder = Path(capture.__file__).parent
    modules = (
        "check",
        "diagnose",
        "align",
        "drift",
        "follow",
        "known",
        "levels",
        "linear",
        "locate",
        "report",
        "tail",
    )
    # Options of another command, and those that the words give to some only.
    others = r"'neurdsp amp signal .*|\('check' and 'evaluate' take .*"
    for module in modules:
        for node in ast.walk(ast.parse((folder / f"{module}.py").read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                advice |= set(re.findall(r"(?<!\w)--[a-z][a-z-]*", re.sub(others, "", node.value)))
    assert "--set" in advice
    for command in ("check", "evaluate", "train", "train-many", "train-knobs"):
        assert advice <= options_of("amp", command), command


def test_evaluate_takes_the_settings_that_its_errors_advise(run, capture):
    samples, rate = soundfile.read(capture / "o.wav", dtype="float32")
    soundfile.write(capture / "o.wav", np.delete(samples, slice(72_000, 72_128)), rate, subtype="FLOAT")
    call = ["amp", "evaluate", AMP, "--data", "i.wav", "o.wav", "--json"]
    refused = run(*call)
    assert refused.status == 2
    assert "--set data.drift=ignore" in refused.err
    done = run(*call, "--set", "data.drift=ignore", "--set", "data.latency_samples=20")
    assert done.status == 0, done
    assert json.loads(done.out)["n_samples"] > 150_000
    wrong = run(*call, "--set", "training.steps=3")
    assert wrong.status == 2
    assert "--set is 'training.steps=3', but only settings of the recordings matter here" in wrong.err
    wrong = run(*call, "--set", "data.drif=ignore")
    assert wrong.status == 2
    assert "did you mean 'drift'?" in wrong.err
