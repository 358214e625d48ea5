"""Playing an amp model with the Rust engine: whole clips, long streams, or block by block."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from neurdsp import _core
from neurdsp.amp.play.blocks import BLOCK_SAMPLES, aligned
from neurdsp.audio import FloatArray, check_audio, check_sample_rate
from neurdsp.errors import ModelFileError, ParameterError

__all__ = [
    "AmpModel",
    "AmpStream",
    "ShippedAmp",
    "describe_amps",
    "find_model",
    "shipped_amps",
    "shipped_clip",
]

_SHIPPED = Path(__file__).parent / "shipped"
_SUFFIX = ".safetensors"
# Bounds the memory that a file with an absurd rate in its header can ask for.
_MAX_RATIO = 16


def shipped_amps() -> list[str]:
    """Names of the amps that come with neurdsp, for :meth:`AmpModel.load`.

    Examples
    --------
    >>> names = shipped_amps()
    """
    return sorted(path.name.removesuffix(_SUFFIX) for path in _SHIPPED.glob(f"*{_SUFFIX}"))


def shipped_clip() -> Path:
    """Path of the dry guitar that comes with neurdsp, mono at 48 kHz; its licence lies beside it.

    Examples
    --------
    >>> shipped_clip().name
    'di_clip.flac'
    """
    return _SHIPPED / "di_clip.flac"


@dataclass(frozen=True)
class ShippedAmp:
    """An amp that comes with neurdsp: what :meth:`AmpModel.load` takes, and what its file says of it.

    Parameters
    ----------
    name
        For :meth:`AmpModel.load`.
    description
        One line.
    knobs
        Where each knob stands at first, 0 to 1; empty for most.
    n_parameters
        Of the network that plays.
    test_esr
        Error-to-signal ratio on playing that training never heard, at the first positions of the knobs.
    license
        Of the weights.
    """

    name: str
    description: str
    knobs: dict[str, float]
    n_parameters: int
    test_esr: float | None
    license: str


def describe_amps() -> list[ShippedAmp]:
    """Tell what the shipped amps are.

    Examples
    --------
    >>> [amp.name for amp in describe_amps() if amp.name == "ts9"]
    ['ts9']
    """
    found = []
    for name in shipped_amps():
        amp = AmpModel.load(name)
        said = amp.metadata
        found.append(
            ShippedAmp(
                name=name,
                description=said.get("neurdsp.description", ""),
                knobs=amp.knobs,
                n_parameters=amp.n_parameters,
                test_esr=json.loads(said.get("neurdsp.metrics", "{}")).get("test_esr"),
                license=said.get("neurdsp.license", ""),
            )
        )
    return found


def find_model(name_or_path: str | os.PathLike[str]) -> Path:
    """Return the path of a model file, or of the shipped amp of that name.

    A file of that name comes first; a folder only if it is an old ``.nam`` model, for one that is called
    ``crunch`` by chance must not hide the amp.

    Raises
    ------
    ModelFileError
        If there is neither.
    """
    path = Path(name_or_path)
    no_model = not path.exists() or (path.is_dir() and not (path / "config.json").is_file())
    if no_model and str(path) in shipped_amps():
        return _SHIPPED / f"{path}{_SUFFIX}"
    if path.is_dir() and not (path / "config.json").is_file():
        raise ModelFileError(
            f"cannot load '{path}': it is a folder, without the config.json and weights.npy of an old .nam "
            "model; give a model file"
        )
    if path.exists():
        return path
    shipped = ", ".join(shipped_amps()) or "none"
    raise ModelFileError(f"cannot load '{path}': no such file, nor a shipped amp (shipped: {shipped})")


class AmpStream:
    """One signal's way through a model, block by block; see :meth:`AmpModel.stream`.

    The first block meets the state that endless silence leaves. Cutting the signal into other blocks changes
    nothing, bit for bit.
    """

    def __init__(self, core: _core.AmpStream) -> None:
        self._core = core

    def process(self, block: npt.ArrayLike) -> FloatArray:
        """Play the next samples.

        Parameters
        ----------
        block : array_like of float, shape (n_samples,)
            Any number of samples, none included, at the stream's sample rate.

        Returns
        -------
        ndarray of float32, shape (n_samples,)
            As many samples, :attr:`latency` late.

        Raises
        ------
        ParameterError
            If the block is not mono or holds NaN or infinity, which would stay in the model's memory.
        """
        if np.size(block) == 0:
            return np.zeros(0, np.float32)
        return self._core.process(check_audio(block, name="block", mono=True))

    @property
    def latency(self) -> int:
        """By how many samples the output lags behind the input; 0 where nothing is resampled."""
        return self._core.latency

    def reset(self) -> None:
        """Forget the signal: back to the state that endless silence leaves."""
        self._core.reset()


class AmpModel:
    """An amp, ready to play. Weights are loaded once and shared by all streams; nothing here needs PyTorch.

    Make one with :meth:`load`.

    Examples
    --------
    >>> amp = AmpModel.load("amp.safetensors")  # doctest: +SKIP
    >>> wet = amp.render(dry, sample_rate=48_000)  # doctest: +SKIP
    """

    def __init__(self, core: _core.AmpModel) -> None:
        self._core = core

    @classmethod
    def load(
        cls,
        name_or_path: str | os.PathLike[str],
        *,
        size: float | None = None,
        conventions: Literal["core", "trainer"] = "core",
    ) -> Self:
        """Load a model file, or an amp that comes with neurdsp by its name.

        Parameters
        ----------
        name_or_path : str or path-like
            A model file of neurdsp, a ``.nam`` file or the folder of an older one, the JSON of an amp model,
            or one of :func:`shipped_amps`.
        size : float, optional
            Of a ``.nam`` model of several sizes the one to play, from 0 (smallest) to 1 (full, also if not
            given); other models play the same at every size.
        conventions : {"core", "trainer"}
            Whose reading of ``.nam`` to follow where NAM Core, which the players are built on, and NAM's
            trainer differ: layers without ``layer1x1``, and ``layer1x1_post_film``.

        Returns
        -------
        AmpModel
            The model, ready to play.

        Raises
        ------
        ModelFileError
            If there is no such file or amp, or the file is damaged.
        UnsupportedModelError
            If the file is sound, but for a newer neurdsp or of another kind.
        ParameterError
            If the size is not from 0 to 1, or the conventions are neither.

        Examples
        --------
        >>> smallest = AmpModel.load("amp.nam", size=0)  # doctest: +SKIP
        """
        if size is not None and not 0 <= size <= 1:
            raise ParameterError(f"size is {size!r}, but must be from 0 (smallest) to 1 (full)")
        if conventions not in ("core", "trainer"):
            raise ParameterError(f"conventions is {conventions!r}, but must be 'core' or 'trainer'")
        path = str(find_model(name_or_path))
        return cls(_core.AmpModel.load(path, None if size is None else float(size), conventions == "trainer"))

    def __repr__(self) -> str:
        return (
            f"AmpModel({self.architecture}, {self.n_parameters:,} parameters, {self.sample_rate:g} Hz, "
            f"receptive field {self.receptive_field:,} samples)"
        )

    @property
    def sample_rate(self) -> float:
        """Rate in Hz that the model was trained at."""
        return self._core.sample_rate

    @property
    def receptive_field(self) -> int:
        """How many input samples one output sample depends on."""
        return self._core.receptive_field

    @property
    def latency(self) -> int:
        """Delay of the output in samples; 0 for a causal model."""
        return self._core.latency

    @property
    def n_parameters(self) -> int:
        """Number of trained weights."""
        return self._core.n_parameters

    @property
    def architecture(self) -> str:
        """Kind of model, ``amp.wavenet`` for instance."""
        return self._core.architecture

    @property
    def metadata(self) -> dict[str, str]:
        """The model file's own words: name, producer, metrics at export, and whatever else was put in."""
        return self._core.metadata

    @property
    def size_steps(self) -> list[float]:
        """The sizes from which another size of the model plays, ascending; empty if it has one size."""
        return self._core.size_steps

    @property
    def capture(self) -> dict[str, Any]:
        """What the file says about the device and the capture, by the keys of ``.nam`` metadata.

        ``loudness`` (dB), ``gain``, ``input_level_dbu`` and ``output_level_dbu`` (dBu at 0 dBFS), ``name``,
        ``modeled_by``, ``gear_make``, ``gear_model``, ``gear_type``, ``tone_type`` and more; any may be
        absent.
        """
        told: dict[str, Any] = json.loads(self._core.capture)
        return told

    @property
    def knobs(self) -> dict[str, float]:
        """Where each knob of a model with knobs stands, 0 (fully left) to 1 (fully right); most have none."""
        return {name: position for name, position, _ in self._core.knobs}

    def with_knobs(self, **positions: float) -> Self:
        """Turn knobs of a model that has some.

        Parameters
        ----------
        **positions : float
            By the name of the knob, 0 (fully left) to 1 (fully right); the others stay where they are.

        Returns
        -------
        AmpModel
            The amp at these positions, a model of its own: it costs what it did before, and streams that play
            go on as they are. :meth:`neurdsp.amp.AmpChain.set_knobs` turns a knob while it plays.

        Raises
        ------
        ParameterError
            For a knob that the model lacks, or a position outside 0 to 1.

        Examples
        --------
        >>> louder = AmpModel.load("amp.safetensors").with_knobs(gain=0.8)  # doctest: +SKIP
        """
        stand = self.knobs
        for name, position in positions.items():
            if name not in stand:
                known = ", ".join(stand) or "none"
                raise ParameterError(f"the model has no knob '{name}'; its knobs: {known}")
            if not 0 <= position <= 1:
                raise ParameterError(f"{name} is {position!r}, but must be from 0 to 1")
        return type(self)(self._core.with_knobs([float(at) for at in {**stand, **positions}.values()]))

    def stream(
        self, sample_rate: float | None = None, *, oversample: int = 1, low_latency: bool = False
    ) -> AmpStream:
        """Start a signal that comes block by block.

        Parameters
        ----------
        sample_rate : float, optional
            Of the blocks in Hz; :attr:`sample_rate` if not given. At another one the model is resampled.
        oversample : {1, 2, 4}
            Run the model at a multiple of its rate, against aliasing, at as many times the cost.
        low_latency : bool
            Shorter filters, which are as clean up to 20 kHz at 48 kHz, but not up to half the sample rate.

        Returns
        -------
        AmpStream
            Independent of every other stream of this model; its latency is 0 where nothing is resampled.

        Raises
        ------
        ParameterError
            If the rates are too far apart, or ``oversample`` is another number.

        Examples
        --------
        >>> stream = amp.stream()  # doctest: +SKIP
        >>> wet = [stream.process(block) for block in blocks]  # doctest: +SKIP
        """
        rate = self.sample_rate if sample_rate is None else self._near(sample_rate)
        return AmpStream(self._core.stream(rate, oversample, low_latency))

    def _near(self, sample_rate: float) -> float:
        """Check a sample rate, and that it is not too far from the model's."""
        rate = check_sample_rate(sample_rate)
        if not self.sample_rate / _MAX_RATIO <= rate <= self.sample_rate * _MAX_RATIO:
            raise ParameterError(
                f"sample_rate {rate:g} Hz is too far from the model's {self.sample_rate:g} Hz: "
                f"at most {_MAX_RATIO} times lower or higher; resample the audio first"
            )
        return rate

    def render(self, audio: npt.ArrayLike, sample_rate: float) -> FloatArray:
        """Play a whole clip.

        Parameters
        ----------
        audio : array_like of float, shape (n_samples,)
            Mono, with full scale at 1.0 as in the recordings that the model was trained on.
        sample_rate : float
            Of ``audio`` in Hz. Where it is not the model's, the clip is resampled before and after.

        Returns
        -------
        ndarray of float32, shape (n_samples,)
            The amp's output at ``sample_rate``, aligned with the input.

        Raises
        ------
        ParameterError
            If the audio is empty, not mono or not finite, or the sample rate out of its domain.

        Examples
        --------
        >>> wet = amp.render(dry, sample_rate=44_100)  # doctest: +SKIP
        """
        samples = check_audio(audio, mono=True)
        blocks = (samples[i : i + BLOCK_SAMPLES] for i in range(0, samples.size, BLOCK_SAMPLES))
        result = np.empty(samples.size, np.float32)
        position = 0
        for block in self.render_blocks(blocks, sample_rate):
            result[position : position + block.size] = block
            position += block.size
        return result

    def render_blocks(self, blocks: Iterable[npt.ArrayLike], sample_rate: float) -> Iterator[FloatArray]:
        """Play a clip of any length with the memory of a few blocks.

        Parameters
        ----------
        blocks : iterable of array_like of float, each of shape (n,)
            The clip's parts in order, mono.
        sample_rate : float
            Of the blocks in Hz.

        Yields
        ------
        ndarray of float32, shape (m,)
            The output's parts in order. Their lengths add up to those of the input, but where rates differ a
            part may be shorter or longer than the one that went in.

        Raises
        ------
        ParameterError
            As :meth:`render`; a sample that is not finite is named by its position in the clip.

        Examples
        --------
        >>> for wet in amp.render_blocks(reader.blocks(), 48_000):  # doctest: +SKIP
        ...     writer.write(wet)
        """
        rate = self._near(sample_rate)
        stream = self._core.stream(rate, 1, False)
        yield from aligned(stream.process, stream.latency, blocks, mono=True)
