"""The code of a kick: canonical form, packing, and the random numbers of its noise."""

import numpy as np
import pytest
from neurdsp.errors import ParameterError
from neurdsp.kick.code import CODE_SIZE, PACKED_SIZE, RANGES, SHAPES, KickCode
from neurdsp.kick.counted import kick_key, normal, split, uniform
from neurdsp.kick.synth import synthesise


@pytest.fixture(scope="module")
def codes():
    return synthesise(6, seed=3)[0]


def test_a_code_has_the_numbers_of_the_contract(codes):
    assert CODE_SIZE == 1805
    assert PACKED_SIZE == 1616
    assert codes.flat().shape == (6, 1805)
    assert codes.packed().shape == (6, 1616)


def test_flat_and_back_is_the_same_code(codes):
    back = KickCode.from_flat(codes.flat())
    assert all(np.array_equal(getattr(back, name), getattr(codes, name)) for name in SHAPES)


def test_packed_and_back_is_the_same_code_but_for_the_transient_beyond_64(codes):
    back = KickCode.from_packed(codes.packed())
    for name in ("log_f", "log_a", "drive", "bias", "low", "noise", "fine"):
        assert np.abs(getattr(back, name) - getattr(codes, name)).max() < 1e-5, name
    assert np.abs(np.exp(1j * back.phase) - np.exp(1j * codes.phase)).max() < 1e-5
    assert np.abs(back.transient[:, :64] - codes.transient[:, :64]).max() < 1e-5
    assert not back.transient[:, 64:].any()


def test_canonical_form_keeps_ranges_and_ends_in_silence():
    wild = KickCode.from_flat(np.full(CODE_SIZE, 1e6))
    for name, (low, high) in RANGES.items():
        assert getattr(wild, name).min() >= np.float32(low)
        assert getattr(wild, name).max() <= np.float32(high)
    assert (wild.log_a[:, -1] == -9).all()
    assert (wild.noise[-1] == -10).all()
    assert (wild.low[-1] == -10).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(value):
    numbers = KickCode.silent().flat()
    numbers[700] = value
    with pytest.raises(ParameterError, match="not finite"):
        KickCode.from_flat(numbers)


def test_another_size_is_refused_with_the_right_one():
    with pytest.raises(ParameterError, match="1805 numbers"):
        KickCode.from_flat(np.zeros(7))


def test_splitmix64_gives_its_published_numbers():
    # Vigna's reference, seed 1234567: the first output.
    assert split(1234567) == 6457827717110365317


def test_counted_numbers_are_uniform_and_do_not_depend_on_what_else_is_asked():
    key = kick_key(7, 0)
    numbers = uniform(key, 2, np.arange(200_000))
    assert abs(numbers.mean()) < 0.01
    assert abs(numbers.std() - 1) < 0.01
    assert np.abs(numbers).max() <= np.float32(np.sqrt(3))
    assert np.array_equal(uniform(key, 2, np.array([5, 77])), numbers[[5, 77]])
    assert not np.array_equal(uniform(key, 3, np.arange(4)), numbers[:4])
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 0.01


def test_normal_numbers_have_variance_one():
    numbers = normal(kick_key(0, 3), 200, 72)
    assert abs(numbers.std() - 1) < 0.02
    assert abs(numbers.mean()) < 0.02
