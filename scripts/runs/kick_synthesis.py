"""Write synthesised kicks as WAV, named by the words that they measure, for the preset `seed` to learn from.

    .venv/bin/python scripts/runs/kick_synthesis.py OUT [N]

N kicks, 2,000 by default, in kits of 50. The words hold by the thresholds of `neurdsp.kick.attributes` over
all of them; a kick with no word keeps its style as its name.
"""

import sys
from pathlib import Path

import numpy as np
import soundfile
from neurdsp.kick.attributes import WORDS, labels, thresholds
from neurdsp.kick.hybrid.data import levelled
from neurdsp.kick.kick import Kick, render_kicks
from neurdsp.kick.synth import synthesise

KIT = 50
LABEL_STRICTNESS = 0.6


def main(out: Path, n: int) -> None:
    """Write the kicks."""
    code, styles = synthesise(n, seed=17)
    code, measured = levelled(code, seed=17)
    words = labels(measured, thresholds(measured, strictness=LABEL_STRICTNESS))
    for first in range(0, n, KIT):
        kit = out / f"own-{first // KIT:03d}"
        kit.mkdir(parents=True, exist_ok=True)
        kicks = [Kick(code.take(i), i) for i in range(first, min(n, first + KIT))]
        for i, audio in enumerate(render_kicks(kicks, level=False), start=first):
            said = [word.name for word, holds in zip(WORDS, words[i], strict=True) if holds]
            name = "_".join([*(said or [styles[i]]), "kick"])
            soundfile.write(kit / f"{name}_{i}.wav", np.asarray(audio), 44_100, subtype="PCM_24")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2000)
