"""The operators: right gradients, equal to plain torch, under torch.compile and in loader workers too."""

import multiprocessing
import threading
from pathlib import Path

import neurdsp
import numpy as np
import pytest
import torch
from neurdsp.dsp.presets import PRESETS
from neurdsp.errors import ParameterError
from neurdsp.nn import MelSpectrogram, Spectrogram, mirror, ops
from neurdsp.nn.plan import decode

SMALL = {"sr": 8000, "n_fft": 32, "hop_length": 9, "n_mels": 5, "window": "hamming"}
# Every stage and every padding, at a size that numerical derivatives can bear.
CASES = [
    MelSpectrogram(**SMALL),
    MelSpectrogram(**SMALL, log="ln", pad_mode="reflect"),
    MelSpectrogram(**SMALL, log="db", power=1, eps=1e-3, pad_mode="edge", win_length=20),
    MelSpectrogram(**SMALL, power=1.5, log="log10", floor=0.5, offset=0.1, pad_mode="symmetric"),
    Spectrogram(n_fft=15, hop_length=4, power=1, center=False),
    Spectrogram(n_fft=30, hop_length=7, power=1, pad_mode="wrap"),
    MelSpectrogram(**SMALL, n_bins=7, drop_last=True, pad=3),
    MelSpectrogram(**SMALL, win_length=20, frame_filter=(True, 0.97), center=False, log="ln"),
    MelSpectrogram(**SMALL, preemphasis=0.97, normalize="per_feature", log="ln"),
    MelSpectrogram(**SMALL, normalize="whisper", log="log10", drop_last=True, pad_mode="reflect"),
]


def noise(*shape, dtype=torch.float64, seed=0):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("module", CASES)
def test_gradients_are_the_numerical_derivatives(module):
    samples = noise(2, 41).requires_grad_()
    assert torch.autograd.gradcheck(module, (samples,))


@pytest.mark.parametrize("module", [CASES[1], CASES[4]])
def test_second_gradients_are_the_numerical_derivatives(module):
    samples = noise(1, 33).requires_grad_()
    assert torch.autograd.gradgradcheck(module, (samples,))


# With a signal shorter than a frame, which the padding fills, for those that have any.
LENGTHS = [(module, 41) for module in CASES] + [
    (module, 7) for module in CASES if decode(module.plan).n_frames(7) > 0
]


@pytest.mark.parametrize(("module", "n_samples"), LENGTHS)
def test_core_and_mirror_agree_to_1e_10_in_double_precision(module, n_samples):
    samples = noise(3, 2, n_samples)
    values, gradients = [], []
    for run in (ops.spectrogram, mirror.spectrogram):
        leaf = samples.clone().requires_grad_()
        result = run(leaf, module.plan)
        (result * noise(*result.shape, seed=1)).sum().backward()
        values.append(result.detach())
        gradients.append(leaf.grad)
    assert values[0].shape == values[1].shape
    torch.testing.assert_close(values[0], values[1], rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-10, atol=1e-10)


def test_core_and_mirror_agree_to_1e_4_in_single_precision_log_mel():
    module = MelSpectrogram(sr=44100, n_fft=2048, hop_length=512, log="ln", pad_mode="reflect")
    samples = noise(2, 22050, dtype=torch.float32) * 0.3
    pairs = []
    for run in (ops.spectrogram, mirror.spectrogram):
        leaf = samples.clone().requires_grad_()
        result = run(leaf, module.plan)
        result.square().mean().backward()
        pairs.append((result.detach(), leaf.grad))
    torch.testing.assert_close(pairs[0][0], pairs[1][0], rtol=0, atol=1e-4)
    scale = float(pairs[1][1].abs().max())
    torch.testing.assert_close(pairs[0][1], pairs[1][1], rtol=0, atol=1e-4 * scale)


def test_the_module_computes_what_the_plan_of_the_same_parameters_does():
    samples = noise(2, 3000, dtype=torch.float32)
    for parameters in ({"log": "ln"}, {"pad_mode": "reflect", "n_mels": 40}):
        expected = neurdsp.MelSpectrogram(sr=16000, n_fft=512, hop_length=128, **parameters)(samples.numpy())
        module = MelSpectrogram(sr=16000, n_fft=512, hop_length=128, **parameters)
        assert np.array_equal(module(samples).numpy(), expected)


@pytest.mark.filterwarnings("ignore:.*are empty")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_those_of_numpy_and_carry_a_gradient_to_every_sample(name, dtype):
    module = MelSpectrogram.preset(name)
    samples = (0.1 * noise(2, 9000, dtype=dtype)).requires_grad_()
    result = module(samples)
    expected = torch.from_numpy(neurdsp.MelSpectrogram.preset(name)(samples.detach().numpy()))
    tolerance = 1e-12 if dtype == torch.float64 else 1e-5
    torch.testing.assert_close(result.detach(), expected, rtol=tolerance, atol=tolerance)
    (result * noise(*result.shape, dtype=dtype, seed=1)).sum().backward()
    # Those in the middle; at the ends some presets leave samples out.
    assert samples.grad.isfinite().all()
    assert (samples.grad[:, 1000:8000] != 0).all()


@pytest.mark.filterwarnings("ignore:.*are empty")
@pytest.mark.parametrize("name", PRESETS)
def test_silence_has_a_finite_gradient_in_every_preset(name):
    samples = torch.zeros(1, 9000, requires_grad=True)
    MelSpectrogram.preset(name)(samples).square().mean().backward()
    assert samples.grad.isfinite().all()


@pytest.mark.filterwarnings("ignore:.*are empty")
@pytest.mark.parametrize("name", PRESETS)
def test_the_path_of_other_devices_keeps_shapes_on_the_meta_device_and_values_on_the_cpu(name, monkeypatch):
    module = MelSpectrogram.preset(name)
    samples = noise(2, 9000)
    expected = module(samples)
    elsewhere = module(samples.to("meta"))
    assert elsewhere.device.type == "meta"
    assert elsewhere.shape == expected.shape
    monkeypatch.setattr(ops, "spectrogram", mirror.spectrogram)
    torch.testing.assert_close(module(samples), expected, rtol=1e-9, atol=1e-9)


def test_threads_change_no_bit_of_a_gradient():
    module = MelSpectrogram(sr=16000, n_fft=1024, hop_length=64, log="ln")
    before, gradients = torch.get_num_threads(), []
    try:
        for n_threads in (1, 3):
            torch.set_num_threads(n_threads)
            leaf = noise(6, 60_000, dtype=torch.float32).requires_grad_()
            module(leaf).sum().backward()
            gradients.append(leaf.grad)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*gradients)


def test_an_expanded_gradient_and_strided_samples_are_taken():
    module = MelSpectrogram(**SMALL)
    wide = noise(82).requires_grad_()
    module(wide[::2]).mean().backward()
    narrow = wide.detach()[::2].clone().requires_grad_()
    module(narrow).mean().backward()
    torch.testing.assert_close(wide.grad[::2], narrow.grad, rtol=0, atol=0)
    assert not wide.grad[1::2].any()


def test_opcheck_finds_nothing_wrong_with_the_operators():
    samples = noise(2, 41).requires_grad_()
    plan = CASES[1].plan
    torch.library.opcheck(ops.spectrogram, (samples, plan))
    gradient = noise(*CASES[1](samples).shape).requires_grad_()
    # Without dynamic shapes: the second derivative is plain torch, with constants of a fixed size.
    checks = ("test_schema", "test_autograd_registration", "test_faketensor")
    torch.library.opcheck(ops.spectrogram_backward, (samples.detach(), gradient, plan), test_utils=checks)


def test_compiled_without_a_break_the_result_and_its_gradient_are_the_same():
    torch._dynamo.reset()
    module = CASES[1]
    compiled = torch.compile(module, backend="aot_eager", fullgraph=True)
    found, expected = noise(2, 41).requires_grad_(), noise(2, 41).requires_grad_()
    (compiled(found * 1.5).square().sum()).backward()
    (module(expected * 1.5).square().sum()).backward()
    torch.testing.assert_close(found.grad, expected.grad, rtol=1e-9, atol=1e-9)


def test_nan_gives_nan_and_too_few_samples_an_error():
    module = MelSpectrogram(**SMALL)
    bad = noise(2, 41)
    bad[1, 3] = torch.nan
    bad.requires_grad_()
    result = module(bad)
    assert result.isnan().all()
    result.sum().backward()
    assert bad.grad.isnan().all()
    with pytest.raises(ParameterError, match=r"shape \(2, 0\), too few for one frame of n_fft = 32"):
        module(torch.zeros(2, 0))
    with pytest.raises(ParameterError, match="int64, but a gradient needs floating point"):
        module(torch.zeros(50, dtype=torch.int64))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_single(dtype):
    samples = noise(50, dtype=torch.float32).to(dtype).requires_grad_()
    for module in CASES:
        samples.grad = None
        result = module(samples)
        assert result.dtype == torch.float32
        assert torch.equal(result, module(samples.float()))
        result.sum().backward()
        assert samples.grad.dtype == dtype


class Clips(torch.utils.data.Dataset):
    """Log-mel of noise, made in the worker, with the number of threads that it ran on."""

    def __init__(self):
        self.features = MelSpectrogram(sr=16000, n_fft=1024, hop_length=64, log="ln")

    def __len__(self):
        return 4

    def __getitem__(self, index):
        samples = noise(100_000, dtype=torch.float32, seed=index)
        n_threads = ops.threads_for((1, samples.shape[0]), decode(self.features.plan))
        assert threading.active_count() <= 3
        return self.features(samples), n_threads, multiprocessing.parent_process() is not None


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_loader_workers_give_the_same_and_take_one_thread_each(method, monkeypatch):
    # A spawned worker imports this file by its name, wherever pytest was started from.
    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    clips = Clips()
    expected = [clips[index][0] for index in range(4)]
    loader = torch.utils.data.DataLoader(clips, num_workers=2, batch_size=2, multiprocessing_context=method)
    batches = list(loader)
    assert torch.equal(torch.cat([values for values, _, _ in batches]), torch.stack(expected))
    assert all((threads == 1).all() and inside.all() for _, threads, inside in batches)
