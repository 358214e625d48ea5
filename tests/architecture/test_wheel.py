"""The wheel works where there is no PyTorch: built, installed into a clean environment, and used."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SMOKE = """
import json, sys
import numpy as np
import neurdsp
from neurdsp.amp import AmpModel

assert "site-packages" in neurdsp.__file__, neurdsp.__file__
try:
    import torch
except ModuleNotFoundError:
    pass
else:
    raise SystemExit("torch is installed: this is not a clean environment")
tone = np.sin(np.arange(48_000) * 0.1).astype(np.float32)
mel = neurdsp.mel_spectrogram(y=tone, sr=48_000)
amp = AmpModel.load(sys.argv[1])
wet = amp.render(tone, 48_000)
stream = amp.stream()
parts = np.concatenate([stream.process(tone[i : i + 64]) for i in range(0, tone.size, 64)])
print(json.dumps({
    "mel": mel.shape, "finite": bool(np.isfinite(mel).all()), "wet": float(np.abs(wet).max()),
    "same": bool(np.array_equal(parts, wet)), "parameters": amp.n_parameters,
    "heavy": sorted({"torch", "matplotlib", "typer", "pydantic"} & set(sys.modules)),
}))
"""


@pytest.mark.slow
def test_a_built_wheel_plays_an_amp_without_torch(tmp_path, random_amp):
    def run(*command, cwd=tmp_path, **environment):
        env = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env=env | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
        return done.stdout

    # Maturin shares the target folder with the other builds, so little is compiled twice.
    run(sys.executable, "-m", "maturin", "build", "--release", "--out", tmp_path / "dist", cwd=ROOT)
    (wheel,) = (tmp_path / "dist").glob("neurdsp-*-cp311-abi3-*.whl")
    assert wheel.stat().st_size < 20 * 2**20
    python = tmp_path / "venv" / "bin" / "python"
    run(sys.executable, "-m", "uv", "venv", "--python", sys.executable, tmp_path / "venv")
    run(sys.executable, "-m", "uv", "pip", "install", "--python", python, wheel)
    model = random_amp.write(tmp_path / "amp.safetensors")
    report = json.loads(run(python, "-I", "-c", SMOKE, model))
    assert report["mel"] == [128, 94]
    assert report["finite"]
    assert report["same"]
    assert report["parameters"] == random_amp.n_parameters
    assert 0 < report["wet"] < 100
    assert report["heavy"] == []
    # The command is there, and says what it lacks in one line.
    assert "render" in run(python.with_name("neurdsp"), "amp", "--help")
