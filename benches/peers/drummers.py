"""The groove network in the validator of wobblemidi, beside wobblemidi.

`beside` takes a checkout of https://github.com/JakebGutierrez/wobblemidi and the folder of the Groove MIDI
data set. The validator programs the held-out takes of a style on the grid, with four velocities for each
drum, and compares what a humaniser makes of that with what the drummer played. wobblemidi plays with a
profile of the rock takes that the data set has for training, the "gate" of its validator; the network that
ships learnt from takes for training, too. Needs ``mido``, ``click``, ``pandas`` and ``scipy``.
"""

import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from neurdsp.midi import read_midi
from neurdsp.music import Feel, MusicPipeline

#: Figures of the validator over all drums; a star marks distances, the smaller the better.
FIGURES = {
    "off_w1": "* timing, W1, ms",
    "off_sigma": "timing, spread, ms",
    "t_lag1": "timing, lag 1",
    "xgap_sigma": "gap in a step, ms",
    "vjump_w1": "* velocity jumps, W1",
    "contour_mae": "* velocity contour",
    "wrole_sigma": "velocity in a role",
    "zjump_mass": "equal velocities",
}


class _Ours:
    """Stands where the validator expects a profile, and plays by neurdsp."""

    def __init__(self, models: str, pitches: Any) -> None:
        self.pipeline = MusicPipeline.load(models)
        self.pitches = list(pitches)
        self.hits: tuple[np.ndarray, np.ndarray] | None = None

    def play(self, path: Path, seed: int) -> None:
        """Keep the hits in the order of the programmed file: within a drum, the order of time."""
        midi = read_midi(path)
        before, after = midi.notes(), self.pipeline.humanise(midi, Feel(seed=seed)).midi.notes()
        before, after = (notes[np.isin(notes["pitch"], self.pitches)] for notes in (before, after))
        # The validator's own order is by tick and pitch.
        before = before[np.lexsort((before["pitch"], before["start_ticks"]))]
        ticks, velocities = np.zeros(len(before), int), np.zeros(len(before), int)
        for pitch in np.unique(before["pitch"]):
            found = after[after["pitch"] == pitch]
            found = found[np.argsort(found["start_ticks"], kind="stable")]
            ticks[before["pitch"] == pitch] = found["start_ticks"]
            velocities[before["pitch"] == pitch] = found["velocity"]
        self.hits = (ticks, velocities)


def beside(
    checkout: Path, groove: Path, *, models: str, styles: list[str], seeds: list[int]
) -> dict[str, Any]:
    """Return the figures of drummers, programmed takes, wobblemidi and neurdsp, by style."""
    for folder in (checkout / "scripts", checkout):
        sys.path.insert(0, str(folder))
    validate, pandas = importlib.import_module("validate"), importlib.import_module("pandas")
    ours = _Ours(models, validate.TD11_TO_GROUP)
    theirs, read_theirs = validate.humanise, validate.read_output_hits

    def humanise(source: Path, target: Path, profile: Any, *, seed: int, **options: Any) -> None:
        if profile is ours:
            ours.play(source, seed)
        else:
            theirs(source, target, profile, seed=seed, **options)

    def read_hits(path: Path, take: Any) -> Any:
        hits, ours.hits = ours.hits, None
        return read_theirs(path, take) if hits is None else hits

    validate.humanise, validate.read_output_hits = humanise, read_hits
    takes = pandas.read_csv(groove / "info.csv")
    rock = takes[takes["style"].str.startswith("rock") & (takes["split"] == "train")]
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile.json"
        hits, _ = validate.collect_hits(groove, rock)
        profile.write_text(validate.json.dumps(validate.build_profile_output(hits)[0]), encoding="utf-8")
        players = {"wobblemidi": validate.load_profile(profile), "neurdsp": ours}
        for style in styles:
            chosen = takes[takes["style"].str.startswith(style) & (takes["split"] == "test")]
            loaded = [validate.load_take(groove, row) for row in chosen.itertuples()]
            held_out = [take for take in loaded if take is not None]
            if not held_out:
                continue
            results, _ = validate.evaluate_level(held_out, 4, players, seeds, Path(folder))
            rows = {"drummers": results["human"]["ALL"], "programmed": results["input"]["ALL"]}
            for name, runs in results["profiles"].items():
                rows[name] = {key: mean for key, (mean, _) in validate.aggregate_seeds(runs)["ALL"].items()}
            found[style] = {"takes": len(held_out), "rows": rows}
    return found


def show(found: dict[str, Any]) -> None:
    """Print a table for each style."""
    for style, result in found.items():
        print(f"\nwobblemidi's validator, {style}, {result['takes']} held-out takes")
        print(f"{'':<22}" + "".join(f"{name:>12}" for name in result["rows"]))
        for key, title in FIGURES.items():
            print(f"{title:<22}" + "".join(f"{row[key]:12.2f}" for row in result["rows"].values()))
