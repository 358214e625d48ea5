"""Chooses the seeds of the kick plugin's presets: of 200 the one whose kick has its words most clearly.

    python scripts/runs/kick_presets.py [MODEL]

Writes `plugin/presets/kick.json` anew and prints by how much each preset's kick passes the nearest of its
thresholds, in standard deviations. A kick that swells late is passed over.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np
from neurdsp.kick import KickGenerator
from neurdsp.kick.attributes import QUANTITIES, measure_all
from neurdsp.kick.judge.figures import swell_db

PRESETS = Path(__file__).parents[2] / "plugin/presets/kick.json"
SEEDS = 200
NAMES = [quantity.name for quantity in QUANTITIES]


def margins(generator: KickGenerator, preset: dict) -> np.ndarray:
    """Return how clearly the kick of each seed has its words, ``(SEEDS,)``."""
    spread = {each["name"]: each["sd"] for each in generator._config["quantities"]}
    words = preset["keywords"], preset.get("negative", [])
    audio = np.concatenate([generator.generate(words[0], negative=words[1], seed=k) for k in range(SEEDS)])
    measured, least = measure_all(audio), np.full(SEEDS, np.inf)
    for wish, own in zip((1, -1), words, strict=True):
        for word in own:
            name, side, at = generator.threshold(word)
            margin = wish * side * (measured[:, NAMES.index(name)] - at) / spread[name]
            least = np.minimum(least, margin)
    return np.where([swell_db(kick) < 6 for kick in audio], least, -np.inf)


def main() -> None:
    """Choose and write."""
    generator = KickGenerator.load(*sys.argv[1:2])
    text = PRESETS.read_text()
    for preset in json.loads(text):
        found = margins(generator, preset)
        seed = int(np.argmax(found))
        line = re.compile(rf'("name": "{re.escape(preset["name"])}".*?"seed": )\d+')
        text = line.sub(rf"\g<1>{seed}", text)
        print(f"{preset['name']:<14} seed {seed:>3}, {found[seed]:.2f} deviations past its words")
    PRESETS.write_text(text)


if __name__ == "__main__":
    main()
