"""The gated recurrence: its values, its gradients, and what torch.compile sees of it."""

import pytest
import torch
from neurdsp import _core
from neurdsp.errors import ParameterError
from neurdsp.nn.recurrence import gated_scan, gated_scan_reference


def inputs(*shape, dtype=torch.float64):
    generator = torch.Generator().manual_seed(3)
    forget = torch.rand(shape, generator=generator, dtype=dtype)
    return forget.requires_grad_(), torch.randn(shape, generator=generator, dtype=dtype).requires_grad_()


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (9, 2, 7), (33, 2, 3, 5)])
def test_states_are_those_of_the_loop_in_torch(shape):
    forget, candidate = inputs(*shape)
    assert torch.equal(gated_scan(forget, candidate), gated_scan_reference(forget, candidate))
    single = gated_scan(forget.float(), candidate.float())
    assert (single - gated_scan_reference(forget, candidate)).abs().max() < 1e-6


def test_gradients_are_those_of_finite_differences():
    assert torch.autograd.gradcheck(gated_scan, inputs(6, 2, 3))


def test_strided_inputs_give_the_same_as_contiguous_ones():
    forget, candidate = inputs(8, 4, 6)
    found = gated_scan(forget.transpose(1, 2), candidate.transpose(1, 2))
    assert torch.equal(found, gated_scan(forget, candidate).transpose(1, 2))


def test_the_operators_keep_the_rules_of_torch():
    torch.library.opcheck(torch.ops.neurdsp.gated_scan.default, inputs(4, 3))


def test_arrays_of_other_shapes_are_refused_in_one_line():
    forget, candidate = (tensor.detach().numpy() for tensor in inputs(4, 3))
    with pytest.raises(ParameterError, match=r"one shape \(steps, width\)"):
        _core.gated_scan(forget, candidate[:3], forget.copy())
    with pytest.raises(ParameterError, match="contiguous"):
        _core.gated_scan(forget[:, ::2], candidate[:, ::2], forget[:, ::2].copy())
