"""Drum kits of the sequencer Hydrogen: a folder with ``drumkit.xml`` and the recordings that it names."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import soundfile

from neurdsp.drumsep.data.recordings import Instrument, Stroke, clean, sort_toms
from neurdsp.drumsep.data.roles import role_of_name
from neurdsp.errors import ConfigError

__all__ = ["read_hydrogen"]

_MAX_XML_BYTES = 16 << 20
_MAX_FRAMES = 60 * 192_000


def read_hydrogen(folder: Path) -> list[Instrument]:
    """Return the instruments of a kit whose names tell what they are.

    Raises
    ------
    ConfigError
        If ``drumkit.xml`` is missing, too large or no XML. Recordings that are missing or damaged are left
        out.
    """
    file = folder / "drumkit.xml"
    try:
        if file.stat().st_size > _MAX_XML_BYTES:
            raise ConfigError(f"{file}: larger than {_MAX_XML_BYTES} bytes, so it is not a drum kit")
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigError(f"{file}: cannot read the drum kit: {error.strerror}") from None
    if "<!ENTITY" in text:
        raise ConfigError(f"{file}: declares entities, which drum kits do not; give another kit")
    # Kits differ in their namespace, and some do not declare the one of a prefix that they use.
    text = re.sub(r'\s(xmlns(:\w+)?|xsi:\w+)="[^"]*"', "", text)
    try:
        tree = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ConfigError(f"{file}: not valid XML ({error}); give another kit") from None
    found = []
    for entry in tree.iter("instrument"):
        name = re.sub(r"^\S+ - ", "", entry.findtext("name") or "")
        role = role_of_name(name)
        if role is None:
            continue
        layers = list(entry.iter("layer")) or [entry]
        strokes = [_stroke(folder, layer, role) for layer in layers]
        instrument = Instrument.of(role, strokes)
        if instrument is not None:
            found.append(instrument)
    return sort_toms(found)


def _stroke(folder: Path, layer: ElementTree.Element, role: str) -> Stroke | None:
    name = layer.findtext("filename") or ""
    path = folder / Path(name).name
    if not name or "empty" in name or not path.is_file():
        return None
    try:
        with soundfile.SoundFile(path) as stream:
            audio = stream.read(_MAX_FRAMES, dtype="float32", always_2d=True).T
            rate = stream.samplerate
    except (soundfile.LibsndfileError, OSError):
        return None
    samples = clean(audio, rate, role)
    if samples is None:
        return None
    low, high, gain = (_number(layer, key, default) for key, default in _LAYER)
    return Stroke(low, high, samples * np.float32(gain))


_LAYER = (("min", 0.0), ("max", 1.0), ("gain", 1.0))


def _number(layer: ElementTree.Element, key: str, default: float) -> float:
    try:
        return min(max(float(layer.findtext(key) or default), 0.0), 8.0)
    except ValueError:
        return default
