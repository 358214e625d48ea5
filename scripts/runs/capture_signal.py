"""The signal that captured the shipped ts9, and the held-out test signal, from fixed seeds.

``train`` lasts about three minutes: blips, sweeps, noise, tones and multisines at many levels, then guitar
and bass by fluidsynth. ``test`` is other parts, in another scale, on a guitar that ``train`` does not use.
``clip`` is the short riff that comes with the package. All are mono at 48 kHz::

    python scripts/runs/capture_signal.py train -o runs/ts9/train_dry.wav
"""

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from guitar_score import Bend, Note, Style, midi_bytes, part
from numpy.typing import NDArray

__all__ = [
    "SAMPLE_RATE",
    "SOUND_FONT",
    "clip_signal",
    "play",
    "synthetic_signal",
    "test_signal",
    "training_signal",
]

SAMPLE_RATE = 48_000
SOUND_FONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
Signal = NDArray[np.float32]

NYLON, STEEL, JAZZ, CLEAN, MUTED, BASS = 24, 25, 26, 27, 28, 33  # General MIDI programs, from 0


@dataclass(frozen=True)
class Section:
    """One section of playing: instrument, style, seed, peak level, key and tempo."""

    program: int
    style: Style
    seed: int
    peak_dbfs: float
    root: int = 40
    beats_per_minute: int = 110
    seconds: float = 6.0


# Every instrument plays loud and soft. The last sections, which a trainer uses for validation, are as varied
# as the others, with seeds of their own.
_TRAINING = (
    Section(CLEAN, "strum", 101, -3.0),
    Section(CLEAN, "lead", 102, -6.0, 45, 120),
    Section(MUTED, "power", 103, -3.0, 40, 140),
    Section(STEEL, "arpeggio", 104, -12.0, 43, 90),
    Section(CLEAN, "power", 105, -1.0, 40, 130),
    Section(NYLON, "arpeggio", 106, -9.0, 45, 80),
    Section(BASS, "bass", 107, -6.0, 40, 100),
    Section(STEEL, "strum", 108, -6.0, 42, 115),
    Section(CLEAN, "lead", 109, -18.0, 40, 100),
    Section(CLEAN, "arpeggio", 110, -6.0, 47, 95),
    Section(MUTED, "lead", 111, -9.0, 40, 125),
    Section(STEEL, "power", 112, -3.0, 45, 150),
    Section(CLEAN, "strum", 113, -15.0, 43, 105),
    Section(NYLON, "lead", 114, -4.0, 52, 110),
    Section(CLEAN, "power", 115, -9.0, 43, 120),
    Section(STEEL, "lead", 116, -12.0, 47, 135),
    Section(CLEAN, "arpeggio", 117, -24.0, 40, 85),
    Section(CLEAN, "lead", 118, -3.0, 52, 140),
    Section(MUTED, "power", 119, -10.0, 41, 110),
    Section(CLEAN, "strum", 120, -8.0, 45, 125),
    Section(STEEL, "arpeggio", 121, -4.0, 40, 100),
    Section(CLEAN, "lead", 122, -10.0, 45, 115),
)
_TEST = (
    Section(JAZZ, "strum", 901, -4.0, 41, 102),
    Section(JAZZ, "lead", 902, -7.0, 44, 126),
    Section(JAZZ, "power", 903, -3.0, 41, 134),
    Section(JAZZ, "arpeggio", 904, -14.0, 46, 88),
    Section(JAZZ, "lead", 905, -20.0, 49, 96),
)


def training_signal() -> Signal:
    """Return the training signal: ``synthetic_signal()``, then 22 played sections; about 180 s."""
    return np.concatenate(
        [synthetic_signal(), *(_section(section, "pentatonic") for section in _TRAINING), _silence(1.0)]
    )


def test_signal() -> Signal:
    """Return the test signal: 30 s with other instrument, scale, keys and seeds than the training signal."""
    return np.concatenate([_section(section, "dorian") for section in _TEST])


def synthetic_signal(*, seed: int = 7) -> Signal:
    """Make the part without a synthesiser: blips, sweeps, noise, tones and multisines.

    Parameters
    ----------
    seed : int, default 7
        Seed of the noise and of the tones' frequencies.

    Returns
    -------
    ndarray of float32, shape (n,)
        About 46 s at 48 kHz, within -1 and 1. The two blips at 0.5 and 1.0 s are single samples of 0.9, from
        which the latency of the output can be read.

    Examples
    --------
    >>> int(np.argmax(synthetic_signal()))
    24000
    """
    draw = np.random.RandomState(seed)
    blips = _silence(1.5)
    blips[[SAMPLE_RATE // 2, SAMPLE_RATE]] = 0.9
    pieces = [blips]
    pieces += [_sweep(4.0, peak) for peak in (0.8, 0.2, 0.05)]
    pieces += [_noise(draw, 2.0, rms, tilt) for rms in (0.25, 0.08, 0.02) for tilt in (0.0, -3.0)]
    pieces += [_level_steps(frequency) for frequency in (82.4, 220.0, 659.3)]
    pieces += [_multisine(draw, 1.0, peak) for peak in (0.9, 0.5, 0.25, 0.1, 0.7, 0.35, 0.15, 0.05)]
    pieces.append(_silence(0.5))
    return np.concatenate(pieces)


def clip_signal() -> Signal:
    """Play the shipped riff: seven seconds of an electric guitar in E minor, peaking at -9 dBFS."""
    notes, bends = _riff()
    return _trim(play(midi_bytes(notes, bends, program=JAZZ)), 7.0, -9.0)


def play(midi: bytes) -> Signal:
    """Render a MIDI file with fluidsynth on FluidR3, dry.

    Parameters
    ----------
    midi : bytes
        A Standard MIDI File.

    Returns
    -------
    ndarray of float32, shape (n,)
        The mean of both channels at 48 kHz, with the tails of the notes.

    Raises
    ------
    RuntimeError
        If fluidsynth or the sound font is not installed, or the rendering fails.
    """
    if not SOUND_FONT.is_file():
        raise RuntimeError(f"{SOUND_FONT} is missing; install it: apt-get install fluid-soundfont-gm")
    with tempfile.TemporaryDirectory() as folder:
        score, audio = Path(folder, "part.mid"), Path(folder, "part.wav")
        score.write_bytes(midi)
        command = ["fluidsynth", "-q", "-n", "-i", "-R", "0", "-C", "0", "-g", "0.5", "-r", str(SAMPLE_RATE)]
        command += ["-o", "synth.cpu-cores=1", "-T", "wav", "-O", "float"]
        command += ["-F", str(audio), str(SOUND_FONT), str(score)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise RuntimeError("fluidsynth is missing; install it: apt-get install fluidsynth") from error
        if done.returncode or not audio.is_file():
            raise RuntimeError(
                f"fluidsynth failed with status {done.returncode}: {done.stderr.strip()[-300:]}"
            )
        stereo, _ = soundfile.read(audio, dtype="float32", always_2d=True)
    return stereo.mean(axis=1, dtype=np.float32)


def _section(section: Section, scale: str) -> Signal:
    notes, bends = part(
        section.style,
        seed=section.seed,
        seconds=section.seconds - 0.5,
        beats_per_minute=section.beats_per_minute,
        root=section.root,
        scale=scale,
    )
    return _trim(play(midi_bytes(notes, bends, program=section.program)), section.seconds, section.peak_dbfs)


def _trim(audio: Signal, seconds: float, peak_dbfs: float) -> Signal:
    """Cut or pad to the length, fade out the last 20 ms, scale to the peak."""
    out = np.zeros(round(seconds * SAMPLE_RATE))
    out[: len(audio)] = audio[: len(out)]
    fade = SAMPLE_RATE // 50
    out[-fade:] *= np.linspace(1.0, 0.0, fade)
    return (out * (10 ** (peak_dbfs / 20) / np.abs(out).max())).astype(np.float32)


def _silence(seconds: float) -> Signal:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def _time(seconds: float) -> NDArray[np.float64]:
    return np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def _faded(audio: NDArray[np.float64]) -> Signal:
    """Fade 5 ms at both ends, so that joined pieces do not click."""
    fade = SAMPLE_RATE // 200
    ramp = np.linspace(0.0, 1.0, fade)
    audio[:fade] *= ramp
    audio[-fade:] *= ramp[::-1]
    return audio.astype(np.float32)


def _sweep(seconds: float, peak: float, low_hz: float = 20.0, high_hz: float = 16_000.0) -> Signal:
    """Make an exponential sweep (Farina, 2000)."""
    octaves = np.log(high_hz / low_hz)
    phase = 2 * np.pi * low_hz * seconds / octaves * np.expm1(_time(seconds) * octaves / seconds)
    return _faded(peak * np.sin(phase))


def _noise(draw: np.random.RandomState, seconds: float, rms: float, tilt_db_per_octave: float) -> Signal:
    """Make Gaussian noise, white or tilted, with peaks limited below full scale."""
    spectrum = np.fft.rfft(draw.standard_normal(round(seconds * SAMPLE_RATE)))
    frequency = np.fft.rfftfreq(round(seconds * SAMPLE_RATE), 1 / SAMPLE_RATE)
    spectrum *= np.maximum(frequency, 30.0) ** (tilt_db_per_octave / 6.02)
    noise = np.fft.irfft(spectrum, round(seconds * SAMPLE_RATE))
    return _faded(np.clip(noise * rms / np.sqrt(np.mean(noise**2)), -0.95, 0.95))


def _level_steps(frequency_hz: float) -> Signal:
    """Make a tone at ten levels from -55 to -1 dBFS, 0.3 s each: the static curve of the device."""
    steps = [
        _faded(10 ** (level / 20) * np.sin(2 * np.pi * frequency_hz * _time(0.3)))
        for level in range(-55, 0, 6)
    ]
    return np.concatenate(steps)


def _multisine(draw: np.random.RandomState, seconds: float, peak: float) -> Signal:
    """Make two to eight simultaneous tones from 60 Hz to 5 kHz: intermodulation."""
    total = np.zeros(round(seconds * SAMPLE_RATE))
    for _ in range(draw.randint(2, 9)):
        frequency = 60.0 * (5000.0 / 60.0) ** draw.random_sample()
        total += np.sin(2 * np.pi * (frequency * _time(seconds) + draw.random_sample()))
    return _faded(total * (peak / np.abs(total).max()))


def _riff() -> tuple[list[Note], list[Bend]]:
    """Return the notes of the riff: two bars of fifths and open strings, a bent answer, a ringing chord."""
    eighth = 250
    low = (40, 40, 43, 40, 45, 40, 46, 45, 40, 40, 43, 45)
    notes: list[Note] = []
    for at, pitch in enumerate(low):
        accent = 118 if at in (0, 4, 8) else 96
        ring = eighth * (2 if at == 11 else 1) - 20
        notes += [
            Note(at * eighth + k * 5, ring, pitch + step, accent - 6 * k) for k, step in enumerate((0, 7, 12))
        ]
    answer = [(13, 1, 64), (14, 1, 67), (15, 3, 69), (18, 1, 67), (19, 1, 64), (20, 1, 62)]
    notes += [Note(at * eighth, length * eighth - 15, pitch, 112) for at, length, pitch in answer]
    notes += [
        Note(21 * eighth + k * 14, 1700, pitch, 104 - 3 * k)
        for k, pitch in enumerate((40, 47, 52, 55, 59, 64))
    ]
    bent = 15 * eighth
    bends = [
        Bend(0, 0),
        *(Bend(bent + 150 + at, 4096 * at // 200) for at in range(0, 201, 10)),
        Bend(18 * eighth, 0),
    ]
    return notes, bends


def main() -> int:
    """Write one of the three signals to a file: 32-bit float for .wav, 16-bit integers for .flac."""
    makers = {"train": training_signal, "test": test_signal, "clip": clip_signal}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("which", choices=sorted(makers))
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    try:
        signal = makers[options.which]()
    except RuntimeError as error:
        print(f"capture_signal: {error}", file=sys.stderr)
        return 2
    options.output.parent.mkdir(parents=True, exist_ok=True)
    subtype = "PCM_16" if options.output.suffix == ".flac" else "FLOAT"
    soundfile.write(options.output, signal, SAMPLE_RATE, subtype=subtype)
    peak_dbfs = 20 * np.log10(np.abs(signal).max())
    print(f"{options.output}: {len(signal) / SAMPLE_RATE:.1f} s, peak {peak_dbfs:.1f} dBFS")
    return 0


if __name__ == "__main__":
    sys.exit(main())
