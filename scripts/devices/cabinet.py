"""A synthetic guitar cabinet: resonance, presence and roll-off of a 12-inch speaker as an impulse response.

It is not measured from any product. It has a high-pass at 90 Hz, a cone resonance at 120 Hz, a presence peak
at 2.6 kHz and a steep roll-off from 5 kHz, with minimum phase. For the modes of the cone, 1/20 of seeded
noise is added, which decays in 8 ms.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["cabinet_response", "play_through_cabinet"]


def cabinet_response(sample_rate: float, *, seed: int = 12, seconds: float = 0.04) -> NDArray[np.float64]:
    """Return the impulse response, ``(n_samples,)``, with the loudest frequency at 0 dB."""
    n_fft = 1 << 14
    hz = np.maximum(np.fft.rfftfreq(n_fft, 1 / sample_rate), 1.0)

    def peak(centre_hz: float, width_octaves: float, gain_db: float) -> NDArray[np.float64]:
        return gain_db * np.exp(-0.5 * (np.log2(hz / centre_hz) / width_octaves) ** 2)

    level_db = (
        -10 * np.log10(1 + (90 / hz) ** 4)
        - 10 * np.log10(1 + (hz / 5_000) ** 8)
        + peak(120, 0.4, 5)
        + peak(450, 0.7, -4)
        + peak(2_600, 0.5, 7)
    )
    magnitude = 10 ** (np.maximum(level_db, -100) / 20)
    # Minimum phase by folding the cepstrum (A. Oppenheim and R. Schafer, "Discrete-Time Signal Processing").
    cepstrum = np.fft.irfft(np.log(magnitude))
    cepstrum[1 : n_fft // 2] *= 2
    cepstrum[n_fft // 2 + 1 :] = 0
    response = np.fft.irfft(np.exp(np.fft.rfft(cepstrum)))[: round(seconds * sample_rate)]
    time_s = np.arange(response.size) / sample_rate
    noise = np.random.RandomState(seed).standard_normal(response.size) * np.exp(-time_s / 0.008)
    modes = np.convolve(response, 0.05 * noise)[: response.size]
    fade = 0.5 + 0.5 * np.cos(np.pi * np.arange(response.size) / response.size)
    response = (response + modes) * fade
    return response / np.abs(np.fft.rfft(response, n_fft)).max()


def play_through_cabinet(signal: NDArray[np.float32], sample_rate: float) -> NDArray[np.float32]:
    """Convolve a signal with the response; the output has no latency and the length of the input."""
    response = cabinet_response(sample_rate)
    n_fft = 1 << (signal.size + response.size - 1).bit_length()
    spectrum = np.fft.rfft(signal, n_fft) * np.fft.rfft(response, n_fft)
    return np.fft.irfft(spectrum, n_fft)[: signal.size].astype(np.float32)
