"""The planned mel spectrogram, in librosa's conventions and in those of other programs."""

from dataclasses import dataclass, fields
from typing import Any, Unpack, overload

import numpy as np
import numpy.typing as npt

from neurdsp import _core
from neurdsp.dsp.arrays import Array, naming_rows, take_real
from neurdsp.dsp.checks import choice, integer, padded_lengths
from neurdsp.dsp.engine import SpectrogramEngine, spectrogram_key
from neurdsp.dsp.filters import mel_key
from neurdsp.dsp.frames import frame_key, is_exact
from neurdsp.dsp.options import (
    Float,
    Log,
    MelNorm,
    MelParameters,
    Normalize,
    Other,
    Out,
    Precision,
    WindowSpec,
)
from neurdsp.dsp.preparation import Preparation, prepare
from neurdsp.dsp.streams import MelStream

__all__ = ["MelSpectrogram", "normalise"]


@dataclass(frozen=True, kw_only=True)
class MelSpectrogram:
    """A planned mel spectrogram, for repeated calls, for streams and for the conventions of other programs.

    Parameters
    ----------
    sr
        Sample rate in hertz.
    n_fft, hop_length, win_length, window, center, pad_mode, precision
        As in `neurdsp.stft`; ``hop_length`` is 512 by default, as librosa's.
    power
        Exponent of the magnitude: 2 for power, 1 for magnitude.
    n_mels, fmin, fmax, htk, norm
        As in `neurdsp.filters.mel`.
    log
        Logarithm of the result: ``"ln"``, ``"log10"``, ``"db"`` (``10 log10``), or None.
    floor, offset
        The logarithm is taken of ``max(value, floor) + offset``.
    n_bins
        Number of linear bins to keep, from the lowest; no mel filters are then applied.
    eps
        Term under the root of magnitudes (``power`` 1): ``sqrt(|X|**2 + eps)``.
    pad
        Padding at each end in samples, instead of that of ``center``.
    drop_last
        Whether the last frame is left out.
    periodic
        Whether the window is periodic; it is symmetric otherwise.
    preemphasis
        Coefficient of the pre-emphasis of the signal: ``y[t] - preemphasis * y[t - 1]``.
    frame_filter
        ``(remove_mean, preemphasis)``, applied to each frame before its window, as Kaldi does; the window
        then starts at the first sample of the frame.
    triangles_over_mel
        Whether the filters are triangles over mel instead of hertz, as Kaldi's.
    snip_edges
        Whether there are frames only where they lie within the signal. With False, as Kaldi's option, frames
        are centred at ``(t + 1/2) * hop_length``, the signal is mirrored at its ends, and there are
        ``round(n_samples / hop_length)`` of them; this needs ``center=False``.
    pad_or_trim
        Length in seconds that signals are cut or padded with zeros to; by default they keep their own. The
        models of Whisper hear windows of 30 s, and openai-whisper makes their features of as much audio:
        ``pad_or_trim=30`` gives those.
    normalize
        Normalisation of the whole result: ``"whisper"`` (limit to 8 below the maximum, then ``(x + 4) / 4``)
        or ``"per_feature"`` (subtract the mean of each row, divide by its standard deviation).

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
    snip_edges: bool = True
    pad_or_trim: float | None = None
    normalize: Normalize | None = None
    precision: Precision = "fast"

    def __post_init__(self) -> None:
        choice("normalize", self.normalize, ("whisper", "per_feature", None))
        filters = None
        if self.n_bins is None:
            filters = mel_key(
                sr=self.sr,
                n_fft=self.n_fft,
                n_mels=self.n_mels,
                fmin=self.fmin,
                fmax=self.fmax,
                htk=self.htk,
                norm=self.norm,
                triangles_over_mel=self.triangles_over_mel,
            )
        frames = frame_key(
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
        key = spectrogram_key(
            frames,
            power=self.power,
            eps=self.eps,
            filters=filters,
            n_bins=self.n_bins,
            log=self.log,
            floor=self.floor,
            offset=self.offset,
        )
        engine = SpectrogramEngine(key, exact=is_exact(self.precision))
        object.__setattr__(self, "_engine", engine)
        preparation = prepare(
            frames,
            sr=float(self.sr),
            pad_or_trim=self.pad_or_trim,
            preemphasis=self.preemphasis,
            snip_edges=self.snip_edges,
        )
        object.__setattr__(self, "_preparation", preparation)
        object.__setattr__(self, "_prepared", bool(preparation))

    @classmethod
    def preset(cls, name: str, **changes: Unpack[MelParameters]) -> "MelSpectrogram":
        """Return the features of another program, by its name; see `neurdsp.dsp.presets`.

        Parameters
        ----------
        name
            ``librosa``, ``torchaudio``, ``whisper``, ``hifigan``, ``kaldi``, ``nemo``, ``gpt_sovits`` or
            ``kick``.
        **changes
            Parameters that differ from the preset.

        Raises
        ------
        ConfigError
            If there is no preset of this name, or if it is defined at another sample rate.
        """
        from neurdsp.dsp.presets import preset_parameters

        return cls(**preset_parameters(name, changes))

    @property
    def engine(self) -> SpectrogramEngine:
        """The plans underneath."""
        engine: SpectrogramEngine = self.__dict__["_engine"]
        return engine

    @property
    def preparation(self) -> Preparation:
        """What is done to a whole signal first."""
        preparation: Preparation = self.__dict__["_preparation"]
        return preparation

    @property
    def exact(self) -> bool:
        """Whether float32 audio is transformed in double precision."""
        return self.engine.exact

    def parameters(self) -> dict[str, Any]:
        """Return all parameters as JSON knows them, to write beside a result.

        A window without a name is given as the hexadecimal digits of its coefficients.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        key = self.engine.frames.window
        if not isinstance(self.window, (str, int, float, tuple)) and isinstance(key, bytes):
            values["window"] = key.hex()
        return values

    @property
    def n_rows(self) -> int:
        """Rows of the result: mel bands, or linear bins."""
        return self.engine.key.n_rows

    def n_frames(self, n_samples: int) -> int:
        """Return the number of frames of a signal of ``n_samples``."""
        return self.engine.plan().n_frames(self.preparation.n_samples(integer("n_samples", n_samples, 0)))

    @overload
    def __call__(
        self, y: npt.NDArray[Float], *, dtype: None = None, out: None = None, n_threads: int | None = None
    ) -> npt.NDArray[Float]: ...
    @overload
    def __call__(
        self, y: Other, *, dtype: npt.DTypeLike | None = None, out: None = None, n_threads: int | None = None
    ) -> Other: ...
    @overload
    def __call__(
        self, y: npt.NDArray[Any], *, dtype: npt.DTypeLike, out: None = None, n_threads: int | None = None
    ) -> npt.NDArray[Any]: ...
    @overload
    def __call__(
        self, y: Any, *, dtype: npt.DTypeLike | None = None, out: Out, n_threads: int | None = None
    ) -> Out: ...
    def __call__(
        self, y: Any, *, dtype: npt.DTypeLike | None = None, out: Any = None, n_threads: int | None = None
    ) -> Any:
        """Return the mel spectrogram ``(..., n_mels, n_frames)`` of ``y``; see `neurdsp.mel_spectrogram`."""
        engine: SpectrogramEngine = self.__dict__["_engine"]
        if dtype is None and out is None and n_threads is None and not self.__dict__["_prepared"]:
            result = engine.run_short(y)
            if result is not None:
                if self.normalize is not None:
                    normalise(result[np.newaxis], self.normalize)
                return result
        batch = take_real(y)
        if self.preparation:
            with naming_rows(batch, "y"):
                batch = batch._replace(entries=[self.preparation(entry) for entry in batch.entries])
        results = engine.results(batch, dtype=dtype, out=out, n_threads=n_threads)
        for result in results:
            normalise(result, self.normalize)
        return batch.give_back(results) if out is None else out

    def padded(
        self, y: npt.NDArray[Float], lengths: npt.ArrayLike, *, n_threads: int | None = None
    ) -> npt.NDArray[Float]:
        """Return the mel spectrograms of a batch of signals that are padded at their end.

        Each signal is transformed alone, so that its padding does not count, not even for ``normalize``.

        Parameters
        ----------
        y
            ``(batch, n_samples)``.
        lengths
            Lengths of the signals in samples, ``(batch,)``.
        n_threads
            As in `neurdsp.stft`.

        Returns
        -------
        numpy.ndarray
            ``(batch, n_mels, n_frames)``; frames that the length of a signal does not fill are zero. A signal
            of ``n`` samples has ``self.n_frames(n)`` frames.

        Raises
        ------
        ParameterError
            If ``lengths`` do not fit, and as the call of the plan.

        Examples
        --------
        >>> import numpy as np, neurdsp
        >>> plan = neurdsp.MelSpectrogram.preset("nemo")
        >>> plan.padded(np.zeros((2, 16000), np.float32), [16000, 8000]).shape, plan.n_frames(8000)
        ((2, 80, 100), 50)
        """
        sizes = padded_lengths(lengths, y.shape if isinstance(y, np.ndarray) else (), "y")
        parts = self([row[:size] for row, size in zip(y, sizes, strict=True)], n_threads=n_threads)
        n_frames = max(part.shape[1] for part in parts)
        result: npt.NDArray[Float] = np.zeros((len(parts), self.n_rows, n_frames), parts[0].dtype)
        for row, part in zip(result, parts, strict=True):
            row[:, : part.shape[1]] = part
        return result

    def stream(self, *, dtype: npt.DTypeLike = np.float32) -> MelStream:
        """Start a stream; see `MelStream`.

        Parameters
        ----------
        dtype
            Type of the blocks and of the result: float32 or float64.

        Raises
        ------
        ParameterError
            If a parameter needs the whole signal: ``normalize``, ``pad_or_trim``, ``snip_edges=False`` or
            ``pad_mode="wrap"``.
        """
        return MelStream(self, dtype)


def normalise(result: Array, how: Normalize | None, *, maximum: Any = None) -> None:
    """Normalise features in place.

    Parameters
    ----------
    result
        ``(rows, n_rows, n_frames)``.
    how
        As the parameter ``normalize`` of `MelSpectrogram`.
    maximum
        The maximum of the whole, if ``result`` is a part of it.
    """
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
