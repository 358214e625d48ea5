"""The complex STFT and its inverse: right derivatives of every order, equal to numpy's and to plain torch."""

import neurdsp
import numpy as np
import pytest
import torch
from neurdsp.errors import ParameterError
from neurdsp.nn import STFT, mirror, stft_ops

# Hops that divide the frame and that do not, even and odd sizes, every padding, a short window.
CASES = [
    STFT(n_fft=16, hop_length=4),
    STFT(n_fft=15, hop_length=6, window="hamming", pad_mode="reflect"),
    STFT(n_fft=16, hop_length=5, win_length=9, center=False, window="hamming"),
    STFT(n_fft=12, hop_length=5, pad_mode="edge", window="boxcar"),
    STFT(n_fft=9, hop_length=3, pad_mode="symmetric"),
    STFT(n_fft=8, hop_length=11, pad_mode="wrap", window="hamming"),
]


def noise(*shape, dtype=torch.float64, seed=0):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("module", CASES)
def test_derivatives_are_the_numerical_ones(module):
    samples = noise(2, 37).requires_grad_()
    spectrum = module(samples).detach().requires_grad_()
    assert torch.autograd.gradcheck(module, (samples,))
    assert torch.autograd.gradgradcheck(module, (samples,))
    for length in (None, 20, 37):
        inverse = lambda values, length=length: module.inverse(values, length=length)  # noqa: E731
        assert torch.autograd.gradcheck(inverse, (spectrum,))
        assert torch.autograd.gradgradcheck(inverse, (spectrum,))


@pytest.mark.parametrize("module", CASES)
def test_core_and_mirror_agree(module, monkeypatch):
    results = []
    for _ in range(2):
        samples = noise(3, 2, 41).requires_grad_()
        spectrum = module(samples)
        back = module.inverse(spectrum * (1 + 0.5j), length=45)
        (back * noise(*back.shape, seed=1)).sum().backward()
        results.append((spectrum.detach(), back.detach(), samples.grad))
        monkeypatch.setattr(stft_ops, "stft", mirror.stft)
        monkeypatch.setattr(stft_ops, "istft", mirror.istft)
    for ours, plain in zip(*results, strict=True):
        torch.testing.assert_close(ours, plain, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_are_those_of_numpy_bit_for_bit(dtype):
    options = {"n_fft": 400, "hop_length": 160, "pad_mode": "reflect"}
    samples = noise(2, 5000, dtype=dtype)
    module = STFT(**options)
    spectrum = module(samples)
    expected = neurdsp.stft(samples.numpy(), **options)
    assert np.array_equal(spectrum.numpy(), expected)
    back = neurdsp.istft(expected, n_fft=400, hop_length=160)
    assert np.array_equal(module.inverse(spectrum).numpy(), back)
    assert np.array_equal(module.inverse(spectrum, length=4900).numpy(), back[:, :4900])


def test_the_same_as_torch_stft_and_istft():
    window = torch.hann_window(512, dtype=torch.float64)
    samples = noise(2, 8000)
    module = STFT(n_fft=512, hop_length=128, pad_mode="reflect")
    expected = torch.stft(samples, 512, 128, window=window, pad_mode="reflect", return_complex=True)
    torch.testing.assert_close(module(samples), expected, rtol=1e-10, atol=1e-10)
    back = torch.istft(expected, 512, 128, window=window, length=8000)
    torch.testing.assert_close(module.inverse(expected, length=8000), back, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(back, samples, rtol=1e-10, atol=1e-10)


def test_opcheck_finds_nothing_wrong_with_the_operators():
    module = CASES[0]
    samples = noise(2, 37).requires_grad_()
    spectrum = module(samples).detach().requires_grad_()
    torch.library.opcheck(stft_ops.stft, (samples, module.plan))
    torch.library.opcheck(stft_ops.stft_backward, (spectrum, 37, module.plan))
    torch.library.opcheck(stft_ops.istft, (spectrum, 37, module.plan))
    torch.library.opcheck(stft_ops.istft_backward, (samples, spectrum.shape[-1], module.plan))


def test_compiled_without_a_break_the_result_and_its_gradient_are_the_same():
    torch._dynamo.reset()
    module = CASES[1]

    def masked(samples):
        spectrum = module(samples)
        return module.inverse(spectrum * spectrum.abs().sigmoid(), length=37)

    compiled = torch.compile(masked, backend="aot_eager", fullgraph=True)
    found, expected = noise(2, 37).requires_grad_(), noise(2, 37).requires_grad_()
    compiled(found).square().sum().backward()
    masked(expected).square().sum().backward()
    torch.testing.assert_close(found.grad, expected.grad, rtol=1e-9, atol=1e-9)


def test_the_path_of_other_devices_keeps_shapes_on_the_meta_device():
    for module in CASES:
        spectrum = module(torch.empty(2, 37, device="meta"))
        assert spectrum.shape == module(noise(2, 37)).shape
        assert spectrum.dtype == torch.complex64
        assert module.inverse(spectrum, length=30).shape == (2, 30)


def test_nan_gives_nan_and_what_does_not_fit_is_refused():
    module = CASES[0]
    bad = noise(2, 37)
    bad[0, 5] = torch.nan
    assert module(bad).isnan().all()
    assert module.inverse(module(bad)).isnan().all()
    with pytest.raises(ParameterError, match="int64, but a gradient needs"):
        module(torch.zeros(50, dtype=torch.int64))
    with pytest.raises(ParameterError, match="too few for one frame"):
        module(torch.zeros(2, 0))
    with pytest.raises(ParameterError, match=r"must be complex \(..., 9, n_frames\)"):
        module.inverse(noise(9, 4))
    with pytest.raises(ParameterError, match=r"shape \(8, 4\)"):
        module.inverse(torch.zeros(8, 4, dtype=torch.complex64))
    with pytest.raises(ParameterError, match="length is 1000000"):
        module.inverse(torch.zeros(9, 4, dtype=torch.complex64), length=1_000_000)
    with pytest.raises(ParameterError, match="pass more frames, or length"):
        module.inverse(torch.zeros(9, 0, dtype=torch.complex64))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_single(dtype):
    samples = noise(50, dtype=torch.float32).to(dtype).requires_grad_()
    spectrum = CASES[0](samples)
    assert spectrum.dtype == torch.complex64
    CASES[0].inverse(spectrum, length=50).sum().backward()
    assert samples.grad.dtype == dtype
