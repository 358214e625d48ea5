"""Each preset against the program that it is named after, or against its formula written in torch."""

import kaldi_native_fbank as knf
import librosa
import numpy as np
import pytest
import torch
from neurdsp import MelSpectrogram
from neurdsp.dsp.presets import PRESETS
from neurdsp.errors import ConfigError
from torchaudio import transforms
from torchaudio.compliance import kaldi
from transformers import ParakeetFeatureExtractor, WhisperFeatureExtractor
from whisper.audio import log_mel_spectrogram


def audio(rate, seconds=1.3, seed=0):
    """A sweep over noise that fades to digital silence."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(rate * seconds)) / rate
    sweep = np.sin(2 * np.pi * (50 + 0.2 * rate / seconds * t) * t)
    y = 0.3 * sweep + 0.05 * rng.standard_normal(t.size)
    y[: rate // 10] = 0
    return (y * np.linspace(1, 0.01, t.size)).astype(np.float32)


def spectrum(y, n_fft, hop, window, pad, pad_mode="reflect"):
    padded = torch.nn.functional.pad(torch.from_numpy(y)[None, None], (pad, pad), mode=pad_mode)[0, 0]
    options = {"window": window.double(), "center": False, "return_complex": True}
    return torch.stft(padded.double(), n_fft, hop, window.numel(), **options)


def test_librosa():
    y = audio(22050)
    wanted = librosa.feature.melspectrogram(y=y)
    assert np.abs(MelSpectrogram.preset("librosa")(y) - wanted).max() < 1e-6 * wanted.max()


@pytest.mark.filterwarnings("ignore:.*(zero values|are empty)")  # those of the defaults
def test_torchaudio():
    y = torch.from_numpy(np.stack([audio(16000), audio(16000, seed=1)]))
    wanted = transforms.MelSpectrogram()(y)
    got = MelSpectrogram.preset("torchaudio")(y)
    assert isinstance(got, torch.Tensor)
    assert got.shape == wanted.shape
    # torchaudio builds its filters in single precision.
    assert (got - wanted).abs().max() < 1e-5 * wanted.max()


def whisper_formula(y, n_mels):
    filters = torch.from_numpy(librosa.filters.mel(sr=16000, n_fft=400, n_mels=n_mels)).double()
    power = spectrum(y, 400, 160, torch.hann_window(400, dtype=torch.float64), 200)[:, :-1].abs() ** 2
    log = torch.clamp(filters @ power, min=1e-10).log10()
    return (torch.maximum(log, log.max() - 8.0) + 4.0) / 4.0


@pytest.mark.parametrize("n_mels", [80, 128])
def test_whisper_by_its_formula(n_mels):
    y = audio(16000)
    got = MelSpectrogram.preset("whisper", n_mels=n_mels)(y)
    wanted = whisper_formula(y, n_mels).numpy()
    assert got.shape == wanted.shape
    assert np.abs(got - wanted).max() < 1e-4
    exact = MelSpectrogram.preset("whisper", n_mels=n_mels, precision="exact")(y)
    assert np.abs(exact - wanted).max() < 1e-6


def test_whisper_by_openai():
    y = audio(16000)
    wanted = log_mel_spectrogram(y).numpy()
    assert np.abs(MelSpectrogram.preset("whisper")(y) - wanted).max() < 1e-4


def test_whisper_by_transformers():
    y = audio(16000)
    extractor = WhisperFeatureExtractor(feature_size=80)
    wanted = extractor(y, sampling_rate=16000, padding=False, return_tensors="np").input_features[0]
    assert np.abs(MelSpectrogram.preset("whisper")(y) - wanted).max() < 1e-4


def test_rows_of_a_batch_have_maxima_of_their_own():
    loud, quiet = audio(16000), 0.01 * audio(16000, seed=3)
    plan = MelSpectrogram.preset("whisper")
    together = plan(np.stack([loud, quiet]))
    assert (together[0] == plan(loud)).all()
    assert (together[1] == plan(quiet)).all()


def test_hifigan():
    y = audio(22050)
    bank = librosa.filters.mel(sr=22050, n_fft=1024, n_mels=80, fmin=0, fmax=8000)
    complex_bins = spectrum(y, 1024, 256, torch.hann_window(1024, dtype=torch.float64), 384)
    magnitudes = torch.sqrt(torch.view_as_real(complex_bins).pow(2).sum(-1) + 1e-9)
    wanted = torch.log(torch.clamp(torch.from_numpy(bank).double() @ magnitudes, min=1e-5)).numpy()
    got = MelSpectrogram.preset("hifigan")(y)
    assert got.shape == wanted.shape
    assert np.abs(got - wanted).max() < 2e-4


def test_kaldi_by_torchaudio():
    y = audio(16000)
    options = {"num_mel_bins": 80, "dither": 0.0, "sample_frequency": 16000}
    wanted = kaldi.fbank(torch.from_numpy(y)[None], **options).T.numpy()
    got = MelSpectrogram.preset("kaldi")(y)
    assert got.shape == wanted.shape
    assert np.abs(got - wanted).max() < 2e-3
    assert np.abs(got - wanted).mean() < 2e-5


def test_kaldi_by_kaldi_native_fbank():
    options = knf.FbankOptions()
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = 80
    y = audio(16000)
    fbank = knf.OnlineFbank(options)
    fbank.accept_waveform(16000, y.tolist())
    fbank.input_finished()
    wanted = np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)], axis=1)
    got = MelSpectrogram.preset("kaldi")(y)
    assert got.shape == wanted.shape
    assert np.abs(got - wanted).max() < 2e-3


def test_nemo_by_its_formula():
    y = audio(16000)
    emphasised = np.concatenate([y[:1], y[1:] - np.float32(0.97) * y[:-1]])
    window = torch.zeros(512, dtype=torch.float64)
    window[56:456] = torch.hann_window(400, periodic=False, dtype=torch.float64)
    power = spectrum(emphasised, 512, 160, window, 256, "constant").abs() ** 2
    filters = torch.from_numpy(librosa.filters.mel(sr=16000, n_fft=512, n_mels=80)).double()
    log = torch.log(filters @ power + 2.0**-24)[:, : len(y) // 160]
    wanted = ((log - log.mean(1, keepdim=True)) / (log.std(1, keepdim=True) + 1e-5)).numpy()
    got = MelSpectrogram.preset("nemo")(y)
    assert got.shape == wanted.shape
    assert np.abs(got - wanted).max() < 1e-4


def test_nemo_by_transformers():
    y = audio(16000)
    inputs = ParakeetFeatureExtractor()(y, sampling_rate=16000, return_tensors="pt")
    wanted = inputs.input_features[0].numpy().T
    got = MelSpectrogram.preset("nemo")(y)
    assert np.abs(got - wanted[:, : got.shape[1]]).max() < 1e-3
    assert np.abs(wanted[:, got.shape[1] :]).max(initial=0) == 0


@pytest.mark.parametrize("eps", [1e-6, 1e-8])
def test_gpt_sovits(eps):
    y = audio(32000)
    parts = torch.view_as_real(spectrum(y, 2048, 640, torch.hann_window(2048, dtype=torch.float64), 704))
    wanted = torch.sqrt(parts.pow(2).sum(-1) + eps)[:704].numpy()
    got = MelSpectrogram.preset("gpt_sovits", eps=eps)(y)
    assert got.shape == wanted.shape == (704, len(y) // 640)
    assert np.abs(got - wanted).max() < 1e-6 * wanted.max()


def test_kick():
    y = torch.from_numpy(audio(44100, 2.0))
    options = {"sample_rate": 44100, "n_fft": 2048, "hop_length": 512, "n_mels": 128, "f_max": 22050.0}
    mel = transforms.MelSpectrogram(**options).double()
    wanted = torch.log(torch.clamp(mel(y.double()), min=1e-5))
    got = MelSpectrogram.preset("kick")(y)
    assert got.shape == wanted.shape == (128, 173)
    assert (got - wanted).abs().max() < 2e-4
    silence = MelSpectrogram.preset("kick")(np.zeros(88_200, np.float32))
    assert np.abs(silence - np.log(1e-5)).max() < 1e-6


@pytest.mark.filterwarnings("ignore:.*are empty")
@pytest.mark.parametrize("name", PRESETS)
def test_presets_work_in_both_precisions_and_can_be_changed(name):
    plan = MelSpectrogram.preset(name)
    y = audio(int(plan.sr), 0.5)
    single, double = plan(y), plan(y.astype(np.float64))
    assert single.dtype == np.float32
    assert double.dtype == np.float64
    assert single.shape == double.shape == (plan.n_rows, plan.n_frames(len(y)))
    assert np.abs(single - double).max() < 1e-3 * np.abs(double).max()
    assert MelSpectrogram.preset(name, hop_length=100).n_frames(len(y)) > plan.n_frames(len(y))


def test_unknown_preset_names_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'whisper'"):
        MelSpectrogram.preset("wisper")
