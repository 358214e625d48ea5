"""Playing an amp model with the Rust engine: whole clips, long streams, or block by block."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from neurdsp import _core
from neurdsp.amp.lookup import find_model
from neurdsp.amp.play.blocks import BLOCK_SAMPLES, aligned
from neurdsp.amp.source import ModelSource, play_source, read_model
from neurdsp.audio import FloatArray, check_audio, check_sample_rate
from neurdsp.errors import ParameterError

__all__ = ["MAX_CHANNELS", "AmpModel", "AmpStream"]

MAX_CHANNELS = 64
"""Bounds the number of streams: an array with its axes swapped has thousands of channels."""

_MAX_RATIO = 16
"""Bounds the memory that a file with an absurd sample rate in its header can ask for."""


def _restored(kind: "type[AmpModel]", source: ModelSource, positions: tuple[float, ...]) -> "AmpModel":
    """Return a pickled model."""
    model = kind(play_source(source), source)
    return model.with_knobs(**dict(zip(model.knobs, positions, strict=True)))


class AmpStream:
    """One signal that passes through a model block by block; see `AmpModel.stream`.

    The stream starts in the state that endless silence leaves. The division into blocks does not change a bit
    of the output.
    """

    def __init__(self, core: _core.AmpStream) -> None:
        self._core = core

    def __reduce__(self) -> str:
        raise TypeError(
            "a stream holds sound that is playing and cannot be copied or pickled; copy the AmpModel, and "
            "start a stream of the copy"
        )

    def process(self, block: npt.ArrayLike) -> FloatArray:
        """Play the next samples.

        Parameters
        ----------
        block : array_like of float, shape (n_samples,)
            Any number of samples, zero included, at the sample rate of the stream.

        Returns
        -------
        ndarray of float32, shape (n_samples,)
            As many samples, delayed by `latency`.

        Raises
        ------
        ParameterError
            If the block is not mono, or if it holds NaN or infinity, which would stay in the state of the
            model.
        """
        if np.size(block) == 0:
            return np.zeros(0, np.float32)
        return self._core.process(check_audio(block, name="block", mono=True))

    @property
    def latency(self) -> int:
        """Lag of the output behind the input, in samples; 0 if nothing is resampled."""
        return self._core.latency

    def reset(self) -> None:
        """Return to the state that endless silence leaves."""
        self._core.reset()


class AmpModel:
    """An amp that is ready to play. All streams share its weights; nothing here needs PyTorch.

    Make one with `load`. It can be copied, pickled and sent to other processes: it carries its file with it.

    Examples
    --------
    >>> amp = AmpModel.load("amp.safetensors")  # doctest: +SKIP
    >>> wet = amp.render(dry, sample_rate=48_000)  # doctest: +SKIP
    """

    def __init__(self, core: _core.AmpModel, source: ModelSource) -> None:
        self._core = core
        self._source = source

    @property
    def path(self) -> Path | None:
        """Where the file was that the model was loaded from."""
        return self._source.path

    def __copy__(self) -> Self:
        return type(self)(self._core, self._source)  # nothing in it ever changes

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self._source, tuple(self.knobs.values()))

    @classmethod
    def load(
        cls,
        name_or_path: str | os.PathLike[str],
        *,
        size: float | None = None,
        conventions: Literal["core", "trainer"] = "core",
    ) -> Self:
        """Load a model file, or by its name an amp that comes with neurdsp.

        Parameters
        ----------
        name_or_path : str or path-like
            A model file of neurdsp, a ``.nam`` file or the folder of an older one, the JSON of an amp model,
            an LSTM of AIDA-X or Proteus, or one of `shipped_amps`.
        size : float, optional
            Which size of a ``.nam`` model with several sizes to play, from 0 (smallest) to 1 (full, the
            default). Other models have one size only, and refuse it.
        conventions : {"core", "trainer"}
            Which reading of ``.nam`` to follow where NAM Core, on which the players are built, and NAM's
            trainer differ: layers without ``layer1x1``, and ``layer1x1_post_film``.

        Returns
        -------
        AmpModel
            The model, ready to play.

        Raises
        ------
        ModelFileError
            If there is no such file or amp, or if the file is damaged.
        UnsupportedModelError
            If the file is for a newer neurdsp, or of an unknown kind.
        ParameterError
            If ``size`` is not from 0 to 1 or the model has one size only, or ``conventions`` is unknown.

        Examples
        --------
        >>> smallest = AmpModel.load("amp.nam", size=0)  # doctest: +SKIP
        """
        if size is not None and not 0 <= size <= 1:
            raise ParameterError(f"size is {size!r}, but it must be from 0 (smallest) to 1 (full)")
        if conventions not in ("core", "trainer"):
            raise ParameterError(f"conventions is {conventions!r}, but it must be 'core' or 'trainer'")
        path = find_model(name_or_path)
        model = cls(*read_model(path, None if size is None else float(size), conventions == "trainer"))
        if size is not None and not model.size_steps:
            raise ParameterError(
                f"size is {size:g}, but '{path.stem}' has one size only; leave the size (--size) out"
            )
        return model

    def __repr__(self) -> str:
        return (
            f"AmpModel({self.architecture}, {self.n_parameters:,} parameters, {self.sample_rate:g} Hz, "
            f"receptive field {self.receptive_field:,} samples)"
        )

    @property
    def sample_rate(self) -> float:
        """Sample rate at which the model was trained, in Hz."""
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
        """Kind of model, such as ``amp.wavenet``."""
        return self._core.architecture

    @property
    def metadata(self) -> dict[str, str]:
        """Metadata of the model file: name, producer, metrics at export, and whatever else it holds."""
        return self._core.metadata

    @property
    def size_steps(self) -> list[float]:
        """Values of ``size`` from which the next larger model plays, ascending; empty for a single size."""
        return self._core.size_steps

    @property
    def capture(self) -> dict[str, Any]:
        """Facts about the device and the capture, with the keys of ``.nam`` metadata.

        ``loudness`` (dB), ``gain``, ``input_level_dbu`` and ``output_level_dbu`` (dBu at 0 dBFS), ``name``,
        ``modeled_by``, ``gear_make``, ``gear_model``, ``gear_type``, ``tone_type`` and more; each may be
        missing.
        """
        facts: dict[str, Any] = json.loads(self._core.capture)
        return facts

    @property
    def knobs(self) -> dict[str, float]:
        """Position of each knob, from 0 (fully left) to 1 (fully right); most models have no knobs."""
        return {name: position for name, position, _ in self._core.knobs}

    def with_knobs(self, **positions: float) -> Self:
        """Return the model with other positions of its knobs.

        Parameters
        ----------
        **positions : float
            By name of the knob, from 0 (fully left) to 1 (fully right); the other knobs keep their positions.

        Returns
        -------
        AmpModel
            A new model that costs as much to play. Streams of this one do not change;
            `neurdsp.amp.AmpChain.set_knobs` turns a knob during play.

        Raises
        ------
        ParameterError
            For a knob that the model lacks, or a position outside 0 to 1.

        Examples
        --------
        >>> louder = AmpModel.load("amp.safetensors").with_knobs(gain=0.8)  # doctest: +SKIP
        """
        current = self.knobs
        for name, position in positions.items():
            if name not in current:
                known = ", ".join(current) or "none"
                raise ParameterError(f"the model has no knob '{name}'; its knobs: {known}")
            if not 0 <= position <= 1:
                raise ParameterError(f"{name} is {position!r}, but it must be from 0 to 1")
        core = self._core.with_knobs([float(at) for at in {**current, **positions}.values()])
        return type(self)(core, self._source)

    def stream(
        self, sample_rate: float | None = None, *, oversample: int = 1, low_latency: bool = False
    ) -> AmpStream:
        """Start a stream, for a signal that comes block by block.

        Parameters
        ----------
        sample_rate : float, optional
            Of the blocks in Hz; by default the `sample_rate` of the model. Any other rate is resampled.
        oversample : {1, 2, 4}
            Run the model at a multiple of its rate to reduce aliasing, at as many times the cost.
        low_latency : bool
            Use shorter resampling filters: at 48 kHz as clean up to 20 kHz, but not up to half the sample
            rate.

        Returns
        -------
        AmpStream
            Independent of the other streams of this model; its latency is 0 if nothing is resampled.

        Raises
        ------
        ParameterError
            If the rates are too far apart, or ``oversample`` is not 1, 2 or 4.

        Examples
        --------
        >>> stream = amp.stream()  # doctest: +SKIP
        >>> wet = [stream.process(block) for block in blocks]  # doctest: +SKIP
        """
        rate = self.sample_rate if sample_rate is None else self._near(sample_rate)
        return AmpStream(self._core.stream(rate, oversample, low_latency))

    def _near(self, sample_rate: float) -> float:
        """Return a sample rate that is valid and near enough to the model's."""
        rate = check_sample_rate(sample_rate)
        if not self.sample_rate / _MAX_RATIO <= rate <= self.sample_rate * _MAX_RATIO:
            raise ParameterError(
                f"sample_rate is {rate:g} Hz, too far from the model's {self.sample_rate:g} Hz: it may be at "
                f"most {_MAX_RATIO} times lower or higher; resample the audio first"
            )
        return rate

    def render(self, audio: npt.ArrayLike, sample_rate: float) -> FloatArray:
        """Play a whole clip.

        Parameters
        ----------
        audio : array_like of float, shape (n_samples,) or (n_channels, n_samples)
            With full scale at 1.0 as in the recordings that the model was trained on. Each of up to 64
            channels goes through the model on its own.
        sample_rate : float
            Of ``audio`` in Hz. If it is not the model's, the clip is resampled before and after.

        Returns
        -------
        ndarray of float32, of the shape of ``audio``
            The amp's output at ``sample_rate``, aligned with the input.

        Raises
        ------
        ParameterError
            If the audio is empty, not finite or has too many channels, or the sample rate is out of range.

        Examples
        --------
        >>> wet = amp.render(dry, sample_rate=44_100)  # doctest: +SKIP
        """
        samples = check_audio(audio)
        n_samples = samples.shape[-1]
        blocks = (samples[..., i : i + BLOCK_SAMPLES] for i in range(0, n_samples, BLOCK_SAMPLES))
        result = np.empty(samples.shape, np.float32)
        position = 0
        for block in self.render_blocks(blocks, sample_rate):
            result[..., position : position + block.shape[-1]] = block
            position += block.shape[-1]
        return result

    def render_blocks(self, blocks: Iterable[npt.ArrayLike], sample_rate: float) -> Iterator[FloatArray]:
        """Play a clip of any length, in the memory of a few blocks.

        Parameters
        ----------
        blocks : iterable of array_like of float, each of shape (n,) or (n_channels, n)
            The parts of the clip in order.
        sample_rate : float
            Of the blocks in Hz.

        Yields
        ------
        ndarray of float32, shape (m,) or (n_channels, m)
            The parts of the output in order. Their lengths add up to those of the input, but each may be
            shorter or longer than its input if the rates differ.

        Raises
        ------
        ParameterError
            As `render`; a sample that is not finite is named by its position in the clip.

        Examples
        --------
        >>> for wet in amp.render_blocks(reader.blocks(), 48_000):  # doctest: +SKIP
        ...     writer.write(wet)
        """
        rate = self._near(sample_rate)
        streams = [self._core.stream(rate, 1, False)]

        def play(samples: FloatArray) -> FloatArray:
            rows = np.atleast_2d(samples)
            if len(rows) > MAX_CHANNELS:
                raise ParameterError(
                    f"audio has shape {samples.shape}, but at most {MAX_CHANNELS} channels can be played; "
                    "its shape must be (n_channels, n_samples): transpose it (audio.T)"
                )
            while len(streams) < len(rows):
                streams.append(self._core.stream(rate, 1, False))
            played = [stream.process(row) for stream, row in zip(streams, rows, strict=True)]
            return played[0] if samples.ndim == 1 else np.stack(played)

        yield from aligned(play, streams[0].latency, blocks)
