"""What the trainer asks of an amp model: the loss of a step, validation on held-out audio, and the export."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neurdsp import modelfile
from neurdsp.amp.config import AmpConfig
from neurdsp.amp.data import Crops, Pair, Split
from neurdsp.amp.export import export
from neurdsp.amp.network import AmpNetwork
from neurdsp.amp.place import ModelPlace
from neurdsp.amp.run import export_details, within
from neurdsp.losses import build_loss
from neurdsp.losses.energy import pre_emphasise
from neurdsp.training import autocast

__all__ = ["AmpTask"]

_VALIDATION_BLOCK = 1 << 15


class AmpTask:
    """Training of one network on one pair of recordings.

    Parameters
    ----------
    network
        The network that the trainer trains.
    pair, split
        The recordings, and which part is held out.
    config
        Loss, crops, batches and precision.
    place, run_dir
        Where the model file goes, and the folder for the same model in other formats.
    device
        Where the network is.
    """

    def __init__(
        self,
        network: AmpNetwork,
        pair: Pair,
        split: Split,
        config: AmpConfig,
        *,
        place: ModelPlace,
        run_dir: Path,
        device: torch.device,
    ) -> None:
        self._network, self._pair, self._split = network, pair, split
        self._config, self._device = config, device
        self._place, self._run_dir = place, run_dir
        self._crops = Crops(
            pair,
            split,
            batch_size=config.training.batch_size,
            crop_samples=config.crop_samples,
            receptive_field=config.model.receptive_field,
            seed=config.training.seed,
        )
        reference = torch.from_numpy(within(pair.wet, split.training))
        self._loss = build_loss(config.loss, reference=reference, sample_rate=pair.sample_rate).to(device)
        self.samples_per_step = config.training.batch_size * self._crops.crop_samples
        self._forward: Callable[[Tensor], Tensor] | None = None

    def loss(self, model: nn.Module, step: int) -> Tensor:
        """Return the loss of the crops of a step, a scalar with a gradient."""
        if self._forward is None:
            self._forward = torch.compile(model) if self._config.training.compile else model
        dry, wet = (torch.from_numpy(array).to(self._device) for array in self._crops.batch(step))
        with autocast(self._config.training.precision, self._device):
            predicted = self._forward(dry)
        loss: Tensor = self._loss(predicted.float(), wet)
        return loss

    def validate(self, model: nn.Module) -> dict[str, float]:  # noqa: ARG002 - it is the network
        """Measure the network on the held-out part; ``score`` is what to minimise."""
        start, stop = self._split.validation
        target = torch.from_numpy(self._pair.wet[start:stop])
        predicted = self._predict(start, stop)
        error = float((predicted - target).double().square().mean() / target.double().square().mean())
        emphasised = pre_emphasise(predicted - target, 0.97).double().square().mean()
        emphasised_target = pre_emphasise(target, 0.97).double().square().mean()
        loss = float(self._loss.cpu()(predicted[None], target[None]))
        self._loss.to(self._device)
        # A loss without a waveform term leaves the phase free, so the ESR cannot rank its models.
        score = error if self._config.loss.weights()["esr"] > 0 else loss
        return {
            "score": score,
            "esr": error,
            "pre_emphasised_esr": float(emphasised / (emphasised_target + 1e-30)),
            "loss": loss,
        }

    def improved(self, model: nn.Module, metrics: Mapping[str, float]) -> None:  # noqa: ARG002
        """Export the network, the best so far."""
        measured = {name: value for name, value in metrics.items() if name not in ("score", "loss")}
        self.export({**measured, "measured_by": "training"})

    def export(self, metrics: Mapping[str, Any]) -> None:
        """Write the model file, and beside the log the same model as ``.nam`` and, if it can, as JSON."""
        path, name = self._place.choose(metrics), self._place.wanted
        export(self._network, path, metrics=metrics, **export_details(name, self._pair, self._config))
        modelfile.convert(path, self._run_dir / f"{name.stem}.nam")
        if self._network.architecture == "amp.wavenet":
            modelfile.convert(path, self._run_dir / f"{name.stem}.json")

    def _predict(self, start: int, stop: int) -> Tensor:
        """Compute the outputs of a range, with its true past, in blocks; ``(stop - start,)`` on the CPU."""
        network = self._network
        margin = network.receptive_field - 1
        padded = np.concatenate([np.zeros(margin, np.float32), self._pair.dry[:stop]])
        blocks = []
        step = _VALIDATION_BLOCK * network.blocks_at_once
        for begin in range(start, stop, step):
            end = min(begin + step, stop)
            rows = min(network.blocks_at_once, end - begin)
            length = math.ceil((end - begin) / rows)
            # Rows of one length; the last one may overlap the row before it.
            begins = [min(begin + row * length, end - length) for row in range(rows)]
            batch = np.stack([padded[at : at + length + margin] for at in begins])
            outputs = network(torch.from_numpy(batch).to(self._device)).cpu()  # (rows, length)
            for row, at in enumerate(begins):
                blocks.append(outputs[row, begin + row * length - at :])
        return torch.cat(blocks)
