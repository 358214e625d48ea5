"""The training of the U-Net and of the encoder of keywords, together."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from neurdsp.kick.mel.config import MelDiffusionConfig
from neurdsp.kick.mel.networks.unet import Denoiser
from neurdsp.kick.mel.recipe import DiffusionStage
from neurdsp.kick.mel.samplers import sample, signal_parts
from neurdsp.kick.mel.tasks.batches import Batches, normal
from neurdsp.kick.mel.tasks.sounds import Listener
from neurdsp.training import Phase, StepContext, TrainingConfig, autocast

__all__ = ["DiffusionTask", "Latents", "keyword_weights", "sampled"]

_VALIDATION_SEED = 1
_VALIDATION_ROWS = 256
_SOUNDS = 4
_SOUND_STEPS, _SOUND_GUIDANCE = 20, 3.0


class Latents:
    """Latents of unit variance with the numbers of their keywords.

    Parameters
    ----------
    values
        ``(n, channels, bands, frames)``.
    keywords
        Numbers of the keywords of each.
    """

    def __init__(self, values: NDArray[np.float32], keywords: Sequence[Sequence[int]]) -> None:
        self.values, self.keywords = values, keywords


def keyword_weights(keywords: Sequence[Sequence[int]], n_words: int) -> NDArray[np.float32]:
    """Return the weights ``(batch, n_words)`` that the encoder takes: 1 / n at the n keywords of each."""
    weights = np.zeros((len(keywords), n_words), np.float32)
    for row, numbers in enumerate(keywords):
        if len(numbers):
            weights[row, list(numbers)] = 1 / len(numbers)
    return weights


class DiffusionTask:
    """The prediction of noise in latents.

    Parameters
    ----------
    train, held_out
        Latents of both splits.
    config
        The networks.
    stage, training
        Drop-out of keywords; batches and precision.
    device
        Where the networks are.
    listener
        Gets samples.
    decode
        From latents of unit variance to log-mel spectrograms, to hear them.
    """

    def __init__(
        self,
        train: Latents,
        held_out: Latents,
        config: MelDiffusionConfig,
        stage: DiffusionStage,
        training: TrainingConfig,
        *,
        device: torch.device,
        listener: Listener,
        decode: Callable[[Tensor], Tensor],
    ) -> None:
        self._train, self._config, self._stage, self._training = train, config, stage, training
        self._device, self._listener, self._decode = device, listener, decode
        self._batches = Batches(len(train.values), training.batch_size, seed=training.seed)
        parts = signal_parts(config.noise)
        self._signal = np.sqrt(parts).astype(np.float32)
        self._noise = np.sqrt(1 - parts).astype(np.float32)
        self.samples_per_step = training.batch_size * config.mel.n_samples
        self._held_out = self._fixed(held_out)

    def _fixed(self, held_out: Latents) -> tuple[Tensor, ...]:
        """Return noisy latents, steps, weights of keywords and noise, the same in every validation."""
        random = np.random.default_rng(_VALIDATION_SEED)
        rows = np.resize(np.arange(len(held_out.values)), min(_VALIDATION_ROWS, 4 * len(held_out.values)))
        # Evenly over the steps, so that the figure does not depend on their luck.
        steps = np.linspace(0, self._config.noise.n_steps - 1, len(rows)).round().astype(np.int64)
        random.shuffle(steps)
        words = [held_out.keywords[row] for row in rows.tolist()]
        return self._noised(held_out.values[rows], steps, words, random)

    def _noised(
        self,
        latents: NDArray[np.float32],
        steps: NDArray[np.int64],
        keywords: Sequence[Sequence[int]],
        random: np.random.Generator,
    ) -> tuple[Tensor, ...]:
        noise = normal(random, latents.shape)
        at = (slice(None), None, None, None)
        noisy = self._signal[steps][at] * latents + self._noise[steps][at] * noise
        weights = keyword_weights(keywords, len(self._config.keywords.words))
        return tuple(torch.from_numpy(array).to(self._device) for array in (noisy, steps, weights, noise))

    def phases(self, model: nn.Module) -> Sequence[Phase]:
        """Return the one phase."""
        assert isinstance(model, Denoiser)
        return [Phase("noise", self._loss)]

    def _loss(self, model: nn.Module, context: StepContext) -> Tensor:
        self._listener.step = context.step
        rows, random = self._batches[context.batch], self._batches.random(context.batch)
        steps = random.integers(0, self._config.noise.n_steps, len(rows))
        words = [self._shown(self._train.keywords[row], random) for row in rows]
        noisy, at, weights, noise = self._noised(self._train.values[rows], steps, words, random)
        with autocast(self._training.precision, self._device):
            found = model(noisy, at, weights)
        return functional.mse_loss(found.float(), noise)

    def _shown(self, keywords: Sequence[int], random: np.random.Generator) -> Sequence[int]:
        """Return the keywords that the network is told: all, some, or none."""
        none, some = random.random(2)
        if none < self._stage.drop_keywords:
            return []
        if len(keywords) > 1 and some < self._stage.fewer_keywords:
            count = int(random.integers(1, len(keywords)))
            return sorted(random.choice(keywords, count, replace=False).tolist())
        return keywords

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Measure the error of the noise in held-out latents, with their keywords and without any."""
        noisy, steps, weights, noise = self._held_out
        told = float(functional.mse_loss(model(noisy, steps, weights), noise))
        untold = float(functional.mse_loss(model(noisy, steps, torch.zeros_like(weights)), noise))
        return {"score": told, "mse": told, "mse_without_keywords": untold}

    def improved(self, model: nn.Module, metrics: Mapping[str, float]) -> None:
        """Let kicks be heard, each of one of the most frequent keywords."""
        del metrics
        assert isinstance(model, Denoiser)
        words = self._config.keywords.words[:_SOUNDS]
        if not self._listener.wanted or not words:
            return
        latents = sampled(
            model,
            self._config,
            [[number] for number in range(len(words))],
            n_steps=min(_SOUND_STEPS, self._config.noise.n_steps),
            guidance=_SOUND_GUIDANCE,
            seed=0,
        )
        with torch.no_grad():
            mels = self._decode(latents).cpu().numpy()
        for word, values in zip(words, mels, strict=True):
            self._listener.log_mel(f"sample/{word}", values)


@torch.no_grad()
def sampled(
    model: Denoiser,
    config: MelDiffusionConfig,
    keywords: Sequence[Sequence[int]],
    *,
    n_steps: int,
    guidance: float,
    seed: int,
) -> Tensor:
    """Return latents of unit variance ``(n, channels, bands, frames)``, one for each list of keywords.

    Parameters
    ----------
    model
        The networks.
    config
        Their shapes.
    keywords
        Numbers of the keywords of each kick.
    n_steps
        Steps of DPM-Solver++.
    guidance
        How much further than without keywords; 1 is the plain prediction.
    seed
        Of the noise.
    """
    device = next(model.parameters()).device
    shape = (len(keywords), *config.latent_shape)
    start = torch.from_numpy(normal(np.random.default_rng(seed), shape)).to(device)
    told = model.keywords.encode(keywords)
    untold = model.keywords.encode([[]] * len(keywords))

    def noise_in(latent: Tensor, step: int) -> Tensor:
        steps = torch.full((2 * len(latent),), step, device=device)
        both = model.unet(torch.cat([latent, latent]), steps, torch.cat([told, untold]))
        some, none = both.chunk(2)
        noise: Tensor = none + guidance * (some - none)
        return noise

    return sample(noise_in, start, config=config.noise, n_steps=n_steps)
