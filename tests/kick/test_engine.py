"""The engine against the renderer and the networks in NumPy, and the promises of kicks."""

import numpy as np
import pytest
from neurdsp import _core
from neurdsp.errors import ParameterError
from neurdsp.kick.counted import kick_key, normal
from neurdsp.kick.kick import Kick, blend, render_kicks, shift
from neurdsp.kick.reference import LAYERS, render
from neurdsp.kick.synth import STYLES, synthesise


@pytest.fixture(scope="module")
def kicks():
    codes = [synthesise(1, seed=6, style=style)[0].take(0) for style in STYLES]
    return [Kick(code, kick_key(3, i)) for i, code in enumerate(codes)]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sample_rate": 48_000, "length": 48_000, "tune": 5.0},
        {"sample_rate": 22_050, "length": 30_001, "decay": 1.7, "level": False},
        {"length": 150_000, "decay": 0.6},
        {"length": 64},
    ],
)
def test_the_engine_renders_what_the_reference_does(kicks, options):
    for kick in kicks[:: 1 if not options else 4]:
        audio = kick.render(**options)
        assert np.abs(audio - render(kick.code, kick.key, **options)).max() < 1e-4


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_alone_is_that_of_the_reference(kicks, layer):
    audio = kicks[5].render(level=False, layers=(layer,))
    assert np.abs(audio - render(kicks[5].code, kicks[5].key, level=False, layers=(layer,))).max() < 1e-4


def test_a_kick_is_the_same_alone_and_among_others_on_any_number_of_threads(kicks):
    alone = [kick.render() for kick in kicks[:4]]
    for n, threads in ((1, 1), (4, 1), (4, 2)):
        assert np.array_equal(render_kicks(kicks[:n], threads=threads), np.stack(alone[:n]))


def test_the_last_sample_is_zero_and_32_voices_end_at_zero(kicks):
    audio = render_kicks(kicks)
    assert (audio[:, -1] == 0).all()
    assert np.abs(audio.mean(axis=1)).max() < 1e-2
    voices = np.zeros(88_200 + 32 * 441)
    for k in range(32):
        voices[k * 441 : k * 441 + 88_200] += audio[k % len(audio)]
    assert voices[-441:].tolist()[-1] == 0


def test_counted_numbers_are_those_of_the_engine():
    assert _core.kick_key(7, 3) == kick_key(7, 3)
    assert _core.kick_key(2**63 - 1, 5) == kick_key(2**63 - 1, 5)
    assert normal(kick_key(7, 3), 2, 5).shape == (2, 5)


def test_edits_move_what_they_name_and_nothing_else(kicks):
    kick = kicks[2]
    louder = kick.edit(noise_db=6.0)
    assert np.array_equal(louder.code.log_f, kick.code.log_f)
    a, b = (one.render(level=False, layers=("noise",)) for one in (kick, louder))
    assert np.abs(b - 10 ** (6 / 20) * a).max() < 1e-3 * np.abs(a).max()
    tuned = kick.edit(tune=12.0)
    assert (
        np.abs(tuned.code.log_f - np.clip(kick.code.log_f + np.log(2), np.log(18), np.log(6000))).max() < 1e-5
    )
    assert np.array_equal(tuned.render(layers=("noise",)), kick.render(layers=("noise",)))


def test_a_glide_of_nothing_is_a_steady_pitch(kicks):
    steady = kicks[1].edit(glide=0.0).code.log_f[0]
    assert np.ptp(steady) < 1e-5


def test_a_blend_is_its_ends_at_its_ends_and_between_them_between(kicks):
    a, b = kicks[0], kicks[1]
    assert np.array_equal(blend(a, b, 0.0).render(), a.render())
    assert np.array_equal(blend(a, b, 1.0).render(), b.render())
    middle = blend(a, b, 0.5).code.log_f[0, 15]
    assert middle == pytest.approx((a.code.log_f[0, 15] + b.code.log_f[0, 15]) / 2, abs=1e-5)


def test_variations_differ_more_with_a_larger_amount(kicks):
    assert np.array_equal(shift(kicks[0], 0.0, 1, 0).render(), kicks[0].render())
    near, far = (
        np.abs(shift(kicks[0], amount, 1, 0).code.flat() - kicks[0].code.flat()).mean()
        for amount in (0.1, 1.0)
    )
    assert 0 < near < far
    assert np.array_equal(shift(kicks[0], 0.5, 1, 2).render(), shift(kicks[0], 0.5, 1, 2).render())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 10}, "length is 10"),
        ({"length": 10**7}, "length is"),
        ({"length": 1.5}, "whole number"),
        ({"sample_rate": 1}, "sample_rate is 1"),
        ({"tune": float("nan")}, "tune is nan"),
        ({"decay": 0.0}, "decay is 0"),
        ({"layers": ("bass",)}, "choose from"),
    ],
)
def test_values_out_of_range_are_refused_in_one_line(kicks, options, message):
    with pytest.raises(ParameterError, match=message) as error:
        kicks[0].render(**options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "option", [{"tune": 99.0}, {"decay": 0.0}, {"glide": -1.0}, {"click_db": float("nan")}]
)
def test_edits_out_of_range_are_refused(kicks, option):
    with pytest.raises(ParameterError, match="must be from"):
        kicks[0].edit(**option)
