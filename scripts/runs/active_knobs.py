"""Compares ways to choose settings with the same number of captures: hypercube, corners, active learning.

    python scripts/runs/active_knobs.py runs/amps/in.wav -o runs/active --device screamer

Each way uses the same number of captures of one guitarix device (see ``ship_amps.py``). The same small
network is then trained on each set for the same number of steps, and tested at random settings that no way
has used, on held-out playing: mean and worst error-to-signal ratio. Thirty seconds of input are enough to
rank the ways.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from neurdsp.amp.capture.sweep import sweep
from neurdsp.amp.config import AmpConfig, build_config
from neurdsp.amp.knobs.active import extend, quick_config
from neurdsp.amp.knobs.train import train_parametric
from neurdsp.audio import read_audio, write_audio
from neurdsp.errors import NeurdspError
from ship_amps import AMPS, PLUGINS

N_TEST = 16
PIECES_S = ((4.0, 20.0), (70.0, 84.0))
"""Used parts of the input of ``ship_amps.py``: sweeps and steps, then playing."""


def network(steps: int, seed: int) -> AmpConfig:
    """Return the run by which every set is judged: the quick network, trained for longer."""
    tree = quick_config().model_dump()
    tree["training"] |= {"minutes": None, "steps": steps, "threads": 1, "validate_steps": 500, "seed": seed}
    tree["data"] |= {"latency_samples": 0}
    return build_config(tree)


def main() -> int:
    """Capture, train and judge each way."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("input", type=Path, help="the input that ship_amps.py plays into its devices")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/active"))
    parser.add_argument("--device", default="screamer", choices=[n for n, amp in AMPS.items() if amp.knobs])
    parser.add_argument(
        "--captures",
        type=int,
        default=9,
        help="captures of each way",
    )
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    amp = AMPS[options.device]
    options.output.mkdir(parents=True, exist_ok=True)
    source = options.output / "in.wav"
    whole, rate = read_audio(options.input)
    cut = [whole[round(start * rate) : round(stop * rate)] for start, stop in PIECES_S]
    write_audio(source, np.concatenate(cut), rate, subtype="PCM_24")
    try:
        for seed in range(options.seeds):
            for way in ("hypercube", "corners", "active"):
                folder = options.output / f"{options.device}-{seed}-{way}"
                manifest = sweep(
                    source,
                    folder,
                    PLUGINS + amp.plugin,
                    amp.knobs,
                    n_train=options.captures if way == "hypercube" else options.captures - 4,
                    n_test=N_TEST,
                    corners=way == "corners",
                    fixed=amp.fixed,
                    seed=seed,
                )
                if way == "active":
                    extend(manifest, 4, seed=seed, config=network(1, seed))
                result = train_parametric(
                    network(options.steps, seed),
                    manifest,
                    model_path=folder / "amp.safetensors",
                    run_dir=folder / "train",
                    overwrite=True,
                )
                n_train = sum(one["part"] == "train" for one in result.settings)
                worst = max(one["esr"] for one in result.settings if one["part"] == "test")
                figures = {"captures": n_train, **result.figures(), "worst_test": worst}
                print(options.device, seed, way, json.dumps(figures), flush=True)
    except NeurdspError as error:
        print(f"active_knobs: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
