"""The functions of plain numbers give for tensors, lists and odd arrays what they give for a plain array."""

import neurdsp
import numpy as np
import pytest
import torch
from neurdsp.errors import ParameterError

MEL = np.random.default_rng(0).exponential(size=(2, 32, 12))
FUNCTIONS = {
    "power_to_db": neurdsp.power_to_db,
    "amplitude_to_db": lambda S: neurdsp.amplitude_to_db(S, ref=np.max),
    "db_to_power": neurdsp.db_to_power,
    "db_to_amplitude": neurdsp.db_to_amplitude,
    "pcen": neurdsp.pcen,
    "delta": lambda S: neurdsp.delta(S, width=5),
    "mfcc": lambda S: neurdsp.mfcc(S=S, n_mfcc=13),
    "mel_spectrogram": lambda S: neurdsp.mel_spectrogram(S=S, n_mels=4),
    "mel_to_stft": lambda S: neurdsp.mel_to_stft(S, n_fft=512, n_iter=5),
    "mel_to_audio": lambda S: neurdsp.mel_to_audio(S, n_fft=512, n_iter=2, random_state=0),
    "griffinlim": lambda S: neurdsp.griffinlim(S, n_iter=2, random_state=0),
}
pytestmark = pytest.mark.filterwarnings("ignore:(n_fft=.* is too large|Empty filters)")


@pytest.fixture(params=FUNCTIONS)
def function(request):
    return FUNCTIONS[request.param]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_type_stays(function, dtype):
    assert function(MEL.astype(dtype)).dtype == dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tensors_for_tensors(function, dtype):
    values = MEL.astype(dtype)
    result = function(torch.from_numpy(values))
    assert isinstance(result, torch.Tensor)
    assert np.array_equal(result.numpy(), function(values))
    assert result.dtype == torch.from_numpy(values).dtype
    with torch.no_grad():
        assert torch.equal(function(torch.from_numpy(values).requires_grad_()), result)
    with pytest.raises(ParameterError, match="gradient"):
        function(torch.from_numpy(values).requires_grad_())


def test_lists_for_lists_of_any_lengths(function):
    entries = [MEL[0, :, :7], MEL, MEL[1]]
    results = function(entries)
    assert isinstance(results, list)
    for result, entry in zip(results, entries, strict=True):
        assert np.array_equal(result, function(entry))
    tensors = function([torch.from_numpy(entry) for entry in entries])
    assert all(isinstance(tensor, torch.Tensor) for tensor in tensors)


def test_memory_in_any_order(function):
    frozen = MEL.copy()
    frozen.flags.writeable = False
    wanted = function(MEL)
    tall = np.asfortranarray(MEL)
    for same in (frozen, tall, MEL[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1], MEL.astype(">f8")):
        result = function(same)
        assert np.abs(result - wanted).max() <= 1e-12 * np.abs(wanted).max()
        assert result.dtype == np.float64


def test_half_precision_is_computed_in_single():
    half = MEL.astype(np.float16)
    assert neurdsp.power_to_db(half).dtype == np.float32
    # In half precision 1e-10 is zero, and its logarithm infinite.
    assert neurdsp.power_to_db(np.zeros(3, np.float16)) == pytest.approx([-100.0] * 3, abs=1e-4)
    assert neurdsp.pcen(half).dtype == np.float32


def test_mfcc_of_tensors_and_lists_of_audio():
    audio = np.random.default_rng(1).standard_normal((2, 4000)).astype(np.float32)
    wanted = neurdsp.mfcc(audio)
    assert np.array_equal(neurdsp.mfcc(torch.from_numpy(audio)).numpy(), wanted)
    # The peak of a signal sets the floor of its decibels: in a list each entry has its own, a batch has one.
    faded = [audio[0], 1e-6 * audio[1]]
    alone = neurdsp.mfcc(faded[1])
    assert np.array_equal(neurdsp.mfcc(faded)[1], alone)
    raised = neurdsp.mfcc(np.stack(faded))[1, 0] - alone[0]
    assert raised.max() == pytest.approx(504.9, abs=0.1)  # 44.6 dB in all 128 bands
    with pytest.raises(ParameterError, match="either y or S"):
        neurdsp.mfcc(audio, S=wanted)


def test_pcen_gives_its_state_as_it_gives_its_result():
    result, state = neurdsp.pcen(torch.from_numpy(MEL), return_zf=True)
    expected = neurdsp.pcen(MEL, return_zf=True)
    assert np.array_equal(result.numpy(), expected[0])
    assert np.array_equal(state.numpy(), expected[1])
