"""What GPUs run of the WaveNets, plain torch, goes through torch.compile; its tracing, on a CPU."""

import json

import pytest
import torch
from neurdsp.amp.nam_config import NamWaveNetConfig
from neurdsp.config import build
from neurdsp.nn import wavenet_mirror
from neurdsp.nn.wavenet import network_core

ARRAY = {"channels": 4, "kernel_size": 3, "dilations": [1, 3], "activation": "Tanh", "head_kernel_size": 4}
NAM = build(NamWaveNetConfig, {"arrays": [ARRAY]}).network
RESIDUAL = json.dumps({"channels": 4, "num_layers": 3, "kernel_size": 3, "dilation_base": 2})


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
@pytest.mark.parametrize("network", [NAM, RESIDUAL])
def test_a_compiled_network_has_the_same_gradient(network, backend):
    torch.manual_seed(2)
    start = 0.3 * torch.randn(network_core(network).n_parameters)
    audio = torch.randn(2, 200)
    found = []
    for forward in (wavenet_mirror.wavenet, torch.compile(wavenet_mirror.wavenet, backend=backend)):
        weights = start.clone().requires_grad_()
        output = forward(weights, audio, network)
        output.square().mean().backward()
        found.append((output.detach(), weights.grad))
    (wanted, exact), (output, gradient) = found
    torch.testing.assert_close(output, wanted, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(gradient, exact, rtol=1e-4, atol=1e-7)
