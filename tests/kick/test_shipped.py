"""The generator that ships: words move what they measure, kicks end clean, and files have telling names."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from neurdsp.kick import KickGenerator
from neurdsp.kick.attributes import QUANTITIES, measure_all
from neurdsp.kick.code import KNOTS
from neurdsp.kick.judge.figures import hygiene

NAMES = [quantity.name for quantity in QUANTITIES]
N = 12


@pytest.fixture(scope="module")
def generator():
    return KickGenerator.load()


@pytest.fixture(scope="module")
def measured(generator):
    """What kicks of each word measure, and those of no word."""
    words = {word: measure_all(generator.generate([word], n=N, seed=3)) for word in generator.keywords}
    return words | {"": measure_all(generator.generate(n=2 * N, seed=4))}


def test_each_word_moves_its_quantity_and_nearly_always_past_its_threshold(generator, measured):
    held = {}
    spread = {each["name"]: each["sd"] for each in generator._config["quantities"]}
    for word in generator.keywords:
        name, side, at = generator.threshold(word)
        column = NAMES.index(name)
        moved = side * (np.median(measured[word][:, column]) - np.median(measured[""][:, column]))
        assert moved > 0.4 * spread[name], word
        held[word] = float((side * (measured[word][:, column] - at) > 0).mean())
    assert min(held.values()) >= 0.7, held
    assert np.mean(list(held.values())) > 0.9


def test_a_word_that_is_unwanted_hardly_ever_holds(generator):
    for word in ("distorted", "noisy", "clicky", "long"):
        name, side, at = generator.threshold(word)
        column = NAMES.index(name)
        kicks = generator.generate(negative=[word], n=N, seed=8)
        assert (side * (measure_all(kicks)[:, column] - at) > 0).mean() <= 0.2, word


def test_a_slider_sets_its_quantity(generator):
    low, high = (
        measure_all(generator.generate(n=N, seed=5, attributes={"pitch": at}))[:, NAMES.index("pitch")]
        for at in (0.2, 0.8)
    )
    assert np.median(high) - np.median(low) > np.log(1.5)


def test_kicks_end_at_zero_without_dc(generator):
    found = hygiene(generator.generate(["deep"], n=N, seed=1))
    assert found.last_sample == 0
    assert found.dc_median < 1e-3
    assert found.ripple_cents < 460


def test_kicks_swell_late_about_as_seldom_as_recordings(generator):
    found = hygiene(generator.generate(n=100, seed=9))
    assert found.swells <= 0.12


def test_no_level_of_a_generated_code_rises_late(generator):
    for kick in generator.generate_kicks(["boomy"], n=4, seed=2):
        late = kick.code.log_a[:, np.searchsorted(KNOTS, 0.0625) :]
        assert (np.diff(late, axis=1) <= 0).all()
        assert np.array_equal(kick.code.settled(0.0625).flat(), kick.code.flat())


@pytest.mark.parametrize("guidance", [1.0, 4.0, 8.0])
def test_guidance_keeps_the_peak_and_flattens_nothing(generator, guidance):
    for kick in generator.generate(["distorted"], n=4, seed=2, guidance=guidance):
        assert np.abs(kick).max() == pytest.approx(10 ** (-1 / 20), abs=1e-4)
        at_peak = np.abs(kick) > 0.999 * np.abs(kick).max()
        assert at_peak.sum() < 40


def test_the_kicks_of_the_plugins_presets_have_their_words(generator):
    presets = json.loads((Path(__file__).parents[2] / "plugin/presets/kick.json").read_text())
    assert len(presets) == 12
    for preset in presets:
        words, unwanted = preset["keywords"], preset.get("negative", [])
        assert not preset.get("attributes")
        (values,) = measure_all(generator.generate(words, negative=unwanted, seed=preset["seed"]))
        for word in [*words, *unwanted]:
            name, side, at = generator.threshold(word)
            holds = side * (values[NAMES.index(name)] - at) > 0
            assert holds == (word in words), (preset["name"], word)


def test_a_hundred_exports_have_a_hundred_names_that_say_what_they_are(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("kick", "generate", "deep", "punchy", "-n", 100, "--seed", 7, "--length", 0.2, "-o", "kicks")
    assert done.status == 0, done.err
    files = sorted(path.name for path in (tmp_path / "kicks").glob("*.wav"))
    assert files == [f"kick_deep-punchy_7_{k:02d}.wav" for k in range(100)]
    assert (tmp_path / "kicks/kick_deep-punchy_7_sheet.png").is_file()
    first, rate = soundfile.read(tmp_path / "kicks" / files[0])
    assert (len(first), rate) == (8820, 44_100)
    assert len({(tmp_path / "kicks" / name).read_bytes() for name in files}) == 100


def test_an_output_that_is_a_file_is_refused_in_one_line(run, tmp_path):
    (tmp_path / "a.wav").write_bytes(b"mine")
    done = run("kick", "generate", "deep", "-n", "1", "-o", "a.wav")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "output is 'a.wav', which is no folder" in done.err
    assert (tmp_path / "a.wav").read_bytes() == b"mine"
