"""Gather kicks from Debian's packages: what may be learnt from and shipped, and what only judges.

    apt install sonic-pi-samples fluid-soundfont-gm hydrogen-drumkits hydrogen-data
    python scripts/runs/kick_sources.py OUT

``OUT/free`` holds kicks under CC0 and MIT (sonic-pi-samples, FluidR3), which may be
learnt from; ``OUT/held`` those of Hydrogen, under GPL, CC BY and others, which no generator that ships has
"""

import re
import struct
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import soundfile

SONIC_PI = Path("/usr/share/sonic-pi/samples")
FLUID = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
HYDROGEN = Path("/usr/share/hydrogen/data/drumkits")
KICK = re.compile(r"kick|bass ?dr|^bd|bd[ _]|\bbd|bass\b", re.IGNORECASE)
RECORD = struct.Struct("<20sIIIIIBbHH")


def sonic_pi(folder: Path) -> int:
    """Copy the kicks of Sonic Pi; return how many."""
    files = [
        path for path in sorted(SONIC_PI.glob("*.flac")) if path.stem.startswith("bd_") or "kick" in path.stem
    ]
    for path in files:
        samples, rate = soundfile.read(path)
        soundfile.write(folder / f"sonicpi_{path.stem}.wav", samples, rate, subtype="FLOAT")
    return len(files)


def fluid(folder: Path) -> int:
    """Copy the samples of FluidR3 that are named kick or bass drum, left and right mixed; return how many."""
    data = np.memmap(FLUID, np.uint8, mode="r")
    chunks: dict[bytes, tuple[int, int]] = {}

    def walk(start: int, stop: int) -> None:
        while start + 8 <= stop:
            name, size = (
                bytes(data[start : start + 4]),
                struct.unpack("<I", bytes(data[start + 4 : start + 8]))[0],
            )
            if name in (b"RIFF", b"LIST"):
                walk(start + 12, start + 8 + size)
            else:
                chunks[name] = (start + 8, size)
            start += 8 + size + (size & 1)

    walk(0, len(data))
    heads, size = chunks[b"shdr"]
    pcm = chunks[b"smpl"][0]
    found: dict[str, list[tuple[np.ndarray, int]]] = {}
    for k in range(size // RECORD.size):
        entry = RECORD.unpack(bytes(data[heads + k * RECORD.size : heads + (k + 1) * RECORD.size]))
        name = entry[0].split(b"\0")[0].decode("latin1")
        if (KICK.search(name) and "Kick" in name) or "Bass Dr" in name:
            samples = np.frombuffer(bytes(data[pcm + 2 * entry[1] : pcm + 2 * entry[2]]), np.int16) / 32768.0
            found.setdefault(re.sub(r"\(.*", "", name).strip(), []).append((samples, entry[5]))
    for name, parts in found.items():
        n = min(len(samples) for samples, _ in parts)
        mixed = np.mean([samples[:n] for samples, _ in parts], axis=0)
        soundfile.write(folder / f"fluid_{name.replace(' ', '_')}.wav", mixed, parts[0][1], subtype="FLOAT")
    return len(found)


def hydrogen(folder: Path) -> int:
    """Copy the kicks of Hydrogen's kits, a folder for each; return how many."""
    count = 0
    for kit in sorted(HYDROGEN.iterdir()):
        if not (kit / "drumkit.xml").exists():
            continue
        text = (kit / "drumkit.xml").read_text(encoding="utf-8", errors="replace")
        tree = ElementTree.fromstring(re.sub(r'\s(xmlns(:\w+)?|xsi:\w+)="[^"]*"', "", text))
        names = {
            entry.text
            for instrument in tree.iter("instrument")
            if KICK.search(instrument.findtext("name") or "")
            for entry in instrument.iter("filename")
            if entry.text
        }
        for name in sorted(names):
            source = kit / Path(name).name
            if source.exists():
                samples, rate = soundfile.read(source)
                if np.abs(samples).max() > 1e-3:
                    (folder / kit.name).mkdir(exist_ok=True)
                    soundfile.write(folder / kit.name / f"{source.stem}.wav", samples, rate, subtype="FLOAT")
                    count += 1
    return count


def main() -> None:
    """Write both folders."""
    out = Path(sys.argv[1])
    for name in ("free", "held"):
        (out / name).mkdir(parents=True, exist_ok=True)
    print(f"free: {sonic_pi(out / 'free')} of Sonic Pi, {fluid(out / 'free')} of FluidR3")
    print(f"held: {hydrogen(out / 'held')} of Hydrogen's kits")


if __name__ == "__main__":
    main()
