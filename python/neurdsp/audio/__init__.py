"""Audio files, read and written whole or block by block; resampling; checks of samples and sample rates.

Arrays are float32 with full scale at 1.0, of shape ``(n_samples,)`` for mono and ``(n_channels, n_samples)``
otherwise.
"""

from neurdsp.audio.checks import FloatArray, check_audio, check_sample_rate
from neurdsp.audio.files import AudioWriter, write_audio
from neurdsp.audio.reading import AudioInfo, AudioReader, read_audio
from neurdsp.audio.resampling import StreamResampler, resample

__all__ = [
    "AudioInfo",
    "AudioReader",
    "AudioWriter",
    "FloatArray",
    "StreamResampler",
    "check_audio",
    "check_sample_rate",
    "read_audio",
    "resample",
    "write_audio",
]
