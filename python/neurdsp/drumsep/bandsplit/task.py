"""What the trainer asks of a band-split network: rendered batches, their loss, validation on other kits."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from neurdsp.drumsep.bandsplit.loss import separation_loss
from neurdsp.drumsep.bandsplit.network import BandSplitNet
from neurdsp.drumsep.bandsplit.recipe import Recipe
from neurdsp.drumsep.data.bank import Bank
from neurdsp.drumsep.data.render import Clip, Renderer
from neurdsp.drumsep.judge.ratios import sdr_db

__all__ = ["SeparationTask", "mean_sdr_db"]

_VALIDATION_SEED = 1
#: Stems below this part of the energy of their mixture do not count in validation.
_AUDIBLE = 1e-5


class SeparationTask:
    """Training of a band-split network on mixtures that are rendered while it trains.

    Parameters
    ----------
    bank
        Recordings and performances; training uses those of its split ``train``, validation those of
        ``validation``.
    recipe
        Network, mixtures, loss and budget.
    device
        Where the network is.
    export
        Called with a network and its figures when it is the best so far.
    """

    def __init__(
        self,
        bank: Bank,
        recipe: Recipe,
        *,
        device: torch.device,
        export: Callable[[BandSplitNet, Mapping[str, float]], None] = lambda _network, _metrics: None,
    ) -> None:
        data, training = recipe.data, recipe.training
        self._recipe, self._device, self._export = recipe, device, export
        self._renderer = Renderer(bank, "train", data.render, seed=training.seed)
        held_out = Renderer(bank, "validation", data.render.plain(), seed=_VALIDATION_SEED)
        self._held_out = [
            held_out.clip(number, seconds=data.validation_seconds, channels=1 + number % 2, kit=number)
            for number in range(data.validation_clips)
        ]
        self.samples_per_step = training.batch_size * round(data.seconds * recipe.model.sample_rate)

    def batch(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Render a batch.

        Returns
        -------
        stems : ndarray
            ``(batch, n_outputs, channels, n_samples)``.
        mixture : ndarray
            ``(batch, channels, n_samples)``.
        """
        data, rows = self._recipe.data, self._recipe.training.batch_size
        chance = np.random.default_rng([self._recipe.training.seed, number]).random()
        channels = 2 if rows % 2 == 0 and chance < data.stereo else 1
        n_clips = rows // channels
        clips = [
            self._renderer.clip(number * rows + index, seconds=data.seconds, channels=channels)
            for index in range(n_clips)
        ]
        return np.stack([clip.stems for clip in clips]), np.stack([clip.mixture for clip in clips])

    def loss(self, model: nn.Module, step: int) -> Tensor:
        """Return the loss of a batch, a scalar with a gradient."""
        return torch.stack(list(self.losses(model, step).values())).sum()

    def losses(self, model: nn.Module, step: int) -> dict[str, Tensor]:
        """Return the terms of the loss of a batch."""
        assert isinstance(model, BandSplitNet)
        stems, mixture = (torch.from_numpy(array).to(self._device) for array in self.batch(step))
        return separation_loss(model, stems, mixture, self._recipe.loss)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Measure the network on held-out kits; ``score`` falls by half for 6 dB."""
        figures = mean_sdr_db(
            self._held_out, lambda mixture: self._separate(model, mixture), self._recipe.model.stems
        )
        mean = float(np.mean(list(figures.values()))) if figures else -60.0
        return {"score": 10 ** (-mean / 20), "sdr_db": mean} | {
            f"{name}_sdr_db": value for name, value in figures.items()
        }

    def improved(self, model: nn.Module, metrics: Mapping[str, float]) -> None:
        """Export the network, the best so far."""
        assert isinstance(model, BandSplitNet)
        self._export(model, metrics)

    def _separate(self, model: nn.Module, mixture: NDArray[np.float32]) -> NDArray[np.float32]:
        outputs: Tensor = model(torch.from_numpy(mixture)[None].to(self._device))
        found: NDArray[np.float32] = outputs[0].cpu().numpy()
        return found


def mean_sdr_db(
    clips: list[Clip],
    separate: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    names: tuple[str, ...],
) -> dict[str, float]:
    """Return the mean SDR of each stem over the clips in which it sounds.

    Parameters
    ----------
    clips
        Mixtures with their stems.
    separate
        From a mixture ``(channels, n_samples)`` to stems ``(n_outputs, channels, n_samples)``.
    names
        Of the stems, in the order of the outputs.
    """
    ratios: dict[str, list[float]] = {name: [] for name in names}
    for clip in clips:
        found = separate(clip.mixture)
        whole = float(np.sum(clip.mixture**2))
        for index, name in enumerate(names):
            if float(np.sum(clip.stems[index] ** 2)) > _AUDIBLE * whole:
                ratios[name].append(sdr_db(clip.stems[index], found[index]))
    return {name: float(np.mean(values)) for name, values in ratios.items() if values}
