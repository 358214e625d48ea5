"""Checks of samples and sample rates that a user handed over."""

import numpy as np
import numpy.typing as npt

from neurdsp.errors import ParameterError

__all__ = ["FloatArray", "check_audio", "check_sample_rate"]

FloatArray = npt.NDArray[np.float32]

_MAX_SAMPLE_RATE = 1_536_000


def check_sample_rate(sample_rate: float, *, name: str = "sample_rate") -> float:
    """Return ``sample_rate`` as a float if it is a number between 1 Hz and 1.536 MHz.

    Raises
    ------
    ParameterError
        If it is not.
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
    """Check samples that a user handed over, and return them as contiguous float32.

    Parameters
    ----------
    audio : array_like, shape (n_samples,) or (n_channels, n_samples)
        Samples; integers are refused, because their full scale is not 1.0.
    name : str
        How the message calls the array: an argument's name or a file's.
    mono : bool
        Whether only one channel will do. ``(1, n_samples)`` then loses its first axis.
    min_samples : int
        The least length that makes sense to the caller.
    first_sample : int
        The position of the first sample in a longer stream, for the message.

    Returns
    -------
    ndarray of float32
        The same samples, copied only if they have to be.

    Raises
    ------
    ParameterError
        If the array is empty, too short, of the wrong shape or type, or holds NaN or infinity; the message
        names the first bad sample.

    Examples
    --------
    >>> check_audio([0.0, 0.5, -0.5]).dtype
    dtype('float32')
    """
    array = np.asarray(audio)
    if array.dtype.kind in "iub" and array.size:
        raise ParameterError(
            f"{name} holds integers ({array.dtype}); convert it to floats with full scale at 1.0, "
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
        f"{name}: {where} is {value}; {int(bad.sum())} samples are not finite. Repair or cut them, "
        "for instance with numpy.nan_to_num"
    )
