"""What the file of a drum separator holds beyond what every model file does: stems, latency, work."""

from dataclasses import dataclass

from neurdsp.config import build
from neurdsp.drumsep.bandsplit.config import ARCHITECTURE as BAND_SPLIT
from neurdsp.drumsep.bandsplit.config import BandSplitConfig
from neurdsp.drumsep.config import TfcTdfConfig
from neurdsp.modelfile import ModelInfo

__all__ = ["DrumInfo", "describe"]


@dataclass(frozen=True, kw_only=True)
class DrumInfo(ModelInfo):
    """What a file of a drum separator holds.

    Attributes
    ----------
    stems
        In the order of the network's outputs.
    latency
        In samples, of a network that streams; None for one that hears chunks.
    chunk_samples
        Of a network that hears chunks; None for one that streams.
    macs_per_second
        Multiplications for a second of one channel, without the transforms, of a network that streams; None
        for one that hears chunks.
    """

    stems: tuple[str, ...]
    latency: int | None
    chunk_samples: int | None
    macs_per_second: float | None

    def rows(self) -> list[tuple[str, str]]:
        """Return stems, latency or chunk, and work as labels and values."""
        rows = [("stems", ", ".join(self.stems))]
        if self.latency is not None:
            rows.append(("latency", self._length(self.latency, 1000, "ms")))
        if self.chunk_samples is not None:
            rows.append(("chunk", self._length(self.chunk_samples, 1, "s")))
        if self.macs_per_second is not None:
            rows.append(("work", f"{self.macs_per_second / 1e6:,.0f} MMAC/s for each channel"))
        return rows

    def _length(self, n_samples: int, factor: float, unit: str) -> str:
        return f"{n_samples} samples, {factor * n_samples / self.sample_rate:.1f} {unit}"


def describe(told: ModelInfo) -> DrumInfo:
    """Add the facts of a drum separator to what every family's file says.

    Parameters
    ----------
    told
        What every file says.

    Returns
    -------
    DrumInfo

    Raises
    ------
    ConfigError
        If the configuration of the network is damaged.

    Examples
    --------
    >>> from neurdsp.modelfile import info
    >>> info("drums.safetensors").stems  # doctest: +SKIP
    ('kick', 'snare', 'toms', 'hihat', 'cymbals')
    """
    if told.architecture == BAND_SPLIT:
        streamed = build(BandSplitConfig, told.config, source=str(told.path))
        return DrumInfo(
            **vars(told),
            stems=streamed.stems,
            latency=streamed.latency_samples,
            chunk_samples=None,
            macs_per_second=streamed.macs_per_second,
        )
    config = build(TfcTdfConfig, told.config, source=str(told.path))
    return DrumInfo(
        **vars(told),
        stems=config.stems,
        latency=None,
        chunk_samples=config.chunk_samples,
        macs_per_second=None,
    )
