"""A player of several tracks in step, each muted, soloed, and seen: HTML, CSS and JavaScript in the page."""

import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from neurdsp.audio import FloatArray
from neurdsp.report.page import embedded

__all__ = ["Track", "player", "player_style"]

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Track:
    """What is played and seen as one row.

    Parameters
    ----------
    name
        Shown, and said to screen readers.
    audio
        ``(n_samples,)`` or ``(channels, n_samples)``, one or two channels; the same length for all tracks.
    colour
        Of the row's dot, as CSS has it.
    truth
        What the track should be, of the same shape; the page then plays either.
    note
        Text below the name.
    picture
        A PNG file whose left and right edges are the beginning and the end of the audio.
    ticks
        Heights in the picture, 0 at the bottom to 1, and their labels.
    muted
        Whether the track is muted at first.
    """

    name: str
    audio: FloatArray
    colour: str = "#4c5a67"
    truth: FloatArray | None = None
    note: str = ""
    picture: bytes | None = None
    ticks: Sequence[tuple[float, str]] = ()
    muted: bool = False


def player_style() -> str:
    """Return the CSS of the player."""
    return (_FOLDER / "player.css").read_text(encoding="utf-8")


def player(tracks: Sequence[Track], sample_rate: int, *, gain: float = 1.0) -> str:
    """Return the HTML of a player, its script and its sound.

    Parameters
    ----------
    tracks
        From top to bottom.
    sample_rate
        In Hz.
    gain
        Factor of all tracks alike. They are FLAC of 16 bits: what exceeds full scale after it is clipped.

    Examples
    --------
    >>> page = player([Track(name="kick", audio=np.zeros(4_410, np.float32))], 44_100)
    >>> page.count('class="track"')
    1
    """
    duration_s = np.shape(tracks[0].audio)[-1] / sample_rate
    choice = (
        '<label><input type="checkbox" class="truth"> true stems</label>'
        if any(track.truth is not None for track in tracks)
        else ""
    )
    transport = (
        '<div class="transport"><button class="play" type="button">Play</button>'
        f'<input class="bar" type="range" min="0" max="{duration_s}" step="0.01" value="0" '
        'aria-label="Position in seconds"><output class="clock"></output>'
        f'<label><input type="checkbox" class="loop" checked> loop</label>{choice}'
        '<span class="message" role="status"></span></div>'
    )
    rows = "".join(_row(track, sample_rate, gain) for track in tracks)
    script = (_FOLDER / "player.js").read_text(encoding="utf-8")
    return (
        f'<div class="player" data-rate="{sample_rate}" data-duration="{duration_s}">{transport}{rows}</div>'
        f"<script>{script}</script>"
    )


def _row(track: Track, sample_rate: int, gain: float) -> str:
    name = html.escape(track.name)
    truth = "" if track.truth is None else f' data-truth="{_flac(track.truth, sample_rate, gain)}"'
    note = f'<span class="note">{html.escape(track.note)}</span>' if track.note else ""
    picture = (
        f'<img alt="Waveform and spectrogram of {name}" src="{embedded(track.picture, "image/png")}">'
        if track.picture is not None
        else ""
    )
    ticks = "".join(
        f'<span class="tick" style="bottom:{100 * height:.1f}%">{html.escape(label)}</span>'
        for height, label in track.ticks
    )

    def button(kind: str, label: str, on: bool) -> str:
        state = str(on).lower()
        return (
            f'<button class="{kind}" type="button" aria-pressed="{state}" '
            f'aria-label="{label} {name}">{label}</button>'
        )

    return (
        f'<div class="track" style="--colour:{html.escape(track.colour)}" '
        f'data-audio="{_flac(track.audio, sample_rate, gain)}"{truth}>'
        f'<div class="side"><span class="name">{name}</span>{button("mute", "Mute", track.muted)}'
        f"{button('solo', 'Solo', False)}{note}</div>"
        f'<div class="scene">{picture}{ticks}</div></div>'
    )


def _flac(audio: FloatArray, sample_rate: int, gain: float) -> str:
    """Return samples as FLAC in base64, without the head of a data address."""
    samples = np.clip(np.atleast_2d(audio).T * np.float32(gain), -1, 1)
    file = io.BytesIO()
    soundfile.write(file, samples, sample_rate, format="FLAC", subtype="PCM_16")
    return embedded(file.getvalue(), "audio/flac").partition(",")[2]
