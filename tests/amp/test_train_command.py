"""``neurdsp amp train`` as a command: refusals in one line, JSON, signals, a full disk, several processes."""

import json
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from neurdsp.amp import AmpModel
from neurdsp.audio import write_audio

SETTINGS = [
    *("--preset", "8k"),
    *("--set", "model.channels=6", "--set", "model.num_layers=4"),
    *("--set", "data.crop_samples=1024", "--set", "training.learning_rate=0.01"),
    *("--set", "loss.spectral_n_fft=[256, 512]"),
]
MAIN = "from neurdsp.cli import main; main()"


def names_in(folder):
    return {entry.name for entry in folder.rglob("*")}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--preset", "seed-16x"], "did you mean 'seed-16x6'?"),
        (["--set", "training.learning_rat=1"], "did you mean 'learning_rate'?"),
        (["--set", "training"], "write it as key=value"),
        (["--minutes", "1", "--steps", "3"], "either as --minutes or as --steps"),
        (["--minutes", "0"], "'training.minutes' = 0"),
        (["--preset", "8k", "--config", "x.yaml"], "not both"),
        (["--resume"], "no run to resume"),
    ],
)
def test_the_command_refuses_in_one_line_with_status_2(run, recordings, tmp_path, arguments, expected):
    before = names_in(tmp_path)
    done = run("amp", "train", *recordings, "-o", "m.safetensors", *arguments)
    assert done.status == 2
    assert expected in done.err
    assert done.err.count("\n") == 1
    assert names_in(tmp_path) == before


def test_the_command_trains_and_prints_json(run, recordings, tmp_path):
    done = run("amp", "train", *recordings, "-o", "m.safetensors", "--steps", 5, *SETTINGS, "--json")
    assert done.status == 0, done.err
    result = json.loads(done.out)
    assert result["summary"]["steps"] == 5
    assert 0 < result["esr"] < 2
    assert (tmp_path / "runs" / "m" / "config.yaml").is_file()


def test_what_is_said_of_the_device_is_in_the_model_in_every_format(run, recordings, tmp_path):
    facts = ["--name", "Lead", "--modeled-by", "A N Other", "--gear-make", "Acme", "--gear-model", "5150"]
    facts += ["--gear-type", "amp_cab", "--input-dbu", "12.2", "--set", "about.output_level_dbu=-8"]
    done = run("amp", "train", *recordings, "-o", "m.safetensors", "--steps", 5, *SETTINGS, *facts, "--json")
    assert done.status == 0, done.err
    wanted = {"name": "Lead", "modeled_by": "A N Other", "gear_make": "Acme", "gear_model": "5150"}
    wanted |= {"gear_type": "amp_cab", "input_level_dbu": 12.2, "output_level_dbu": -8.0}
    told = [AmpModel.load(path).capture for path in (tmp_path / "m.safetensors", tmp_path / "runs/m/m.nam")]
    for said in told:
        assert said.items() >= wanted.items()
        assert said["training"]["validation_esr"] == pytest.approx(json.loads(done.out)["esr"])
        assert {"loudness", "gain", "date"} <= said.keys()
    assert told[0] == told[1]
    # What is said of the device may change when a run is resumed.
    again = run("amp", "train", *recordings, "-o", "m.safetensors", "--steps", 6, *SETTINGS, "--resume")
    assert again.status == 0, again.err


@pytest.mark.parametrize("shift", [-500, 20_000])
def test_a_misplaced_capture_is_refused_before_anything_is_written(run, recordings, tmp_path, wet, shift):
    write_audio(
        tmp_path / "out.wav", np.concatenate([np.zeros(max(shift, 0), "f4"), wet[max(-shift, 0) :]]), 8000
    )
    before = names_in(tmp_path)
    done = run("amp", "train", *recordings, "-o", "m.safetensors", "--steps", 5, *SETTINGS)
    assert done.status == 2
    assert f"data.latency_samples={shift}" in done.err
    assert names_in(tmp_path) == before


@pytest.mark.slow
def test_terminated_from_outside_it_leaves_a_model(recordings, tmp_path):
    arguments = ["amp", "train", *map(str, recordings), "-o", "m.safetensors", *SETTINGS]
    arguments += ["--steps", "1000000", "--set", "training.validate_steps=5"]
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, *arguments], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "m.safetensors").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert "engine" in AmpModel.load(tmp_path / "m.safetensors").metadata["neurdsp.metrics"]


def test_a_full_disk_costs_one_line_and_leaves_no_half_file(run, recordings, tmp_path):
    # As on a full disk, a write beyond this size fails. Python ignores the signal that comes with it.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8000, hard))
    try:
        done = run("amp", "train", *recordings, "-o", "m.safetensors", *SETTINGS, "--steps", 3, "--json")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert done.status == 2
    assert "m.safetensors" in done.err
    assert done.err.count("\n") == 1
    assert not {name for name in names_in(tmp_path) if "safetensors" in name or name.endswith(".tmp")}


def test_without_torch_the_command_says_what_to_install(recordings, tmp_path):
    code = f"import sys; sys.modules['torch'] = None; {MAIN}"
    arguments = ["amp", "train", *map(str, recordings), "-o", str(tmp_path / "m.safetensors")]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'neurdsp[train]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_presets_command_prints_true_counts(run):
    listed = json.loads(run("amp", "presets", "--json").out)
    sizes = {preset["name"]: preset["n_parameters"] for preset in listed["presets"]}
    assert sizes["seed-48x12"] == 83_665
    assert "ts9" in [amp["name"] for amp in listed["amps"]]


@pytest.mark.parametrize("columns", [80, 200])
def test_presets_are_one_line_each_at_80_columns_in_groups(run, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = run("amp", "presets").out.splitlines()
    assert max(len(line.rstrip()) for line in lines) <= columns
    assert len(lines) < 70
    listed = json.loads(run("amp", "presets", "--json").out)
    for preset in listed["presets"]:
        (line,) = [line for line in lines if line.startswith(f"{preset['name']} ")]
        assert f"{preset['n_parameters']:,}" in line
        assert f"{preset['receptive_field']:,}" in line
        assert line.rstrip().endswith(preset["description"])
        assert all(alias in preset["description"] for alias in preset["aliases"] if alias.endswith("k"))
    place = {line.split()[0]: number for number, line in enumerate(lines) if line.strip()}
    assert place["standard"] < place["a1-nano"] < place["a2-lite"] < place["lstm-nano"] < place["seed-16x6"]
    assert place["real-200k"] < place["ts9"]


@pytest.mark.slow
def test_two_processes_train_one_model_and_one_of_them_writes(tmp_path, recordings):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    command += ["neurdsp", "amp", "train", *recordings, "-o", tmp_path / "amp.safetensors", "--json"]
    command += ["--steps", "4", "--preset", "seed-16x6", "--run-dir", tmp_path / "run"]
    command += ["--set", "training.validate_steps=2", "--set", "data.crop_samples=4096"]
    done = subprocess.run(
        [str(word) for word in command], check=True, timeout=300, capture_output=True, text=True
    )
    assert json.loads(done.stdout)["summary"]["steps"] == 4
    log = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in log] == ["validation", "validation", "stopped"]
