"""Changes of the pieces of a kit: they do what their numbers say, and stay the same within a mixture."""

import numpy as np
import pytest
from neurdsp.drumsep.data.config import RenderConfig, TimbreConfig
from neurdsp.drumsep.data.plates import draw_plate
from neurdsp.drumsep.data.players import Event, Player
from neurdsp.drumsep.data.recordings import SAMPLE_RATE
from neurdsp.drumsep.data.render import Renderer
from neurdsp.drumsep.data.timbre import Timbre, bell, draw_timbre, shelf
from scipy import signal

STILL = TimbreConfig(borrow=0.0, layer=0.0, change=1.0, attack_db=0, decay_db=0, equaliser_db=0, semitones=0)


def plain(**changes):
    numbers = {"semitones": 0.0, "damping_db": 0.0, "attack_db": 0.0, "attack_s": 0.01, "drive": 0.0}
    return Timbre(**(numbers | {"filters": np.zeros((0, 6), np.float32), "reflections": ()} | changes))


def gain_db(section, hertz):
    response = signal.sosfreqz(np.array([section]), worN=np.array([hertz]), fs=SAMPLE_RATE)[1]
    return 20 * np.log10(np.abs(response[0]))


def level_db(x):
    return 10 * np.log10(np.mean(np.square(x, dtype=np.float64)) + 1e-30)


@pytest.mark.parametrize("db", [-9.0, 6.0])
def test_shelves_and_bells_have_their_gain_where_they_should(db):
    assert gain_db(bell(1000, db, 1.0), 1000) == pytest.approx(db, abs=1e-6)
    assert gain_db(bell(1000, db, 1.0), 20) == pytest.approx(0, abs=0.02)
    assert gain_db(shelf(200, db, high=False), 2) == pytest.approx(db, abs=0.01)
    assert gain_db(shelf(200, db, high=False), 15_000) == pytest.approx(0, abs=0.01)
    assert gain_db(shelf(5000, db, high=True), 20) == pytest.approx(0, abs=0.01)
    assert gain_db(shelf(5000, db, high=True), 22_000) == pytest.approx(db, abs=0.01)


def test_a_stroke_an_octave_higher_is_half_as_long_and_twice_as_fast():
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    sine = (10_000 * np.sin(2 * np.pi * 441 * time)).astype(np.int16)[None]
    found = plain(semitones=12.0).shaped(sine)
    assert found.shape[-1] == pytest.approx(SAMPLE_RATE / 2, abs=2)
    spectrum = np.abs(np.fft.rfft(found[0, :22_000]))
    assert np.argmax(spectrum) * SAMPLE_RATE / 22_000 == pytest.approx(882, abs=3)


def test_decay_and_attack_are_gains_at_the_end_and_at_the_beginning():
    ones = np.ones((2, SAMPLE_RATE), np.float32)
    found = plain(damping_db=20.0, attack_db=6.0, attack_s=0.01).shaped(ones)
    assert 20 * np.log10(found[0, 0]) == pytest.approx(6.0, abs=0.01)
    assert 20 * np.log10(found[1, -1]) == pytest.approx(-20.0, abs=0.01)
    assert 20 * np.log10(plain(damping_db=-60.0).shaped(ones)[0, -1]) == pytest.approx(10.0, abs=0.01)


def test_colour_keeps_the_peak_and_reflections_come_when_they_should():
    click = np.zeros((1, 4000), np.float32)
    click[0, 100] = 0.5
    found = plain(reflections=((300, 0.5),)).coloured(click)
    assert np.flatnonzero(found[0]).tolist() == [100, 400]
    assert found[0, 400] == pytest.approx(0.25, rel=1e-5)
    noise = np.random.default_rng(0).standard_normal((2, 9000)).astype(np.float32)
    changed = draw_timbre(np.random.default_rng(1), TimbreConfig(change=1.0, saturate=1.0, reflections=1.0))
    coloured = changed.coloured(noise)
    assert np.abs(coloured).max() == pytest.approx(np.abs(noise).max(), rel=1e-4)
    assert level_db(coloured - noise) > level_db(noise) - 20


def test_a_piece_keeps_its_change_and_another_mixture_has_another(bank):
    kit, config = (
        bank.of("train")[0],
        TimbreConfig(change=1.0, borrow=0.0, layer=0.0, saturate=0.0, reflections=0.0),
    )
    events = [Event(0.1, "tom_low", 1.0), Event(1.3, "tom_low", 1.0)]

    def play(seed, timbre):
        rng = np.random.default_rng(seed)
        player = Player(kit, rng, channels=1, human=False, timbre=timbre, others=[kit])
        return player.stem(events, 3 * SAMPLE_RATE, SAMPLE_RATE)[0]

    first, gap = play(0, config), round(1.3 * SAMPLE_RATE) - round(0.1 * SAMPLE_RATE)
    at = round(0.1 * SAMPLE_RATE)
    one, two = first[at : at + 30_000], first[at + gap : at + gap + 30_000]
    assert level_db(one - two) < level_db(one) - 60
    assert np.array_equal(first, play(0, config))
    assert level_db(first - play(1, config)) > level_db(first) - 20
    # With strengths of zero a piece sounds as it was recorded.
    still = play(0, STILL.model_copy(update={"saturate": 0.0, "reflections": 0.0}))
    assert level_db(still - play(0, None)) < level_db(still) - 100


def test_borrowed_and_layered_pieces_come_from_other_kits(bank):
    kit, other = bank.of("train")[0], bank.of("test")[0]
    events = [Event(0.0, "snare", 1.0)]

    def play(**chances):
        config = TimbreConfig(**({"change": 0.0, "borrow": 0.0, "layer": 0.0} | chances))
        rng = np.random.default_rng(0)
        player = Player(kit, rng, channels=1, human=False, timbre=config, others=[other])
        return player.stem(events, SAMPLE_RATE, SAMPLE_RATE)[0]

    def alone(which):
        player = Player(which, np.random.default_rng(0), channels=1, human=False)
        return player.stem(events, SAMPLE_RATE, SAMPLE_RATE)[0]

    own, theirs = alone(kit), alone(other)
    assert np.array_equal(play(), own)
    assert np.array_equal(play(borrow=1.0), theirs)
    added = play(layer=1.0) - own
    gain = np.dot(added, theirs) / np.dot(theirs, theirs)
    assert 0.2 < gain < 1.1
    assert level_db(added - gain * theirs) < level_db(added) - 60


def test_a_plain_set_plays_kits_as_they_were_recorded(bank):
    config = RenderConfig(timbre=TimbreConfig(change=1.0, layer=1.0, borrow=1.0))
    changed, untouched = (Renderer(bank, "validation", one.plain()) for one in (config, RenderConfig()))
    assert np.array_equal(changed.clip(0, seconds=0.5).stems, untouched.clip(0, seconds=0.5).stems)


@pytest.mark.parametrize("seed", range(3))
def test_a_plate_is_bright_at_first_and_ends_in_time(seed):
    stroke = draw_plate(np.random.default_rng(seed), 0.3, longest_s=1.0)(1.0)
    assert len(stroke) == SAMPLE_RATE
    early, late = (np.abs(np.fft.rfft(stroke[at : at + 8192])) ** 2 for at in (1000, 30_000))
    centre = [np.sum(part * np.arange(len(part))) / np.sum(part) for part in (early, late)]
    assert centre[1] < centre[0]
    assert level_db(stroke[30_000:]) < level_db(stroke[1000:9000]) - 6
