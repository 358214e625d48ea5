"""Evaluation of separators: known errors give known decibels, and folders that do not fit are named."""

import json

import numpy as np
import pytest
import soundfile
import typer.testing
from neurdsp.cli import app
from neurdsp.drumsep.bandsplit.config import BandSplitConfig
from neurdsp.drumsep.data.roles import STEMS
from neurdsp.drumsep.judge.bound import ideal_mask_stems
from neurdsp.drumsep.judge.evaluate import evaluate, find_clips
from neurdsp.drumsep.judge.ratios import level_db, sdr_db
from neurdsp.errors import MissingDependencyError, ParameterError

RATE = 44_100


@pytest.fixture
def folder(tmp_path):
    """Two recordings: in the second, stereo one the toms are silent."""
    rng = np.random.default_rng(0)
    for name, channels in (("a", 1), ("b", 2)):
        (tmp_path / name).mkdir()
        for stem in STEMS:
            audio = 0.1 * rng.standard_normal((RATE // 2, channels))
            if (name, stem) == ("b", "toms"):
                audio *= 1e-5
            soundfile.write(tmp_path / name / f"{stem}.wav", audio, RATE, subtype="FLOAT")
    return tmp_path


def known_error(truth):
    """Return a separator that gives each stem with an error of 10 %, so 20 dB."""
    return lambda mixture, rate: {
        name: np.float32(0.9) * stem for name, stem in zip(STEMS, truth(mixture), strict=True)
    }


def read(folder, name):
    files = [
        soundfile.read(folder / name / f"{stem}.wav", always_2d=True, dtype="float32")[0].T for stem in STEMS
    ]
    return np.stack(files)


def test_known_errors_give_known_ratios(folder):
    waiting = ["a", "b"]
    separate = known_error(lambda _: read(folder, waiting.pop(0)))
    found = evaluate(separate, folder, stems=STEMS)
    assert [clip.name for clip in found.clips] == ["a", "b"]
    assert "toms" not in found.clips[1].stems
    for clip in found.clips:
        for scores in clip.stems.values():
            assert scores.sdr_db == pytest.approx(20, abs=1e-3)
            # Four or three other stems of the same energy are the error of the mixture.
            others = len(clip.stems) - 1
            assert scores.mixture_sdr_db == pytest.approx(-10 * np.log10(others), abs=0.2)
            assert scores.sir_db is None
    means = found.means()
    assert means["toms"].sdr_db == pytest.approx(20, abs=1e-3)
    assert json.loads(json.dumps(found.to_json()))["means"]["kick"]["sdr_db"] == means["kick"].sdr_db


def test_interference_and_artefacts_are_told_apart(folder):
    pytest.importorskip("fast_bss_eval")
    rng, truth = np.random.default_rng(1), read(folder, "a")
    leaky = {name: truth[k] + 0.1 * truth[(k + 1) % 5] for k, name in enumerate(STEMS)}
    noise = 0.01 * rng.standard_normal(truth.shape).astype(np.float32)
    noisy = {name: truth[k] + noise[k] for k, name in enumerate(STEMS)}
    for path in (folder / "b").iterdir():
        path.unlink()
    leaks = evaluate(lambda *_: leaky, folder, stems=STEMS, bss_eval=True).means()["kick"]
    hisses = evaluate(lambda *_: noisy, folder, stems=STEMS, bss_eval=True).means()["kick"]
    assert leaks.sdr_db == pytest.approx(20, abs=0.2)
    assert hisses.sdr_db == pytest.approx(20, abs=0.2)
    assert leaks.sir_db == pytest.approx(20, abs=1)
    assert leaks.sar_db > 40
    assert hisses.sir_db > hisses.sar_db > 15


def test_ideal_masks_are_exact_for_stems_that_do_not_overlap():
    stems = np.zeros((2, 1, 30_000), np.float32)
    time = np.arange(30_000) / RATE
    stems[0], stems[1] = np.sin(2 * np.pi * 200 * time), np.sin(2 * np.pi * 9000 * time)
    found = ideal_mask_stems(stems)
    inside = slice(4000, 26_000)
    assert all(sdr_db(stems[k, :, inside], found[k, :, inside]) > 30 for k in range(2))
    # The parts of a mixture sum to it.
    assert sdr_db(stems.sum(0), found.sum(0)) > 100
    short = ideal_mask_stems(stems, BandSplitConfig(n_fft=1024, hop_length=128, bands=(513,), n_phase_bins=0))
    assert sdr_db(stems.sum(0), short.sum(0)) > 100


def test_levels_and_ratios_of_nothing_are_finite():
    assert level_db(np.zeros(3)) == -300
    assert sdr_db(np.zeros(3), np.zeros(3)) == 0
    assert sdr_db([1.0], [1.0]) == pytest.approx(300)


def test_folders_that_do_not_fit_are_named(folder, tmp_path):
    with pytest.raises(ParameterError, match="is no folder"):
        find_clips(tmp_path / "absent", STEMS)
    (folder / "a" / "toms.wav").unlink()
    with pytest.raises(ParameterError, match=r"'.*a' has no toms"):
        find_clips(folder, STEMS)
    (folder / "a" / "kick.wav").replace(folder / "a" / "bass.wav")
    for path in folder.glob("*/*.wav"):
        path.unlink()
    with pytest.raises(ParameterError, match=r"no folder in .* has the files kick\.wav"):
        find_clips(folder, STEMS)


def test_stems_of_two_rates_are_refused(folder):
    audio, _ = soundfile.read(folder / "a" / "kick.wav")
    soundfile.write(folder / "a" / "kick.wav", audio, 48_000)
    with pytest.raises(ParameterError, match="44100, 48000"):
        evaluate(lambda *_: {}, folder, stems=STEMS)


def test_without_bss_eval_the_extra_is_named(folder, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fast_bss_eval", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'neurdsp\[evaluate\]'"):
        evaluate(lambda *_: {}, folder, stems=STEMS, bss_eval=True)


def test_the_command_refuses_a_model_that_is_not_there(folder):
    done = typer.testing.CliRunner().invoke(app, ["drumsep", "evaluate", "absent.safetensors", str(folder)])
    assert "no such file" in str(done.exception)
