"""A kick that can be rendered, edited, varied and blended with another: a code, and the key of its noise."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neurdsp import _core
from neurdsp.errors import ParameterError
from neurdsp.kick import code as layout
from neurdsp.kick.code import KickCode
from neurdsp.kick.counted import kick_key
from neurdsp.kick.reference import LAYERS, code_time

__all__ = ["MAX_SECONDS", "Kick", "blend", "render_kicks", "shift"]

Floats = NDArray[np.float32]
MAX_SECONDS = 10
_MIN_LENGTH = 64


@dataclass(frozen=True, eq=False)
class Kick:
    """One kick.

    Parameters
    ----------
    code
        What is rendered.
    key
        Of its noise; two kicks with the same code and key are the same.
    keywords
        The words that it was made for.
    noise
        What its latent was made of, if a generator made it; variations begin there.
    negative, guidance, attributes
        What else the generator was asked for.

    Examples
    --------
    >>> kick = Kick(KickCode.silent(), key=1)
    >>> kick.render(length=100).shape
    (100,)
    """

    code: KickCode
    key: int
    keywords: tuple[str, ...] = ()
    noise: Floats | None = None
    negative: tuple[str, ...] = ()
    guidance: float = 2.0
    attributes: tuple[tuple[str, float], ...] = ()

    def render(
        self,
        sample_rate: int = 44_100,
        length: int | None = None,
        *,
        tune: float = 0.0,
        decay: float = 1.0,
        level: bool = True,
        layers: Sequence[str] = LAYERS,
    ) -> Floats:
        """Render the kick.

        Parameters
        ----------
        sample_rate
            In Hz, 8,000 to 192,000.
        length
            Samples, 64 to 10 s; by default 2 s. The last one is 0. What is longer than the kick is filled by
            stretching its second half.
        tune
            Semitones, -48 to 48.
        decay
            Factor on the duration of everything after the first 18 ms, 0.1 to 10.
        level
            Whether the peak is brought to -1 dBFS, and what stays 60 dB below it fades to nothing.
        layers
            The parts to render, of ``partials``, ``transient``, ``low``, ``noise`` and ``fine``.

        Returns
        -------
        ndarray of float32
            ``(length,)``.

        Raises
        ------
        ParameterError
            If a value is out of range.
        """
        return np.asarray(
            render_kicks(
                [self],
                sample_rate=sample_rate,
                length=length,
                tune=tune,
                decay=decay,
                level=level,
                layers=layers,
            )[0]
        )

    def edit(
        self,
        *,
        tune: float = 0.0,
        decay: float = 1.0,
        glide: float = 1.0,
        drive: float = 0.0,
        body_db: float = 0.0,
        click_db: float = 0.0,
        noise_db: float = 0.0,
    ) -> "Kick":
        """Return an edited kick; edits are exact, and what is not named stays.

        Parameters
        ----------
        tune
            Semitones by which the partials move, -48 to 48.
        decay
            Factor on the duration of everything after the first 18 ms, 0.1 to 10.
        glide
            Factor on the depth of the fall of the pitch, in octaves, 0 to 4.
        drive
            Added to the drive of the waveshaper on the first partial, -16 to 16.
        body_db, click_db, noise_db
            Gain of the partials, of the first 18 ms without them, and of the noise after that, -60 to 30 dB.

        Raises
        ------
        ParameterError
            If a value is out of range.

        Examples
        --------
        >>> kick = Kick(KickCode.silent(), key=1)
        >>> float(np.exp(kick.edit(tune=12).code.log_f[0, 0]).round())
        120.0
        """
        for name, value, low, high in (
            ("tune", tune, -48, 48),
            ("decay", decay, 0.1, 10),
            ("glide", glide, 0, 4),
            ("drive", drive, -16, 16),
            *(
                (name, value, -60, 30)
                for name, value in (("body_db", body_db), ("click_db", click_db), ("noise_db", noise_db))
            ),
        ):
            check_range(name, value, low, high)
        code = self.code
        log_f = code.log_f + np.float32(tune * np.log(2) / 12)
        settled = log_f[:, 20:21]
        log_f = settled + (log_f - settled) * np.float32(glide)
        parts = {"log_f": log_f, "drive": code.drive + np.float32(drive)}
        parts["log_a"] = _gained(
            _stretched(code.log_a.T, layout.KNOTS, decay).T, body_db, layout.SILENT_PARTIAL
        )
        for name, knots in (("noise", layout.NOISE_KNOTS), ("low", layout.LOW_KNOTS)):
            parts[name] = _gained(
                _stretched(getattr(code, name), knots, decay), noise_db, layout.SILENT_NOISE
            )
        parts["fine"] = _gained(code.fine, click_db, layout.SILENT_NOISE)
        parts["transient"] = code.transient * np.float32(10 ** (click_db / 20))
        return replace(self, code=with_parts(code, parts), noise=None)


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Refuse a value that is not a number from ``low`` to ``high``.

    Raises
    ------
    ParameterError
        If it is not.
    """
    if not low <= value <= high:
        raise ParameterError(f"{name} is {value!r}, but must be from {low:g} to {high:g}")


def with_parts(code: KickCode, parts: dict[str, NDArray[np.floating]]) -> KickCode:
    """Return a code with some of its parts replaced."""
    made = {name: getattr(code, name) for name in layout.SHAPES} | parts
    return KickCode(**{name: np.asarray(value, np.float32) for name, value in made.items()}).canonical()


def _gained(levels: Floats, gain_db: float, silent: float) -> NDArray[np.floating]:
    if gain_db == 0:
        return levels
    amplitude = np.maximum(np.exp(levels) - np.exp(silent), 0) * 10 ** (gain_db / 20)
    return np.asarray(np.log(amplitude + np.exp(silent)))


def _stretched(levels: Floats, knots: NDArray[np.float64], decay: float) -> Floats:
    """Return levels ``(knots, bands)`` read at the code's time for another decay."""
    if decay == 1:
        return levels
    times = code_time(knots, 0.0, decay)
    return np.stack([np.interp(times, knots, band) for band in levels.T], axis=1).astype(np.float32)


def render_kicks(
    kicks: Sequence[Kick],
    *,
    sample_rate: int = 44_100,
    length: int | None = None,
    tune: float = 0.0,
    decay: float = 1.0,
    level: bool = True,
    layers: Sequence[str] = LAYERS,
    threads: int = 1,
) -> Floats:
    """Render many kicks, ``(n, length)``; see `Kick.render`.

    Raises
    ------
    ParameterError
        If a value is out of range.
    """
    if isinstance(sample_rate, bool) or not isinstance(sample_rate, int | np.integer):
        raise ParameterError(f"sample_rate is {sample_rate!r}, but must be a whole number of Hz")
    check_range("sample_rate", sample_rate, 8_000, 192_000)
    length = 2 * int(sample_rate) if length is None else length
    if isinstance(length, bool) or not isinstance(length, int | np.integer):
        raise ParameterError(f"length is {length!r}, but must be a whole number of samples")
    check_range("length", length, _MIN_LENGTH, MAX_SECONDS * sample_rate)
    check_range("tune", tune, -48, 48)
    check_range("decay", decay, 0.1, 10)
    check_range("threads", threads, 1, 1024)
    for name in layers:
        if name not in LAYERS:
            raise ParameterError(f"there is no layer {name!r}; choose from {', '.join(LAYERS)}")
    if not kicks:
        return np.zeros((0, length), np.float32)
    codes = np.ascontiguousarray(np.stack([kick.code.flat() for kick in kicks]), np.float32)
    keys = np.array([kick.key for kick in kicks], np.uint64)
    chosen = [name in layers for name in LAYERS]
    return _core.kick_render(
        codes, keys, int(sample_rate), int(length), float(tune), float(decay), level, chosen, int(threads)
    )


def blend(a: Kick, b: Kick, share: float) -> Kick:
    """Return a kick between two: ``a`` at 0, ``b`` at 1, with the noise of the nearer one.

    Levels and pitches move on logarithmic scales, and phases along the shorter way.

    Examples
    --------
    >>> quiet, loud = KickCode.silent(), KickCode.silent()
    >>> blend(Kick(quiet, 1), Kick(loud, 2), 0.75).key
    2
    """
    check_range("share", share, 0, 1)
    if share in (0, 1):
        return (a, b)[int(share)]
    parts = {}
    for name in layout.SHAPES:
        start, end = getattr(a.code, name), getattr(b.code, name)
        way = (end - start + np.pi) % (2 * np.pi) - np.pi if name == "phase" else end - start
        parts[name] = start + np.float32(share) * way
    parts["phase"] = (parts["phase"] + np.pi) % (2 * np.pi) - np.pi
    nearer = a if share < 0.5 else b
    return Kick(with_parts(a.code, parts), nearer.key, keywords=nearer.keywords)


def shift(kick: Kick, amount: float, seed: int, index: int) -> Kick:
    """Return a variation of any kick, by moving its code: pitch, glide, decay, click and noise.

    Parameters
    ----------
    kick
        The kick.
    amount
        From 0, the kick itself, to 1.
    seed, index
        Of the variation.
    """
    check_range("amount", amount, 0, 1)
    if amount == 0:
        return kick
    key = kick_key(seed, index)
    draw = np.random.Generator(np.random.Philox(key=key))
    moves = draw.normal(0, 1, 6) * amount
    edited = kick.edit(
        tune=float(np.clip(1.5 * moves[0], -12, 12)),
        decay=float(np.clip(np.exp(0.3 * moves[1]), 0.3, 3)),
        glide=float(np.clip(np.exp(0.3 * moves[2]), 0.3, 3)),
        click_db=float(np.clip(4 * moves[3], -12, 12)),
        noise_db=float(np.clip(4 * moves[4], -12, 12)),
        drive=float(np.clip(moves[5], -1, 2)) if kick.code.drive.max() > 0.05 else 0.0,
    )
    return replace(edited, key=key)
