"""Samplers take the steps of another program, and end in the data's distribution."""

import numpy as np
import pytest
from neurdsp.errors import ParameterError
from neurdsp.kick.mel.config import NoiseConfig
from neurdsp.kick.mel.samplers import sample, sampling_steps, signal_parts

CONFIG = NoiseConfig()


def wrong_noise(latent, step):
    """A prediction that depends on the latent and on the step, and is no true one."""
    return 0.6 * latent + 0.1 * np.tanh(latent) + 0.0003 * step


@pytest.mark.parametrize("n_steps", [1, 2, 10, 20, 50])
@pytest.mark.parametrize("sampler", ["ddpm", "ddim", "dpm-solver++"])
def test_steps_are_those_of_diffusers(sampler, n_steps):
    diffusers = pytest.importorskip("diffusers")
    import torch

    common = {
        "num_train_timesteps": CONFIG.n_steps,
        "beta_start": CONFIG.beta_start,
        "beta_end": CONFIG.beta_end,
        "beta_schedule": "linear",
        "timestep_spacing": "trailing",
    }
    schedulers = {
        "ddpm": lambda: diffusers.DDPMScheduler(**common, clip_sample=False),
        "ddim": lambda: diffusers.DDIMScheduler(**common, clip_sample=False),
        "dpm-solver++": lambda: diffusers.DPMSolverMultistepScheduler(
            **common, algorithm_type="dpmsolver++", final_sigmas_type="zero"
        ),
    }
    scheduler = schedulers[sampler]()
    scheduler.set_timesteps(n_steps)
    assert scheduler.timesteps.tolist() == sampling_steps(CONFIG, n_steps)
    random = np.random.default_rng(1)
    start = random.standard_normal((2, 4, 8, 11))
    latent, generator = torch.from_numpy(start), torch.Generator().manual_seed(5)
    for step in scheduler.timesteps:
        noise = torch.from_numpy(wrong_noise(latent.numpy(), int(step)))
        own = {"generator": generator} if sampler == "ddpm" else {}
        latent = scheduler.step(noise, step, latent, **own).prev_sample
    generator = torch.Generator().manual_seed(5)

    def draw():
        return torch.randn(start.shape, generator=generator, dtype=torch.float64).numpy()

    found = sample(wrong_noise, start, config=CONFIG, n_steps=n_steps, sampler=sampler, draw=draw)
    expected = latent.numpy()
    # They keep their coefficients in single precision.
    assert np.abs(found - expected).max() < 2e-4 * np.abs(expected).max()


@pytest.mark.parametrize(("sampler", "n_steps"), [("ddpm", 250), ("ddim", 100), ("dpm-solver++", 20)])
def test_the_true_noise_leads_to_the_distribution_of_the_data(sampler, n_steps):
    """Of normal data with mean 2 and deviation 0.5 the best prediction is known."""
    mean, deviation, parts = 2.0, 0.5, signal_parts(CONFIG)
    random = np.random.default_rng(2)

    def noise_in(latent, step):
        left = parts[step]
        variance = left * deviation**2 + 1 - left
        return np.sqrt(1 - left) * (latent - np.sqrt(left) * mean) / variance

    start = random.standard_normal(20_000)

    def draw():
        return random.standard_normal(start.shape)

    found = sample(noise_in, start, config=CONFIG, n_steps=n_steps, sampler=sampler, draw=draw)
    assert abs(found.mean() - mean) < 0.02
    # Steps of finite width come out a little narrow.
    assert abs(found.std() - deviation) < 0.03


def test_a_tensor_stays_a_tensor_and_gives_the_same():
    import torch

    start = np.random.default_rng(3).standard_normal(7)
    found = sample(lambda x, _: 0.5 * x, torch.from_numpy(start), config=CONFIG, n_steps=5)
    assert isinstance(found, torch.Tensor)
    assert np.allclose(
        found.numpy(), sample(lambda x, _: 0.5 * x, start, config=CONFIG, n_steps=5), atol=1e-12
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_steps": 0}, "steps is 0, but it must be from 1 to 1000"),
        ({"n_steps": 1001}, "steps is 1001"),
        ({"sampler": "euler"}, "must be one of ddpm, ddim, dpm-solver"),
        ({"sampler": "ddpm"}, "adds noise in each step; give draw"),
    ],
)
def test_wrong_options_are_one_line(options, message):
    with pytest.raises(ParameterError, match=message):
        sample(wrong_noise, np.zeros(2), config=CONFIG, **options)
