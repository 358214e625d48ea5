"""MIDI files in Python: arrays of notes, tempo, edits, new files, errors; mido reads them as well."""

import io
import os
import random
import struct

import mido
import numpy as np
import pytest
from neurdsp import _core
from neurdsp.errors import MidiFileError, ParameterError
from neurdsp.midi import NOTE, KeySignature, MidiFile, TimeSignature, read_midi, write_midi


def new_notes(*rows):
    notes = np.zeros(len(rows), NOTE)
    for index, row in enumerate(rows):
        notes[index] = (*row, *(0,) * (len(NOTE) - len(row)))
    return notes


def midi_bytes(*tracks, file_format=1, division=480):
    head = struct.pack(">4sIHHh", b"MThd", 6, file_format, len(tracks), division)
    return head + b"".join(struct.pack(">4sI", b"MTrk", len(track)) + track for track in tracks)


END = b"\0\xff\x2f\0"
ONE = b"\0\x90\x3c\x40\x83\x60\x3c\0" + END  # middle C for 480 ticks


@pytest.fixture(scope="module")
def random_file():
    """A file of three tracks that mido writes, of messages of all kinds."""
    draw = random.Random(3)
    file = mido.MidiFile(type=1, ticks_per_beat=220)
    for _ in range(3):
        track = mido.MidiTrack()
        sounding = []
        for _ in range(400):
            time = draw.choice([0, 0, 1, 55, 300, 20_000])
            kind = draw.randrange(8)
            if kind < 3:
                note, channel = draw.randrange(128), draw.choice([0, 9])
                if (note, channel) not in sounding:  # mido knows no pairs; here each end has one start
                    sounding.append((note, channel))
                    track.append(
                        mido.Message(
                            "note_on", note=note, velocity=draw.randint(1, 127), channel=channel, time=time
                        )
                    )
            elif kind < 6 and sounding:
                note, channel = sounding.pop(draw.randrange(len(sounding)))
                name = draw.choice(["note_off", "note_on"])
                track.append(mido.Message(name, note=note, velocity=0, channel=channel, time=time))
            elif kind == 6:
                track.append(mido.MetaMessage("set_tempo", tempo=draw.randint(1, 0xFFFFFF), time=time))
            else:
                track.append(mido.Message("pitchwheel", pitch=draw.randint(-8192, 8191), time=time))
                track.append(mido.Message("sysex", data=[1, 2, draw.randrange(128)]))
        for note, channel in sounding:
            track.append(mido.Message("note_off", note=note, channel=channel))
        file.tracks.append(track)
    stream = io.BytesIO()
    file.save(file=stream)
    return stream.getvalue()


def test_events_notes_and_seconds_are_those_that_mido_reads(random_file):
    ours, theirs = read_midi(random_file), mido.MidiFile(file=io.BytesIO(random_file))
    assert (ours.warnings, ours.is_complete) == ((), True)
    assert ours.ticks_per_quarter == theirs.ticks_per_beat
    begun = []
    for index, track in enumerate(theirs.tracks):
        tick, wanted = 0, []
        for message in track:
            tick += message.time
            if message.type == "note_on" and message.velocity:
                begun.append((tick, index, message.note, message.velocity, message.channel))
            if not message.is_meta and message.type != "sysex":
                wanted.append((tick, bytes(message.bytes())))
        assert [event for event in ours.events(index) if event[1][0] < 0xF0] == wanted
        assert len(ours.events(index)) == len(track)
    notes = ours.notes()
    found = [
        tuple(note[name] for name in ("start_ticks", "track", "pitch", "velocity", "channel"))
        for note in notes
    ]
    assert sorted(found) == sorted(begun)
    assert (notes["end_ticks"] >= notes["start_ticks"]).all()
    time, struck = 0.0, []
    for message in theirs:
        time += message.time
        if message.type == "note_on" and message.velocity:
            struck.append(time)
    assert np.allclose(ours.tempo_map.seconds(notes["start_ticks"]), struck, rtol=0, atol=1e-6)
    assert ours.tempo_map.seconds(ours.end_ticks) == pytest.approx(theirs.length, abs=1e-6)


def test_mido_reads_what_is_written(random_file):
    midi = read_midi(random_file)
    assert midi.to_bytes() == random_file
    notes = midi.notes()
    generator = np.random.default_rng(0)
    notes["velocity"] = generator.integers(1, 128, len(notes))
    louder = midi.with_notes(notes)
    assert len(louder.to_bytes()) == len(random_file)
    velocities = [
        message.velocity
        for message in mido.MidiFile(file=io.BytesIO(louder.to_bytes()))
        if message.type == "note_on" and message.velocity
    ]
    assert velocities == notes["velocity"].tolist()


def test_a_new_file_is_what_mido_reads():
    notes = new_notes((480, 720, 62, 90), (0, 480, 60, 80), (240, 240, 64, 1, 9))
    midi = MidiFile.new(
        ticks_per_quarter=96,
        tempos=[(0, 90), (480, 123.4)],
        time_signatures=[(0, 7, 8)],
        key_signatures=[(0, -3, True)],
        name="Piece",
    ).with_track(notes, name="Melody é", programs={0: 40}, length_ticks=960)
    assert midi.time_signatures == (TimeSignature(0, 7, 8),)
    assert midi.key_signatures == (KeySignature(0, -3, True),)
    assert (midi.track_names, midi.n_tracks, midi.end_ticks) == (("Piece", "Melody é"), 2, 960)
    assert midi.notes()[["start_ticks", "pitch", "channel", "track"]].tolist() == [
        (0, 60, 0, 1),
        (240, 64, 9, 1),
        (480, 62, 0, 1),
    ]
    theirs = mido.MidiFile(file=io.BytesIO(midi.to_bytes()), charset="utf-8")
    assert theirs.tracks[1].name == "Melody é"
    assert theirs.length == pytest.approx(midi.tempo_map.seconds(960), abs=1e-9)
    assert np.allclose(midi.tempo_map.quarters_per_minute, [90, 123.4], atol=1e-4)


def test_early_notes_begin_with_the_file_and_clips_keep_their_length():
    for bars in (4, 5, 7):
        ticks = np.arange(0, bars * 1920, 120)
        hits = np.zeros(len(ticks), NOTE)
        hits["start_ticks"], hits["end_ticks"] = ticks, ticks + 120
        hits["pitch"], hits["velocity"], hits["channel"] = 42, 80, 9
        clip = MidiFile.new(tempos=[(0, 137)]).with_track(hits, length_ticks=bars * 1920)
        notes = clip.notes()
        shift = np.random.default_rng(bars).integers(-50, 51, len(notes))
        shift[0], shift[-1] = -30, 50
        notes["start_ticks"] += shift
        notes["end_ticks"] += shift
        moved = clip.with_notes(notes)
        assert moved.notes()["start_ticks"][0] == 0
        assert (moved.end_ticks, clip.end_ticks) == (bars * 1920, bars * 1920)
        assert moved.tempo_map.seconds(moved.end_ticks) == clip.tempo_map.seconds(clip.end_ticks)
        assert np.array_equal(
            np.sort(moved.notes()["start_ticks"]), np.sort(np.maximum(notes["start_ticks"], 0))
        )


@pytest.mark.parametrize("meter", [(3, 4), (7, 8), (4, 4)])
def test_nothing_changed_gives_the_file_back_byte_for_byte(meter):
    ticks = np.concatenate([np.arange(0, 5000, 160), [4990, 4995]])  # triplets, and a flam
    hits = np.zeros(len(ticks), NOTE)
    hits["start_ticks"], hits["end_ticks"] = ticks, ticks + 1
    hits["pitch"], hits["velocity"] = [22, 26, 3] * 11 + [38], 64  # notes that no kit knows are notes as well
    midi = MidiFile.new(time_signatures=[(0, *meter)]).with_track(hits)
    data = midi.to_bytes()
    assert read_midi(data).with_notes(read_midi(data).notes()).to_bytes() == data
    assert read_midi(data) == midi


def test_film_time_and_pieces_of_their_own():
    film = read_midi(midi_bytes(ONE, division=-25 * 256 + 40))
    assert not film.has_beats
    assert film.tempo_map.seconds(1000) == 1.0
    with pytest.raises(ParameterError, match="frames of film"):
        _ = film.ticks_per_quarter
    slow = b"\0\xff\x51\x03\x0f\x42\x40" + END
    pieces = read_midi(midi_bytes(slow, ONE, file_format=2))
    assert [pieces.tempo_map_of(track).seconds(480) for track in (0, 1)] == [1.0, 0.5]
    with pytest.raises(ParameterError, match="tempo_map_of"):
        _ = pieces.tempo_map


def test_paths_bytes_and_file_objects_give_the_same_file(tmp_path):
    path = tmp_path / "é.mid"
    path.write_bytes(midi_bytes(ONE))
    assert read_midi(path) == read_midi(str(path)) == read_midi(path.read_bytes())
    with path.open("rb") as file:
        assert read_midi(file) == read_midi(memoryview(path.read_bytes()))
    assert "1 notes, 480 ticks" in repr(read_midi(path))


def test_what_cannot_be_read_is_named(tmp_path):
    wave = tmp_path / "x.mid"
    wave.write_bytes(b"RIFFxxxxxxxxxxxx")
    for source, error, text in [
        (wave, MidiFileError, r"x\.mid': not a Standard MIDI File: it begins with 'RIFF'"),
        (b"", MidiFileError, "the bytes: .*begins with nothing"),
        (tmp_path, MidiFileError, "it is a folder"),
        (tmp_path / "none.mid", MidiFileError, "no such file"),
        ("\0", MidiFileError, "cannot read"),
        (io.StringIO("text"), ParameterError, "mode 'rb'"),
        (3, ParameterError, "source is a int"),
        (bytes(_core.MidiFile.MAX_BYTES + 1), MidiFileError, "at most 33554432"),
    ]:
        with pytest.raises(error, match=text):
            read_midi(source)


def test_damage_is_told(tmp_path):
    cut = read_midi(midi_bytes(ONE[:7]))
    assert not cut.is_complete
    assert "ends within an event" in cut.warnings[0]
    held = read_midi(midi_bytes(ONE[:4] + END))
    assert held.is_complete
    assert held.warnings == ("a note of track 0 is never released; it ends with the track",)


def test_a_file_is_written_whole_and_over_none_that_exists(tmp_path):
    midi = read_midi(midi_bytes(ONE))
    path = tmp_path / "out.mid"
    write_midi(path, midi)
    assert path.read_bytes() == midi.to_bytes()
    with pytest.raises(MidiFileError, match="exists already"):
        write_midi(path, midi)
    write_midi(path, midi, overwrite=True)
    os.link(path, tmp_path / "link.mid")
    with pytest.raises(MidiFileError, match="also an input"):
        write_midi(path, midi, overwrite=True, inputs=[tmp_path / "link.mid"])
    with pytest.raises(MidiFileError, match="does not exist"):
        write_midi(tmp_path / "no" / "out.mid", midi)
    assert sorted(os.listdir(tmp_path)) == ["link.mid", "out.mid"]


def test_values_that_midi_cannot_express_are_refused():
    midi = read_midi(midi_bytes(ONE))

    def changed(**values):
        notes = midi.notes()
        for name, value in values.items():
            notes[name] = value
        return notes

    for call, text in [
        (lambda: midi.with_notes(changed(velocity=0)), "the velocity is 0"),
        (lambda: midi.with_notes(changed(pitch=200)), "the pitch is 200"),
        (lambda: midi.with_notes(changed(end_ticks=-1)), "the end is -1"),
        (lambda: midi.with_notes(changed(channel=1)), "the channel is 1"),
        (lambda: midi.with_notes(changed(start_ticks=1 << 60, end_ticks=1 << 60)), "at most"),
        (lambda: midi.with_notes(midi.notes()[:0]), "0 notes, but the file has 1"),
        (lambda: midi.with_notes(np.zeros(1)), "the type NOTE"),
        (lambda: midi.with_track(new_notes((0, 1, 60, 1)), programs={16: 1}), "channel of a program is 16"),
        (lambda: midi.with_track(new_notes((0, 1, 60, 1)), length_ticks=-1), "length_ticks is -1"),
        (lambda: midi.with_track(new_notes((0, 1, 60, 0))), "the velocity is 0"),
        (lambda: midi.with_track(midi.notes(), name="x" * 70_000), "at most 65536"),
        (lambda: MidiFile.new(ticks_per_quarter=0), "ticks_per_quarter is 0"),
        (lambda: MidiFile.new(ticks_per_quarter=1.5), "ticks_per_quarter is 1.5"),
        (lambda: MidiFile.new(tempos=[(0, 1)]), "a tempo is 1"),
        (lambda: MidiFile.new(tempos=[(0, float("nan"))]), "a tempo is nan"),
        (lambda: MidiFile.new(time_signatures=[(0, 4, 3)]), "4/3"),
        (lambda: MidiFile.new(key_signatures=[(0, 8, False)]), "sharps of a key signature is 8"),
        (lambda: midi.events(1), "track is 1"),
        (lambda: midi.tempo_map.seconds(-1), "ticks are -1"),
        (lambda: midi.tempo_map.seconds([0.5]), "ticks are 0.5"),
        (lambda: midi.tempo_map.to_ticks(float("inf")), "seconds are inf"),
        (lambda: midi.tempo_map.exact_seconds(-1), "the tick is -1"),
    ]:
        with pytest.raises(ParameterError, match=text) as caught:
            call()
        assert "\n" not in str(caught.value)
