"""The transforms around the body of an MDX23C network, by our engine: for those that run the body only."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from neurdsp.drumsep.backends.interface import check_chunks
from neurdsp.drumsep.config import TfcTdfConfig
from neurdsp.dsp import STFT

__all__ = ["Spectra"]

FloatArray = NDArray[np.float32]


class Spectra:
    """The transform of a network and its inverse.

    Parameters
    ----------
    config
        The shape of the network.
    threads
        Threads of a transform.

    Examples
    --------
    >>> spectra = Spectra(TfcTdfConfig())
    >>> spectra.analyse(np.zeros((1, 2, 31 * 512), np.float32)).shape
    (1, 4, 1024, 32)
    """

    def __init__(self, config: TfcTdfConfig, *, threads: int = 1) -> None:
        self.config, self._threads = config, threads
        self._transform = STFT(n_fft=config.n_fft, hop_length=config.hop_length, pad_mode="reflect")

    def analyse(self, chunks: FloatArray) -> FloatArray:
        """Return the spectrum ``(batch, 2 * audio_channels, n_bins, n_frames)``: its parts are channels."""
        batch, channels, _ = chunks.shape
        found = self._transform(np.ascontiguousarray(chunks, np.float32), n_threads=self._threads)
        found = found[..., : self.config.n_bins, :]
        parts: FloatArray = np.stack([found.real, found.imag], axis=2)
        return parts.reshape(batch, 2 * channels, self.config.n_bins, -1)

    def synthesise(self, spectra: FloatArray, n_samples: int) -> FloatArray:
        """Return the stems ``(batch, n_stems, audio_channels, n_samples)`` of their spectra."""
        batch, n_stems, parts, n_bins, n_frames = spectra.shape
        pairs = spectra.reshape(-1, 2, n_bins, n_frames)
        stems = np.empty((len(pairs), n_samples), np.float32)
        full = np.zeros((self.config.n_fft // 2 + 1, n_frames), np.complex64)
        for pair, stem in zip(pairs, stems, strict=True):  # one at a time: a whole batch needs as much again
            full.real[:n_bins], full.imag[:n_bins] = pair
            self._transform.inverse(full, length=n_samples, out=stem, n_threads=self._threads)
        return stems.reshape(batch, n_stems, parts // 2, n_samples)

    def around(self, body: Callable[[FloatArray], FloatArray], chunks: FloatArray) -> FloatArray:
        """Return the stems of chunks, with the body of the network run by another program.

        Parameters
        ----------
        body
            Maps spectra ``(batch, 2 * audio_channels, n_bins, n_frames)`` to
            ``(batch, n_stems, 2 * audio_channels, n_bins, n_frames)``.
        chunks
            As `Network.forward` takes them.

        Returns
        -------
        ndarray
            As `Network.forward` returns them.
        """
        check_chunks(chunks, self.config)
        return self.synthesise(body(self.analyse(chunks)), chunks.shape[2])
