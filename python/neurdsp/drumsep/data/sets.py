"""Fixed sets of mixtures as files: stems and their sum, to listen to and to judge separators by."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from neurdsp.audio import write_audio
from neurdsp.drumsep.data.bank import Bank
from neurdsp.drumsep.data.config import RenderConfig
from neurdsp.drumsep.data.recordings import SAMPLE_RATE
from neurdsp.drumsep.data.render import Renderer
from neurdsp.drumsep.data.roles import STEMS

__all__ = ["RenderedClip", "write_set"]


@dataclass(frozen=True)
class RenderedClip:
    """A folder that was written: ``mixture.wav``, a file for each stem, and ``residual.wav``."""

    folder: Path
    peak: float


def write_set(
    bank: Bank,
    folder: str | os.PathLike[str],
    *,
    split: str = "test",
    n_clips: int = 10,
    seconds: float = 10.0,
    channels: int = 2,
    config: RenderConfig | None = None,
    seed: int = 0,
) -> Iterator[RenderedClip]:
    """Render clips and write them as float WAV, each into a folder of its own.

    The folders have the form that `neurdsp.drumsep.judge.evaluate` reads.

    Parameters
    ----------
    bank
        Recordings and performances.
    folder
        Made if it is missing; its folders are called ``SPLIT-000`` and so on.
    split
        ``train``, ``validation`` or ``test``.
    n_clips, seconds, channels
        How many, how long, and 1 or 2.
    config
        Levels and chances; by default levels as they are, without effects.
    seed
        Of all that is drawn.

    Yields
    ------
    RenderedClip
        Each clip when it is written.

    Raises
    ------
    ConfigError
        If the bank has nothing of the split.
    OSError
        If a file cannot be written.
    """
    renderer = Renderer(bank, split, config or RenderConfig().plain(), seed=seed)
    for number in range(n_clips):
        clip = renderer.clip(number, seconds=seconds, channels=channels, kit=number)
        place = Path(folder) / f"{split}-{number:03d}"
        place.mkdir(parents=True, exist_ok=True)
        for name, stem in zip((*STEMS, "residual"), clip.stems, strict=True):
            write_audio(place / f"{name}.wav", stem, SAMPLE_RATE)
        write_audio(place / "mixture.wav", clip.mixture, SAMPLE_RATE)
        yield RenderedClip(place, float(abs(clip.mixture).max()))
