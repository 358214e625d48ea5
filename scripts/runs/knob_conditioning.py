"""Compares two ways in which knobs can change a network: scale and shift of each row (FiLM), or shift alone.

    python scripts/runs/knob_conditioning.py runs/amps/crunch/manifest.yaml -o runs/conditioning --steps 3800

A knob position that is concatenated to the input of a convolution, as a constant, adds a term to its output
that does not depend on the signal: a bias that depends on the knob. So ``bias`` measures concatenation at
every convolution, behind the same small network of the knobs as FiLM has. Both are the same code, with the
scale frozen at zero for ``bias``, so a step takes the same time. Both fold into the weights and cost nothing
at run time. They are tested on the exported files, at settings that were not captured.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from neurdsp.amp.config import load_config
from neurdsp.amp.knobs import crops
from neurdsp.amp.knobs.model import ParametricWaveNet
from neurdsp.amp.knobs.train import train_parametric
from neurdsp.errors import NeurdspError

FILM = ParametricWaveNet


class Biased(ParametricWaveNet):
    """The network whose rows are shifted but not scaled."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.scale.requires_grad_(False)


KINDS: dict[str, type[ParametricWaveNet]] = {"film": FILM, "bias": Biased}


def main() -> int:
    """Train and judge each kind on the same captures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifest", type=Path)
    parser.add_argument("kinds", nargs="*", help="film, bias; both if none is named")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/conditioning"))
    parser.add_argument("--steps", type=int, default=3800)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    unknown = set(options.kinds) - set(KINDS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    config = load_config(
        "knobs",
        overrides=[
            "training.minutes=null",
            f"training.steps={options.steps}",
            f"training.seed={options.seed}",
            "training.threads=1",
            "training.validate_steps=1000",
            "data.latency_samples=0",
        ],
    )
    try:
        for kind in options.kinds or KINDS:
            # Which network is trained is no option of the product, where one kind is enough.
            crops.ParametricWaveNet = KINDS[kind]  # type: ignore[misc]
            here = options.output / kind
            here.mkdir(parents=True, exist_ok=True)
            result = train_parametric(
                config,
                options.manifest,
                model_path=here / f"{kind}.safetensors",
                run_dir=here,
                overwrite=True,
            )
            worst = max((one["esr"] for one in result.settings if one["part"] == "test"), default=None)
            print(kind, json.dumps({**result.figures(), "worst_test": worst}), flush=True)
    except NeurdspError as error:
        print(f"knob_conditioning: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
