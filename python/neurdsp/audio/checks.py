"""Checks of samples and sample rates from a caller."""

import numpy as np
import numpy.typing as npt

from neurdsp.errors import ParameterError

__all__ = ["FloatArray", "check_audio", "check_sample_rate"]

FloatArray = npt.NDArray[np.float32]

_MAX_SAMPLE_RATE = 1_536_000


def check_sample_rate(sample_rate: float, *, name: str = "sample_rate") -> float:
    """Return ``sample_rate`` as a float, after checking its range.

    Raises
    ------
    ParameterError
        If it is not a number between 1 Hz and 1.536 MHz.
    """
    if (
        not isinstance(sample_rate, int | float | np.integer | np.floating)
        or not 1 <= sample_rate <= _MAX_SAMPLE_RATE
    ):
        raise ParameterError(f"{name} must be between 1 and {_MAX_SAMPLE_RATE} Hz, got {sample_rate!r}")
    return float(sample_rate)


def check_audio(
    audio: npt.ArrayLike,
    *,
    name: str = "audio",
    mono: bool = False,
    min_samples: int = 1,
    first_sample: int = 0,
) -> FloatArray:
    """Check samples, and return them as a contiguous float32 array.

    Parameters
    ----------
    audio : array_like, shape (n_samples,) or (n_channels, n_samples)
        Samples. Integers are rejected, because their full scale is not 1.0.
    name : str
        Name of the array in error messages: that of an argument or a file.
    mono : bool
        Whether to require one channel. The first axis of ``(1, n_samples)`` is then dropped.
    min_samples : int
        Shortest length that the caller can use.
    first_sample : int
        Position of the first sample in a longer stream, for error messages.

    Returns
    -------
    ndarray of float32
        The same samples, copied only if necessary.

    Raises
    ------
    ParameterError
        If the array is empty, too short, of the wrong shape or type, or contains NaN or infinity. The message
        names the first such sample.

    Examples
    --------
    >>> check_audio([0.0, 0.5, -0.5]).dtype
    dtype('float32')
    """
    array = np.asarray(audio)
    if array.dtype.kind in "iub" and array.size:
        raise ParameterError(
            f"{name} contains integers ({array.dtype}); convert them to floats with full scale at 1.0, "
            "for instance pcm16 / 32768"
        )
    if array.size and array.dtype.kind != "f":
        raise ParameterError(f"{name} must be an array of floats, got {array.dtype}")
    if array.ndim not in (1, 2):
        raise ParameterError(
            f"{name} must have shape (n_samples,) or (n_channels, n_samples), got {array.shape}"
        )
    if array.size == 0:
        raise ParameterError(f"{name} is empty; give at least {min_samples} samples")
    if mono and array.ndim == 2:
        if array.shape[0] != 1:
            raise ParameterError(
                f"{name} has shape {array.shape}, but mono is needed; give one channel (audio[0]) "
                "or the mean (audio.mean(axis=0))"
            )
        array = array[0]
    if array.shape[-1] < min_samples:
        raise ParameterError(f"{name} has {array.shape[-1]} samples; at least {min_samples} are needed")
    result: FloatArray = np.ascontiguousarray(array, dtype=np.float32)
    finite = np.isfinite(result)
    if not finite.all():
        _refuse_non_finite(result, ~finite, name, first_sample)
    return result


def _refuse_non_finite(array: FloatArray, bad: npt.NDArray[np.bool_], name: str, first_sample: int) -> None:
    rows = np.atleast_2d(bad)
    index = int(np.argmax(rows.any(axis=0)))
    channel = int(np.argmax(rows[:, index]))
    where = f"sample {index + first_sample}" + (f" of channel {channel}" if array.ndim == 2 else "")
    value = np.atleast_2d(array)[channel, index]
    raise ParameterError(
        f"{name}: {where} is {value}; {int(bad.sum())} samples are not finite. Repair or remove them, "
        "for instance with numpy.nan_to_num"
    )
