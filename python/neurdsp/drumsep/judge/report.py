"""The listening report: one HTML file in which stems are played in step, muted, soloed, seen and judged."""

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec

import numpy as np

from neurdsp.audio import FloatArray
from neurdsp.drumsep.judge.scores import score_stems
from neurdsp.report.page import NO_PICTURES, fact_table, write_page
from neurdsp.report.player import Track, player, player_style

__all__ = ["COLOURS", "Separation", "write_listening_report"]

#: Of the stems, in the order of the networks; they differ in lightness, too.
COLOURS = ("#1f4e79", "#e07b00", "#2e8b57", "#b3123f", "#8e6bbf", "#0f8b8d", "#7a5c3e", "#c2a300")

_GREY = "#4c5a67"
_RESIDUAL = "residual"
_PICTURE_IN = (10.0, 1.8)
_WAVEFORM_SHARE = 0.3


@dataclass(frozen=True, kw_only=True)
class Separation:
    """A recording and what a network made of it.

    Parameters
    ----------
    mixture
        ``(n_samples,)`` or ``(channels, n_samples)``, one or two channels.
    sample_rate
        In Hz.
    stems
        By name, each of the shape of ``mixture``.
    truth
        What the stems should be, by name; it may lack some.
    """

    mixture: FloatArray
    sample_rate: int
    stems: Mapping[str, FloatArray]
    truth: Mapping[str, FloatArray] = field(default_factory=dict)

    def scores(self) -> dict[str, tuple[float, float]]:
        """Return SDR of each stem and that of the mixture, in dB; see `score_stems`."""
        return score_stems(self.stems, self.truth, self.mixture)

    def parts(self) -> dict[str, FloatArray]:
        """Return the stems, and what is in none of them: together they are the mixture."""
        stems = dict(self.stems)
        if _RESIDUAL not in stems:
            stems[_RESIDUAL] = self.mixture - sum(self.stems.values())
        return stems

    def true_parts(self) -> dict[str, FloatArray]:
        """Return the true stems, and what is in none of them if all are known."""
        truth = dict(self.truth)
        if truth and _RESIDUAL not in truth and set(self.stems) == set(truth):
            truth[_RESIDUAL] = self.mixture - sum(self.truth.values())
        return truth


def write_listening_report(
    path: str | os.PathLike[str], separation: Separation, *, title: str, facts: Mapping[str, str]
) -> None:
    """Write the report of a separation.

    Parameters
    ----------
    path
        The HTML file; it is written whole or not at all.
    separation
        What is played.
    title
        Heading.
    facts
        Names and values for the table at the top.

    Raises
    ------
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> found = Separation(mixture=audio, sample_rate=44_100, stems=stems)  # doctest: +SKIP
    >>> write_listening_report("report.html", found, title="loop", facts={})  # doctest: +SKIP
    """
    parts, truth, scores = separation.parts(), separation.true_parts(), separation.scores()
    signals = {"recording": separation.mixture, **parts}
    pictures = _Pictures(separation) if find_spec("matplotlib") is not None else None
    tracks = []
    for number, (name, audio) in enumerate(signals.items()):
        colour = _GREY if name in ("recording", _RESIDUAL) else COLOURS[(number - 1) % len(COLOURS)]
        tracks.append(
            Track(
                name=name,
                audio=audio,
                colour=colour,
                truth=truth.get(name),
                note=_note(name, scores),
                picture=None if pictures is None else pictures.draw(audio, colour),
                ticks=() if pictures is None else pictures.ticks,
                # The stems and the residual sum to the recording: together they would be twice as loud.
                muted=name == "recording",
            )
        )
    loudest = max(float(np.abs(audio).max()) for audio in (*signals.values(), *truth.values()))
    gain = min(1.0, 0.98 / max(loudest, 1e-9))
    said = dict(facts)
    if gain < 1:
        said["played at"] = f"{20 * np.log10(gain):.1f} dB, all tracks alike, so that none clips"
    body = [
        fact_table(said),
        "" if pictures is not None else NO_PICTURES,
        "<p>Stems and residual sum to the recording, which is muted at first: solo it to compare. "
        "A click into a picture goes there.</p>",
        player(tracks, separation.sample_rate, gain=gain),
    ]
    write_page(path, title=title, body="\n".join(body), style=player_style())


def _note(name: str, scores: Mapping[str, tuple[float, float]]) -> str:
    if name == "recording":
        return "as it was read"
    if name == _RESIDUAL:
        return "what is in no stem"
    if name not in scores:
        return ""
    sdr_db, mixture_db = scores[name]
    return f"SDR {sdr_db:.1f} dB; the recording itself has {mixture_db:.1f}"


class _Pictures:
    """Pictures of all tracks at the same scales: a waveform above a log-mel spectrogram."""

    def __init__(self, separation: Separation) -> None:
        from neurdsp.report.mel import N_MELS, mel_levels_db, mel_ticks

        mixture = _mean(separation.mixture)
        self._rate = separation.sample_rate
        self._peak = max(float(np.abs(mixture).max()), 1e-6)
        self._top_db = float(mel_levels_db(mixture, self._rate).max())
        self.ticks = [
            (float(at) / N_MELS * (1 - _WAVEFORM_SHARE), label)
            for at, label in zip(*mel_ticks(self._rate), strict=True)
            if label in ("250", "1k", "4k", "16k")
        ]

    def draw(self, audio: FloatArray, colour: str) -> bytes:
        """Return a PNG without margins, so that a place in it is a time."""
        from neurdsp.report.figure import Envelope, new_figure
        from neurdsp.report.mel import draw_mel, mel_levels_db

        signal = _mean(audio)
        duration_s = signal.size / self._rate
        figure = new_figure(*_PICTURE_IN)
        figure.set_layout_engine("none")
        above = figure.add_axes((0, 1 - _WAVEFORM_SHARE, 1, _WAVEFORM_SHARE))
        envelope = Envelope(signal.size)
        envelope.update(signal)
        envelope.draw(above, self._rate, color=colour)
        above.set(xlim=(0, duration_s), ylim=(-self._peak, self._peak))
        below = figure.add_axes((0, 0, 1, 1 - _WAVEFORM_SHARE))
        draw_mel(below, mel_levels_db(signal, self._rate), duration_s=duration_s, top_db=self._top_db)
        for axes in (above, below):
            axes.set_axis_off()
        file = io.BytesIO()
        figure.savefig(file, format="png")
        return file.getvalue()


def _mean(audio: FloatArray) -> FloatArray:
    mean: FloatArray = np.atleast_2d(audio).mean(axis=0, dtype=np.float32)
    return mean
