"""Spectrograms, mel spectrograms and their logarithms."""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from neurdsp import _core
from neurdsp.dsp.arrays import Batch, allocate, take_real
from neurdsp.dsp.checks import choice, integer, number, real_type
from neurdsp.dsp.filters import MelNorm, mel_key
from neurdsp.dsp.plans import Frames, Precision, WindowSpec, mel_filters
from neurdsp.dsp.spectral import is_exact, threads_for, warn_of_short_input
from neurdsp.dsp.values import lists_and_tensors, take_values
from neurdsp.errors import ParameterError

if TYPE_CHECKING:
    from neurdsp.dsp.streams import MelStream

__all__ = ["Log", "MelSpectrogram", "log_mel", "mel_spectrogram", "spectrogram"]

Log: TypeAlias = Literal["ln", "log10", "db"]

Normalize: TypeAlias = Literal["whisper", "per_feature"]

_LOG_SCALES = {"ln": 1.0, "log10": 1.0 / np.log(10.0), "db": 10.0 / np.log(10.0)}


@dataclass(frozen=True, kw_only=True)
class MelSpectrogram:
    """A planned mel spectrogram, for hot loops, for streams and for the conventions of other programs.

    Parameters
    ----------
    sr
        Sample rate in hertz.
    n_fft, hop_length, win_length, window, center, pad_mode, precision
        As in `neurdsp.stft`; librosa's ``hop_length`` of 512 by default.
    power
        Exponent of the magnitude: 2 for power, 1 for magnitude.
    n_mels, fmin, fmax, htk, norm
        As in `neurdsp.filters.mel`.
    log
        None, or a logarithm of the result: ``"ln"``, ``"log10"``, or ``"db"`` (``10 log10``).
    floor, offset
        The logarithm is that of ``max(value, floor) + offset``.
    n_bins
        Keep so many linear bins, the lowest ones, and apply no mel filters.
    eps
        Magnitudes (``power`` 1) are ``sqrt(|X|**2 + eps)``.
    pad
        Samples of padding at each end, instead of those of ``center``.
    drop_last
        Leave out the last frame.
    periodic
        Whether the window is periodic; symmetric otherwise.
    preemphasis
        Subtract this times the sample before from each sample of the signal.
    frame_filter
        ``(remove_mean, preemphasis)`` of each frame, before a window that begins with the frame: Kaldi's.
    triangles_over_mel
        The filters are triangles over mel, not over hertz: Kaldi's.
    normalize
        What is done to the whole at the end: ``"whisper"`` (within 8 of the maximum, then ``(x + 4) / 4``) or
        ``"per_feature"`` (each row less its mean, over its deviation).

    Raises
    ------
    ParameterError
        If a parameter is outside its domain.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> mel = neurdsp.MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=80, log="ln")
    >>> mel(np.zeros((2, 16000), np.float32)).shape
    (2, 80, 101)
    >>> neurdsp.MelSpectrogram.preset("whisper")(np.zeros(16000, np.float32)).shape
    (80, 100)
    """

    sr: float = 22050
    n_fft: int = 2048
    hop_length: int | None = 512
    win_length: int | None = None
    window: WindowSpec = "hann"
    center: bool = True
    pad_mode: str = "constant"
    power: float = 2.0
    n_mels: int = 128
    fmin: float = 0.0
    fmax: float | None = None
    htk: bool = False
    norm: MelNorm = "slaney"
    log: Log | None = None
    floor: float = 1e-5
    offset: float = 0.0
    n_bins: int | None = None
    eps: float = 0.0
    pad: int | None = None
    drop_last: bool = False
    periodic: bool = True
    preemphasis: float = 0.0
    frame_filter: tuple[bool, float] | None = None
    triangles_over_mel: bool = False
    normalize: Normalize | None = None
    precision: Precision = "fast"

    def __post_init__(self) -> None:
        choice("normalize", self.normalize, ("whisper", "per_feature", None))
        number("preemphasis", self.preemphasis, least=0, most=1)
        key = None
        if self.n_bins is None:
            key = mel_key(
                sr=self.sr,
                n_fft=self.n_fft,
                n_mels=self.n_mels,
                fmin=self.fmin,
                fmax=self.fmax,
                htk=self.htk,
                norm=self.norm,
                over_mel=self.triangles_over_mel,
            )
        frames = Frames(
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            win_length=self.win_length,
            window=self.window,
            center=self.center,
            pad_mode=self.pad_mode,
            pad=self.pad,
            frame_filter=self.frame_filter,
            periodic=self.periodic,
            drop_last=self.drop_last,
        )
        engine = SpectrogramEngine(
            frames,
            power=self.power,
            eps=self.eps,
            filters=key,
            n_bins=self.n_bins,
            log=self.log,
            floor=self.floor,
            offset=self.offset,
        )
        object.__setattr__(self, "_engine", engine)
        object.__setattr__(self, "_exact", is_exact(self.precision))

    @classmethod
    def preset(cls, name: str, **changes: Any) -> "MelSpectrogram":
        """Return the features of another program, by its name; see `neurdsp.dsp.presets`.

        Parameters
        ----------
        name
            ``librosa``, ``torchaudio``, ``whisper``, ``hifigan``, ``kaldi``, ``nemo``, ``gpt_sovits`` or
            ``kick``.
        **changes
            Parameters to change.

        Raises
        ------
        ConfigError
            For a name that is not known.
        """
        from neurdsp.dsp.presets import preset_parameters

        return cls(**{**preset_parameters(name), **changes})

    @property
    def engine(self) -> "SpectrogramEngine":
        """The plans underneath."""
        engine: SpectrogramEngine = self.__dict__["_engine"]
        return engine

    @property
    def exact(self) -> bool:
        """Whether single precision audio is transformed in double precision."""
        return bool(self.__dict__["_exact"])

    def parameters(self) -> dict[str, Any]:
        """All parameters as JSON knows them, to write beside a result; a window without a name as bytes."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        if not isinstance(self.window, (str, int, float, tuple)):
            values["window"] = np.asarray(self.engine.frames.window_key).tobytes().hex()
        return values

    @property
    def n_rows(self) -> int:
        """Rows of the result: mel bands, or linear bins."""
        return self.engine.plan(self.exact).n_rows

    def n_frames(self, n_samples: int) -> int:
        """Frames that a signal of ``n_samples`` gives."""
        return self.engine.plan(self.exact).n_frames(integer("n_samples", n_samples, 0))

    def __call__(
        self, y: Any, *, dtype: npt.DTypeLike | None = None, out: Any = None, n_threads: int | None = None
    ) -> Any:
        """Return the mel spectrogram ``(..., n_mels, n_frames)`` of ``y``; see `mel_spectrogram`."""
        batch = take_real(y)
        if self.preemphasis:
            batch = batch._replace(entries=[_emphasised(entry, self.preemphasis) for entry in batch.entries])
        results = self.engine.results(batch, exact=self.exact, dtype=dtype, out=out, n_threads=n_threads)
        if self.normalize is not None:
            for result in results:
                normalise(result, self.normalize)
        return batch.give_back(results) if out is None else out

    def stream(self, *, dtype: npt.DTypeLike = np.float32) -> "MelStream":
        """Begin a stream; see `MelStream`.

        Parameters
        ----------
        dtype
            float32 or float64: of the blocks and of the result.

        Raises
        ------
        ParameterError
            If a parameter needs the whole signal: ``normalize`` or ``pad_mode="wrap"``.
        """
        from neurdsp.dsp.streams import MelStream

        return MelStream(self, dtype)


def _emphasised(rows: npt.NDArray[Any], factor: float) -> npt.NDArray[Any]:
    """Each sample less ``factor`` times the one before; the first as it is."""
    result = rows.copy()
    result[:, 1:] -= rows.dtype.type(factor) * rows[:, :-1]
    return result


def normalise(result: npt.NDArray[Any], how: Normalize | None, *, maximum: Any = None) -> None:
    """Normalise ``(rows, n_rows, n_frames)`` in place; ``maximum``: of the whole that this is a part of."""
    if how == "whisper" and maximum is None:
        _core.limit_range(result, 8.0, 4.0, 0.25)
    elif how == "whisper":
        np.maximum(result, maximum - 8.0, out=result)
        result += 4.0
        result /= 4.0
    elif how == "per_feature":
        mean = result.mean(axis=2, keepdims=True, dtype=np.float64)
        n = max(result.shape[2] - 1, 1)
        deviation = np.sqrt(np.sum((result - mean) ** 2, axis=2, keepdims=True) / n)
        result[...] = (result - mean) / (deviation + 1e-5)


class SpectrogramEngine:
    """What all spectrograms share: a plan for each precision, run on a batch.

    Parameters
    ----------
    frames
        The framing.
    power, eps
        Exponent of the magnitude, and what is added under the root of a magnitude.
    filters
        The key of a mel filterbank (see `neurdsp.dsp.filters.mel_key`), or None for the first ``n_bins``
        bins.
    log, floor, offset
        The logarithm of ``max(value, floor) + offset``.
    """

    def __init__(
        self,
        frames: Frames,
        *,
        power: float = 2.0,
        eps: float = 0.0,
        filters: tuple[Any, ...] | None = None,
        n_bins: int | None = None,
        log: Log | None = None,
        floor: float = 0.0,
        offset: float = 0.0,
    ) -> None:
        self.frames = frames
        choice("log", log, (*_LOG_SCALES, None))
        # Up to what is finite in single precision too.
        floor, offset, eps = (
            number(name, value, least=0, most=1e30)
            for name, value in (("floor", floor), ("offset", offset), ("eps", eps))
        )
        if log is not None and floor + offset == 0:
            raise ParameterError("floor is 0, but the logarithm of silence needs a positive floor or offset")
        self.arguments: dict[str, Any] = {
            "power": number("power", power, above=0),
            "eps": eps,
            "filters": filters,
            "n_bins": frames.n_bins if n_bins is None else integer("n_bins", n_bins, 1, frames.n_bins),
            "log": None if log is None else (floor, offset, float(_LOG_SCALES[log])),
        }
        self.plan(False)

    def plan(self, double: bool) -> _core.Spectrogram:
        """Return the plan in single or double precision."""
        return self.frames.spectrogram(**self.arguments, double=double)

    def run(
        self, y: Any, *, exact: bool, dtype: npt.DTypeLike | None, out: Any, n_threads: int | None
    ) -> Any:
        """Return the spectrogram of ``y``, in its kind and shape."""
        batch = take_real(y)
        results = self.results(batch, exact=exact, dtype=dtype, out=out, n_threads=n_threads)
        return batch.give_back(results) if out is None else out

    def results(
        self, batch: Batch, *, exact: bool, dtype: npt.DTypeLike | None, out: Any, n_threads: int | None
    ) -> list[npt.NDArray[Any]]:
        """Return the spectrograms of a batch, ``(rows, n_rows, n_frames)`` for each entry."""
        dtype = batch.dtype if dtype is None else real_type(dtype)
        plan = self.plan(exact or batch.dtype == np.float64 or dtype == np.float64)
        warn_of_short_input(batch.entries, self.frames)
        shapes = [(plan.n_rows, plan.n_frames(entry.shape[-1])) for entry in batch.entries]
        results = allocate(batch, shapes, dtype, out)
        plan.process(batch.entries, results, threads_for(batch.entries, self.frames, n_threads))
        return results


def spectrogram(
    y: Any,
    *,
    n_fft: int = 2048,
    hop_length: int | None = 512,
    win_length: int | None = None,
    window: WindowSpec = "hann",
    center: bool = True,
    pad_mode: str = "constant",
    power: float = 2.0,
    dtype: npt.DTypeLike | None = None,
    out: Any = None,
    precision: Precision = "fast",
    n_threads: int | None = None,
) -> Any:
    """Magnitudes of the STFT to the power ``power``.

    Parameters
    ----------
    y, n_fft, hop_length, win_length, window, center, pad_mode, out, precision, n_threads
        As in `neurdsp.stft`.
    power
        2 for power, 1 for magnitude, or any positive exponent.
    dtype
        float32 or float64; by default that of ``y``.

    Returns
    -------
    numpy.ndarray, torch.Tensor or list
        ``(..., 1 + n_fft // 2, n_frames)``, of the kind of ``y``.

    Raises
    ------
    ParameterError
        As `neurdsp.stft`.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> neurdsp.spectrogram(np.ones(22050, np.float32), power=1).shape
    (1025, 44)
    """
    frames = Frames(
        n_fft=n_fft,
        hop_length=hop_length,
        win_length=win_length,
        window=window,
        center=center,
        pad_mode=pad_mode,
    )
    engine = SpectrogramEngine(frames, power=power)
    return engine.run(y, exact=is_exact(precision), dtype=dtype, out=out, n_threads=n_threads)


def mel_spectrogram(
    y: Any = None,
    *,
    sr: float = 22050,
    S: npt.ArrayLike | None = None,
    n_fft: int = 2048,
    hop_length: int | None = 512,
    win_length: int | None = None,
    window: WindowSpec = "hann",
    center: bool = True,
    pad_mode: str = "constant",
    power: float = 2.0,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    norm: MelNorm = "slaney",
    dtype: npt.DTypeLike | None = None,
    out: Any = None,
    precision: Precision = "fast",
    n_threads: int | None = None,
) -> Any:
    """Mel spectrogram, with librosa's parameters, defaults and layout.

    Parameters
    ----------
    y
        As in `neurdsp.stft`.
    sr
        Sample rate in hertz.
    S
        A spectrogram ``(..., n_bins, n_frames)``, already to its power, instead of ``y``: a numpy array, a
        torch tensor, or a list of them.
    n_fft, hop_length, win_length, window, center, pad_mode, out, precision, n_threads
        As in `neurdsp.stft`.
    power
        Exponent of the magnitude: 2 for power, 1 for magnitude.
    n_mels, fmin, fmax, htk, norm
        As in `neurdsp.filters.mel`.
    dtype
        float32 or float64; by default that of ``y``.

    Returns
    -------
    numpy.ndarray, torch.Tensor or list
        ``(..., n_mels, n_frames)``, of the kind of ``y``.

    Raises
    ------
    ParameterError
        As `neurdsp.stft` and `neurdsp.filters.mel`.

    Warns
    -----
    UserWarning
        Of empty filters, with their number.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> neurdsp.mel_spectrogram(np.ones(22050, np.float32), sr=22050).shape
    (128, 44)
    """
    if S is not None:
        if y is not None or out is not None:
            raise ParameterError(
                "S is a spectrogram that stands instead of y and takes no out; pass either y or S"
            )
        bank = {"sr": sr, "n_mels": n_mels, "fmin": fmin, "fmax": fmax, "htk": htk, "norm": norm}
        return _in_bands(S, n_fft=integer("n_fft", n_fft, 1), **bank)
    plan = MelSpectrogram(
        sr=sr,
        n_fft=n_fft,
        hop_length=hop_length,
        win_length=win_length,
        window=window,
        center=center,
        pad_mode=pad_mode,
        power=power,
        n_mels=n_mels,
        fmin=fmin,
        fmax=fmax,
        htk=htk,
        norm=norm,
        precision=precision,
    )
    return plan(y, dtype=dtype, out=out, n_threads=n_threads)


@lists_and_tensors("S")
def _in_bands(S: Any, *, n_fft: int, **bank: Any) -> npt.NDArray[Any]:
    """Return the mel bands of a spectrogram."""
    bins = take_values(S, "S", least_dims=2, shape="(..., n_bins, n_frames)")
    if bins.shape[-2] < 2 or bins.size == 0:
        raise ParameterError(
            f"S has shape {bins.shape}, but it must be (..., n_bins, n_frames) with two bins or more; pass "
            "numpy.abs(stft)**2"
        )
    # As librosa: the number of bins tells n_fft, unless the one given (which may be odd) has as many.
    n_fft = n_fft if n_fft // 2 + 1 == bins.shape[-2] else 2 * (bins.shape[-2] - 1)
    banded: npt.NDArray[Any] = np.matmul(
        mel_filters(*mel_key(n_fft=n_fft, **bank))[0].astype(bins.dtype), bins
    )
    return banded


def log_mel(
    y: Any,
    *,
    log: Log = "ln",
    floor: float = 1e-5,
    dtype: npt.DTypeLike | None = None,
    out: Any = None,
    n_threads: int | None = None,
    **parameters: Any,
) -> Any:
    """Logarithm of the mel spectrogram: ``log(max(mel, floor))``, in one pass.

    Parameters
    ----------
    y
        As in `neurdsp.stft`.
    log
        ``"ln"``, ``"log10"`` or ``"db"`` (``10 log10``).
    floor
        The least mel power that counts, to keep silence finite.
    dtype, out, n_threads, **parameters
        As in `mel_spectrogram`.

    Returns
    -------
    numpy.ndarray, torch.Tensor or list
        ``(..., n_mels, n_frames)``, of the kind of ``y``.

    Raises
    ------
    ParameterError
        As `mel_spectrogram`.

    Examples
    --------
    >>> import numpy as np, neurdsp
    >>> round(float(neurdsp.log_mel(np.zeros(2048, np.float32), sr=22050).max()), 4)
    -11.5129
    """
    known = {field.name for field in fields(MelSpectrogram)} - {"log", "floor"}
    for name in parameters:
        if name not in known:
            raise TypeError(
                f"log_mel() got an unexpected keyword argument {name!r}; it takes {', '.join(sorted(known))}"
            )
    return MelSpectrogram(log=log, floor=floor, **parameters)(y, dtype=dtype, out=out, n_threads=n_threads)
