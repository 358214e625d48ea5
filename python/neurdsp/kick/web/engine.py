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

from neurdsp.errors import ModelFileError
from neurdsp.kick.code import CODE_SIZE, KickCode
from neurdsp.kick.kick import Kick
from neurdsp.kick.web.conf import setting
from neurdsp.kick.web.models import SavedKick

__all__ = [
    "DRAWN_RATE_HZ",
    "N_PEAKS",
    "BusyError",
    "generator",
    "pack",
    "peaks_of",
    "slot",
    "unpack",
    "wav_bytes",
]

Floats = NDArray[np.float32]

N_PEAKS = 240
"""Columns of a waveform."""
DRAWN_RATE_HZ = 44_100
"""The sample rate at which waveforms are drawn."""
_SUBTYPES = {16: "PCM_16", 24: "PCM_24", 32: "FLOAT"}
_KEY_BYTES = 8


class BusyError(Exception):
    """All slots were taken for longer than a request waits."""


@functools.cache
def _load(path: str, model: str) -> Any:
    loaded = import_string(path).load(model)
    if not getattr(loaded, "is_editable", True):
        raise ModelFileError(
            f"'{model}' makes spectrograms, and the page edits and varies kicks; give a generator of the "
            "preset fast"
        )
    return loaded


_loading = threading.Lock()


def generator() -> Any:
    """Return the `neurdsp.kick.infer.KickGenerator` of this process.

    Raises
    ------
    ModelFileError
        If the model file cannot be read, or its kicks cannot be edited.
    """
    with _loading:
        return _load(setting("GENERATOR"), setting("MODEL"))


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


def pack(kick: Kick) -> bytes:
    """Return what makes up a kick as bytes: the key of its noise, its code, and what it was generated from.

    Examples
    --------
    >>> len(pack(Kick(KickCode.silent(), key=1)))
    7228
    """
    parts = [np.uint64(kick.key).astype("<u8").tobytes(), kick.code.flat().astype("<f4").tobytes()]
    if kick.noise is not None:
        parts.append(np.asarray(kick.noise).astype("<f4").tobytes())
    return b"".join(parts)


def unpack(saved: SavedKick) -> Kick:
    """Return the kick of a row.

    Raises
    ------
    ModelFileError
        If the row does not hold a kick of this version.
    """
    data = bytes(saved.packed)
    size = _KEY_BYTES + 4 * CODE_SIZE
    if len(data) < size or (len(data) - size) % 4:
        raise ModelFileError(f"kick {saved.public_id} has {len(data)} bytes, which is no kick; delete it")
    noise = np.frombuffer(data, "<f4", offset=size).astype(np.float32)
    return Kick(
        KickCode.from_flat(np.frombuffer(data, "<f4", CODE_SIZE, _KEY_BYTES)),
        int.from_bytes(data[:_KEY_BYTES], "little"),
        keywords=tuple(saved.keywords),
        noise=noise if noise.size else None,
        negative=tuple(saved.negative),
        guidance=saved.guidance,
        attributes=tuple(sorted(saved.attributes.items())),
    )


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


def wav_bytes(audio: Floats, rate_hz: int, bits: int) -> bytes:
    """Return audio as a WAV file, made in memory.

    Parameters
    ----------
    audio
        ``(samples,)``, full scale at 1.
    rate_hz
        The sample rate.
    bits
        16, 24, or 32 for floats.

    Examples
    --------
    >>> wav_bytes(np.zeros(10, np.float32), 44_100, 16)[:4]
    b'RIFF'
    """
    import soundfile

    target = io.BytesIO()
    soundfile.write(target, audio, rate_hz, subtype=_SUBTYPES[bits], format="WAV")
    return target.getvalue()
