"""What knobs cost: a model turned to a position beside a static one of the same size, and the turning itself.

    python benches/knobs.py [MODEL ...] [--runs N]

The static model is the same network at its defaults, converted to ``.nam``, which has no knobs. Both play the
same seconds in turns; the ratio is of the least CPU times of the thread. Turning is all of ``with_knobs``:
positions to weights, and a model made from them, as an application does off its audio thread.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from neurdsp import modelfile
from neurdsp.amp import AmpModel, shipped_amps, shipped_clip
from neurdsp.errors import NeurdspError, ParameterError

SECONDS = 2.0


def least(actions: list[Callable[[], object]], runs: int) -> list[float]:
    """Return the least CPU time of each action in seconds, done in turns."""
    times = [float("inf")] * len(actions)
    for _ in range(runs):
        for index, action in enumerate(actions):
            start = time.thread_time()
            action()
            times[index] = min(times[index], time.thread_time() - start)
    return times


def measure(name: str, runs: int) -> tuple[float, float, float]:
    """Return the seconds that a turned model and a static one take for a sample, and those of a turn.

    Raises
    ------
    ParameterError
        If the model has no knobs.
    """
    amp = AmpModel.load(name)
    if not amp.knobs:
        raise ParameterError(f"{name} has no knobs: there is nothing to turn")
    rng = np.random.default_rng(0)
    positions = [{knob: float(rng.random()) for knob in amp.knobs} for _ in range(8)]
    file = shipped_clip().with_name(f"{name}.safetensors") if name in shipped_amps() else Path(name)
    with tempfile.TemporaryDirectory() as folder:
        modelfile.convert(file, Path(folder, "static.nam"))
        static = AmpModel.load(Path(folder, "static.nam"))
    turned = amp.with_knobs(**positions[0])
    n_samples = round(SECONDS * amp.sample_rate)
    sound = (0.2 * rng.standard_normal(n_samples)).astype(np.float32)
    played = least([partial(m.render, sound, amp.sample_rate) for m in (turned, static)], runs)
    turning = least([partial(amp.with_knobs, **at) for at in positions], runs)
    return played[0] / n_samples, played[1] / n_samples, float(np.mean(turning))


def main() -> int:
    """Measure each model and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", metavar="MODEL", default=["crunch"])
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    print(f"{'model':>16} {'turned µs':>10} {'static µs':>10} {'ratio':>6} {'turning ms':>10}")
    for name in options.models:
        try:
            turned, static, turning = measure(name, options.runs)
        except NeurdspError as error:
            print(f"knobs: {error}", file=sys.stderr)
            return 2
        print(
            f"{Path(name).stem:>16} {1e6 * turned:>10.4f} {1e6 * static:>10.4f} {turned / static:>6.3f} "
            f"{1e3 * turning:>10.2f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
