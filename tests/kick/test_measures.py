"""Attributes measure what they are named after, and figures find what they look for."""

import numpy as np
import pytest
import torch
from neurdsp.errors import ParameterError
from neurdsp.kick.attributes import QUANTITIES, WORDS, labels, measure, thresholds
from neurdsp.kick.judge.figures import hygiene, log_mel_distance, ripple_cents, swell_db
from neurdsp.kick.synth import STYLES, synthesise

T = np.arange(88_200) / 44_100
INDEX = {quantity.name: i for i, quantity in enumerate(QUANTITIES)}


def kick(hertz=55.0, decay_s=0.15, glide=0.0, click=0.0, noise=0.0, drive=0.0):
    cycles = np.cumsum(hertz * (1 + glide * np.exp(-T / 0.01))) / 44_100
    body = np.sin(2 * np.pi * cycles)
    if drive:
        body = np.tanh(drive * (body + 0.2))
        body -= body[:44_100].mean()
    draw = np.random.default_rng(0)
    hiss = draw.standard_normal(len(T))
    return body * np.exp(-T / decay_s) + click * hiss * np.exp(-T / 0.001) + noise * hiss * np.exp(-T / 0.2)


def value(name, **settings):
    return measure(kick(**settings))[INDEX[name]]


@pytest.mark.parametrize("hertz", [41.0, 55.0, 93.0])
def test_pitch_is_that_of_the_tail(hertz):
    assert abs(12 * (value("pitch", hertz=hertz, glide=2.0) - np.log(hertz)) / np.log(2)) < 0.5


@pytest.mark.parametrize(
    ("name", "less", "more"),
    [
        ("length", {"decay_s": 0.05}, {"decay_s": 0.3}),
        ("body", {"decay_s": 0.05}, {"decay_s": 0.3}),
        ("sweep", {}, {"glide": 4.0}),
        ("high", {}, {"click": 0.5}),
        ("click", {}, {"click": 0.5}),
        ("centroid", {}, {"noise": 0.1}),
        ("sub", {"hertz": 95.0}, {"hertz": 50.0}),
        ("middle", {"hertz": 50.0}, {"hertz": 180.0}),
        ("harmonics", {}, {"drive": 6.0}),
        ("noise", {}, {"noise": 0.05}),
    ],
)
def test_a_quantity_rises_with_what_it_is_named_after(name, less, more):
    assert value(name, **more) > value(name, **less) + 0.1


def test_noise_is_not_taken_for_harmonics():
    assert value("harmonics", noise=0.1) < value("harmonics", drive=6.0) - 1


def test_words_hold_for_their_share_of_a_mixture():
    measured = np.random.default_rng(0).normal(size=(4000, len(QUANTITIES)))
    held = labels(measured, thresholds(measured)).mean(axis=0)
    assert np.abs(held - [word.share for word in WORDS]).max() < 0.01


@pytest.mark.parametrize("audio", [np.zeros(100), np.full(100, np.nan), np.zeros((2, 5))])
def test_what_is_no_kick_is_refused(audio):
    with pytest.raises(ParameterError, match="kick"):
        measure(audio)


def test_ripple_is_small_for_a_sine_and_large_for_a_wavering_one():
    steady = np.sin(2 * np.pi * 55 * T) * np.exp(-T / 0.3)
    wavering = np.sin(2 * np.pi * 55 * T + 0.5 * np.sin(2 * np.pi * 20 * T)) * np.exp(-T / 0.3)
    assert ripple_cents(steady) < 5
    assert ripple_cents(wavering) > 200


def test_the_distance_of_a_gain_is_its_logarithm():
    noise = np.random.default_rng(1).normal(0, 0.1, 44_100)
    assert log_mel_distance(noise, 0.5 * noise) == pytest.approx(2 * np.log(2), abs=0.01)
    with pytest.raises(ParameterError, match="one length"):
        log_mel_distance(noise, noise[:-1])


def test_hygiene_finds_dc_and_a_cut_end():
    good = kick()[None]
    bad = good + 0.1
    assert hygiene(good).dc < 2e-3
    assert hygiene(bad).dc == pytest.approx(0.1, abs=2e-3)
    assert hygiene(bad).last_sample == pytest.approx(0.1, abs=1e-3)


def test_a_swell_is_found_and_beating_and_a_long_kick_are_none():
    assert swell_db(kick(decay_s=0.5)) < 1
    assert 1 < swell_db(kick(decay_s=0.3) + 0.3 * kick(hertz=60, decay_s=0.3)) < 10
    late = np.exp(-(((T - 0.4) / 0.05) ** 2)) * np.sin(2 * np.pi * 55 * T)
    assert swell_db(kick(decay_s=0.05) + 0.5 * late) > 20
    assert swell_db(np.zeros(88_200)) == swell_db(np.ones(100)) == 0
    assert hygiene(np.stack([kick(), kick(decay_s=0.05) + late])).swells == 0.5


def test_every_style_gives_kicks_that_can_be_told_apart():
    for style in STYLES:
        codes, names = synthesise(2, seed=4, style=style)
        assert names == [style, style]
        assert not np.array_equal(codes.flat()[0], codes.flat()[1])
    again = synthesise(2, seed=4, style="909")[0].flat()
    assert np.array_equal(again, synthesise(2, seed=4, style="909")[0].flat())
    with pytest.raises(ParameterError, match="choose one of"):
        synthesise(1, style="polka")


def test_synthesised_partials_above_200_hz_do_not_ring():
    codes, _ = synthesise(150, seed=12)
    level = np.exp(codes.log_a[:, 1:, 19])  # at 190 ms
    high = codes.log_f[:, 1:, 19] > np.log(300)
    assert (level[high] < 0.02).mean() > 0.97


def test_a_set_like_the_real_one_is_dense_and_covers_it_and_copies_are_found():
    from neurdsp.kick.judge.embedding import copies, density_and_coverage, energy_distance

    real, made, far = np.random.default_rng(0).standard_normal((3, 200, 8)).astype(np.float32)
    real, made, far = torch.from_numpy(real), torch.from_numpy(made), torch.from_numpy(far) + 9
    density, coverage = density_and_coverage(made, real)
    assert density == pytest.approx(1, abs=0.15)
    assert coverage > 0.9
    assert density_and_coverage(far, real) == (0, 0)
    assert energy_distance(made, real) < 0.1 < energy_distance(far, real)
    assert copies(made, real) < 0.1
    assert copies(real + 1e-4, real) == 1


def test_the_typical_kick_of_a_set_is_told_in_units():
    t = np.arange(88_200) / 44_100
    found = hygiene(np.stack([np.sin(2 * np.pi * hz * t) * np.exp(-t / 0.1) for hz in (50, 55, 60)]))
    assert found.pitch_hz == pytest.approx(55, rel=0.02)
    assert found.length_s == pytest.approx(0.1 * np.log(1e4) / 2, rel=0.05)
    assert found.click_db < -30
