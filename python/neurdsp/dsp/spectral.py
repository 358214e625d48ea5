"""The short-time Fourier transform and its inverse."""

from typing import Any, Unpack, overload

import numpy as np
import numpy.typing as npt

from neurdsp.dsp.arrays import allocate, naming_rows, take_real, take_spectrum
from neurdsp.dsp.checks import complex_type, integer, real_type
from neurdsp.dsp.frames import default_threads, frame_key, is_exact, threads_for, warn_of_short_input
from neurdsp.dsp.options import IstftOptions, Other, Out, Precision, StftOptions, WindowSpec
from neurdsp.dsp.plans import planned_istft, planned_stft
from neurdsp.errors import ParameterError

__all__ = ["STFT", "istft", "stft"]

# Limit of the zeros that an inverse transform adds: an hour and a half of one channel.
_MOST_ZEROS = 1 << 28


class STFT:
    """A planned short-time Fourier transform, for repeated calls.

    Parameters
    ----------
    n_fft, hop_length, win_length, window, center, pad_mode, precision
        As in `stft`.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> transform = neurdsp.STFT(n_fft=512, hop_length=128)
    >>> spectrum = transform(np.ones(1000, np.float32))
    >>> spectrum.shape, transform.inverse(spectrum, length=1000).shape
    ((257, 8), (1000,))
    """

    def __init__(
        self,
        *,
        n_fft: int = 2048,
        hop_length: int | None = None,
        win_length: int | None = None,
        window: WindowSpec = "hann",
        center: bool = True,
        pad_mode: str = "constant",
        precision: Precision = "fast",
    ) -> None:
        self._frames = frame_key(
            n_fft=n_fft,
            hop_length=hop_length,
            win_length=win_length,
            window=window,
            center=center,
            pad_mode=pad_mode,
        )
        self._exact = is_exact(precision)
        self.n_fft = self._frames.n_fft
        self.hop_length = self._frames.hop_length
        planned_stft(self._frames, self._exact)

    def n_frames(self, n_samples: int) -> int:
        """Return the number of frames of a signal of ``n_samples``."""
        return planned_stft(self._frames, self._exact).n_frames(integer("n_samples", n_samples, 0))

    @overload
    def __call__(
        self, y: Other, *, dtype: npt.DTypeLike | None = None, out: None = None, n_threads: int | None = None
    ) -> Other: ...
    @overload
    def __call__(
        self,
        y: npt.NDArray[Any],
        *,
        dtype: npt.DTypeLike | None = None,
        out: None = None,
        n_threads: int | None = None,
    ) -> npt.NDArray[Any]: ...
    @overload
    def __call__(
        self, y: Any, *, dtype: npt.DTypeLike | None = None, out: Out, n_threads: int | None = None
    ) -> Out: ...
    def __call__(
        self, y: Any, *, dtype: npt.DTypeLike | None = None, out: Any = None, n_threads: int | None = None
    ) -> Any:
        """Return the complex spectrum ``(..., 1 + n_fft // 2, n_frames)`` of ``y``; see `stft`."""
        batch = take_real(y)
        dtype = np.result_type(batch.dtype, np.complex64) if dtype is None else complex_type(dtype)
        double = self._exact or batch.dtype == np.float64 or dtype == np.complex128
        plan = planned_stft(self._frames, double)
        warn_of_short_input(batch.entries, self._frames)
        shapes = [(self._frames.n_bins, plan.n_frames(entry.shape[-1])) for entry in batch.entries]
        results = allocate(batch, shapes, dtype, out)
        with naming_rows(batch, "y"):
            plan.process(batch.entries, results, threads_for(batch.entries, self._frames, n_threads))
        return batch.give_back(results) if out is None else out

    @overload
    def inverse(
        self,
        stft_matrix: npt.NDArray[Any],
        *,
        length: int | None = None,
        out: None = None,
        n_threads: int | None = None,
    ) -> npt.NDArray[Any]: ...
    @overload
    def inverse(
        self, stft_matrix: Other, *, length: int | None = None, out: None = None, n_threads: int | None = None
    ) -> Other: ...
    @overload
    def inverse(
        self, stft_matrix: Any, *, length: int | None = None, out: Out, n_threads: int | None = None
    ) -> Out: ...
    def inverse(
        self, stft_matrix: Any, *, length: int | None = None, out: Any = None, n_threads: int | None = None
    ) -> Any:
        """Return the signal ``(..., n_samples)`` of a spectrum; see `istft`."""
        batch = take_spectrum(stft_matrix, "stft_matrix")
        n_bins = self._frames.n_bins
        for entry in batch.entries:
            if entry.shape[1] != n_bins:
                raise ParameterError(
                    f"stft_matrix has {entry.shape[1]} bins, but n_fft = {self.n_fft} makes {n_bins}; pass "
                    "the n_fft of the forward transform"
                )
        double = self._exact or batch.dtype == np.complex128
        dtype = np.float64 if batch.dtype == np.complex128 else np.float32
        if length is not None:
            length = integer("length", length, 1)
        n_zeros = 0
        frames = self._frames
        entries, lengths = [], []
        for entry in batch.entries:
            n_frames = entry.shape[-1]
            if length is not None:
                n_frames = min(n_frames, -(-(length + 2 * frames.pad) // self.hop_length))
                entry = np.ascontiguousarray(entry[..., :n_frames])
            entries.append(entry)
            natural = self.n_fft + self.hop_length * (n_frames - 1) - 2 * frames.pad
            if length is None and natural < 1:
                raise ParameterError(
                    f"{n_frames} frames with hop_length = {self.hop_length} hold no sample beside their "
                    "padding; pass more frames, or length"
                )
            lengths.append(length if length is not None else natural)
            n_zeros += len(entry) * max(lengths[-1] - n_frames * self.n_fft, 0)
        if n_zeros > _MOST_ZEROS:
            raise ParameterError(
                f"length is {length} with hop_length = {self.hop_length}, which adds {n_zeros} zeros "
                f"where no frame reaches, but at most {_MOST_ZEROS} are; lower it or pass more frames"
            )
        results = allocate(batch, [(n,) for n in lengths], dtype, out)
        n_rows = sum(len(entry) for entry in entries)
        threads = default_threads(n_threads, n_rows, max(lengths), self.n_fft, self.hop_length)
        plan = planned_istft(frames.n_fft, frames.hop_length, frames.window, frames.pad, double)
        with naming_rows(batch, "stft_matrix"):
            plan.process(entries, results, threads)
        return batch.give_back(results) if out is None else out


@overload
def stft(
    y: Other, *, dtype: npt.DTypeLike | None = None, out: None = None, **options: Unpack[StftOptions]
) -> Other: ...
@overload
def stft(
    y: npt.NDArray[Any],
    *,
    dtype: npt.DTypeLike | None = None,
    out: None = None,
    **options: Unpack[StftOptions],
) -> npt.NDArray[Any]: ...
@overload
def stft(y: Any, *, dtype: npt.DTypeLike | None = None, out: Out, **options: Unpack[StftOptions]) -> Out: ...
def stft(
    y: Any,
    *,
    n_fft: int = 2048,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: WindowSpec = "hann",
    center: bool = True,
    dtype: npt.DTypeLike | None = None,
    pad_mode: str = "constant",
    out: Any = None,
    precision: Precision = "fast",
    n_threads: int | None = None,
) -> Any:
    """Return the short-time Fourier transform, with librosa's parameters and layout.

    Parameters
    ----------
    y
        float32 or float64, ``(..., n_samples)``: a numpy array, a torch tensor on the CPU, or a list of them
        (a ragged batch). Contiguous rows are read in place.
    n_fft
        Length of the transform in samples; any positive number.
    hop_length
        Distance between frames in samples; a quarter of ``win_length`` if None.
    win_length
        Length of the window in samples, ``n_fft`` by default; a shorter window lies in the middle of its
        frame.
    window
        A periodic window; see `neurdsp.filters.get_window`.
    center
        Whether frame ``t`` is centred on sample ``t * hop_length``; the signal is then padded by
        ``n_fft // 2`` samples at each end.
    dtype
        complex64 or complex128; by default complex64 for float32 and complex128 for float64.
    pad_mode
        Padding: ``constant`` (zeros), ``reflect``, ``edge``, ``symmetric`` or ``wrap``, for signals of any
        length.
    out
        Array for the result: C-contiguous, and of its type and shape. A list for a list.
    precision
        ``"exact"`` transforms float32 in float64 and rounds once, as librosa effectively does.
    n_threads
        Number of threads; by default one, or all cores for a batch or a long file. It does not change the
        result.

    Returns
    -------
    numpy.ndarray, torch.Tensor or list
        Complex, ``(..., 1 + n_fft // 2, n_frames)``, of the kind of ``y``.

    Raises
    ------
    ParameterError
        If a parameter is outside its domain, ``y`` is empty, not floating point, or holds NaN or infinity,
        or is too short for a frame with ``center=False``.

    Warns
    -----
    UserWarning
        If ``y`` is centred and shorter than ``n_fft``: every frame then holds padding.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> neurdsp.stft(np.ones(22050, np.float32)).shape
    (1025, 44)
    """
    transform = STFT(
        n_fft=n_fft,
        hop_length=hop_length,
        win_length=win_length,
        window=window,
        center=center,
        pad_mode=pad_mode,
        precision=precision,
    )
    return transform(y, dtype=dtype, out=out, n_threads=n_threads)


@overload
def istft(
    stft_matrix: Other,
    *,
    dtype: npt.DTypeLike | None = None,
    out: None = None,
    **options: Unpack[IstftOptions],
) -> Other: ...
@overload
def istft(
    stft_matrix: npt.NDArray[Any],
    *,
    dtype: npt.DTypeLike | None = None,
    out: None = None,
    **options: Unpack[IstftOptions],
) -> npt.NDArray[Any]: ...
@overload
def istft(
    stft_matrix: Any, *, dtype: npt.DTypeLike | None = None, out: Out, **options: Unpack[IstftOptions]
) -> Out: ...
def istft(
    stft_matrix: Any,
    *,
    hop_length: int | None = None,
    win_length: int | None = None,
    n_fft: int | None = None,
    window: WindowSpec = "hann",
    center: bool = True,
    dtype: npt.DTypeLike | None = None,
    length: int | None = None,
    out: Any = None,
    precision: Precision = "fast",
    n_threads: int | None = None,
) -> Any:
    """Inverse short-time Fourier transform: overlap-add over the sum of the squared windows, as librosa's.

    Parameters
    ----------
    stft_matrix
        complex64 or complex128, ``(..., 1 + n_fft // 2, n_frames)``: a numpy array, a torch tensor, or a
        list.
    hop_length, win_length, window, center
        As in the forward transform.
    n_fft
        That of the forward transform; by default the even number ``2 * (n_bins - 1)``.
    dtype
        float32 or float64; by default that of the input.
    length
        Length of the result in samples: it is cut, or padded with zeros where no frame reaches.
    out, precision, n_threads
        As in `stft`.

    Returns
    -------
    numpy.ndarray, torch.Tensor or list
        ``(..., n_samples)``.

    Raises
    ------
    ParameterError
        If a parameter is outside its domain, or the shape does not fit ``n_fft``.

    Notes
    -----
    The sum of the squared windows has a floor: a thousandth of its largest value. Where only the end of a
    window reaches (at both ends with ``center=False``, past the last hop with a greater ``length``), the
    signal fades out. Without the floor, as in librosa, rounding errors and what a mask leaves there are
    divided by next to nothing: 2.7e8 of a signal of peak 0.4, with a Blackman window.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> y = np.sin(np.arange(8000) / 10)
    >>> bool(np.abs(neurdsp.istft(neurdsp.stft(y), length=8000) - y).max() < 1e-12)
    True
    """
    if n_fft is None:
        first = stft_matrix[0] if isinstance(stft_matrix, (list, tuple)) and stft_matrix else stft_matrix
        shape = getattr(first, "shape", None)
        if not isinstance(shape, tuple) or len(shape) < 2:
            shape = take_spectrum(stft_matrix, "stft_matrix").entries[0].shape  # which says what is wrong
        n_fft = max(2 * (shape[-2] - 1), 1)
    transform = STFT(
        n_fft=n_fft,
        hop_length=hop_length,
        win_length=win_length,
        window=window,
        center=center,
        precision=precision,
    )
    wanted = None if dtype is None else real_type(dtype)
    y = transform.inverse(stft_matrix, length=length, out=out, n_threads=n_threads)
    return y if wanted is None or out is not None else _cast(y, wanted)


def _cast(y: Any, dtype: np.dtype[Any]) -> Any:
    if isinstance(y, list):
        return [_cast(entry, dtype) for entry in y]
    if isinstance(y, np.ndarray):
        return y.astype(dtype, copy=False)
    return y.double() if dtype == np.float64 else y.float()
