"""Synthesises the three cabinets that come with neurdsp (`python scripts/make_cabinets.py`).

No recording is used. A guitar loudspeaker is described by its resonance and those of its cone, by the loss
above them, and by what its box does to the bass; the response of minimum phase with that magnitude is the
direct sound, and a few reflections follow it. The files are small, so they are in the repository; a test
makes them again and compares them.
"""

import argparse
from pathlib import Path

import numpy as np
import soundfile

SAMPLE_RATE = 48_000
N_SAMPLES = 2_048
N_FFT = 1 << 15
FOLDER = Path(__file__).parents[1] / "python/neurdsp/amp/shipped/cabinets"

# Frequencies in Hz, gains in dB, delays in ms. `loss` is the corner above which a cone radiates less, and its
# order.
CABINETS = {
    "1x12 open back": {
        "resonance": (105.0, 1.6),
        "rear_ms": 2.3,
        "peaks": [(240.0, -2.0, 1.2), (1_150.0, -2.5, 1.6), (2_400.0, 5.0, 1.8), (3_700.0, 3.5, 2.6)],
        "loss": (4_700.0, 5),
        "modes": (1, 14, 2.2),
        "reflections": [(3.1, -15.0, 2_500.0), (5.4, -19.0, 1_800.0)],
    },
    "2x12 closed back": {
        "resonance": (92.0, 1.4),
        "rear_ms": None,
        "peaks": [(135.0, 2.0, 1.4), (420.0, -3.0, 1.0), (1_700.0, 2.0, 1.3), (2_900.0, 5.5, 2.0)],
        "loss": (4_400.0, 6),
        "modes": (2, 18, 2.5),
        "reflections": [(0.42, -12.0, 3_500.0), (4.2, -18.0, 2_000.0)],
    },
    "4x12 closed back": {
        "resonance": (84.0, 1.15),
        "rear_ms": None,
        "peaks": [(115.0, 2.5, 1.3), (480.0, -3.0, 0.9), (1_450.0, 2.5, 1.4), (3_100.0, 6.0, 1.7)],
        "loss": (4_900.0, 7),
        "modes": (4, 22, 2.8),
        "reflections": [(0.55, -10.0, 3_000.0), (0.78, -13.0, 2_600.0), (6.1, -20.0, 1_500.0)],
    },
}


def _bell(frequency_hz, centre_hz, gain_db, quality):
    """Return a peak, in dB."""
    distance = quality * (frequency_hz / centre_hz - centre_hz / frequency_hz)
    return gain_db / (1 + distance**2)


def _magnitude_db(cabinet, frequency_hz):
    corner_hz, quality = cabinet["resonance"]
    ratio = frequency_hz / corner_hz
    gain_db = 20 * np.log10(ratio**2 / np.abs(1 - ratio**2 + 1j * ratio / quality))
    gain_db += sum(_bell(frequency_hz, *peak) for peak in cabinet["peaks"])
    corner_hz, order = cabinet["loss"]
    gain_db -= 10 * np.log10(1 + (frequency_hz / corner_hz) ** (2 * order))
    if cabinet["rear_ms"] is not None:
        # The rear wave of an open back is inverted, late, and has lost its treble on the way.
        late = np.exp(-2j * np.pi * frequency_hz * cabinet["rear_ms"] / 1000)
        gain_db += 20 * np.log10(np.abs(1 - 0.7 * late / (1 + (frequency_hz / 380) ** 2)))
    # The cone breaks up into many resonances, closer to each other towards the treble.
    seed, count, depth_db = cabinet["modes"]
    random = np.random.default_rng(seed)
    for centre_hz in 700 * (6_500 / 700) ** np.sort(random.uniform(size=count)):
        gain_db += _bell(frequency_hz, centre_hz, random.uniform(-depth_db, depth_db), random.uniform(6, 14))
    return np.maximum(gain_db, -110)


def _minimum_phase(gain_db):
    """Return the impulse response of minimum phase with these gains at the frequencies of a real FFT."""
    cepstrum = np.fft.irfft(gain_db * np.log(10) / 20)
    cepstrum[1 : N_FFT // 2] *= 2
    cepstrum[N_FFT // 2 + 1 :] = 0
    return np.fft.irfft(np.exp(np.fft.rfft(cepstrum)))


def response(cabinet):
    """Return the impulse response of one of `CABINETS`, of shape (N_SAMPLES,), with a peak of 0.9."""
    frequency_hz = np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE)
    frequency_hz[0] = 1.0
    spectrum = np.fft.rfft(_minimum_phase(_magnitude_db(cabinet, frequency_hz)))
    reflected = np.ones_like(spectrum)
    for delay_ms, gain_db, corner_hz in cabinet["reflections"]:
        late = np.exp(-2j * np.pi * frequency_hz * delay_ms / 1000) / (1 + 1j * frequency_hz / corner_hz)
        reflected += 10 ** (gain_db / 20) * late
    samples = np.fft.irfft(spectrum * reflected)[:N_SAMPLES]
    fade = N_SAMPLES // 4
    samples[-fade:] *= 0.5 + 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)
    return 0.9 * samples / np.abs(samples).max()


def main():
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("-o", "--output", type=Path, default=FOLDER, help="folder to write to")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    for name, cabinet in CABINETS.items():
        soundfile.write(folder / f"{name}.wav", response(cabinet), SAMPLE_RATE, subtype="PCM_24")
        print(f"{name}.wav: {N_SAMPLES / SAMPLE_RATE * 1000:.0f} ms")


if __name__ == "__main__":
    main()
