"""The capture recipe makes the same signal every time, and the signal asks everything of a device."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

RATE = 48_000


@pytest.fixture(scope="module")
def score(import_run: Callable[[str], ModuleType]) -> ModuleType:
    return import_run("guitar_score")


@pytest.fixture(scope="module")
def signal(import_run: Callable[[str], ModuleType]) -> ModuleType:
    return import_run("capture_signal")


@pytest.mark.parametrize(
    ("style", "digest"),
    [
        ("strum", "c4bb9dd777a7a6b5"),
        ("power", "a1ef23d7a9e33586"),
        ("arpeggio", "7b882d30d74c88f8"),
        ("lead", "95763b4b3680da30"),
        ("bass", "704ce733a03d0921"),
    ],
)
def test_a_part_is_the_same_bytes_on_every_machine(score: ModuleType, style: str, digest: str) -> None:
    notes, bends = score.part(style, seed=5, seconds=6.0)
    midi = score.midi_bytes(notes, bends, program=27)
    assert hashlib.sha256(midi).hexdigest()[:16] == digest


def test_another_seed_gives_another_part(score: ModuleType) -> None:
    assert score.part("lead", seed=1, seconds=6.0) != score.part("lead", seed=2, seconds=6.0)


@pytest.mark.parametrize("style", ["strum", "power", "arpeggio", "lead", "bass"])
@pytest.mark.parametrize("seed", range(20))
def test_every_note_can_be_encoded_and_starts_in_time(score: ModuleType, style: str, seed: int) -> None:
    notes, bends = score.part(style, seed=seed, seconds=5.0, root=52, scale="dorian")
    assert len(notes) >= 5
    for note in notes:
        assert 0 <= note.start_ms < 5100
        assert note.length_ms > 0
        assert 20 <= note.pitch <= 96
        assert 1 <= note.velocity <= 127
    assert all(-8192 <= bend.wheel <= 8191 for bend in bends)


def test_an_unknown_style_is_refused_with_the_choices(score: ModuleType) -> None:
    with pytest.raises(ValueError, match="'slap'; choose one of strum"):
        score.part("slap", seed=1, seconds=1.0)


def test_midi_times_use_variable_length_numbers(score: ModuleType) -> None:
    midi = score.midi_bytes([score.Note(0, 200, 64, 100)], [], program=27)
    assert midi.startswith(b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x01\xf4MTrk")
    # 200 ms after the start: 0x81 0x48 is 200 in seven-bit groups.
    assert midi.endswith(b"\x00\x90\x40\x64\x81\x48\x80\x40\x00\x00\xff\x2f\x00")


def test_the_synthetic_signal_is_deterministic_and_safe(signal: ModuleType) -> None:
    first, second = signal.synthetic_signal(), signal.synthetic_signal()
    assert np.array_equal(first, second)
    assert first.dtype == np.float32
    assert len(first) == round(43.0 * RATE)
    assert np.abs(first).max() <= 1.0
    assert abs(float(first.mean())) < 1e-3
    assert np.flatnonzero(first[: int(1.4 * RATE)]).tolist() == [RATE // 2, RATE]


def test_the_synthetic_signal_covers_the_band_and_the_levels(signal: ModuleType) -> None:
    audio = signal.synthetic_signal().astype(np.float64)
    frames = audio[: len(audio) // 4800 * 4800].reshape(-1, 4800)
    level = 20 * np.log10(np.sqrt(np.mean(frames**2, axis=1)) + 1e-9)
    for low in range(-60, 0, 10):
        assert np.mean((level >= low) & (level < low + 10)) > 0.01, (
            f"no frame between {low} and {low + 10} dBFS"
        )
    power = np.abs(np.fft.rfft(audio)) ** 2
    for band_hz in (40, 80, 160, 320, 640, 1280, 2560, 5120, 10240):
        first, last = (round(edge * len(audio) / RATE) for edge in (band_hz, 2 * band_hz))
        assert power[first:last].sum() / power.sum() > 0.005, f"too little energy from {band_hz} Hz"


needs_fluidsynth = pytest.mark.skipif(
    shutil.which("fluidsynth") is None or not Path("/usr/share/sounds/sf2/FluidR3_GM.sf2").is_file(),
    reason="needs fluidsynth and fluid-soundfont-gm",
)


@needs_fluidsynth
def test_the_riff_sounds_the_same_twice_and_peaks_at_minus_nine(signal: ModuleType) -> None:
    first, second = signal.clip_signal(), signal.clip_signal()
    assert np.array_equal(first, second)
    assert len(first) == 7 * RATE
    assert 20 * np.log10(np.abs(first).max()) == pytest.approx(-9.0, abs=0.01)
