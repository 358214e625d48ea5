r"""Prints the table of docs/music-speed.md from what ``scripts/runs/shrink_music.sh`` left in a folder.

python scripts/runs/shrink_music_table.py runs/small
"""

import json
import sys
from pathlib import Path

FIGURES = {
    "emotion": ("valence_r2", "arousal_r2"),
    "melody": ("bits", "memory_bits"),
    "harmony": ("top3", "free_coverage"),
    "dynamics": ("velocity",),
    "groove": ("timing_ms", "velocity"),
}
#: Column, file, and the step in it.
COLUMNS = (
    ("as it ships", "half", 0),
    ("int8, rounded", "int8", 1),
    ("int8, trained", "int8", 2),
    ("half, raw", "half", 1),
    ("half, trained", "half", 2),
    ("half in int8", "half-int8", 2),
    ("student of half", "student", 1),
)


def main(folder: Path) -> int:
    """Print the figures and the sizes, a row each."""
    print("| | " + " | ".join(title for title, _, _ in COLUMNS) + " |")
    print("|---" * (len(COLUMNS) + 1) + "|")
    totals = [0.0] * len(COLUMNS)
    for network, figures in FIGURES.items():
        steps = []
        for _, name, place in COLUMNS:
            path = folder / f"{network}-{name}.json"
            steps.append(json.loads(path.read_text())["steps"][place] if path.is_file() else None)
        for figure in figures:
            cells = [f"{step['metrics'][figure]:.3f}" if step else "–" for step in steps]
            print(f"| {network}, {figure.replace('_', ' ')} | " + " | ".join(cells) + " |")
        sizes = [step["weight_bytes"] / 1e3 if step else 0.0 for step in steps]
        totals = [total + size for total, size in zip(totals, sizes, strict=True)]
        print(f"| {network}, kB | " + " | ".join(f"{size:.1f}" for size in sizes) + " |")
    print("| all, kB | " + " | ".join(f"{total:.1f}" for total in totals) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
