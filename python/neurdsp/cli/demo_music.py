"""The last part of ``neurdsp demo``: a quantised beat, humanised and drawn beside the original."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurdsp.midi import NOTE, MidiFile, write_midi

__all__ = ["MUSIC_FILES", "MusicReport", "quantised_beat", "run_music"]

#: What is written beside the files of the amp and the drums.
MUSIC_FILES = ("beat.mid", "beat-humanised.mid", "beat.png", "beat.html")

_KICK, _SNARE, _HAT, _OPEN = 36, 38, 42, 46
_TICKS = 480
_STEP = _TICKS // 4
_BARS = 4


@dataclass(frozen=True, slots=True)
class MusicReport:
    """Figures of the beat.

    Attributes
    ----------
    n_hits, n_moved : int
        Hits of the beat, and those that start elsewhere now.
    shift_ms, latency_ms : float
        Mean distance that they moved, and the latency that live use needs.
    network : bool
        Whether the groove network ships with this build.
    """

    n_hits: int
    n_moved: int
    shift_ms: float
    latency_ms: float
    network: bool

    def rows(self) -> list[tuple[str, str]]:
        """Return names and values as text."""
        moved = f"{self.n_moved} of {self.n_hits} hits moved, by {self.shift_ms:.1f} ms in the mean"
        return [("humanised", moved if self.network else "no groove network ships with this build")]


def quantised_beat() -> MidiFile:
    """Return four bars of a programmed beat, all hits on their steps and at one velocity for each drum."""
    rows = []
    for bar in range(_BARS):
        for step in range(16):
            tick = (16 * bar + step) * _STEP
            if step % 2 == 0:
                last = bar == _BARS - 1 and step == 14
                rows.append((tick, _OPEN if last else _HAT, 80))
            if step in (0, 6, 10):
                rows.append((tick, _KICK, 100))
            if step in (4, 12):
                rows.append((tick, _SNARE, 100))
            if step in (7, 9, 15) and bar % 2:
                rows.append((tick, _SNARE, 100))
    notes = np.zeros(len(rows), NOTE)
    for place, (tick, pitch, velocity) in enumerate(rows):
        notes[place] = (tick, tick + _STEP // 2, pitch, velocity, 9, 0)
    midi = MidiFile.new(ticks_per_quarter=_TICKS, tempos=[(0, 96.0)], name="Beat")
    return midi.with_track(notes, name="Drums", length_ticks=_BARS * 16 * _STEP)


def run_music(folder: Path) -> MusicReport:
    """Humanise a beat, and write `MUSIC_FILES`.

    Parameters
    ----------
    folder
        Where; it exists.

    Raises
    ------
    NeurdspError, OSError
        If a file cannot be written.
    """
    from neurdsp.music.groove.humanise import Feel
    from neurdsp.music.infer import MusicPipeline
    from neurdsp.music.report import save_rolls, write_report

    pipeline = MusicPipeline.load()
    beat = quantised_beat()
    played = pipeline.humanise(beat, Feel(seed=1))
    report = MusicReport(
        played.n_hits, played.n_moved, played.shift_ms, played.latency_ms, "groove" in pipeline.paths
    )
    files = {"quantised": beat, "humanised": played.midi}
    for name, midi in zip(MUSIC_FILES, files.values(), strict=False):
        write_midi(folder / name, midi, overwrite=True)
    save_rolls(folder / "beat.png", files)
    write_report(folder / "beat.html", files, title="neurdsp demo: a beat", facts=dict(report.rows()))
    return report
