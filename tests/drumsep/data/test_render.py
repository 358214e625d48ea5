"""Rendered mixtures: exact sums, the same for the same number, and the effects that they should have."""

import numpy as np
import pytest
from neurdsp.drumsep.data import effects
from neurdsp.drumsep.data.config import RenderConfig
from neurdsp.drumsep.data.players import Event, Player, Windows
from neurdsp.drumsep.data.recordings import SAMPLE_RATE
from neurdsp.drumsep.data.render import Renderer
from neurdsp.drumsep.data.roles import STEMS


def rms_db(x):
    return 10 * np.log10(np.mean(np.square(x, dtype=np.float64)) + 1e-30)


@pytest.mark.parametrize("channels", [1, 2])
def test_stems_sum_to_the_mixture(bank, channels):
    renderer = Renderer(bank, "train", RenderConfig(mp3=0.0))
    for number in range(6):
        clip = renderer.clip(number, seconds=1.0, channels=channels)
        assert clip.stems.shape == (len(STEMS) + 1, channels, SAMPLE_RATE)
        assert rms_db(clip.stems.sum(0) - clip.mixture) < rms_db(clip.mixture) - 120
        assert -25 < 20 * np.log10(np.abs(clip.mixture).max()) < 0.1


def test_a_clip_depends_on_its_number_and_the_seed_alone(bank):
    first = Renderer(bank, "train", seed=4)
    wanted = first.clip(7, seconds=0.5, channels=2)
    first.clip(8, seconds=0.7)
    assert np.array_equal(first.clip(7, seconds=0.5, channels=2).stems, wanted.stems)
    assert not np.array_equal(
        Renderer(bank, "train", seed=5).clip(7, seconds=0.5, channels=2).stems, wanted.stems
    )


def test_every_stem_and_silence_occur(bank):
    renderer = Renderer(bank, "train", RenderConfig(residual=0.5, silent=0.2))
    sounds = np.array(
        [[rms_db(stem) > -120 for stem in renderer.clip(number, seconds=0.6).stems] for number in range(40)]
    )
    share = sounds.mean(0)
    assert (share[:5] > 0.3).all()
    assert (share[:5] < 1).all()
    assert 0.2 < share[5] < 0.8


def test_mp3_changes_the_mixture_and_not_the_stems(bank):
    plain, coded = (Renderer(bank, "train", RenderConfig(mp3=chance)) for chance in (0.0, 1.0))
    for number in range(3):
        a, b = plain.clip(number, seconds=1.0), coded.clip(number, seconds=1.0)
        assert np.array_equal(a.stems, b.stems)
        difference = rms_db(b.mixture - a.mixture) - rms_db(a.mixture)
        assert -60 < difference < -8


def test_a_plain_set_has_no_leftovers_and_its_peak_is_fixed(bank):
    renderer = Renderer(bank, "validation", RenderConfig().plain())
    for number in range(3):
        clip = renderer.clip(number, seconds=1.0, channels=1, kit=number)
        assert not clip.stems[-1].any()
        assert 20 * np.log10(np.abs(clip.mixture).max()) == pytest.approx(-6, abs=0.01)


def test_strokes_are_at_their_times_and_a_hihat_closes(bank):
    player = Player(bank.of("train")[0], np.random.default_rng(0), channels=1, human=False)
    events = [Event(0.1, "hihat_closed", 1.0), Event(0.12, "hihat_closed", 1.0)]
    played = player.stem(events, SAMPLE_RATE // 2, SAMPLE_RATE)[0]
    assert not played[: round(0.1 * SAMPLE_RATE)].any()
    assert np.abs(played[round(0.1 * SAMPLE_RATE) :][:400]).max() > 0.5
    alone = player.stem(events[1:], SAMPLE_RATE // 2, SAMPLE_RATE)[0]
    after = round(0.12 * SAMPLE_RATE) + 301
    assert np.array_equal(played[after:], alone[after:])


def test_windows_around_a_stem_have_a_stroke_of_it(bank):
    windows, rng = Windows(bank.performances["train"]), np.random.default_rng(0)
    for _ in range(20):
        roles = [event.role for event in windows.around(rng, 2, 1.0) if 0 <= event.time_s < 1.0]
        assert "tom_low" in roles


def test_a_compressor_gives_all_stems_one_gain_that_is_lower_where_it_is_loud():
    loud = np.zeros((1, SAMPLE_RATE), np.float32)
    loud[:, SAMPLE_RATE // 2 :] = 1.0
    loud += 0.01
    gain = effects.bus_gain(np.random.default_rng(0), loud)
    assert gain.shape == (SAMPLE_RATE,)
    assert gain[:1000].min() > 0.99
    assert gain[-1] < 1.0
    assert (gain > 0).all()


def test_saturation_keeps_the_peak():
    x = np.random.default_rng(0).standard_normal((2, 1000)).astype(np.float32)
    assert np.abs(effects.saturated(x, 12.0)).max() == pytest.approx(np.abs(x).max(), rel=1e-5)


def test_an_encoded_mixture_is_aligned():
    rng = np.random.default_rng(0)
    x = 0.1 * np.cumsum(rng.standard_normal((1, 40_000)), -1).astype(np.float32)
    x -= x.mean()
    x /= 2 * np.abs(x).max()
    assert rms_db(effects.coded(x, 0.1) - x) < rms_db(x) - 25
