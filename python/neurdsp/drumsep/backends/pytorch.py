"""torch as a backend: on the CPU, or on a GPU through CUDA. Needs the extra ``train``."""

import numpy as np
from numpy.typing import NDArray

from neurdsp.dependencies import require
from neurdsp.drumsep.backends.interface import Precision, check_chunks, check_precision
from neurdsp.drumsep.stored import StoredNetwork
from neurdsp.errors import ParameterError

__all__ = ["TorchNetwork"]

_ON_CPU: tuple[Precision, ...] = ("float32", "bfloat16")
_ON_GPU: tuple[Precision, ...] = ("float32", "bfloat16", "float16")


class TorchNetwork:
    """A network in torch.

    Parameters
    ----------
    stored
        The network.
    precision
        ``float32``; ``bfloat16`` or, on a GPU, ``float16`` run the convolutions and products by autocast,
        while norms and transforms stay in float32.
    threads
        Threads of torch on a CPU: a setting of the whole process.
    device
        ``auto`` takes CUDA if torch sees a GPU.
    channels_last
        Whether images lie in memory with their channels together; by default on a GPU only, where
        half-precision convolutions want it.
    compiled
        Whether to compile the body of the network (``torch.compile``), which takes a minute at the first
        pass of each shape.

    Raises
    ------
    MissingDependencyError
        If torch is not installed.
    ParameterError
        If the device is unknown or absent, or has no such precision.
    """

    def __init__(
        self,
        stored: StoredNetwork,
        *,
        precision: Precision = "float32",
        threads: int = 1,
        device: str = "auto",
        channels_last: bool | None = None,
        compiled: bool = False,
    ) -> None:
        require("torch", extra="train", purpose="the backend torch")
        import torch

        from neurdsp.drumsep.model import TfcTdfNet

        found = torch.cuda.is_available()
        if device not in ("auto", "cpu", "cuda"):
            raise ParameterError(f"device is {device!r}, but must be auto, cpu or cuda")
        if device == "cuda" and not found:
            raise ParameterError("device is 'cuda', but torch sees no GPU; choose cpu")
        self._device = torch.device("cuda" if found and device != "cpu" else "cpu")
        on_gpu = self._device.type == "cuda"
        check_precision(precision, _ON_GPU if on_gpu else _ON_CPU, f"torch on {self._device.type}")
        if on_gpu:
            torch.backends.cudnn.benchmark = True  # chunks have one shape: it pays to try the kernels
        else:
            torch.set_num_threads(threads)
        self.config, self._half = stored.config, None if precision == "float32" else getattr(torch, precision)
        self._network = TfcTdfNet(stored.config).eval()
        self._network.load_state_dict({name: torch.tensor(value) for name, value in stored.weights.items()})
        self._network.requires_grad_(False).to(self._device)
        if on_gpu if channels_last is None else channels_last:
            self._network.to(memory_format=torch.channels_last)
        self._body = torch.compile(self._network.body) if compiled else self._network.body

    def forward(self, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Separate chunks; see `Network`. The last bits of the stems may depend on the batch."""
        import torch

        check_chunks(chunks, self.config)
        audio = torch.from_numpy(np.ascontiguousarray(chunks, np.float32)).to(self._device)
        with torch.inference_mode():
            spectrum = self._network.analyse(audio)
            with torch.autocast(self._device.type, dtype=self._half, enabled=self._half is not None):
                spectra = self._body(spectrum)
            stems = self._network.synthesise(spectra.float(), n_samples=chunks.shape[2])
            found: NDArray[np.float32] = stems.cpu().numpy()
        return found

    def release(self) -> None:
        """Keep what there is: this engine manages its memory itself; see `Network`."""
