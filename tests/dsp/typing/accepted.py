"""A user's script: every function of `neurdsp` with its keywords, and the types of the results."""

from typing import Any, assert_type

import neurdsp
import numpy as np
import torch
from neurdsp.nn import MelSpectrogram as TrainableMel
from numpy.typing import NDArray

single: NDArray[np.float32] = np.zeros(22050, np.float32)
double: NDArray[np.float64] = np.zeros(22050)
tensor = torch.zeros(22050)
ragged = [single, single[:9000]]

# Results have the type of the audio.
assert_type(neurdsp.log_mel(single, sr=22050, n_fft=1024, hop_length=256, n_mels=80), NDArray[np.float32])
assert_type(neurdsp.log_mel(double, log="db", floor=1e-10, norm=None, htk=True), NDArray[np.float64])
assert_type(neurdsp.mel_spectrogram(single, fmax=8000.0, n_threads=1), NDArray[np.float32])
assert_type(neurdsp.spectrogram(double, window=("kaiser", 14.0), power=1), NDArray[np.float64])
assert_type(neurdsp.mfcc(single, n_mfcc=13, lifter=22, n_fft=512, center=False), NDArray[np.float32])
assert_type(neurdsp.MelSpectrogram(sr=16000, log="ln")(single), NDArray[np.float32])
assert_type(neurdsp.MelCache().get_or_compute(neurdsp.MelSpectrogram(), double), NDArray[np.float64])
assert_type(neurdsp.MelSpectrogram().stream().push(single), NDArray[np.float32])

# And its kind.
assert_type(neurdsp.log_mel(tensor, sr=16000), torch.Tensor)
assert_type(neurdsp.mel_spectrogram(ragged), list[NDArray[Any]])
assert_type(neurdsp.mfcc([tensor, tensor]), list[torch.Tensor])
assert_type(neurdsp.MelSpectrogram.preset("whisper", n_mels=128)(tensor), torch.Tensor)
assert_type(neurdsp.power_to_db(tensor, ref=np.max), torch.Tensor)
assert_type(neurdsp.stft(tensor), torch.Tensor)
assert_type(TrainableMel(sr=16000, n_mels=40)(tensor), Any)

# A type that is asked for, and memory of the caller's, too.
assert_type(neurdsp.log_mel(single, dtype=np.float64), NDArray[Any])
out: NDArray[np.float32] = np.empty((128, 44), np.float32)
assert_type(neurdsp.log_mel(single, out=out), NDArray[np.float32])

# Functions of spectrograms.
spectrum = neurdsp.stft(single, n_fft=512, hop_length=128, pad_mode="reflect")
assert_type(spectrum, NDArray[Any])
assert_type(neurdsp.istft(spectrum, hop_length=128, length=22050), NDArray[Any])
transform = neurdsp.STFT(n_fft=512)
assert_type(transform.inverse(transform(single), length=22050), NDArray[Any])
magnitudes: NDArray[np.float32] = np.abs(spectrum)
assert_type(neurdsp.mel_spectrogram(S=magnitudes**2, n_fft=512, n_mels=40), NDArray[Any])
assert_type(neurdsp.mfcc(S=magnitudes, n_mfcc=13), NDArray[Any])
assert_type(neurdsp.amplitude_to_db(magnitudes, amin=1e-5, top_db=None), NDArray[Any])
assert_type(neurdsp.db_to_amplitude([0.0, -6.0]), NDArray[Any])
assert_type(neurdsp.delta(magnitudes, width=5, mode="nearest"), NDArray[Any])
assert_type(neurdsp.pcen(magnitudes, sr=22050, gain=0.8), NDArray[Any])
smooth, state = neurdsp.pcen(magnitudes, return_zf=True)
assert_type(state, NDArray[Any])
assert_type(neurdsp.griffinlim(magnitudes, n_iter=1, hop_length=128, random_state=0), NDArray[Any])
mel = neurdsp.mel_spectrogram(single, n_fft=512, n_mels=40)
assert_type(neurdsp.mel_to_stft(mel, n_fft=512, n_iter=2), NDArray[Any])
assert_type(neurdsp.mel_to_audio(mel, n_fft=512, n_iter=2, fmax=11025.0, random_state=0), NDArray[Any])
assert_type(neurdsp.filters.mel(sr=22050, n_fft=512), NDArray[Any])
assert_type(neurdsp.filters.hz_to_mel(440.0), np.float64)
assert_type(neurdsp.filters.mel_to_hz([1.0, 2.0]), NDArray[np.float64])
