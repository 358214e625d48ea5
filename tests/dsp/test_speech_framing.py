"""Kaldi's edges and rates, Whisper's 30 seconds, padded batches, and scipy's other windows."""

import neurdsp
import numpy as np
import pytest
import scipy.signal
import torch
from neurdsp import MelSpectrogram
from neurdsp.errors import ConfigError, ParameterError
from neurdsp.losses import AWeightedLoss, DCLoss, ESRLoss, MelLoss, PreEmphasisLoss, SpectralLoss
from neurdsp.nn import STFT, Spectrogram
from neurdsp.nn import MelSpectrogram as MelModule
from torchaudio.compliance import kaldi

# 40 bands of 256 points leave some empty at 8 kHz.
pytestmark = pytest.mark.filterwarnings("ignore:Empty filters")


def noise(*shape):
    return (0.3 * np.random.default_rng(0).standard_normal(shape)).astype(np.float32)


@pytest.mark.parametrize("snip_edges", [True, False])
@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100])
@pytest.mark.parametrize("n_samples", [16_000, 16_079, 16_080, 16_081, 1500])
def test_kaldi_at_any_rate_with_both_kinds_of_edges(rate, n_samples, snip_edges):
    y = noise(n_samples)
    options = {"num_mel_bins": 40, "dither": 0.0, "sample_frequency": rate, "snip_edges": snip_edges}
    wanted = kaldi.fbank(torch.from_numpy(y)[None], **options).T.numpy()
    plan = MelSpectrogram.preset("kaldi", sr=rate, n_mels=40, snip_edges=snip_edges)
    got = plan(y)
    assert got.shape == wanted.shape == (40, plan.n_frames(n_samples))
    assert np.abs(got - wanted).max() < 5e-3
    module = MelModule.preset("kaldi", sr=rate, n_mels=40, snip_edges=snip_edges)
    assert (module(torch.from_numpy(y)).numpy() == got).all()


def test_frames_in_milliseconds_follow_the_rate_unless_they_are_given():
    plan = MelSpectrogram.preset("nemo", sr=48_000)
    assert (plan.win_length, plan.hop_length, plan.n_fft) == (1200, 480, 2048)
    plan = MelSpectrogram.preset("kaldi", sr=8000, hop_length=40)
    assert (plan.win_length, plan.hop_length, plan.n_fft) == (200, 40, 256)
    assert MelSpectrogram.preset("kaldi", sr=16_000).n_fft == 512
    with pytest.raises(ConfigError, match="preset 'whisper' is defined at 16000 Hz, but sr is 8000"):
        MelSpectrogram.preset("whisper", sr=8000)
    assert MelSpectrogram.preset("whisper", sr=8000, n_fft=200, hop_length=80).n_fft == 200


@pytest.mark.parametrize("n_samples", [1000, 16_000, 480_000, 500_000])
def test_whisper_pads_or_trims_to_thirty_seconds(n_samples):
    y = noise(2, n_samples)
    plan = MelSpectrogram.preset("whisper", pad_or_trim=30)
    padded = np.pad(y[:, :480_000], ((0, 0), (0, max(480_000 - n_samples, 0))))
    wanted = MelSpectrogram.preset("whisper")(padded)
    assert plan.n_frames(n_samples) == 3000
    assert (plan(y) == wanted).all()
    assert (
        np.abs(MelModule.preset("whisper", pad_or_trim=30)(torch.from_numpy(y)).numpy() - wanted).max() < 1e-5
    )
    cache = neurdsp.MelCache()
    short = MelSpectrogram.preset("whisper")
    assert cache.get_or_compute(short, y).shape != cache.get_or_compute(plan, y).shape or n_samples == 480_000


def test_what_needs_the_whole_signal_is_no_stream():
    with pytest.raises(ParameterError, match=r"snip_edges is set, which needs the whole signal"):
        MelSpectrogram.preset("kaldi", snip_edges=False).stream()
    with pytest.raises(ParameterError, match="pad_or_trim is set"):
        MelSpectrogram(pad_or_trim=1).stream()
    with pytest.raises(ParameterError, match=r"padded by 1024 samples already; pass center=False"):
        MelSpectrogram(snip_edges=False)
    with pytest.raises(ParameterError, match=r"pad_or_trim is 0, but it must be a finite number above 0"):
        MelSpectrogram(pad_or_trim=0)


@pytest.mark.parametrize("name", ["nemo", "whisper", "kaldi"])
def test_a_padded_batch_is_its_signals(name):
    y, lengths = noise(3, 16_000), [16_000, 4001, 9000]
    plan, module = MelSpectrogram.preset(name), MelModule.preset(name)
    features = plan.padded(y, lengths)
    for row, one, length in zip(features, y, lengths, strict=True):
        n_frames = plan.n_frames(length)
        assert (row[:, :n_frames] == plan(one[:length])).all()
        assert not row[:, n_frames:].any()
    samples = torch.from_numpy(y).requires_grad_()
    result = module(samples, torch.tensor(lengths))
    np.testing.assert_allclose(result.detach().numpy(), features, atol=1e-5)
    assert module.n_frames(4001) == plan.n_frames(4001)
    result.sum().backward()
    assert not samples.grad[1, 4001:].any()
    for wrong in ([16_000, 4000], [16_001, 1, 1], [0, 1, 1], [1.5, 1, 1], "abc"):
        with pytest.raises(ParameterError, match=r"lengths is .*it must be 3 integers from 1 to 16000"):
            plan.padded(y, wrong)
        with pytest.raises(ParameterError, match="lengths is"):
            module(samples, wrong)
    with pytest.raises(ParameterError, match=r"with lengths it must be \(batch, n_samples\)"):
        plan.padded(y[0], [1])


@pytest.mark.parametrize(
    "call",
    [
        MelSpectrogram(),
        MelSpectrogram(preemphasis=0.9),
        MelSpectrogram.preset("kaldi", snip_edges=False),
        neurdsp.stft,
        neurdsp.spectrogram,
        neurdsp.log_mel,
    ],
)
def test_a_sample_that_is_not_finite_is_named_with_its_row(call):
    batch = noise(3, 2, 4000)
    batch[2, 1, 77] = np.nan
    with pytest.raises(ParameterError, match=r"^y\[2, 1\]: sample 77 of the audio is (NaN|nan)"):
        call(batch)
    with pytest.raises(ParameterError, match=r"^y\[1\]\[1\]: sample 77"):
        call([batch[0], batch[2]])
    with pytest.raises(ParameterError, match=r"^sample 77"):
        call(batch[2, 1])


def test_a_spectrum_and_a_loud_sample_are_named_with_their_row():
    spectrum = np.zeros((2, 1025, 9), np.complex64)
    spectrum[1, 3, 4] = np.inf
    with pytest.raises(ParameterError, match=r"^stft_matrix\[1\]: sample 4"):
        neurdsp.istft(spectrum)
    loud = noise(2, 4000)
    loud[1, 5] = 1e38
    with pytest.raises(ParameterError, match=r"^y\[1\]: sample 5 of the audio is 1e38|^y\[1\]: sample 5"):
        neurdsp.mel_spectrogram(loud)


@pytest.mark.parametrize(
    "module",
    [MelModule(), Spectrogram(), STFT(), STFT().inverse],
    ids=["mel", "spectrogram", "stft", "istft"],
)
def test_modules_say_that_they_take_tensors(module):
    with pytest.raises(
        ParameterError, match=r"is a numpy\.ndarray, but a module takes a torch tensor; .*from_numpy"
    ):
        module(noise(4000))
    with pytest.raises(ParameterError, match=r"is a builtins\.list, but a module takes a torch tensor"):
        module([0.0, 1.0])


@pytest.mark.parametrize("loss", [ESRLoss, DCLoss, PreEmphasisLoss, SpectralLoss, AWeightedLoss, MelLoss])
def test_losses_say_that_they_take_tensors(loss):
    module = loss(sample_rate=48_000) if loss is AWeightedLoss else loss()
    with pytest.raises(ParameterError, match=r"is a numpy\.ndarray, but a module takes a torch tensor"):
        module(noise(1, 8000), noise(1, 8000))


WINDOWS = [
    ("dpss", 0.5),
    ("dpss", 2.5),
    ("dpss", 10),
    ("chebwin", 100),
    ("cheb", 50),
    "taylor",
    ("taylor", 6, 60),
    ("taylor", 6, 60, False),
    ("general_hamming", 0.6),
    ("general_cosine", [0.5, 0.3, 0.2]),
    "lanczos",
]


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_rare_windows_are_those_of_scipy(window, periodic):
    for length in (25, 256, 1023, 2048):
        wanted = scipy.signal.get_window(window, length, fftbins=periodic)
        got = neurdsp.filters.get_window(window, length, fftbins=periodic)
        assert np.abs(got - wanted).max() < 1e-9
    y = noise(4000)
    assert neurdsp.stft(y, n_fft=256, window=window).tobytes() == (
        neurdsp.stft(y, n_fft=256, window=neurdsp.filters.get_window(window, 256)).tobytes()
    )


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ("dpss", "window 'dpss' has 0 parameters, but takes NW"),
        (("dpss", 1, 2), "window 'dpss' has 2 parameters, but takes NW"),
        (("dpss", -1), "NW of window 'dpss' is -1, but it must be from 0.001 to 100"),
        (("dpss", 50), "NW of window 'dpss' is 50, but it must be below half the length, 32"),
        (("taylor", 0), "nbar of window 'taylor' is 0"),
        (("general_cosine",), "window 'general_cosine' needs 1 to 100 weights"),
        ("chebwim", "and so do chebwin, cheb, dpss"),
    ],
)
def test_mistakes_in_rare_windows_are_told(window, message):
    with pytest.raises(ParameterError, match=message):
        neurdsp.filters.get_window(window, 64)
