"""The shapes of the five music networks, and the names of their tensors. Reading them needs no torch."""

import math
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field

from neurdsp.config import Config
from neurdsp.errors import ParameterError

__all__ = [
    "CONFIGS",
    "NAMES",
    "DynamicsConfig",
    "EmotionConfig",
    "GrooveConfig",
    "HarmonyConfig",
    "MelodyConfig",
    "Name",
    "NetworkConfig",
    "config_of",
]

Name: TypeAlias = Literal["emotion", "melody", "harmony", "dynamics", "groove"]
"""The networks by name; ``music.`` and the name is the architecture in a model file."""

#: Most values of a layer; the engine has the same bound.
MAX_WIDTH = 1024

_Width: TypeAlias = Annotated[int, Field(ge=1, le=MAX_WIDTH)]
_Shapes: TypeAlias = dict[str, tuple[int, ...]]


class NetworkConfig(Config):
    """What the shapes of all five have in common.

    The parameters of a shape are widths of layers. A pruned network has smaller ones.
    """

    name: ClassVar[Name]

    @property
    def architecture(self) -> str:
        """The name in model files, such as ``music.groove``."""
        return f"music.{self.name}"

    @property
    def n_inputs(self) -> int:
        """Values that a step takes."""
        raise NotImplementedError

    @property
    def n_outputs(self) -> int:
        """Values that a step gives."""
        raise NotImplementedError

    @property
    def parameter_shapes(self) -> _Shapes:
        """Shape of each tensor by its name in the ``state_dict``."""
        raise NotImplementedError

    @property
    def matrices(self) -> tuple[str, ...]:
        """Names of the tensors that a file in int8 stores as integers, with a scale for each row."""
        return tuple(name for name, shape in self.parameter_shapes.items() if len(shape) == 2)

    @property
    def n_parameters(self) -> int:
        """Number of trained values."""
        return sum(math.prod(shape) for shape in self.parameter_shapes.values())


class EmotionConfig(NetworkConfig):
    """Valence and arousal from mel frames: two layers, an LSTM and a layer.

    Parameters
    ----------
    mels
        Bands of a mel frame.
    first, second
        Units of the layers in front of the LSTM.
    hidden
        Units of the LSTM.
    outputs
        Values that come out; the first two are valence and arousal.
    sample_rate, n_fft, hop_length
        The frames that the network was trained on: their rate in Hz, their length and distance in samples.
    f_min_hz, f_max_hz
        The range of the bands.

    Examples
    --------
    >>> EmotionConfig().n_parameters
    497664
    """

    name = "emotion"

    mels: _Width = 128
    first: _Width = 64
    second: _Width = 192
    hidden: _Width = 256
    outputs: int = Field(64, ge=2, le=MAX_WIDTH)
    sample_rate: int = Field(22_050, ge=8_000, le=192_000)
    n_fft: int = Field(2048, ge=64, le=1 << 15)
    hop_length: int = Field(512, ge=16, le=1 << 15)
    f_min_hz: float = Field(30.0, ge=0, le=96_000)
    f_max_hz: float = Field(11_025.0, gt=0, le=96_000)

    @property
    def n_inputs(self) -> int:
        """Values that a step takes."""
        return self.mels

    @property
    def n_outputs(self) -> int:
        """Values that a step gives."""
        return self.outputs

    @property
    def parameter_shapes(self) -> _Shapes:
        """Shape of each tensor by its name in the ``state_dict``."""
        return {
            "input.weight": (self.first, self.mels),
            "hidden.weight": (self.second, self.first),
            "lstm.weight_ih_l0": (4 * self.hidden, self.second),
            "lstm.weight_hh_l0": (4 * self.hidden, self.hidden),
            "lstm.bias_ih_l0": (4 * self.hidden,),
            "lstm.bias_hh_l0": (4 * self.hidden,),
            "output.weight": (self.outputs, self.hidden),
        }


class MelodyConfig(NetworkConfig):
    """The next sixteenth of a melody: a transformer that sees a sliding window.

    Parameters
    ----------
    tokens
        Number of tokens: 0 is a rest, 1 a note that goes on, others are MIDI pitches.
    condition
        Values that come with each token.
    width
        Features of a step.
    heads, head_width
        Heads of the attention, and features of each.
    hidden
        Units of the layer between two blocks.
    blocks
        Blocks of attention and layers.
    window
        Steps that a step sees, itself included; the position of a step is its number modulo the window.

    Examples
    --------
    >>> MelodyConfig().n_parameters
    412672
    """

    name = "melody"

    tokens: int = Field(128, ge=2, le=MAX_WIDTH)
    condition: _Width = 64
    width: _Width = 128
    heads: int = Field(4, ge=1, le=64)
    head_width: int = Field(32, ge=1, le=256)
    hidden: _Width = 448
    blocks: int = Field(2, ge=1, le=16)
    window: _Width = 64

    @property
    def n_inputs(self) -> int:
        """Values that a step takes: the token, then the condition."""
        return 1 + self.condition

    @property
    def n_outputs(self) -> int:
        """Values that a step gives: the logits of the next token."""
        return self.tokens

    @property
    def parameter_shapes(self) -> _Shapes:
        """Shape of each tensor by its name in the ``state_dict``."""
        width, inner = self.width, self.heads * self.head_width
        shapes: _Shapes = {
            "token.weight": (self.tokens, width),
            "position.weight": (self.window, width),
            "condition.weight": (width, self.condition),
            "condition.bias": (width,),
        }
        for index in range(self.blocks):
            block = f"blocks.{index}"
            shapes[f"{block}.attention_norm.weight"] = (width,)
            for layer in ("query", "key", "value"):
                shapes[f"{block}.{layer}.weight"] = (inner, width)
                shapes[f"{block}.{layer}.bias"] = (inner,)
            shapes[f"{block}.out.weight"] = (width, inner)
            shapes[f"{block}.out.bias"] = (width,)
            shapes[f"{block}.feed_forward_norm.weight"] = (width,)
            shapes[f"{block}.up.weight"] = (self.hidden, width)
            shapes[f"{block}.up.bias"] = (self.hidden,)
            shapes[f"{block}.down.weight"] = (width, self.hidden)
            shapes[f"{block}.down.bias"] = (width,)
        shapes["norm.weight"] = (width,)
        shapes["head.weight"] = (self.tokens, width)
        shapes["head.bias"] = (self.tokens,)
        return shapes


class _DenseConfig(NetworkConfig):
    """Three layers."""

    inputs: _Width
    first: _Width
    second: _Width
    outputs: _Width

    @property
    def n_inputs(self) -> int:
        """Values that a step takes."""
        return self.inputs

    @property
    def n_outputs(self) -> int:
        """Values that a step gives."""
        return self.outputs

    @property
    def parameter_shapes(self) -> _Shapes:
        """Shape of each tensor by its name in the ``state_dict``."""
        return {
            "input.weight": (self.first, self.inputs),
            "input.bias": (self.first,),
            "hidden.weight": (self.second, self.first),
            "output.weight": (self.outputs, self.second),
            "output.bias": (self.outputs,),
        }


class HarmonyConfig(_DenseConfig):
    """The chord under a melody: three layers, and a softmax.

    Parameters
    ----------
    inputs
        Features of the melody, the key and the chords before.
    first, second
        Units of the layers.
    outputs
        Chords.

    Examples
    --------
    >>> HarmonyConfig().n_parameters
    74048
    """

    name = "harmony"

    inputs: _Width = 128
    first: _Width = 256
    second: _Width = 128
    outputs: _Width = 64


class DynamicsConfig(_DenseConfig):
    """Velocities from a condition: three layers, and a sigmoid.

    Parameters
    ----------
    inputs
        Values of the condition.
    first, second
        Units of the layers.
    outputs
        Velocities.

    Examples
    --------
    >>> DynamicsConfig().n_parameters
    13456
    """

    name = "dynamics"

    inputs: _Width = 32
    first: _Width = 128
    second: _Width = 64
    outputs: _Width = 16


class GrooveConfig(_DenseConfig):
    """Offsets and velocities of one voice: three layers, of which two are normed.

    Parameters
    ----------
    inputs
        Features of the voice and of the reference.
    first, second
        Units of the layers.
    outputs
        Offsets, then velocities.

    Examples
    --------
    >>> GrooveConfig().n_parameters
    19040
    """

    name = "groove"

    inputs: _Width = 64
    first: _Width = 128
    second: _Width = 64
    outputs: _Width = 32

    @property
    def parameter_shapes(self) -> _Shapes:
        """Shape of each tensor by its name in the ``state_dict``."""
        return {
            "input.weight": (self.first, self.inputs),
            "input.bias": (self.first,),
            "input_norm.weight": (self.first,),
            "input_norm.bias": (self.first,),
            "hidden.weight": (self.second, self.first),
            "hidden.bias": (self.second,),
            "hidden_norm.weight": (self.second,),
            "hidden_norm.bias": (self.second,),
            "output.weight": (self.outputs, self.second),
            "output.bias": (self.outputs,),
        }


CONFIGS: dict[Name, type[NetworkConfig]] = {
    "emotion": EmotionConfig,
    "melody": MelodyConfig,
    "harmony": HarmonyConfig,
    "dynamics": DynamicsConfig,
    "groove": GrooveConfig,
}
"""The shape of each network by its name."""

NAMES: tuple[Name, ...] = tuple(CONFIGS)
"""The networks in their order."""


def config_of(name: str) -> NetworkConfig:
    """Return the shape that a network has before it is pruned.

    Parameters
    ----------
    name
        One of `NAMES`.

    Returns
    -------
    NetworkConfig
        The default shape.

    Raises
    ------
    ParameterError
        If no network has the name.

    Examples
    --------
    >>> config_of("dynamics").n_outputs
    16
    """
    for known, config in CONFIGS.items():
        if known == name:
            return config()
    raise ParameterError(f"no music network is called {name!r}; choose one of {', '.join(NAMES)}")
