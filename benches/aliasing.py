"""How much amp models alias, as they are and oversampled: sines in, what lies beside their harmonics out.

    python benches/aliasing.py MODEL ... [--level DBFS] [--json FILE]

For each model and each way to run it, the aliasing-to-signal ratio in dB (lower is better) at each of the
probes of ``neurdsp.amp.judge.aliasing``, and the CPU time relative to the model alone. No measure can tell
what is folded from what is only noise: a model's rounding errors lie about 130 dB down.
"""

import argparse
import json
import time
from functools import partial
from pathlib import Path

import numpy as np
from neurdsp.amp import AmpModel
from neurdsp.amp.judge.aliasing import PROBES_HZ, measure_aliasing

#: How many times its own rate the model runs at, and whether with the shorter filters.
OPERATIONS = [(1, False), (2, True), (2, False), (4, True), (4, False)]


def play(amp: AmpModel, oversample: int, low_latency: bool, sine: np.ndarray) -> np.ndarray:
    """What the model makes of a sine."""
    return amp.stream(oversample=oversample, low_latency=low_latency).process(sine)


def main() -> None:
    """Measure, print a table, and write JSON if that is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--level", type=float, default=-12.0, help="peak of the sines in dBFS")
    parser.add_argument("--json", type=Path, help="file to write the results to")
    arguments = parser.parse_args()

    print(f"# peak {arguments.level:g} dBFS; dB of what is folded, relative to the harmonics")
    probes = " ".join(f"{frequency:>6} Hz" for frequency in PROBES_HZ)
    print(f"{'model':>32} {'run':>16} {probes} {'cost':>6}")
    results = []
    for name in arguments.models:
        amp = AmpModel.load(name)
        plain_s = 0.0
        for oversample, low_latency in OPERATIONS:
            start = time.thread_time()
            found = measure_aliasing(
                partial(play, amp, oversample, low_latency),
                sample_rate=amp.sample_rate,
                level_db=arguments.level,
            )
            elapsed_s = time.thread_time() - start
            plain_s = plain_s or elapsed_s
            run = "plain" if oversample == 1 else f"{oversample} x{' low latency' * low_latency}"
            ratios = [probe.asr_db for probe in found]
            figures = " ".join(f"{ratio:>9.1f}" for ratio in ratios)
            print(f"{Path(name).stem:>32} {run:>16} {figures} {elapsed_s / plain_s:>6.1f}")
            results.append({"model": Path(name).stem, "run": run, "asr_db": ratios})
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
