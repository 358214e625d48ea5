"""A melody continued: its place in the file, its scale, its seed, its memory, and what is refused."""

import numpy as np
import pytest
from neurdsp import _core
from neurdsp.errors import ParameterError
from neurdsp.midi import NOTE, MidiFile
from neurdsp.music.melody.continuation import WEIGHTS_KEY, ContinueSettings, continue_midi

SIXTEENTH = 120


class Flat:
    """A network that knows nothing: all tokens are equally likely."""

    def __init__(self):
        self.inputs = []

    def reset(self):
        self.inputs.clear()

    def step(self, inputs):
        self.inputs.append(inputs)
        return np.zeros(128, np.float32)


def piece(pitches, *, steps=2, meter=(4, 4)):
    notes = np.zeros(len(pitches), NOTE)
    notes["start_ticks"] = np.arange(len(pitches)) * steps * SIXTEENTH
    notes["end_ticks"] = notes["start_ticks"] + steps * SIXTEENTH
    notes["pitch"], notes["velocity"] = pitches, 90
    return MidiFile.new(time_signatures=[(0, *meter)]).with_track(notes, name="Melody")


TUNE = piece([60, 62, 64, 65, 67, 65, 64, 62] * 3)


def test_it_begins_with_the_next_bar_and_stays_in_scale_and_range():
    result = continue_midi(
        TUNE, Flat(), settings=ContinueSettings(bars=6, memory=0, scale_lock=True, key="C")
    )
    assert (result.start_ticks, result.end_ticks) == (3 * 1920, 9 * 1920)
    notes = result.notes
    assert len(notes) > 20
    assert notes["start_ticks"].min() >= result.start_ticks
    assert notes["end_ticks"].max() <= result.end_ticks
    assert set(notes["pitch"] % 12) <= {0, 2, 4, 5, 7, 9, 11}
    assert 56 <= notes["pitch"].min() <= notes["pitch"].max() <= 71
    assert (result.midi.notes()[result.midi.notes()["track"] == 1] == TUNE.notes()).all()


def test_a_strong_memory_repeats_the_tune():
    settings = ContinueSettings(bars=2, memory=8, temperature=0)
    result = continue_midi(TUNE, Flat(), settings=settings)
    assert result.notes["pitch"].tolist() == [60, 62, 64, 65, 67, 65, 64, 62] * 2


def test_the_seed_decides():
    notes = [continue_midi(TUNE, Flat(), settings=ContinueSettings(seed=seed)).notes for seed in (1, 1, 2)]
    assert notes[0].tobytes() == notes[1].tobytes() != notes[2].tobytes()


def test_the_network_is_told_the_token_before_the_place_and_the_key():
    model = Flat()
    continue_midi(
        piece([60, 67, 64], steps=4, meter=(3, 4)), model, settings=ContinueSettings(bars=1, key="Am")
    )
    inputs = np.array(model.inputs)
    assert inputs.shape == (24, 65)
    assert inputs[:5, 0].tolist() == [0, 60, 1, 1, 1]
    assert inputs[:, 1:25].argmax(1).tolist() == [*range(12), *range(12)]
    # Twelve sixteenths, not compound; A, minor; no chord.
    assert np.flatnonzero(inputs[0, 1:]).tolist() == [0, 26, 42, 45]


def test_the_network_hears_c_and_the_file_stays_in_its_key():
    def heard(key, up):
        model = Flat()
        tune = piece(np.array([60, 67, 64]) + up, steps=4)
        settings = ContinueSettings(bars=1, key=key, temperature=0, memory=8)
        pitches = continue_midi(tune, model, settings=settings).notes["pitch"]
        return np.array(model.inputs), pitches

    (plain, pitches), (inputs, moved) = heard("C", 0), heard("Eb", 3)
    np.testing.assert_array_equal(inputs, plain)
    assert (moved == pitches + 3).all()


def test_weights_of_the_memory_come_from_the_model_file():
    def pitches(weight):
        metadata = {WEIGHTS_KEY: str([weight] * 17)}
        settings = ContinueSettings(bars=2, temperature=0)
        return continue_midi(TUNE, Flat(), settings=settings, metadata=metadata).notes["pitch"].tolist()

    assert pitches(1.0) == [60, 62, 64, 65, 67, 65, 64, 62] * 2
    assert pitches(0.0) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bars": 0}, "bars is 0"),
        ({"bars": 1000}, "bars is 1000"),
        ({"memory": -1.0}, "memory is -1"),
        ({"temperature": float("nan")}, "temperature is NaN"),
        ({"seed": -1}, "seed is -1"),
        ({"key": "X"}, "no key is called 'X'"),
        ({"track": 9}, "track is 9"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(settings, message):
    with pytest.raises(ParameterError, match=message):
        continue_midi(TUNE, Flat(), settings=ContinueSettings(**settings))


def test_damaged_weights_are_refused():
    with pytest.raises(ParameterError, match="no list of numbers"):
        continue_midi(TUNE, Flat(), metadata={WEIGHTS_KEY: "many"})
    with pytest.raises(ParameterError, match="17 numbers"):
        continue_midi(TUNE, Flat(), metadata={WEIGHTS_KEY: "[0.5]"})


def test_memory_and_grid_are_those_of_the_engine():
    tokens = _core.melody_tokens(np.array([0.0, 2.1]), np.array([1.8, 3.0]), np.array([60, 62], np.uint8), 4)
    assert tokens.tolist() == [60, 1, 62, 0]
    assert _core.melody_notes(tokens).tolist() == [[0, 2, 60], [2, 3, 62]]
    line = np.tile(np.array([60, 1, 62, 1], np.uint8), 8)
    likely, agreement = _core.melody_memory(line)
    np.testing.assert_allclose(likely.sum(1), 1, atol=1e-5)
    assert agreement[-1] == 27
    assert likely[-1, 1] > 0.9
