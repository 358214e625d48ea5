"""Tiers: how much work goes into each sample of a recording, from exact to fast."""

from typing import Literal

from neurdsp.drumsep.config import Compatibility, TfcTdfConfig
from neurdsp.drumsep.demix import Plan
from neurdsp.errors import ParameterError

__all__ = ["TIERS", "Overlap", "Tier", "plan_of"]

Tier = Literal["exact", "balanced", "fast", "turbo"]
"""Names of the tiers of MDX23C networks."""

Overlap = int | Literal["config"]
"""A number of chunks, or that of the network's own configuration."""

#: The number of chunks that cover a sample; one, faded over a tenth, for ``fast`` and ``turbo``.
TIERS: dict[Tier, int] = {"exact": 8, "balanced": 2, "fast": 1, "turbo": 1}


def plan_of(config: TfcTdfConfig, tier: Tier, overlap: Overlap | None, compat: Compatibility) -> Plan:
    """Return how a recording is cut into chunks.

    Parameters
    ----------
    config
        The network.
    tier
        Its number of chunks is taken without an ``overlap``.
    overlap
        Another number of chunks that cover a sample.
    compat
        Whose chunks.

    Raises
    ------
    ParameterError
        If a value is unknown, or the overlap leaves no step between chunks.

    Examples
    --------
    >>> plan_of(TfcTdfConfig(), "exact", None, "msst").step_samples
    65472
    """
    if tier not in TIERS:
        raise ParameterError(f"tier is {tier!r}, but must be one of {', '.join(TIERS)}")
    if compat not in ("msst", "audio-separator"):
        raise ParameterError(f"compat is {compat!r}, but must be msst or audio-separator")
    n_overlaps = TIERS[tier] if overlap is None else config.n_overlaps if overlap == "config" else overlap
    if not isinstance(n_overlaps, int):
        raise ParameterError(f"overlap is {overlap!r}, but must be a whole number, or 'config'")
    chunk = config.chunk_for(compat)
    if compat == "audio-separator":
        if not 1 <= n_overlaps <= chunk:
            raise ParameterError(f"overlap is {n_overlaps}, but must be from 1 to {chunk}")
        return Plan(chunk, chunk // n_overlaps, 0, reflects=False)
    return Plan.one_pass(chunk) if n_overlaps == 1 else Plan.overlapping(chunk, n_overlaps)
