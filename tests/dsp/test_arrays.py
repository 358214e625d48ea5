"""Batches, ragged lists, strides, torch tensors and outputs give what row after row gives, bit for bit."""

import subprocess
import sys

import neurdsp
import numpy as np
import pytest
import torch
from neurdsp.errors import ParameterError

FUNCTIONS = {
    "stft": lambda y, **options: neurdsp.stft(y, n_fft=256, **options),
    "log_mel": lambda y, **options: neurdsp.log_mel(y, n_fft=256, hop_length=100, n_mels=20, **options),
}


@pytest.fixture(params=FUNCTIONS)
def function(request):
    return FUNCTIONS[request.param]


def noise(*shape, dtype=np.float32):
    return np.random.default_rng(7).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_leading_dimensions(function, dtype):
    y = noise(2, 3, 2000, dtype=dtype)
    together = function(y)
    assert together.shape[:2] == (2, 3)
    assert together.flags.c_contiguous
    for i in range(2):
        for j in range(3):
            assert (together[i, j] == function(y[i, j])).all()


def test_ragged_lists(function):
    rows = [noise(2000), noise(2, 1234), noise(1)]
    results = function(rows)
    assert isinstance(results, list)
    for row, result in zip(rows, results, strict=True):
        assert (result == function(row)).all()


def test_strided_rows(function):
    base = noise(6, 3000)
    for view in (
        base[::2, 100:2100],
        base[::-1],
        base[:, ::2],
        base.T.copy().T,
        np.broadcast_to(base[0], (4, 3000)),
    ):
        assert (function(view) == function(np.ascontiguousarray(view))).all()


def test_read_only_input(function):
    y = noise(2000)
    y.flags.writeable = False
    assert (function(y) == function(y.copy())).all()


def test_out_is_filled_and_returned(function):
    y = noise(2, 2000)
    wanted = function(y)
    out = np.full_like(wanted, 7)
    assert function(y, out=out) is out
    assert (out == wanted).all()
    rows = [noise(500), noise(2000)]
    outs = [np.empty_like(result) for result in function(rows)]
    assert function(rows, out=outs) is outs
    for out, wanted in zip(outs, function(rows), strict=True):
        assert (out == wanted).all()


@pytest.mark.parametrize("n_threads", [1, 2, 3, 7])
def test_threads_change_no_bit(function, n_threads):
    y = noise(3, 40_000)
    assert (function(y, n_threads=n_threads) == function(y, n_threads=1)).all()
    assert (function(y[0], n_threads=n_threads) == function(y[0], n_threads=1)).all()


def test_threads_change_no_bit_of_the_inverse():
    spectrum = neurdsp.stft(noise(2, 60_000), n_fft=512)
    one = neurdsp.istft(spectrum, n_threads=1)
    for n_threads in (2, 5):
        assert (neurdsp.istft(spectrum, n_threads=n_threads) == one).all()


def test_double_precision_results_of_single_precision_audio():
    y = noise(3000)
    exact = neurdsp.stft(y.astype(np.float64))
    assert (neurdsp.stft(y, dtype=np.complex128) == exact).all()
    assert (neurdsp.stft(y, precision="exact") == exact.astype(np.complex64)).all()
    mel = neurdsp.mel_spectrogram(y.astype(np.float64))
    assert (neurdsp.mel_spectrogram(y, precision="exact") == mel.astype(np.float32)).all()
    assert (neurdsp.mel_spectrogram(y.astype(np.float64), dtype=np.float32) == mel.astype(np.float32)).all()


def test_planned_objects_are_the_functions():
    y = noise(2, 5000)
    plan = neurdsp.STFT(n_fft=400, hop_length=160, window="hamming", pad_mode="reflect")
    spectrum = plan(y)
    assert (
        spectrum == neurdsp.stft(y, n_fft=400, hop_length=160, window="hamming", pad_mode="reflect")
    ).all()
    assert plan.n_frames(5000) == spectrum.shape[-1]
    assert (plan.inverse(spectrum) == neurdsp.istft(spectrum, hop_length=160, window="hamming")).all()
    mel = neurdsp.MelSpectrogram(sr=16000, n_fft=512, hop_length=128, n_mels=40, log="db", floor=1e-8)
    wanted = neurdsp.log_mel(y, sr=16000, n_fft=512, hop_length=128, n_mels=40, log="db", floor=1e-8)
    assert (mel(y) == wanted).all()
    assert mel.n_frames(5000) == wanted.shape[-1]


def test_torch_tensors_come_and_go_without_copies(function):
    y = torch.from_numpy(noise(2, 2000))
    result = function(y)
    assert isinstance(result, torch.Tensor)
    assert (result.numpy() == function(y.numpy())).all()
    out = torch.empty_like(result)
    assert function(y, out=out) is out
    assert torch.equal(out, result)
    assert all(isinstance(entry, torch.Tensor) for entry in function([y[0], y[1, :700]]))
    assert torch.equal(function(y[:, ::2]), function(y[:, ::2].contiguous()))
    with pytest.raises(ParameterError, match="gradient"):
        function(y.clone().requires_grad_())
    with torch.no_grad():
        assert torch.equal(function(y.clone().requires_grad_()), result)
    with pytest.raises(ParameterError, match="meta"):
        function(y.to("meta"))
    with pytest.raises(ParameterError, match="float16"):
        function(y.half())


def test_inverse_of_a_torch_tensor():
    spectrum = neurdsp.stft(torch.from_numpy(noise(2, 2000)), n_fft=256)
    back = neurdsp.istft(spectrum.conj().resolve_conj().conj(), length=2000)
    assert isinstance(back, torch.Tensor)
    assert np.abs(back.numpy() - noise(2, 2000)).max() < 1e-5


def test_numpy_arrays_need_no_torch():
    code = (
        "import sys, numpy, neurdsp; neurdsp.log_mel(numpy.ones(99, 'f')); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
