"""The performances of the Groove MIDI data set, with its official splits.

Source: J. Gillick, A. Roberts, J. Engel, D. Eck, D. Bamman, "Learning to groove with inverse sequence
transformations", ICML 2019 (the data set: CC BY 4.0).
"""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from neurdsp.errors import ConfigError, MidiFileError
from neurdsp.midi import MidiFile, read_midi
from neurdsp.music.archive import files_of
from neurdsp.music.dataset import SPLITS, Dataset
from neurdsp.music.tasks import Sources

__all__ = ["Take", "collect", "read_takes"]

_LEAST_HITS = 4


@dataclass(frozen=True)
class Take:
    """A recording of a drummer.

    Parameters
    ----------
    split
        ``train``, ``validation`` or ``test``.
    meter
        Beats of a bar, and the note of a beat.
    midi
        What was played.
    """

    split: str
    meter: tuple[int, int]
    midi: MidiFile


def read_takes(source: Path) -> Iterator[Take]:
    """Yield the takes of Groove MIDI, in the order of its table ``info.csv``.

    Parameters
    ----------
    source
        The folder, or the archive that holds it.

    Raises
    ------
    ConfigError
        If the table is missing, or names a file or a split that is not there.
    """
    files = {str(name): data for name, data in files_of(source, suffixes=(".mid", ".csv"))}
    tables = [name for name in files if PurePosixPath(name).name == "info.csv"]
    if not tables:
        raise ConfigError(f"{source}: no info.csv in it; give the Groove MIDI data set (version 1.0.0)")
    root = PurePosixPath(tables[0]).parent
    for row in csv.DictReader(io.StringIO(files[tables[0]].decode("utf-8", "replace"))):
        name, split = row.get("midi_filename") or "", row.get("split") or ""
        numbers = (row.get("time_signature") or "").split("-")
        data = files.get(str(root / name))
        if data is None or split not in SPLITS or len(numbers) != 2 or not all(map(str.isdecimal, numbers)):
            raise ConfigError(f"{source}: info.csv names '{name}' of the split '{split}', which is not there")
        try:
            midi = read_midi(data)
        except MidiFileError as error:
            raise ConfigError(f"{source}: {name} is damaged ({error}); fetch the data set again") from None
        yield Take(split, (int(numbers[0]), int(numbers[1])), midi)


def collect(sources: Sources, *, progress: Callable[[int, int], None] = lambda _done, _all: None) -> Dataset:
    """Return the notes of all takes, by split.

    Arrays of a split: ``notes``, ``(n_notes, 3)`` of tick, pitch and velocity; and ``takes``,
    ``(n_takes, 6)`` of the first note, the number of notes, ticks and microseconds of a quarter note, and the
    meter.

    Raises
    ------
    ConfigError
        If the data set cannot be read.
    """
    notes: dict[str, list[np.ndarray]] = {split: [] for split in SPLITS}
    takes: dict[str, list[tuple[int, ...]]] = {split: [] for split in SPLITS}
    lengths: dict[str, int] = dict.fromkeys(SPLITS, 0)
    for number, take in enumerate(read_takes(sources.need("groove"))):
        played = take.midi.notes()
        played = played[np.argsort(played["start_ticks"], kind="stable")]
        if len(played) < _LEAST_HITS:
            continue
        columns = [played[name].astype(np.int64) for name in ("start_ticks", "pitch", "velocity")]
        quarter_us = int(take.midi.tempo_map.microseconds_per_quarter[0])
        takes[take.split].append(
            (lengths[take.split], len(played), take.midi.ticks_per_quarter, quarter_us, *take.meter)
        )
        notes[take.split].append(np.stack(columns, axis=1))
        lengths[take.split] += len(played)
        progress(number + 1, 1150)
    arrays = {}
    for split in SPLITS:
        arrays[f"{split}.takes"] = np.array(takes[split], np.int64).reshape(-1, 6)
        arrays[f"{split}.notes"] = np.concatenate([np.zeros((0, 3), np.int64), *notes[split]])
    facts = {
        "source": "Groove MIDI (Google Magenta), CC BY 4.0, official splits",
        "takes": {split: len(takes[split]) for split in SPLITS},
        "notes": lengths,
    }
    return Dataset("groove", arrays, facts)
