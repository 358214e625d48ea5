r"""Writes the card of a shipped music network: what it is for, data, licences, figures, limits.

    python scripts/runs/describe_music.py groove.json data/groove.safetensors -o groove.md

``scripts/runs/ship_music.sh`` calls it. Figures are those that ``neurdsp music evaluate --json`` printed.
"""

import argparse
import json
import sys
from pathlib import Path

from neurdsp.music.dataset import open_dataset

ABOUT = {
    "groove": """\
It corrects what a reference says of the timing and velocity of drum hits, once for each voice of a bar;
without a reference it says what is usual. `neurdsp music humanise` uses it.""",
    "dynamics": """\
It says how loud each of 16 steps of a part is, from its mood and its notes. `neurdsp music dynamics`
uses it.""",
    "emotion": """\
It hears cue-model valence and arousal in mel frames, 21.5 a second: outputs 0 and 1. Outputs 2 to 7 are
the cues: mode, tempo, register, dynamics, articulation and timbre. Outputs 8 to 19 are the pitch classes
that sound, 20 to 31 the tonic; the others are near 0.
`neurdsp music emotion` uses it.""",
    "harmony": """\
It says how likely each of 64 chords is in a half bar, from the melody around it, the key and the chords
before. `neurdsp music harmonise` uses it.""",
    "melody": """\
It says how likely each pitch, a rest or a held note is in the next sixteenth, from the 64 before, the
place in the bar, the meter, the key and, where it is told, the chord. `neurdsp music continue` uses it.""",
}
FIGURES = {
    "groove": """\
Mean absolute errors for each hit. Timing is measured from where a quantised file has the hit: on the
straight or the triplet grid of its beat, strokes of a roll halfway between. With a reference: up to
eight earlier bars of the take, and only bars that have some. `alone` is without a reference, `accented`
with the accents of the file told. `sixteenths` is a file quantised without its rolls, as the pilots'
figures had it.""",
    "dynamics": """\
Mean absolute errors of velocity for each note: `velocity` with the mood told (arousal is how loud the
bar is beside the piece), `neutral velocity` without. `part mean` is the mean of the part in the piece,
which the network is told, too, and louder by the arousal where that is told.""",
    "emotion": """\
Mean absolute errors at the end of a clip of 4 s, on a scale from -1 to 1; `r2` is the part of the
variance that is explained; `mode accuracy` tells major from minor. `mean` is the mean of training, and
the linear ones are ridge regressions on mean, and on mean, spread and change of the mel frames. No tune,
preset or patch of the test clips was in training.""",
    "harmony": """\
`top1` and `top3`: parts of the half bars whose true chord is the first, or among the first three, with
the true chords before; `melody top3` without any. `free`: plans of `neurdsp music harmonise` for whole
songs with no chord given: the part of the melody's time on tones of the chord and of the half bars that
change it, beside those of the song's arrangers.""",
    "melody": """\
Bits for each sixteenth: alone, with the memory of the piece, and with the chords told (`chord bits`, on
60 pieces). The n-gram has order 5 and was counted on melodies in one key.""",
}
LIMITS = {
    "groove": """\
- Ten drummers on one electronic kit: rock and funk more than jazz or Latin.
- It was trained on the earlier bars of a take as the reference. A reference of another style is
  followed, too, but was not judged.
- It foretells little of the timing beyond the reference. `humanise` adds chance of the size that was
  measured.""",
    "dynamics": """\
- Arousal was told by loudness alone, and valence by the mode: it is no network of feelings.
- POP909 is piano, so other instruments are shaped as a piano would be.""",
    "emotion": """\
- The labels are those of an additive model of cues after T. Eerola, A. Friberg and R. Bresin, Frontiers
  in Psychology 4:487, 2013, whose weights are round numbers of ours. No listener was asked, and nothing
  here says what a listener feels.
- Rendered melodies with plain chords, one instrument at a time: no drums, voices or mixes.
- The level is a cue: a recording at a low level is heard as calmer.""",
    "harmony": """\
- Chinese pop songs, in 4/4 but for a few: two chords a bar, and many sevenths are written as triads.
- Chords without a root (augmented, diminished, suspended) are rare in it, and seldom suggested.""",
    "melody": """\
- Fiddle tunes and pop songs on a grid of sixteenths: triplets are rounded, and there is one voice.
- It hears four bars of 4/4. What was earlier only the memory of the piece knows.""",
}


def rows_of(kind: str, counts: dict[str, int]) -> list[str]:
    """Return the rows of a table of counts, whose keys are a split, or a split and a source."""
    sources = {key.partition(" ")[2]: None for key in counts}
    rows = []
    for source in sources:
        keys = [f"{split} {source}".strip() for split in ("train", "validation", "test")]
        title = f"{kind}, {source}" if source else kind
        rows.append(f"| {title} | " + " | ".join(f"{counts.get(key, 0):,}" for key in keys) + " |")
    return rows


def main() -> int:
    """Write the card."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("figures", type=Path, help="what neurdsp music evaluate --json printed")
    parser.add_argument("data", type=Path, help="the prepared data")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the card to write")
    options = parser.parse_args()
    found = json.loads(options.figures.read_text())
    name = found["network"]
    facts = open_dataset(options.data, task=name).facts
    columns = {"this network": found["metrics"], **found["baselines"]}
    lines = [
        f"# {name}",
        "",
        "Weights: MIT OR Apache-2.0, as the rest of neurdsp. Made by `scripts/runs/ship_music.sh`.",
        "",
        f"{found['parameters']:,} parameters, {found['size_bytes'] / 1e3:.1f} kB, {found['precision']}.",
        ABOUT[name],
        "",
        "## Figures",
        "",
        f"By this file in the engine, on the split `{found['split']}`. {FIGURES[name]}",
        "",
        "| | " + " | ".join(title.replace("_", " ") for title in columns) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for figure in found["metrics"]:
        if figure != "score":
            cells = [f"{column[figure]:.2f}" if figure in column else "–" for column in columns.values()]
            lines.append(f"| {figure.replace('_', ' ')} | " + " | ".join(cells) + " |")
    lines += ["", "## Data", "", f"{facts['source']}."]
    lines += ["", "| | train | validation | test |", "|---|---|---|---|"]
    for kind, counts in facts.items():
        if isinstance(counts, dict):
            lines += rows_of(kind, counts)
    lines += ["", "## Limits", "", LIMITS[name], ""]
    options.output.write_text("\n".join(lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
