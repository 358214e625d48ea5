"""Chords for a melody: half bars, plans, locks, voices, and what is refused."""

import numpy as np
import pytest
from neurdsp.errors import ParameterError
from neurdsp.midi import NOTE, MidiFile
from neurdsp.music.harmony.harmonise import (
    CHORDS,
    PlanSettings,
    chord_number,
    half_bars,
    harmonise_midi,
)

QUARTER = 480


def melody(pitches, *, quarters=1, meters=((0, 4, 4),), channel=0):
    notes = np.zeros(len(pitches), NOTE)
    notes["start_ticks"] = np.arange(len(pitches)) * quarters * QUARTER
    notes["end_ticks"] = notes["start_ticks"] + quarters * QUARTER
    notes["pitch"], notes["velocity"], notes["channel"] = pitches, 90, channel
    return MidiFile.new(time_signatures=meters).with_track(notes, name="Melody")


def longest(features):
    """Prefer the triad on the pitch class that sounds longest, and a little the chord before."""
    likely = np.full((len(features), 64), 0.01, np.float32)
    likely[:, 0:60:5] += features[:, :12] + 0.3 * features[:, 65:77]
    return likely / likely.sum(1, keepdims=True)


def test_each_half_bar_gets_the_chord_that_the_network_prefers_and_voices_that_hold_it():
    result = harmonise_midi(melody([60, 60, 65, 65, 67, 67, 60, 60]), longest)
    assert [half.chord for half in result.half_bars] == ["C", "F", "G", "C"]
    assert [(half.bar, half.start_ticks) for half in result.half_bars] == [
        (1, 0),
        (1, 960),
        (2, 1920),
        (2, 2880),
    ]
    for half in result.half_bars:
        tones = {(root + step) % 12 for root in [half.pitches[0] % 12] for step in (0, 4, 7)}
        assert {pitch % 12 for pitch in half.pitches} == tones
        assert len(half.suggestions) == 3
        assert half.suggestions[0].chord == half.chord
    assert (result.key, result.coverage) == ("C", 1.0)
    assert result.change_rate == 1.0


def test_the_file_keeps_its_notes_and_gains_a_track_that_ends_with_the_last_bar():
    before = melody([60, 62, 64, 65, 67])
    after = harmonise_midi(before, longest).midi
    assert after.track_names[-1] == "Chords"
    old = after.notes()[after.notes()["track"] != after.n_tracks - 1]
    assert (old == before.notes()).all()
    added = after.notes()[after.notes()["track"] == after.n_tracks - 1]
    assert added["end_ticks"].max() == 2 * 4 * QUARTER
    assert set(added["channel"]) == {1}


def test_locked_chords_stay_and_a_chord_that_goes_on_is_one_note():
    result = harmonise_midi(melody([60] * 8), longest, locks={2: "F#m7"})
    assert [half.chord for half in result.half_bars] == ["C", "Gbm7", "C", "C"]
    notes = result.midi.notes()
    bass = notes[(notes["channel"] == 1) & (notes["pitch"] % 12 == 0) & (notes["pitch"] < 52)]
    assert (bass["end_ticks"] - bass["start_ticks"]).tolist() == [960, 1920]


def test_the_chord_changes_about_as_often_as_asked():
    line = melody([60, 60, 64, 64, 62, 62, 67, 67] * 8)
    rates = [
        harmonise_midi(line, longest, settings=PlanSettings(change_rate=rate)).change_rate
        for rate in (0.1, 0.9)
    ]
    assert rates[0] < 0.3
    assert rates[1] > 0.8


def test_a_melody_in_another_key_gets_the_same_chords_there():
    line = [60, 60, 65, 67, 69, 65, 60, 62, 64, 60]
    here, there = (
        harmonise_midi(melody([p + by for p in line]), longest, key=key) for by, key in ((0, "C"), (3, "Eb"))
    )
    moved = [CHORDS[(chord_number(half.chord) + 15) % 60] for half in here.half_bars]
    assert [half.chord for half in there.half_bars] == moved


def test_half_bars_follow_the_meters():
    bars = melody([60] * 12, meters=((0, 3, 4), (3 * QUARTER, 4, 4), (7 * QUARTER, 2, 4)))
    bounds, downbeats, numbers = half_bars(bars, 12 * QUARTER)
    assert (bounds // QUARTER).tolist() == [0, 3, 5, 7, 9, 11, 13]
    assert downbeats.tolist() == [True, True, False, True, True, True]
    assert numbers.tolist() == [0, 1, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"key": "H"}, "no key is called 'H'"),
        ({"locks": {1: "Cmaj9"}}, "no chord is called 'Cmaj9'"),
        ({"locks": {99: "C"}}, "half bar 99 is locked, but there are 2"),
        ({"track": 7}, "track is 7"),
        ({"velocity": 0}, "velocity is 0"),
        ({"settings": PlanSettings(change_rate=1.5)}, "change_rate is 1.5"),
        ({"settings": PlanSettings(suggestions=0)}, "suggestions is 0"),
        ({"settings": PlanSettings(beam=1000)}, "beam is 1000"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(options, message):
    with pytest.raises(ParameterError, match=message):
        harmonise_midi(melody([60] * 4), longest, **options)


def test_a_file_without_a_melody_is_refused_and_a_fault_of_the_model_comes_through():
    with pytest.raises(ParameterError, match="no notes but drums"):
        harmonise_midi(melody([36] * 4, channel=9), longest)
    with pytest.raises(ZeroDivisionError):
        harmonise_midi(melody([60]), lambda features: features / 0 if False else 1 // 0)
    with pytest.raises(ParameterError, match="must give"):
        harmonise_midi(melody([60]), lambda features: features)
