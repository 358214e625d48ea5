"""``neurdsp model``: what it prints, and its exit status."""

import json
import subprocess
import sys

import pytest
from neurdsp import modelfile


def _run(*arguments):
    command = [sys.executable, "-c", "from neurdsp.cli import main; main()", "model", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_info_prints_one_screen_and_no_control_characters_from_the_file(model_path):
    done = _run("info", model_path)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) < 24
    for text in ("100", "15 samples, 0.3 ms", "48000 Hz", "0.0125", r"two\nlines and a \x1b[31m colour"):
        assert text in done.stdout


def test_info_as_json_is_what_the_library_says(model_path):
    told = json.loads(_run("info", model_path, "--json").stdout)
    assert told["n_parameters"] == modelfile.info(model_path).n_parameters == 100
    assert told["config"] == {"channels": 3, "num_layers": 3, "kernel_size": 3, "dilation_base": 2}


def test_verify_has_a_line_for_each_file_and_a_status_for_the_worst(tmp_path, model_path, metadata, tensors):
    changed = tmp_path / "changed.safetensors"
    modelfile.write(changed, metadata, tensors | {"output_conv.bias": tensors["output_conv.bias"] + 1})
    assert _run("verify", model_path).returncode == 0
    done = _run("verify", model_path, changed, "--json")
    assert done.returncode == 1
    good, bad = json.loads(done.stdout)
    assert (good["passed"], bad["passed"]) == (True, False)
    assert good["error_db"] < -120 < -60 < bad["error_db"]
    done = _run("verify", changed, tmp_path / "absent.safetensors")
    assert done.returncode == 2
    assert "FAILED" in done.stdout
    assert done.stderr.startswith("neurdsp: ")
    assert "absent.safetensors': no such file, nor a shipped model" in done.stderr


def test_convert_says_what_is_lost(tmp_path, model_path):
    done = _run("convert", model_path, tmp_path / "out.json")
    assert done.returncode == 0, done.stderr
    assert "parity vectors" in done.stdout
    assert (tmp_path / "out.json").exists()


@pytest.mark.parametrize("arguments", [("info",), ("verify",), ("convert", "x")])
def test_a_users_mistake_is_one_line_and_status_two(tmp_path, arguments):
    truncated = tmp_path / "truncated.safetensors"
    truncated.write_bytes((1000).to_bytes(8, "little") + b"{}")
    command, *rest = arguments
    target = [tmp_path / "out.json"] if rest else []
    done = _run(command, truncated, *target)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "truncated.safetensors: the file is malformed: it ends within its header" in done.stderr
