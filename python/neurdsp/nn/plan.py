"""The plan of a transform as a string, which a registered operator can take in any process."""

import ast
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from neurdsp import _core
from neurdsp.dsp.frames import FrameKey
from neurdsp.dsp.plans import (
    FilterKey,
    LogKey,
    SpectrogramKey,
    mel_filters,
    planned_istft,
    planned_spectrogram,
    planned_stft,
)
from neurdsp.dsp.windows import window_of
from neurdsp.errors import ParameterError

__all__ = ["FramePlan", "Plan", "decode", "decode_frames", "encode", "encode_frames"]


@dataclass(frozen=True)
class FramePlan:
    """The plan of an STFT.

    Attributes
    ----------
    frames
        The framing.
    exact
        Whether float32 is transformed in double precision on a CPU.
    """

    frames: FrameKey
    exact: bool

    @property
    def frame_length(self) -> int:
        """Samples of the signal in a frame: those of the window if the frame is filtered."""
        frames = self.frames
        return frames.n_fft if frames.frame_filter is None else window_of(frames.window).size

    def n_frames(self, n_samples: int) -> int:
        """Return the frames that ``n_samples`` give; by arithmetic alone, so that a symbolic size will do."""
        frames = self.frames
        n_whole = (n_samples + 2 * frames.pad - self.frame_length) // frames.hop_length
        return 1 - int(frames.drop_last) + n_whole

    def check_length(self, shape: tuple[int, ...]) -> None:
        """Raise a `ParameterError` if samples of ``shape`` do not fill one frame."""
        frames = self.frames
        n_samples = shape[-1] if shape else 0
        needed = self.frame_length + frames.drop_last * frames.hop_length
        if n_samples == 0 or n_samples + 2 * frames.pad < needed:
            raise ParameterError(
                f"samples have shape {shape}, too few for one frame of n_fft = {frames.n_fft}; "
                "pass (..., n_samples) with more of them"
            )

    def window(self) -> npt.NDArray[np.float64]:
        """Return the window as it lies in the transform, ``(n_fft,)``: in the middle, or first."""
        frames = self.frames
        coefficients = window_of(frames.window)
        before = 0 if frames.frame_filter is not None else (frames.n_fft - coefficients.size) // 2
        return np.pad(coefficients, (before, frames.n_fft - coefficients.size - before))

    def stft(self, double: bool) -> _core.Stft:
        """Return the transform of the core, from the cache."""
        return planned_stft(self.frames, double or self.exact)

    def istft(self, double: bool) -> _core.Istft:
        """Return the inverse transform of the core, from the cache."""
        frames = self.frames
        return planned_istft(frames.n_fft, frames.hop_length, frames.window, frames.pad, double or self.exact)

    def unpadded_stft(self, double: bool) -> _core.Stft:
        """Return the transform of a padded signal: but for factors, the adjoint of the inverse."""
        key = self.frames._replace(pad=0, pad_mode="constant", frame_filter=None, drop_last=False)
        return planned_stft(key, double or self.exact)


@dataclass(frozen=True)
class Plan(FramePlan):
    """The plan of a spectrogram.

    Attributes
    ----------
    key
        All that it depends on.
    """

    key: SpectrogramKey

    def core(self, double: bool) -> _core.Spectrogram:
        """Return the plan of the core, from the cache."""
        return planned_spectrogram(self.key, double or self.exact)

    def filters(self) -> npt.NDArray[np.float64] | None:
        """Return the filterbank ``(n_rows, n_bins)``, if there is one."""
        return None if self.key.filters is None else mel_filters(self.key.filters)[0]


def encode(key: SpectrogramKey, *, exact: bool = False) -> str:
    """Return the plan of a spectrogram as a string that `decode` understands."""
    parts = key._asdict()
    for name in ("frames", "filters", "log"):
        parts[name] = parts[name] and parts[name]._asdict()
    return repr((parts, exact))


def encode_frames(frames: FrameKey, *, exact: bool = False) -> str:
    """Return the plan of an STFT as a string that `decode_frames` understands."""
    return repr((frames._asdict(), exact))


@lru_cache(maxsize=64)
def decode(text: str) -> Plan:
    """Return the plan that `encode` wrote."""
    parts, exact = ast.literal_eval(text)
    kinds = {"frames": FrameKey, "filters": FilterKey, "log": LogKey}
    parts |= {name: parts[name] and kind(**parts[name]) for name, kind in kinds.items()}
    key = SpectrogramKey(**parts)
    return Plan(frames=key.frames, exact=exact, key=key)


@lru_cache(maxsize=64)
def decode_frames(text: str) -> FramePlan:
    """Return the plan that `encode_frames` wrote."""
    frames, exact = ast.literal_eval(text)
    return FramePlan(frames=FrameKey(**frames), exact=exact)
