"""Reports of MIDI files: piano rolls at one scale and, where fluidsynth is, players in step."""

import io
import os
import shutil
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from neurdsp.audio import FloatArray, read_audio
from neurdsp.midi import MidiFile
from neurdsp.report.page import NO_PICTURES, embedded, fact_table, write_page
from neurdsp.report.player import Track, player, player_style

__all__ = ["draw_rolls", "render_midi", "save_rolls", "write_report"]

_COLOURS = ("#4c5a67", "#e07b00", "#1f4e79", "#2e8b57")
_SOUNDFONTS = ("/usr/share/sounds/sf2/FluidR3_GM.sf2", "/usr/share/sounds/sf2/default-GM.sf2")
_RATE_HZ = 44_100
_MOST_SECONDS = 120.0
_SHOWN_QUARTERS = 16.0
_DRUM_CHANNEL = 9
#: Names of the keys of General MIDI's drums, and of a TD-11's hats.
_DRUMS = {
    22: "closed hat, rim",
    26: "open hat, rim",
    35: "kick",
    36: "kick",
    37: "side stick",
    38: "snare",
    39: "clap",
    40: "snare, rim",
    41: "low tom",
    42: "closed hat",
    43: "low tom",
    44: "pedal hat",
    45: "mid tom",
    46: "open hat",
    47: "mid tom",
    48: "high tom",
    49: "crash",
    50: "high tom",
    51: "ride",
    52: "china",
    53: "ride bell",
    55: "splash",
    57: "crash",
    59: "ride",
}


def write_report(
    path: str | os.PathLike[str], files: Mapping[str, MidiFile], *, title: str, facts: Mapping[str, str]
) -> None:
    """Write a page that shows and, where fluidsynth and a soundfont are installed, plays files in step.

    Parameters
    ----------
    path
        The HTML file; it is written whole or not at all.
    files
        By name, of the same bars; the first is heard at first.
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
    >>> write_report("report.html", {"before": one, "after": other}, title="beat", facts={})  # doctest: +SKIP
    """
    sounds = {name: render_midi(midi) for name, midi in files.items()}
    heard = {name: audio for name, audio in sounds.items() if audio is not None}
    body = [fact_table(facts)]
    if find_spec("matplotlib") is not None:
        picture = embedded(draw_rolls(files), "image/png")
        body.append(f'<p><img alt="Piano rolls of the first bars" src="{picture}"></p>')
    else:
        body.append(NO_PICTURES)
    if len(heard) == len(files) and heard:
        length = max(audio.shape[-1] for audio in heard.values())
        loudest = max(float(np.abs(audio).max()) for audio in heard.values())
        tracks = [
            Track(
                name=name,
                audio=np.pad(audio, ((0, 0), (0, length - audio.shape[-1]))),
                colour=_COLOURS[number % len(_COLOURS)],
                muted=number > 0,
            )
            for number, (name, audio) in enumerate(heard.items())
        ]
        body.append("<p>Solo one or the other to compare.</p>")
        body.append(player(tracks, _RATE_HZ, gain=min(1.0, 0.98 / max(loudest, 1e-9))))
    else:
        body.append(
            "<p>No sound: install fluidsynth and the soundfont fluid-soundfont-gm to hear the files.</p>"
        )
    write_page(path, title=title, body="\n".join(body), style=player_style())


def render_midi(midi: MidiFile) -> FloatArray | None:
    """Play a file with fluidsynth.

    Parameters
    ----------
    midi
        At most its first two minutes are heard.

    Returns
    -------
    ndarray or None
        ``(2, n_samples)`` at 44,100 Hz; None if fluidsynth or a soundfont is missing, or it fails.
    """
    program = shutil.which("fluidsynth")
    font = next((path for path in _SOUNDFONTS if Path(path).is_file()), None)
    if program is None or font is None:
        return None
    with TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.mid", Path(folder) / "out.wav"
        source.write_bytes(midi.to_bytes())
        command = [
            program,
            "-ni",
            "-q",
            "-g",
            "0.5",
            "-r",
            str(_RATE_HZ),
            "-F",
            str(target),
            font,
            str(source),
        ]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=120)
            audio, _ = read_audio(target, duration=_MOST_SECONDS)
        except (OSError, subprocess.SubprocessError, ValueError):
            return None
    return np.atleast_2d(audio)


def draw_rolls(files: Mapping[str, MidiFile]) -> bytes:
    """Draw the first bars of files beside each other: where notes start, and how loud they are.

    Parameters
    ----------
    files
        By name.

    Returns
    -------
    bytes
        A PNG file.
    """
    file = io.BytesIO()
    _figure(files).savefig(file, format="png")
    return file.getvalue()


def save_rolls(path: str | os.PathLike[str], files: Mapping[str, MidiFile]) -> None:
    """Write what `draw_rolls` draws.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    from neurdsp.report.figure import save_figure

    save_figure(_figure(files), path)


def _figure(files: Mapping[str, MidiFile]) -> Any:
    from neurdsp.report.figure import new_figure, style

    figure = new_figure(11, 2.6 * len(files) + 1.4)
    grid = figure.add_gridspec(2 * len(files), 1, height_ratios=[2.2, 1] * len(files))
    for number, (name, midi) in enumerate(files.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        notes = midi.notes()
        start = notes["start_ticks"] / midi.ticks_per_quarter
        shown = notes[start < _SHOWN_QUARTERS]
        start, end = (shown[key] / midi.ticks_per_quarter for key in ("start_ticks", "end_ticks"))
        are_drums = bool(len(shown)) and bool((shown["channel"] == _DRUM_CHANNEL).all())
        pitches, row = np.unique(shown["pitch"], return_inverse=True)
        place = row if are_drums else shown["pitch"].astype(float)
        roll = figure.add_subplot(grid[2 * number])
        length = np.clip(end - start, 0.06, None)
        # Tracks after the first, such as chords that were added, have colours of their own.
        track = np.unique(shown["track"], return_inverse=True)[1]
        colours = [colour, *(other for other in _COLOURS if other != colour)]
        paint = [
            (*_rgb(colours[t % len(colours)]), 0.25 + 0.75 * float(velocity) / 127)
            for t, velocity in zip(track, shown["velocity"], strict=True)
        ]
        roll.barh(place, length, left=start, height=0.7, color=paint)
        style(roll, name, "", "" if are_drums else "pitch")
        if are_drums:
            roll.set_yticks(range(len(pitches)), [_DRUMS.get(int(key), str(key)) for key in pitches])
        elif len(pitches):
            marks = np.arange(int(pitches[0]) // 12 * 12, int(pitches[-1]) + 13, 12)
            roll.set_yticks(marks, [f"C{mark // 12 - 1}" for mark in marks])
            roll.set_ylim(int(pitches[0]) - 2, int(pitches[-1]) + 2)
        below = figure.add_subplot(grid[2 * number + 1], sharex=roll)
        below.vlines(start, 0, shown["velocity"], color=colour, linewidth=1.2)
        style(below, "", "quarter notes", "velocity")
        for axes in (roll, below):
            axes.set(xlim=(-0.1, _SHOWN_QUARTERS))
            axes.set_xticks(np.arange(0, _SHOWN_QUARTERS + 0.1, 1))
        below.set_ylim(0, 128)
    return figure


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue
