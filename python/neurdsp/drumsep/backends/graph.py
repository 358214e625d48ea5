"""The body of an MDX23C network as an ONNX graph: from the spectrum of a recording to those of its stems.

The graph has standard operators only (opset 20) and takes any batch and number of frames. The transforms stay
outside: ONNX Runtime's are slow, and other programs have none. Needs the extra ``onnx``, and no torch.
"""

import contextlib
import json
import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from neurdsp.dependencies import require
from neurdsp.drumsep.stored import StoredNetwork
from neurdsp.errors import ParameterError

if TYPE_CHECKING:
    import onnx

__all__ = ["CONFIG_KEY", "INPUT", "OPSET", "OUTPUT", "build_graph"]

#: Names of what goes in, ``(batch, 2 * audio_channels, n_bins, n_frames)``, and of what comes out,
#: ``(batch, n_stems, 2 * audio_channels, n_bins, n_frames)``.
INPUT, OUTPUT = "spectrum", "spectra"
OPSET = 20
_IR_VERSION = 10  # of the same age as the opset, so that runtimes of 2024 read it
#: The key of the file's metadata that holds the shape of the network as JSON.
CONFIG_KEY = "neurdsp.config"
# Files of protocol buffers end at 2 GiB; weights must leave room for the graph.
_MOST_PARAMETERS = 500_000_000
_EPSILON = 1e-5  # of torch's norms


def build_graph(stored: StoredNetwork, *, weights_file: Path | None = None) -> "onnx.ModelProto":
    """Return the ONNX model of a network.

    Parameters
    ----------
    stored
        The network.
    weights_file
        A file to write the weights to; the model, saved in the same folder, then refers to it, and a runtime
        maps it into memory. Without one the weights are in the model.

    Returns
    -------
    onnx.ModelProto
        Its metadata hold the config, the stems and the sample rate.

    Raises
    ------
    ParameterError
        If the weights are too large for one ONNX file.
    MissingDependencyError
        If ``onnx`` is not installed.

    Examples
    --------
    >>> model = build_graph(read_network("drumsep.safetensors"))  # doctest: +SKIP
    >>> [port.name for port in model.graph.input]  # doctest: +SKIP
    ['spectrum']
    """
    require("onnx", extra="onnx", purpose="an ONNX graph")
    import onnx
    from onnx import TensorProto, helper

    config = stored.config
    if weights_file is None and config.n_parameters > _MOST_PARAMETERS:
        raise ParameterError(
            f"the network has {config.n_parameters:,} parameters, but an ONNX file holds at most "
            f"{_MOST_PARAMETERS:,}; run it with another backend"
        )
    parts, stems = 2 * config.audio_channels, len(config.stems)
    # The parts are made inside the model: one that is put in is copied, weights and all.
    model = onnx.ModelProto(ir_version=_IR_VERSION, producer_name="neurdsp")
    model.opset_import.append(helper.make_opsetid("", OPSET))
    model.graph.name = "drumsep"
    taken: list[str | int | None] = ["batch", parts, config.n_bins, "frames"]
    given = [*taken[:1], stems, *taken[1:]]
    for ports, name, axes in ((model.graph.input, INPUT, taken), (model.graph.output, OUTPUT, given)):
        ports.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, axes))
    facts = {
        CONFIG_KEY: json.dumps(config.model_dump(mode="json")),
        "neurdsp.stems": ",".join(config.stems),
        "neurdsp.sample_rate": str(config.sample_rate),
    }
    helper.set_model_props(model, facts)
    with contextlib.ExitStack() as stack:
        file = None if weights_file is None else stack.enter_context(open(weights_file, "wb"))
        _Builder(stored, model.graph, file).body()
    return model


class _Builder:
    """Adds nodes and tensors to a graph; each method returns the name of its result."""

    def __init__(self, stored: StoredNetwork, graph: "onnx.GraphProto", file: BinaryIO | None) -> None:
        self.config, self._weights = stored.config, stored.weights
        self._graph, self._file = graph, file

    def body(self) -> None:
        config = self.config
        bands, width = config.n_subbands, config.n_bins // config.n_subbands
        parts = 2 * config.audio_channels
        mix = self.add("Reshape", INPUT, self.shape("mix_shape", [0, parts * bands, width, -1]))
        first = self.conv(mix, "first_conv.weight")
        x, skips = self.transposed(first), list[str]()  # (batch, channels, frames, bins)
        for index in range(config.n_scales):
            x = self.tfc_tdf(x, f"encoder_blocks.{index}.tfc_tdf")
            skips.append(x)
            down = f"encoder_blocks.{index}.downscale.conv"
            x = self.conv(self.norm(x, f"{down}.0"), f"{down}.2.weight", strides=config.scale)
        x = self.tfc_tdf(x, "bottleneck_block")
        for index in range(config.n_scales):
            up = f"decoder_blocks.{index}.upscale.conv"
            x = self.norm(x, f"{up}.0")
            x = self.add("ConvTranspose", x, self.weight(f"{up}.2.weight"), strides=list(config.scale))
            x = self.add("Concat", x, skips.pop(), axis=1)
            x = self.tfc_tdf(x, f"decoder_blocks.{index}.tfc_tdf")
        x = self.add("Mul", self.transposed(x), first)
        x = self.add("Concat", mix, x, axis=1)
        x = self.active(self.conv(x, "final_conv.0.weight"))
        x = self.conv(x, "final_conv.2.weight")
        shape = self.shape("stems_shape", [0, len(config.stems), parts, config.n_bins, -1])
        self.add("Reshape", x, shape, result=OUTPUT)

    def tfc_tdf(self, x: str, name: str) -> str:
        for index in range(self.config.n_blocks):
            block = f"{name}.blocks.{index}"
            shortcut = self.conv(x, f"{block}.shortcut.weight")
            x = self.conv(self.norm(x, f"{block}.tfc1.0"), f"{block}.tfc1.2.weight", pad=1)
            narrow = self.linear(self.norm(x, f"{block}.tdf.0"), f"{block}.tdf.2.weight")
            wide = self.linear(self.norm(narrow, f"{block}.tdf.3"), f"{block}.tdf.5.weight")
            x = self.add("Add", x, wide)
            x = self.conv(self.norm(x, f"{block}.tfc2.0"), f"{block}.tfc2.2.weight", pad=1)
            x = self.add("Add", x, shortcut)
        return x

    def norm(self, x: str, name: str) -> str:
        """Add a norm of each channel over frames and bins, and the activation behind it."""
        weight, bias = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.active(self.add("InstanceNormalization", x, weight, bias, epsilon=_EPSILON))

    def active(self, x: str) -> str:
        if self.config.activation == "gelu":
            return self.add("Gelu", x, approximate="none")
        return self.add("Relu", x)

    def conv(self, x: str, name: str, *, strides: Sequence[int] = (1, 1), pad: int = 0) -> str:
        return self.add("Conv", x, self.weight(name), strides=list(strides), pads=[pad] * 4)

    def linear(self, x: str, name: str) -> str:
        """Add a product over the bins, which lie last."""
        return self.add("MatMul", x, self.weight(name, turned=True))

    def transposed(self, x: str) -> str:
        return self.add("Transpose", x, perm=[0, 1, 3, 2])

    def weight(self, name: str, *, turned: bool = False) -> str:
        from onnx import TensorProto

        values = self._weights[name]
        values = np.ascontiguousarray(values.T if turned else values, "<f4")
        tensor = self._graph.initializer.add(name=name, data_type=TensorProto.FLOAT, dims=values.shape)
        if self._file is None:
            tensor.raw_data = values.tobytes()
            return name
        # Runtimes map the file, for which each tensor begins with a page.
        offset = -(-self._file.tell() // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY
        self._file.seek(offset)
        self._file.write(values.data)
        tensor.data_location = TensorProto.EXTERNAL
        place = {"location": Path(self._file.name).name, "offset": offset, "length": values.nbytes}
        for key, value in place.items():
            tensor.external_data.add(key=key, value=str(value))
        return name

    def shape(self, name: str, lengths: list[int]) -> str:
        from onnx import numpy_helper

        self._graph.initializer.append(numpy_helper.from_array(np.array(lengths, np.int64), name))
        return name

    def add(self, operator: str, *inputs: str, result: str = "", **attributes: Any) -> str:
        from onnx import helper

        name = result or f"{operator.lower()}_{len(self._graph.node)}"
        self._graph.node.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name
