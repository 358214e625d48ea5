r"""Kicks on one core: all paths of the engine beside ONNX Runtime and torch, in one process.

    python benches/peers/kick.py [--turns 7] [--steps 20] [--json]

The preset `fast` is the generator that ships: words to a code, and the code to two seconds of audio. The
preset `seed` has random weights at its full size: VAE decoder, U-Net under two conditions, HiFi-GAN, and
all of it with a sampler of so many steps. Contenders take turns; the median CPU time of each counts.

Targets: 5 ms a kick (`fast`); HiFi-GAN at 2 times ONNX Runtime; 200 ms for the preset `seed` with 20 steps.
"""

import argparse
import io
import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import onnxruntime
import torch
from neurdsp import _core
from neurdsp.kick import KickGenerator
from neurdsp.kick.counted import kick_key
from neurdsp.kick.hybrid.forward import Forward
from neurdsp.kick.kick import render_kicks
from neurdsp.kick.mel.config import ARCHITECTURE, KeywordConfig, MelDiffusionConfig
from neurdsp.kick.mel.networks.unet import Denoiser
from neurdsp.kick.mel.networks.vae import MelVae
from neurdsp.kick.mel.networks.vocoder import HifiGan, folded_state, load_folded
from neurdsp.kick.reference import render
from neurdsp.modelfile.files import build_metadata, read

Times = dict[str, dict[str, float]]


def median_ms(contenders: dict[str, Callable[[], object]], turns: int) -> dict[str, float]:
    """Return the median CPU time of each, in turns, after one unmeasured call."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(turns + 1):
        for name, call in contenders.items():
            start = time.process_time()
            call()
            if turn:
                times[name].append(1e3 * (time.process_time() - start))
    return {name: statistics.median(of) for name, of in times.items()}


def fast(turns: int) -> Times:
    """Time the generator that ships, beside the same computation in NumPy."""
    generator = KickGenerator.load()
    file = read(generator.path)
    forward = Forward(file.config, {k: v for k, v in file.tensors.items() if not k.startswith("parity.")})
    words = [1.0 if word == "deep" else 0.0 for word in generator.keywords]
    kick = generator.generate_kicks(["deep"], seed=7)[0]
    key = kick_key(7, 0)
    return {
        "fast: words to a code": median_ms(
            {
                "engine": lambda: generator.generate_kicks(["deep"], seed=7),
                "numpy": lambda: forward.code(key, words),
            },
            turns,
        ),
        "fast: a code to 2 s": median_ms(
            {"engine": lambda: render_kicks([kick]), "numpy": lambda: render(kick.code, key)}, turns
        ),
        "fast: a kick": median_ms(
            {
                "engine": lambda: generator.generate(["deep"], seed=7),
                "numpy": lambda: render(forward.code(key, words), key),
            },
            turns,
        ),
    }


def session(network: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> Callable[[], object]:
    """Return a call of a network in ONNX Runtime, on one thread."""
    file = io.BytesIO()
    names = [f"x{k}" for k in range(len(inputs))]
    torch.onnx.export(network, inputs, file, input_names=names, dynamo=False, opset_version=17)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    run = onnxruntime.InferenceSession(file.getvalue(), options, ["CPUExecutionProvider"])
    given = {name: value.numpy() for name, value in zip(names, inputs, strict=True)}
    return lambda: run.run(None, given)


class Decode(torch.nn.Module):
    """The decoder of a VAE alone."""

    def __init__(self, vae: MelVae) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Return spectrograms."""
        return self.vae.decode(latent)


def seed(turns: int, steps: int) -> Times:
    """Time the parts of the preset `seed`, and all of it."""
    torch.manual_seed(0)
    config = MelDiffusionConfig(keywords=KeywordConfig(words=("deep", "punchy")))
    vae, denoiser = MelVae(config.vae, config.mel).eval(), Denoiser(config).eval()
    trained = HifiGan(config.vocoder, config.mel.n_mels)
    vocoder = HifiGan(config.vocoder, config.mel.n_mels).eval()
    folded = folded_state(trained)
    load_folded(vocoder, folded)
    tensors = {f"vae.{name}": value for name, value in vae.state_dict().items()}
    tensors |= dict(denoiser.state_dict()) | {f"vocoder.{name}": value for name, value in folded.items()}
    weights = {name: value.detach().numpy().astype(np.float32) for name, value in tensors.items()}
    channels = config.latent_shape[0]
    weights |= {
        "vae.latent_mean": np.zeros(channels, np.float32),
        "vae.latent_std": np.ones(channels, np.float32),
    }
    metadata = build_metadata(
        architecture=ARCHITECTURE,
        config=config.model_dump(mode="json"),
        sample_rate=config.mel.sample_rate,
        name="random",
        parity_db=-100.0,
    )
    engine = _core.KickMel(metadata, {name: weights[name] for name in config.parameter_shapes})

    latent = torch.randn(1, *config.latent_shape)
    mel = torch.randn(1, config.mel.n_mels, config.mel.n_frames) - 6
    pair, when = latent.repeat(2, 1, 1, 1), torch.tensor([500, 500])
    conditions = denoiser.keywords.encode([[0], []]).detach()
    flat, rows, spectrum = latent.numpy().ravel(), conditions.numpy(), mel.numpy().ravel()

    def in_torch(network: torch.nn.Module, *inputs: torch.Tensor) -> Callable[[], object]:
        def call() -> object:
            with torch.inference_mode():
                return network(*inputs)

        return call

    parts = {
        "seed: VAE decoder": (Decode(vae), (latent,), lambda: engine.mel(flat, 1)),
        "seed: U-Net, 2 conditions": (
            denoiser.unet,
            (pair, when, conditions),
            lambda: engine.noise(flat, 500, rows, 1),
        ),
        "seed: HiFi-GAN": (vocoder, (mel,), lambda: engine.audio_of(spectrum, 1)),
    }
    found: Times = {}
    for name, (network, inputs, own) in parts.items():
        peers = {"engine": own, "onnxruntime": session(network, inputs), "torch": in_torch(network, *inputs)}
        found[name] = median_ms(peers, turns)
    whole = {"engine": lambda: engine.kick([0], [], 2.0, steps, "dpm-solver++", 7, 1)}
    found[f"seed: a kick, {steps} steps"] = median_ms(whole, max(turns // 2, 1)) | {
        peer: steps * found["seed: U-Net, 2 conditions"][peer]
        + found["seed: VAE decoder"][peer]
        + found["seed: HiFi-GAN"][peer]
        for peer in ("onnxruntime", "torch")
    }
    return found


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--steps", type=int, default=20, help="of the sampler of the preset seed")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = fast(options.turns) | seed(options.turns, options.steps)
    if options.json:
        print(json.dumps({"cpu_ms": found}))
        return 0
    peers = ("engine", "numpy", "onnxruntime", "torch")
    print(f"{'CPU ms':<28}" + "".join(f"{name:>13}" for name in peers) + "   nearest peer / engine")
    for name, row in found.items():
        times = "".join(f"{row[peer]:13.2f}" if peer in row else f"{'–':>13}" for peer in peers)
        nearest = min(row[peer] for peer in peers[1:] if peer in row)
        print(f"{name:<28}{times}{nearest / row['engine']:18.2f} x")
    print("The sums of the peers for a whole kick are those of their parts, without the sampler.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
