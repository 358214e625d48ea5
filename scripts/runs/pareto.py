"""Searches for the network with the lowest error at each engine cost: trains candidates, plots the front.

    python scripts/devices/make.py -o runs/devices ts9 metal
    python scripts/runs/pareto.py runs/devices --devices ts9 metal --minutes 3 -o runs/pareto

Each candidate trains for the same CPU time of one thread on each device. The engine then plays its exported
file on test material (other notes, other sounds), and is timed with blocks of 64 samples: the cost is
microseconds per sample in the engine, not parameters. The errors of several devices are combined by their
geometric mean. Each run adds a JSON line to ``runs.jsonl`` in the output folder; runs that it lists are not
repeated. ``pareto.md`` and, with matplotlib, ``pareto.png`` are written from all lines.
"""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from judge_amp import judge
from neurdsp._output import atomic_output
from neurdsp.amp.config import AmpConfig, build_config, load_config
from neurdsp.amp.train import train
from neurdsp.cli.bench import bench_file

RATE = 48_000
LONG_TAPS = [6] * 14 + [15, 15] + [6] * 7
LONG_DILATIONS = [*[1, 3, 7, 17, 41, 101, 239] * 2, 1, 13, 1, 3, 7, 17, 41, 101, 239]
SLOWLY = {"learning_rate": 0.004}
SHORT_TAPS = [6] * 7 + [15, 15] + [6] * 5
SHORT_DILATIONS = [1, 3, 7, 17, 41, 101, 239, 1, 13, 1, 3, 7, 17, 41]


def network(channels: int, taps: list[int], dilations: list[int], **more: Any) -> dict[str, Any]:
    """Return one array of long kernels with a head of 16 taps."""
    array = {"channels": channels, "kernel_size": taps, "dilations": dilations, "activation": "Tanh"}
    return {"architecture": "nam.wavenet", "model": {"arrays": [{**array, "head_kernel_size": 16, **more}]}}


def candidates() -> dict[str, dict[str, Any] | str]:
    """Return the candidates by name: presets, and configurations as plain data."""
    found: dict[str, dict[str, Any] | str] = {name: name for name in ("tiny", "light", "standard", "heavy")}
    for family in ("a1-standard", "a1-lite", "a1-feather", "a1-nano", "a2-full", "a2-lite"):
        found[family] = family
    found |= {name: name for name in ("seed-16x6", "seed-32x10", "lstm-feather", "lstm-standard")}
    for channels in (12, 16):
        found[f"long {channels}"] = network(channels, LONG_TAPS, LONG_DILATIONS) | {"training": SLOWLY}
    for channels in (4, 8, 16):
        found[f"short {channels}"] = network(channels, SHORT_TAPS, SHORT_DILATIONS)
    found["leaky ReLU 8"] = network(8, LONG_TAPS, LONG_DILATIONS, activation="LeakyReLU")
    found["head of 1 tap 8"] = network(8, LONG_TAPS, LONG_DILATIONS, head_kernel_size=1)
    found["gated 6"] = network(6, LONG_TAPS, LONG_DILATIONS, gated=True)
    found["gated short 8"] = network(8, SHORT_TAPS, SHORT_DILATIONS, gated=True)
    return found


def configure(candidate: dict[str, Any] | str, minutes: float) -> AmpConfig:
    """Return the configuration of a candidate's run."""
    settings = [f"training.minutes={minutes}", "training.clock=cpu", "training.threads=1"]
    settings += ["data.latency_samples=0"]
    if isinstance(candidate, str):
        return load_config(candidate, overrides=settings)
    tree = {**candidate, "data": {"latency_samples": 0}}
    budget = {"minutes": minutes, "clock": "cpu", "threads": 1}
    tree["training"] = candidate.get("training", {}) | budget
    return build_config(tree)


def run(name: str, device: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Train one candidate on one device, and test its file."""
    data, folder = arguments.devices_folder, arguments.output / f"{device}-{name.replace(' ', '-')}"
    config = configure(candidates()[name], arguments.minutes)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.safetensors"
    recordings = data / "train_in.wav", data / f"{device}_train.wav"
    result = train(config, *recordings, model_path=path, run_dir=folder / "run", overwrite=True)
    if result.summary.stopped == "interrupted":
        raise SystemExit("stopped; the unfinished run will be repeated next time")
    figures = judge(path, data / "test_in.wav", data / f"{device}_test.wav")
    return {
        "device": device,
        "network": name,
        "minutes": arguments.minutes,
        "parameters": config.model.n_parameters,
        "engine_us": 1e6 / (bench_file(path).x_realtime * RATE),
        **figures,
        "date": datetime.now(UTC).date().isoformat(),
        "load": os.getloadavg()[0],
    }


def summary(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each network trained on every device, cheapest first, with the fronts marked."""
    devices = {line["device"] for line in lines}
    rows = []
    for name in dict.fromkeys(line["network"] for line in lines):
        own = [line for line in lines if line["network"] == name]
        if {line["device"] for line in own} != devices:
            continue
        row: dict[str, Any] = {"network": name, "parameters": own[0]["parameters"]}
        row["engine_us"] = min(line["engine_us"] for line in own)
        for key in ("esr", "pre_emphasised_esr", "stft_distance"):
            row[key] = float(np.exp(np.mean([np.log(line[key]) for line in own])))
        rows.append(row)
    rows.sort(key=lambda row: row["engine_us"])
    for row in rows:
        for key, mark in (("esr", "front"), ("stft_distance", "front_stft")):
            row[mark] = all(other[key] > row[key] for other in rows if other["engine_us"] < row["engine_us"])
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a Markdown table; errors on a front, which no cheaper network reaches, are bold."""
    out = [
        "| network | parameters | engine µs | ESR | pre-emphasised | MR-STFT |",
        "|---|---|---|---|---|---|",
    ]

    def marked(row: dict[str, Any], key: str, front: str, digits: int) -> str:
        text = f"{row[key]:.{digits}f}"
        return f"**{text}**" if row[front] else text

    for row in rows:
        out.append(
            f"| {row['network']} | {row['parameters']:,} | {row['engine_us']:.3f} "
            f"| {marked(row, 'esr', 'front', 5)} | {row['pre_emphasised_esr']:.5f} "
            f"| {marked(row, 'stft_distance', 'front_stft', 3)} |"
        )
    return "\n".join(out)


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Plot both errors over the cost, with the fronts as lines."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker

    figure, axes = pyplot.subplots(1, 2, figsize=(11, 4.5))
    panels = (("esr", "front", "test ESR"), ("stft_distance", "front_stft", "test MR-STFT distance"))
    for axis, (key, mark, label) in zip(axes, panels, strict=True):
        front = [row for row in rows if row[mark]]
        axis.plot([row["engine_us"] for row in front], [row[key] for row in front], color="0.7", zorder=1)
        axis.scatter([row["engine_us"] for row in rows], [row[key] for row in rows], s=18, zorder=2)
        for row in rows:
            axis.annotate(
                row["network"],
                (row["engine_us"], row[key]),
                fontsize=7,
                xytext=(4, 3),
                textcoords="offset points",
            )
        axis.set(xscale="log", yscale="log", xlabel="engine, µs per sample", ylabel=label)
        axis.margins(x=0.15)
        for scale in (axis.xaxis, axis.yaxis):
            scale.set_major_locator(ticker.LogLocator(subs=(1, 1.5, 2, 3, 4, 5, 7)))
            scale.set_major_formatter(ticker.FormatStrFormatter("%g"))
            scale.set_minor_formatter(ticker.NullFormatter())
        axis.grid(alpha=0.3, which="both")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def main() -> None:
    """Do the missing runs, then write the table and the plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("devices_folder", type=Path, help="made by scripts/devices/make.py")
    parser.add_argument("--devices", nargs="+", default=["ts9"])
    parser.add_argument("--networks", nargs="+", default=list(candidates()))
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/pareto"))
    arguments = parser.parse_args()
    unknown = set(arguments.networks) - candidates().keys()
    if unknown:
        parser.error(f"unknown networks {', '.join(sorted(unknown))}; choose from {', '.join(candidates())}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    log = arguments.output / "runs.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    done = {(line["device"], line["network"], line["minutes"]) for line in lines}
    for device in arguments.devices:
        for name in arguments.networks:
            if (device, name, arguments.minutes) in done:
                continue
            line = run(name, device, arguments)
            with log.open("a") as file:
                file.write(json.dumps(line) + "\n")
            lines.append(line)
            sys.stderr.write(f"{device} {name}: ESR {line['esr']:.5f} at {line['engine_us']:.3f} µs\n")
    asked = [line for line in lines if line["minutes"] == arguments.minutes]
    rows = summary([line for line in asked if line["device"] in arguments.devices])
    with atomic_output(arguments.output / "pareto.md") as temporary:
        temporary.write_text(table(rows) + "\n")
    print(table(rows))
    try:
        draw(rows, arguments.output / "pareto.png")
    except ImportError:
        sys.stderr.write("pareto: no plot, because matplotlib is missing; pip install 'neurdsp[plot]'\n")


if __name__ == "__main__":
    main()
