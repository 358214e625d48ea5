"""Every function that has a namesake in librosa, against it."""

import itertools

import librosa
import neurdsp
import numpy as np
import pytest
import scipy.signal

RATE = 22050


def audio(dtype, shape=(22050,), seed=0):
    rng = np.random.default_rng(seed)
    n = shape[-1]
    tone = np.sin(2 * np.pi * 440 * np.arange(n) / RATE)
    return (0.3 * tone + 0.1 * rng.standard_normal(shape)).astype(dtype)


def relative(got, wanted):
    assert got.shape == wanted.shape
    assert got.dtype == wanted.dtype
    return np.abs(got - wanted).max() / np.abs(wanted).max()


FRAMINGS = [
    {},
    {"n_fft": 512, "hop_length": 128},
    {"n_fft": 400, "hop_length": 160, "window": "hamming"},
    {"n_fft": 1024, "hop_length": 333, "win_length": 700, "window": "blackman"},
    {"n_fft": 255, "hop_length": 64, "window": ("kaiser", 14.0)},
    {"n_fft": 2048, "hop_length": 2500},
    {"n_fft": 512, "center": False},
    {"n_fft": 1, "hop_length": 1},
    {"n_fft": 2, "hop_length": 1},
    {"n_fft": 4096, "window": ("gaussian", 300.0)},
    {"n_fft": 600, "window": np.linspace(0.1, 1, 600)},
    {"n_fft": 1009, "hop_length": 256, "window": "boxcar"},
]
TOLERANCE = {np.float32: 1e-6, np.float64: 1e-13}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("framing", FRAMINGS, ids=str)
def test_stft(dtype, framing):
    y = audio(dtype, (2, 6000))
    assert relative(neurdsp.stft(y, **framing), librosa.stft(y, **framing)) < TOLERANCE[dtype]


@pytest.mark.parametrize("framing", FRAMINGS, ids=str)
def test_exact_stft_of_single_precision_is_librosas_to_the_last_bit_or_the_one_before(framing):
    y = audio(np.float32, (6000,))
    assert relative(neurdsp.stft(y, precision="exact", **framing), librosa.stft(y, **framing)) < 6e-8


@pytest.mark.filterwarnings("ignore:n_fft=.* is too large")
@pytest.mark.parametrize("pad_mode", ["constant", "reflect", "edge", "symmetric"])
@pytest.mark.parametrize("length", [1, 2, 3, 100, 511, 512, 513, 3000])
def test_padding_of_any_length(pad_mode, length):
    y = audio(np.float64, (length,))
    framing = {"n_fft": 1024, "hop_length": 100, "pad_mode": pad_mode}
    with pytest.warns() if length < 1024 else pytest.MonkeyPatch.context():
        wanted = librosa.stft(y, **framing)
    assert relative(neurdsp.stft(y, **framing), wanted) < 1e-13


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("length", [None, 5000, 6500, 3000])
@pytest.mark.parametrize(
    "framing",
    [
        {"n_fft": 512, "hop_length": 128},
        {"n_fft": 511, "hop_length": 100, "win_length": 300, "window": "hamming"},
        {"n_fft": 1024, "hop_length": 256, "center": False, "window": "hamming"},
        {"n_fft": 256, "hop_length": 256, "window": "boxcar"},
    ],
    ids=str,
)
def test_istft(dtype, length, framing):
    spectrum = librosa.stft(audio(dtype, (2, 6000)), **framing)
    got = neurdsp.istft(spectrum, length=length, **framing)
    wanted = librosa.istft(spectrum, length=length, **framing)
    assert relative(got[..., :5500], wanted[..., :5500]) < TOLERANCE[dtype] * 3
    # Where the last window fades out, both divide rounding errors by next to nothing.
    assert relative(got, wanted) < TOLERANCE[dtype] * 1000


BANKS = [
    {},
    {"n_mels": 40, "htk": True},
    {"n_mels": 80, "norm": None},
    {"fmin": 50.0, "fmax": 8000.0, "norm": np.inf},
    {"n_mels": 64, "norm": 1, "htk": True, "fmin": 20.0},
    {"norm": 2.0},
]


@pytest.mark.parametrize("bank", BANKS, ids=str)
@pytest.mark.parametrize(("sr", "n_fft"), [(22050, 2048), (16000, 512), (44100, 4096), (8000, 255)])
def test_mel_filters(bank, sr, n_fft):
    bank = {"n_mels": 24, **bank} if n_fft < 1000 else bank
    bank = {**bank, "fmax": min(bank.get("fmax", sr / 2), sr / 2)}
    wanted = librosa.filters.mel(sr=sr, n_fft=n_fft, dtype=np.float64, **bank)
    got = neurdsp.filters.mel(sr=sr, n_fft=n_fft, dtype=np.float64, **bank)
    assert relative(got, wanted) < 1e-13
    single = neurdsp.filters.mel(sr=sr, n_fft=n_fft, **bank)
    # librosa rounds to float32 before it normalises: a last bit here, and half a one there.
    assert relative(single, librosa.filters.mel(sr=sr, n_fft=n_fft, **bank)) < 1.2e-7


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("power", [1.0, 2.0, 0.7])
@pytest.mark.parametrize("bank", BANKS, ids=str)
def test_mel_spectrogram(dtype, power, bank):
    y = audio(dtype)
    got = neurdsp.mel_spectrogram(y, sr=RATE, power=power, **bank)
    wanted = librosa.feature.melspectrogram(y=y, sr=RATE, power=power, **bank)
    # librosa's filterbank has single precision even for double precision audio.
    assert relative(got, wanted) < (1e-6 if dtype == np.float32 else 2e-7)


def test_mel_spectrogram_of_a_spectrogram():
    S = np.abs(librosa.stft(audio(np.float32))) ** 2
    got = neurdsp.mel_spectrogram(S=S, sr=RATE)
    assert relative(got, librosa.feature.melspectrogram(S=S, sr=RATE)) < 1e-6


@pytest.mark.parametrize("precision", ["fast", "exact"])
def test_log_mel_within_a_thousandth_of_a_decibel_where_there_is_sound(precision):
    y = audio(np.float32)
    got = neurdsp.log_mel(y, sr=RATE, log="db", floor=1e-10, precision=precision)
    wanted = librosa.power_to_db(librosa.feature.melspectrogram(y=y, sr=RATE), top_db=None)
    loud = wanted > wanted.max() - 60
    assert np.abs(got - wanted)[loud].max() < 1e-3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("dct_type", "norm"), list(itertools.product([1, 2, 3], ["ortho", None])))
@pytest.mark.parametrize("lifter", [0, 22])
def test_mfcc(dtype, dct_type, norm, lifter):
    y = audio(dtype)
    options = {"dct_type": dct_type, "norm": norm, "lifter": lifter, "n_mfcc": 13}
    got = neurdsp.mfcc(y, sr=RATE, **options)
    assert relative(got, librosa.feature.mfcc(y=y, sr=RATE, **options)) < 2e-6


@pytest.mark.parametrize("width", [3, 9, 15])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("mode", ["interp", "nearest", "mirror", "constant", "wrap"])
@pytest.mark.parametrize("axis", [0, -1])
def test_delta(width, order, mode, axis):
    data = np.random.default_rng(1).standard_normal((20, 30))
    got = neurdsp.delta(data, width=width, order=order, mode=mode, axis=axis)
    assert relative(got, librosa.feature.delta(data, width=width, order=order, mode=mode, axis=axis)) < 1e-12


@pytest.mark.parametrize("ref", [1.0, 3.0, np.max], ids=["1", "3", "max"])
@pytest.mark.parametrize("top_db", [None, 80.0, 20.0])
@pytest.mark.parametrize("amin", [1e-10, 1e-3])
def test_decibels(ref, top_db, amin):
    S = np.random.default_rng(2).exponential(size=(30, 40)) ** 8
    assert (
        relative(
            neurdsp.power_to_db(S, ref=ref, top_db=top_db, amin=amin),
            librosa.power_to_db(S, ref=ref, top_db=top_db, amin=amin),
        )
        == 0
    )
    assert (
        relative(
            neurdsp.amplitude_to_db(S, ref=ref, top_db=top_db, amin=amin),
            librosa.amplitude_to_db(S, ref=ref, top_db=top_db, amin=amin),
        )
        < 1e-15
    )
    decibels = librosa.power_to_db(S, top_db=top_db)
    assert relative(neurdsp.db_to_power(decibels, ref=2.0), librosa.db_to_power(decibels, ref=2.0)) < 1e-15
    assert relative(neurdsp.db_to_amplitude(decibels), librosa.db_to_amplitude(decibels)) < 1e-15


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"gain": 0.5, "bias": 10, "power": 0.25, "time_constant": 0.06},
        {"power": 0},
        {"bias": 0},
        {"b": 0.1},
        {"max_size": 3},
        {"max_size": 4},
    ],
    ids=str,
)
def test_pcen(options):
    S = np.random.default_rng(3).exponential(size=(40, 100)) * 1e4
    assert relative(neurdsp.pcen(S, **options), librosa.pcen(S, **options)) < 1e-12


def test_pcen_in_blocks_is_pcen():
    S = np.random.default_rng(3).exponential(size=(40, 100))
    first, state = neurdsp.pcen(S[:, :37], return_zf=True)
    second = neurdsp.pcen(S[:, 37:], zi=state)
    assert np.abs(np.concatenate([first, second], axis=-1) - neurdsp.pcen(S)).max() < 1e-15


@pytest.mark.parametrize("options", [{}, {"momentum": 0.0}, {"init": None}, {"length": 9000}], ids=str)
def test_griffinlim(options):
    S = np.abs(librosa.stft(audio(np.float64, (9000,)), n_fft=512))
    got = neurdsp.griffinlim(S, n_iter=8, random_state=5, **options)
    assert relative(got, librosa.griffinlim(S, n_iter=8, random_state=5, **options)) < 1e-8


def test_mel_to_stft_fits_the_mel_spectrogram_as_well_as_librosa_does():
    y = audio(np.float64, (12000,))
    mel = librosa.feature.melspectrogram(y=y, sr=RATE, n_fft=1024, n_mels=64, dtype=np.float64)
    basis = librosa.filters.mel(sr=RATE, n_fft=1024, n_mels=64, dtype=np.float64)

    def residual(magnitudes):
        return np.linalg.norm(basis @ magnitudes**2 - mel) / np.linalg.norm(mel)

    ours = neurdsp.mel_to_stft(mel, sr=RATE, n_fft=1024)
    theirs = librosa.feature.inverse.mel_to_stft(mel, sr=RATE, n_fft=1024)
    assert ours.min() >= 0
    assert residual(ours) < max(1e-4, 1.05 * residual(theirs))


@pytest.mark.parametrize("fftbins", [True, False])
@pytest.mark.parametrize("length", [1, 2, 3, 16, 25])
@pytest.mark.parametrize(
    "name",
    [
        "boxcar", "triang", "bartlett", "hann", "hamming", "blackman", "blackmanharris", "nuttall", "flattop",
        "bohman", "barthann", "cosine", "parzen", "tukey", "exponential", ("kaiser", 8.6), 4.0,
        ("gaussian", 3.0), ("general_gaussian", 1.5, 4.0), ("tukey", 0.25), ("tukey", 0.0), ("tukey", 1.0),
    ],
    ids=str,
)  # fmt: skip
def test_windows(name, length, fftbins):
    got = neurdsp.filters.get_window(name, length, fftbins=fftbins)
    assert np.abs(got - scipy.signal.get_window(name, length, fftbins)).max() < 1e-14


def test_mel_scales():
    hz = np.array([0.0, 100.0, 999.0, 1000.0, 5000.0, 20000.0])
    for htk in (False, True):
        assert relative(neurdsp.filters.hz_to_mel(hz, htk=htk), librosa.hz_to_mel(hz, htk=htk)) < 1e-15
        mels = librosa.hz_to_mel(hz, htk=htk)
        assert relative(neurdsp.filters.mel_to_hz(mels, htk=htk), librosa.mel_to_hz(mels, htk=htk)) < 1e-15
    assert relative(neurdsp.filters.mel_frequencies(40), librosa.mel_frequencies(n_mels=40)) < 1e-15
