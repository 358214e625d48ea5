"""The parts of the chain around an amp, for use on their own: gate, tone stack, cabinet, DC block, levels."""

import operator
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from neurdsp import _core
from neurdsp.amp.play.parameters import OutputMode, in_range, output_mode_number
from neurdsp.audio import FloatArray, check_audio, check_sample_rate, read_audio
from neurdsp.errors import AudioFileError, ParameterError

__all__ = [
    "Cabinet",
    "DCBlock",
    "LevelGains",
    "NoiseGate",
    "ResponseChannel",
    "ToneStack",
    "impulse_response",
    "level_gains",
    "response_channel",
]

ResponseChannel = Literal["each", "left", "right", "mean"] | int
"""Which channel of an impulse response plays: each its own, or for all the left, the right, the mean, or the
one with this number, counted from 0."""

_CHANNELS = {"left": 0, "right": 1, "each": -1, "mean": -2}


class _Block:
    """One channel through one part of the chain; the division into blocks does not change a bit."""

    def __init__(self, core: _core.ChainBlock) -> None:
        self._core = core

    def __reduce__(self) -> str:
        raise TypeError(
            f"a {type(self).__name__} holds sound that is playing and cannot be copied or pickled; make one "
            "with the same settings where it is needed"
        )

    def process(self, block: npt.ArrayLike) -> FloatArray:
        """Play the next samples.

        Parameters
        ----------
        block : array_like of float, shape (n_samples,)
            Any number of samples, zero included.

        Returns
        -------
        ndarray of float32, shape (n_samples,)
            As many samples, without latency.

        Raises
        ------
        ParameterError
            If the block is not mono, or not finite.
        """
        if np.size(block) == 0:
            return np.zeros(0, np.float32)
        return self._core.process(check_audio(block, name="block", mono=True))

    def reset(self) -> None:
        """Clear the signal, and complete all pending changes."""
        self._core.reset()


class NoiseGate(_Block):
    """Silence sound below a threshold, without clicks.

    The level is the peak of the signal, which decays with a time constant of 15 ms. The gate opens as soon as
    the level reaches the threshold, and closes when it has been ``hysteresis_db`` lower for the hold time.
    The gain moves along ``p² (3 - 2p)``.

    Parameters
    ----------
    sample_rate : float
        In Hz, 8 to 768 kHz.
    threshold_db : float
        In dB of full scale, -100 to 0.
    hysteresis_db : float
        0 to 24.
    attack_ms, hold_ms, release_ms : float
        Time to open (0 to 1000), to stay open, and to close (0 to 5000 each).

    Examples
    --------
    >>> gate = NoiseGate(48_000, threshold_db=-50)
    >>> float(gate.process(np.full(64, 1e-4, np.float32)).max())
    0.0
    """

    def __init__(
        self,
        sample_rate: float,
        *,
        threshold_db: float = -70.0,
        hysteresis_db: float = 6.0,
        attack_ms: float = 1.0,
        hold_ms: float = 50.0,
        release_ms: float = 100.0,
    ) -> None:
        values = self._values(threshold_db, hysteresis_db, attack_ms, hold_ms, release_ms)
        super().__init__(_core.ChainBlock.gate(check_sample_rate(sample_rate), values))

    def set(
        self,
        *,
        threshold_db: float,
        hysteresis_db: float = 6.0,
        attack_ms: float = 1.0,
        hold_ms: float = 50.0,
        release_ms: float = 100.0,
    ) -> None:
        """Change the settings from the next sample on; see the class."""
        self._core.set(self._values(threshold_db, hysteresis_db, attack_ms, hold_ms, release_ms))

    @staticmethod
    def _values(*values: float) -> list[float]:
        names = ("threshold_db", "hysteresis_db", "attack_ms", "hold_ms", "release_ms")
        return [in_range(name, value, f"gate_{name}") for name, value in zip(names, values, strict=True)]


class ToneStack(_Block):
    """Bass, middle and treble: shelves at 150 Hz and 1.8 kHz, and a peak at 425 Hz.

    Parameters
    ----------
    sample_rate : float
        In Hz, 8 to 768 kHz.
    bass_db, mid_db, treble_db : float
        Up to 20, 15 and 10 dB up or down.

    Examples
    --------
    >>> tone = ToneStack(48_000, bass_db=3, treble_db=-2)
    >>> tone.process(np.zeros(64, np.float32)).shape
    (64,)
    """

    def __init__(
        self, sample_rate: float, *, bass_db: float = 0.0, mid_db: float = 0.0, treble_db: float = 0.0
    ) -> None:
        values = self._values(bass_db, mid_db, treble_db)
        super().__init__(_core.ChainBlock.tone(check_sample_rate(sample_rate), values))

    def set(self, *, bass_db: float = 0.0, mid_db: float = 0.0, treble_db: float = 0.0) -> None:
        """Move to other gains over the next 20 ms; gains that are not given become 0 dB."""
        self._core.set(self._values(bass_db, mid_db, treble_db))

    @staticmethod
    def _values(bass_db: float, mid_db: float, treble_db: float) -> list[float]:
        named = {"bass_db": bass_db, "mid_db": mid_db, "treble_db": treble_db}
        return [in_range(name, value) for name, value in named.items()]


class DCBlock(_Block):
    """Remove a constant offset: a first-order Butterworth high-pass.

    Parameters
    ----------
    sample_rate : float
        In Hz, 8 to 768 kHz.
    cutoff_hz : float
        Half-power frequency; above 0 and below a quarter of the sample rate.

    Examples
    --------
    >>> block = DCBlock(48_000)
    >>> bool(abs(block.process(np.ones(48_000, np.float32))[-1]) < 1e-9)
    True
    """

    def __init__(self, sample_rate: float, *, cutoff_hz: float = 5.0) -> None:
        super().__init__(_core.ChainBlock.dc_block(check_sample_rate(sample_rate), float(cutoff_hz)))


class Cabinet(_Block):
    """Convolve with the impulse response of a cabinet or a room, without latency.

    Parameters
    ----------
    response : path-like or array_like of float, shape (n,) or (n_channels, n)
        An audio file, or samples at ``response_rate``.
    sample_rate : float
        Of the sound in Hz; the response is resampled to it.
    response_rate : float, optional
        Sample rate of the samples in ``response``; ``sample_rate`` by default. A file has its own.
    normalise : bool
        Whether to scale the response so that it does not change the loudness of white noise up to 24 kHz. The
        gain is the same at every ``sample_rate``.
    channel : {"each", "left", "right", "mean"} or int
        Which channel of the response to use; "each" is the left here.

    Raises
    ------
    AudioFileError
        If the file cannot be read, or is silent there.
    ParameterError
        If the response is empty, silent, not finite or longer than 4,194,304 samples, or lacks the channel.

    Examples
    --------
    >>> cabinet = Cabinet([0.5, 0.25], 48_000, normalise=False)
    >>> cabinet.process([1.0, 0.0, 0.0]).tolist()
    [0.5, 0.25, 0.0]
    """

    def __init__(
        self,
        response: str | os.PathLike[str] | npt.ArrayLike,
        sample_rate: float,
        *,
        response_rate: float | None = None,
        normalise: bool = True,
        channel: ResponseChannel = "each",
    ) -> None:
        rate = check_sample_rate(sample_rate)
        samples, own_rate = impulse_response(response, response_rate or rate, channel=channel, n_channels=1)
        prepared = _core.prepare_cabinet(samples, own_rate, rate, normalise)
        super().__init__(_core.ChainBlock.convolver(np.ascontiguousarray(prepared[0])))


def response_channel(channel: ResponseChannel | str) -> int:
    """Return the core's number of a channel of an impulse response; digits count as a number.

    Raises
    ------
    ParameterError
        If there is no such choice.
    """
    if isinstance(channel, str) and channel.lower() in _CHANNELS:
        return _CHANNELS[channel.lower()]
    try:
        number = (
            -1
            if isinstance(channel, bool)
            else int(channel)
            if isinstance(channel, str)
            else operator.index(channel)
        )
    except (TypeError, ValueError):
        number = -1
    if not 0 <= number < 64:
        raise ParameterError(
            f"the channel of the impulse response is {channel!r}, but it must be each, left, right, mean, or "
            "a number from 0 to 63"
        )
    return number


def impulse_response(
    response: str | os.PathLike[str] | npt.ArrayLike,
    sample_rate: float,
    *,
    channel: ResponseChannel | str = "each",
    n_channels: int = 64,
) -> tuple[FloatArray, float]:
    """Return the channels of an impulse response that play, ``(n, n_samples)``, and its sample rate.

    Parameters
    ----------
    response : path-like or array_like
        An audio file, or samples of shape (n_samples,) or (n, n_samples).
    sample_rate : float
        Sample rate of the samples; a file has its own.
    channel : {"each", "left", "right", "mean"} or int
        Which channels play.
    n_channels : int
        Channels of the sound: "each" takes as many of the response.

    Raises
    ------
    AudioFileError
        If the file cannot be read, is empty, or is silent in a channel that plays.
    ParameterError
        As for a file, for samples; or if there is no such channel.
    """
    choice = response_channel(channel)
    if not isinstance(response, str | os.PathLike):
        samples = np.atleast_2d(check_audio(response, name="response"))
        rate = check_sample_rate(sample_rate)
        return _core.select_response(samples, choice, n_channels), rate
    samples, own_rate = read_audio(response)
    if samples.size == 0:
        raise AudioFileError(f"'{os.fspath(response)}' is empty: it holds no samples")
    try:
        return _core.select_response(np.atleast_2d(samples), choice, n_channels), float(own_rate)
    except ParameterError as error:
        raise AudioFileError(f"'{os.fspath(response)}': {error}") from error


@dataclass(frozen=True, slots=True)
class LevelGains:
    """Gains in dB before and after a model."""

    input_gain_db: float
    output_gain_db: float


def level_gains(
    capture: Mapping[str, Any], *, interface_level_dbu: float = 12.0, output_mode: OutputMode = "raw"
) -> LevelGains:
    """Return the gains that follow from the levels in a model file; 0 dB for missing levels.

    Parameters
    ----------
    capture : mapping
        `neurdsp.amp.AmpModel.capture`, of which ``input_level_dbu``, ``output_level_dbu`` and ``loudness``
        are used.
    interface_level_dbu : float
        The level of a sine that reaches full scale at your interface: its maximum input level.
    output_mode : {"raw", "normalised", "normalized", "calibrated"}
        Leave the output as it is, bring it to a loudness of -18 dB, or to the level of the device.

    Returns
    -------
    LevelGains
        The input gain drives the model with the level that the device had.

    Raises
    ------
    ParameterError
        If the level is out of range or the mode unknown.

    Examples
    --------
    >>> level_gains({"input_level_dbu": 18.3}, interface_level_dbu=12.3).input_gain_db
    -6.0
    """
    dbu = in_range("interface_level_dbu", interface_level_dbu)

    def level_of(key: str) -> float | None:
        level = capture.get(key)
        return float(level) if isinstance(level, int | float) else None

    levels = level_of("loudness"), level_of("input_level_dbu"), level_of("output_level_dbu")
    return LevelGains(*_core.level_gains_db(*levels, dbu, output_mode_number(output_mode)))
