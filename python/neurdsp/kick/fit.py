"""From a recording of a kick to its code: partials first, then the transient, then what is left as noise.

The partials are found one by one below 1.1 kHz and then polished together by gradient descent on the
waveform, with the phase summed by trapezoids as in the renderer. No torch is needed.
"""

import functools
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from neurdsp.audio import resample
from neurdsp.errors import ParameterError
from neurdsp.kick import code as layout
from neurdsp.kick.code import FINE_KNOTS, KNOTS, LOW_KNOTS, NOISE_KNOTS, KickCode
from neurdsp.kick.reference import LOW_BINS, RATE, TRANSIENT_SAMPLES, gate, mel_centres, render

__all__ = ["fit", "onset"]

Array = NDArray[np.float64]
_N = 88_200
_STEP = 16
_PADDED = 90_112
_LOW_HZ = 1100.0
_PEAK = 0.891
_SILENT = layout.SILENT_PARTIAL


def fit(
    audio: NDArray[np.floating],
    sample_rate: float = RATE,
    *,
    n_transient: int = layout.N_TRANSIENT,
    iterations: int = 150,
) -> KickCode:
    """Fit the code of a kick.

    Parameters
    ----------
    audio
        ``(samples,)`` or ``(channels, samples)``; silence before the onset is skipped, and only the first 2 s
        are used.
    sample_rate
        In Hz.
    n_transient
        How many of the 256 coefficients of the transient to use; what generators learn has 64.
    iterations
        Steps of the last descent on the partials.

    Returns
    -------
    KickCode
        Its render peaks near -1 dBFS.

    Raises
    ------
    ParameterError
        If the audio is silent, not finite or of another shape.

    Examples
    --------
    >>> t = np.arange(44_100) / 44_100
    >>> code = fit(np.sin(2 * np.pi * 55 * t) * np.exp(-t / 0.1), iterations=40)
    >>> round(float(np.exp(code.log_f[0, 15])))
    55
    """
    x = onset(audio, sample_rate)
    low = _decimated(x)
    log_f, log_a, phase = _partials(low, iterations)
    parts = {"log_f": log_f, "log_a": log_a, "phase": (phase + np.pi) % (2 * np.pi) - np.pi}
    code = _held(_sorted(_replace(KickCode.silent(), parts)))

    rest = x - render(code, 0, level=False, layers=("partials",))
    share = gate(np.arange(TRANSIENT_SAMPLES) / RATE)
    coefficients = _plain_cosines() @ (rest[:TRANSIENT_SAMPLES] * share)
    coefficients[n_transient:] = 0
    code = _replace(code, {"transient": coefficients})
    rest = rest - render(code, 0, level=False, layers=("transient",))
    late = rest.copy()
    late[:TRANSIENT_SAMPLES] *= 1 - share
    fine = _levels(rest[:TRANSIENT_SAMPLES] * share, "fine", FINE_KNOTS)
    low_layer = _levels(late, "low", LOW_KNOTS)
    noise = _levels(late, "noise", NOISE_KNOTS)
    return _replace(code, {"fine": fine, "low": low_layer, "noise": noise})


def onset(audio: NDArray[np.floating], sample_rate: float) -> Array:
    """Return 2 s of a kick at 44,100 Hz from its onset, one channel, with a peak of -1 dBFS.

    Raises
    ------
    ParameterError
        If the audio is silent, not finite or of another shape.
    """
    x = np.asarray(audio, np.float64)
    if x.ndim == 2:
        x = x.mean(axis=0)
    if x.ndim != 1 or not len(x):
        raise ParameterError(f"a kick is (samples,) or (channels, samples), but got shape {np.shape(audio)}")
    if not np.isfinite(x).all():
        raise ParameterError("the recording holds samples that are not finite; repair it first")
    x = x[: int(30 * sample_rate)]
    if sample_rate != RATE:
        x = np.asarray(resample(x[None].astype(np.float32), int(sample_rate), RATE), np.float64)[0]
    peak = float(np.abs(x).max(initial=0))
    if peak < 1e-4:
        raise ParameterError("the recording is silent (its peak is below -80 dBFS); give one with a kick")
    start = max(0, int(np.flatnonzero(np.abs(x) > 0.01 * peak)[0]) - 22)
    kept = np.zeros(_N)
    cut = x[start : start + _N]
    kept[: len(cut)] = cut * (_PEAK / np.abs(cut).max())
    if len(x) - start > _N:
        kept[-2205:] *= np.linspace(1, 0, 2205)
    return kept


def _replace(code: KickCode, parts: Mapping[str, NDArray[np.floating]]) -> KickCode:
    made = {name: getattr(code, name) for name in layout.SHAPES} | dict(parts)
    return KickCode(**{name: np.asarray(value, np.float32) for name, value in made.items()}).canonical()


def _decimated(x: Array) -> Array:
    spectrum = np.fft.rfft(x, _PADDED)
    hertz = np.fft.rfftfreq(_PADDED, 1 / RATE)
    spectrum *= 1 / (1 + (hertz / _LOW_HZ) ** 12)
    return np.asarray(np.fft.irfft(spectrum[: _PADDED // _STEP // 2 + 1], _PADDED // _STEP) / _STEP)


class _Descent:
    """Gradient descent on the partials, beside audio at 2,756 Hz."""

    def __init__(self, target: Array) -> None:
        energy = np.cumsum(target**2)
        self.n = n = max(256, int(np.searchsorted(energy, energy[-1] * (1 - 1e-6))) + 1)
        self.rate = RATE / _STEP
        self.y = target[:n].astype(np.float32)
        t = np.arange(n) / self.rate
        self.weights = np.stack([np.interp(t, KNOTS, row) for row in np.eye(len(KNOTS))]).astype(np.float32)
        total = float((self.y**2).sum()) + 1e-9
        window = np.convolve(self.y**2, np.ones(129) / 129, "same")
        emphasis = 1 / (window + 1e-4 * window.max() + 1e-9)
        emphasis /= emphasis.mean()
        self.importance = (1 / total + 0.3 * emphasis / ((self.y**2 * emphasis).sum() + 1e-9)).astype(
            np.float32
        )
        self.late = KNOTS[1:] > 0.05

    def wave(
        self, log_f: Array, log_a: Array, phase: Array
    ) -> tuple[Array, Array, Array, NDArray[np.float32]]:
        hertz = np.exp(log_f @ self.weights)
        raised = np.exp(log_a @ self.weights)
        cycles = np.cumsum(hertz, axis=1, dtype=np.float64) - 0.5 * hertz - 0.5 * hertz[:, :1]
        cycles = cycles / self.rate + phase[:, None] / (2 * np.pi)
        angle = (2 * np.pi * (cycles - np.floor(cycles))).astype(np.float32)
        return hertz, raised, np.maximum(raised - math.exp(_SILENT), 0), angle

    def sound(self, log_f: Array, log_a: Array, phase: Array) -> Array:
        _, _, level, angle = self.wave(log_f, log_a, phase)
        return np.asarray((level * np.cos(angle)).sum(0))

    def gradients(self, log_f: Array, log_a: Array, phase: Array) -> tuple[Array, Array, Array]:
        hertz, raised, level, angle = self.wave(log_f, log_a, phase)
        cosine, sine = np.cos(angle), np.sin(angle)
        pull = -2 * (self.y - (level * cosine).sum(0)) * self.importance
        to_a = (pull * cosine * raised * (level > 0)) @ self.weights.T
        turn = -pull * level * sine
        after = np.cumsum(turn[:, ::-1], axis=1)[:, ::-1]
        to_hertz = (after - 0.5 * turn) * (2 * np.pi / self.rate)
        to_hertz[:, 0] -= 0.5 * after[:, 0] * (2 * np.pi / self.rate)
        to_f = (to_hertz * hertz) @ self.weights.T
        step = np.diff(log_f, axis=1)
        to_f[:, 1:] += 2e-3 * step
        to_f[:, :-1] -= 2e-3 * step
        # The first partial should not swell late: kicks do not, and what seems to is another partial.
        swell = np.maximum(0, np.diff(log_a[0]) - 0.3) * self.late
        to_a[0, 1:] += 0.04 * swell
        to_a[0, :-1] -= 0.04 * swell
        return to_f, to_a, turn.sum(1)

    def run(
        self, start: tuple[Array, Array, Array], iterations: int, rate: float = 1.0
    ) -> tuple[Array, Array, Array]:
        """Adam with a falling rate."""
        values = [part.astype(np.float64) for part in start]
        first = [np.zeros_like(part) for part in values]
        second = [np.zeros_like(part) for part in values]
        for i in range(iterations):
            pace = 0.5 * (1 + math.cos(math.pi * i / iterations)) * rate
            for k, (gradient, speed) in enumerate(
                zip(self.gradients(*values), (0.006, 0.02, 0.02), strict=True)
            ):
                first[k] += 0.1 * (gradient - first[k])
                second[k] += 0.001 * (gradient**2 - second[k])
                mean = first[k] / (1 - 0.9 ** (i + 1))
                spread = np.sqrt(second[k] / (1 - 0.999 ** (i + 1)))
                values[k] -= speed * pace * mean / (spread + 1e-8)
            values[0] = np.clip(values[0], *layout.RANGES["log_f"])
            values[1] = np.clip(values[1], -11.0, 1.0)
        return values[0], values[1], values[2]


def _partials(target: Array, iterations: int) -> tuple[Array, Array, Array]:
    found: list[tuple[Array, Array, Array]] = []
    rest = target
    for _ in range(layout.N_PARTIALS):
        if np.abs(rest).max() < 1e-4 * np.abs(target).max():
            break
        descent = _Descent(rest)
        # The tracks differ in what they follow: the lowest strong line, or all of the band.
        tries = [descent.run(_track(rest, top_hz), 40, 2.0) for top_hz in (180.0, _LOW_HZ)]
        errors = [
            float((((descent.y - descent.sound(*each)) ** 2) * descent.importance).sum()) for each in tries
        ]
        best = tries[int(np.argmin(errors))]
        found.append(best)
        sound = np.zeros(len(target))
        sound[: descent.n] = descent.sound(*best)
        rest = rest - sound
    while len(found) < layout.N_PARTIALS:
        found.append((np.full((1, len(KNOTS)), math.log(100)), np.full((1, len(KNOTS)), -11.0), np.zeros(1)))
    joint = tuple(np.concatenate([each[k] for each in found]) for k in range(3))
    return _Descent(target).run((joint[0], joint[1], joint[2]), iterations)


def _track(signal: Array, top_hz: float) -> tuple[Array, Array, Array]:
    """Return a first guess: the frequency and the level of the analytic signal, averaged around each knot."""
    rate, n = RATE / _STEP, len(signal)
    spectrum = np.fft.fft(signal, 2 * n)
    hertz = np.fft.fftfreq(2 * n, 1 / rate)
    spectrum *= 2 * (hertz > 0) / (1 + (hertz / top_hz) ** 8)
    analytic = np.fft.ifft(spectrum)[:n]
    turns = np.cumsum(np.concatenate([[0], analytic[1:] * analytic[:-1].conj(), [0]]))
    power = np.cumsum(np.concatenate([[0], np.abs(analytic) ** 2]))
    log_f, log_a = np.zeros(len(KNOTS)), np.zeros(len(KNOTS))
    for k, knot in enumerate(KNOTS):
        half = max(0.002, 0.12 * knot)
        start, stop = int(max(0, (knot - half) * rate)), min(n - 1, int((knot + half) * rate) + 2)
        start = min(start, stop - 2)
        angle = np.angle(turns[stop] - turns[start])
        log_f[k] = math.log(min(1000, max(25, angle * rate / (2 * np.pi))))
        log_a[k] = 0.5 * math.log((power[stop] - power[start]) / (stop - start) + 1e-12)
    hertz_at = np.exp(np.interp(np.arange(n) / rate, KNOTS, log_f))
    angle = 2 * np.pi * (np.cumsum(hertz_at) - 0.5 * hertz_at) / rate
    phase = np.angle((analytic[:120] * np.exp(-1j * angle[:120])).sum())
    return log_f[None], np.clip(log_a, -10.5, 1)[None], np.array([phase])


def _sorted(code: KickCode) -> KickCode:
    """Put the strongest partial first, and the others in the order of their pitch."""
    power = np.exp(2 * code.log_a[:, :-1]) * np.diff(KNOTS)
    pitch = (power * code.log_f[:, :-1]).sum(1) / power.sum(1)
    strongest = int(power.sum(1).argmax())
    others = sorted((p for p in range(layout.N_PARTIALS) if p != strongest), key=lambda p: pitch[p])
    order = [strongest, *others]
    return _replace(
        code, {"log_f": code.log_f[order], "log_a": code.log_a[order], "phase": code.phase[order]}
    )


def _cycles(log_f: Array) -> Array:
    """Return the cycles that have passed at each knot; the frequency is geometric between them."""
    hertz, slope = np.exp(log_f), np.diff(log_f)
    flat = np.abs(slope) < 1e-4
    mean = np.where(flat, 0.5 * (hertz[1:] + hertz[:-1]), np.diff(hertz) / np.where(flat, 1, slope))
    return np.concatenate([[0], np.cumsum(mean * np.diff(KNOTS))])


def _held(code: KickCode) -> KickCode:
    """Hold the pitch of each partial while it is silent, where a fit may wander, and keep its phase."""
    log_f, phase = code.log_f.astype(float), code.phase.astype(float)
    for p in range(layout.N_PARTIALS):
        heard = np.flatnonzero(code.log_a[p] > _SILENT + 0.7)
        if not len(heard):
            log_f[p] = math.log(100)
            continue
        held = np.interp(np.arange(len(KNOTS)), heard, log_f[p][heard])
        first = heard[0]
        phase[p] += 2 * np.pi * (_cycles(log_f[p])[first] - _cycles(held)[first])
        log_f[p] = held
    return _replace(code, {"log_f": log_f, "phase": (phase + np.pi) % (2 * np.pi) - np.pi})


@functools.cache
def _plain_cosines() -> Array:
    n, k = np.arange(TRANSIENT_SAMPLES), np.arange(layout.N_TRANSIENT)[:, None]
    basis = math.sqrt(2 / TRANSIENT_SAMPLES) * np.cos(np.pi * (n + 0.5) * k / TRANSIENT_SAMPLES)
    basis[0] /= math.sqrt(2)
    return np.asarray(basis)


_LAYERS = {"fine": (64, 16), "low": (2048, 512), "noise": (512, 128)}


@functools.cache
def _bands(name: str) -> Array:
    """Return triangular filters bins x bands, each with a sum of 1, at the centres of a layer."""
    frame, _ = _LAYERS[name]
    bins = np.arange(frame // 2 + 1, dtype=float)
    if name == "low":
        axis, centres = bins, np.array(LOW_BINS, float)
    else:
        axis = 2595 * np.log10(1 + bins * RATE / frame / 700)
        centres = mel_centres(32, 300.0) if name == "noise" else mel_centres(8, 1000.0)
    edges = np.concatenate([[2 * centres[0] - centres[1]], centres, [2 * centres[-1] - centres[-2]]])
    filters = np.stack([np.interp(axis, edges[i : i + 3], [0, 1, 0]) for i in range(len(centres))], axis=1)
    filters[0] = 0
    for band, centre in enumerate(centres):
        if filters[:, band].sum() < 1e-3:
            filters[max(1, int(np.abs(axis - centre).argmin())), band] = 1
    return np.asarray(filters / filters.sum(0))


def _band_power(x: Array, name: str) -> tuple[Array, Array]:
    """Return the log amplitude of each frame and band, and the time of the frames in seconds."""
    frame, hop = _LAYERS[name]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame)
    padded = np.concatenate([np.zeros(frame // 2), x, np.zeros(frame)])
    n_frames = len(x) // hop + 1
    shape = np.lib.stride_tricks.sliding_window_view
    spectrum = np.abs(np.fft.rfft(shape(padded, frame)[::hop][:n_frames] * window, axis=1)) ** 2
    # What the gate, or the end, takes from a frame is divided out again.
    share = gate(np.arange(len(x)) / RATE)
    weight = (
        np.concatenate([np.zeros(frame // 2), share if name == "fine" else 1 - share, np.zeros(frame)]) ** 2
    )
    norm = (shape(weight, frame)[::hop][:n_frames] * window**2).sum(1)
    usable = norm > 0.1 * (window**2).sum()
    levels = 0.5 * np.log(spectrum[usable] @ _bands(name) / norm[usable, None] + 1e-12)
    return levels, np.arange(n_frames)[usable] * hop / RATE


@functools.cache
def _bias(name: str) -> Array:
    """Return what the mean of the logarithm of white noise of variance 1 lacks, for each band."""
    draw = np.random.default_rng(5)
    n = TRANSIENT_SAMPLES if name == "fine" else 44_100
    rounds = [
        _band_power(_gated(draw.standard_normal(n), name), name)[0].mean(0)
        for _ in range(24 if name == "fine" else 4)
    ]
    return np.asarray(np.mean(rounds, axis=0))


def _gated(x: Array, name: str) -> Array:
    share = gate(np.arange(len(x)) / RATE)
    return x * (share if name == "fine" else 1 - share)


def _levels(x: Array, name: str, knots: Array) -> Array:
    """Return the levels at knots that come nearest to those of the frames; smooth where frames are few."""
    levels, times = _band_power(x, name)
    levels = np.maximum(levels - _bias(name), layout.SILENT_NOISE - 1)
    weights = np.stack([np.interp(times, knots, row) for row in np.eye(len(knots))], axis=1)
    smooth = np.diff(np.eye(len(knots)), axis=0)
    normal = weights.T @ weights + 0.03 * smooth.T @ smooth + 1e-6 * np.eye(len(knots))
    return np.asarray(np.linalg.solve(normal, weights.T @ levels))
