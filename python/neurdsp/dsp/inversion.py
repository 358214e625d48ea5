"""From mel spectrograms and magnitudes back to audio."""

from typing import Any, Literal, TypedDict, Unpack, overload

import numpy as np
import numpy.typing as npt

from neurdsp._notices import warn
from neurdsp.dsp.checks import choice, integer, number, real_type, shown
from neurdsp.dsp.filters import mel_key
from neurdsp.dsp.options import MelNorm, Other, WindowSpec
from neurdsp.dsp.plans import mel_filters
from neurdsp.dsp.spectral import STFT
from neurdsp.dsp.values import lists_and_tensors, take_values
from neurdsp.errors import ParameterError

__all__ = ["griffinlim", "mel_to_audio", "mel_to_stft"]


class MelToStftOptions(TypedDict, total=False):
    """Parameters of `mel_to_stft` besides ``M``."""

    sr: float
    n_fft: int
    power: float
    n_mels: int | None
    fmin: float
    fmax: float | None
    htk: bool
    norm: MelNorm
    n_iter: int


class GriffinLimOptions(TypedDict, total=False):
    """Parameters of `griffinlim` besides ``S`` and ``n_fft``."""

    n_iter: int
    hop_length: int | None
    win_length: int | None
    window: WindowSpec
    center: bool
    dtype: npt.DTypeLike | None
    length: int | None
    pad_mode: str
    momentum: float
    init: Literal["random"] | None
    random_state: int | np.random.RandomState | np.random.Generator | None


class MelToAudioOptions(GriffinLimOptions, total=False):
    """Parameters that `mel_to_audio` passes on to `mel_to_stft` and `griffinlim`."""

    n_mels: int | None
    fmin: float
    fmax: float | None
    htk: bool
    norm: MelNorm


@overload
def mel_to_stft(M: Other, **options: Unpack[MelToStftOptions]) -> Other: ...
@overload
def mel_to_stft(M: npt.ArrayLike, **options: Unpack[MelToStftOptions]) -> npt.NDArray[Any]: ...
@lists_and_tensors("M")
def mel_to_stft(
    M: Any,
    *,
    sr: float = 22050,
    n_fft: int = 2048,
    power: float = 2.0,
    n_mels: int | None = None,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    norm: MelNorm = "slaney",
    n_iter: int = 300,
) -> Any:
    """Return the magnitudes whose mel spectrogram is nearest to ``M``, by non-negative least squares.

    Accelerated projected gradients: A. Beck and M. Teboulle, "A fast iterative shrinkage-thresholding
    algorithm", SIAM J. Imaging Sciences 2 (2009).

    Parameters
    ----------
    M
        A mel spectrogram, ``(..., n_mels, n_frames)``: a numpy array, a torch tensor, or a list of them.
    sr, n_fft, fmin, fmax, htk, norm
        The values with which ``M`` was made.
    power
        Exponent with which ``M`` was made; the result has exponent 1.
    n_mels
        Number of bands of ``M``, if given.
    n_iter
        Number of iterations.

    Returns
    -------
    numpy.ndarray, torch.Tensor or list
        ``(..., 1 + n_fft // 2, n_frames)``, not negative, of the kind of ``M``.

    Raises
    ------
    ParameterError
        If ``M`` is not a real, finite ``(..., n_mels, n_frames)`` or a parameter is outside its domain.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> neurdsp.mel_to_stft(np.ones((128, 5), np.float32)).shape
    (1025, 5)
    """
    target = _finite(M, "M", "(..., n_mels, n_frames)")
    if n_mels is not None and integer("n_mels", n_mels, 1) != target.shape[-2]:
        raise ParameterError(f"n_mels is {n_mels}, but M has {target.shape[-2]} bands; leave n_mels out")
    power, n_iter = number("power", power, above=0), integer("n_iter", n_iter, 0, 1_000_000)
    key = mel_key(sr=sr, n_fft=n_fft, n_mels=target.shape[-2], fmin=fmin, fmax=fmax, htk=htk, norm=norm)
    basis = mel_filters(key)[0]
    largest = np.linalg.norm(basis, 2) ** 2
    if not np.finfo(np.float64).tiny < largest < np.inf:
        raise ParameterError(
            f"n_fft is {n_fft}, with which no bin falls into any mel filter at sr = {sr:g} Hz; raise "
            "n_fft or fmax"
        )
    # The least-norm solution is a good start, though its negative values have to be made up for.
    wanted = np.moveaxis(target.astype(np.float64), -2, 0).reshape(len(basis), -1)
    solution = np.maximum(np.linalg.pinv(basis) @ wanted, 0.0)
    step = 1.0 / largest
    ahead, momentum = solution, 1.0
    for _ in range(n_iter):
        moved = np.maximum(ahead - step * (basis.T @ (basis @ ahead - wanted)), 0.0)
        following = (1.0 + np.sqrt(1.0 + 4.0 * momentum**2)) / 2.0
        ahead = moved + (momentum - 1.0) / following * (moved - solution)
        solution, momentum = moved, following
    bins = solution.reshape(-1, *target.shape[:-2], target.shape[-1])
    with np.errstate(over="ignore"):
        magnitudes = np.moveaxis(bins ** (1.0 / power), 0, -2).astype(target.dtype)
    if not np.isfinite(magnitudes).all():
        raise ParameterError(
            f"power is {power:g}, which makes magnitudes beyond {target.dtype} of M; pass the power of "
            "the mel spectrogram, usually 2"
        )
    return magnitudes


@overload
def griffinlim(S: Other, *, n_fft: int | None = None, **options: Unpack[GriffinLimOptions]) -> Other: ...
@overload
def griffinlim(
    S: npt.ArrayLike, *, n_fft: int | None = None, **options: Unpack[GriffinLimOptions]
) -> npt.NDArray[Any]: ...
@lists_and_tensors("S")
def griffinlim(
    S: Any,
    *,
    n_iter: int = 32,
    hop_length: int | None = None,
    win_length: int | None = None,
    n_fft: int | None = None,
    window: WindowSpec = "hann",
    center: bool = True,
    dtype: npt.DTypeLike | None = None,
    length: int | None = None,
    pad_mode: str = "constant",
    momentum: float = 0.99,
    init: Literal["random"] | None = "random",
    random_state: int | np.random.RandomState | np.random.Generator | None = None,
) -> Any:
    """Return audio whose STFT has magnitudes near ``S``, by the fast Griffin-Lim algorithm, as librosa's.

    N. Perraudin, P. Balazs and P. L. Søndergaard, "A fast Griffin-Lim algorithm", WASPAA 2013.

    Parameters
    ----------
    S
        Magnitudes, ``(..., 1 + n_fft // 2, n_frames)``: a numpy array, a torch tensor, or a list of them.
    n_iter
        Number of iterations.
    hop_length, win_length, n_fft, window, center, dtype, length
        As in `neurdsp.istft`.
    pad_mode
        As in `neurdsp.stft`.
    momentum
        Momentum of the fast algorithm, usually from 0 (the original of Griffin and Lim) to 1.
    init
        ``"random"`` phases, or None for zero phases.
    random_state
        A seed or a generator.

    Returns
    -------
    numpy.ndarray, torch.Tensor or list
        ``(..., n_samples)``, of the kind of ``S``.

    Raises
    ------
    ParameterError
        If ``S`` is not real and finite or a parameter is outside its domain.

    Warns
    -----
    UserWarning
        If ``momentum`` is above 1, or ``S`` stands for fewer samples than a frame has.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> magnitudes = np.abs(neurdsp.stft(np.sin(np.arange(8192) / 7)))
    >>> neurdsp.griffinlim(magnitudes, n_iter=4, random_state=0).shape
    (8192,)
    """
    magnitudes = _finite(S, "S", "(..., n_bins, n_frames)")
    momentum = number("momentum", momentum, least=0)
    choice("init", init, ("random", None))
    wanted = magnitudes.dtype if dtype is None else real_type(dtype)
    if momentum > 1:
        warn(f"momentum is {momentum!r}, above 1, with which griffinlim may fail to converge; 0.99 is usual")
    n_iter = integer("n_iter", n_iter, 0, 1_000_000)
    generator = _generator(random_state)
    transform = STFT(
        n_fft=max(2 * (magnitudes.shape[-2] - 1), 1) if n_fft is None else n_fft,
        hop_length=hop_length,
        win_length=win_length,
        window=window,
        center=center,
        pad_mode=pad_mode,
    )
    spectrum = magnitudes.astype(np.result_type(magnitudes.dtype, np.complex64))
    if init == "random":
        phases = 2 * np.pi * generator.random(size=magnitudes.shape)
        spectrum *= np.exp(1j * phases)
    tiny = np.finfo(magnitudes.dtype).tiny
    share = momentum / (1 + momentum)
    before = None
    for _ in range(n_iter):
        rebuilt = transform(transform.inverse(spectrum, length=length))
        if rebuilt.shape != spectrum.shape:
            raise ParameterError(
                f"S has {spectrum.shape[-1]} frames, but length = {length} makes {rebuilt.shape[-1]}"
            )
        spectrum = rebuilt if before is None else rebuilt - share * before
        spectrum = spectrum / (np.abs(spectrum) + tiny) * magnitudes
        before = rebuilt
    y = transform.inverse(spectrum, length=length)
    result: npt.NDArray[Any] = y.astype(wanted, copy=False)
    return result


def _finite(data: Any, name: str, shape: str) -> npt.NDArray[Any]:
    """Return finite numbers in two dimensions or more."""
    values = take_values(data, name, least_dims=2, shape=shape)
    if values.size == 0:
        raise ParameterError(f"{name} is empty (shape {values.shape}); pass at least one frame")
    if not np.isfinite(values).all():
        raise ParameterError(f"{name} holds NaN or infinity; repair it first (numpy.nan_to_num)")
    return values


def _generator(random_state: Any) -> np.random.RandomState | np.random.Generator:
    """Return a source of random numbers; a seed gives the one that librosa would use."""
    if random_state is None:
        return np.random.default_rng()
    if isinstance(random_state, (np.random.RandomState, np.random.Generator)):
        return random_state
    try:
        return np.random.RandomState(integer("random_state", random_state, 0))
    except ValueError as error:
        raise ParameterError(
            f"random_state is {shown(random_state)}, but it must be a seed from 0 to {2**32 - 1}, a "
            "numpy.random.Generator, a numpy.random.RandomState or None"
        ) from error


@overload
def mel_to_audio(
    M: Other,
    *,
    sr: float = 22050,
    n_fft: int = 2048,
    power: float = 2.0,
    **parameters: Unpack[MelToAudioOptions],
) -> Other: ...
@overload
def mel_to_audio(
    M: npt.ArrayLike,
    *,
    sr: float = 22050,
    n_fft: int = 2048,
    power: float = 2.0,
    **parameters: Unpack[MelToAudioOptions],
) -> npt.NDArray[Any]: ...
@lists_and_tensors("M")
def mel_to_audio(
    M: Any, *, sr: float = 22050, n_fft: int = 2048, power: float = 2.0, **parameters: Any
) -> Any:
    """Return the audio of a mel spectrogram: `mel_to_stft`, then `griffinlim`.

    Parameters
    ----------
    M, sr, n_fft, power
        As in `mel_to_stft`.
    **parameters
        ``n_mels``, ``fmin``, ``fmax``, ``htk`` and ``norm`` of `mel_to_stft`; all else of `griffinlim`.

    Returns
    -------
    numpy.ndarray, torch.Tensor or list
        ``(..., n_samples)``, of the kind of ``M``.

    Raises
    ------
    ParameterError
        As `mel_to_stft` and `griffinlim`.

    Warns
    -----
    UserWarning
        As `griffinlim`.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> mel = neurdsp.mel_spectrogram(np.sin(np.arange(8192) / 7))
    >>> neurdsp.mel_to_audio(mel, n_iter=4, random_state=0).shape
    (8192,)
    """
    mel_names = ("n_mels", "fmin", "fmax", "htk", "norm")
    mel = {name: parameters.pop(name) for name in mel_names if name in parameters}
    magnitudes = mel_to_stft(M, sr=sr, n_fft=n_fft, power=power, **mel)
    return griffinlim(magnitudes, n_fft=n_fft, **parameters)
