"""Where an error lies, how much a model folds back, and everything about a model in one call."""

import json

import numpy as np
import pytest
from neurdsp.amp import AmpModel
from neurdsp.amp.judge.aliasing import measure_aliasing
from neurdsp.amp.judge.breakdown import Breakdown
from neurdsp.amp.judge.compare import compare_in_detail, write_ab
from neurdsp.audio import read_audio, write_audio
from neurdsp.cli import app
from typer.testing import CliRunner

RATE = 48_000


def tone(hz, amplitude, seconds=1.0):
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


@pytest.mark.parametrize("block", [1000, 4096, 96_000])
def test_the_error_of_a_band_is_found_in_it_at_any_block_size(block):
    target = tone(100, 0.1, 2) + tone(1_000, 0.1, 2) + tone(6_000, 0.1, 2)
    predicted = target - 0.5 * tone(6_000, 0.1, 2)  # half of one band is missing
    breakdown = Breakdown(RATE)
    for start in range(0, target.size, block):
        breakdown.update(target[start : start + block], predicted[start : start + block])
    errors = {band.low: band.esr for band in breakdown.bands() if band.share > 0.1}
    assert errors[5120.0] == pytest.approx(0.25, rel=0.01)
    assert errors[80.0] < 1e-6
    assert errors[640.0] < 1e-6
    assert sum(band.share for band in breakdown.bands()) == pytest.approx(1)


def test_the_error_of_soft_playing_is_not_hidden_by_loud_playing():
    loud, soft = tone(440, 0.5), tone(440, 0.01)
    breakdown = Breakdown(RATE)
    breakdown.update(np.concatenate([loud, soft]), np.concatenate([loud, 0 * soft]))
    levels = {step.low: step.esr for step in breakdown.levels()}
    assert levels[-12.0] == pytest.approx(0, abs=1e-9)
    assert levels[-48.0] == pytest.approx(1)


def test_a_band_limited_waveshaper_does_not_alias_and_a_clipper_does():
    square = measure_aliasing(lambda x: (x + 0.5 * x**2).astype(np.float32), sample_rate=RATE)
    assert max(probe.asr_db for probe in square) < -100
    clipper = measure_aliasing(np.sign, sample_rate=RATE)
    ratios = [probe.asr_db for probe in clipper]
    assert ratios == sorted(ratios)  # worse with pitch
    # A square wave of 4999 Hz: of its harmonics, of amplitude 1/n, all but 1 and 3 fold.
    kept = 1 + 1 / 9
    assert ratios[-1] == pytest.approx(10 * np.log10((np.pi**2 / 8 - kept) / kept), abs=0.3)


@pytest.fixture
def pair(tmp_path, rng):
    target = (0.2 * rng.standard_normal(4 * RATE)).astype(np.float32)
    write_audio(tmp_path / "a.wav", target, RATE)
    write_audio(tmp_path / "b.wav", 0.5 * target, RATE)
    return tmp_path / "a.wav", tmp_path / "b.wav"


def test_an_error_of_level_alone_vanishes_when_levels_are_matched(pair):
    found = compare_in_detail(*pair)
    assert found.result.esr == pytest.approx(0.25)
    assert found.matched_esr < 1e-6
    assert all(band.esr == pytest.approx(0.25, rel=1e-3) for band in found.bands)


def test_the_ab_file_takes_turns_at_one_level(pair, tmp_path):
    target = read_audio(pair[0])[0]
    write_audio(pair[1], -0.5 * target, RATE)  # the sign tells whose turn it is
    write_ab(*pair, tmp_path / "ab.wav", compare_in_detail(*pair).result)
    ab = read_audio(tmp_path / "ab.wav")[0]
    for start, sign in ((0, 1), (2, -1)):
        inner = slice(int((start + 0.1) * RATE), int((start + 1.9) * RATE))
        np.testing.assert_allclose(ab[inner], sign * target[inner], atol=1e-5)


def test_a_model_evaluated_on_its_own_output_is_perfect(tmp_path, amp_path, rng):
    swell = np.repeat(rng.uniform(0.05, 1, 20), RATE // 10)
    dry = (0.2 * swell * rng.standard_normal(swell.size)).astype(np.float32)
    wet = AmpModel.load(amp_path).render(dry, RATE)
    write_audio(tmp_path / "i.wav", dry, RATE)
    write_audio(tmp_path / "o.wav", wet, RATE)
    paths = [str(tmp_path / "i.wav"), str(tmp_path / "o.wav")]
    done = CliRunner().invoke(app, ["amp", "evaluate", str(amp_path), "--data", *paths, "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["esr"] < 1e-10
    assert found["model"]["n_parameters"] == AmpModel.load(amp_path).n_parameters
    assert found["part_s"] == [0, pytest.approx(2.0, abs=1e-3)]
    assert len(found["aliasing"]) == 3
    assert found["us_per_sample"] > 0
    assert found["data"]["ok"]
    # The same output 700 samples early is refused, and measured once the lead is given.
    write_audio(tmp_path / "o.wav", wet[700:], RATE)
    command = ["amp", "evaluate", str(amp_path), "--data", *paths]
    refused = CliRunner().invoke(app, command)
    assert refused.exit_code != 0
    assert "comes 700 samples" in str(refused.exception)
    done = CliRunner().invoke(app, [*command, "--latency", "-700", "--json"])
    assert json.loads(done.stdout)["esr"] < 1e-5  # the model has not heard what was cut off


def test_the_picture_shows_every_band_step_and_probe(tmp_path):
    """Bars as high as the figures, faint where nothing sounds, and no place for aliasing without a model."""
    pytest.importorskip("matplotlib")
    from neurdsp.amp.judge.aliasing import AliasingResult
    from neurdsp.amp.judge.breakdown import Slice
    from neurdsp.amp.judge.breakdown_plot import draw_breakdown
    from neurdsp.report.figure import new_figure

    bands = [Slice(0.0, 80.0, 1e-6, 0.5), Slice(80.0, 24_000.0, 1.0, 0.02)]
    levels = [Slice(-96.0, -12.0, 1.0, 0.02), Slice(-12.0, 3.0, 0.0, None)]
    for aliasing in ([], [AliasingResult(1_249.0, -12.0, -60.0)]):
        figure = new_figure(10, 2)
        draw_breakdown(figure, figure.add_gridspec(1, 1)[0, 0], bands, levels, aliasing, "black")
        assert len(figure.axes) == 2 + len(aliasing)
        bars = figure.axes[0].patches
        assert [bar.get_height() for bar in bars] == [0.5, 0.02]
        assert [bar.get_alpha() for bar in bars] == [0.25, 1.0]
    assert figure.axes[2].patches[0].get_y() + figure.axes[2].patches[0].get_height() == pytest.approx(-60)


def test_an_evaluation_leaves_its_picture(tmp_path, amp_path, rng):
    pytest.importorskip("matplotlib")
    dry = (0.2 * rng.uniform(0.05, 1, 20).repeat(RATE // 10) * rng.standard_normal(2 * RATE)).astype(
        np.float32
    )
    write_audio(tmp_path / "i.wav", dry, RATE)
    write_audio(tmp_path / "o.wav", AmpModel.load(amp_path).render(dry, RATE), RATE)
    paths = [str(tmp_path / "i.wav"), str(tmp_path / "o.wav")]
    picture = tmp_path / "p.png"
    done = CliRunner().invoke(app, ["amp", "evaluate", str(amp_path), "--data", *paths, "-p", str(picture)])
    assert done.exit_code == 0, done.output
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
