"""The tasks of the stages that train a network: teacher, student and probe.

Sources: Y. Lipman et al., "Flow matching for generative modeling", ICLR 2023 (the teacher); J. Ho and
T. Salimans, "Classifier-free diffusion guidance", 2022; and "Generative modeling via drifting",
arXiv 2602.04770 (the student).
"""

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from neurdsp.kick.hybrid.config import SLIDERS, FastRecipe
from neurdsp.kick.hybrid.network import LatentGenerator, Probe
from neurdsp.kick.judge.embedding import energy_distance
from neurdsp.training.task import Phase, StepContext

__all__ = ["Conditions", "ProbeTask", "StudentTask", "TeacherTask", "guided_pairs", "student_latents"]

_HELD_OUT = 0.04


class _Task:
    """What all stages share: nothing is exported before a run ends."""

    samples_per_step = 1

    def improved(self, model: nn.Module, metrics: Mapping[str, float]) -> None:
        """Do nothing; the best weights stay in the checkpoint."""


def _drawn(seed: int, batch: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed * 1_000_003 + batch)


def split(n: int) -> tuple[Tensor, Tensor]:
    """Return which kicks are trained on, and which are held out."""
    held = max(1, round(1 / _HELD_OUT))
    index = torch.arange(n)
    return index[index % held != held - 1], index[index % held == held - 1]


class Conditions:
    """Latents of the training set, and conditions drawn from what they measure.

    Parameters
    ----------
    latent
        ``(n, D)``, of unit variance.
    words
        ``(n, words)``: 1 where a word clearly holds, -1 where it clearly does not, else 0.
    sliders
        ``(n, sliders)``, standardised.
    recorded
        ``(n,)``: 1 for what comes from recordings, -1 for synthesis.
    chances
        ``(n,)``: how often each is drawn.
    """

    def __init__(
        self, latent: Tensor, words: Tensor, sliders: Tensor, recorded: Tensor, chances: Tensor
    ) -> None:
        self.latent, self.words, self.sliders = latent, words, sliders
        self.recorded, self.chances = recorded, chances
        self.train, self.held = split(len(latent))

    def draw(self, n: int, draw: torch.Generator, *, held: bool = False) -> tuple[Tensor, Tensor]:
        """Return latents and conditions, each of which says some of what holds."""
        pool = self.held if held else self.train
        index = pool[torch.multinomial(self.chances[pool], n, True, generator=draw)]
        words = self.words[index]

        def uniform(*shape: int) -> Tensor:
            return torch.rand(shape, generator=draw)

        said = torch.where(
            words > 0,
            uniform(*words.shape) < uniform(n, 1) ** 1.2,
            uniform(*words.shape) < 0.1 * uniform(n, 1),
        )
        given = (uniform(n, len(SLIDERS)) < 0.25).float()
        source = self.recorded[index, None] * (uniform(n, 1) < 0.85)
        none = torch.zeros(n, 1)
        return self.latent[index], torch.cat(
            [words * said, self.sliders[index] * given, given, source, none], 1
        )


def without(condition: Tensor) -> Tensor:
    """Return the condition that says nothing."""
    empty = torch.zeros_like(condition)
    empty[:, -1] = 1
    return empty


def _noise(n: int, size: int, draw: torch.Generator) -> Tensor:
    """Return nearly normal numbers as the engine makes them: halves of sums of four uniform ones."""
    return (torch.rand(n, size, 4, generator=draw).sum(-1) - 2) * 3**0.5


class TeacherTask(_Task):
    """Flow matching: the velocity from a latent to noise, on the straight line between them."""

    def __init__(self, data: Conditions, recipe: FastRecipe) -> None:
        self.data, self.recipe = data, recipe

    def loss(self, model: nn.Module, step: int) -> Tensor:
        """Return the loss of a batch."""
        return self._loss(
            model, self.recipe.teacher.batch_size, _drawn(self.recipe.teacher.seed, step), held=False
        )

    def _loss(self, model: nn.Module, n: int, draw: torch.Generator, *, held: bool) -> Tensor:
        latent, condition = self.data.draw(n, draw, held=held)
        noise = _noise(n, latent.shape[1], draw)
        time = torch.sigmoid(torch.randn(n, generator=draw) - 0.2)
        dropped = torch.rand(n, 1, generator=draw) < self.recipe.drop
        condition = torch.where(dropped, without(condition), condition)
        between = (1 - time[:, None]) * latent + time[:, None] * noise
        out: Tensor = (model(between, time, condition) - (noise - latent)).pow(2).mean()
        return out

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return the loss on latents that are held out, always with the same noise."""
        return {"score": float(self._loss(model, 2000, _drawn(77, 0), held=True))}


@torch.no_grad()
def guided_pairs(
    teacher: LatentGenerator,
    data: Conditions,
    recipe: FastRecipe,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return noise, conditions, guidance, and the latents that the teacher reaches by Heun's method."""
    found: list[tuple[Tensor, ...]] = []
    low, high = np.log(recipe.guidance)
    times = torch.linspace(1, 0, recipe.teacher_steps + 1)
    for start in range(0, recipe.pairs, 1000):
        draw = _drawn(recipe.student.seed + 1, start)
        _, condition = data.draw(1000, draw)
        noise = _noise(1000, data.latent.shape[1], draw)
        guidance = torch.exp(low + (high - low) * torch.rand(1000, generator=draw))
        nothing = without(condition)

        def velocity(
            x: Tensor,
            time: Tensor,
            condition: Tensor = condition,
            nothing: Tensor = nothing,
            guidance: Tensor = guidance,
        ) -> Tensor:
            at = torch.full((len(x),), float(time))
            with_it, without_it = teacher(x, at, condition), teacher(x, at, nothing)
            # Guidance near the noise only: towards the end it would push latents out of their range.
            strong = 1 + (guidance[:, None] - 1) * min(1.0, 1.5 * float(time))
            out: Tensor = without_it + strong * (with_it - without_it)
            return out

        x = noise
        for now, then in itertools.pairwise(times):
            first = velocity(x, now)
            guess = x - (now - then) * first
            x = guess if then == 0 else x - (now - then) * 0.5 * (first + velocity(guess, then))
        found.append((noise, condition, guidance, x))
        progress(start + 1000, recipe.pairs)
    noise, condition, guidance, latent = (torch.cat(parts) for parts in zip(*found, strict=True))
    return noise, condition, guidance, latent


class StudentTask(_Task):
    """Reach in one step what the teacher reaches; in the second half, drift to where latents are dense."""

    def __init__(self, pairs: tuple[Tensor, Tensor, Tensor, Tensor], recipe: FastRecipe) -> None:
        self.noise, self.condition, self.guidance, self.latent = pairs
        self.recipe = recipe
        self.train, self.held = split(len(self.noise))

    def phases(self, model: nn.Module) -> Sequence[Phase]:  # noqa: ARG002 - the trainer's interface
        """Return the only phase."""
        return (Phase("student", self._loss),)

    def _loss(self, model: nn.Module, at: StepContext) -> dict[str, Tensor]:
        assert isinstance(model, LatentGenerator)
        training = self.recipe.student
        draw = _drawn(training.seed + 2, at.batch)
        index = self.train[torch.randint(len(self.train), (training.batch_size,), generator=draw)]
        made = model.generate(self.noise[index], self.condition[index], self.guidance[index])
        losses = {"pairs": (made - self.latent[index]).pow(2).mean()}
        if self.recipe.drift and at.progress > 0.5:
            other = self.train[torch.randint(len(self.train), (256,), generator=draw)]
            own = self.train[torch.randint(len(self.train), (128,), generator=draw)]
            fresh = _noise(128, self.noise.shape[1], draw)
            free = model.generate(fresh, self.condition[own], self.guidance[own])
            target = _drifted(free, self.condition[own], self.latent[other], self.condition[other])
            losses["drift"] = self.recipe.drift * (free - target).pow(2).mean()
        return losses

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return how far the latents are from the teacher's, pair by pair and as a whole."""
        assert isinstance(model, LatentGenerator)
        index = self.held
        made = model.generate(self.noise[index], self.condition[index], self.guidance[index])
        pairs = float((made - self.latent[index]).pow(2).mean())
        fresh = model.generate(
            _noise(len(index), made.shape[1], _drawn(78, 0)), self.condition[index], self.guidance[index]
        )
        conditions = self.condition[index]
        energy = energy_distance(
            torch.cat([fresh, conditions], 1), torch.cat([self.latent[index], conditions], 1)
        )
        return {"score": max(energy, 0.0) + 0.05 * pairs, "energy": energy, "pairs": pairs}


@torch.no_grad()
def _drifted(made: Tensor, own: Tensor, latent: Tensor, condition: Tensor) -> Tensor:
    """Return each latent moved towards the teacher's under like conditions, and away from its siblings."""
    here, there = torch.cat([made, own], 1), torch.cat([latent, condition], 1)
    to_real, to_own = torch.cdist(here, there), torch.cdist(here, here)
    to_own.fill_diagonal_(1e6)
    move = torch.zeros_like(made)
    for width in (0.05, 0.15, 0.5):
        scale = to_real.mean() * width
        logits = torch.cat([-to_real / scale, -to_own / scale], 1)
        affinity = torch.sqrt(torch.softmax(logits, 1) * torch.softmax(logits, 0))
        real, siblings = affinity[:, : len(latent)], affinity[:, len(latent) :]
        pull = (real * siblings.sum(1, keepdim=True)) @ latent - (siblings * real.sum(1, keepdim=True)) @ made
        move += 0.3 * pull / (pull.pow(2).mean().sqrt() + 1e-8)
    return made + move


@torch.no_grad()
def student_latents(student: LatentGenerator, data: Conditions, recipe: FastRecipe) -> Tensor:
    """Return latents as the student makes them in use, under conditions of the training set."""
    draw, found = _drawn(recipe.probe.seed + 4, 0), []
    low, high = np.log(recipe.guidance)
    for start in range(0, recipe.probed, 1000):
        n = min(1000, recipe.probed - start)
        _, condition = data.draw(n, draw)
        guidance = torch.exp(low + (high - low) * torch.rand(n, generator=draw))
        found.append(student.generate(_noise(n, data.latent.shape[1], draw), condition, guidance))
    return torch.cat(found)


class ProbeTask(_Task):
    """Guess from a latent what its kick measures."""

    def __init__(self, latent: Tensor, measured: Tensor, chances: Tensor, recipe: FastRecipe) -> None:
        self.latent, self.measured, self.chances, self.recipe = latent, measured, chances, recipe
        self.train, self.held = split(len(latent))

    def loss(self, model: nn.Module, step: int) -> Tensor:
        """Return the loss of a batch."""
        assert isinstance(model, Probe)
        draw = _drawn(self.recipe.probe.seed + 3, step)
        index = self.train[
            torch.multinomial(self.chances[self.train], self.recipe.probe.batch_size, True, generator=draw)
        ]
        latent = self.latent[index] + 0.03 * torch.randn(len(index), self.latent.shape[1], generator=draw)
        lack: Tensor = (model(latent) - self.measured[index]).pow(2).mean()
        return lack

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return the part of the variance that is not explained."""
        return {"score": float((model(self.latent[self.held]) - self.measured[self.held]).pow(2).mean())}
