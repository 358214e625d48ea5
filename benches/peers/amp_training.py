"""Training speed against NAM's own trainer: one optimiser step, its loss included, on the same cores.

    uv venv peers
    uv pip install --python peers '.[train]' neural-amp-modeler==0.13.0 pytorch_lightning==2.6.1
    peers/bin/python benches/peers/amp_training.py [--threads 1] [--rounds 5] [--json FILE]

NAM's steps are its own: its LightningModule, MSE and multi-resolution STFT, Adam, batch 16 of 8192 outputs.
Ours are those of `neurdsp amp train` with the preset of that network. Both run in one process and in turn.
Samples are outputs that carry a loss, the warm-up before them not counted; time is CPU time over the number
of threads, so that other work on the machine counts little. "passes" is forward and backward of the network.
"""

import argparse
import json
import os
import platform
import time
from pathlib import Path

import torch
from neurdsp.amp.config import load_config
from neurdsp.amp.model import build_network
from neurdsp.losses import build_loss
from neurdsp.training import TrainingConfig
from torch import nn

SHAPES = {"A1 standard": "a1-standard", "A2 full": "a2-full"}
NAM_BATCH, NAM_OUTPUTS = 16, 8192


class Ours:
    """A training step of neurdsp."""

    def __init__(self, preset):
        config = load_config(preset)
        self.batch, self.n_outputs = TrainingConfig().batch_size, config.crop_samples
        self.network = build_network(config.model, output_scale=0.01)
        self.criterion = build_loss(config.loss, reference=torch.randn(48_000))
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-3)
        self.clip = config.training.gradient_clip
        self.n_inputs = self.n_outputs + config.model.receptive_field - 1

    def outputs(self, audio):
        return self.network(audio)

    def loss(self, predicted, target):
        return self.criterion(predicted, target)

    def parameters(self):
        return self.network.parameters()

    def finish(self):
        nn.utils.clip_grad_norm_(self.network.parameters(), self.clip)
        self.optimizer.step()


class Nam:
    """A training step of NAM's trainer."""

    def __init__(self, preset):
        from nam.train.lightning_module import LightningModule

        document = load_config(preset).model.document(head_scale=0.02)
        layers = []
        for array in document["layers"]:
            kept = ("input_size", "condition_size", "channels", "dilations", "head")
            kernel = "kernel_sizes" if "kernel_sizes" in array else "kernel_size"
            layers.append({key: array[key] for key in (*kept, kernel)} | {"activation": array["activation"]})
        self.module = LightningModule.init_from_config(
            {
                "net": {"name": "WaveNet", "config": {"layers_configs": layers, "head_scale": 0.02}},
                "loss": {"val_loss": "esr", "mrstft_weight": 0.0005},
                "optimizer": {"lr": 0.004, "weight_decay": 3.17e-07},
                "lr_scheduler": {"class": "ExponentialLR", "kwargs": {"gamma": 0.994}},
            }
        )
        self.module.train()
        self.batch, self.n_outputs = NAM_BATCH, NAM_OUTPUTS
        self.n_inputs = NAM_OUTPUTS + self.module.net.receptive_field - 1
        found = self.module.configure_optimizers()  # Lightning takes a dictionary or two lists
        self.optimizer = found["optimizer"] if isinstance(found, dict) else found[0][0]

    def outputs(self, audio):
        return self.module(audio, pad_start=False)

    def loss(self, predicted, target):
        terms = self.module._get_loss_dict(predicted, target).values()
        return sum(term.weight * term.value for term in terms if term.weight)

    def parameters(self):
        return self.module.parameters()

    def finish(self):
        self.optimizer.step()


def rate(trainer, threads, whole):
    """Samples a second of one step, or of the network's passes alone."""
    audio = 0.2 * torch.randn(trainer.batch, trainer.n_inputs)
    target = 0.2 * torch.randn(trainer.batch, trainer.n_outputs)
    for parameter in trainer.parameters():
        parameter.grad = None
    began = time.process_time()
    predicted = trainer.outputs(audio)
    if whole:
        trainer.loss(predicted, target).backward()
        trainer.finish()
    else:
        predicted.backward(target)
    return trainer.batch * trainer.n_outputs / (time.process_time() - began) * threads


def main():
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=("neurdsp", "nam"))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    report = {
        "machine": platform.processor() or platform.machine(),
        "threads": arguments.threads,
        "load": os.getloadavg()[0],
    }
    for shape, preset in SHAPES.items():
        kinds = {"neurdsp": Ours, "nam": Nam}
        trainers = {who: kind(preset) for who, kind in kinds.items() if arguments.only in (None, who)}
        report[shape] = {}
        for what, whole in (("passes", False), ("step", True)):
            best = dict.fromkeys(trainers, 0.0)
            for _ in range(arguments.rounds):
                for who, trainer in trainers.items():
                    # Our steps are short: several make one measurement.
                    repeats = max(1, round(NAM_BATCH * NAM_OUTPUTS / trainer.batch / trainer.n_outputs / 2))
                    rates = [rate(trainer, arguments.threads, whole) for _ in range(repeats)]
                    best[who] = max(best[who], repeats / sum(1 / value for value in rates))
            entry = {who: round(value) for who, value in best.items()}
            if len(best) == 2:
                entry["ratio"] = round(best["neurdsp"] / best["nam"], 2)
            report[shape][what] = entry
            print(f"{shape:12} {what:7} {entry}", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
