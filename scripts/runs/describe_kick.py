r"""Writes the card of the kick generator that ships: figures beside their floors, data, limits.

    python scripts/runs/describe_kick.py default.safetensors figures.json -o default.md

``scripts/runs/ship_kick.sh`` calls it. The figures are those of ``neurdsp kick evaluate --json``.
"""

import argparse
import json
import sys
from pathlib import Path

from neurdsp import modelfile

HEAD = """\
# default: a kick generator in one step

Weights: MIT OR Apache-2.0, as the rest of neurdsp. Made by `scripts/runs/ship_kick.sh` in half an hour of one
core.

A network of {parameters:,} parameters turns words, attributes and a seed into a
[kick code](../../../../docs/decisions/0014-the-kick-code.md) in one step; the engine renders it. The file has
{megabytes:.1f} MB, and its proof was rendered at {error_db:.1f} dB from the reference.

## Figures

By the exported file in the engine, `neurdsp kick evaluate --per-word 200 -n 300`. HELD are {recordings} kicks
of Hydrogen's kits, of which nothing was learnt; FREE are those that may be learnt from. aisfx is a network
that hears one-shots.
"""
TAIL = """
## Limits

- The distances are far from those of recordings (the aims were 1.1 and 0.65). Rooms, beating drum heads and
  the grain of old samplers are not in the code.
- Words are measured quantities. They say nothing of style.

## Data

Own synthesis (36,000 kicks: 808, 909, acoustic-like, FM, distorted, layers of noise) and 12,000 recombined
fits of 35 kicks whose licences allow it: Sonic Pi's samples (CC0) and FluidR3 GM (MIT). Nothing of a
recording is in the file but statistics of codes.
"""


def distances(found: dict) -> list[str]:
    """Return the table of distances, with the floors beside."""
    sets = [found[name] for name in ("generated", "training recordings", "halves of the recordings")]
    rows = [
        ("aisfx energy distance to HELD", "raw"),
        ("the same, with noise at -60 dB on both sides", "masked"),
        ("nearest neighbour is of the own set (.5 is best)", "nearest"),
        ("density (1 is like HELD)", "density"),
        ("coverage (1 is all of HELD)", "coverage"),
    ]
    lines = ["| | this network | FREE | halves of HELD |", "|---|---|---|---|"]
    lines += [f"| {name} | " + " | ".join(f"{one[key]:.2f}" for one in sets) + " |" for name, key in rows]
    copies = found["generated"]["copies"]
    return [
        *lines,
        "",
        f"{copies:.0%} of the kicks are nearer to a kick of FREE than 95 % of those are to each other.",
    ]


def typical(made: dict, real: dict) -> list[str]:
    """Return the table of what a kick is like."""
    rows = [
        ("last sample, largest", "last_sample", "{:g}"),
        ("DC, median", "dc_median", "{:.1e}"),
        ("ripple of the tail's pitch, median", "ripple_cents", "{:.0f} cents"),
        ("kicks that swell late, by more than 10 dB", "swells", "{:.1%}"),
        ("pitch of the tail, median", "pitch_hz", "{:.0f} Hz"),
        ("length to 0.01 % of the energy, median", "length_s", "{:.2f} s"),
        ("click above 1.5 kHz in 10 ms, median", "click_db", "{:.0f} dB"),
    ]
    lines = ["| | this network | HELD |", "|---|---|---|"]
    for name, key, form in rows:
        lines.append(f"| {name} | {form.format(made[key])} | {form.format(real[key])} |")
    return lines


def main() -> int:
    """Write the card."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("figures", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    found = json.loads(options.figures.read_text())
    words = found["words"]
    lines = [
        HEAD.format(
            parameters=modelfile.info(options.model).n_parameters,
            megabytes=options.model.stat().st_size / 1e6,
            error_db=modelfile.verify(options.model).error_db,
            recordings=found["n_recordings"],
        ),
        *distances(found["distances"]),
        "",
        *typical(found["hygiene"], found["floor_hygiene"]),
        "",
        f"Resynthesis of HELD by fit: {found['resynthesis_nats']:.2f} nats of log-mel distance (median); two "
        f"noise seeds of one code differ by {found['seeds_nats']:.2f}.",
        "",
        "How often a kick has the measured attribute of its word: "
        f"mean {sum(words.values()) / len(words):.3f}, least {min(words.values()):.2f}; "
        f"two words at once {found['pairs']:.2f}.",
        "",
        "| word | share |",
        "|---|---|",
        *(f"| {word} | {share:.2f} |" for word, share in words.items()),
    ]
    options.output.write_text("\n".join(lines) + "\n" + TAIL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
