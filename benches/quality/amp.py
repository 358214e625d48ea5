"""Quality against NAM's own trainer: the same recordings, the same CPU time, the exported files judged.

    python scripts/devices/make.py -o runs/devices ts9 metal
    uv venv peers
    uv pip install --python peers '.[train]' neural-amp-modeler==0.13.0 pytorch_lightning==2.6.1
    peers/bin/python benches/quality/amp.py runs/devices --devices ts9 metal --minutes 3

Every contestant trains on the training recording up to its passage for validation, which chooses the best
weights. Its file is then played by the Rust engine over the test recording: other notes, other sounds, never
heard in training. The budget is CPU time of one thread, validation included, so that other work on the
machine takes nothing from anybody. NAM's runs are its own LightningModule, data sets, loss, optimiser and
schedule, as its simple trainer sets them, with one network each in place of its pair.

One JSON line a run goes to ``runs.jsonl`` in the output folder. A run that is there is not made again, so a
bench that was stopped goes on where it was. The table is printed from all lines.
"""

import argparse
import json
import logging
import os
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from neurdsp.amp import AmpModel
from neurdsp.amp.capture.known import recognise
from neurdsp.amp.config import load_config
from neurdsp.amp.judge.aliasing import measure_aliasing
from neurdsp.amp.train import train
from neurdsp.audio import read_audio
from neurdsp.cli.bench import bench_file
from neurdsp.errors import ParameterError
from neurdsp.metrics import esr, multi_resolution_stft_distance, pre_emphasised_esr

OURS = {"tiny": "tiny", "light": "light", "standard": "standard", "heavy": "heavy", "our A1": "a1-standard"}
NAM = {"NAM A1 standard": "a1-standard", "NAM A2 full": "a2-full"}
NAM_HEAD_SCALE = {"a1-standard": 0.02, "a2-full": 0.01}


def train_ours(
    preset: str, dry: Path, wet: Path, folder: Path, minutes: float, seed: int
) -> tuple[Path, int]:
    """Train a preset; the model file, and the outputs that carried a loss."""
    settings = [f"training.minutes={minutes}", "training.clock=cpu", "training.threads=1"]
    settings += [f"training.seed={seed}", "data.latency_samples=0"]
    config = load_config(preset, overrides=settings)
    path = folder / "model.safetensors"
    result = train(config, dry, wet, model_path=path, run_dir=folder / "run", overwrite=True)
    if result.summary.stopped == "interrupted":
        raise SystemExit("stopped; the run that was not finished is made again next time")
    return path, result.summary.steps * config.training.batch_size * config.crop_samples


def nam_network(preset: str) -> dict[str, Any]:
    """A network in the keys of NAM's trainer."""
    scale = NAM_HEAD_SCALE[preset]
    wanted = ("input_size", "condition_size", "channels", "dilations", "head", "activation")
    layers = []
    for array in load_config(preset).model.document()["layers"]:
        kernel = "kernel_sizes" if "kernel_sizes" in array else "kernel_size"
        layers.append({key: array[key] for key in (*wanted, kernel)})
    return {"name": "WaveNet", "config": {"layers_configs": layers, "head_scale": scale}}


def train_nam(preset: str, dry: Path, wet: Path, folder: Path, minutes: float, seed: int) -> tuple[Path, int]:
    """Train a network with NAM's trainer; the model file, and the outputs that carried a loss."""
    import pytorch_lightning as lightning
    from nam.train import core
    from nam.train.lightning_module import LightningModule

    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")
    torch.manual_seed(seed)
    began = time.process_time()
    found = recognise(*read_audio(dry)).validation
    if found is None:
        raise ParameterError(f"{dry} names no passage for validation; make it by neurdsp amp signal")
    begin, end = found
    data = {
        "train": {"ny": 8192, "stop_samples": begin},
        "validation": {"ny": None, "start_samples": begin, "stop_samples": end},
        "common": {"x_path": str(dry), "y_path": str(wet), "delay": 0, "allow_unequal_lengths": True}
        | {"require_input_pre_silence": None},
        "joint": [
            {"name": "nam.data.normalize_joint_dataset_output", "kwargs": {"level_rms_dbfs": -18.0}},
        ],
    }
    learning = {
        "train_dataloader": {"batch_size": 16, "shuffle": True, "drop_last": True, "num_workers": 0},
        "val_dataloader": {},
    }
    settings = {
        "net": nam_network(preset),
        "loss": {"val_loss": "esr", "mrstft_weight": 0.0005},
        "optimizer": {"lr": 0.004, "weight_decay": 3.17e-07},
        "lr_scheduler": {"class": "ExponentialLR", "kwargs": {"gamma": 0.994}},
    }
    module = LightningModule.init_from_config(settings)
    training, validation = core._get_dataloaders(data, learning, module)

    class Budget(lightning.Callback):
        """Stops when the CPU time is spent, and keeps the best weights."""

        best, state, outputs = float("inf"), None, 0

        def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):  # noqa: ARG002
            self.outputs += batch[-1].numel()
            trainer.should_stop = time.process_time() - began > 60 * minutes

        def on_validation_end(self, trainer, module):
            score = float(trainer.callback_metrics.get("ESR", float("inf")))
            if not trainer.sanity_checking and score < self.best:
                self.best = score
                self.state = {name: tensor.clone() for name, tensor in module.state_dict().items()}

    budget = Budget()
    options = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    options |= {"enable_model_summary": False, "accelerator": "cpu", "num_sanity_val_steps": 0}
    trainer = lightning.Trainer(max_epochs=100_000, min_epochs=0, callbacks=[budget], **options)
    trainer.fit(module, training, validation)
    trainer.validate(module, validation, verbose=False)  # where the budget ended within an epoch
    module.load_state_dict(budget.state)
    module.net.sample_rate = training.dataset.sample_rate
    module.net.export(folder)
    return folder / "model.nam", budget.outputs


def judge(model: Path, dry: Path, wet: Path) -> dict[str, float]:
    """Play the test recording through the file with the engine."""
    played, rate = read_audio(dry)
    target, _ = read_audio(wet)
    amp = AmpModel.load(model)
    output = amp.render(played[: target.size], rate)
    probes = measure_aliasing(lambda signal: amp.render(signal, amp.sample_rate), sample_rate=amp.sample_rate)
    return {
        "parameters": amp.n_parameters,
        "esr": float(esr(target, output)),
        "pre_emphasised_esr": float(pre_emphasised_esr(target, output)),
        "mr_stft": float(multi_resolution_stft_distance(target, output)),
        "worst_aliasing_db": max(probe.asr_db for probe in probes),
        "engine_us_per_sample": 1e6 / (bench_file(model).x_realtime * amp.sample_rate),
    }


def run(contestant: str, device: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Train, export, judge."""
    data = arguments.devices_folder
    folder = (
        arguments.output / f"{device}-{contestant.replace(' ', '-')}-{arguments.minutes:g}-{arguments.seed}"
    )
    folder.mkdir(parents=True, exist_ok=True)
    trainer: Callable[..., tuple[Path, int]] = train_ours if contestant in OURS else train_nam
    preset = OURS.get(contestant) or NAM[contestant]
    began = time.process_time()
    recordings = data / "train_in.wav", data / f"{device}_train.wav"
    model, outputs = trainer(preset, *recordings, folder, arguments.minutes, arguments.seed)
    seconds = time.process_time() - began
    return {
        "device": device,
        "contestant": contestant,
        "minutes": arguments.minutes,
        "seed": arguments.seed,
        **judge(model, data / "test_in.wav", data / f"{device}_test.wav"),
        "cpu_seconds": round(seconds, 1),
        "outputs_per_cpu_second": round(outputs / seconds),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": platform.processor() or platform.machine(),
        "load": os.getloadavg()[0],
    }


def key(line: dict[str, Any]) -> tuple[Any, ...]:
    """What makes a run the same run."""
    return line["device"], line["contestant"], line["minutes"], line["seed"]


def table(lines: list[dict[str, Any]]) -> str:
    """A markdown table, one row a run."""
    rows = [
        "| device | trained by | CPU min | parameters | test ESR | pre-emphasised | MR-STFT | aliasing dB "
        "| engine µs |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for line in sorted(lines, key=lambda line: (line["device"], line["minutes"], line["contestant"])):
        rows.append(
            f"| {line['device']} | {line['contestant']} | {line['minutes']:g} | {line['parameters']:,} "
            f"| {line['esr']:.5f} | {line['pre_emphasised_esr']:.5f} | {line['mr_stft']:.3f} "
            f"| {line['worst_aliasing_db']:.1f} | {line['engine_us_per_sample']:.3f} |"
        )
    return "\n".join(rows)


def ratios(lines: list[dict[str, Any]]) -> str:
    """Write how many times lower our errors are, by our best network that costs no more than theirs.

    A network's cost is the least of its runs', which other work on the machine can only raise.
    """
    cost: dict[str, float] = {}
    for line in lines:
        name = line["contestant"]
        cost[name] = min(cost.get(name, float("inf")), line["engine_us_per_sample"])
    rows = ["| device | against | ours | ESR | pre-emphasised | MR-STFT |", "|---|---|---|---|---|---|"]
    errors = ("esr", "pre_emphasised_esr", "mr_stft")
    for theirs in NAM:
        found = []
        for line in (line for line in lines if line["contestant"] == theirs):
            rivals = [
                one
                for one in lines
                if one["contestant"] in OURS
                and cost[one["contestant"]] <= cost[theirs]
                and all(one[same] == line[same] for same in ("device", "minutes", "seed"))
            ]
            if not rivals:
                continue
            best = min(rivals, key=lambda one: one["esr"])
            found.append([line[error] / best[error] for error in errors])
            figures = " | ".join(f"{ratio:.1f}" for ratio in found[-1])
            minutes = f"{line['device']}, {line['minutes']:g} min"
            rows.append(f"| {minutes} | {theirs} | {best['contestant']} | {figures} |")
        if found:
            medians = " | ".join(f"{statistics.median(column):.1f}" for column in zip(*found, strict=True))
            rows.append(f"| median of {len(found)} | {theirs} | | {medians} |")
    return "\n".join(rows)


def main() -> None:
    """Make the runs that are missing, and print all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("devices_folder", type=Path, help="made by scripts/devices/make.py")
    parser.add_argument("--devices", nargs="+", default=["ts9"])
    parser.add_argument("--contestants", nargs="+", default=["NAM A1 standard", "standard", "NAM A2 full"])
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/quality"))
    arguments = parser.parse_args()
    unknown = set(arguments.contestants) - OURS.keys() - NAM.keys()
    if unknown:
        parser.error(
            f"unknown contestants {', '.join(sorted(unknown))}; choose from {', '.join((*OURS, *NAM))}"
        )
    arguments.output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    log = arguments.output / "runs.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    for device in arguments.devices:
        for contestant in arguments.contestants:
            if (device, contestant, arguments.minutes, arguments.seed) in {key(line) for line in lines}:
                continue
            line = run(contestant, device, arguments)
            with log.open("a") as file:
                file.write(json.dumps(line) + "\n")
            lines.append(line)
            sys.stderr.write(f"{device} {contestant}: ESR {line['esr']:.5f}\n")
    print(table(lines), ratios(lines), sep="\n\n")


if __name__ == "__main__":
    main()
