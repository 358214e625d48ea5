"""Known inputs with references of their own: blips for the latency, a repeat, a validation passage.

They are recognised by their structure, not by a hash, so that a copy in another format, at another level or
with a trimmed end is recognised too. The layouts of the four input files of the Neural Amp Modeler are those
of its trainer (``nam/train/core.py``, version 0.13).
"""

from dataclasses import dataclass

import numpy as np

from neurdsp.amp.capture.signal import LAYOUT
from neurdsp.audio import FloatArray

__all__ = ["OWN_MATERIAL", "UNKNOWN_INPUT", "KnownInput", "find_blips", "find_repeats", "recognise"]

OWN_MATERIAL = "own material"
"""Name of an input that is not one of the known ones."""

Range = tuple[int, int]

_QUIET_S = 0.05
_BLIP_SAMPLES = 16
_BLIP_LEVEL = 0.03
_BLIP_RATIO = 1e-3
_MAX_CANDIDATES = 256


@dataclass(frozen=True)
class KnownInput:
    """Structure of an input.

    Parameters
    ----------
    name
        Its name.
    blips
        Positions of single-sample clicks in silence.
    validation
        The range that its makers reserve for validation, if there is one.
    repeat
        The range with the same samples as ``validation``, if there is one.
    """

    name: str
    blips: tuple[int, ...] = ()
    validation: Range | None = None
    repeat: Range | None = None

    def cut(self, n_samples: int) -> "KnownInput":
        """Return the structure of the same input without its first samples.

        Parameters
        ----------
        n_samples
            0 or more. Blips in that part are left out, and so is a passage that begins there.

        Examples
        --------
        >>> KnownInput("made", blips=(50, 500), validation=(1000, 2000), repeat=(80, 1080)).cut(100)
        KnownInput(name='made', blips=(400,), validation=(900, 1900), repeat=None)
        """
        if n_samples == 0:
            return self

        def moved(passage: Range | None) -> Range | None:
            if passage is None or passage[0] < n_samples:
                return None
            return passage[0] - n_samples, passage[1] - n_samples

        blips = tuple(blip - n_samples for blip in self.blips if blip >= n_samples)
        return KnownInput(self.name, blips, moved(self.validation), moved(self.repeat))


UNKNOWN_INPUT = KnownInput(OWN_MATERIAL)


def find_blips(signal: FloatArray, sample_rate: float) -> tuple[int, ...]:
    """Find clicks of at most 16 samples with 50 ms of silence (-60 dB) before and after them.

    Parameters
    ----------
    signal
        ``(n_samples,)``.
    sample_rate
        In Hz.

    Returns
    -------
    tuple of int
        Where they begin. A click at the very beginning of the file is not found: there is no silence before
        it.

    Examples
    --------
    >>> signal = np.zeros(20_000, np.float32)
    >>> signal[9_000] = 0.9
    >>> find_blips(signal, 48_000)
    (9000,)
    """
    quiet = round(_QUIET_S * sample_rate)
    magnitude = np.abs(signal)
    # The first loud sample of a blip follows a quiet one; this excludes most samples at once.
    loud = magnitude > _BLIP_LEVEL
    starts = np.flatnonzero(loud[1:] & ~loud[:-1]) + 1
    # Only starts far from the loud samples before them; there are few in played music.
    loud_at = np.flatnonzero(loud)
    before = np.searchsorted(loud_at, starts) - 1
    alone = (before < 0) | (starts - loud_at[np.maximum(before, 0)] > quiet)
    found = []
    for start in starts[alone][:_MAX_CANDIDATES]:
        if start < quiet or start + quiet > signal.size:
            continue
        peak = magnitude[start : start + _BLIP_SAMPLES].max()
        silence = max(
            magnitude[start - quiet : start - 2].max(), magnitude[start + _BLIP_SAMPLES : start + quiet].max()
        )
        if silence <= _BLIP_RATIO * peak:
            found.append(int(start + np.argmax(magnitude[start : start + _BLIP_SAMPLES] > 0.5 * peak)))
    return tuple(found)


def find_repeats(signal: FloatArray, passage: Range) -> tuple[Range, ...]:
    """Find the repetitions of a passage in a signal, sample for sample.

    Parameters
    ----------
    signal
        ``(n_samples,)``.
    passage
        ``(start, stop)``.

    Returns
    -------
    tuple of (int, int)
        Other ranges, in order, whose samples differ from the passage by less than -40 dB.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    >>> find_repeats(np.concatenate([noise, noise[:100], noise]), (1100, 2100))
    ((0, 1000),)
    """
    start, stop = passage
    length = stop - start
    # First find a probe from the middle, then compare the whole passage.
    probe_length = min(length, 1 << 16)
    offset = (length - probe_length) // 2
    probe = signal[start + offset : start + offset + probe_length].astype(np.float64)
    energy = float(np.dot(probe, probe))
    if energy == 0:
        return ()
    sliding = np.concatenate([[0.0], np.cumsum(np.square(signal, dtype=np.float64))])
    found: list[Range] = []
    block = 1 << 19
    for begin in range(0, max(1, signal.size - probe_length + 1), block):
        part = signal[begin : begin + block + probe_length - 1]
        if part.size < probe_length:
            break
        n_fft = 1 << (part.size + probe_length - 1).bit_length()
        spectrum = np.fft.rfft(part, n_fft) * np.conj(np.fft.rfft(probe, n_fft))
        product = np.fft.irfft(spectrum, n_fft)[: part.size - probe_length + 1]
        there = np.arange(begin, begin + product.size)
        difference = sliding[there + probe_length] - sliding[there] + energy - 2 * product
        for at in there[difference < 1e-4 * energy]:
            first = int(at) - offset
            if first < 0 or first + length > signal.size or abs(first - start) < length:
                continue
            other, own = signal[first : first + length], signal[start:stop]
            error = float(np.sum(np.square(other - own, dtype=np.float64)))
            if error < 1e-4 * float(np.sum(np.square(own, dtype=np.float64))):
                found.append((first, first + length))
    return tuple(found)


@dataclass(frozen=True)
class _Layout:
    name: str
    sample_rate: int | None  # None: any, positions in seconds
    blips: tuple[float, ...]  # negative: from the end
    least_seconds: float
    validation: tuple[float, float]
    repeat: tuple[float, float] | None


# In seconds; negative counts from the end.
_LAYOUTS = (
    _Layout("neurdsp capture signal", None, LAYOUT.blips, 179.0, LAYOUT.validation, LAYOUT.repeat),
    _Layout("NAM input v3", 48_000, (10.5, 11.5), 185.0, (-9.0, 0.0), (0.0, 9.0)),
    _Layout("NAM input v2", 48_000, (0.5, 1.5, -1.5, -0.5), 185.0, (-20.0, -11.0), (-11.0, -2.0)),
    _Layout("NAM input v1", 48_000, (0.25, 0.75), 60.0, (-9.0, 0.0), None),
    _Layout("NAM input v4 (Proteus)", 44_100, (0.5,), 60.0, (-10.0, 0.0), None),
)


def recognise(signal: FloatArray, sample_rate: float) -> KnownInput:
    """Recognise an input.

    Parameters
    ----------
    signal
        The input, ``(n_samples,)``.
    sample_rate
        In Hz.

    Returns
    -------
    KnownInput
        One of the known files, or ``"own material"`` with the blips in it.

    Examples
    --------
    >>> recognise(np.zeros(48_000, np.float32), 48_000)
    KnownInput(name='own material', blips=(), validation=None, repeat=None)
    """
    blips = find_blips(signal, sample_rate)

    def at(seconds: float) -> int:
        return round(seconds * sample_rate) + (signal.size if seconds < 0 else 0)

    def span(pair: tuple[float, float]) -> Range:
        return at(pair[0]), at(pair[1]) or signal.size

    for layout in _LAYOUTS:
        if layout.sample_rate not in (None, sample_rate) or signal.size < layout.least_seconds * sample_rate:
            continue
        expected = [at(t) for t in layout.blips]
        near = [blip for t in expected for blip in blips if abs(blip - t) <= _BLIP_SAMPLES]
        if len(near) < len(expected):
            continue
        validation = span(layout.validation)
        repeat = span(layout.repeat) if layout.repeat else None
        if validation[1] > signal.size:
            continue
        if repeat is not None and repeat not in find_repeats(signal, validation):
            repeat = None
        return KnownInput(layout.name, tuple(near), validation, repeat)
    return KnownInput(OWN_MATERIAL, blips)
