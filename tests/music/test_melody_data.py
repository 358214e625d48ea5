"""Melodies to learn from: ABC notation, songs on their beats, and variants that stay together."""

import numpy as np
import pytest
from neurdsp.errors import ConfigError
from neurdsp.music.dataset import Dataset
from neurdsp.music.harmony.sources import split_of
from neurdsp.music.melody import sources
from neurdsp.music.melody.abc_tunes import read_tunes
from neurdsp.music.melody.ngram import NGram
from neurdsp.music.melody.variants import groups_of
from neurdsp.music.pop909 import Song
from neurdsp.music.tasks import Sources

HEAD = "X:7\nT:Try\nM:{meter}\nL:1/8\nK:{key}\n"
FILL = "CDEF GABc|" * 3


def tune(body, *, meter="4/4", key="C"):
    return next(read_tunes(HEAD.format(meter=meter, key=key) + body), None)


def onsets(found):
    return [(at, int(token)) for at, token in enumerate(found.tokens) if token > 1]


def test_lengths_dots_triplets_and_ties_land_on_the_grid():
    found = tune("C2 D/E/ F>G (3ABc d-|d4 z4|" + FILL)
    assert onsets(found)[:9] == [
        (0, 60),
        (4, 62),
        (5, 64),
        (6, 65),
        (9, 67),
        (10, 69),
        (11, 71),
        (13, 72),
        (14, 74),
    ]
    # The tied note goes on over the bar line, and then it rests.
    assert found.tokens[14:32].tolist() == [74, *[1] * 9, *[0] * 8]


def test_keys_and_accidentals_hold_for_their_bar():
    found = tune("F ^F F =F|F _B, c' C,|" + FILL, key="G")
    assert [pitch for _, pitch in onsets(found)[:8]] == [66, 66, 66, 65, 66, 58, 84, 48]
    assert found.surroundings[0, 3:5].tolist() == [7, 0]
    assert tune(FILL, key="Ador").surroundings[0, 3:5].tolist() == [9, 1]
    assert [p for _, p in onsets(tune("CDEF GABc|" * 3, key="Ddor"))[:7]] == [60, 62, 64, 65, 67, 69, 71]


def test_a_pickup_ends_with_the_first_bar():
    found = tune("GA|" + "B2c2 d2e2|" * 3 + FILL)
    assert onsets(found)[0] == (12, 67)
    assert found.surroundings[12:18, 0].tolist() == [12, 13, 14, 15, 0, 1]


def test_a_change_of_meter_moves_the_bars():
    found = tune("CDE FGA|" * 2 + "[M:2/4]CD EF|" * 4 + "GA Bc|" * 2, meter="6/8")
    assert found.surroundings[0, 1:3].tolist() == [12, 1]
    assert found.surroundings[24, :3].tolist() == [0, 8, 0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "X:1\n",
        "X:1\nK:C\n",
        HEAD.format(meter="4/4", key="?") + FILL,
        HEAD.format(meter="0/0", key="C") + FILL,
    ]
    + [HEAD.format(meter="4/4", key="C") + body for body in ("CEG", "[CEG]4|" * 9, "C999|" * 20, "(9" * 99)],
)
def test_what_is_no_usable_tune_is_left_out(text):
    assert list(read_tunes(text)) == []


def test_any_text_is_read_without_an_exception():
    rng = np.random.default_rng(0)
    signs = np.array(list("ABCdefgz,'/2345|:[]()<>-^_={}\"!KML \n"))
    for _ in range(200):
        list(read_tunes(HEAD.format(meter="6/8", key="D") + "".join(rng.choice(signs, 400))))


def test_variants_stay_together_and_near_copies_are_left_out():
    rng = np.random.default_rng(1)
    first, other = (rng.integers(60, 75, 60).astype(np.uint8) for _ in range(2))
    related = np.concatenate([first[:30] + 2, other[:25] + 5]).astype(np.uint8)
    fourth = rng.integers(60, 75, 60).astype(np.uint8)
    assert groups_of([first, related, first + 7, fourth]) == [[0, 1], [3]]


def test_splits_are_by_name_and_of_a_tenth_each():
    found = [split_of(f"tune {number}") for number in range(3000)]
    shares = [found.count(split) / 3000 for split in ("train", "validation", "test")]
    assert np.abs(np.array(shares) - [0.8, 0.1, 0.1]).max() < 0.02


def song(**others):
    notes = np.array([[4.0 + at / 2, 4.4 + at / 2, 60 + at % 5] for at in range(40)])
    settings = {
        "name": "1",
        "notes": notes,
        "beats": 60,
        "meter": 4,
        "halves": np.arange(1, 60, 2),
        "downbeats": np.arange(1, 60, 4),
        "keys": [(0.0, 2, False), (10.0, 4, True)],
        "chords": [(5.0, 9.0, 10)],
    }
    return Song(**(settings | others))


def test_a_song_begins_with_the_bar_of_its_first_note_and_knows_key_and_chord():
    tokens, around = sources.song_melody(song())
    # The first note is on beat 4, the last of the bar that began on beat 1.
    assert tokens[:16].tolist() == [0] * 12 + [60, 1, 61, 1]
    assert around[:18, 0].tolist() == [*range(16), 0, 1]
    assert around[0].tolist() == [0, 16, 0, 2, 0, 255]
    assert around[40, 3:5].tolist() == [4, 1]
    assert around[16:32, 5].tolist() == [10] * 16


def test_long_rests_are_shortened_by_whole_bars():
    notes = song().notes.copy()
    notes[20:, :2] += 8 * 4
    tokens, around = sources.song_melody(song(notes=notes, beats=100, downbeats=np.arange(1, 100, 4)))
    short, _ = sources.song_melody(song())
    assert len(tokens) == len(short) + 16
    assert (np.diff(around[:, 0].astype(int)) % 16 == 1).all()


def test_without_music21_or_data_the_next_step_is_told(monkeypatch, tmp_path):
    (tmp_path / "readme.txt").write_text("nothing")
    with pytest.raises(ConfigError, match="no song such as"):
        sources.collect(Sources(pop909=tmp_path))


def test_the_ngram_is_a_distribution_and_learns():
    line = np.tile(np.array([60, 1, 62, 1], np.uint8), 20)
    likely = NGram([line]).probabilities(line)
    np.testing.assert_allclose(likely.sum(1), 1)
    assert -np.log2(likely[np.arange(80), line]).mean() < 0.4
    assert Dataset("melody", {}).task == "melody"


def test_the_task_hears_every_piece_in_c_major_or_a_minor():
    pytest.importorskip("torch")
    from neurdsp.music.melody.task import build
    from neurdsp.music.recipe import load_recipe

    rng = np.random.default_rng(4)
    line = np.where(rng.random(200) < 0.5, 1, rng.integers(60, 72, 200))
    around = np.tile(np.array([0, 16, 0, 0, 0, 5 * 7], np.uint8), (200, 1))
    arrays = {}
    for split in ("train", "validation", "test"):
        moved = [(line, around)]
        for up in (3, -5):  # Eb and G
            there = around.copy()
            there[:, 3], there[:, 5] = up % 12, (7 + up) % 12 * 5
            moved.append((np.where(line > 1, line + up, line), there))
        arrays[f"{split}.tokens"] = np.concatenate([tokens for tokens, _ in moved]).astype(np.uint8)
        arrays[f"{split}.surroundings"] = np.concatenate([part for _, part in moved])
        arrays[f"{split}.pieces"] = np.array([[at * 200, 200, 0] for at in range(len(moved))])
    task = build(Dataset("melody", arrays), load_recipe("melody", overrides=["data.chord=1", "data.key=1"]))
    before, conditions, after, weight = (part.numpy() for part in task.batch(0))
    whole = weight.sum(1) == 192
    assert whole.any()
    assert (after[whole] == line[:192]).all()
    assert (before[whole, 1:] == line[:191]).all()
    # C, and the tones of G.
    assert (conditions[whole][..., 33:46] == np.eye(13)[0]).all()
    assert (conditions[whole][..., 46:58].nonzero()[-1].reshape(-1, 3) == [2, 7, 11]).all()
