"""The null test: one recording, separated in two ways, and what is left when the stems are subtracted."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from neurdsp.audio import FloatArray, check_audio
from neurdsp.drumsep.backends import BackendName, Precision
from neurdsp.drumsep.infer import DrumSeparator
from neurdsp.drumsep.options import TIERS, Tier
from neurdsp.errors import ParameterError

__all__ = ["Against", "NullResult", "StemNull", "null_test"]

Against: TypeAlias = Literal[
    "torch", "onnxruntime", "openvino", "engine", "exact", "balanced", "fast", "turbo"
]
"""What a separation is compared with: an engine that covers each sample with eight chunks in float32, as the
public programs do, or a tier of ours."""


@dataclass(frozen=True, kw_only=True)
class StemNull:
    """What is left of a stem.

    Attributes
    ----------
    null_db
        Energy of the difference relative to that of the reference, in dB; ``-inf`` if they are equal.
    peak_db
        The largest difference of a sample in dBFS; ``-inf`` if they are equal.
    """

    null_db: float
    peak_db: float


@dataclass(frozen=True, kw_only=True)
class NullResult:
    """What is left of a separation.

    Attributes
    ----------
    null_db
        Of all stems together: energy of the differences relative to that of the references, in dB.
    stems
        Of each stem.
    cpu_s, against_cpu_s
        CPU time of the separation and of the reference, loading included.
    """

    null_db: float
    stems: dict[str, StemNull]
    cpu_s: float
    against_cpu_s: float


def null_test(
    separator: DrumSeparator,
    audio: npt.ArrayLike,
    sample_rate: float,
    *,
    against: Against = "torch",
    tier: Tier = "exact",
    backend: BackendName = "engine",
    precision: Precision | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NullResult:
    """Separate a recording in two ways, and subtract.

    Parameters
    ----------
    separator
        An MDX23C network.
    audio, sample_rate
        As `neurdsp.drumsep.DrumSeparator.separate` takes them.
    against
        The reference: a backend with eight chunks a sample in float32, or a tier of our engine.
    tier, backend, precision, threads
        How to separate; see `neurdsp.drumsep.DrumSeparator.separate`. ``threads`` holds for both.
    progress
        Called after each chunk with the number of chunks that are done and of all, first of the one and then
        of the other.

    Returns
    -------
    NullResult
        What is left.

    Raises
    ------
    ParameterError
        If a value is unknown, or the network has no such tier.
    MissingDependencyError
        If the package of a backend is not installed; nothing is computed then.

    Examples
    --------
    >>> null_test(separator, audio, 44_100, against="torch").null_db < -85  # doctest: +SKIP
    True
    """
    if against not in get_args(Against):
        raise ParameterError(f"against is {against!r}, but must be one of {', '.join(get_args(Against))}")
    samples = check_audio(audio)
    reference: dict[str, Any] = (
        {"tier": against} if against in TIERS else {"tier": "exact", "backend": against}
    )
    if against != "turbo":
        reference["precision"] = "float32"
    chosen: dict[str, Any] = {"tier": tier, "backend": backend, "precision": precision}

    def separated(settings: dict[str, Any]) -> tuple[dict[str, FloatArray], float]:
        before = time.process_time()
        stems = separator.separate(samples, sample_rate, threads=threads, progress=progress, **settings)
        return stems, time.process_time() - before

    # The reference first: it is the one whose package may be missing.
    wanted, against_cpu_s = separated(reference)
    found, cpu_s = separated(chosen)
    parts = {name: _energies(wanted[name], found[name]) for name in wanted}
    return NullResult(
        null_db=_ratio_db(
            sum(error for error, _ in parts.values()), sum(energy for _, energy in parts.values())
        ),
        stems={
            name: StemNull(
                null_db=_ratio_db(*parts[name]),
                peak_db=_ratio_db(float(np.max(np.abs(wanted[name] - found[name]))) ** 2, 1.0),
            )
            for name in wanted
        },
        cpu_s=cpu_s,
        against_cpu_s=against_cpu_s,
    )


def _energies(wanted: FloatArray, found: FloatArray) -> tuple[float, float]:
    """Return the energy of the difference, and of what is wanted."""
    error = wanted.astype(np.float64) - found
    return float(np.vdot(error, error)), float(np.vdot(wanted.astype(np.float64), wanted))


def _ratio_db(error: float, energy: float) -> float:
    if error == 0:
        return -math.inf
    return 10 * math.log10(error / energy) if energy else math.inf
