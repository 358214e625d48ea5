"""Features of one file: equal to those of the whole signal however long it is, in bounded memory."""

import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from neurdsp import MelSpectrogram
from neurdsp.audio import read_audio, resample
from neurdsp.dsp import extraction
from neurdsp.dsp.extraction import extract
from neurdsp.dsp.presets import PRESETS
from neurdsp.errors import AudioFileError, ParameterError
from safetensors import safe_open


def whole(plan, path):
    audio, rate = read_audio(path)
    mono = audio if audio.ndim == 1 else audio.mean(axis=0, dtype=np.float32)
    return plan(mono if rate == plan.sr else resample(mono, rate, plan.sr))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Thirteen seconds of stereo: several blocks, the last of them short."""
    path = tmp_path_factory.mktemp("clip") / "clip.wav"
    noise = 0.1 * np.random.default_rng(0).standard_normal((573_301, 2))
    soundfile.write(path, noise, 44_100, subtype="FLOAT")
    return path


@pytest.mark.filterwarnings("ignore:Empty filters")
@pytest.mark.parametrize("held", [1 << 26, 50_000, 1])
@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_gives_the_bits_of_the_whole_signal(clip, tmp_path, monkeypatch, name, held):
    monkeypatch.setattr(extraction, "MAX_HELD_BYTES", held)
    plan = MelSpectrogram.preset(name)
    n_frames, seconds, _ = extract(plan, clip, tmp_path / "mel.npy", "npy")
    mel, wanted = np.load(tmp_path / "mel.npy"), whole(plan, clip)
    assert (mel.shape, mel.dtype) == (wanted.shape, np.float32)
    assert (mel == wanted).all()
    assert (n_frames, seconds) == (wanted.shape[1], 573_301 / 44_100)
    assert [path.name for path in tmp_path.iterdir()] == ["mel.npy"]


@pytest.mark.parametrize("held", [1 << 26, 10_000])
def test_every_format_holds_the_same_values_whether_they_were_held_or_put_down(
    clip, tmp_path, monkeypatch, held
):
    monkeypatch.setattr(extraction, "MAX_HELD_BYTES", held)
    plan = MelSpectrogram.preset("kick", preemphasis=0.9)
    wanted = whole(plan, clip)
    for kind in ("npy", "safetensors", "raw"):
        extract(plan, clip, tmp_path / kind, kind)
    assert (np.load(tmp_path / "npy") == wanted).all()
    assert np.load(tmp_path / "npy").flags.c_contiguous
    assert (tmp_path / "raw").read_bytes() == wanted.astype("<f4").tobytes()
    with safe_open(tmp_path / "safetensors", "numpy") as file:
        assert (file.get_tensor("mel") == wanted).all()
        assert json.loads(file.metadata()["neurdsp.mel"])["preemphasis"] == 0.9
    # What is in a row starts where arrays of eight bytes may.
    assert ((tmp_path / "safetensors").stat().st_size - wanted.nbytes) % 8 == 0


def test_padding_that_wraps_reads_the_file_whole(clip, tmp_path):
    plan = MelSpectrogram(sr=44_100, pad_mode="wrap", log="ln")
    extract(plan, clip, tmp_path / "mel.npy", "npy")
    assert (np.load(tmp_path / "mel.npy") == whole(plan, clip)).all()


def test_mistakes_are_those_of_the_whole_signal(tmp_path):
    target, bad = tmp_path / "mel.npy", np.zeros((300_000, 2), np.float32)
    bad[200_000, 1] = np.inf
    soundfile.write(tmp_path / "bad.wav", bad, 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "empty.wav", bad[:0], 16_000)
    soundfile.write(tmp_path / "short.wav", bad[:300], 16_000)
    with pytest.raises(AudioFileError, match="sample 200000 of channel 1 is inf"):
        extract(MelSpectrogram(), tmp_path / "bad.wav", target, "npy")
    with pytest.raises(AudioFileError, match="is empty"):
        extract(MelSpectrogram(), tmp_path / "empty.wav", target, "npy")
    with pytest.raises(ParameterError, match="300 samples, but one frame needs 400"):
        extract(MelSpectrogram.preset("kaldi"), tmp_path / "short.wav", target, "npy")
    assert not target.exists()


PEAK = """
import resource, sys
from pathlib import Path
from neurdsp import MelSpectrogram
from neurdsp.dsp import extraction
extraction.MAX_HELD_BYTES = 1 << 22
plan = MelSpectrogram(sr=16000, n_fft=512, hop_length=160, n_bins=257, normalize=sys.argv[2] or None)
frames = extraction.extract(plan, Path(sys.argv[1]), Path(sys.argv[1] + ".npy"), "npy").n_frames
print(frames, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("normalize", ["", "per_feature"])
def test_the_length_of_a_file_does_not_matter_to_the_memory(tmp_path, normalize):
    """Eight minutes have 58 MB of samples (at 32 bits) and 49 MB of features; one minute has an eighth."""
    peak_kib = {}
    for minutes in (1, 8):
        path = tmp_path / f"{minutes}.wav"
        with soundfile.SoundFile(path, "w", 32_000, 1) as file:
            for second in range(60 * minutes):
                file.write(0.1 * np.random.default_rng(second).standard_normal(32_000))
        done = subprocess.run(
            [sys.executable, "-c", PEAK, path, normalize], capture_output=True, text=True, check=True
        )
        frames, peak_kib[minutes] = map(int, done.stdout.split())
        assert frames == 60 * minutes * 100 + 1
    assert peak_kib[8] - peak_kib[1] < 12 * 1024, peak_kib
