"""The separators that can be judged: a model file in the engine, or the folder of a run in torch."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurdsp.drumsep.judge.evaluate import Separate, at_rate

__all__ = ["open_separator"]

Array = NDArray[np.float32]


def open_separator(name: str) -> tuple[Separate, tuple[str, ...]]:
    """Return a separator, and the names of its stems.

    Parameters
    ----------
    name
        A model file, the name of a shipped network, or the folder of a run.

    Raises
    ------
    ModelFileError, ConfigError
        If there is no such network, or it is damaged.
    """
    if (Path(name) / "checkpoint.pt").is_file():
        return _of_run(Path(name))
    from neurdsp.drumsep.infer import DrumSeparator

    separator = DrumSeparator.load(name)

    def separate(audio: Array, sample_rate: int) -> Mapping[str, Array]:
        return separator.separate(audio, sample_rate)

    return separate, tuple(separator.stems)


def _of_run(folder: Path) -> tuple[Separate, tuple[str, ...]]:
    from neurdsp.dependencies import require

    torch = require("torch", extra="train", purpose="judging a run that is not exported")
    from neurdsp.drumsep.bandsplit.train import load_trained

    network, _ = load_trained(folder)
    outputs = network.config.outputs

    def separate(audio: Array) -> Mapping[str, Array]:
        with torch.inference_mode():
            found = network(torch.from_numpy(np.ascontiguousarray(audio))[None])[0].numpy()
        return dict(zip(outputs, found, strict=True))

    return at_rate(separate, network.config.sample_rate), network.config.stems
