"""Chunks: a network that changes nothing gives the recording back, of any length, without a seam."""

import numpy as np
import pytest
from neurdsp.drumsep.demix import Plan, demix
from neurdsp.errors import ParameterError

CHUNK = 1000
LENGTHS = [1, 7, 499, 500, 501, 999, 1000, 1001, 1499, 1500, 1501, 1999, 5000, 12_345]
PLANS = {
    "eight": Plan.overlapping(CHUNK, 8),
    "two": Plan.overlapping(CHUNK, 2),
    "one pass": Plan.one_pass(CHUNK),
    "zeros": Plan(CHUNK, CHUNK // 4, 0, reflects=False),
}


def noise(n_samples):
    return np.random.default_rng(n_samples).uniform(-1, 1, (2, n_samples)).astype(np.float32)


def batched(network):
    return lambda chunks: np.stack([network(chunk) for chunk in chunks])


def stems_of(network, audio, plan, n_stems=2, **options):
    return np.concatenate(list(demix(batched(network), audio, plan, n_stems, **options)), axis=2)


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("n_samples", LENGTHS)
def test_a_network_that_splits_gives_back_its_parts_at_full_length(plan, n_samples):
    audio = noise(n_samples)
    stems = stems_of(lambda x: np.stack([0.25 * x, -x]), audio, PLANS[plan])
    assert stems.shape == (2, 2, n_samples)
    assert np.abs(stems[0] - 0.25 * audio).max() < 1e-6
    assert np.abs(stems[1] + audio).max() < 2e-6


def reference(network, mix, n_overlaps):
    """The upstream demix, all in memory, with the fades where they belong."""
    step, fade = CHUNK // n_overlaps, CHUNK // 10
    border, n_samples = CHUNK - step, mix.shape[1]
    padded = n_samples > 2 * border > 0
    if padded:
        mix = np.pad(mix, ((0, 0), (border, border)), mode="reflect")
    result, counter = np.zeros((2, *mix.shape)), np.zeros(mix.shape[1])
    for start in range(0, mix.shape[1], step):
        part = mix[:, start : start + CHUNK]
        length = part.shape[1]
        mode = "reflect" if length > CHUNK // 2 else "constant"
        part = np.pad(part, ((0, 0), (0, CHUNK - length)), mode=mode)
        window = np.ones(CHUNK)
        if start > 0:
            window[:fade] = np.linspace(0, 1, fade)
        if start + step < mix.shape[1]:
            window[-fade:] = np.linspace(1, 0, fade)
        result[..., start : start + length] += network(part)[..., :length] * window[:length]
        counter[start : start + length] += window[:length]
    stems = result / counter
    return stems[..., border:-border] if padded else stems


def uneven(chunk):
    """A network whose output depends on the place in the chunk and on the chunk as a whole."""
    ramp = np.linspace(0.5, 1.5, chunk.shape[1], dtype=np.float32)
    return np.stack([chunk * ramp, chunk * np.abs(chunk).mean()])


@pytest.mark.parametrize("n_overlaps", [2, 4, 8])
@pytest.mark.parametrize("n_samples", [300, 501, 1000, 1001, 2500, 7777])
def test_the_chunks_are_those_of_the_upstream_program(n_overlaps, n_samples):
    audio = noise(n_samples)
    stems = stems_of(uneven, audio, Plan.overlapping(CHUNK, n_overlaps))
    wanted = reference(uneven, audio, n_overlaps)
    assert 10 * np.log10(np.sum((stems - wanted) ** 2) / np.sum(wanted**2) + 1e-30) < -120


def test_silent_chunks_are_not_run_and_stay_exactly_silent():
    audio, calls = noise(20_000), []
    audio[:, 6_000:14_000] = 0

    def counted(chunk):
        calls.append(chunk)
        assert chunk.any()
        return np.stack([chunk, chunk])

    plan = Plan.overlapping(CHUNK, 4)
    stems = stems_of(counted, audio, plan)
    assert (stems[..., 6_000:14_000] == 0).all()
    assert len(calls) <= plan.n_chunks(20_000) - 26
    assert (stems_of(counted, np.zeros((2, 5000), np.float32), plan) == 0).all()


def test_every_chunk_is_counted_and_an_exception_ends_the_work():
    plan, counted = Plan.overlapping(CHUNK, 4), []
    stems_of(uneven, noise(5000), plan, on_chunk=lambda: counted.append(1))
    assert len(counted) == plan.n_chunks(5000)

    def cancel():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stems_of(uneven, noise(5000), plan, on_chunk=cancel)


def test_what_is_held_does_not_grow_with_the_recording():
    widths = [part.shape[2] for part in demix(batched(uneven), noise(50_000), Plan.overlapping(CHUNK, 8), 2)]
    assert max(widths) <= CHUNK
    assert sum(widths) == 50_000


@pytest.mark.parametrize("n_overlaps", [-1, 0, 1, 1001])
def test_overlaps_that_leave_no_step_are_refused(n_overlaps):
    with pytest.raises(ParameterError, match=r"overlap|step"):
        Plan.overlapping(CHUNK, n_overlaps)
