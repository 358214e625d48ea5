"""The amp chain: gain, gate, model, DC block, tone stack, cabinet, level and mix in one object."""

import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack, cast

import numpy as np
import numpy.typing as npt

from neurdsp import _core
from neurdsp.amp.infer import AmpModel
from neurdsp.amp.play.blocks import BLOCK_SAMPLES, aligned
from neurdsp.amp.play.effects import ResponseChannel, impulse_response
from neurdsp.amp.play.levels import check_levels
from neurdsp.amp.play.parameters import OUTPUT_MODES, SWITCHES, OutputMode, to_core
from neurdsp.audio import FloatArray, check_audio, check_sample_rate
from neurdsp.errors import ModelFileError, ParameterError

__all__ = ["AmpChain", "ChainSettings", "PerformanceReport"]


class ChainSettings(TypedDict, total=False):
    """Parameters of `AmpChain`, with their ranges and defaults.

    ========================= ==========================================================================
    ``input_gain_db``         gain before everything else; -60 to 60 (0)
    ``calibrate_input``       drive the model with the level that the device had (False)
    ``interface_level_dbu``   level of a sine at full scale of your interface; -30 to 60 (12)
    ``gate_on``               the noise gate (False)
    ``gate_threshold_db``     -100 to 0 (-70)
    ``gate_hysteresis_db``    0 to 24 (6)
    ``gate_attack_ms``        0 to 1000 (1)
    ``gate_hold_ms``          0 to 5000 (50)
    ``gate_release_ms``       0 to 5000 (100)
    ``model_on``              (True)
    ``tone_on``               (True)
    ``bass_db``               shelf at 150 Hz; -20 to 20 (0)
    ``mid_db``                peak at 425 Hz; -15 to 15 (0)
    ``treble_db``             shelf at 1.8 kHz; -10 to 10 (0)
    ``cabinet_on``            (True)
    ``dc_block_on``           high-pass at 5 Hz (True)
    ``output_mode``           "raw", "normalised" (or "normalized") to -18 dB, or "calibrated" ("raw")
    ``output_gain_db``        gain after everything else; -60 to 60 (0)
    ``mix``                   share of the processed sound; 0 to 1 (1)
    ========================= ==========================================================================
    """

    input_gain_db: float
    calibrate_input: bool
    interface_level_dbu: float
    gate_on: bool
    gate_threshold_db: float
    gate_hysteresis_db: float
    gate_attack_ms: float
    gate_hold_ms: float
    gate_release_ms: float
    model_on: bool
    tone_on: bool
    bass_db: float
    mid_db: float
    treble_db: float
    cabinet_on: bool
    dc_block_on: bool
    output_mode: OutputMode
    output_gain_db: float
    mix: float


@dataclass(frozen=True, slots=True)
class PerformanceReport:
    """Wall-clock times of the blocks that a chain has played, in microseconds.

    The quantiles are at most 1/16 too high.
    """

    blocks: int
    missed_deadlines: int
    last_us: float
    median_us: float
    p99_us: float
    worst_us: float


class AmpChain:
    """An amp with the whole chain around it, as the plugin plays it.

    Parameters
    ----------
    model : AmpModel, str or path-like, optional
        A loaded model, a model file, or the name of a shipped amp; without a model the sound passes through.
    sample_rate : float
        Of the sound, in Hz. If it is not the model's, the model is resampled, which adds `latency`.
    n_channels : int
        1 to 64. Channels share weights and settings, and each has its own state.
    ir : path-like or array_like, optional
        Impulse response of a cabinet; see `load_ir`.
    ir_channel : {"each", "left", "right", "mean"} or int
        Which channel of the impulse response plays; see `load_ir`.
    oversample : {1, 2, 4}
        Run the model at a multiple of its rate to reduce aliasing.
    low_latency : bool
        Use shorter filters if rates differ; see the guide on real time.
    fade_ms : float
        Fade-in of a model or an impulse response that is loaded later, 0 to 10,000.
    **settings
        Any of `ChainSettings`.

    Raises
    ------
    ModelFileError, AudioFileError
        If the model or the impulse response cannot be read.
    ParameterError
        If a value is out of range; the message names it.

    Examples
    --------
    >>> chain = AmpChain("ts9", bass_db=3, gate_on=True, gate_threshold_db=-60)
    >>> chain.render(np.zeros(4_800, np.float32)).shape
    (4800,)
    """

    def __init__(
        self,
        model: AmpModel | str | os.PathLike[str] | None = None,
        *,
        sample_rate: float = 48_000.0,
        n_channels: int = 1,
        ir: str | os.PathLike[str] | npt.ArrayLike | None = None,
        ir_channel: ResponseChannel = "each",
        oversample: int = 1,
        low_latency: bool = False,
        fade_ms: float = 20.0,
        **settings: Unpack[ChainSettings],
    ) -> None:
        self._sample_rate = check_sample_rate(sample_rate)
        self._core = _core.AmpChain(self._sample_rate, n_channels)
        self._n_channels = n_channels
        if not 0 <= fade_ms <= 10_000:
            raise ParameterError(f"fade_ms is {fade_ms!r}, but it must be 0 to 10000")
        self._core.set_fade_ms(fade_ms)
        self._model: AmpModel | None = None
        self._operation = (oversample, low_latency)
        self.set(**settings)
        if model is not None:
            self.load_model(model, oversample=oversample, low_latency=low_latency)
        if ir is not None:
            self.load_ir(ir, channel=ir_channel)
        self._core.reset()

    def __reduce__(self) -> str:
        raise TypeError(
            "a chain holds sound that is playing and cannot be copied or pickled; copy its model and "
            "settings, and make a chain of them where it is needed"
        )

    def __repr__(self) -> str:
        return (
            f"AmpChain({self._sample_rate:g} Hz, {self._n_channels} channels, latency {self.latency} samples)"
        )

    @property
    def sample_rate(self) -> float:
        """Sample rate of input and output, in Hz."""
        return self._sample_rate

    @property
    def latency(self) -> int:
        """Delay of `process` in samples; 0 if the model plays at its own rate."""
        return self._core.latency

    @property
    def settings(self) -> ChainSettings:
        """Current values of all parameters; a copy."""
        values: dict[str, Any] = {name: self._core.get(name) for name, *_ in _core.chain_parameters()}
        values |= {name: bool(values[name]) for name in SWITCHES}
        values["output_mode"] = OUTPUT_MODES[round(values["output_mode"])]
        return cast(ChainSettings, values)

    @property
    def performance(self) -> PerformanceReport:
        """Times of all blocks so far; reading them never waits for a block."""
        return PerformanceReport(*self._core.performance())

    def set(self, **settings: Unpack[ChainSettings]) -> None:
        """Change parameters; gains and switches reach their values within 20 ms of sound.

        Parameters
        ----------
        **settings
            Any of `ChainSettings`. It is safe to call this from another thread than the one that plays.

        Raises
        ------
        ParameterError
            If a name is unknown or a value out of range; the settings before it are changed already.

        Examples
        --------
        >>> chain = AmpChain()
        >>> chain.set(treble_db=2, output_mode="normalised")
        >>> chain.settings["output_mode"]
        'normalised'
        """
        for name, value in settings.items():
            self._core.set(name, to_core(name, value))
        if settings.keys() & {"output_mode", "calibrate_input"}:
            self._warn_of_levels()

    def load_model(
        self,
        model: AmpModel | str | os.PathLike[str] | None,
        *,
        oversample: int = 1,
        low_latency: bool = False,
    ) -> None:
        """Fade to another model, or to none, during the next blocks; see the class."""
        amp = model if model is None or isinstance(model, AmpModel) else AmpModel.load(model)
        self._core.load_model(amp._core if amp else None, oversample, low_latency)
        self._model, self._operation = amp, (oversample, low_latency)
        self._warn_of_levels()

    def _warn_of_levels(self) -> None:
        """Warn if a setting has no effect because the model's file lacks a level."""
        if self._model is not None:
            try:
                check_levels(self._model, self.settings)
            except ParameterError as error:
                warnings.warn(f"{error}. Until then the level stays as it is", UserWarning, stacklevel=3)

    @property
    def knobs(self) -> dict[str, float]:
        """Positions of the model's knobs; empty without a model or without knobs."""
        return self._model.knobs if self._model else {}

    def set_knobs(self, **positions: float) -> None:
        """Turn knobs of the model while it plays.

        This call makes the model at the new positions. During the next blocks that model first hears as much
        sound as its receptive field holds, so that its state is right, and then fades in linearly.

        Parameters
        ----------
        **positions : float
            As in `AmpModel.with_knobs`.

        Raises
        ------
        ParameterError
            For a knob that the model lacks, a position outside 0 to 1, or if eight moves are pending already.

        Examples
        --------
        >>> chain.set_knobs(gain=0.8)  # doctest: +SKIP
        """
        if self._model is None:
            raise ParameterError("there is no model whose knobs could be turned; load one first")
        turned = self._model.with_knobs(**positions)
        self._core.turn_knobs(turned._core, *self._operation)
        self._model = turned

    def load_ir(
        self,
        ir: str | os.PathLike[str] | npt.ArrayLike | None,
        *,
        ir_rate: float | None = None,
        normalise: bool = True,
        channel: ResponseChannel = "each",
    ) -> None:
        """Fade to another impulse response, or to none, during the next blocks.

        Parameters
        ----------
        ir : path-like, array_like of float or None
            An audio file, or samples of shape (n,) or (n_channels, n).
        ir_rate : float, optional
            Sample rate of the samples in ``ir``; the chain's by default. A file has its own.
        normalise : bool
            Whether to scale the response so that it does not change the loudness of white noise up to 24 kHz.
            The gain is the same at every sample rate of the chain.
        channel : {"each", "left", "right", "mean"} or int
            Which channel of the response plays. By default channel ``i`` of the chain uses channel ``i`` of
            the response, or its last one: a mono chain uses the left. Otherwise all use the left, the right,
            the mean of all, or the one with this number, counted from 0.

        Raises
        ------
        AudioFileError
            If the file cannot be read, or a channel that plays is silent.
        ParameterError
            If the response is empty, silent in a channel that plays, not finite, or longer than 4,194,304
            samples; or if there is no such channel.
        """
        if ir is None:
            self._core.load_cabinet(None, self._sample_rate, normalise)
            return
        samples, rate = impulse_response(
            ir, ir_rate or self._sample_rate, channel=channel, n_channels=self._n_channels
        )
        self._core.load_cabinet(samples, rate, normalise)

    def process(self, block: npt.ArrayLike) -> FloatArray:
        """Play the next samples.

        Parameters
        ----------
        block : array_like of float, shape (n_samples,) or (n_channels, n_samples)
            Any number of samples, zero included. The division into blocks does not change a bit of the
            output.

        Returns
        -------
        ndarray of float32
            Of the same shape, delayed by `latency`.

        Raises
        ------
        ParameterError
            If the number of channels is wrong, or the block is not finite.
        """
        samples = np.asarray(block)
        if samples.size == 0:
            return np.zeros(samples.shape, np.float32)
        return self._play(check_audio(samples, name="block"))

    def _play(self, samples: FloatArray) -> FloatArray:
        played = self._core.process(np.atleast_2d(samples))
        return played[0] if samples.ndim == 1 else played

    def reset(self) -> None:
        """Clear the signal, and complete all pending changes."""
        self._core.reset()

    def reset_performance(self) -> None:
        """Clear `performance`."""
        self._core.reset_performance()

    def render(self, audio: npt.ArrayLike) -> FloatArray:
        """Play a whole clip from silence, aligned with the input.

        Parameters
        ----------
        audio : array_like of float, shape (n_samples,) or (n_channels, n_samples)
            At the chain's sample rate.

        Returns
        -------
        ndarray of float32
            Of the same shape. Sound that decays after the end is cut; append silence to keep it.

        Raises
        ------
        ParameterError
            As `process`.
        ModelFileError
            If the output of the model is not finite, or over 120 dB of full scale.
        """
        samples = check_audio(audio)
        parts = (samples[..., i : i + BLOCK_SAMPLES] for i in range(0, samples.shape[-1], BLOCK_SAMPLES))
        return np.concatenate(list(self.render_blocks(parts)), axis=-1)

    def render_blocks(self, blocks: Iterable[npt.ArrayLike]) -> Iterator[FloatArray]:
        """Play a clip of any length from silence, in the memory of a few blocks.

        Parameters
        ----------
        blocks : iterable of array_like
            The parts of the clip in order, as in `render`.

        Yields
        ------
        ndarray of float32
            The parts of the output in order. Their lengths add up to those of the input.

        Raises
        ------
        ParameterError
            As `process`; a sample that is not finite is named by its position in the clip.
        ModelFileError
            If the output of the model is not finite, or over 120 dB of full scale.
        """
        self.reset()
        dropped = self._core.dropped_samples
        for block in aligned(self._play, self.latency, blocks):
            if self._core.dropped_samples != dropped:
                raise ModelFileError(
                    "the output of the model is not finite, or over 120 dB of full scale: its weights are "
                    "damaged or do not suit the level; use another model, or less gain before it"
                )
            yield block
