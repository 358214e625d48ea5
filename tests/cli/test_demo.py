"""``neurdsp demo`` renders, verifies and writes its four files, or reports in one line why it cannot."""

import numpy as np
import pytest
import soundfile
from neurdsp.amp import AmpModel, shipped_clip
from neurdsp.cli.demo import run_demo
from neurdsp.errors import ModelFileError


def test_the_demo_writes_sound_picture_and_report(run, files):
    outcome = run("demo", "-o", "demo", "-m", "amp.safetensors")
    assert outcome.status == 0, outcome
    written = sorted(path.name for path in (files / "demo").iterdir())
    assert written == ["amped.wav", "dry.wav", "report.png", "report.txt"]
    dry, rate = soundfile.read(shipped_clip(), dtype="float32")
    amped, _ = soundfile.read(files / "demo" / "amped.wav", dtype="float32")
    np.testing.assert_array_equal(amped, AmpModel.load(files / "amp.safetensors").render(dry, rate))
    assert (files / "demo" / "report.png").read_bytes().startswith(b"\x89PNG")
    report = (files / "demo" / "report.txt").read_text()
    for text in ("random (amp.wavenet)", "221", "0.0123", "x real time", "must be below -100 dB: passed"):
        assert text in report
        assert text in outcome.out
    assert outcome.out.count("\n") <= 24


def test_a_model_that_computes_something_else_is_refused(run, files, make_amp):
    path = files / "wrong.safetensors"
    data = bytearray(make_amp(seed=3).write(path).read_bytes())
    weights = np.frombuffer(make_amp(seed=3).tensors["layers.1.conv.weight"].tobytes(), np.uint8).tobytes()
    at = bytes(data).index(weights)
    data[at : at + 4] = np.float32(0.9).tobytes()
    path.write_bytes(bytes(data))
    with pytest.raises(ModelFileError, match="does not compute what was trained"):
        run_demo(files / "demo", model=path)
    assert not (files / "demo").exists()
