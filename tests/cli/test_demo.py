"""``neurdsp demo`` renders, verifies, separates and writes its files, or says in one line why it cannot."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile
from neurdsp.amp import AmpModel, shipped_clip
from neurdsp.cli.demo import run_demo
from neurdsp.cli.demo_drums import DRUM_FILES, run_drums
from neurdsp.cli.demo_kick import KICK_FILES, run_kicks
from neurdsp.cli.demo_music import MUSIC_FILES, quantised_beat, run_music
from neurdsp.drumsep.loop import render_loop
from neurdsp.errors import ModelFileError


def test_the_demo_writes_sound_picture_and_report(run, files):
    outcome = run("demo", "-o", "demo", "-m", "amp.safetensors")
    assert outcome.status == 0, outcome
    written = sorted(path.name for path in (files / "demo").iterdir())
    amp_files = ["amped.wav", "dry.wav", "report.png", "report.txt"]
    assert written == sorted([*amp_files, *DRUM_FILES, *KICK_FILES, *MUSIC_FILES])
    dry, rate = soundfile.read(shipped_clip(), dtype="float32")
    amped, _ = soundfile.read(files / "demo" / "amped.wav", dtype="float32")
    np.testing.assert_array_equal(amped, AmpModel.load(files / "amp.safetensors").render(dry, rate))
    assert (files / "demo" / "report.png").read_bytes().startswith(b"\x89PNG")
    report = (files / "demo" / "report.txt").read_text()
    for text in ("random (amp.wavenet)", "221", "0.0123", "x real time", "must be below -100 dB: passed"):
        assert text in report
        assert text in outcome.out
    assert outcome.out.count("\n") <= 30


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


def test_the_drums_of_the_demo_are_told_apart_better_than_by_leaving_them_together(tmp_path):
    report = run_drums(tmp_path)
    assert list(report.scores_db) == ["kick", "snare", "toms", "hihat", "cymbals"]
    for name, (sdr_db, mixture_db) in report.scores_db.items():
        assert sdr_db > mixture_db + 6, name
    mixture, rate = soundfile.read(tmp_path / "drums.wav", dtype="float32")
    np.testing.assert_array_equal(mixture.T, render_loop().mixture)
    stem, _ = soundfile.read(tmp_path / "drums-kick.wav", dtype="float32")
    assert (rate, stem.shape) == (44_100, mixture.shape)
    assert (tmp_path / "drums.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "drums.html").read_text().count('class="track"') == 7


def test_a_build_without_a_drum_network_writes_none_of_their_files(tmp_path, monkeypatch):
    monkeypatch.setattr("neurdsp.drumsep.lookup._SHIPPED", tmp_path / "nothing")
    assert run_drums(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_the_drums_need_nothing_that_is_in_an_extra_but_matplotlib(tmp_path):
    script = (
        "import sys\n"
        "from importlib.abc import MetaPathFinder\n"
        "class Refuse(MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name.split('.')[0] in ('torch', 'scipy', 'onnx', 'onnxruntime', 'fast_bss_eval'):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "from pathlib import Path\n"
        "from neurdsp.cli.demo_drums import run_drums\n"
        f"assert run_drums(Path({str(tmp_path)!r})) is not None\n"
    )
    subprocess.run([sys.executable, "-I", "-c", script], check=True, capture_output=True, text=True)


def test_the_kicks_of_the_demo_differ_and_end_in_silence(tmp_path):
    report = run_kicks(tmp_path)
    kicks = [soundfile.read(tmp_path / name, dtype="float32")[0] for name in KICK_FILES if ".wav" in name]
    assert report.n_kicks == len(kicks) == 8
    for number, kick in enumerate(kicks):
        assert kick.shape == (88_200,)
        assert 0.3 < np.abs(kick).max() <= 1
        assert kick[-1] == 0
        assert all(np.abs(kick - other).max() > 0.1 for other in kicks[:number])
    assert (tmp_path / "kicks.png").read_bytes().startswith(b"\x89PNG")


def test_the_beat_of_the_demo_is_played_near_its_steps_and_drawn(tmp_path):
    from neurdsp.midi import read_midi

    report = run_music(tmp_path)
    before, after = quantised_beat().notes(), read_midi(tmp_path / "beat-humanised.mid").notes()
    assert (report.n_hits, len(after)) == (len(before), len(before))
    assert read_midi(tmp_path / "beat.mid").to_bytes() == quantised_beat().to_bytes()
    # At 96 quarter notes a minute a tick lasts 1.3 ms.
    assert abs(int(after["start_ticks"].sum()) - int(before["start_ticks"].sum())) < 25 * len(before)
    assert 2 < report.shift_ms < 40
    assert len(np.unique(after["velocity"])) > 20
    assert (tmp_path / "beat.png").read_bytes().startswith(b"\x89PNG")
    assert "beat" in (tmp_path / "beat.html").read_text()
