"""Types of the Rust core, written by hand and checked by stubtest."""

import os
from typing import final

import numpy as np
from numpy.typing import NDArray

__version__: str

@final
class AmpModel:
    """An amp model with its weights, which any number of streams share."""

    @staticmethod
    def load(path: str | os.PathLike[str]) -> AmpModel: ...
    def stream(self) -> AmpStream: ...
    @property
    def sample_rate(self) -> float: ...
    @property
    def receptive_field(self) -> int: ...
    @property
    def latency(self) -> int: ...
    @property
    def n_parameters(self) -> int: ...
    @property
    def architecture(self) -> str: ...
    @property
    def metadata(self) -> dict[str, str]: ...

@final
class AmpStream:
    """One stream through an amp model."""

    def process(self, block: NDArray[np.float32]) -> NDArray[np.float32]: ...
    def reset(self) -> None: ...

def instruction_sets() -> list[str]: ...
def bench_amp(
    channels: int,
    num_layers: int,
    kernel_size: int,
    dilation_base: int,
    *,
    isa: str,
    block_size: int,
    seconds: float,
) -> tuple[float, float, float]: ...
