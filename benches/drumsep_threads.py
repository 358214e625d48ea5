"""A pass of the public MDX23C drum network on several threads, by the clock.

    python benches/drumsep_threads.py [--frames 256] [--threads 1 2] [--turns 5] [--precision bfloat16]

All numbers of threads take turns in one process, so the machine has to be idle. Medians are printed, and how
much faster they are than the first. Every number of threads must give the same bits.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent / "peers"))
from drumsep import random_model
from drumsep_engines import chunk_of, config_of
from neurdsp.drumsep.backends import open_network


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=256, metavar="N", help="of a pass")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N")
    parser.add_argument("--turns", type=int, default=5, metavar="N")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--model", type=Path, help="model file; by default random weights of the public size")
    parser.add_argument("--folder", type=Path, default=Path("target/bench-drumsep"), help="for those weights")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    model = arguments.model or random_model(arguments.folder.resolve())
    chunks = chunk_of(config_of(model), arguments.frames)[None]
    options = {"backend": "engine", "precision": arguments.precision}
    networks = {n: open_network(model, threads=n, **options) for n in arguments.threads}
    seconds = {n: [] for n in networks}
    reference = None
    for turn in range(arguments.turns + 1):
        for n, network in networks.items():
            before = time.perf_counter()
            stems = network.forward(chunks)
            if turn:  # the first is a warm-up
                seconds[n].append(time.perf_counter() - before)
            reference = stems if reference is None else reference
            if not np.array_equal(stems, reference):
                sys.exit(f"{n} threads give other bits")
    one = statistics.median(seconds[arguments.threads[0]])
    print(f"{'threads':>8}{'seconds':>9}{'faster':>8}")
    for n, taken in seconds.items():
        print(f"{n:>8}{statistics.median(taken):>9.3f}{one / statistics.median(taken):>8.2f}")


if __name__ == "__main__":
    main()
