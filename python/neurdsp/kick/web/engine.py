"""The generator behind the service: loaded once in a process, used by few requests at a time."""

import functools
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from django.utils.module_loading import import_string
from numpy.typing import NDArray

from neurdsp.audio.files import forget_time
from neurdsp.kick.web.conf import setting

__all__ = [
    "DRAWN_RATE_HZ",
    "N_PEAKS",
    "BusyError",
    "file_bytes",
    "generator",
    "is_editable",
    "peaks_of",
    "slot",
]

Floats = NDArray[np.float32]

N_PEAKS = 240
"""Columns of a waveform."""
DRAWN_RATE_HZ = 44_100
"""The sample rate at which waveforms are drawn."""
_SUBTYPES = {16: "PCM_16", 24: "PCM_24", 32: "FLOAT"}


class BusyError(Exception):
    """All slots were taken for longer than a request waits."""


@functools.cache
def _load(path: str, model: str) -> Any:
    return import_string(path).load(model)


_loading = threading.Lock()


def generator() -> Any:
    """Return the `neurdsp.kick.infer.KickGenerator` of this process.

    Raises
    ------
    ModelFileError
        If the model file cannot be read.
    """
    with _loading:
        return _load(setting("GENERATOR"), setting("MODEL"))


def is_editable() -> bool:
    """Tell whether the generator makes codes, at once, or audio, which takes its time."""
    return bool(getattr(generator(), "is_editable", True))


@functools.cache
def _slots(count: int) -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(count)


@contextmanager
def slot() -> Iterator[None]:
    """Wait for leave to generate or render.

    Raises
    ------
    BusyError
        If none comes in time.
    """
    slots = _slots(setting("CONCURRENCY"))
    if not slots.acquire(timeout=setting("WAIT_S")):
        raise BusyError
    try:
        yield
    finally:
        slots.release()


def peaks_of(audio: Floats) -> bytes:
    r"""Return the least and the greatest sample of each column of a waveform, as signed bytes.

    Column i begins at ``(i / N_PEAKS) ** 2`` of the length: a kick is mostly attack, and this shows it.

    Parameters
    ----------
    audio
        ``(samples,)``, full scale at 1.

    Returns
    -------
    bytes
        ``2 * N_PEAKS`` of them: least and greatest of the first column, then of the second, and so on.

    Examples
    --------
    >>> peaks_of(np.ones(1000, np.float32))[:4]
    b'\x7f\x7f\x7f\x7f'
    """
    starts = (len(audio) * np.linspace(0, 1, N_PEAKS, endpoint=False) ** 2).astype(int)
    pairs = np.stack([np.minimum.reduceat(audio, starts), np.maximum.reduceat(audio, starts)], axis=1)
    return bytes(np.clip(np.round(127 * pairs), -127, 127).astype(np.int8).tobytes())


def file_bytes(audio: Floats, rate_hz: int, bits: int, kind: str = "WAV") -> bytes:
    """Return audio as a file, made in memory.

    Parameters
    ----------
    audio
        ``(samples,)``, full scale at 1.
    rate_hz
        The sample rate.
    bits
        16, 24, or 32 for floats.
    kind
        ``WAV`` or ``FLAC``.

    Examples
    --------
    >>> file_bytes(np.zeros(10, np.float32), 44_100, 16)[:4]
    b'RIFF'
    """
    import soundfile

    target = io.BytesIO()
    soundfile.write(target, audio, rate_hz, subtype=_SUBTYPES[bits], format=kind)
    forget_time(target)
    return target.getvalue()
