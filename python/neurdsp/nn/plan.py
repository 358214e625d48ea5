"""The plan of a spectrogram as a string: what a registered operator can be given, in any process."""

import ast
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from neurdsp import _core
from neurdsp.dsp import plans
from neurdsp.dsp.features import SpectrogramEngine
from neurdsp.errors import ParameterError

__all__ = ["Plan", "decode", "encode"]


@dataclass(frozen=True)
class Plan:
    """What a spectrogram depends on, taken apart.

    Attributes
    ----------
    n_fft, hop_length, pad, pad_mode
        As in `neurdsp.stft`; ``pad`` in samples at each end.
    power, eps
        The magnitude is ``(|X|**2) ** (power / 2)``, or ``sqrt(|X|**2 + eps)`` if ``power`` is 1.
    n_rows
        Rows of the result.
    drop_last
        Whether the last frame is left out.
    exact
        Whether single precision is transformed in double precision on a CPU.
    log
        ``(floor, offset, scale)`` of ``scale * log(max(value, floor) + offset)``, or None.
    """

    n_fft: int
    hop_length: int
    pad: int
    pad_mode: str
    power: float
    eps: float
    n_rows: int
    drop_last: bool
    exact: bool
    log: tuple[float, float, float] | None
    frames_key: tuple[Any, ...]
    arguments: tuple[tuple[str, Any], ...]

    def core(self, double: bool) -> _core.Spectrogram:
        """Return the plan of the Rust core, from the cache."""
        return plans.planned_spectrogram(self.frames_key, **dict(self.arguments), double=double or self.exact)

    def n_frames(self, n_samples: int) -> int:
        """Frames that ``n_samples`` give; by arithmetic alone, so that a symbolic size will do."""
        return 1 - int(self.drop_last) + (n_samples + 2 * self.pad - self.n_fft) // self.hop_length

    def check_length(self, shape: tuple[int, ...]) -> None:
        """Refuse samples of ``shape`` if they do not fill one frame."""
        n_samples = shape[-1] if shape else 0
        if n_samples == 0 or n_samples + 2 * self.pad < self.n_fft + self.drop_last * self.hop_length:
            raise ParameterError(
                f"samples have shape {shape}, too few for one frame of n_fft = {self.n_fft}; "
                "pass (..., n_samples) with more of them"
            )

    def window(self) -> npt.NDArray[np.float64]:
        """Return the window in the middle of its frame, ``(n_fft,)``."""
        coefficients = plans.window_of(self.frames_key[2])
        before = (self.n_fft - coefficients.size) // 2
        return np.pad(coefficients, (before, self.n_fft - coefficients.size - before))

    def filters(self) -> npt.NDArray[np.float64] | None:
        """Return the filterbank ``(n_rows, n_bins)``, if there is one."""
        key = dict(self.arguments)["filters"]
        return None if key is None else plans.mel_filters(*key)[0]


def encode(engine: SpectrogramEngine, *, exact: bool = False) -> str:
    """Return the plan of an engine as a string that `decode` understands."""
    if engine.frames.frame_filter is not None:
        raise ParameterError(
            f"frame_filter is {engine.frames.frame_filter!r}, but no gradient is carried through it; "
            "leave it out"
        )
    return repr((engine.frames.key, sorted(engine.arguments.items()), exact))


@lru_cache(maxsize=64)
def decode(text: str) -> Plan:
    """Return the plan that `encode` wrote."""
    key, arguments, exact = ast.literal_eval(text)
    known = dict(arguments)
    n_fft, hop_length, _, pad, pad_mode, _, drop_last = key
    n_rows = known["filters"][2] if known["filters"] is not None else known["n_bins"]
    return Plan(
        n_fft=n_fft,
        hop_length=hop_length,
        pad=pad,
        pad_mode=pad_mode,
        power=known["power"],
        eps=known["eps"],
        n_rows=n_rows,
        drop_last=drop_last,
        exact=exact,
        log=known["log"],
        frames_key=key,
        arguments=tuple(arguments),
    )
