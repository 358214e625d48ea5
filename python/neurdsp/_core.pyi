"""Types of the Rust core, written by hand and checked by stubtest."""

import os
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

_Array: TypeAlias = NDArray[Any]

__version__: str

@final
class AmpModel:
    """An amp model with its weights, which any number of streams share."""

    @staticmethod
    def load(path: str | os.PathLike[str], size: float | None, trainer: bool) -> AmpModel: ...
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
    def size_steps(self) -> list[float]: ...
    @property
    def capture(self) -> str: ...
    @property
    def nam_config(self) -> str | None: ...
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
def bench_model(model: AmpModel, *, block_size: int, seconds: float) -> tuple[float, float, float]: ...
def window(name: str, parameters: list[float], length: int, periodic: bool) -> NDArray[np.float64]: ...
def mel_filterbank(
    sample_rate: float,
    n_fft: int,
    n_mels: int,
    fmin: float,
    fmax: float,
    htk: bool,
    norm: str,
    triangles_over_mel: bool,
) -> tuple[NDArray[np.float64], int]: ...
def limit_range(planes: _Array, depth: float, offset: float, scale: float) -> None: ...

@final
class Stft:
    def __new__(
        cls,
        n_fft: int,
        hop_length: int,
        window: NDArray[np.float64],
        pad: int,
        pad_mode: str,
        frame_filter: tuple[bool, float] | None,
        drop_last: bool,
        double: bool,
    ) -> Stft: ...
    def n_frames(self, n_samples: int) -> int: ...
    def process(self, inputs: list[_Array], outputs: list[_Array], n_threads: int) -> None: ...
    def backward(self, gradients: _Array, results: _Array, n_threads: int) -> None: ...

@final
class Istft:
    def __new__(
        cls, n_fft: int, hop_length: int, window: NDArray[np.float64], trim: int, double: bool
    ) -> Istft: ...
    def process(self, inputs: list[_Array], outputs: list[_Array], n_threads: int) -> None: ...

@final
class Spectrogram:
    def __new__(
        cls,
        n_fft: int,
        hop_length: int,
        window: NDArray[np.float64],
        pad: int,
        pad_mode: str,
        frame_filter: tuple[bool, float] | None,
        drop_last: bool,
        power: float,
        eps: float,
        filters: NDArray[np.float64] | None,
        n_bins: int,
        log: tuple[float, float, float] | None,
        double: bool,
    ) -> Spectrogram: ...
    @property
    def n_rows(self) -> int: ...
    def n_frames(self, n_samples: int) -> int: ...
    def process(self, inputs: list[_Array], outputs: list[_Array], n_threads: int) -> None: ...
    def backward(self, samples: _Array, gradients: _Array, results: _Array, n_threads: int) -> None: ...

@final
class SpectrogramStream:
    def __new__(cls, plan: Spectrogram) -> SpectrogramStream: ...
    def push(self, block: NDArray[Any]) -> NDArray[Any]: ...
    def flush(self) -> NDArray[Any]: ...
    def reset(self) -> None: ...

@final
class CachedFeatures:
    @property
    def __array_interface__(self) -> dict[str, Any]: ...

@final
class MelCache:
    def __new__(
        cls, directory: str | os.PathLike[str] | None, max_bytes: int, max_disk_bytes: int
    ) -> MelCache: ...
    def find(
        self, plan: Spectrogram, samples: _Array, variant: str
    ) -> tuple[bytes, CachedFeatures | None]: ...
    def insert(self, key: bytes, features: _Array) -> CachedFeatures: ...
    def clear(self) -> None: ...
    def stats(self) -> dict[str, int]: ...

def read_model_file(
    path: str | os.PathLike[str],
) -> tuple[dict[str, str], dict[str, NDArray[np.float32]]]: ...
def write_model_file(
    path: str | os.PathLike[str],
    metadata: dict[str, str],
    tensors: dict[str, NDArray[np.float32]],
) -> None: ...
def verify_model_file(path: str | os.PathLike[str]) -> tuple[float, float, int]: ...
def read_amp_json(
    path: str | os.PathLike[str],
) -> tuple[str, float, tuple[int, int, int, int], dict[str, NDArray[np.float32]]]: ...
def nam_to_model_file(
    source: str | os.PathLike[str], target: str | os.PathLike[str], producer: str
) -> None: ...
def model_to_nam(source: str | os.PathLike[str], target: str | os.PathLike[str], capture: str) -> None: ...
def read_nam_as_amp(
    path: str | os.PathLike[str],
) -> tuple[float, tuple[int, int, int, int], dict[str, NDArray[np.float32]]]: ...
def write_amp_json(
    path: str | os.PathLike[str],
    name: str,
    sample_rate: float,
    shape: tuple[int, int, int, int],
    tensors: dict[str, NDArray[np.float32]],
) -> None: ...
