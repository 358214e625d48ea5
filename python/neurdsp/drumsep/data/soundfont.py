"""Drum kits in SoundFonts (SF2): the presets of bank 128, a key for each piece.

Of the format only what drums need is read: key and velocity ranges, tuning, attenuation, and stereo pairs.

Source: "SoundFont technical specification", version 2.04, E-mu Systems 2006.
"""

import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurdsp.audio import resample
from neurdsp.drumsep.data.recordings import Instrument, Stroke, clean
from neurdsp.drumsep.data.roles import NOTES, role_of_name
from neurdsp.errors import ConfigError

__all__ = ["read_soundfont"]

_MAX_BYTES = 1 << 30
_DRUM_BANK = 128
_FORMATS = {
    "phdr": "<20sHHHIII",
    "pbag": "<HH",
    "pgen": "<HH",
    "inst": "<20sH",
    "ibag": "<HH",
    "igen": "<HH",
    "shdr": "<20sIIIIIBbHH",
}
_KEYS, _VELOCITIES, _INSTRUMENT, _COARSE, _FINE, _SAMPLE, _SCALE, _ROOT, _ATTENUATION = (
    *(43, 44, 41, 51, 52, 53, 56, 58),
    48,
)
_LEFT, _RIGHT = 4, 2


@dataclass(frozen=True)
class _Zone:
    """A recording with the keys and velocities that play it."""

    keys: tuple[int, int]
    velocities: tuple[int, int]
    sample: int
    generators: dict[int, int]


def read_soundfont(path: Path, *, presets: Collection[str] = ()) -> dict[str, list[Instrument]]:
    """Return the drum kits of a SoundFont by the names of their presets.

    A key is the piece that General MIDI has there; where it has none, the name of the recording decides.

    Parameters
    ----------
    path
        The ``.sf2`` file.
    presets
        Names of the presets to read; all by default.

    Raises
    ------
    ConfigError
        If the file is no SoundFont, or damaged.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path}: larger than {_MAX_BYTES} bytes; give a smaller SoundFont")
        data = np.memmap(path, np.uint8, mode="r")
        font = _Font(data)
        kits = {
            name: font.instruments(zones) for name, zones in font.kits() if not presets or name in presets
        }
        return {name: instruments for name, instruments in kits.items() if instruments}
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the SoundFont: {error.strerror}") from None
    except (struct.error, KeyError, IndexError, ValueError, UnicodeDecodeError):
        raise ConfigError(f"{path}: not a SoundFont, or a damaged one; give another file") from None


class _Font:
    def __init__(self, data: NDArray[np.uint8]) -> None:
        chunks: dict[str, tuple[int, int]] = {}
        pending = [(0, len(data))]
        while pending:
            at, end = pending.pop()
            while at + 8 <= end:
                name = bytes(data[at : at + 4]).decode("latin1")
                size = int(struct.unpack("<I", bytes(data[at + 4 : at + 8]))[0])
                if name in ("RIFF", "LIST"):
                    pending.append((at + 12, min(at + 8 + size, len(data))))
                else:
                    chunks[name] = (at + 8, size)
                at += 8 + size + (size & 1)
        begin, size = chunks["smpl"]
        self._samples = data[begin : begin + size // 2 * 2].view("<i2")
        self._tables: dict[str, list[tuple[Any, ...]]] = {}
        for name, layout in _FORMATS.items():
            begin, size = chunks[name]
            raw = bytes(data[begin : begin + size])
            self._tables[name] = list(struct.iter_unpack(layout, raw))

    def _zones(self, kind: str, bags: range) -> Iterator[dict[int, int]]:
        """Yield the generators of zones, with those of the global zone below them."""
        shared: dict[int, int] = {}
        last = _INSTRUMENT if kind == "p" else _SAMPLE
        for index in bags:
            begin = self._tables[f"{kind}bag"][index][0]
            end = self._tables[f"{kind}bag"][index + 1][0]
            own = dict(self._tables[f"{kind}gen"][begin:end])
            if last in own:
                yield {**shared, **own}
            elif index == bags.start:
                shared = own

    def kits(self) -> Iterator[tuple[str, list[_Zone]]]:
        presets = self._tables["phdr"]
        for preset, following in pairwise(presets):
            if preset[2] != _DRUM_BANK and len(presets) > 3:
                continue
            zones = []
            for outer in self._zones("p", range(preset[3], following[3])):
                instrument = self._tables["inst"][outer[_INSTRUMENT]]
                after = self._tables["inst"][outer[_INSTRUMENT] + 1]
                for inner in self._zones("i", range(instrument[1], after[1])):
                    keys = _meet(outer.get(_KEYS, 0x7F00), inner.get(_KEYS, 0x7F00))
                    velocities = _meet(outer.get(_VELOCITIES, 0x7F00), inner.get(_VELOCITIES, 0x7F00))
                    if keys[0] <= keys[1] and velocities[0] <= velocities[1]:
                        zones.append(_Zone(keys, velocities, inner[_SAMPLE], inner))
            yield _text(preset[0]), zones

    def instruments(self, zones: list[_Zone]) -> list[Instrument]:
        found: dict[int, list[Stroke | None]] = {}
        roles: dict[int, str] = {}
        for key in range(128):
            done = set()
            for zone in zones:
                if not zone.keys[0] <= key <= zone.keys[1]:
                    continue
                header = self._tables["shdr"][zone.sample]
                role = NOTES.get(key) or role_of_name(_text(header[0]))
                # A pair of stereo channels comes as two zones.
                pair = frozenset((zone.sample, header[8] if header[9] in (_LEFT, _RIGHT) else zone.sample))
                if role is None or (pair, zone.velocities) in done:
                    continue
                done.add((pair, zone.velocities))
                roles[key] = role
                low, high = (velocity / 127 for velocity in zone.velocities)
                samples = self._stroke(zone, key, role)
                found.setdefault(key, []).append(None if samples is None else Stroke(low, high, samples))
        made = (Instrument.of(roles[key], strokes) for key, strokes in found.items())
        return [instrument for instrument in made if instrument is not None]

    def _stroke(self, zone: _Zone, key: int, role: str) -> NDArray[np.float32] | None:
        header = self._tables["shdr"][zone.sample]
        channels = [self._mono(zone.sample)]
        if header[9] in (_LEFT, _RIGHT) and header[8] != zone.sample:
            other = self._mono(header[8])
            channels = [channels[0], other] if header[9] == _LEFT else [other, channels[0]]
        n_samples = min(len(channel) for channel in channels)
        audio = np.stack([channel[:n_samples] for channel in channels])
        root = zone.generators.get(_ROOT, header[6])
        root = header[6] if root > 127 else root
        cents = (key - root) * _signed(zone.generators.get(_SCALE, 100)) + header[7]
        cents += 100 * _signed(zone.generators.get(_COARSE, 0)) + _signed(zone.generators.get(_FINE, 0))
        rate = int(header[5])
        if abs(cents) > 5:
            played = round(rate * 2 ** (min(max(cents, -3600), 3600) / 1200))
            audio = np.atleast_2d(resample(audio, played, rate)).astype(np.float32)
        gain = 10 ** (-0.4 * zone.generators.get(_ATTENUATION, 0) / 200)
        cleaned = clean(audio, rate, role)
        return None if cleaned is None else np.asarray(cleaned * gain, np.float32)

    def _mono(self, index: int) -> NDArray[np.float32]:
        _, begin, end, *_ = self._tables["shdr"][index]
        return np.asarray(self._samples[begin:end] / 32768, np.float32)


def _text(name: bytes) -> str:
    return name.split(b"\0")[0].decode("latin1").strip()


def _signed(value: int) -> int:
    return value - 0x10000 if value > 0x7FFF else value


def _meet(a: int, b: int) -> tuple[int, int]:
    """Return the common part of two ranges, each with its end in the high byte."""
    return max(a & 255, b & 255), min(a >> 8, b >> 8)
