"""A small amp model and its file."""

from pathlib import Path

import numpy as np
import pytest
from neurdsp import modelfile
from neurdsp.modelfile.reference import amp_reference, parity_input

CONFIG = {"channels": 3, "num_layers": 3, "kernel_size": 3, "dilation_base": 2}


@pytest.fixture
def hand_made() -> Path:
    """The JSON of a model, written by hand from the description of the form."""
    return Path(__file__).parent / "data" / "hand_made.json"


@pytest.fixture
def tensors(rng):
    """Weights and parity vectors."""
    shapes = {"input_conv.weight": (3, 1, 1), "input_conv.bias": (3,)}
    for i in range(3):
        shapes |= {f"layers.{i}.conv.weight": (3, 3, 3), f"layers.{i}.conv.bias": (3,)}
    shapes |= {"output_conv.weight": (1, 3, 1), "output_conv.bias": (1,)}
    made = {name: rng.uniform(-0.5, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}
    signal = parity_input(500)
    output = amp_reference(made, signal, num_layers=3, kernel_size=3, dilation_base=2)
    return made | {"parity.input": signal, "parity.output": output.astype(np.float32)}


@pytest.fixture
def metadata():
    """Metadata for the weights."""
    return modelfile.build_metadata(
        architecture="amp.wavenet",
        config=CONFIG,
        sample_rate=48000,
        metrics={"esr": 0.0125},
        name="a test",
        description="two\nlines and a \x1b[31m colour",
    )


@pytest.fixture
def model_path(tmp_path, metadata, tensors) -> Path:
    """A good model file."""
    path = tmp_path / "model.safetensors"
    modelfile.write(path, metadata, tensors)
    return path
