"""Feature losses against their definitions in numpy, and against the gradient of a difference."""

import neurdsp
import numpy as np
import pytest
import torch
from neurdsp.errors import ParameterError
from neurdsp.losses import MelLoss, MultiResolutionSTFTLoss


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    target = rng.standard_normal((2, 3000)) * 0.2
    return target + rng.standard_normal((2, 3000)) * 0.02, target


def as_torch(pair):
    return tuple(torch.from_numpy(array) for array in pair)


def test_mel_loss_is_the_mean_difference_of_log_mels(pair):
    parameters = {"sr": 16000, "n_fft": 512, "hop_length": 128, "n_mels": 40}
    found, wanted = (neurdsp.log_mel(signal, **parameters) for signal in pair)
    loss = MelLoss(**parameters)(*as_torch(pair))
    assert float(loss) == pytest.approx(np.abs(found - wanted).mean(), rel=1e-12)


def test_multi_resolution_loss_matches_the_definition(pair):
    total = 0.0
    for n_fft, hop, width in [(256, 60, 150), (128, 32, 128)]:
        parameters = {"n_fft": n_fft, "hop_length": hop, "win_length": width, "pad_mode": "reflect"}
        found, wanted = (np.sqrt(np.abs(neurdsp.stft(x, **parameters)) ** 2 + 1e-7) for x in pair)
        total += np.linalg.norm(wanted - found) / np.linalg.norm(wanted)
        total += np.abs(np.log(wanted) - np.log(found)).mean()
    loss = MultiResolutionSTFTLoss(n_fft=(256, 128), hop_length=(60, 32), win_length=(150, 128))
    assert float(loss(*as_torch(pair))) == pytest.approx(total / 2, rel=1e-12)


@pytest.mark.parametrize("loss", [MelLoss(sr=16000, n_fft=512, n_mels=40), MultiResolutionSTFTLoss()])
def test_losses_are_zero_at_the_target_and_have_a_finite_gradient_from_silence(pair, loss):
    _, target = as_torch(pair)
    assert float(loss(target, target)) == 0.0
    silence = torch.zeros_like(target).requires_grad_()
    loss(silence, target).backward()
    assert silence.grad.isfinite().all()
    near = (target * 0.9).requires_grad_()
    loss(near, target).backward()
    assert float((near.grad * target).sum()) < 0  # louder is closer


def test_unequal_shapes_and_resolutions_are_refused(pair):
    prediction, target = as_torch(pair)
    with pytest.raises(ParameterError, match=r"\(2, 3000\) and the target \(1, 3000\)"):
        MelLoss(sr=16000)(prediction, target[:1])
    with pytest.raises(ParameterError, match="have 1, 2 and 1 entries"):
        MultiResolutionSTFTLoss(n_fft=[512], hop_length=[100, 200], win_length=[400])
    with pytest.raises(ParameterError, match="eps is 0"):
        MultiResolutionSTFTLoss(eps=0)
