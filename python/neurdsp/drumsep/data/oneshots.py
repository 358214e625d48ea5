"""Folders of recordings of single strokes, whose names tell what they are."""

import re
from pathlib import Path

import soundfile

from neurdsp.drumsep.data.recordings import Instrument, Stroke, clean, sort_toms
from neurdsp.drumsep.data.roles import PERCUSSION, role_of_name
from neurdsp.errors import ConfigError

__all__ = ["SUFFIXES", "read_folder"]

SUFFIXES = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3")
"""Endings of the files that are read."""

_MAX_FILES = 20_000
_MAX_FRAMES = 30 * 192_000
# Names of Sonic Pi's samples, which no longer word names.
_SHORT = (
    ("hihat_pedal", r"cymbal_pedal"),
    ("hihat_open", r"cymbal_open"),
    ("hihat_closed", r"cymbal_closed"),
    ("kick", r"^bd_|heavy_kick|drum_bass"),
    ("snare", r"^sn_"),
    (PERCUSSION, r"^perc_|^tabla_|elec_(blip|bong|chime|ping|pop|tick|triangle|twip|wood|bell|plip)"),
)
_LOOPS = r"loop|bass_|ambi|guit|glitch|vinyl|misc|mehackit_(phone|robot)|drum_roll"


def read_folder(folder: Path) -> list[Instrument]:
    """Return an instrument for each recording of a folder and those below it whose name tells its piece.

    Raises
    ------
    ConfigError
        If the folder is missing, or holds too many files. Files that are no recordings are left out.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder of recordings; give another path")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if len(files) > _MAX_FILES:
        raise ConfigError(
            f"{folder}: {len(files)} files, but at most {_MAX_FILES} are read; give a part of it"
        )
    found = []
    for path in files:
        role = _role(path.stem)
        if role is None:
            continue
        try:
            with soundfile.SoundFile(path) as stream:
                audio = stream.read(_MAX_FRAMES, dtype="float32", always_2d=True).T
                samples = clean(audio, stream.samplerate, role)
        except (soundfile.LibsndfileError, OSError):
            continue
        instrument = None if samples is None else Instrument.of(role, [Stroke(0.0, 1.0, samples)])
        if instrument is not None:
            found.append(instrument)
    return sort_toms(found)


def _role(stem: str) -> str | None:
    lower = stem.lower()
    if re.search(_LOOPS, lower):
        return None
    for role, pattern in _SHORT:
        if re.search(pattern, lower):
            return role
    return role_of_name(lower.replace("_", " "))
