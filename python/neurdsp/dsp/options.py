"""Types of the parameters that several functions share, for type checkers."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "BandOptions",
    "Float",
    "FrameOptions",
    "IstftOptions",
    "Log",
    "MelNorm",
    "MelOptions",
    "MelParameters",
    "Normalize",
    "Other",
    "Out",
    "PlanOptions",
    "Precision",
    "SpectrogramOptions",
    "StftOptions",
    "WindowSpec",
]

WindowSpec: TypeAlias = str | tuple[Any, ...] | float | Callable[[int], Any] | npt.ArrayLike
Precision: TypeAlias = Literal["fast", "exact"]
Log: TypeAlias = Literal["ln", "log10", "db"]
Normalize: TypeAlias = Literal["whisper", "per_feature"]
MelNorm: TypeAlias = Literal["slaney"] | float | None

#: Element type that an array and the result of a function have in common.
Float = TypeVar("Float", bound=np.floating[Any])
#: Input that is not one array; the result is of the same kind.
Other = TypeVar("Other", "Tensor", "list[npt.NDArray[Any]]", "list[Tensor]")
#: Memory for a result, which the function returns.
Out = TypeVar("Out", bound="npt.NDArray[Any] | Tensor | list[npt.NDArray[Any]] | list[Tensor]")


class FrameOptions(TypedDict, total=False):
    """How a signal is cut into frames."""

    n_fft: int
    hop_length: int | None
    win_length: int | None
    window: WindowSpec
    center: bool
    pad_mode: str


class StftOptions(FrameOptions, total=False):
    """Parameters of `neurdsp.stft` besides ``y``, ``dtype`` and ``out``."""

    precision: Precision
    n_threads: int | None


class IstftOptions(TypedDict, total=False):
    """Parameters of `neurdsp.istft` besides ``stft_matrix``, ``dtype`` and ``out``."""

    hop_length: int | None
    win_length: int | None
    n_fft: int | None
    window: WindowSpec
    center: bool
    length: int | None
    precision: Precision
    n_threads: int | None


class SpectrogramOptions(StftOptions, total=False):
    """Parameters of `neurdsp.spectrogram` besides ``y``, ``dtype`` and ``out``."""

    power: float


class BandOptions(SpectrogramOptions, total=False):
    """Parameters of `neurdsp.mel_spectrogram` that `neurdsp.mfcc` passes on."""

    n_mels: int
    fmin: float
    fmax: float | None
    htk: bool


class MelOptions(BandOptions, total=False):
    """Parameters of `neurdsp.mel_spectrogram` besides ``y``, ``S``, ``dtype`` and ``out``."""

    sr: float
    norm: MelNorm


class PlanOptions(FrameOptions, total=False):
    """Parameters of `neurdsp.MelSpectrogram` besides ``log`` and ``floor``."""

    sr: float
    power: float
    n_mels: int
    fmin: float
    fmax: float | None
    htk: bool
    norm: MelNorm
    offset: float
    n_bins: int | None
    eps: float
    pad: int | None
    drop_last: bool
    periodic: bool
    preemphasis: float
    frame_filter: tuple[bool, float] | None
    triangles_over_mel: bool
    snip_edges: bool
    pad_or_trim: float | None
    normalize: Normalize | None
    precision: Precision


class MelParameters(PlanOptions, total=False):
    """All parameters of `neurdsp.MelSpectrogram`."""

    log: Log | None
    floor: float
