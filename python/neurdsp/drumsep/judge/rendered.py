"""The SDR of a model file, run by the engine, on mixtures rendered from the test kits of a bank."""

import os

import numpy as np
from numpy.typing import NDArray

from neurdsp.drumsep.data.bank import Bank
from neurdsp.drumsep.data.config import RenderConfig
from neurdsp.drumsep.data.recordings import SAMPLE_RATE
from neurdsp.drumsep.data.render import Renderer
from neurdsp.drumsep.data.roles import STEMS
from neurdsp.drumsep.infer import DrumSeparator
from neurdsp.drumsep.judge.ratios import sdr_db

__all__ = ["rendered_sdr_db"]

_SEED = 2
#: Stems below this part of the energy of their mixture do not count.
_AUDIBLE = 1e-5


def rendered_sdr_db(
    model: str | os.PathLike[str],
    bank: Bank,
    *,
    n_clips: int = 10,
    seconds: float = 5.0,
    config: RenderConfig | None = None,
    split: str = "test",
) -> dict[str, float]:
    """Return the mean SDR of each stem over the mixtures in which it sounds, in dB.

    Parameters
    ----------
    model
        A model file, or the name of a network that comes with neurdsp.
    bank
        Recordings and performances.
    n_clips, seconds
        How many mixtures, and how long; each second one is stereo, and each has the next kit.
    config
        Levels; effects are left out.
    split
        Whose kits are played.

    Raises
    ------
    ParameterError, ConfigError
        If the split has no kits.
    ModelFileError
        If there is no such network.
    """
    separator = DrumSeparator.load(model)
    renderer = Renderer(bank, split, (config or RenderConfig()).plain(), seed=_SEED)
    names = [name for name in separator.stems if name in STEMS]
    ratios: dict[str, list[float]] = {name: [] for name in names}
    for number in range(n_clips):
        clip = renderer.clip(number, seconds=seconds, channels=1 + number % 2, kit=number)
        found = separator.separate(clip.mixture, SAMPLE_RATE, stems=names)
        whole = _energy(clip.mixture)
        for name in names:
            stem = clip.stems[STEMS.index(name)]
            if _energy(stem) > _AUDIBLE * whole:
                ratios[name].append(sdr_db(stem, found[name]))
    return {name: float(np.mean(values)) for name, values in ratios.items() if values}


def _energy(x: NDArray[np.float32]) -> float:
    return float(np.sum(np.square(x, dtype=np.float64)))
