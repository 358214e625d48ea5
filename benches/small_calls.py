"""What a call on a short clip costs beside its kernel: CPU time, hot and after 32 MB of other memory.

    python benches/small_calls.py [--json FILE] [--turns N]

A voice pipeline or a data loader calls the transforms a thousand times a second on clips of 100 ms. The
kernel is timed by batches: the time of eight rows in one call, less that of one row, over seven. "outside" is
the median time of a call less the kernel's. A cold call finds the caches of the processor full of other data,
as after a step of a network; it is timed alone, with the clock's own cost taken off. A hit of
`neurdsp.MelCache` costs the hash of the samples and a copy of the frames; it is timed on ten seconds.
"""

# ruff: noqa: E402 (the libraries read the number of threads when they are imported)

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import neurdsp
import numpy as np

#: Most microseconds outside the kernel of a hot call.
TARGETS_US = {"log_mel(y, ...)": 10.0, "plan(y)": 5.0}
#: Most microseconds of a hit of the cache on ten seconds.
HIT_TARGET_US = 1000.0

CASES: dict[str, tuple[int, dict[str, Any]]] = {
    "100 ms at 16 kHz, 400/160, 80 mels": (
        1600,
        {"sr": 16000, "n_fft": 400, "hop_length": 160, "n_mels": 80},
    ),
    "100 ms at 22 kHz, 2048/512, 128 mels": (2205, {"sr": 22050}),
}

_BATCH = 8
_COLD_BYTES = 32 << 20


def hot_us(call: Callable[[], Any], turns: int) -> float:
    """Median over the turns of the mean CPU time of a hundred calls, in microseconds."""
    means = []
    for turn in range(turns + 1):
        before = time.process_time_ns()
        for _ in range(100):
            call()
        if turn:
            means.append((time.process_time_ns() - before) / 1e5)
    return statistics.median(means)


def cold_us(call: Callable[[], Any], turns: int) -> float:
    """Median CPU time of single calls, each after 32 MB of other memory were touched, in microseconds."""
    other = np.zeros(_COLD_BYTES // 8)
    times, clock = [], []
    for _ in range(turns):
        other += 1.0
        before = time.process_time_ns()
        between = time.process_time_ns()
        call()
        times.append(time.process_time_ns() - between)
        clock.append(between - before)
    return (statistics.median(times) - statistics.median(clock)) / 1e3


def measure(n_samples: int, parameters: dict[str, Any], turns: int) -> dict[str, dict[str, float]]:
    """Time the calls and the kernel on noise of so many samples."""
    y = (0.1 * np.random.default_rng(0).standard_normal(n_samples)).astype(np.float32)
    plan = neurdsp.MelSpectrogram(log="ln", **parameters)
    kernel = plan.engine.plan()
    rows = np.broadcast_to(y, (_BATCH, n_samples))
    room = np.empty((_BATCH, plan.n_rows, plan.n_frames(n_samples)), np.float32)

    def process(n_rows: int) -> Callable[[], None]:
        inputs, outputs = [rows[:n_rows]], [room[:n_rows]]
        return lambda: kernel.process(inputs, outputs, 1)

    kernel_us = (hot_us(process(_BATCH), turns) - hot_us(process(1), turns)) / (_BATCH - 1)
    calls: dict[str, Callable[[], Any]] = {
        "log_mel(y, ...)": lambda: neurdsp.log_mel(y, **parameters),
        "mel_spectrogram(y, ...)": lambda: neurdsp.mel_spectrogram(y, **parameters),
        "plan(y)": lambda: plan(y),
    }
    figures = {"kernel": {"hot_us": kernel_us}}
    for name, call in calls.items():
        hot = hot_us(call, turns)
        figures[name] = {"hot_us": hot, "outside_us": hot - kernel_us, "cold_us": cold_us(call, turns)}
    return figures


def measure_hit(turns: int) -> float:
    """Time a hit of the cache on 10 s at 32 kHz with 704 bins, in microseconds."""
    plan = neurdsp.MelSpectrogram.preset("gpt_sovits")
    y = (0.1 * np.random.default_rng(0).standard_normal(320_000)).astype(np.float32)
    cache = neurdsp.MelCache()
    cache.get_or_compute(plan, y)
    return hot_us(lambda: cache.get_or_compute(plan, y), turns)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--turns", type=int, default=101, metavar="N", help="turns of each call")
    arguments = parser.parse_args()
    if arguments.turns < 1:
        parser.error(f"--turns is {arguments.turns}, but at least one is needed")
    report: dict[str, Any] = {}
    for name, (n_samples, parameters) in CASES.items():
        report[name] = measure(n_samples, parameters, arguments.turns)
        print(name)
        for call, figures in report[name].items():
            line = f"  {call:24} {figures['hot_us']:8.2f} us"
            if "cold_us" in figures:
                line += f", outside the kernel {figures['outside_us']:6.2f} us"
                line += f" (target {TARGETS_US[call]:g})" if call in TARGETS_US else ""
                line += f", cold {figures['cold_us']:8.2f} us"
            print(line)
    report["hit of the cache, 10 s"] = measure_hit(min(arguments.turns, 11))
    print(f"hit of the cache, 10 s {report['hit of the cache, 10 s']:8.1f} us (target {HIT_TARGET_US:g})")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
