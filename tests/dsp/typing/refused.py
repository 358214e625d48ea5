"""Mistakes of a user's that a type checker finds; the comment in each line says what it has to name."""

import neurdsp
import numpy as np
from neurdsp.nn import MelSpectrogram as TrainableMel

y = np.zeros(22050, np.float32)

neurdsp.log_mel(y, n_ftt=512)  # Unexpected keyword argument "n_ftt"; did you mean "n_fft"?
neurdsp.log_mel(y, n_fft="512")  # No overload variant of "log_mel"
neurdsp.mel_spectrogram(y, hop_lenght=128)  # "hop_lenght"; did you mean "hop_length"?
neurdsp.mfcc(y, n_mel=40)  # Unexpected keyword argument "n_mel"; did you mean "n_mels"?
neurdsp.stft(y, windw="hann")  # Unexpected keyword argument "windw"; did you mean "window"?
neurdsp.mel_to_audio(y, n_itr=3)  # Unexpected keyword argument "n_itr"; did you mean "n_iter"?
neurdsp.MelSpectrogram(log="log2")  # Argument "log" to "MelSpectrogram" has incompatible type
neurdsp.MelSpectrogram.preset("whisper", n_mel=40)  # Unexpected keyword argument "n_mel"
TrainableMel(n_mel=40)  # Unexpected keyword argument "n_mel"
neurdsp.log_mel(y, sr=22050).append(1)  # has no attribute "append"
