r"""The music networks beside ONNX Runtime with bound buffers, and torch; and their errors beside baselines.

    python benches/peers/music.py [--models DIR] [--iterations 2000] [--turns 5] [--cold] \
        [--data FOLDER] [--wobblemidi CHECKOUT --groove FOLDER] [--json]

Speed: one step of each network, one thread, called from Python by all contenders in one process. They
take turns, so that a busy machine slows all of them alike, and the best median of each counts. ``--data``
is a folder with ``groove.safetensors`` and so on, made by ``neurdsp music prepare``: then each network is
judged on the test split beside what is known without it. ``--wobblemidi`` has the groove network judged by
the validator of that program, beside it; see ``benches/peers/drummers.py``. ``--groove`` is the folder of
the Groove MIDI data set.

Targets: 2.5 times ONNX Runtime in float32 and 6 times in int8, all five together.
"""

import argparse
import json
import sys
from pathlib import Path

import drummers
from neurdsp.music.bench import Backend, bench_networks
from neurdsp.music.dataset import open_dataset
from neurdsp.music.evaluate import evaluate
from neurdsp.music.lookup import networks_of

CONTENDERS: tuple[Backend, ...] = ("f32", "int8", "ort", "torch")


def speeds(models: str, *, iterations: int, turns: int, cold: bool) -> dict[str, dict[str, float]]:
    """Return the best median of each contender in microseconds, by network."""
    found: dict[str, dict[str, float]] = {}
    for _ in range(turns):
        for backend in CONTENDERS:
            for speed in bench_networks(models, iterations=iterations, backend=backend, cold=cold):
                row = found.setdefault(speed.name, {})
                row[backend] = min(row.get(backend, speed.median_us), speed.median_us)
    return found


def show_speeds(found: dict[str, dict[str, float]]) -> None:
    """Print microseconds and ratios."""
    print(
        f"{'µs a step':<10}"
        + "".join(f"{name:>9}" for name in CONTENDERS)
        + "   ort/f32  ort/int8  torch/f32"
    )
    for name, row in found.items():
        times = "".join(f"{row[backend]:9.1f}" for backend in CONTENDERS)
        ratios = (row["ort"] / row["f32"], row["ort"] / row["int8"], row["torch"] / row["f32"])
        print(f"{name:<10}{times}" + "".join(f"{ratio:10.2f}" for ratio in ratios))


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", default="default", help="folder with model files")
    parser.add_argument("--iterations", type=int, default=2000, help="steps of a turn, or 0")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--cold", action="store_true", help="empty the caches in front of each step")
    parser.add_argument("--data", type=Path, help="folder with prepared data, for the quality")
    parser.add_argument("--wobblemidi", type=Path, help="checkout of wobblemidi")
    parser.add_argument("--groove", type=Path, help="folder of the Groove MIDI data set")
    parser.add_argument("--styles", nargs="+", default=["rock"], help="of the held-out takes")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if (options.wobblemidi is None) != (options.groove is None):
        parser.error("--wobblemidi and --groove need each other")
    judged = {}
    if options.wobblemidi:
        judged = drummers.beside(
            options.wobblemidi,
            options.groove,
            models=options.models,
            styles=options.styles,
            seeds=[101, 202, 303],
        )
    if options.iterations == 0:
        print(json.dumps(judged)) if options.json else drummers.show(judged)
        return 0
    found = speeds(options.models, iterations=options.iterations, turns=options.turns, cold=options.cold)
    quality = []
    for name, path in networks_of(options.models).items() if options.data else ():
        prepared = options.data / f"{name}.safetensors"
        if prepared.is_file():
            quality.append(evaluate(path, open_dataset(prepared, task=name)))
    if options.json:
        rows = [row.to_json() for row in quality]
        print(json.dumps({"speed_us": found, "quality": rows, "wobblemidi": judged}))
        return 0
    show_speeds(found)
    for row in quality:
        print(f"\n{row.network}, {row.precision}, split {row.split}")
        for title, figures in (("network", row.metrics), *row.baselines.items()):
            print(f"  {title:<24}" + "  ".join(f"{key} {value:.3g}" for key, value in figures.items()))
    drummers.show(judged)
    return 0


if __name__ == "__main__":
    sys.exit(main())
