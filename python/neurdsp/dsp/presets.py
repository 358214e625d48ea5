"""The mel features of other programs, by name.

A preset is a set of parameters of `neurdsp.MelSpectrogram` that reproduces the features of a program:

- ``librosa``: ``librosa.feature.melspectrogram`` with its defaults.
- ``torchaudio``: ``torchaudio.transforms.MelSpectrogram`` with its defaults.
- ``whisper``: ``whisper.log_mel_spectrogram`` of openai-whisper (80 bands; ``n_mels=128`` for large-v3).
  Each row of a batch is normalised by its own maximum. The models hear 30 s: ``pad_or_trim=30`` gives the
  features of ``whisper.pad_or_trim(audio)``. At 16 kHz only.
- ``hifigan``: ``mel_spectrogram`` of HiFi-GAN, configuration of LJSpeech.
- ``kaldi``: log-mel filterbanks as of ``compute-fbank-feats`` and ``torchaudio.compliance.kaldi.fbank`` with
  80 bands and no dither, of samples within ±1, as rows over frames. At other rates frames keep 25 and 10 ms;
  ``snip_edges=False`` is Kaldi's option of that name.
- ``nemo``: the preprocessor of NVIDIA NeMo's FastConformer models, without dither and without the padding of
  the frames. At other rates frames keep 25 and 10 ms.
- ``gpt_sovits``: the linear magnitudes of GPT-SoVITS v2, the first 704 of 1025 bins, 0 to 11 kHz.
- ``kick``: the log-mel spectrograms that the kick models are trained on.
"""

import difflib
from collections.abc import Mapping
from typing import Any

from neurdsp.errors import ConfigError

__all__ = ["PRESETS", "preset_parameters"]

PRESETS: dict[str, dict[str, Any]] = {
    "librosa": {},
    "torchaudio": {
        "sr": 16000,
        "n_fft": 400,
        "hop_length": 200,
        "pad_mode": "reflect",
        "htk": True,
        "norm": None,
    },
    "whisper": {
        "sr": 16000,
        "n_fft": 400,
        "hop_length": 160,
        "pad_mode": "reflect",
        "n_mels": 80,
        "log": "log10",
        "floor": 1e-10,
        "drop_last": True,
        "normalize": "whisper",
    },
    "hifigan": {
        "sr": 22050,
        "n_fft": 1024,
        "hop_length": 256,
        "pad": (1024 - 256) // 2,
        "pad_mode": "reflect",
        "power": 1.0,
        "eps": 1e-9,
        "n_mels": 80,
        "fmax": 8000.0,
        "log": "ln",
        "floor": 1e-5,
    },
    "kaldi": {
        "sr": 16000,
        "n_fft": 512,
        "win_length": 400,
        "hop_length": 160,
        "window": "povey",
        "periodic": False,
        "center": False,
        "frame_filter": (True, 0.97),
        "n_mels": 80,
        "fmin": 20.0,
        "htk": True,
        "norm": None,
        "triangles_over_mel": True,
        "log": "ln",
        "floor": 1.1920928955078125e-07,
    },
    "nemo": {
        "sr": 16000,
        "n_fft": 512,
        "win_length": 400,
        "hop_length": 160,
        "periodic": False,
        "preemphasis": 0.97,
        "n_mels": 80,
        "log": "ln",
        "floor": 0.0,
        "offset": 2.0**-24,
        "drop_last": True,
        "normalize": "per_feature",
    },
    "gpt_sovits": {
        "sr": 32000,
        "n_fft": 2048,
        "hop_length": 640,
        "pad": (2048 - 640) // 2,
        "pad_mode": "reflect",
        "power": 1.0,
        "eps": 1e-6,
        "n_bins": 704,
    },
    "kick": {
        "sr": 44100,
        "n_fft": 2048,
        "hop_length": 512,
        "pad_mode": "reflect",
        "htk": True,
        "norm": None,
        "log": "ln",
        "floor": 1e-5,
    },
}


# Frames of 25 ms every 10 ms, whose samples follow the rate. Source: Kaldi's and NeMo's options.
_FRAMES_IN_MS = ("kaldi", "nemo")

# Frames in samples that a model was trained on, at one rate.
_ONE_RATE = ("whisper",)


def preset_parameters(name: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the parameters of a preset.

    Parameters
    ----------
    name
        Its name.
    changes
        Parameters that differ. A preset whose frames are defined in milliseconds keeps them at another
        ``sr``.

    Raises
    ------
    ConfigError
        If there is no preset of this name; the error suggests the nearest. Or if ``sr`` is one at which the
        preset is not defined.
    """
    try:
        parameters = dict(PRESETS[name])
    except (KeyError, TypeError):
        near = difflib.get_close_matches(str(name), PRESETS, n=1)
        guess = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"preset {name!r} is not one of {', '.join(PRESETS)}{guess}") from None
    changes = dict(changes or {})
    sr = changes.get("sr", parameters.get("sr"))
    if isinstance(sr, int | float) and 1 <= sr < 1e9 and sr != parameters.get("sr"):
        if name in _FRAMES_IN_MS:
            win_length = max(int(sr * 0.025), 1)
            hop_length = max(int(sr * 0.01), 1)
            n_fft = 1 << (int(changes.get("win_length") or win_length) - 1).bit_length()
            parameters |= {"win_length": win_length, "hop_length": hop_length, "n_fft": n_fft}
        elif name in _ONE_RATE and not {"n_fft", "hop_length"} <= changes.keys():
            raise ConfigError(
                f"preset {name!r} is defined at {parameters['sr']} Hz, but sr is {sr:g}; resample the audio "
                f"to {parameters['sr']} Hz, or give n_fft and hop_length too"
            )
    return parameters | changes
