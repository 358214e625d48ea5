"""How a recording is separated: the tier, and what departs from it."""

from dataclasses import dataclass
from typing import Literal

from neurdsp.drumsep.backends import BackendName, Precision
from neurdsp.drumsep.config import Compatibility, TfcTdfConfig
from neurdsp.drumsep.demix import Plan
from neurdsp.dsp.executors import n_cores
from neurdsp.errors import ParameterError

__all__ = ["TIERS", "Options", "Overlap", "Tier"]

Tier = Literal["exact", "balanced", "fast", "turbo", "draft"]
"""How much work goes into each sample. ``draft`` is that of a network that streams; the others are of MDX23C
networks."""

Overlap = int | Literal["config"]
"""A number of chunks that cover a sample, or that of the network's own configuration."""

#: The number of chunks that cover a sample; one, faded over a tenth, for ``fast`` and ``turbo``.
TIERS: dict[Tier, int] = {"exact": 8, "balanced": 2, "fast": 1, "turbo": 1}


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a recording is separated; see `neurdsp.drumsep.DrumSeparator.separate`.

    Raises
    ------
    ParameterError
        If a value is unknown or out of range, whatever the network.

    Examples
    --------
    >>> Options(tier="turbo").number_type
    'bfloat16'
    """

    tier: Tier | None = None
    overlap: Overlap | None = None
    batch_size: int | None = None
    precision: Precision | None = None
    backend: BackendName = "engine"
    device: str = "auto"
    threads: int | None = None
    compat: Compatibility = "msst"

    def __post_init__(self) -> None:
        if self.tier not in (None, "draft", *TIERS):
            raise ParameterError(f"tier is {self.tier!r}, but must be one of {', '.join(TIERS)} and draft")
        if self.compat not in ("msst", "audio-separator"):
            raise ParameterError(f"compat is {self.compat!r}, but must be msst or audio-separator")
        if self.overlap is not None and self.overlap != "config" and not _is_count(self.overlap):
            raise ParameterError(
                f"overlap is {self.overlap!r}, but must be a whole number of at least 1, or 'config'"
            )
        for name in ("batch_size", "threads"):
            value = getattr(self, name)
            if value is not None and not _is_count(value):
                raise ParameterError(f"{name} is {value!r}, but must be at least 1")

    @property
    def number_type(self) -> Precision:
        """Precision of the products: that of the tier, if no other is given."""
        return self.precision or ("bfloat16" if self.tier == "turbo" else "float32")

    @property
    def n_threads(self) -> int:
        """Number of threads: by default that of the cores."""
        return self.threads or n_cores()

    def plan(self, config: TfcTdfConfig) -> Plan:
        """Return how a recording is cut into chunks for a network.

        Raises
        ------
        ParameterError
            If the overlap leaves no step between chunks.
        """
        n_overlaps = TIERS[self.tier or "balanced"] if self.overlap is None else self.overlap
        if n_overlaps == "config":
            n_overlaps = config.n_overlaps
        chunk = config.chunk_for(self.compat)
        if n_overlaps > chunk:
            raise ParameterError(
                f"overlap is {n_overlaps}, but a chunk has {chunk} samples; choose fewer overlaps"
            )
        if self.compat == "audio-separator":
            return Plan(chunk, chunk // n_overlaps, 0, reflects=False)
        return Plan.one_pass(chunk) if n_overlaps == 1 else Plan.overlapping(chunk, n_overlaps)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
