"""Standard MIDI Files: read, edited and written, and what nobody touched comes back byte for byte."""

from neurdsp.midi.files import MidiSource, read_midi, write_midi
from neurdsp.midi.midi_file import NOTE, KeySignature, MidiFile, NoteArray, TimeSignature
from neurdsp.midi.tempo import TempoMap

__all__ = [
    "NOTE",
    "KeySignature",
    "MidiFile",
    "MidiSource",
    "NoteArray",
    "TempoMap",
    "TimeSignature",
    "read_midi",
    "write_midi",
]
