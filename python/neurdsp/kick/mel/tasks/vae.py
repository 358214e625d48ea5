"""The training of the VAE."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from neurdsp.kick.data.shards import Item, Prepared
from neurdsp.kick.mel.networks.vae import MelVae
from neurdsp.kick.mel.recipe import VaeStage
from neurdsp.kick.mel.tasks.batches import Batches, normal
from neurdsp.kick.mel.tasks.sounds import Listener
from neurdsp.training import Phase, StepContext, TrainingConfig, autocast

__all__ = ["VaeTask"]

_VALIDATION_KICKS = 256
_AT_ONCE = 32
_SOUNDS = 2


class VaeTask:
    """Reconstruction of spectrograms, and the divergence of the latents from standard normal ones.

    Parameters
    ----------
    data
        Prepared kicks.
    stage, training
        Losses; batches and precision.
    device
        Where the network is.
    listener
        Gets reconstructions.
    """

    def __init__(
        self,
        data: Prepared,
        stage: VaeStage,
        training: TrainingConfig,
        *,
        device: torch.device,
        listener: Listener,
    ) -> None:
        self._data, self._stage, self._training = data, stage, training
        self._device, self._listener = device, listener
        self._train = data.of("train")
        self._held_out = data.of("validation")[:_VALIDATION_KICKS]
        self._batches = Batches(len(self._train), training.batch_size, seed=training.seed)
        self.samples_per_step = training.batch_size * data.mel.n_samples

    def phases(self, model: nn.Module) -> Sequence[Phase]:
        """Return the one phase, whose loss has three terms."""
        assert isinstance(model, MelVae)
        return [Phase("vae", self._loss)]

    def kl_weight(self, batch: int) -> float:
        """Return the weight of the divergence for a batch."""
        stage, epochs = self._stage, self._batches.epochs(batch)
        part = min(1.0, epochs / stage.kl_epochs) if stage.kl_epochs else 1.0
        return stage.kl_start + part * (stage.kl_end - stage.kl_start)

    def _loss(self, model: nn.Module, context: StepContext) -> dict[str, Tensor]:
        assert isinstance(model, MelVae)
        self._listener.step = context.step
        mel = self._mels([self._train[number] for number in self._batches[context.batch]])
        shape = (len(mel), *model.config.latent_shape(self._data.mel))
        noise = torch.from_numpy(normal(self._batches.random(context.batch), shape)).to(self._device)
        with autocast(self._training.precision, self._device):
            found, mu, logvar = model(mel, noise)
        terms = _terms(found.float(), mel, mu.float(), logvar.float())
        return {**terms, "kl": self.kl_weight(context.batch) * terms["kl"]}

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Measure reconstructions of held-out kicks, nothing drawn; ``score`` is MSE + L1."""
        assert isinstance(model, MelVae)
        sums: dict[str, float] = {}
        for start in range(0, len(self._held_out), _AT_ONCE):
            mel = self._mels(self._held_out[start : start + _AT_ONCE])
            mu, logvar = model.encode(mel)
            for name, value in _terms(model.decode(mu), mel, mu, logvar).items():
                sums[name] = sums.get(name, 0.0) + float(value) * len(mel)
        means = {name: total / len(self._held_out) for name, total in sums.items()}
        return {"score": means["mse"] + means["l1"], **means}

    def improved(self, model: nn.Module, metrics: Mapping[str, float]) -> None:
        """Let reconstructions of held-out kicks be heard."""
        del metrics
        assert isinstance(model, MelVae)
        if not self._listener.wanted:
            return
        mel = self._mels(self._held_out[:_SOUNDS])
        with torch.no_grad():
            found = model.decode(model.encode(mel)[0]).cpu().numpy()
        for number, values in enumerate(found[:, 0]):
            self._listener.log_mel(f"reconstruction/{number}", values)

    def _mels(self, items: Sequence[Item]) -> Tensor:
        """Return spectrograms ``(batch, 1, n_mels, n_frames)``."""
        mels = np.stack([self._data.log_mel(item) for item in items])[:, None]
        return torch.from_numpy(mels).to(self._device)


def _terms(found: Tensor, mel: Tensor, mu: Tensor, logvar: Tensor) -> dict[str, Tensor]:
    """Return mean squared and absolute error, and the mean divergence of a value of a latent."""
    divergence = -0.5 * (1 + logvar - mu.square() - logvar.clamp(max=20.0).exp())
    return {
        "mse": functional.mse_loss(found, mel),
        "l1": functional.l1_loss(found, mel),
        "kl": divergence.mean(),
    }
