"""What ``neurdsp model info`` and ``neurdsp model verify`` ask of the family."""

import os
from dataclasses import dataclass

import numpy as np
from neurdsp import modelfile
from neurdsp.modelfile import ModelInfo, VerifyResult

from .model import mix


@dataclass(frozen=True, kw_only=True)
class MixerInfo(ModelInfo):
    """What a mixer holds."""

    peak_weight: int

    def rows(self) -> list[tuple[str, str]]:
        """Return the largest weight."""
        return [("peak weight", str(self.peak_weight))]


def describe(told: ModelInfo) -> MixerInfo:
    """Add the largest weight."""
    peak = np.abs(modelfile.read(told.path).tensors["weight"].astype(int)).max()
    return MixerInfo(**vars(told), peak_weight=int(peak))


def verify(path: str | os.PathLike[str]) -> VerifyResult:
    """Mix the parity vectors and measure the error."""
    file = modelfile.read(path)
    expected = file.tensors["parity.output"]
    found = mix(file.tensors, file.tensors["parity.input.audio"], file.tensors["parity.input.gain"])
    return VerifyResult(modelfile.parity_error_db(expected, found), file.parity_db, expected.size)
