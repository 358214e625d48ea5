"""Training batches of a model with knobs: crops from captures at random settings, all at one level."""

import numpy as np
import torch
from torch import Tensor, nn

from neurdsp.amp.config import NamAmpConfig
from neurdsp.amp.data import Crops, Ranges
from neurdsp.amp.knobs.captures import Captures
from neurdsp.amp.knobs.model import ParametricWaveNet
from neurdsp.amp.run import network_scales, rms, within
from neurdsp.losses import build_loss

__all__ = ["SettingCrops"]

_SEED_STRIDE = 7919
"""Distance between the seeds of two captures, so that their crops are drawn independently."""


class SettingCrops:
    """Crops of the training captures, and the loss of a network on them.

    Each setting is brought to the same level, so that one loss serves crops of several settings at once; half
    the time of a step went into one loss call for each.

    Parameters
    ----------
    captures
        At least two for training.
    config
        Shape, loss and length of the crops.
    batch_size
        Crops in a batch, each from another capture where there are enough.
    seed
        Of the choice of captures and of the crops.
    ranges
        Ranges of samples from which the levels are measured; None means all.
    """

    def __init__(
        self, captures: Captures, config: NamAmpConfig, *, batch_size: int, seed: int, ranges: Ranges | None
    ) -> None:
        self._captures, self._config = captures, config
        self._batch_size, self._seed, self._ranges = batch_size, seed, ranges
        self._train = captures.of("train")
        pairs = [captures.pairs[index] for index in self._train]
        self._crops = [
            Crops(
                captures.pairs[index],
                captures.split,
                batch_size=1,
                crop_samples=config.crop_samples,
                receptive_field=config.model.receptive_field,
                seed=seed + _SEED_STRIDE * index,
            )
            for index in self._train
        ]
        self._levels = [rms(pair.wet, ranges) for pair in pairs]
        heard = [
            within(pair.wet, ranges) / np.float32(level)
            for pair, level in zip(pairs, self._levels, strict=True)
        ]
        self._loss = build_loss(
            config.loss, reference=torch.from_numpy(np.concatenate(heard)), sample_rate=pairs[0].sample_rate
        )

    @property
    def samples_per_batch(self) -> int:
        """Outputs of a batch."""
        return self._batch_size * self._crops[0].crop_samples

    def new_network(self) -> ParametricWaveNet:
        """Return a fresh network for the captures, scaled to their levels."""
        dry_rms = rms(self._captures.pairs[0].dry, self._ranges)
        scales = network_scales(dry_rms, float(np.mean(self._levels)))
        return ParametricWaveNet(self._config.model, len(self._captures.manifest.knobs), **scales._asdict())

    def loss(self, model: nn.Module, step: int) -> Tensor:
        """Return the loss of the batch of a step, a scalar with a gradient."""
        rng = np.random.default_rng((self._seed, step))
        n_captures = len(self._train)
        chosen = rng.choice(n_captures, self._batch_size, replace=self._batch_size > n_captures)
        outputs, targets = [], []
        for which in chosen:
            dry, wet = (torch.from_numpy(array) for array in self._crops[which].batch(step))
            output = model(dry, self._captures.positions(self._train[which]))
            outputs.append(output / self._levels[which])
            targets.append(wet / self._levels[which])
        loss: Tensor = self._loss(torch.cat(outputs), torch.cat(targets))
        return loss
