"""Sounds in the log of a run: mel spectrograms made audible without a vocoder, and where they go."""

import numpy as np
from numpy.typing import NDArray

from neurdsp.dsp.inversion import mel_to_audio
from neurdsp.kick.mel.config import MelConfig
from neurdsp.training import Reporter

__all__ = ["Listener", "audible"]

_ITERATIONS = 24


def audible(log_mel: NDArray[np.float32], config: MelConfig) -> NDArray[np.float32]:
    """Return audio ``(n_samples,)`` of a log-mel spectrogram ``(n_mels, n_frames)``, by Griffin-Lim.

    The phases are guessed, so it grains; it tells what the spectrogram holds, not how a vocoder sounds.
    """
    power = np.exp(np.minimum(log_mel, 12.0))
    power[log_mel <= np.log(config.floor) + 0.5] = 0.0
    audio: NDArray[np.float32] = mel_to_audio(
        power.astype(np.float32),
        sr=config.sample_rate,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        htk=True,
        norm=None,
        n_iter=_ITERATIONS,
        length=config.n_samples,
        random_state=0,
    )
    return audio


class Listener:
    """Puts sounds into the log of a run, if there is a log of sounds.

    Parameters
    ----------
    reporter
        Of the run.
    mel
        The spectrogram.
    """

    def __init__(self, reporter: Reporter, mel: MelConfig) -> None:
        self._reporter, self._mel = reporter, mel
        self.step = 0

    @property
    def wanted(self) -> bool:
        """Whether anybody listens."""
        return self._reporter.takes_audio

    def log_mel(self, name: str, values: NDArray[np.float32]) -> None:
        """Log a spectrogram ``(n_mels, n_frames)`` as a sound."""
        self.audio(name, audible(values, self._mel))

    def audio(self, name: str, samples: NDArray[np.float32]) -> None:
        """Log a sound ``(n_samples,)``."""
        self._reporter.audio(name, samples, sample_rate=self._mel.sample_rate, step=self.step)
