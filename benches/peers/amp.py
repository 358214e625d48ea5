"""Amp models beside NAM Core and NeuralAudio: times real time on one thread, in blocks of 64.

The peers are programs of their own. Build each outside this repository as its README says, in release mode
and for the machine at hand (``-O3 -march=native``; NAM Core with its fast path for A2), and give their
paths::

    python benches/peers/amp.py MODEL.nam[@SIZE] ... --nam-core PATH/benchmodel --neural-audio PATH/ModelTest

``benchmodel`` is among the tools of https://github.com/sdatkinson/NeuralAmpModelerCore, ``ModelTest`` among
the utilities of https://github.com/mikeoliphant/NeuralAudio. ``--nam-core`` may be given several times, for
builds with different options; the best of them counts. It has its fast tanh, which is off by 4.4e-4; that
of neurdsp is exact to 4e-7.

``lstm:LxU`` in place of a model is an LSTM of L layers of U units with random weights.

``SIZE``, from 0 to 1, is that of a model of several sizes. The contenders take turns, so that a busy
machine slows all of them alike, and the fastest turn of each counts. The peers time themselves by the wall
clock and feed silence; neurdsp rests on silence, so it is fed a sine, and is timed by the CPU time of its
thread. On a busy machine that favours neurdsp: measure on an idle one, or with a real-time priority, with
as many turns as it takes for the figures to stay.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from neurdsp.cli.bench import bench_file, instruction_set

#: Ratios over a peer that neurdsp is to reach with AVX-512; with AVX2 in brackets.
TARGETS = """A1 standard 2.2 (2.0), A2 full 3.0 (2.6), A2 lite 3.2 (2.0) of NAM Core;
A1 nano 2.0, LSTM 1x16 1.2 of NeuralAudio"""

#: Seconds of audio that ``benchmodel`` plays.
BENCHMODEL_SECONDS = 2.0


@dataclass
class Result:
    """The fastest turn of each contender, in times real time at the model's sample rate."""

    model: str
    isa: str
    neurdsp: float
    nam_core: float | None = None
    neural_audio: float | None = None

    def ratio(self, peer: float | None) -> str:
        """How many times a peer's speed neurdsp has."""
        return "-" if peer is None else f"{self.neurdsp / peer:.2f}"


def run(command: list[str]) -> str:
    """The output of a peer; it ends the program with the peer's words if the peer fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def nam_core(program: Path, model: Path, size: float | None) -> float:
    """Times real time of NAM Core."""
    slim = [] if size is None else ["--slim", str(size)]
    milliseconds = re.findall(r"^([\d.]+)ms$", run([str(program), *slim, str(model)]), re.M)
    return BENCHMODEL_SECONDS * 1000.0 / float(milliseconds[-1])


def neural_audio(program: Path, model: Path, size: float | None) -> float | None:
    """Times real time of NeuralAudio's own engine; None if it plays the model by other means alone."""
    quality = [] if size is None else ["-q", str(size)]
    found = re.search(r"^Internal: .*\(([\d.]+)xRT\)", run([str(program), *quality, str(model)]), re.M)
    return float(found.group(1)) if found else None


def random_lstm(layers: int, units: int, folder: Path) -> Path:
    """Write an LSTM with random weights of a trained one's size."""
    chance = np.random.default_rng(1)
    weights: list[float] = []
    for inputs in [1] + [units] * (layers - 1):
        rows = chance.uniform(-1, 1, 4 * units * (inputs + units + 1)) / np.sqrt(units)
        weights += [*rows.tolist(), *[0.0] * (2 * units)]
    weights += [*(chance.uniform(-1, 1, units) / np.sqrt(units)).tolist(), 0.0]
    config = {"input_size": 1, "hidden_size": units, "num_layers": layers}
    model = {"version": "0.5.4", "architecture": "LSTM", "config": config, "weights": weights}
    path = folder / f"LSTM {layers}x{units}.nam"
    path.write_text(json.dumps(model | {"sample_rate": 48000, "metadata": {}}), encoding="utf-8")
    return path


def best(before: float | None, now: float | None) -> float | None:
    """The larger of two speeds, of which either may be missing."""
    return max((speed for speed in (before, now) if speed is not None), default=None)


def main() -> None:
    """Measure, print a table, and write JSON if that is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", metavar="MODEL[@SIZE]")
    parser.add_argument("--nam-core", type=Path, action="append", default=[], help="path of benchmodel")
    parser.add_argument("--neural-audio", type=Path, help="path of ModelTest")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each of neurdsp's turns")
    parser.add_argument("--json", type=Path, help="file to write the results to")
    arguments = parser.parse_args()

    print(f"# neurdsp with {instruction_set()}, {arguments.turns} turns, {time.strftime('%Y-%m-%d')}")
    print("# targets: " + TARGETS.replace("\n", " "))
    print(f"{'model':>32} {'neurdsp':>9} {'NAM Core':>9} {'ratio':>6} {'NeuralAudio':>12} {'ratio':>6}")
    results = []
    folder = Path(tempfile.mkdtemp())
    for name in arguments.models:
        path, _, size_text = name.partition("@")
        if path.startswith("lstm:"):
            layers, _, units = path.removeprefix("lstm:").partition("x")
            path = str(random_lstm(int(layers), int(units), folder))
        size = float(size_text) if size_text else None
        result: Result | None = None
        for _ in range(arguments.turns):
            speed = bench_file(path, size=size, block_size=64, seconds=arguments.seconds)
            if result is None:
                result = Result(speed.model, speed.isa, speed.x_realtime)
            result.neurdsp = max(result.neurdsp, speed.x_realtime)
            for program in arguments.nam_core:
                result.nam_core = best(result.nam_core, nam_core(program, Path(path), size))
            if arguments.neural_audio:
                played = neural_audio(arguments.neural_audio, Path(path), size)
                result.neural_audio = best(result.neural_audio, played)
        if result is None:
            continue
        core, audio = (
            "-" if peer is None else f"{peer:.1f}" for peer in (result.nam_core, result.neural_audio)
        )
        print(
            f"{result.model:>32} {result.neurdsp:>9.1f} {core:>9} {result.ratio(result.nam_core):>6} "
            f"{audio:>12} {result.ratio(result.neural_audio):>6}"
        )
        results.append(asdict(result))
    shutil.rmtree(folder)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
