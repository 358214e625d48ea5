"""A MIDI file in memory: its notes as an array, its tempo, its bars, and edits that keep everything else."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurdsp import _core
from neurdsp.errors import ParameterError
from neurdsp.midi.tempo import TempoMap

__all__ = ["NOTE", "KeySignature", "MidiFile", "NoteArray", "TimeSignature"]

#: A note: its start and end in ticks, pitch (60 is middle C), velocity 1 to 127, channel 0 to 15 (drums are
#: on 9), and the number of its track.
NOTE = np.dtype(
    [
        ("start_ticks", np.int64),
        ("end_ticks", np.int64),
        ("pitch", np.uint8),
        ("velocity", np.uint8),
        ("channel", np.uint8),
        ("track", np.uint32),
    ]
)
#: Notes, of shape ``(n_notes,)`` and type `NOTE`.
NoteArray: TypeAlias = NDArray[np.void]

_MAX_TICK = 1 << 52


class TimeSignature(NamedTuple):
    """From this tick on, a bar has ``numerator`` notes, each a ``denominator``-th of a whole note."""

    tick: int
    numerator: int
    denominator: int


class KeySignature(NamedTuple):
    """From this tick on, the key has so many ``sharps`` (negative: flats), and is a minor one or not."""

    tick: int
    sharps: int
    is_minor: bool


class MidiFile:
    """A Standard MIDI File, which never changes: each edit returns another.

    `neurdsp.midi.read_midi` reads one, `new` makes one. Written unchanged it is, byte for byte, what was
    read; after an edit, so is all that the edit does not concern. Only what the standard does not allow is
    repaired, and `warnings` tells of it.

    Examples
    --------
    >>> from neurdsp.midi import NOTE
    >>> hits = np.zeros(2, NOTE)
    >>> hits["start_ticks"], hits["end_ticks"] = [0, 480], [120, 600]
    >>> hits["pitch"], hits["velocity"], hits["channel"] = 36, 100, 9
    >>> midi = MidiFile.new(tempos=[(0, 96)]).with_track(hits, name="Drums")
    >>> notes = midi.notes()
    >>> notes["start_ticks"][1] -= 10
    >>> [int(tick) for tick in midi.with_notes(notes).notes()["start_ticks"]]
    [0, 470]
    """

    def __init__(self, core: _core.MidiFile) -> None:
        self._core = core

    @classmethod
    def new(
        cls,
        *,
        ticks_per_quarter: int = 480,
        tempos: Sequence[tuple[int, float]] = ((0, 120.0),),
        time_signatures: Sequence[tuple[int, int, int]] = ((0, 4, 4),),
        key_signatures: Sequence[tuple[int, int, bool]] = (),
        name: str = "",
    ) -> "MidiFile":
        """Return a file of format 1 whose one track holds tempo, bars and keys; `with_track` adds notes.

        Parameters
        ----------
        ticks_per_quarter
            1 to 32767.
        tempos
            Ticks, and the quarter notes a minute from there on.
        time_signatures, key_signatures
            As `TimeSignature` and `KeySignature`.
        name
            The name of the piece.

        Raises
        ------
        ParameterError
            If MIDI cannot express a value.
        """
        core = _core.MidiFile.empty(_whole(ticks_per_quarter, "ticks_per_quarter", 1, 32_767))
        microseconds = []
        for tick, tempo in tempos:
            if not 60e6 / 0xFFFFFF <= tempo <= 60e6:
                raise ParameterError(
                    f"a tempo is {tempo} quarter notes a minute, but must be 3.58 to 60000000; choose another"
                )
            microseconds.append((_whole(tick, "the tick of a tempo", 0, _MAX_TICK), round(60e6 / tempo)))
        file = cls(core)
        return file._with_track(
            np.zeros(0, NOTE),
            name=name,
            tempos=microseconds,
            time_signatures=[
                (
                    _whole(tick, "the tick of a time signature", 0, _MAX_TICK),
                    _whole(numerator, "the numerator of a time signature", 1, 255),
                    _whole(denominator, "the denominator of a time signature", 1, 1 << 15),
                )
                for tick, numerator, denominator in time_signatures
            ],
            key_signatures=[
                (
                    _whole(tick, "the tick of a key signature", 0, _MAX_TICK),
                    _whole(sharps, "the sharps of a key signature", -7, 7),
                    bool(is_minor),
                )
                for tick, sharps, is_minor in key_signatures
            ],
        )

    @property
    def format(self) -> int:
        """0: one track. 1: tracks that play together. 2: tracks that are pieces of their own."""
        return self._core.format

    @property
    def has_beats(self) -> bool:
        """Whether ticks are parts of quarter notes, and not of frames of film."""
        return self._core.ticks_per_quarter is not None

    @property
    def ticks_per_quarter(self) -> int:
        """Ticks in a quarter note.

        Raises
        ------
        ParameterError
            If ticks are parts of frames of film.
        """
        ticks = self._core.ticks_per_quarter
        if ticks is None:
            raise ParameterError(
                "the MIDI file counts frames of film, not beats; export it with ticks per quarter note"
            )
        return ticks

    @property
    def track_names(self) -> tuple[str, ...]:
        """The name of each track, empty where it has none."""
        return tuple("" if name is None else name.decode("utf-8", "replace") for name, _ in self._core.tracks)

    @property
    def n_tracks(self) -> int:
        """The number of tracks."""
        return len(self._core.tracks)

    @property
    def end_ticks(self) -> int:
        """The tick at which the last track ends."""
        return max((end for _, end in self._core.tracks), default=0)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was repaired while the file was read."""
        return tuple(text for text, _ in self._core.warnings)

    @property
    def is_complete(self) -> bool:
        """Whether nothing was lost: no track ended within an event, or had bytes that are no event."""
        return not any(lost for _, lost in self._core.warnings)

    @property
    def tempo_map(self) -> TempoMap:
        """The tempo of all tracks.

        Raises
        ------
        ParameterError
            If the tracks are pieces of their own (format 2).
        """
        if self.format == 2 and self.n_tracks > 1:
            raise ParameterError(
                "the tracks of a MIDI file of format 2 have each their tempo; use tempo_map_of(track)"
            )
        return self.tempo_map_of(0)

    def tempo_map_of(self, track: int) -> TempoMap:
        """Return the tempo that a track plays at; in formats 0 and 1 it is the same for all."""
        return TempoMap(self._core.tempo_map(self._track(track) if self.n_tracks else 0))

    @property
    def time_signatures(self) -> tuple[TimeSignature, ...]:
        """The time signatures by their ticks; before the first it is 4/4."""
        return tuple(TimeSignature(*values) for values in self._core.time_signatures)

    @property
    def key_signatures(self) -> tuple[KeySignature, ...]:
        """The key signatures by their ticks."""
        return tuple(KeySignature(*values) for values in self._core.key_signatures)

    def events(self, track: int) -> list[tuple[int, bytes]]:
        """Return tick and message of each event of a track.

        A message of a channel has its status and data. Others begin with ``F0`` (system exclusive), ``F7``
        (bytes to send as they are) or ``FF`` and the kind (meta events), and have no length.
        """
        return self._core.events(self._track(track))

    def notes(self) -> NoteArray:
        """Return the notes by their start, ``(n_notes,)`` of the type `NOTE`.

        Of notes that sound together on one pitch and channel of a track, the first that began is the first to
        end. A note that nothing releases ends with its track.
        """
        columns = self._core.notes()
        notes = np.empty(len(columns[0]), NOTE)
        for name, column in zip(NOTE.names or (), columns, strict=True):
            notes[name] = column
        return notes

    def with_notes(self, notes: NoteArray) -> "MidiFile":
        """Return the file with its notes changed, and everything else as it is.

        Parameters
        ----------
        notes
            What `notes` gave, in that order. Start, end, pitch and velocity may differ. Negative ticks
            become 0. The track keeps its length: a later end is put there, and only a later start makes it
            longer.

        Raises
        ------
        ParameterError
            If the notes are others, or MIDI cannot express a value.
        """
        before = self.notes()
        given = _notes(notes)
        if len(given) == len(before):
            for name in ("channel", "track"):
                differing = np.flatnonzero(given[name] != before[name])
                if differing.size:
                    raise ParameterError(
                        f"note {differing[0]}: the {name} is {given[name][differing[0]]}, but cannot be "
                        "changed; keep the order of the notes"
                    )
        return MidiFile(self._core.with_notes(*_columns(given)))

    def with_track(
        self,
        notes: NoteArray,
        *,
        name: str = "",
        programs: Mapping[int, int] | None = None,
        length_ticks: int = 0,
    ) -> "MidiFile":
        """Return the file with a further track of these notes; a file of format 0 becomes one of format 1.

        Parameters
        ----------
        notes
            ``(n_notes,)`` of the type `NOTE`, in any order. Their ``track`` is ignored.
        name
            The name of the track.
        programs
            By channel, 0 to 15, the instrument, 0 to 127.
        length_ticks
            Where the track ends; with its last note if that is later.

        Raises
        ------
        ParameterError
            If MIDI cannot express a value.
        """
        chosen = [
            (
                _whole(channel, "the channel of a program", 0, 15),
                _whole(program, "a program", 0, 127),
            )
            for channel, program in (programs or {}).items()
        ]
        length = _whole(length_ticks, "length_ticks", 0, _MAX_TICK)
        return self._with_track(notes, name=name, programs=chosen, length_ticks=length)

    def _with_track(self, notes: NoteArray, *, name: str, **others: Any) -> "MidiFile":
        given = _notes(notes)
        defaults: dict[str, Any] = {
            "programs": [],
            "tempos": [],
            "time_signatures": [],
            "key_signatures": [],
            "length_ticks": 0,
        }
        channel = np.ascontiguousarray(given["channel"])
        text = name.encode("utf-8", "replace").decode()  # half of a surrogate pair is no text
        return MidiFile(self._core.with_track(*_columns(given), channel, name=text, **(defaults | others)))

    def to_bytes(self) -> bytes:
        """Return the bytes of the file.

        Raises
        ------
        ParameterError
            If more than 268 435 455 ticks lie between two events.
        """
        return self._core.to_bytes()

    def _track(self, track: int) -> int:
        return _whole(track, "track", 0, self.n_tracks - 1)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MidiFile) and self.to_bytes() == other.to_bytes()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return (
            f"<MidiFile of format {self.format}: {self.n_tracks} tracks, {len(self._core.notes()[0])} notes, "
            f"{self.end_ticks} ticks>"
        )


def _notes(notes: NoteArray) -> NoteArray:
    """Return notes with starts and ends before 0 put to 0, if all have their type."""
    given = np.asarray(notes)
    if given.ndim != 1 or given.dtype != NOTE:
        raise ParameterError(
            f"notes have the shape {given.shape} and the type {given.dtype}, but must be (n_notes,) of the "
            "type NOTE; make them with numpy.zeros(n_notes, neurdsp.midi.NOTE)"
        )
    short = np.flatnonzero(given["end_ticks"] < given["start_ticks"])
    if short.size:
        index = short[0]
        start, end = given["start_ticks"][index], given["end_ticks"][index]
        raise ParameterError(f"note {index}: the end is {end}, but must not be before the start, {start}")
    given = given.copy()
    for name in ("start_ticks", "end_ticks"):
        if given.size and given[name].max() > _MAX_TICK:
            raise ParameterError(f"{name} is {given[name].max()}, but may be at most {_MAX_TICK}")
        np.maximum(given[name], 0, out=given[name])
    return given


def _columns(
    notes: NoteArray,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint8]]:
    start, end, pitch, velocity = (
        np.ascontiguousarray(notes[name]) for name in ("start_ticks", "end_ticks", "pitch", "velocity")
    )
    return start, end, pitch, velocity


def _whole(value: int, name: str, low: int, high: int) -> int:
    """Return a whole number in bounds."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ParameterError(f"{name} is {value!r}, but must be a whole number from {low} to {high}")
    return int(value)
