"""How the emotion network hears a file: cue-model valence and arousal over time. Needs no torch."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neurdsp.errors import ParameterError
from neurdsp.music.config import EmotionConfig
from neurdsp.music.emotion.cues import CUES
from neurdsp.music.emotion.features import frame_rate_hz, mel_frames
from neurdsp.music.network import MusicNetwork

__all__ = ["Mood", "draw_mood", "hear"]

_WARMUP_S = 1.0


@dataclass(frozen=True)
class Mood:
    """What the network says of a signal. Valence and arousal are those of the cue model, -1 to 1.

    Parameters
    ----------
    frame_rate_hz
        Answers a second.
    valence, arousal
        ``(n_frames,)`` each.
    cues
        ``(n_frames, 6)``: mode, tempo, register, dynamics, articulation and timbre, as they are heard.
    """

    frame_rate_hz: float
    valence: npt.NDArray[np.float32]
    arousal: npt.NDArray[np.float32]
    cues: npt.NDArray[np.float32]

    @property
    def time_s(self) -> npt.NDArray[np.float64]:
        """The time of each answer, ``(n_frames,)``."""
        return np.arange(len(self.valence)) / self.frame_rate_hz

    def mean(self) -> dict[str, float]:
        """Return the means from the first second on: valence, arousal and the cues, by name.

        Of a shorter signal the last answer counts.
        """
        first = min(round(_WARMUP_S * self.frame_rate_hz), len(self.valence) - 1)
        columns = {"valence": self.valence, "arousal": self.arousal}
        columns |= {name: self.cues[:, place] for place, name in enumerate(CUES)}
        return {name: float(values[first:].mean()) for name, values in columns.items()}


def hear(network: MusicNetwork, audio: npt.ArrayLike, sample_rate: float) -> Mood:
    """Let the network hear a signal from its first state.

    Parameters
    ----------
    network
        ``emotion``.
    audio
        ``(n_samples,)`` or ``(n_channels, n_samples)``, full scale 1. Its level is a cue: soft means calm.
    sample_rate
        In Hz.

    Raises
    ------
    ParameterError
        If the network is another, or the audio is empty or not finite.

    Examples
    --------
    >>> mood = hear(MusicNetwork("emotion.safetensors"), audio, 44_100)  # doctest: +SKIP
    >>> mood.mean()["arousal"]  # doctest: +SKIP
    0.31
    """
    config = network.config
    if not isinstance(config, EmotionConfig) or config.outputs < 2 + len(CUES):
        raise ParameterError(f"the network '{network.name}' hears no mood; give one called emotion")
    frames = mel_frames(audio, sample_rate, config)
    network.reset()
    said = network.step(frames)
    return Mood(frame_rate_hz(config), said[:, 0], said[:, 1], said[:, 2 : 2 + len(CUES)])


def draw_mood(mood: Mood, *, title: str) -> Any:
    """Draw cue-model valence and arousal, and the cues below.

    Parameters
    ----------
    mood
        What `hear` said.
    title
        Heading.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from neurdsp.report.figure import new_figure, style

    figure = new_figure(10, 5.2)
    above, below = figure.subplots(2, 1, sharex=True)
    above.plot(mood.time_s, mood.valence, color="#1f4e79", label="valence")
    above.plot(mood.time_s, mood.arousal, color="#e07b00", label="arousal")
    for place, name in enumerate(CUES):
        below.plot(mood.time_s, mood.cues[:, place], linewidth=0.9, label=name)
    style(above, title, "", "cue model")
    style(below, "", "seconds", "cues")
    for axes in (above, below):
        axes.set_ylim(-1.05, 1.05)
        axes.axhline(0, color="#cccccc", linewidth=0.6)
        axes.legend(loc="upper right", ncols=6, fontsize=8, frameon=False)
    return figure
