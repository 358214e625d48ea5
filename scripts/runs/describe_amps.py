"""Writes loudness, gain, gear, author and date into the shipped amps; their tensors stay the same bits.

    python scripts/runs/describe_amps.py            # all, in place
    python scripts/runs/describe_amps.py --check    # write nothing, and tell whether anything would change

The devices are plugins, so they have no levels in dBu. The loudness is measured as NAM's trainer measures it.
"""

import argparse
import datetime
import json
import sys
from pathlib import Path

from neurdsp import modelfile
from neurdsp.amp.about import CAPTURE, AboutConfig
from neurdsp.amp.infer import AmpModel
from neurdsp.errors import NeurdspError
from neurdsp.modelfile.loudness import measure_levels

SHIPPED = Path(__file__).parents[2] / "python" / "neurdsp" / "amp" / "shipped"
AUTHOR = "neurdsp"
MAKER = "guitarix"


def about(gear_model: str, gear_type: str, tone_type: str, day: str) -> AboutConfig:
    """Return the facts of a shipped amp."""
    return AboutConfig(
        modeled_by=AUTHOR,
        gear_make=MAKER,
        gear_model=gear_model,
        gear_type=gear_type,
        tone_type=tone_type,
        date=datetime.date.fromisoformat(day),
    )


ABOUT = {
    "clean": about("studiopre", "preamp", "clean", "2026-11-21"),
    "crunch": about("redeye chump", "amp", "crunch", "2026-11-21"),
    "fuzz": about("fuzzface", "pedal", "fuzz", "2026-11-21"),
    "highgain": about("metal amp", "amp", "hi_gain", "2026-11-21"),
    "screamer": about("ts9sim", "pedal", "overdrive", "2026-11-21"),
    "ts9": about("ts9sim", "pedal", "overdrive", "2026-11-21"),
}


def described(path: Path) -> dict[str, str]:
    """Return the metadata of a shipped amp with all facts."""
    file = modelfile.read(path)
    amp = AmpModel.load(path)
    facts = {
        **measure_levels(lambda clip: amp.render(clip, amp.sample_rate), amp.sample_rate),
        "name": file.metadata["neurdsp.name"],
        **ABOUT[path.stem].facts(),
    }
    if "esr" in file.metrics:
        facts["training"] = {"validation_esr": file.metrics["esr"]}
    return {**file.metadata, CAPTURE: json.dumps(facts)}


def describe(path: Path) -> None:
    """Write all facts into a shipped amp."""
    file = modelfile.read(path)
    modelfile.write(path, described(path), file.tensors, file.dtypes)


def main() -> int:
    """Describe the shipped amps, or check that they are described."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 if a file differs")
    options = parser.parse_args()
    differ = False
    try:
        for name in sorted(ABOUT):
            path = SHIPPED / f"{name}.safetensors"
            metadata = described(path)
            print(name, metadata[CAPTURE])
            if modelfile.read(path).metadata == metadata:
                continue
            differ = True
            if not options.check:
                describe(path)
    except (NeurdspError, OSError) as error:
        print(f"describe_amps: {error}", file=sys.stderr)
        return 2
    return 1 if options.check and differ else 0


if __name__ == "__main__":
    sys.exit(main())
