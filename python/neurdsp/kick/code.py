"""The code of a kick: what its numbers mean, their ranges, and how networks see them.

`docs/decisions/0014-the-kick-code.md` is the contract; the renderers follow it. No torch here.
"""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from neurdsp.errors import ParameterError

__all__ = [
    "CODE_SIZE",
    "DRIVE_KNOTS",
    "FINE_KNOTS",
    "KNOTS",
    "LOW_KNOTS",
    "NOISE_KNOTS",
    "PACKED_SIZE",
    "SECONDS",
    "SILENT_NOISE",
    "SILENT_PARTIAL",
    "KickCode",
]

Floats = NDArray[np.float32]

SECONDS = 2.0
"""How long a code lasts, in seconds, before any edit."""
SILENT_PARTIAL = -9.0
"""The level of a partial, in nats of amplitude, that is silence exactly."""
SILENT_NOISE = -10.0
"""The level of a noise band that is silence exactly."""

KNOTS = np.array(
    (
        *(
            0,
            0.0015,
            0.003,
            0.0045,
            0.006,
            0.008,
            0.0105,
            0.0135,
            0.017,
            0.021,
            0.026,
            0.032,
            0.04,
            0.05,
            0.0625,
        ),
        *(0.078, 0.098, 0.122, 0.153, 0.19, 0.24, 0.3, 0.375, 0.47, 0.59, 0.73, 0.92, 1.15, 1.43, 1.8, 2.0),
    )
)
"""Times in seconds of the pitch and the level of partials."""
DRIVE_KNOTS = np.array([0, 0.006, 0.015, 0.04, 0.1, 0.25, 0.6, 2.0])
"""Times in seconds of the waveshaper."""
LOW_KNOTS = np.array([0.012, 0.020, 0.030, 0.045, 0.065, 0.09, 0.125, 0.17, 0.24, 0.34, 0.48, 0.7, 1.1, 2.0])
"""Times in seconds of the low layer."""
NOISE_KNOTS = np.concatenate([[0.010], np.geomspace(0.0125, 2.0, 31)])
"""Times in seconds of the noise layer."""
FINE_KNOTS = np.concatenate([[0.0], np.geomspace(0.0008, 0.018, 11)])
"""Times in seconds of the noise of the first 18 ms."""

N_PARTIALS = 3
N_TRANSIENT = 256
PACKED_TRANSIENT = 64
SHAPES: dict[str, tuple[int, ...]] = {
    "log_f": (N_PARTIALS, len(KNOTS)),
    "log_a": (N_PARTIALS, len(KNOTS)),
    "phase": (N_PARTIALS,),
    "drive": (len(DRIVE_KNOTS),),
    "bias": (len(DRIVE_KNOTS),),
    "low": (len(LOW_KNOTS), 16),
    "noise": (len(NOISE_KNOTS), 32),
    "transient": (N_TRANSIENT,),
    "fine": (len(FINE_KNOTS), 8),
}
"""The shape of each part, in the order of the code."""
RANGES: dict[str, tuple[float, float]] = {
    "log_f": (float(np.log(18.0)), float(np.log(6000.0))),
    "log_a": (SILENT_PARTIAL, 1.0),
    "phase": (-float(np.pi), float(np.pi)),
    "drive": (0.0, 16.0),
    "bias": (-0.9, 0.9),
    "low": (SILENT_NOISE, 1.0),
    "noise": (SILENT_NOISE, 1.0),
    "transient": (-4.0, 4.0),
    "fine": (SILENT_NOISE, 1.0),
}
"""The range of each part; values outside are clamped."""
CODE_SIZE = sum(int(np.prod(shape)) for shape in SHAPES.values())
"""How many numbers a code has."""
PACKED_SIZES = (93, 93, 6, 8, 8, 224, 1024, PACKED_TRANSIENT, 96)
PACKED_SIZE = sum(PACKED_SIZES)
"""How many numbers a network sees of a code."""


@dataclass(frozen=True)
class KickCode:
    """The code of one kick, or of many with one more axis in front.

    Parameters
    ----------
    log_f, log_a
        Natural logarithm of the frequency in Hz and of the amplitude of three partials, each of shape
        ``(3, 31)``, at `KNOTS`.
    phase
        Phase of the partials at time 0 in radians, ``(3,)``.
    drive, bias
        The waveshaper on the first partial, each ``(8,)``, at `DRIVE_KNOTS`.
    low
        Level of the low layer, ``(14, 16)``: `LOW_KNOTS` by bands.
    noise
        Level of the noise, ``(32, 32)``: `NOISE_KNOTS` by bands.
    transient
        Cosine coefficients of the first 18 ms, ``(256,)``.
    fine
        Level of the noise of the first 18 ms, ``(12, 8)``: `FINE_KNOTS` by bands.

    Examples
    --------
    >>> silent = KickCode.silent()
    >>> silent.flat().shape
    (1805,)
    >>> KickCode.from_flat(silent.flat()).log_a.min()
    np.float32(-9.0)
    """

    log_f: Floats
    log_a: Floats
    phase: Floats
    drive: Floats
    bias: Floats
    low: Floats
    noise: Floats
    transient: Floats
    fine: Floats

    @classmethod
    def silent(cls, n: int | None = None) -> Self:
        """Return the code of silence, or ``n`` of them."""
        front = () if n is None else (n,)
        fill = {"log_f": np.log(60.0), "log_a": SILENT_PARTIAL}
        fill |= dict.fromkeys(("low", "noise", "fine"), SILENT_NOISE)
        return cls(
            **{
                name: np.full(front + shape, fill.get(name, 0.0), np.float32)
                for name, shape in SHAPES.items()
            }
        )

    @classmethod
    def from_flat(cls, values: NDArray[Any]) -> Self:
        """Make a code, in canonical form, of ``(..., 1805)`` numbers.

        Raises
        ------
        ParameterError
            If the last axis has another length, or a number is not finite.
        """
        values = np.asarray(values, np.float32)
        if values.shape[-1:] != (CODE_SIZE,):
            raise ParameterError(f"a kick code has {CODE_SIZE} numbers, but got shape {values.shape}")
        parts, start = {}, 0
        for name, shape in SHAPES.items():
            size = int(np.prod(shape))
            parts[name] = values[..., start : start + size].reshape(values.shape[:-1] + shape)
            start += size
        return cls(**parts).canonical()

    def flat(self) -> Floats:
        """Return the numbers in the order of the contract, ``(..., 1805)``."""
        front = self.phase.shape[:-1]
        return np.concatenate([getattr(self, name).reshape(*front, -1) for name in SHAPES], axis=-1)

    def canonical(self) -> Self:
        """Return the code with every number within its range, and silent at its end.

        Raises
        ------
        ParameterError
            If a number is not finite.
        """
        parts = {}
        for name, (low, high) in RANGES.items():
            values = getattr(self, name)
            if not np.isfinite(values).all():
                raise ParameterError(f"the part {name!r} of a kick code holds a number that is not finite")
            parts[name] = np.clip(values, low, high).astype(np.float32)
        parts["log_a"][..., -1] = SILENT_PARTIAL
        parts["low"][..., -1, :] = SILENT_NOISE
        parts["noise"][..., -1, :] = SILENT_NOISE
        return type(self)(**parts)

    def settled(self, from_s: float) -> Self:
        """Return the code with no level of partials and noise rising again, from a time in seconds on.

        Examples
        --------
        >>> code = KickCode.silent()
        >>> code.log_a[0, 25] = 0.0
        >>> float(code.settled(0.05).log_a.max())
        -9.0
        """
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, knots, axis in (("log_a", KNOTS, -1), ("low", LOW_KNOTS, -2), ("noise", NOISE_KNOTS, -2)):
            before, after = np.split(parts[name], [int(np.searchsorted(knots, from_s))], axis=axis)
            parts[name] = np.concatenate([before, np.minimum.accumulate(after, axis=axis)], axis=axis)
        return type(self)(**parts)

    def take(self, index: Any) -> Self:
        """Return some of many codes."""
        return type(self)(**{field.name: getattr(self, field.name)[index] for field in fields(self)})

    def louder(self, gain: NDArray[Any] | float) -> Self:
        """Return the code with every amplitude multiplied; of many, by one gain each."""
        gain = np.asarray(gain, np.float32)
        level = np.log(gain)
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, silent in (
            ("log_a", SILENT_PARTIAL),
            ("low", SILENT_NOISE),
            ("noise", SILENT_NOISE),
            ("fine", SILENT_NOISE),
        ):
            shift = level[..., None, None] if level.ndim else level
            # Every amplitude has that of silence subtracted, so it is added before the logarithm.
            amplitude = np.maximum(np.exp(parts[name]) - np.exp(silent), 0) * np.exp(shift)
            parts[name] = np.log(amplitude + np.exp(silent))
        parts["transient"] = parts["transient"] * (gain[..., None] if gain.ndim else gain)
        return type(self)(**parts).canonical()

    def packed(self) -> Floats:
        """Return what networks see, ``(..., 1616)``: levels scaled, phase as a point on the circle."""
        front = self.phase.shape[:-1]
        rows = [
            self.log_f.reshape(*front, -1) - 4.4,
            (self.log_a.reshape(*front, -1) + 4) / 3,
            np.cos(self.phase),
            np.sin(self.phase),
            np.arcsinh(self.drive),
            self.bias,
            (self.low.reshape(*front, -1) + 8) / 2,
            (self.noise.reshape(*front, -1) + 8) / 2,
            np.arcsinh(40 * self.transient[..., :PACKED_TRANSIENT]) / 2,
            (self.fine.reshape(*front, -1) + 8) / 2,
        ]
        return np.concatenate(rows, axis=-1).astype(np.float32)

    @classmethod
    def from_packed(cls, values: NDArray[Any]) -> Self:
        """Make codes, in canonical form, of what networks give, ``(..., 1616)``."""
        values = np.asarray(values, np.float32)
        front = values.shape[:-1]
        log_f, log_a, phase, drive, bias, low, noise, transient, fine = np.split(
            values, np.cumsum(PACKED_SIZES)[:-1], axis=-1
        )
        full = np.zeros((*front, N_TRANSIENT), np.float32)
        full[..., :PACKED_TRANSIENT] = np.sinh(np.clip(2 * transient, -6, 6)) / 40
        parts: dict[str, Any] = {
            "log_f": (log_f + 4.4).reshape(*front, *SHAPES["log_f"]),
            "log_a": (3 * log_a - 4).reshape(*front, *SHAPES["log_a"]),
            "phase": np.arctan2(phase[..., 3:], phase[..., :3]),
            "drive": np.sinh(np.clip(drive, 0, 3.5)),
            "bias": bias,
            "low": (2 * low - 8).reshape(*front, *SHAPES["low"]),
            "noise": (2 * noise - 8).reshape(*front, *SHAPES["noise"]),
            "transient": full,
            "fine": (2 * fine - 8).reshape(*front, *SHAPES["fine"]),
        }
        return cls(**parts).canonical()
