"""Kits and performances from files: what is found in them, and what is said of damaged ones."""

import struct
import tarfile

import numpy as np
import pytest
import soundfile
from neurdsp.drumsep.data.groove import parse_midi, read_groove
from neurdsp.drumsep.data.hydrogen import read_hydrogen
from neurdsp.drumsep.data.oneshots import read_folder
from neurdsp.drumsep.data.recordings import SAMPLE_RATE, clean
from neurdsp.drumsep.data.roles import NOTES, ROLES, STEM_OF, STEMS, role_of_name, stand_ins
from neurdsp.drumsep.data.soundfont import read_soundfont
from neurdsp.drumsep.data.synthesis import STYLES, synthesise
from neurdsp.errors import ConfigError


def click(seconds=0.2, hertz=200.0, channels=1):
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    one = 0.5 * np.sin(2 * np.pi * hertz * time) * np.exp(-time / 0.05)
    return np.stack([one, *(0.3 * one for _ in range(channels - 1))], -1)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Kick Lite 1", "kick"),
        ("bass drum 2", "kick"),
        ("Snare Rimshot", "snare"),
        ("Side Stick", "stick"),
        ("Floor Tom", "tom_mid"),
        ('Ride Bow (Custom, Zagrebin 22")', "ride"),
        ("Hi-Hat Semiopen", "hihat_open"),
        ("Sabian Hat Pedal", "hihat_pedal"),
        ("Closed HH", "hihat_closed"),
        ("Paiste Bell", "bell"),
        ("Cowbell", "percussion"),
        ("Hand Clap", "percussion"),
        ("Drum 1", None),
        ("Snare Roll", None),
        ("FX", None),
    ],
)
def test_names_of_real_kits_tell_the_piece(name, role):
    assert role_of_name(name) == role


def test_every_role_has_a_stem_and_stand_ins_are_of_the_same():
    assert set(STEM_OF.values()) == set(range(len(STEMS) + 1))
    assert set(NOTES.values()) == set(ROLES)
    for role in ROLES:
        assert all(STEM_OF[other] == STEM_OF[role] for other in stand_ins(role))


def test_a_recording_is_trimmed_resampled_and_loses_its_offset():
    late = np.concatenate([np.zeros(4800), click()[:, 0], np.zeros(9600)]) + 0.01
    found = clean(late, 48_000, "snare")
    assert found.shape[0] == 1
    assert found.shape[1] < 0.25 * SAMPLE_RATE
    assert abs(found[:, -1]).max() < 1e-3
    assert np.argmax(np.abs(found[0])) < 0.02 * SAMPLE_RATE
    assert clean(np.zeros(1000), 44_100, "kick") is None
    same = np.tile(click()[:, 0], (2, 1))
    assert clean(same, 44_100, "kick").shape[0] == 1


def hydrogen(folder, xml):
    folder.mkdir()
    for name in ("soft.wav", "loud.wav", "tom.wav"):
        soundfile.write(folder / name, click(channels=2), SAMPLE_RATE)
    (folder / "drumkit.xml").write_text(xml)
    return folder


LAYERS = (
    "<layer><filename>soft.wav</filename><min>0</min><max>0.5</max><gain>0.5</gain></layer>"
    "<layer><filename>loud.wav</filename><min>0.5</min><max>1</max><gain>1</gain></layer>"
    "<layer><filename>gone.wav</filename></layer>"
)


def test_a_hydrogen_kit_gives_layers_with_their_velocities_and_gains(tmp_path):
    xml = (
        '<drumkit_info xmlns="http://www.hydrogen-music.org/drumkit"><instrumentList>'
        f"<instrument><name>36 - Kick</name>{LAYERS}</instrument>"
        "<instrument><name>Tom</name><filename>tom.wav</filename></instrument>"
        "<instrument><name>Whistle</name><filename>tom.wav</filename></instrument>"
        "</instrumentList></drumkit_info>"
    )
    kick, tom = read_hydrogen(hydrogen(tmp_path / "kit", xml))
    assert [kick.role, tom.role] == ["kick", "tom_low"]
    assert [(one.low, one.high) for one in kick.strokes] == [(0, 0.5), (0.5, 1)]
    peaks = [np.abs(one.samples).max() for one in kick.strokes]
    assert peaks == pytest.approx([0.5, 1.0], rel=1e-3)
    assert kick.strokes[0].samples.shape[0] == 2


@pytest.mark.parametrize("xml", ["<drumkit_info>", '<!DOCTYPE a [<!ENTITY a "b">]><a>&a;</a>', "nothing"])
def test_a_damaged_hydrogen_kit_is_named(tmp_path, xml):
    with pytest.raises(ConfigError, match=r"drumkit\.xml"):
        read_hydrogen(hydrogen(tmp_path / "kit", xml))


def test_a_folder_of_recordings_is_read_by_their_names(tmp_path):
    (tmp_path / "inside").mkdir()
    for name in ("kick_1.wav", "inside/open_hat.wav", "tom.wav", "loop_break.wav", "notes.wav"):
        soundfile.write(tmp_path / name, click(hertz=1000), SAMPLE_RATE)
    (tmp_path / "snare.wav").write_text("no audio")
    assert sorted(one.role for one in read_folder(tmp_path)) == ["hihat_open", "kick", "tom_low"]
    with pytest.raises(ConfigError, match="no such folder"):
        read_folder(tmp_path / "absent")


def soundfont(path, zones):
    """Write a SoundFont with one drum preset; zones are (key, root key)."""
    audio = np.round(click()[:, 0] * 30_000).astype("<i2")

    def chunk(name, data):
        return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)

    generators = b"".join(
        struct.pack("<HH", *pair)
        for key, root in zones
        for pair in ((43, key << 8 | key), (44, 0x7F00), (58, root), (53, 0))
    )
    bags = b"".join(struct.pack("<HH", 4 * k, 0) for k in range(len(zones) + 1))
    tables = [
        chunk(
            b"phdr",
            struct.pack("<20sHHHIII", b"Kit", 0, 128, 0, 0, 0, 0)
            + struct.pack("<20sHHHIII", b"EOP", 0, 0, 1, 0, 0, 0),
        ),
        chunk(b"pbag", struct.pack("<HHHH", 0, 0, 1, 0)),
        chunk(b"pgen", struct.pack("<HH", 41, 0)),
        chunk(b"inst", struct.pack("<20sH", b"Drums", 0) + struct.pack("<20sH", b"EOI", len(zones))),
        chunk(b"ibag", bags),
        chunk(b"igen", generators),
        chunk(
            b"shdr",
            struct.pack("<20sIIIIIBbHH", b"one", 0, len(audio), 0, 0, SAMPLE_RATE, 60, 0, 0, 1)
            + struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0),
        ),
    ]
    sdta = b"sdta" + chunk(b"smpl", audio.tobytes())
    pdta = b"pdta" + b"".join(tables)
    body = b"sfbk" + chunk(b"LIST", sdta) + chunk(b"LIST", pdta)
    path.write_bytes(chunk(b"RIFF", body))
    return path


def pitch_hz(samples):
    spectrum = np.abs(np.fft.rfft(samples[0], 1 << 16))
    return np.argmax(spectrum) * SAMPLE_RATE / (1 << 16)


def test_a_soundfont_plays_its_keys_at_their_pitches(tmp_path):
    kits = read_soundfont(soundfont(tmp_path / "kit.sf2", [(36, 36), (50, 38), (12, 12)]))
    kick, tom = kits["Kit"]
    assert [kick.role, tom.role] == ["kick", "tom_high"]
    # An octave above its root.
    assert pitch_hz(tom.strokes[0].samples) == pytest.approx(2 * pitch_hz(kick.strokes[0].samples), rel=0.02)
    assert read_soundfont(tmp_path / "kit.sf2", presets=("other",)) == {}


def test_a_damaged_soundfont_is_named(tmp_path):
    good = soundfont(tmp_path / "kit.sf2", [(36, 36)]).read_bytes()
    for count, size in enumerate((0, 11, 40, len(good) // 2, len(good) - 60)):
        bad = tmp_path / f"bad{count}.sf2"
        bad.write_bytes(good[:size] or b"RIFF")
        with pytest.raises(ConfigError, match=f"bad{count}"):
            read_soundfont(bad)


def midi(*events, division=480):
    """Return a MIDI file; events are (ticks since the last, bytes)."""
    track = b""
    for ticks, data in events:
        track += (bytes([ticks >> 7 | 0x80, ticks & 0x7F]) if ticks > 127 else bytes([ticks])) + data
    head = struct.pack(">4sIHHH", b"MThd", 6, 0, 1, division)
    return head + struct.pack(">4sI", b"MTrk", len(track)) + track


SLOW = b"\xff\x51\x03\x0f\x42\x40"  # a second a beat


def test_midi_times_follow_changes_of_tempo():
    data = midi(
        (0, b"\x99\x24\x64"),
        (240, b"\x24\x00"),  # the end of the note, with the running status
        (240, b"\x26\x40"),
        (0, SLOW),
        (480, b"\x99\x2a\x7f"),
    )
    wanted = [(0.0, 36, 100), (0.5, 38, 64), (1.5, 42, 127)]
    assert np.allclose(parse_midi(data), wanted, atol=1e-9)


@pytest.mark.parametrize("data", [b"", b"RIFFxxxxxxxxxxxx", midi((0, b"\x99\x24"))])
def test_a_damaged_midi_file_is_refused(data):
    with pytest.raises(ValueError, match=r"MIDI|event"):
        parse_midi(data)


def groove(folder, splits):
    folder.mkdir()
    rows = ["drummer,midi_filename,split"]
    for number, split in enumerate(splits):
        strokes = [(96, bytes([0x99, key, 100])) for key in (36, 42, 38, 42) * 4]
        (folder / f"{number}.mid").write_bytes(midi(*strokes))
        rows.append(f"d1,{number}.mid,{split}")
    (folder / "info.csv").write_text("\n".join(rows))
    return folder


def test_performances_come_with_their_official_splits_from_a_folder_and_an_archive(tmp_path):
    folder = groove(tmp_path / "groove", ["train", "validation", "test", "train"])
    found = read_groove(folder)
    assert [one.split for one in found] == ["train", "validation", "test", "train"]
    assert found[0].times_s[-1] == pytest.approx(16 * 96 / 480 * 0.5)
    assert {ROLES[role] for role in found[0].roles} == {"kick", "hihat_closed", "snare"}
    with tarfile.open(tmp_path / "groove.tar.gz", "w:gz") as archive:
        archive.add(folder, "groove")
    packed = read_groove(tmp_path / "groove.tar.gz")
    assert all(np.array_equal(a.times_s, b.times_s) for a, b in zip(found, packed, strict=True))


def test_a_data_set_without_its_table_or_a_file_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"no info\.csv"):
        read_groove(tmp_path / "empty")
    folder = groove(tmp_path / "groove", ["train"])
    (folder / "0.mid").unlink()
    with pytest.raises(ConfigError, match=r"0\.mid"):
        read_groove(folder)
    (tmp_path / "x.tar.gz").write_bytes(b"no archive")
    with pytest.raises(ConfigError, match=r"x\.tar\.gz"):
        read_groove(tmp_path / "x.tar.gz")


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_a_synthesised_kit_has_every_role_and_is_the_same_each_time(style):
    kit, again = synthesise(style, 4), synthesise(style, 4)
    assert kit.roles == ROLES
    for one, other in zip(kit.instruments, again.instruments, strict=True):
        for a, b in zip(one.strokes, other.strokes, strict=True):
            assert np.isfinite(a.samples).all()
            assert np.array_equal(a.samples, b.samples)
    low, high = (
        pitch_hz(next(one for one in kit.instruments if one.role == role).strokes[-1].samples)
        for role in ("tom_low", "tom_high")
    )
    assert 40 < low < high < 500
