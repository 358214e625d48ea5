"""Sound for tunes: presets of a soundfont by fluidsynth, and a small additive synthesiser of our own."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from neurdsp.audio import read_audio
from neurdsp.errors import ConfigError
from neurdsp.midi import MidiFile
from neurdsp.music.emotion.tunes import TICKS

__all__ = ["PRESETS", "RATE_HZ", "patch_timbre", "play_patch", "play_preset"]

RATE_HZ = 22_050

#: Programs of General MIDI by split, each with how bright it is, from -1 to 1: a judgement, no measure.
PRESETS: dict[str, dict[int, float]] = {
    "train": {
        0: -0.2,
        1: 0.2,
        2: 0.1,
        5: 0.0,
        6: 0.7,
        8: 0.2,
        11: -0.5,
        12: -0.4,
        15: 0.5,
        16: 0.0,
        19: 0.3,
        20: 0.4,
        21: 0.5,
        22: 0.6,
        25: 0.1,
        26: -0.6,
        27: 0.1,
        29: 0.8,
        40: 0.5,
        41: 0.2,
        42: -0.1,
        45: -0.2,
        46: -0.4,
        48: 0.0,
        50: 0.3,
        52: -0.5,
        56: 0.9,
        58: -0.7,
        60: -0.6,
        61: 0.6,
        64: 0.4,
        65: 0.4,
        67: 0.2,
        69: 0.4,
        71: -0.2,
        72: -0.1,
        73: -0.7,
        75: -0.6,
        79: -0.9,
        80: 1.0,
        81: 1.0,
        88: -0.2,
    },
    "validation": {4: -0.4, 68: 0.6, 49: -0.1},
    "test": {24: -0.3, 57: 0.7, 74: -0.6},
}

_TICKS_PER_SECOND = 960
_TAIL_S = 0.5
_PARTIALS = 16


def play_preset(
    soundfont: Path,
    program: int,
    tunes: Sequence[tuple[NDArray[np.void], float]],
    *,
    seconds: float,
) -> list[NDArray[np.float32]]:
    """Play tunes one after another with a preset, without reverberation.

    Parameters
    ----------
    soundfont
        A file that fluidsynth reads.
    program
        Its preset, 0 to 127.
    tunes
        Notes, and beats a minute.
    seconds
        Length of a clip.

    Returns
    -------
    list of ndarray
        A clip each, mono at 22,050 Hz.

    Raises
    ------
    ConfigError
        If fluidsynth is missing or fails.
    """
    binary = shutil.which("fluidsynth")
    if binary is None:
        raise ConfigError("fluidsynth is not installed; install it (package fluidsynth) to render the cues")
    parts = []
    distance = seconds + _TAIL_S
    for number, (notes, tempo_bpm) in enumerate(tunes):
        placed = notes.copy()
        for key in ("start_ticks", "end_ticks"):
            at_s = np.minimum(notes[key] * 60 / (tempo_bpm * TICKS), seconds)
            placed[key] = np.rint((at_s + number * distance) * _TICKS_PER_SECOND)
        parts.append(placed[placed["end_ticks"] > placed["start_ticks"]])
    midi = MidiFile.new(ticks_per_quarter=480).with_track(np.concatenate(parts), programs={0: program})
    with TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.mid", Path(folder) / "out.wav"
        source.write_bytes(midi.to_bytes())
        command = [
            binary,
            "-ni",
            "-q",
            "-R",
            "0",
            "-C",
            "0",
            "-o",
            "synth.dynamic-sample-loading=1",
            "-g",
            "0.6",
            "-r",
            str(RATE_HZ),
        ]
        try:
            subprocess.run(
                [*command, "-F", str(target), str(soundfont), str(source)],
                check=True,
                capture_output=True,
                timeout=600,
            )
            audio, _ = read_audio(target)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            reason = str(error).splitlines()[0][:80]
            raise ConfigError(
                f"fluidsynth cannot render with '{soundfont}' ({reason}); try another"
            ) from None
    mono = np.atleast_2d(audio).mean(0)
    starts = [round(number * distance * RATE_HZ) for number in range(len(tunes))]
    length = round(seconds * RATE_HZ)
    mono = np.pad(mono, (0, max(0, starts[-1] + length - len(mono)))).astype(np.float32)
    return [mono[start : start + length] for start in starts]


def patch_timbre(patch: int) -> float:
    """Return how bright a patch of the synthesiser is, from -1 to 1."""
    return float(np.random.default_rng([7, patch]).uniform(-1, 1))


def play_patch(
    patch: int, notes: NDArray[np.void], tempo_bpm: float, *, seconds: float
) -> NDArray[np.float32]:
    """Play a tune with a patch of the synthesiser: partials that fall off with the number, louder ones less.

    Parameters
    ----------
    patch
        Its number; it decides timbre, attack, decay and the weight of even partials.
    notes, tempo_bpm
        The tune.
    seconds
        Length of the clip.

    Returns
    -------
    ndarray of float32
        Mono at 22,050 Hz.
    """
    timbre = patch_timbre(patch)
    rng = np.random.default_rng([8, patch])
    attack_s = float(np.exp(rng.uniform(np.log(0.003), np.log(0.06))))
    decay_s = float(np.exp(rng.uniform(np.log(0.4), np.log(6.0))))
    even = float(rng.uniform(0.2, 1.0))
    release_s = float(rng.uniform(0.03, 0.15))
    number = np.arange(1, _PARTIALS + 1)
    clip = np.zeros(round(seconds * RATE_HZ), np.float64)
    to_s = 60 / (tempo_bpm * TICKS)
    for note in notes:
        start = round(float(note["start_ticks"]) * to_s * RATE_HZ)
        if start >= len(clip):
            continue
        held_s = float(note["end_ticks"] - note["start_ticks"]) * to_s
        time_s = np.arange(min(round((held_s + 4 * release_s) * RATE_HZ), len(clip) - start)) / RATE_HZ
        loud = float(note["velocity"]) / 127
        frequency = 440 * 2 ** ((int(note["pitch"]) - 69) / 12)
        shown = number[number * frequency < 0.45 * RATE_HZ]
        slope = 1.6 - 0.7 * timbre + 1.2 * (1 - loud)
        weight = shown**-slope * np.where(shown % 2 == 0, even, 1.0)
        # Partials are polynomials of one rotation: cheaper than a sine each.
        rotation = np.exp(2j * np.pi * frequency * time_s)
        wave = np.polyval([*weight[::-1], 0.0], rotation).imag
        envelope = np.minimum(time_s / attack_s, 1) * np.exp(-time_s / decay_s)
        envelope *= np.exp(-np.maximum(time_s - held_s, 0) / release_s)
        clip[start : start + len(time_s)] += 0.12 * loud**2 * envelope * wave / weight.sum()
    return clip.astype(np.float32)
