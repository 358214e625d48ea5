"""From packaged drum kits, synthesis and Groove MIDI to a bank."""

import csv
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from neurdsp._output import atomic_output
from neurdsp.drumsep.data.bank import instruments_of, open_bank, write_bank
from neurdsp.drumsep.data.groove import read_groove
from neurdsp.drumsep.data.hydrogen import read_hydrogen
from neurdsp.drumsep.data.oneshots import read_folder
from neurdsp.drumsep.data.recordings import Kit
from neurdsp.drumsep.data.soundfont import read_soundfont
from neurdsp.drumsep.data.synthesis import STYLES, synthesise
from neurdsp.errors import ConfigError

__all__ = ["DEFAULT_SOURCES", "KNOWN", "SYNTHESISED", "Known", "Prepared", "find_kits", "prepare", "read_kit"]


@dataclass(frozen=True)
class Known:
    """What is known of a packaged kit: its author, its licence, and the split that it belongs to.

    Kits of one author who took the same recordings into several share the author, and so the split.
    """

    author: str
    licence: str
    split: str = "train"


KNOWN = {
    "Audiophob": Known("Audiophob", "CC0-1.0"),
    "BJA_Pacific": Known("Luc Tanguay, Bransin James Anderson", "CC-BY-SA-3.0-US", "validation"),
    "ColomboAcousticDrumkit": Known("Marcos Guglielmetti", "GPL-2.0-or-later", "validation"),
    "ElectricEmpireKit": Known("Artemiy Pavlov", "GPL-2.0-or-later"),
    "ForzeeStereo": Known("Vladimir Sadovnikov, Alexander Belokurov", "GPL-2.0"),
    "GMRockKit": Known("Glen MacArthur", "GPL-2.0-or-later"),
    "Gimme A Hand 1.0": Known("Glen MacArthur", "GPL-2.0"),
    "HardElectro1": Known("Artemiy Pavlov", "GPL-2.0-or-later"),
    "Millo-Drums_v.1": Known("Emiliano Grilli", "GPL-2.0"),
    "Millo_MultiLayered2": Known("Emiliano Grilli", "GPL-2.0"),
    "Millo_MultiLayered3": Known("Emiliano Grilli", "GPL-2.0"),
    "TR808EmulationKit": Known("Artemiy Pavlov", "GPL-2.0-or-later"),
    "The Black Pearl 1.0": Known("Glen MacArthur", "GPL-2.0"),
    "VariBreaks": Known("Artemiy Pavlov", "GPL-2.0-or-later"),
    "circAfrique v4": Known("Jim Harney", "CC-BY-SA-3.0"),
    "rumpf_kit_z01_h2": Known("Emanuel Rumpf", "CC-BY-3.0", "test"),
    "Black_Pearl_4_LV2": Known("Glen MacArthur", "CC-BY-SA-3.0"),
    "Red_Zeppelin_4_LV2": Known("Glen MacArthur", "CC-BY-SA-3.0"),
    "FluidR3_GM": Known("Frank Wen", "MIT"),
    "TimGM6mb": Known("Tim Brechbill", "GPL-2.0"),
    "sonic-pi": Known("Sonic Pi's contributors", "CC0-1.0"),
}
"""Kits of the Debian packages hydrogen-drumkits, hydrogen-data, avldrums.lv2-soundfont, fluid-soundfont-gm,
timgm6mb-soundfont and sonic-pi-samples, by the names of their folders or files; licences as the packages
state them."""

DEFAULT_SOURCES = (
    "/usr/share/hydrogen/data/drumkits",
    "/usr/share/sounds/sf2/Black_Pearl_4_LV2.sf2",
    "/usr/share/sounds/sf2/Red_Zeppelin_4_LV2.sf2",
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "/usr/share/sounds/sf2/TimGM6mb.sf2",
    "/usr/share/sonic-pi/samples",
)
"""Where the packages install kits."""

_PRESETS = {
    "FluidR3_GM": ("Standard", "Room", "Power", "Jazz", "Brush", "Electronic", "TR-808"),
    "TimGM6mb": ("Standard", "Room", "Power", "Brush", "Electronic", "TR 808"),
}
"""Presets of SoundFonts to take; others repeat them."""

SYNTHESISED = {
    "train": {"808": 8, "909": 8, "membrane": 14, "plate": 20},
    "validation": {"808": 1, "909": 1, "membrane": 1, "plate": 1},
    "test": {"808": 2, "909": 2, "membrane": 2, "plate": 2},
}
"""Kits to synthesise for each split, by style."""


@dataclass(frozen=True)
class Prepared:
    """What `prepare` wrote: the bank, and how much is in it."""

    bank: Path
    n_kits: int
    n_strokes: int
    n_performances: int
    minutes: float


def find_kits(source: Path) -> list[Path]:
    """Return the kits at a path: a SoundFont, a Hydrogen kit, a folder of such, or a folder of recordings.

    Raises
    ------
    ConfigError
        If there is nothing.
    """
    if source.suffix.lower() == ".sf2" and source.is_file():
        return [source]
    if not source.is_dir():
        raise ConfigError(
            f"{source}: no drum kit there; give a Hydrogen kit, an .sf2 file or a folder of recordings"
        )
    if (source / "drumkit.xml").is_file():
        return [source]
    inside = sorted(path.parent for path in source.glob("*/drumkit.xml"))
    inside += sorted(path for path in source.glob("*.sf2"))
    return inside or [source]


def read_kit(path: Path) -> list[Kit]:
    """Return the kits of one path of `find_kits`; of a SoundFont each preset is one."""
    name = "sonic-pi" if "sonic-pi" in path.parts else path.stem if path.is_file() else path.name
    known = KNOWN.get(name, Known(name, "unknown"))
    if path.is_file():
        presets = read_soundfont(path, presets=_PRESETS.get(name, ()))
        found = {name if len(presets) == 1 else f"{name} {preset}": kit for preset, kit in presets.items()}
    elif (path / "drumkit.xml").is_file():
        found = {name: read_hydrogen(path)}
    else:
        found = {name: read_folder(path)}
    return [
        Kit(title, known.author, known.licence, known.split, tuple(instruments))
        for title, instruments in found.items()
        if instruments
    ]


def prepare(
    output: str | os.PathLike[str],
    *,
    groove: str | os.PathLike[str],
    sources: Iterable[str | os.PathLike[str]] = DEFAULT_SOURCES,
    splits: Mapping[str, str] | None = None,
    synthesised: Mapping[str, Mapping[str, int]] | None = None,
    show: Callable[[str, int, int], None] = lambda _name, _done, _total: None,
) -> Prepared:
    """Write a bank, and beside it ``NAME.kits.csv``: kits, authors, licences, splits, numbers of recordings.

    Kits that are done lie in the folder ``NAME.parts`` until all are, so that a call that was stopped goes on
    where it was.

    Parameters
    ----------
    output
        The ``.safetensors`` file.
    groove
        The Groove MIDI data set, packed or not.
    sources
        Kits; see `find_kits`. Kits of one author get the same split.
    splits
        Splits of kits by name, which override what is known of them.
    synthesised
        How many kits of each style to synthesise, for each split.
    show
        Called with a name, how many are done, and how many there are.

    Returns
    -------
    Prepared

    Raises
    ------
    ConfigError
        If a source is missing or damaged, or kits of one author would be in two splits.
    OSError
        If a file cannot be written.
    """
    path = Path(output)
    jobs = _jobs([Path(source) for source in sources], SYNTHESISED if synthesised is None else synthesised)
    performances = read_groove(Path(groove))
    parts = path.with_suffix(".parts")
    parts.mkdir(parents=True, exist_ok=True)
    kits: list[Kit] = []
    for done, job in enumerate(jobs):
        show(job.name, done, len(jobs))
        part = parts / f"{job.key}.safetensors"
        if not part.is_file():
            write_bank(part, job.read(), [])
        # Always from the part, so that a run that was stopped gives the bytes of one that was not.
        for one in open_bank(part).kits:
            split = (splits or {}).get(one.name, one.split)
            kits.append(Kit(one.name, one.author, one.licence, split, tuple(instruments_of(one))))
    _check_splits(kits)
    write_bank(path, kits, performances)
    with atomic_output(path.with_suffix(".kits.csv")) as temporary, temporary.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["name", "author", "licence", "split", "strokes", "roles"])
        for kit in kits:
            row = (kit.name, kit.author, kit.licence, kit.split, kit.n_strokes, " ".join(kit.roles))
            table.writerow(row)
    shutil.rmtree(parts)
    minutes = sum(float(one.times_s[-1]) for one in performances) / 60
    return Prepared(path, len(kits), sum(kit.n_strokes for kit in kits), len(performances), minutes)


@dataclass(frozen=True)
class _Job:
    """A kit to read or to synthesise, and a name that changes when its source does."""

    name: str
    key: str
    read: Callable[[], list[Kit]]


def _jobs(sources: Sequence[Path], synthesised: Mapping[str, Mapping[str, int]]) -> list[_Job]:
    jobs = []
    for path in (path for source in sources for path in find_kits(source)):
        stamp = f"{path.resolve()} {path.stat().st_mtime_ns}"
        key = hashlib.blake2b(stamp.encode(), digest_size=8).hexdigest()
        jobs.append(_Job(path.name, f"kit-{key}", partial(read_kit, path)))
    seed = 0
    for split, counts in synthesised.items():
        for style in STYLES:
            for _ in range(counts.get(style, 0)):
                key = f"{style}-{seed}-{split}"
                jobs.append(_Job(f"{style}-{seed}", key, partial(_synthesised, style, seed, split)))
                seed += 1
    return jobs


def _synthesised(style: str, seed: int, split: str) -> list[Kit]:
    return [synthesise(style, seed, split=split)]


def _check_splits(kits: Sequence[Kit]) -> None:
    """Refuse kits of one author in two splits, and two kits of one name."""
    seen: dict[str, Kit] = {}
    names = set()
    for kit in kits:
        if kit.split not in ("train", "validation", "test"):
            raise ConfigError(
                f"the kit '{kit.name}' has the split '{kit.split}'; give train, validation or test"
            )
        other = seen.setdefault(kit.author, kit)
        if other.split != kit.split:
            raise ConfigError(
                f"'{other.name}' and '{kit.name}' are by one author, {kit.author}, but in the splits "
                f"{other.split} and {kit.split}; give both the same"
            )
        if kit.name in names:
            raise ConfigError(f"two kits have the name '{kit.name}'; leave one out")
        names.add(kit.name)
