"""Every parameter of every function may be anything: the answer is finite numbers, or a refusal by name."""

import inspect
import pickle
import warnings
from functools import partial

import neurdsp
import numpy as np
import pytest
from neurdsp.dsp import inversion
from neurdsp.errors import NeurdspError

RNG = np.random.default_rng(0)
Y = RNG.standard_normal(900).astype(np.float32)
M = np.abs(RNG.standard_normal((20, 6)))
SPECTRUM = neurdsp.stft(Y, n_fft=64)
S = np.abs(SPECTRUM)

JUNK = [
    None, True, False, 0, 1, -1, 2, 3, 7, 1.5, -0.5, 0.0, np.nan, np.inf, -np.inf, 2**31, 2**63, 10**30,
    1e300, -1e300, 1e-300, "", "hann", "x", "float32", b"x", (), (1,), [], [1, 2], [[1], [2, 3]], [None], {},
    np.int64(5), np.float32(2.5), np.True_, np.array(3), np.array([1.0, 2.0]), np.zeros((2, 2)),
    np.zeros((3, 0)), np.zeros((2**40, 0)), np.array("a"), np.array([{}, None]), np.array(1, "M8[s]"), 1j,
    object(), lambda n: n, lambda n: "no", np.max, int, np.dtype(">f4"), np.float16, "slaney", "reflect",
    ("kaiser", 5.0), ("kaiser", np.nan), ("gaussian", 0.0), ("kaiser", 1e300), (True, np.nan),
]  # fmt: skip

# A call that works, with all that it needs.
CALLS = {
    "stft": (neurdsp.stft, {"y": Y}),
    "STFT": (neurdsp.STFT, {}),
    "STFT()": (neurdsp.STFT(n_fft=64), {"y": Y}),
    "STFT().inverse": (neurdsp.STFT(n_fft=64).inverse, {"stft_matrix": SPECTRUM}),
    "STFT().n_frames": (neurdsp.STFT(n_fft=64).n_frames, {"n_samples": 100}),
    "istft": (neurdsp.istft, {"stft_matrix": SPECTRUM}),
    "spectrogram": (neurdsp.spectrogram, {"y": Y, "n_fft": 64}),
    "mel_spectrogram": (neurdsp.mel_spectrogram, {"y": Y, "n_fft": 64, "n_mels": 4}),
    "log_mel": (neurdsp.log_mel, {"y": Y, "n_fft": 64, "n_mels": 4}),
    "MelSpectrogram": (neurdsp.MelSpectrogram, {"n_fft": 64, "n_mels": 4}),
    "MelSpectrogram()": (neurdsp.MelSpectrogram(n_fft=64, n_mels=4), {"y": Y}),
    "MelSpectrogram().stream": (neurdsp.MelSpectrogram(n_fft=64, n_mels=4).stream, {}),
    "MelStream.push": (lambda y: neurdsp.MelSpectrogram(n_fft=64, n_mels=4).stream().push(y), {"y": Y}),
    "MelCache": (neurdsp.MelCache, {}),
    "MelCache().get_or_compute": (
        neurdsp.MelCache().get_or_compute,
        {"plan": neurdsp.MelSpectrogram(n_fft=64, n_mels=4), "y": Y},
    ),
    "mfcc": (neurdsp.mfcc, {"y": Y}),
    "delta": (neurdsp.delta, {"data": M, "width": 3}),
    "power_to_db": (neurdsp.power_to_db, {"S": M}),
    "amplitude_to_db": (neurdsp.amplitude_to_db, {"S": M}),
    "db_to_power": (neurdsp.db_to_power, {"S_db": M}),
    "db_to_amplitude": (neurdsp.db_to_amplitude, {"S_db": M}),
    "pcen": (neurdsp.pcen, {"S": M}),
    "rms": (neurdsp.rms, {"y": Y, "frame_length": 64}),
    "trim": (neurdsp.trim, {"y": Y}),
    "split": (neurdsp.split, {"y": Y}),
    "MelSpectrogram().padded": (
        neurdsp.MelSpectrogram(n_fft=64, n_mels=4).padded,
        {"y": np.stack([Y, Y]), "lengths": [900, 500]},
    ),
    "griffinlim": (neurdsp.griffinlim, {"S": S, "n_iter": 2}),
    "mel_to_stft": (neurdsp.mel_to_stft, {"M": M, "n_fft": 256, "n_iter": 2}),
    "mel_to_audio": (neurdsp.mel_to_audio, {"M": M, "n_fft": 256, "n_iter": 2}),
    "filters.mel": (neurdsp.filters.mel, {"sr": 22050, "n_fft": 512}),
    "filters.get_window": (neurdsp.filters.get_window, {"window": "hann", "Nx": 16}),
    "filters.hz_to_mel": (neurdsp.filters.hz_to_mel, {"frequencies": 100.0}),
    "filters.mel_to_hz": (neurdsp.filters.mel_to_hz, {"mels": 10.0}),
    "filters.mel_frequencies": (neurdsp.filters.mel_frequencies, {}),
}
# What is passed on to other functions.
PASSED_ON = {
    "log_mel": [
        "sr",
        "n_fft",
        "hop_length",
        "n_mels",
        "fmin",
        "fmax",
        "htk",
        "norm",
        "eps",
        "window",
        "power",
    ],
    "mfcc": ["n_fft", "hop_length", "n_mels", "fmin", "fmax", "htk", "window", "power", "center"],
    "mel_to_audio": ["n_iter", "hop_length", "window", "length", "momentum", "init", "fmin", "fmax", "norm"],
}
# Values that only mean a long wait or a large result, both of which the caller has asked for.
PATIENCE = {"n_iter": 100, "n_threads": 100, "length": 10_000, "hop_length": 10_000, "n_frames": 100}


def parameters_of(name):
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    found = inspect.signature(CALLS[name][0]).parameters.values()
    names = [parameter.name for parameter in found if parameter.kind not in kinds]
    # Any text is a folder, which would be made.
    return [name for name in names if name != "directory"] + PASSED_ON.get(name, [])


def numbers_in(result):
    if isinstance(result, (list, tuple)):
        return [array for entry in result for array in numbers_in(entry)]
    array = np.asarray(result)
    return [array] if array.dtype.kind in "fc" else []


def is_long(parameter, value):
    most = PATIENCE.get(parameter)
    return most is not None and isinstance(value, (int, np.integer)) and most < value < 2**31


@pytest.mark.parametrize("name", CALLS)
def test_anything_is_answered_or_refused_by_name(name, monkeypatch):
    # Hundreds of calls of `mel_to_audio` need no accurate magnitudes; `mel_to_stft` itself is tried above.
    monkeypatch.setattr(inversion, "mel_to_stft", partial(neurdsp.mel_to_stft, n_iter=2))
    function, good = CALLS[name]
    wrong = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        function(**good)
        for parameter in parameters_of(name):
            for value in JUNK:
                if is_long(parameter, value):
                    continue
                what = f"{parameter}={value!r:.40}"
                try:
                    result = function(**{**good, parameter: value})
                except NeurdspError as error:
                    if "\n" in str(error) or len(str(error)) < 15:
                        wrong.append(f"{what}: {error}")
                except BaseException as error:
                    wrong.append(f"{what}: {type(error).__name__}: {error}")
                else:
                    # What is not finite goes in and comes out; nothing else may make it.
                    own = parameter in good and parameter in ("S", "S_db", "data", "frequencies", "mels")
                    if not own and not all(np.isfinite(array).all() for array in numbers_in(result)):
                        wrong.append(f"{what}: not finite")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", CALLS)
def test_what_is_missing_or_unknown_is_a_type_error(name):
    function, good = CALLS[name]
    with pytest.raises(TypeError, match="n_ftt"):
        function(**good, n_ftt=3)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.default is inspect.Parameter.empty and parameter.kind != inspect.Parameter.VAR_KEYWORD:
            with pytest.raises(TypeError, match=parameter.name):
                function(**{key: value for key, value in good.items() if key != parameter.name})


def test_every_public_function_is_tried():
    tried = {name.partition("(")[0].partition(".")[0] for name in CALLS}
    assert set(neurdsp.dsp.__all__) - tried == set()
    assert {
        f"filters.{name}" for name in ("mel", "get_window", "hz_to_mel", "mel_to_hz", "mel_frequencies")
    } <= set(CALLS)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ({"n_mels": 1}, {"n_mels": True}),
        ({"n_fft": 64}, {"n_fft": 64.0}),
        ({"hop_length": 32}, {"hop_length": np.float64(32)}),
        ({"center": 0}, {"center": 0.0}),
        ({"window": ("kaiser", 5.0)}, {"window": ("kaiser", 5 + 0j)}),
        ({"frame_filter": (1, 0.9)}, {"frame_filter": (1.0, 0.9)}),
    ],
)
def test_a_plan_that_is_remembered_does_not_serve_what_merely_equals_its_parameters(good, bad):
    parameters = {"n_fft": 64, "n_mels": 4}
    for _ in range(2):
        neurdsp.log_mel(Y, **{**parameters, **good})
        with pytest.raises(NeurdspError, match=f"{next(iter(bad))} is|remove_mean is|a parameter of window"):
            neurdsp.log_mel(Y, **{**parameters, **bad})


def test_a_function_as_window_is_asked_again_at_each_call():
    scale = [1.0]

    def window(n):
        return scale[0] * np.ones(n)

    first = neurdsp.mel_spectrogram(Y, n_fft=64, n_mels=4, window=window)
    scale[0] = 2.0
    np.testing.assert_allclose(neurdsp.mel_spectrogram(Y, n_fft=64, n_mels=4, window=window), 4 * first, 1e-6)


def test_more_plans_than_are_remembered_give_what_they_gave():
    wanted = [neurdsp.log_mel(Y, n_fft=64, n_mels=4, floor=10.0**-n) for n in range(1, 31)]
    for _ in range(3):
        for n in range(1, 31):
            assert np.array_equal(neurdsp.log_mel(Y, n_fft=64, n_mels=4, floor=10.0**-n), wanted[n - 1])
            neurdsp.log_mel(Y, n_fft=64 + n, n_mels=3)


def test_a_pickled_plan_plans_the_same():
    plan = neurdsp.MelSpectrogram.preset("kaldi", window=np.hanning(400), precision="exact")
    other = pickle.loads(pickle.dumps(plan))
    assert np.array_equal(other(Y), plan(Y))
    assert (other.exact, other.parameters()) == (True, plan.parameters())
