"""From noise to a latent: DDPM, DDIM and DPM-Solver++, in arithmetic that any array type has. Needs no torch.

References
----------
.. [1] J. Ho, A. Jain, P. Abbeel, "Denoising diffusion probabilistic models", NeurIPS 2020.
.. [2] J. Song, C. Meng, S. Ermon, "Denoising diffusion implicit models", ICLR 2021.
.. [3] C. Lu et al., "DPM-Solver++: Fast solver for guided sampling of diffusion probabilistic models",
   arXiv:2211.01095.
"""

import math
from collections.abc import Callable
from typing import Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from neurdsp.errors import ParameterError
from neurdsp.kick.mel.config import NoiseConfig

__all__ = ["Sampler", "sample", "sampling_steps", "signal_parts"]

Sampler = Literal["ddpm", "ddim", "dpm-solver++"]
"""Ancestral steps, which add noise; deterministic first-order steps; deterministic steps of second order."""

Latent = TypeVar("Latent")


def signal_parts(config: NoiseConfig) -> NDArray[np.float64]:
    """Return the part of a latent's variance that is left of the signal after each step, ``(n_steps,)``.

    Examples
    --------
    >>> round(float(signal_parts(NoiseConfig())[-1]), 7)
    4.04e-05
    """
    betas = np.linspace(config.beta_start, config.beta_end, config.n_steps, dtype=np.float64)
    return np.cumprod(1.0 - betas).astype(np.float64)


def sampling_steps(config: NoiseConfig, n_steps: int) -> list[int]:
    """Return the steps that a sampler visits, from the noisiest on, evenly spaced with the last one included.

    Raises
    ------
    ParameterError
        If there are none, or more than the noise has.

    Examples
    --------
    >>> sampling_steps(NoiseConfig(), 4)
    [999, 749, 499, 249]
    """
    if not 1 <= n_steps <= config.n_steps:
        raise ParameterError(f"steps is {n_steps}, but it must be from 1 to {config.n_steps}")
    spaced = np.round(np.arange(config.n_steps, 0, -config.n_steps / n_steps)).astype(int) - 1
    return [int(step) for step in spaced[:n_steps]]


def sample(
    noise_in: Callable[[Latent, int], Latent],
    start: Latent,
    *,
    config: NoiseConfig,
    n_steps: int = 20,
    sampler: Sampler = "dpm-solver++",
    draw: Callable[[], Latent] | None = None,
) -> Latent:
    """Return a latent, made of noise step by step.

    Parameters
    ----------
    noise_in
        Tells the noise in a latent at a step: the U-Net, with its guidance.
    start
        Standard normal noise: an array of NumPy or a tensor of torch.
    config
        The noise of the training.
    n_steps
        Steps to take, at most ``config.n_steps``.
    sampler
        ``ddpm``, ``ddim`` or ``dpm-solver++``.
    draw
        Returns standard normal noise of the shape of ``start``; ``ddpm`` needs it.

    Returns
    -------
    array
        Of the type and shape of ``start``.

    Raises
    ------
    ParameterError
        If the sampler is unknown or lacks its noise, or for a wrong number of steps.

    Examples
    --------
    >>> start = np.ones(3)
    >>> sample(lambda latent, step: latent, start, config=NoiseConfig(), n_steps=1).shape
    (3,)
    """
    if sampler not in get_args(Sampler):
        raise ParameterError(f"sampler is {sampler!r}, but it must be one of {', '.join(get_args(Sampler))}")
    steps, parts = sampling_steps(config, n_steps), signal_parts(config)
    # After the last step nothing but signal is left.
    left = [float(parts[step]) for step in steps] + [1.0]
    if sampler == "ddpm":
        if draw is None:
            raise ParameterError("the sampler ddpm adds noise in each step; give draw, a source of noise")
        return _ddpm(noise_in, start, steps, left, draw)
    if sampler == "ddim":
        return _ddim(noise_in, start, steps, left)
    return _dpm_solver(noise_in, start, steps, left)


def _ddpm(
    noise_in: Callable[[Latent, int], Latent],
    latent: Latent,
    steps: list[int],
    left: list[float],
    draw: Callable[[], Latent],
) -> Latent:
    x = latent
    for step, now, then in zip(steps, left[:-1], left[1:], strict=True):
        clean = _clean(x, noise_in(x, step), now)
        kept = now / then
        x = _sum(math.sqrt(then) * (1 - kept) / (1 - now), clean, math.sqrt(kept) * (1 - then) / (1 - now), x)
        if then < 1:
            deviation = math.sqrt(max((1 - then) / (1 - now) * (1 - kept), 1e-20))
            x = _sum(1.0, x, deviation, draw())
    return x


def _ddim(
    noise_in: Callable[[Latent, int], Latent], latent: Latent, steps: list[int], left: list[float]
) -> Latent:
    x = latent
    for step, now, then in zip(steps, left[:-1], left[1:], strict=True):
        noise = noise_in(x, step)
        x = _sum(math.sqrt(then), _clean(x, noise, now), math.sqrt(1 - then), noise)
    return x


def _dpm_solver(
    noise_in: Callable[[Latent, int], Latent], latent: Latent, steps: list[int], left: list[float]
) -> Latent:
    """Take steps of second order with midpoints, by the clean latent; the last one is of first order."""
    x, before, before_ratio = latent, None, 0.0
    for step, now, then in zip(steps, left[:-1], left[1:], strict=True):
        clean = _clean(x, noise_in(x, step), now)
        ratio = _log_ratio(now)
        if then == 1.0:
            return clean
        width = _log_ratio(then) - ratio
        along = clean
        if before is not None:
            # Half the slope, from the previous step to this one, over the width of this one.
            slope = 0.5 * width / (ratio - before_ratio)
            along = _sum(1 + slope, clean, -slope, before)
        x = _sum(math.sqrt((1 - then) / (1 - now)), x, -math.sqrt(then) * math.expm1(-width), along)
        before, before_ratio = clean, ratio
    return x


def _log_ratio(left: float) -> float:
    """Return the logarithm of the ratio of signal to noise."""
    return 0.5 * math.log(left / (1 - left))


def _clean(x: Latent, noise: Latent, left: float) -> Latent:
    """Return the latent without its noise."""
    return _sum(1 / math.sqrt(left), x, -math.sqrt(1 - left) / math.sqrt(left), noise)


def _sum(a: float, x: Latent, b: float, y: Latent) -> Latent:
    return a * x + b * y  # type: ignore[operator,return-value]
