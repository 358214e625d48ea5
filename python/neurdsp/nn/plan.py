"""The plan of a transform as a string: what a registered operator can be given, in any process."""

import ast
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from neurdsp import _core
from neurdsp.dsp import plans
from neurdsp.dsp.features import SpectrogramEngine
from neurdsp.dsp.plans import Frames
from neurdsp.errors import ParameterError

__all__ = ["FramePlan", "Plan", "decode", "decode_frames", "encode", "encode_frames"]


@dataclass(frozen=True)
class FramePlan:
    """What an STFT depends on, taken apart.

    Attributes
    ----------
    n_fft, hop_length, pad, pad_mode
        As in `neurdsp.stft`; ``pad`` in samples at each end.
    frame_filter
        ``(remove_mean, preemphasis)`` of each frame, or None.
    drop_last
        Whether the last frame is left out.
    exact
        Whether single precision is transformed in double precision on a CPU.
    frames_key
        See `neurdsp.dsp.plans.Frames.key`.
    """

    n_fft: int
    hop_length: int
    pad: int
    pad_mode: str
    frame_filter: tuple[bool, float] | None
    drop_last: bool
    exact: bool
    frames_key: tuple[Any, ...]

    @property
    def n_bins(self) -> int:
        """Frequencies from zero to half the sample rate."""
        return self.n_fft // 2 + 1

    @property
    def frame_length(self) -> int:
        """Samples of the signal in a frame: those of the window if the frame is filtered."""
        return self.n_fft if self.frame_filter is None else plans.window_of(self.frames_key[2]).size

    def n_frames(self, n_samples: int) -> int:
        """Frames that ``n_samples`` give; by arithmetic alone, so that a symbolic size will do."""
        return 1 - int(self.drop_last) + (n_samples + 2 * self.pad - self.frame_length) // self.hop_length

    def check_length(self, shape: tuple[int, ...]) -> None:
        """Refuse samples of ``shape`` if they do not fill one frame."""
        n_samples = shape[-1] if shape else 0
        needed = self.frame_length + self.drop_last * self.hop_length
        if n_samples == 0 or n_samples + 2 * self.pad < needed:
            raise ParameterError(
                f"samples have shape {shape}, too few for one frame of n_fft = {self.n_fft}; "
                "pass (..., n_samples) with more of them"
            )

    def window(self) -> npt.NDArray[np.float64]:
        """Return the window as it lies in the transform, ``(n_fft,)``: in the middle, or first."""
        coefficients = plans.window_of(self.frames_key[2])
        before = 0 if self.frame_filter is not None else (self.n_fft - coefficients.size) // 2
        return np.pad(coefficients, (before, self.n_fft - coefficients.size - before))

    def stft(self, double: bool) -> _core.Stft:
        """Return the transform of the Rust core, from the cache."""
        return plans.planned_stft(self.frames_key, double or self.exact)

    def istft(self, double: bool) -> _core.Istft:
        """Return the inverse transform of the Rust core, from the cache."""
        window = self.frames_key[2]
        return plans.planned_istft(self.n_fft, self.hop_length, window, self.pad, double or self.exact)

    def unpadded_stft(self, double: bool) -> _core.Stft:
        """Return the transform of a padded signal: but for factors, the adjoint of the inverse."""
        key = (self.n_fft, self.hop_length, self.frames_key[2], 0, "constant", None, False)
        return plans.planned_stft(key, double or self.exact)


@dataclass(frozen=True)
class Plan(FramePlan):
    """What a spectrogram depends on, taken apart.

    Attributes
    ----------
    power, eps
        The magnitude is ``(|X|**2) ** (power / 2)``, or ``sqrt(|X|**2 + eps)`` if ``power`` is 1.
    n_rows
        Rows of the result.
    log
        ``(floor, offset, scale)`` of ``scale * log(max(value, floor) + offset)``, or None.
    arguments
        Those of `neurdsp.dsp.plans.planned_spectrogram`.
    """

    power: float
    eps: float
    n_rows: int
    log: tuple[float, float, float] | None
    arguments: tuple[tuple[str, Any], ...]

    def core(self, double: bool) -> _core.Spectrogram:
        """Return the plan of the Rust core, from the cache."""
        return plans.planned_spectrogram(self.frames_key, **dict(self.arguments), double=double or self.exact)

    def filters(self) -> npt.NDArray[np.float64] | None:
        """Return the filterbank ``(n_rows, n_bins)``, if there is one."""
        key = dict(self.arguments)["filters"]
        return None if key is None else plans.mel_filters(*key)[0]


def encode(engine: SpectrogramEngine, *, exact: bool = False) -> str:
    """Return the plan of an engine as a string that `decode` understands."""
    return repr((engine.frames.key, sorted(engine.arguments.items()), exact))


def encode_frames(frames: Frames, *, exact: bool = False) -> str:
    """Return the plan of an STFT as a string that `decode_frames` understands."""
    return repr((frames.key, exact))


@lru_cache(maxsize=64)
def decode(text: str) -> Plan:
    """Return the plan that `encode` wrote."""
    key, arguments, exact = ast.literal_eval(text)
    known = dict(arguments)
    return Plan(
        **_frames(key, exact),
        power=known["power"],
        eps=known["eps"],
        n_rows=known["filters"][2] if known["filters"] is not None else known["n_bins"],
        log=known["log"],
        arguments=tuple(arguments),
    )


@lru_cache(maxsize=64)
def decode_frames(text: str) -> FramePlan:
    """Return the plan that `encode_frames` wrote."""
    return FramePlan(**_frames(*ast.literal_eval(text)))


def _frames(key: tuple[Any, ...], exact: bool) -> dict[str, Any]:
    n_fft, hop_length, _, pad, pad_mode, frame_filter, drop_last = key
    return {
        "n_fft": n_fft,
        "hop_length": hop_length,
        "pad": pad,
        "pad_mode": pad_mode,
        "frame_filter": frame_filter,
        "drop_last": drop_last,
        "exact": exact,
        "frames_key": key,
    }
