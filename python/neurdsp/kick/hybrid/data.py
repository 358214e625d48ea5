"""What the generator learns from: synthesised codes, codes fitted to recordings, and recombinations of both.

Each part is written in pieces of 250 kicks, so that preparing can stop and go on, in several processes.
"""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurdsp._output import atomic_output
from neurdsp.audio import read_audio
from neurdsp.errors import AudioFileError, ConfigError, ParameterError
from neurdsp.kick import code as layout
from neurdsp.kick.attributes import QUANTITIES, measure_all
from neurdsp.kick.code import KickCode
from neurdsp.kick.counted import kick_key
from neurdsp.kick.fit import fit
from neurdsp.kick.kick import Kick, render_kicks
from neurdsp.kick.synth import synthesise

__all__ = ["Kicks", "fit_folder", "levelled", "load_kicks", "prepare", "recombine", "recordings_in"]

PIECE = 250
"""Kicks in a piece."""
_PEAK = 10 ** (-1 / 20)
_SUFFIXES = (".wav", ".flac", ".aif", ".aiff", ".ogg")


@dataclass(frozen=True)
class Kicks:
    """Codes that are levelled, and what their renders measure.

    Parameters
    ----------
    code
        ``n`` codes.
    measured
        ``(n, quantities)``.
    source
        ``(n,)``: ``synthesis``, ``recombined`` or ``recording``.
    """

    code: KickCode
    measured: NDArray[np.float64]
    source: NDArray[np.str_]


def levelled(code: KickCode, seed: int) -> tuple[KickCode, NDArray[np.float64]]:
    """Bring the render of each code to a peak of -1 dBFS, and measure it."""
    kicks = [Kick(code.take(i), kick_key(seed, i)) for i in range(len(code.phase))]
    audio = render_kicks(kicks, level=False)
    gains = _PEAK / np.maximum(np.abs(audio).max(axis=1), 1e-6)
    return code.louder(gains), measure_all(audio * gains[:, None])


def recombine(real: KickCode, other: KickCode, n: int, seed: int) -> KickCode:
    """Make kicks of the partials of one kick and the noise or transient of another, and move them a little.

    Parameters
    ----------
    real
        Codes of recordings.
    other
        Further codes, whose partials may take the place of those of the recordings.
    n
        How many to make.
    seed
        Of all that is drawn.

    Returns
    -------
    KickCode
        ``n`` codes, not yet levelled.
    """
    draw = np.random.default_rng(seed)
    n_real, n_other = len(real.phase), len(other.phase)
    body, noise = draw.integers(0, n_real, n), draw.integers(0, n_real, n)
    click = np.where(draw.random(n) < 0.5, noise, draw.integers(0, n_real, n))
    keep = draw.random(n)
    noise, click = np.where(keep < 0.25, body, noise), np.where(keep < 0.25, body, click)
    parts = {name: getattr(real, name)[body].copy() for name in ("log_f", "log_a", "phase", "drive", "bias")}
    parts |= {"noise": real.noise[noise].copy(), "low": real.low[noise].copy()}
    parts |= {"transient": real.transient[click].copy(), "fine": real.fine[click].copy()}
    swapped = keep > 0.7
    which = draw.integers(0, n_other, n)
    for name in ("log_f", "log_a", "phase", "drive", "bias"):
        parts[name][swapped] = getattr(other, name)[which][swapped]

    parts["log_f"] += draw.normal(0, 0.12, (n, 1, 1)).astype(np.float32)
    stretch = np.clip(np.exp(draw.normal(0, 0.2, (n, 1, 1))) - 1, -0.4, 0.6) * (draw.random((n, 1, 1)) < 0.6)
    top = parts["log_a"].max(axis=-1, keepdims=True)
    heard = parts["log_a"] > layout.SILENT_PARTIAL + 0.3
    parts["log_a"] = np.where(heard, parts["log_a"] + (parts["log_a"] - top) * stretch, parts["log_a"])
    parts["log_a"][:, 1:] += draw.normal(0, 0.3, (n, 2, 1))
    level, tilt = draw.normal(0, 0.45, (n, 1, 1)), draw.normal(0, 0.25, (n, 1, 1))
    own = draw.normal(0, 0.2, (n, 1, 1))
    for name, start in (("noise", -1.0), ("low", -1.5), ("fine", -0.3)):
        slope = level + tilt * np.linspace(start, 1 if name != "low" else -1, parts[name].shape[-1])
        slope = slope + (own if name == "fine" else 0)
        heard = parts[name] > layout.SILENT_NOISE + 0.2
        parts[name] = np.where(heard, parts[name] + slope, parts[name])
    parts["transient"] *= np.exp(draw.normal(0, 0.4, (n, 1))) * np.where(draw.random((n, 1)) < 0.1, -1, 1)
    return KickCode(**{name: np.asarray(value, np.float32) for name, value in parts.items()}).canonical()


def recordings_in(folder: Path) -> list[Path]:
    """Return the audio files in a folder and the folders in it, in the order of their names."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)


def fit_folder(folder: Path) -> Iterator[tuple[Path, KickCode]]:
    """Fit every recording in a folder and the folders in it, in the order of their names.

    Raises
    ------
    ConfigError
        If there is no audio file.
    """
    files = recordings_in(folder)
    if not files:
        raise ConfigError(f"{folder}: holds no recordings ({', '.join(_SUFFIXES)}); give a folder with kicks")
    for path in files:
        try:
            audio, rate = read_audio(path)
            yield path, fit(audio, rate, n_transient=layout.PACKED_TRANSIENT)
        except (AudioFileError, ParameterError) as error:
            raise ConfigError(
                f"{path}: cannot be learnt from: {error}; remove it, or give another folder"
            ) from None


def prepare(
    folder: Path,
    *,
    samples: Path | None,
    n_synthesised: int,
    n_recombined: int,
    seed: int = 0,
    workers: int = 1,
    progress: Callable[[str, int, int], None] = lambda _name, _done, _total: None,
) -> None:
    """Write what training reads into a folder; pieces that are there already are kept.

    Parameters
    ----------
    folder
        Made if it is missing.
    samples
        A folder of recordings that may be learnt from; without one, only synthesis is.
    n_synthesised, n_recombined
        How many kicks of each kind, rounded up to whole pieces.
    seed
        Of all that is drawn.
    workers
        Processes.
    progress
        Called with the name of a part, and how much of it is done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    recordings = folder / "recordings.npz"
    if samples is not None and not recordings.exists():
        codes, names = [], []
        for path, code in fit_folder(samples):
            codes.append(code.flat())
            names.append(hashlib.sha256(path.read_bytes()).hexdigest()[:12])
            progress("recordings", len(codes), len(codes))
        code, measured = levelled(KickCode.from_flat(np.stack(codes)), seed)
        _save(recordings, code, measured, "recording")
    jobs = [("synthesis", k) for k in range(-(-n_synthesised // PIECE))]
    if samples is not None:
        jobs += [("recombined", k) for k in range(-(-n_recombined // PIECE))]
    missing = [job for job in jobs if not (folder / f"{job[0]}_{job[1]:03d}.npz").exists()]
    done = len(jobs) - len(missing)
    progress("pieces", done, len(jobs))
    if workers == 1:
        for job in missing:
            _piece(str(folder), *job, seed)
            progress("pieces", done := done + 1, len(jobs))
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(_piece, str(folder), *job, seed) for job in missing]
        for future in as_completed(waiting):
            future.result()
            progress("pieces", done := done + 1, len(jobs))


def _piece(folder: str, part: str, number: int, seed: int) -> None:
    own = (seed + 1) * 1000 + number
    codes, _ = synthesise(PIECE, own)
    if part == "recombined":
        with np.load(Path(folder) / "recordings.npz") as stored:
            real = KickCode.from_flat(stored["code"])
        codes = recombine(real, codes, PIECE, own + 500_000)
    code, measured = levelled(codes, own)
    _save(Path(folder) / f"{part}_{number:03d}.npz", code, measured, part)


def _save(path: Path, code: KickCode, measured: NDArray[np.float64], source: str) -> None:
    with atomic_output(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, code=code.flat(), measured=measured, source=np.full(len(measured), source))


def load_kicks(folder: Path) -> Kicks:
    """Read what `prepare` wrote.

    Raises
    ------
    ConfigError
        If a file is missing, damaged or of another version.
    """
    files = sorted(folder.glob("*.npz"))
    if not files:
        raise ConfigError(f"{folder}: holds no prepared kicks; run the stage 'data' first")
    codes, measured, sources = [], [], []
    for path in files:
        try:
            with np.load(path) as stored:
                codes.append(stored["code"])
                measured.append(stored["measured"])
                sources.append(stored["source"])
        except (OSError, ValueError, KeyError) as error:
            raise ConfigError(f"{path}: cannot be read ({error}); remove it, and prepare again") from None
        if codes[-1].shape[1:] != (layout.CODE_SIZE,) or measured[-1].shape[1:] != (len(QUANTITIES),):
            raise ConfigError(
                f"{path}: was prepared by another version; remove the folder, and prepare again"
            )
    return Kicks(KickCode.from_flat(np.concatenate(codes)), np.concatenate(measured), np.concatenate(sources))
