"""The training operators against plain torch, against difference quotients, and as torch wants operators."""

import json

import numpy as np
import pytest
import torch
from neurdsp.amp.nam_config import NamWaveNetConfig
from neurdsp.config import build
from neurdsp.errors import ParameterError
from neurdsp.nn import wavenet_mirror
from neurdsp.nn.wavenet import _backward, _forward, network_core, wavenet
from torch.utils._python_dispatch import TorchDispatchMode

RESIDUAL = json.dumps({"channels": 3, "num_layers": 3, "kernel_size": 3, "dilation_base": 2})


def random_network(seed: int) -> str:
    """Return a network of the ``.nam`` format with features drawn at random."""
    rng = np.random.default_rng(seed)

    def draw(*choices):
        return choices[rng.integers(len(choices))]

    widths = [int(rng.integers(1, 10)) for _ in range(draw(1, 2))]
    names = ["Tanh", "LeakyReLU", "ReLU", "Sigmoid", "SiLU", "Hardswish", "Softsign", "Hardtanh"]
    arrays = []
    for index, channels in enumerate(widths):
        n_layers = int(rng.integers(1, 4))
        layer1x1 = draw(True, True, False)
        bottleneck = int(rng.integers(1, 9)) if layer1x1 else channels
        # A later array adds to the head signal of the one before, which has as many channels as it.
        needs_head = index > 0 and bottleneck != channels
        arrays.append(
            {
                "channels": channels,
                "bottleneck": bottleneck,
                "kernel_size": [int(rng.integers(1, 8)) for _ in range(n_layers)],
                "dilations": [int(rng.integers(1, 30)) for _ in range(n_layers)],
                "activation": [str(rng.choice(names)) for _ in range(n_layers)],
                "gated": draw(True, False),
                "layer1x1": layer1x1,
                "head1x1": channels if needs_head else draw(None, None, channels),
                "head_kernel_size": draw(1, 5),
                "head_bias": draw(True, False),
            }
        )
    return build(NamWaveNetConfig, {"arrays": arrays}).network


def drawn(network: str, dtype: torch.dtype, n_more: int = 50, batch: int = 2):
    """Return weights and audio with gradients."""
    core, generator = network_core(network), torch.Generator().manual_seed(5)
    weights = 0.5 * torch.randn(core.n_parameters, generator=generator, dtype=torch.float64)
    audio = torch.randn(batch, core.receptive_field + n_more, generator=generator, dtype=torch.float64)
    return weights.to(dtype).requires_grad_(), audio.to(dtype).requires_grad_()


def gradients(function, weights, audio, network):
    output = function(weights, audio, network)
    cotangent = torch.randn(output.shape, generator=torch.Generator().manual_seed(6)).to(output.dtype)
    return output, *torch.autograd.grad(output, (weights, audio), cotangent)


def relative(found, wanted) -> float:
    found, wanted = found.detach().double(), wanted.detach().double()
    return float(torch.linalg.vector_norm(found - wanted) / (torch.linalg.vector_norm(wanted) + 1e-30))


NETWORKS = [RESIDUAL, *(random_network(seed) for seed in range(12))]


@pytest.mark.parametrize("network", NETWORKS)
def test_outputs_and_gradients_are_those_of_plain_torch(network):
    weights, audio = drawn(network, torch.float64)
    wanted = gradients(wavenet_mirror.wavenet, weights, audio, network)
    for found, want in zip(gradients(wavenet, weights, audio, network), wanted, strict=True):
        assert relative(found, want) < 1e-12
    weights, audio = drawn(network, torch.float32, n_more=5000)
    exact = [tensor.detach().double().requires_grad_() for tensor in (weights, audio)]
    wanted = gradients(wavenet_mirror.wavenet, *exact, network)
    for found, want in zip(gradients(wavenet, weights, audio, network), wanted, strict=True):
        assert relative(found, want) < 2e-6


def test_the_mirror_trains_in_mixed_precision():
    network = RESIDUAL
    weights, audio = drawn(network, torch.float32, n_more=2000)
    wanted = gradients(wavenet_mirror.wavenet, weights, audio, network)
    with torch.autocast("cpu", torch.bfloat16):
        output = wavenet_mirror.wavenet(weights, audio, network)
    assert output.dtype == torch.bfloat16
    cotangent = torch.randn(output.shape, generator=torch.Generator().manual_seed(6))
    found = torch.autograd.grad(output.float(), (weights, audio), cotangent)
    assert relative(output, wanted[0]) < 0.02
    for got, want in zip(found, wanted[1:], strict=True):
        assert got.dtype == torch.float32
        assert relative(got, want) < 0.05


@pytest.mark.parametrize("network", NETWORKS[:4])
def test_gradcheck_in_double_precision(network):
    weights, audio = drawn(network, torch.float64, n_more=3, batch=1)
    assert torch.autograd.gradcheck(lambda w, x: wavenet(w, x, network), (weights, audio), fast_mode=True)


def test_second_derivatives_are_those_of_plain_torch():
    weights, audio = drawn(RESIDUAL, torch.float64, n_more=3, batch=1)
    assert torch.autograd.gradgradcheck(
        lambda w, x: wavenet(w, x, RESIDUAL), (weights, audio), fast_mode=True
    )


@pytest.mark.parametrize("network", NETWORKS[:2])
def test_opcheck(network):
    weights, audio = drawn(network, torch.float32)
    torch.library.opcheck(_forward, (weights, audio, network))
    plain = weights.detach(), audio.detach()
    output, tape = _forward(*plain, network)
    torch.library.opcheck(_backward, (*plain, tape, torch.ones_like(output), network, True))


def test_the_result_does_not_depend_on_the_number_of_threads():
    network = build(NamWaveNetConfig, {"arrays": [{"channels": 8, "dilations": [1, 8, 64]}]}).network
    weights, audio = drawn(network, torch.float32, n_more=20_000, batch=3)
    before = torch.get_num_threads()
    found = []
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            found.append(gradients(wavenet, weights, audio, network))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_a_tape_outlives_other_steps():
    weights, audio = drawn(RESIDUAL, torch.float32)
    first = wavenet(weights, audio, RESIDUAL)
    (wanted,) = torch.autograd.grad(first.sum(), weights, retain_graph=True)
    for _ in range(3):
        wavenet(weights, 2 * audio, RESIDUAL).sum().backward()
    (found,) = torch.autograd.grad(first.sum(), weights)
    assert torch.equal(found, wanted)


def test_a_crop_with_nan_gives_nan_and_leaves_the_others_alone():
    weights, audio = drawn(RESIDUAL, torch.float32)
    with torch.no_grad():
        audio[0, 20] = torch.nan
        output = wavenet(weights, audio, RESIDUAL)
    assert bool(output[0].isnan().any())
    assert bool(output[1].isfinite().all())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w, x: (w[1:], x), "weights have shape"),
        (lambda w, x: (w, x[0]), "pass \\(batch, n_samples\\)"),
        (lambda w, x: (w, x.double()), "both float32 or both float64"),
        (lambda w, x: (w, x[:, :5]), "fewer than the receptive field of 15"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(change, message):
    weights, audio = (tensor.detach() for tensor in drawn(RESIDUAL, torch.float32))
    with pytest.raises(ParameterError, match=message) as caught:
        wavenet(*change(weights, audio), RESIDUAL)
    assert "\n" not in str(caught.value)


def test_a_network_that_cannot_be_trained_is_refused_by_name():
    array = {"channels": 2, "dilations": [1]}
    tree = json.loads(build(NamWaveNetConfig, {"arrays": [array]}).network)
    tree["layers"][0]["activation"] = "Fasttanh"
    with pytest.raises(ParameterError, match=r"Fasttanh.*train with Tanh"):
        network_core(json.dumps(tree))


def test_the_tape_gets_no_gradient_of_its_own_size():
    """Zeros in its place were once made for every step, and cost as much as the backward pass."""

    class Made(TorchDispatchMode):
        largest = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            result = function(*args, **(kwargs or {}))
            if "zeros" in str(function) and isinstance(result, torch.Tensor):
                self.largest = max(self.largest, result.numel())
            return result

    weights, audio = drawn(RESIDUAL, torch.float32, n_more=5000)
    output, tape = _forward(weights, audio.detach(), RESIDUAL)
    with Made() as made:
        output.sum().backward()
    assert weights.grad is not None
    assert made.largest < tape.numel() / 10
