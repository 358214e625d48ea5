"""Each kind of bad input is refused in one line that names it; none gives a wrong answer in silence."""

import neurdsp
import numpy as np
import pytest
from neurdsp.errors import ParameterError

GOOD = np.random.default_rng(0).standard_normal(4000).astype(np.float32)
ENTRY_POINTS = [neurdsp.stft, neurdsp.spectrogram, neurdsp.mel_spectrogram, neurdsp.log_mel]


def with_bad_sample(value):
    y = GOOD.copy()
    y[1234] = value
    return y


@pytest.mark.parametrize("function", ENTRY_POINTS)
@pytest.mark.parametrize(
    ("y", "message"),
    [
        (with_bad_sample(np.nan), "sample 1234 of the audio is NaN"),
        (with_bad_sample(np.inf), "sample 1234 of the audio is inf"),
        (with_bad_sample(-np.inf).astype(np.float64), "sample 1234 of the audio is -inf"),
        (np.zeros(0, np.float32), "empty"),
        (np.zeros((3, 0), np.float32), "empty"),
        (np.zeros((0, 500), np.float32), "empty"),
        (np.zeros(4000, np.int16), r"y is int16.*float32\) / 32768"),
        (np.zeros(4000, np.uint8), "y is uint8"),
        (np.zeros(4000, bool), "y is bool"),
        (np.zeros(4000, np.float16), "y is float16"),
        (np.zeros(4000, np.complex64), "y is complex64"),
        (np.zeros(4000, ">f4"), "y is >f4"),
        (np.array(["a"]), "y is <U1"),
        (np.float32(1.0), "y is a float32"),
        (np.array(1.0, np.float32), r"y has shape \(\)"),
        (None, "y is a NoneType"),
        ("take.wav", "y is a str"),
        ([], "empty list"),
        ([GOOD, np.zeros(10, int)], r"y\[1\] is int64"),
        ([0.0, 1.0], r"y\[0\] is a float"),
    ],
    ids=str,
)
def test_bad_audio(function, y, message):
    with pytest.raises(ParameterError, match=message) as caught:
        function(y)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("function", ENTRY_POINTS)
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_fft": 0}, "n_fft is 0"),
        ({"n_fft": -512}, "n_fft is -512"),
        ({"n_fft": 512.0}, "n_fft is 512.0"),
        ({"n_fft": True}, "n_fft is True"),
        ({"n_fft": 1 << 40}, "n_fft is 1099511627776|win_length is 1099511627776"),
        ({"hop_length": 0}, "hop_length is 0"),
        ({"hop_length": -1}, "hop_length is -1"),
        ({"hop_length": 1.5}, "hop_length is 1.5"),
        ({"n_fft": 512, "win_length": 513}, "win_length is 513.*n_fft = 512"),
        ({"win_length": 0}, "win_length is 0"),
        ({"window": "hamn"}, "window is 'hamn'"),
        ({"window": ("kaiser",)}, "window is 'kaiser'"),
        ({"window": ("hann", 3.0)}, "'hann' does not take 1 parameters"),
        ({"window": np.ones(7)}, r"shape \(7,\)"),
        ({"window": np.full(2048, np.nan)}, "window is .*NaN or infinite"),
        ({"window": ("kaiser", "x")}, "window 'kaiser' is 'x', but it must be a finite number"),
        ({"pad_mode": "reflex"}, "pad_mode is 'reflex'"),
        ({"pad_mode": 3}, "pad_mode is 3"),
        ({"center": False, "n_fft": 4001, "hop_length": 10}, "4000 samples.*4001"),
        ({"precision": "double"}, "precision is 'double'"),
        ({"dtype": np.int32}, "dtype is int32"),
        ({"n_threads": 0}, "n_threads is 0"),
    ],
    ids=str,
)
def test_bad_parameters(function, parameters, message):
    with pytest.raises(ParameterError, match=message) as caught:
        function(GOOD, **parameters)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("function", [neurdsp.mel_spectrogram, neurdsp.log_mel, neurdsp.MelSpectrogram])
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"fmax": 12000.0}, "fmax is 12000.*11025"),
        ({"fmax": 0.0}, "fmax is 0"),
        ({"fmin": -1.0}, "fmin is -1"),
        ({"fmin": 11025.0}, "fmin is 11025"),
        ({"fmin": np.nan}, "fmin is nan"),
        ({"n_mels": 0}, "n_mels is 0"),
        ({"n_mels": 10**9}, "n_mels is 1000000000"),
        ({"sr": 0}, "sr is 0"),
        ({"sr": "fast"}, "'fast'"),
        ({"norm": "slany"}, "norm is 'slany'"),
        ({"norm": -1}, "norm is -1"),
        ({"power": 0}, "power is 0"),
        ({"power": -2.0}, "power is -2"),
        ({"power": "two"}, "power is 'two'"),
    ],
    ids=str,
)
def test_bad_mel_parameters(function, parameters, message):
    arguments = () if function is neurdsp.MelSpectrogram else (GOOD,)
    with pytest.raises(ParameterError, match=message):
        function(*arguments, **parameters)


def test_empty_filters_are_counted_in_a_warning_at_the_callers_line():
    for function in (neurdsp.mel_spectrogram, neurdsp.log_mel):
        with pytest.warns(UserWarning, match="of 256 mel filters are empty") as caught:
            function(GOOD, n_fft=512, n_mels=256)
        assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="are empty") as caught:
        neurdsp.MelSpectrogram(n_fft=512, n_mels=256)
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="are empty") as caught:
        bank = neurdsp.filters.mel(sr=22050, n_fft=512, n_mels=256)
    assert caught[0].filename == __file__
    assert f"{(bank.max(axis=1) == 0).sum()} of 256" in str(caught[0].message)


@pytest.mark.parametrize(
    ("spectrum", "parameters", "message"),
    [
        (np.zeros((257, 4), np.float32), {}, "stft_matrix is float32"),
        (np.zeros(257, np.complex64), {}, r"shape \(257,\)"),
        (np.zeros((257, 0), np.complex64), {}, "empty"),
        (np.zeros((257, 4), np.complex64), {"n_fft": 1024}, "257 bins, but n_fft = 1024 makes 513"),
        (np.full((257, 4), np.nan, np.complex64), {}, "is NaN"),
        (np.zeros((257, 4), np.complex64), {"length": 0}, "length is 0"),
        (np.zeros((257, 4), np.complex64), {"hop_length": 0}, "hop_length is 0"),
        (np.zeros((257, 1), np.complex64), {}, "pass more frames, or length"),
    ],
    ids=str,
)
def test_bad_spectra(spectrum, parameters, message):
    with pytest.raises(ParameterError, match=message):
        neurdsp.istft(spectrum, **parameters)


def test_out_must_fit():
    for out in (
        np.empty((1025, 7), np.complex64),
        np.empty((1025, 8), np.complex128),
        np.empty((8, 1025), np.complex64).T,
        np.empty((1, 1025, 8), np.complex64),
    ):
        with pytest.raises(ParameterError, match="out"):
            neurdsp.stft(GOOD, out=out)
    frozen = np.empty((1025, 8), np.complex64)
    frozen.flags.writeable = False
    with pytest.raises(ParameterError, match="writeable"):
        neurdsp.stft(GOOD, out=frozen)
    with pytest.raises(ParameterError, match="out has 1 arrays for 2 inputs"):
        neurdsp.stft([GOOD, GOOD], out=[np.empty((1025, 8), np.complex64)])


def test_unknown_keywords_are_named():
    with pytest.raises(TypeError, match="n_mel"):
        neurdsp.log_mel(GOOD, n_mel=3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: neurdsp.mfcc(GOOD, dct_type=4), "dct_type"),
        (lambda: neurdsp.mfcc(GOOD, n_mfcc=0), "n_mfcc is 0"),
        (lambda: neurdsp.mfcc(GOOD, lifter=-1), "lifter is -1"),
        (lambda: neurdsp.delta(np.ones(8)), "width is 9.*8 values"),
        (lambda: neurdsp.delta(np.ones(30), width=4), "odd"),
        (lambda: neurdsp.delta(np.ones(30), order=0), "order is 0"),
        (lambda: neurdsp.delta(np.ones(30), mode="best"), "mode is 'best'"),
        (lambda: neurdsp.delta(np.ones(30), axis=1), "axis is 1"),
        (lambda: neurdsp.power_to_db(np.ones(3), amin=0), "amin is 0"),
        (lambda: neurdsp.power_to_db(np.ones(3), top_db=-1), "top_db is -1"),
        (lambda: neurdsp.pcen(np.ones((3, 3)), gain=-1), "gain is -1"),
        (lambda: neurdsp.pcen(np.ones((3, 3)), b=2), "b is 2"),
        (lambda: neurdsp.pcen(np.ones(3), max_size=3), "max_size"),
        (lambda: neurdsp.pcen(np.ones((3, 5)), zi=np.ones((4, 1))), r"zi has shape \(4, 1\).*axis 1"),
        (lambda: neurdsp.pcen(np.ones((3, 5)), axis=0, zi=np.ones((3, 1))), r"zi has shape \(3, 1\).*axis 0"),
        (lambda: neurdsp.pcen(np.ones((3, 3)), ref=np.ones(3)), "ref has shape"),
        (lambda: neurdsp.griffinlim(np.ones(3)), r"S has shape \(3,\)"),
        (lambda: neurdsp.griffinlim(np.ones((257, 3), complex)), "S is complex128"),
        (lambda: neurdsp.griffinlim(np.full((257, 3), np.inf)), "S holds NaN or infinity"),
        (lambda: neurdsp.griffinlim(np.ones((257, 3)), momentum=-1), "momentum is -1"),
        (lambda: neurdsp.griffinlim(np.ones((257, 3)), init="zeros"), "init is 'zeros'"),
        (lambda: neurdsp.mel_to_stft(np.ones((128, 3), complex)), "M is complex128"),
        (lambda: neurdsp.mel_to_stft(np.ones((128, 0))), r"M is empty \(shape \(128, 0\)\)"),
        (
            lambda: neurdsp.istft(np.ones((257, 4), "F"), length=2**31),
            "length is 2147483648.*at most 268435456",
        ),
        (lambda: neurdsp.istft(np.ones((9, 40), "F"), hop_length=1 << 24), "hop_length = 16777216.*at most"),
        (lambda: neurdsp.spectrogram(GOOD, power=1e300), r"sample 0 of the audio is .*lower power"),
        (
            lambda: neurdsp.spectrogram(np.float32(1e30) * GOOD),
            "sample 0 of the audio is .*compute in float64",
        ),
        (lambda: neurdsp.mel_spectrogram(S=np.ones((1025, 3), object)), "S is object"),
        (lambda: neurdsp.delta(np.ones(30), mode=[]), r"mode is \[\], but it must be 'interp', "),
        (lambda: neurdsp.delta(np.ones((3, 0))), "data is empty"),
        (lambda: neurdsp.power_to_db(np.zeros((2**40, 0)), ref=np.ones(3)), r"ref has shape \(3,\)"),
        (lambda: neurdsp.power_to_db("loud"), "S is <U4, but it must be real numbers"),
        (lambda: neurdsp.stft(GOOD, dtype="x"), "dtype is 'x', but it must be complex64 or complex128"),
        (lambda: neurdsp.stft(GOOD, center="no"), "center is 'no', but it must be True or False"),
        (lambda: neurdsp.stft([GOOD], out=np.ones(3)), "out is a ndarray, but the input is a list"),
        (lambda: neurdsp.mel_to_stft(np.full((128, 3), np.nan)), "NaN"),
        (lambda: neurdsp.mel_spectrogram(GOOD, S=np.ones((1025, 3))), "either y or S"),
        (lambda: neurdsp.mel_spectrogram(S=np.ones(1025)), r"S has shape \(1025,\)"),
        (lambda: neurdsp.filters.mel(sr=22050, n_fft=2048, dtype=int), "dtype is int64"),
    ],
)
def test_other_functions(call, message):
    with pytest.raises(ParameterError, match=message):
        call()


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (neurdsp.power_to_db, "ref"),
        (neurdsp.power_to_db, "amin"),
        (neurdsp.amplitude_to_db, "ref"),
        (neurdsp.amplitude_to_db, "amin"),
        (neurdsp.db_to_power, "ref"),
        (neurdsp.db_to_amplitude, "ref"),
        (neurdsp.pcen, "sr"),
        (neurdsp.pcen, "gain"),
        (neurdsp.pcen, "eps"),
        (neurdsp.pcen, "time_constant"),
        (neurdsp.griffinlim, "momentum"),
        (neurdsp.mel_to_stft, "power"),
    ],
)
@pytest.mark.parametrize("value", [np.nan, -np.inf, "x", {}, np.zeros((30, 30), object)], ids=repr)
def test_a_parameter_that_is_no_finite_number_is_named_in_one_line(function, name, value):
    with pytest.raises(ParameterError, match=f"^{name} (is|holds)") as caught:
        function(np.ones((65, 4)), **{name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["n_fft", "hop_length", "win_length", "n_threads"])
@pytest.mark.parametrize("value", [1 << 64, 10**30, np.zeros((30, 30))], ids=["2^64", "10^30", "array"])
def test_no_integer_is_too_large_for_a_message(name, value):
    with pytest.raises(ParameterError, match=f"^{name} is") as caught:
        neurdsp.stft(GOOD, **{name: value})
    assert "\n" not in str(caught.value)
