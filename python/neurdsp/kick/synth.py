"""Own synthesis of kicks, straight in the code: machines, drums with a skin, FM, distorted, with noise.

What is synthesised is the code itself, so its pitch, levels and noise are known exactly. The ranges were
chosen so that what kicks measure spreads as it does in recordings.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from neurdsp.errors import ParameterError
from neurdsp.kick import code as layout
from neurdsp.kick.code import DRIVE_KNOTS, FINE_KNOTS, KNOTS, LOW_KNOTS, NOISE_KNOTS, KickCode
from neurdsp.kick.reference import LOW_BINS, RATE, TRANSIENT_SAMPLES, cosines, gate, mel_centres

__all__ = ["STYLES", "Style", "synthesise"]

Array = NDArray[np.float64]
_NONE = -14.0
"""A level below silence, where layers start from."""


@dataclass(frozen=True)
class Style:
    """The ranges of one kind of kick; each pair is drawn from evenly on a logarithmic scale.

    Parameters
    ----------
    share
        How often it comes, beside the others.
    pitch_hz
        Where the glide ends.
    sweep
        By how much higher it begins.
    glide_s, decay_s
        Time constants of pitch and level.
    hold_s
        How long the level is held, evenly between the two.
    skin
        Whether it has modes, a beater and a room, as drums with a skin have.
    drive
        Drive of the waveshaper, for the given share of kicks.
    driven
        That share.
    """

    share: float
    pitch_hz: tuple[float, float]
    sweep: tuple[float, float]
    glide_s: tuple[float, float]
    decay_s: tuple[float, float]
    hold_s: tuple[float, float] = (0.0, 0.0)
    skin: bool = False
    drive: tuple[float, float] = (0.4, 4.0)
    driven: float = 0.0


STYLES: dict[str, Style] = {
    "808": Style(0.10, (34, 60), (1.1, 3), (0.004, 0.03), (0.08, 0.6), driven=0.3, drive=(0.5, 8)),
    "909": Style(0.12, (40, 68), (2.5, 7), (0.008, 0.035), (0.04, 0.22), (0, 0.03), driven=0.3),
    "acoustic": Style(0.20, (38, 88), (1.05, 2.5), (0.01, 0.06), (0.02, 0.14), skin=True),
    "rock": Style(0.15, (42, 96), (1.1, 3), (0.006, 0.04), (0.015, 0.09), skin=True),
    "fm": Style(0.06, (35, 80), (2, 14), (0.005, 0.06), (0.04, 0.3), (0, 0.04), driven=0.6),
    "hard": Style(
        0.09, (38, 75), (2, 14), (0.006, 0.05), (0.06, 0.3), (0.02, 0.15), driven=0.9, drive=(1, 14)
    ),
    "clicky": Style(0.10, (42, 110), (2, 16), (0.002, 0.015), (0.012, 0.08), driven=0.15),
    "boomy": Style(0.06, (34, 60), (1.2, 4), (0.01, 0.06), (0.12, 0.45), (0, 0.08), driven=0.25),
    "lofi": Style(0.08, (42, 100), (1.2, 5), (0.005, 0.04), (0.025, 0.16), (0, 0.02), skin=True, driven=0.1),
    "sub": Style(0.04, (30, 48), (1, 2), (0.01, 0.08), (0.15, 0.7), (0, 0.08), driven=0.2),
}
"""The kinds of kicks by name."""


def synthesise(n: int, seed: int = 0, *, style: str | None = None) -> tuple[KickCode, list[str]]:
    """Make codes of kicks.

    Parameters
    ----------
    n
        How many.
    seed
        Of all that is drawn.
    style
        One of `STYLES`; by default a mixture by their shares.

    Returns
    -------
    tuple of KickCode and list of str
        The codes, not yet levelled, and the style of each.

    Raises
    ------
    ParameterError
        If there is no such style, or ``n`` is not positive.

    Examples
    --------
    >>> codes, styles = synthesise(3, seed=1)
    >>> codes.log_f.shape, len(styles)
    ((3, 3, 31), 3)
    """
    if style is not None and style not in STYLES:
        raise ParameterError(f"there is no style {style!r}; choose one of {', '.join(STYLES)}")
    if n < 1:
        raise ParameterError(f"n is {n}, but must be at least 1")
    draw = np.random.default_rng(seed)
    shares = np.array([each.share for each in STYLES.values()])
    names = [style or str(draw.choice(list(STYLES), p=shares / shares.sum())) for _ in range(n)]
    made = [_Kick(draw, STYLES[name]).code() for name in names]
    parts = {key: np.stack([getattr(one, key) for one in made]) for key in layout.SHAPES}
    return KickCode(**parts).canonical(), names


class _Kick:
    """One kick as it is drawn."""

    def __init__(self, draw: Generator, style: Style) -> None:
        self.draw, self.style = draw, style
        self.decay_s = self.range(*style.decay_s)
        self.pitch_hz = self.range(*style.pitch_hz)

    def range(self, low: float, high: float) -> float:
        """Draw evenly on a logarithmic scale."""
        return math.exp(self.draw.uniform(math.log(low), math.log(high)))

    def chance(self, share: float) -> bool:
        return bool(self.draw.random() < share)

    def code(self) -> KickCode:
        log_f, log_a = self.partials()
        drive, bias = self.shaper()
        noise, low = self.layers()
        phase = self.draw.uniform(-np.pi, np.pi, 3)
        if self.chance(0.6):
            phase[0] = self.draw.choice([-1, 1]) * self.draw.normal(np.pi / 2, 0.25)
        if self.chance(0.3):
            self.stop(log_a, low, noise)
        parts = (log_f, log_a, phase, drive, bias, low, noise, self.transient(), self.fine(noise))
        return KickCode(*(part.astype(np.float32) for part in parts))

    def envelope(
        self, decay_s: float, *, hold_s: float = 0.0, attack_s: float = 0.0005, tail: bool = True
    ) -> Array:
        level = -np.maximum(0, KNOTS - hold_s) / decay_s
        if self.chance(0.3) and tail:
            slower = math.log(self.draw.uniform(0.02, 0.25)) - KNOTS / self.range(0.08, 0.45)
            level = np.logaddexp(level, slower)
        return level + np.log(np.clip(KNOTS / attack_s, 0, 1) + 0.01)

    def partials(self) -> tuple[Array, Array]:
        style, draw = self.style, self.draw
        log_f, log_a = np.full((3, len(KNOTS)), math.log(100.0)), np.full((3, len(KNOTS)), _NONE)
        glide = (self.range(*style.sweep) - 1) * np.exp(-KNOTS / self.range(*style.glide_s))
        if self.chance(0.6):
            glide += draw.uniform(0, 0.5) * np.exp(-KNOTS / self.range(0.05, 0.4))
        hertz = self.pitch_hz * (1 + glide)
        if self.chance(0.3):
            hertz *= np.exp(draw.uniform(0, 1.5) * np.exp(-KNOTS / self.range(0.001, 0.004)))
        attack_s = self.range(0.0003, 0.006) if self.chance(0.7) else 0.0002
        log_f[0] = np.log(np.clip(hertz, 20, 4000))
        log_a[0] = self.envelope(self.decay_s, hold_s=draw.uniform(*style.hold_s), attack_s=attack_s)
        if self.chance(0.95 if style.skin else 0.7):
            ratio = draw.choice(
                [1.59, 2.14, 2.3, 1.0, draw.uniform(1.2, 3)]
                if style.skin
                else [2, 3, 1.5, draw.uniform(1.1, 4)]
            )
            follows = hertz if self.chance(0.5) else np.full(len(KNOTS), self.pitch_hz)
            self.further(
                log_f,
                log_a,
                1,
                ratio * follows * math.exp(draw.normal(0, 0.02)),
                self.decay_s * self.range(0.2, 1.0),
            )
        if self.chance(0.95 if style.skin else 0.7):
            start = self.range(90, 900)
            bend = np.exp(draw.uniform(0, 0.6) * np.exp(-KNOTS / self.range(0.003, 0.03)))
            self.further(log_f, log_a, 2, start * bend, self.range(0.006, 0.08))
        if self.chance(0.9 if style.skin else 0.5):
            amount = draw.uniform(0, 1) ** 1.5
            for p, spread in enumerate((0.08, 0.35, 0.4)):
                log_f[p] += (
                    amount
                    * draw.uniform(0, 1)
                    * (self.walk(len(KNOTS), 0.02) + self.smooth(len(KNOTS), spread))
                )
                log_a[p] += (
                    amount * draw.uniform(0, 1) * (self.walk(len(KNOTS), 0.12) + self.smooth(len(KNOTS), 0.6))
                )
        return log_f, log_a

    def further(self, log_f: Array, log_a: Array, p: int, hertz: Array, decay_s: float) -> None:
        """Add a partial beside the first; above 200 Hz it is over soon, or it would ring."""
        rings = float(np.median(hertz)) > 200
        if rings:
            decay_s = min(decay_s, self.range(0.008, 0.05))
        log_f[p] = np.log(np.clip(hertz, 20, 4000))
        envelope = self.envelope(decay_s, attack_s=self.range(0.0003, 0.006), tail=not rings)
        log_a[p] = envelope - self.range(0.4, 4.5)

    def walk(self, n: int, step: float) -> Array:
        return np.cumsum(self.draw.normal(0, step, n))

    def smooth(self, n: int, spread: float) -> Array:
        return spread * np.convolve(self.draw.normal(0, 1, n + 2), [0.25, 0.5, 0.25], "valid")

    def shaper(self) -> tuple[Array, Array]:
        n = len(DRIVE_KNOTS)
        if not self.chance(self.style.driven):
            return np.zeros(n), np.zeros(n)
        falls = np.exp(-DRIVE_KNOTS / self.range(0.08, 1.5)) if self.chance(0.6) else np.ones(n)
        bias = self.draw.normal(0, 0.25) + self.draw.normal(0, 0.05, n)
        return np.clip(self.range(*self.style.drive) * falls, 0, 16), np.clip(bias, -0.8, 0.8)

    def tilt(self, centres: Array, low_hz: float, high_hz: float, slope: float, level: float) -> Array:
        """Return the levels of a band of noise between two frequencies, sloping by nats per octave."""
        octaves = np.log2(centres)
        level_ = level + slope * (octaves - math.log2(1000))
        level_ -= np.maximum(0, math.log2(low_hz) - octaves) * self.range(0.6, 3)
        return level_ - np.maximum(0, octaves - math.log2(high_hz)) * self.range(0.6, 3)

    def decays(self, base_s: float, centres: Array, steepness: float) -> Array:
        """Return a time constant for each band: higher bands decay faster."""
        return base_s * (centres / 1000) ** (-steepness / 3 / math.log(2))

    def layers(self) -> tuple[Array, Array]:
        """Return the noise layer and the low layer: the beater, the room, and the floor of a tape."""
        draw, skin = self.draw, self.style.skin
        centres, low_hz = NOISE_HZ, LOW_HZ
        both, split = np.concatenate([low_hz, centres]), len(low_hz)
        times = [LOW_KNOTS, NOISE_KNOTS]
        parts = [np.full((len(times[0]), split), _NONE), np.full((len(times[1]), len(centres)), _NONE)]

        def add(levels: Array, taus: Array, attack_s: float | None = None) -> None:
            for i, cut in enumerate((slice(None, split), slice(split, None))):
                fall = levels[cut] - times[i][:, None] / taus[cut]
                if attack_s is not None:
                    fall = fall + np.log(np.clip(times[i] / attack_s, 0.1, 1))[:, None]
                parts[i] = np.logaddexp(parts[i], fall)

        if self.chance(0.97 if skin else 0.65):
            level = -(self.range(1.0, 4.5) if skin else self.range(1.6, 7.0))
            bands = self.tilt(
                both, self.range(60, 1500), self.range(1500, 14000), draw.normal(-0.5, 0.35), level
            )
            add(bands, self.decays(self.range(0.003, 0.03), both, draw.uniform(0, 0.5)))
        if self.chance(0.95 if skin else 0.45):
            level = -(self.range(2.4, 6.5) if skin else self.range(3.0, 8.0))
            bands = self.tilt(both, self.range(30, 300), self.range(300, 8000), draw.normal(-0.8, 0.4), level)
            add(
                bands,
                self.decays(self.range(0.03, 0.3), both, draw.uniform(0, 0.8)),
                self.range(0.001, 0.015),
            )
        if self.chance(0.12):
            floor = -self.range(7.5, 9.5) + draw.normal(-0.1, 0.1) * np.log2(both / 1000)
            add(floor, np.full(len(both), self.range(0.3, 3.0)))
        if self.chance(0.6):
            amount = draw.uniform(0, 1)
            parts = [
                part + amount * (self.walk(part.shape[1], 0.12) + self.smooth(part.shape[1], 0.3))[None]
                for part in parts
            ]
            parts = [
                part + amount * self.walk(len(part), 0.1)[:, None] + amount * draw.normal(0, 0.25, part.shape)
                for part in parts
            ]
        return parts[1], parts[0]

    def stop(self, log_a: Array, low: Array, noise: Array) -> None:
        """End as a sample that was cut: everything falls within some milliseconds."""
        end_s, fall_s = self.range(0.08, 0.8), self.range(0.004, 0.03)
        log_a -= (np.maximum(0, KNOTS - end_s) / fall_s)[None]
        low -= (np.maximum(0, LOW_KNOTS - end_s) / fall_s)[:, None]
        noise -= (np.maximum(0, NOISE_KNOTS - end_s) / fall_s)[:, None]

    def fine(self, noise: Array) -> Array:
        """Return the noise of the first 18 ms: a burst, and what the noise layer would be there."""
        draw = self.draw
        levels = np.full((len(FINE_KNOTS), 8), _NONE)
        if self.chance(0.75):
            bands = self.tilt(
                FINE_HZ,
                self.range(1000, 4000),
                self.range(3000, 16000),
                draw.normal(-0.3, 0.3),
                -self.range(0.8, 5),
            )
            levels = np.logaddexp(levels, bands - FINE_KNOTS[:, None] / self.range(0.0006, 0.008))
            if self.chance(0.3):
                levels += np.log(np.clip(FINE_KNOTS / self.range(0.0005, 0.004), 0.05, 1))[:, None]
        nearest = np.abs(np.log(NOISE_HZ)[:, None] - np.log(FINE_HZ)).argmin(0)
        slope = (noise[4, nearest] - noise[0, nearest]) / (NOISE_KNOTS[4] - NOISE_KNOTS[0])
        levels = np.logaddexp(
            levels, noise[0, nearest] + np.minimum(0, slope) * (FINE_KNOTS[:, None] - NOISE_KNOTS[0]) * 0.5
        )
        if self.chance(0.7):
            wave = np.convolve(draw.normal(0, 1, len(FINE_KNOTS) + 2), [0.3, 0.4, 0.3], "valid")
            levels += wave[:, None] * draw.uniform(0, 0.8) + draw.normal(0, 0.3, 8)[None] * draw.uniform(0, 1)
        return np.asarray(levels)

    def transient(self) -> Array:
        """Return the coefficients of a click: a pulse, a chirp, a burst, or none."""
        draw, t = self.draw, np.arange(TRANSIENT_SAMPLES) / RATE
        wave, kind = np.zeros(len(t)), draw.random()
        if kind < 0.35:
            width, centre = self.range(0.00006, 0.0012), draw.uniform(0, 0.0015)
            pulse = np.exp(-0.5 * ((t - centre - width) / width) ** 2)
            if self.chance(0.5):
                pulse = np.gradient(pulse) / np.abs(np.gradient(pulse)).max()
            wave += draw.choice([-1, 1]) * draw.uniform(0.05, 0.7) * pulse
        if 0.25 < kind < 0.7:
            start, end, tau = self.range(1500, 9000), self.range(200, 1500), self.range(0.0005, 0.004)
            cycles = np.cumsum(end + (start - end) * np.exp(-t / tau)) / RATE
            wave += (
                draw.uniform(0.03, 0.5)
                * np.sin(2 * np.pi * cycles + draw.uniform(0, 6.28))
                * np.exp(-t / self.range(0.001, 0.006))
            )
        if self.chance(0.4):
            burst = np.convolve(draw.standard_normal(len(t)), np.hanning(int(self.range(4, 60))), "same")
            wave += (
                draw.uniform(0.02, 0.3) * burst / np.abs(burst).max() * np.exp(-t / self.range(0.0008, 0.006))
            )
        return np.asarray(cosines() @ (wave * gate(t)))


NOISE_HZ = 700 * (10 ** (mel_centres(32, 300.0) / 2595) - 1)
FINE_HZ = 700 * (10 ** (mel_centres(8, 1000.0) / 2595) - 1)
LOW_HZ = np.array(LOW_BINS) * RATE / 2048
