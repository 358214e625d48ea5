"""Audio files and arrays: whole or block by block, resampling, and the checks that every entry point makes.

Arrays are float32 with full scale at 1.0: ``(n_samples,)`` for mono, ``(n_channels, n_samples)`` otherwise.
"""

from neurdsp.audio.checks import FloatArray, check_audio, check_sample_rate
from neurdsp.audio.files import AudioInfo, AudioReader, AudioWriter, read_audio, write_audio
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
