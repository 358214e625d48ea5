"""Humanising and reshaping of MIDI files: what moves, what stays, and the errors."""

import json

import numpy as np
import pytest
from neurdsp.errors import ParameterError
from neurdsp.midi import NOTE, MidiFile
from neurdsp.music.dynamics.reshape import reshape_midi
from neurdsp.music.groove.humanise import VOICES, Feel, humanise_midi

TABLE = [round(6 * (index / 2 - 3), 2) for index in range(13)]
QUANTILES = [[TABLE] * 9] * 2
RESIDUALS = json.dumps({"offset_ms": QUANTILES, "velocity": QUANTILES, "shared": 0.4, "persistence": 0.6})


class Still:
    """A network that says nothing, with a drummer's chance."""

    def __init__(self, outputs=32, value=0.0):
        self.outputs, self.value = outputs, value
        self.metadata = {"groove.residuals": RESIDUALS}

    def step(self, inputs):
        return np.full((len(inputs), self.outputs), self.value, np.float32)


def notes(rows, *, channel=9, length=60):
    found = np.zeros(len(rows), NOTE)
    for place, (tick, pitch, velocity) in enumerate(rows):
        found[place] = (tick, tick + length, pitch, velocity, channel, 0)
    return found


def beat(*, meter=(4, 4), steps=64, step=120):
    """A beat, with a bass, a conga and a tambourine beside it."""
    rows = [(number * step, 42, 80) for number in range(steps)]
    rows += [(number * step, 38 if number % 8 == 4 else 36, 100) for number in range(0, steps, 4)]
    midi = MidiFile.new(time_signatures=[(0, *meter)]).with_track(
        notes([*rows, (0, 63, 99), (250, 64, 77)]), length_ticks=steps * step + 480
    )
    return midi.with_track(notes([(0, 40, 90), (480, 43, 90)], channel=0))


def by_voice(midi, pitches):
    found = midi.notes()
    return found[np.isin(found["pitch"], pitches) & (found["channel"] == 9)]


def test_amount_zero_gives_the_file_back_byte_for_byte():
    for midi in (beat(), beat(meter=(3, 4)), beat(meter=(7, 8)), beat(step=160)):
        played = humanise_midi(midi, Still(), Feel(amount=0.0))
        assert played.midi.to_bytes() == midi.to_bytes()
        assert (played.n_moved, played.latency_ms) == (0, 0.0)


def test_notes_that_are_no_drums_of_a_kit_stay_as_they_are():
    midi = beat()
    played = humanise_midi(midi, Still(), Feel()).midi
    for before, after in ((midi.notes(), played.notes()),):
        kit = np.isin(before["pitch"], (36, 38, 42)) & (before["channel"] == 9)
        # The order may differ: compare the rest as sets of rows.
        assert sorted(before[~kit].tolist()) == sorted(
            after[~(np.isin(after["pitch"], (36, 38, 42)) & (after["channel"] == 9))].tolist()
        )
    assert played.end_ticks == midi.end_ticks
    assert played.tempo_map.ticks.tolist() == midi.tempo_map.ticks.tolist()
    assert played.time_signatures == midi.time_signatures


@pytest.mark.parametrize("meter", [(4, 4), (3, 4), (7, 8)])
def test_hits_stay_near_their_steps_and_keep_their_lengths(meter):
    midi = beat(meter=meter)
    before, after = (by_voice(one, [42]) for one in (midi, humanise_midi(midi, Still(), Feel()).midi))
    moved = after["start_ticks"] - before["start_ticks"]
    assert 3 < np.abs(moved).max() < 60
    assert np.abs(np.mean(moved)) < 6
    whole = after["start_ticks"] > 0
    lengths = (after["end_ticks"] - after["start_ticks"])[whole]
    assert np.all(lengths <= 60)
    assert np.median(lengths) == 60
    assert np.all(np.diff(after["start_ticks"]) > 0)


def test_a_seed_repeats_itself_and_tightness_takes_chance_away():
    midi = beat()
    one, same, other = (humanise_midi(midi, Still(), Feel(seed=seed)).midi for seed in (1, 1, 2))
    assert one.to_bytes() == same.to_bytes() != other.to_bytes()
    tight = humanise_midi(midi, Still(), Feel(tightness=1.0, seed=5)).midi
    assert np.array_equal(by_voice(tight, [42])["start_ticks"], by_voice(midi, [42])["start_ticks"])


def test_lean_moves_all_hits_by_its_milliseconds():
    # At 120 quarter notes a minute a tick of 480 is 25/24 ms.
    midi = beat()
    late = humanise_midi(midi, Still(), Feel(tightness=1.0, lean_ms=25.0)).midi
    assert np.all(by_voice(late, [42])["start_ticks"] - by_voice(midi, [42])["start_ticks"] == 24)
    early = humanise_midi(midi, Still(), Feel(tightness=1.0, lean_ms=-25.0))
    assert by_voice(early.midi, [42])["start_ticks"][0] == 0
    assert early.latency_ms == pytest.approx(25.0, abs=0.6)
    live = humanise_midi(midi, Still(), Feel(lean_ms=-25.0, late_only=True))
    assert live.latency_ms == 0


def test_a_locked_voice_stays_and_an_unknown_one_is_refused():
    midi = beat()
    played = humanise_midi(midi, Still(), Feel(lock=["closed_hat"])).midi
    assert np.array_equal(by_voice(played, [42]), by_voice(midi, [42]))
    assert not np.array_equal(by_voice(played, [36]), by_voice(midi, [36]))
    with pytest.raises(ParameterError, match=f"must be one of {VOICES[0]}"):
        humanise_midi(midi, Still(), Feel(lock=["gong"]))


def test_a_reference_is_followed_without_any_network():
    dragged = MidiFile.new().with_track(
        notes([(step * 120 + 20, 42, 60 + 60 * (step % 2)) for step in range(32)])
    )
    midi = beat()
    played = humanise_midi(midi, None, Feel(), reference=dragged).midi
    before, after = by_voice(midi, [42]), by_voice(played, [42])
    assert np.mean(after["start_ticks"] - before["start_ticks"]) == pytest.approx(20, abs=2)
    assert np.mean(after["velocity"][1::2]) - np.mean(after["velocity"][::2]) > 40


@pytest.mark.parametrize(
    ("feel", "said"),
    [
        ({"amount": 1.5}, "amount is 1.5"),
        ({"tightness": -1}, "tightness is -1"),
        ({"lean_ms": 80}, "lean is 80"),
        ({"accents": float("nan")}, "accents is NaN"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_knobs_out_of_range_are_named(feel, said):
    with pytest.raises(ParameterError, match=said):
        humanise_midi(beat(), Still(), Feel(**feel))


def test_a_file_without_drums_says_where_its_notes_are():
    midi = MidiFile.new().with_track(notes([(0, 60, 90)], channel=2))
    with pytest.raises(ParameterError, match=r"no notes on channel 10 \(channels with notes: 3\)"):
        humanise_midi(midi, Still(), Feel())


def test_velocities_are_reshaped_and_nothing_else_changes():
    class Accents(Still):
        def step(self, inputs):
            found = np.full((len(inputs), 16), 0.5, np.float32)
            found[:, ::4] = 0.7
            return found + 0.1 * inputs[:, 1:2]

    midi = beat()
    shaped = reshape_midi(midi, Accents())
    before, after = midi.notes(), shaped.midi.notes()
    for name in ("start_ticks", "end_ticks", "pitch", "channel", "track"):
        assert np.array_equal(before[name], after[name])
    hats = by_voice(shaped.midi, [42])["velocity"].astype(int)
    assert hats[0] - hats[1] == 25
    assert shaped.spread_after >= shaped.spread_before - 0.5
    assert reshape_midi(midi, Accents(), amount=0.0).midi.to_bytes() == midi.to_bytes()
    louder = by_voice(reshape_midi(midi, Accents(), arousal=1.0).midi, [42])["velocity"]
    assert np.mean(louder) - np.mean(hats) == pytest.approx(12.7, abs=1)
    with pytest.raises(ParameterError, match="arousal is 2"):
        reshape_midi(midi, Accents(), arousal=2.0)
