r"""Writes the card of the shipped drum separator: data, licences, hours, figures, limits.

    python scripts/runs/describe_drums.py RUN draft.safetensors --kits bank.kits.csv \
        --figures test test.json -o draft.md

``scripts/runs/ship_drums.sh`` calls it. Figures are those that ``neurdsp drumsep evaluate --json`` printed.
"""

import argparse
import csv
import json
import sys
from pathlib import Path

from neurdsp import modelfile
from neurdsp.drumsep.bandsplit.recipe import load_recipe
from neurdsp.drumsep.bandsplit.train import load_trained

STEMS = ("kick", "snare", "toms", "hihat", "cymbals")
#: SDR of LarsNet on the same four recordings, from its own networks: see docs/drums.md.
LARSNET = {"kick": 26.8, "snare": 16.2, "toms": 10.3, "hihat": 2.3, "cymbals": 3.2}
TITLES = {
    "test": "Kits that neither training nor validation heard (rendered, {n} clips)",
    "stemgmd": "Recordings with true stems, StemGMD ({n} clips); never used for training or choosing",
}
DATA = """\
Each step renders {channels} channels of {seconds:g} seconds anew: performances of the Groove MIDI data set
(Google Magenta, CC BY 4.0, its official splits; J. Gillick et al., ICML 2019) on the kits below. Each piece
of a kit has another pitch, attack, decay, equaliser and early reflections in each mixture, is layered with a
second recording now and then, or comes from another kit. There are rooms, saturation, bus compression, MP3
artefacts, swapped kits, silent stems, and now and then percussion, noise, hum or tones that go to the
residual. Mean levels of the stems are near those that LarsNet's authors publish."""
LIMITS = """\
- It was trained on one core of a busy machine. Longer training would make it better.
- Claps, cowbells and other percussion belong in the residual, but were heard seldom.
- Low toms are close to kicks, and high ones to snares: toms are the weakest drum.
- Hi-hat and cymbals lie 25 to 30 dB under a mixture: what is left of them in figures is a few dB.
- It separates drums from drums. It is not made to take drums out of music."""


def table(figures: dict, *, larsnet: bool) -> list[str]:
    """Return the lines of a table of mean SDR."""
    means = figures["means"]
    rows = [
        ("this network", {name: means[name]["sdr_db"] for name in means}),
        *([("LarsNet", LARSNET)] if larsnet else []),
        ("the mixture itself", {name: means[name]["mixture_sdr_db"] for name in means}),
        ("ideal real masks", {name: means[name]["ideal_mask_sdr_db"] for name in means}),
    ]
    lines = ["| SDR in dB | " + " | ".join(STEMS) + " |", "|---" * (len(STEMS) + 1) + "|"]
    for title, values in rows:
        cells = [f"{values[name]:.1f}" if name in values else "–" for name in STEMS]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return lines


def kits_of(path: Path) -> list[str]:
    """Return the lines of a table of kits; synthesised ones are counted."""
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    made = [row for row in rows if row["author"].startswith("synthesis-")]
    lines = ["| kit | author | licence | split |", "|---|---|---|---|"]
    for row in rows:
        if row not in made:
            lines.append(f"| {row['name']} | {row['author']} | {row['licence']} | {row['split']} |")
    for split in ("train", "validation", "test"):
        count = sum(row["split"] == split for row in made)
        lines.append(
            f"| {count} synthesised (808, 909, membranes, plates) | this project | CC0-1.0 | {split} |"
        )
    return lines


def main() -> int:
    """Write the card."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, help="folder of the run")
    parser.add_argument("model", type=Path, help="the exported file")
    parser.add_argument("--kits", type=Path, required=True, help="the table beside the bank")
    parser.add_argument("--figures", nargs=2, action="append", default=[], metavar=("NAME", "JSON"))
    parser.add_argument("-o", "--output", type=Path, required=True, help="the card to write")
    options = parser.parse_args()
    network, facts = load_trained(options.run)
    recipe = load_recipe(path=options.run / "config.yaml")
    # A run that goes on from a file has its fingerprint beside that of the bank.
    began = "+" in json.loads((options.run / "data.json").read_text())["fingerprint"]
    info = modelfile.info(options.model)
    config = network.config
    lines = [
        "# draft: a small causal drum separator",
        "",
        "Weights: MIT OR Apache-2.0, as the rest of neurdsp. Made by `scripts/runs/ship_drums.sh`.",
        "",
        f"A band-split network with {config.n_parameters:,} parameters and "
        f"{config.macs_per_second / 1e9:.2f} GMAC a second for each channel. "
        f"It lags by {config.latency_samples} samples "
        f"({1000 * config.latency_samples / config.sample_rate:.1f} ms). Its outputs are "
        f"{', '.join(config.outputs)}, and sum to the recording. The file has "
        f"{options.model.stat().st_size / 1e6:.2f} MB, its weights are {' and '.join(info.stored)}.",
        "",
        "## Figures",
        "",
        "By the exported file in the engine. SDR is the energy of a stem over that of the error; stems under "
        "-60 dB are left out; the mean over the clips.",
        "",
    ]
    for name, path in options.figures:
        figures = json.loads(Path(path).read_text())
        title = TITLES.get(name, name + " ({n} clips)").format(n=len(figures["clips"]))
        lines += [f"**{title}**", "", *table(figures, larsnet=name == "stemgmd"), ""]
    validation = ", ".join(
        f"{key.removesuffix('_sdr_db')} {value:.1f}"
        for key, value in facts["metrics"].items()
        if key.endswith("_sdr_db")
    )
    lines += [
        f"On the kits of validation, by which the weights were chosen: {validation} dB.",
        "",
        "## Data",
        "",
        f"{facts['steps']:,} steps in {facts['seconds'] / 3600:.1f} hours on one core of a busy machine."
        + (" They began with the weights of an earlier `draft`." if began else ""),
        DATA.format(channels=recipe.training.batch_size, seconds=recipe.data.seconds),
        "",
        "The recordings are not part of this file; each kit's licence allows derived works.",
        "",
        *kits_of(options.kits),
        "",
        "## Limits",
        "",
        LIMITS,
        "",
    ]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text("\n".join(lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
