"""Files that are cut off or holed are told with both lengths or refused; unknown lengths are read."""

import io
import os
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from neurdsp.audio import AudioReader, read_audio, write_audio
from neurdsp.errors import AudioFileError, NeurdspWarning

RATE = 16_000


def sound(n_samples=64_000):
    noise = 0.05 * np.random.default_rng(5).standard_normal(n_samples)
    return (0.3 * np.sin(np.arange(n_samples) / 7) + noise).astype(np.float32)


def written(path, kind, subtype=None, rate=RATE):
    soundfile.write(path, sound(), rate, format=kind, subtype=subtype)
    return path


def quietly(source, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_audio(source, **options)[0]


def cut(path, n_bytes):
    os.truncate(path, n_bytes)
    return path


KINDS = [
    ("WAV", "PCM_16"),
    ("WAV", "FLOAT"),
    ("WAVEX", "PCM_24"),
    ("RF64", "PCM_16"),
    ("W64", "PCM_16"),
    ("AIFF", "PCM_16"),
    ("AIFF", "ULAW"),
    ("AU", "PCM_16"),
    ("CAF", "PCM_16"),
    ("NIST", "PCM_16"),
    ("SVX", "PCM_16"),
    ("VOC", "PCM_16"),
    ("AVR", "PCM_16"),
]


@pytest.mark.parametrize(("kind", "subtype"), KINDS)
def test_a_half_of_an_uncompressed_file_tells_both_lengths(tmp_path, kind, subtype):
    path = written(tmp_path / "a", kind, subtype)
    assert quietly(path).size == 64_000
    cut(path, path.stat().st_size // 2)
    with pytest.warns(NeurdspWarning) as caught:
        n_there = read_audio(path)[0].size
    assert 30_900 < n_there <= 32_000
    assert len(caught) == 1
    message = str(caught[0].message)
    assert (
        f"'{path}' is incomplete: its header promises 64,000 samples (4.00 s), but {n_there:,} s" in message
    )
    with pytest.raises(AudioFileError, match="promises 64,000"):
        AudioReader(path, incomplete="refuse")
    with AudioReader(path, incomplete="allow") as reader:
        assert sum(block.shape[1] for block in reader.blocks()) == n_there
        assert message.endswith(f"is incomplete: {reader.missing}")


@pytest.mark.parametrize(
    ("kind", "subtype"), [("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("FLAC", "PCM_16")]
)
@pytest.mark.parametrize("damage", ["cut", "zeros", "a part missing"])
def test_a_damaged_stream_never_passes_as_good(tmp_path, capfd, kind, subtype, damage):
    path = written(tmp_path / "a", kind, subtype)
    assert quietly(path).size == 64_000
    data, half = path.read_bytes(), path.stat().st_size // 2
    damaged = {
        "cut": data[:half],
        "zeros": data[:half] + bytes(3_000) + data[half + 3_000 :],
        "a part missing": data[:half] + data[half + 3_001 :],
    }[damage]
    path.write_bytes(damaged)
    if kind == "FLAC" or (kind == "MP3" and damage == "zeros"):  # these decoders give up
        with pytest.raises(AudioFileError, match=f"cannot read '{path}': damaged beyond sample 0 of 64,000"):
            read_audio(path)
    else:
        with pytest.warns(NeurdspWarning, match=f"'{path}' is incomplete") as caught:
            n_there = read_audio(path)[0].size
        assert n_there < 63_000
        assert f"{n_there:,} samples" in str(caught[0].message)
    with pytest.raises(AudioFileError, match=f"'{path}'"):
        read_audio(path, incomplete="refuse")
    # The decoder's own words come with the name of the file.
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_no_small_hole_in_an_ogg_file_passes_as_good(tmp_path, subtype):
    data = written(tmp_path / "a.ogg", "OGG", subtype).read_bytes()
    rng = np.random.default_rng(3)
    for n_bytes in (1, 20, 300, 600, 2_000):
        for at in rng.integers(6_000, len(data) - 3_000, 6):
            holed = data[:at] + bytes(byte ^ 0xFF for byte in data[at : at + n_bytes]) + data[at + n_bytes :]
            with pytest.warns(NeurdspWarning, match="is incomplete"):
                read_audio(io.BytesIO(holed))
    # A tag after the last page is no damage.
    assert quietly(io.BytesIO(data + b"TAG" + bytes(125))).size == 64_000


def mp3_without_a_count(path):
    """An MP3 file whose first frame, which counts the others, is gone."""
    data = written(path, "MP3", "MPEG_LAYER_III").read_bytes()
    # MPEG-2, layer 3: 72 bytes for each bit of the rate over the samples a second.
    kbit_s = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)[(data[2] >> 4) - 1]
    following = 72 * kbit_s * 1000 // RATE + (data[2] >> 1 & 1)
    assert data[following : following + 2] == data[:2]
    path.write_bytes(data[following:])
    return path


def test_an_mp3_file_without_a_count_is_judged_by_its_frames(tmp_path):
    path = mp3_without_a_count(tmp_path / "a.mp3")
    assert quietly(path).size > 60_000
    data = path.read_bytes()
    path.write_bytes(data[:-100])
    with pytest.warns(NeurdspWarning, match="breaks off within a frame"):
        read_audio(path)
    path.write_bytes(data[:9_000] + b"\x01" * 700 + data[9_000:])
    with pytest.warns(NeurdspWarning, match="bytes within it are not sound"):
        read_audio(path)
    # Tags at both ends are no damage.
    tagged = b"ID3\x04\0\0\0\0\x01\0" + bytes(128) + data + b"TAG" + bytes(125)
    path.write_bytes(tagged)
    assert quietly(path).size > 60_000


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0xFFFFFFDB, 0x7FFFFFFF, 0x7FFFF000, 0x80000000])
@pytest.mark.parametrize("riff", [None, 0, 0xFFFFFFFF])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_a_wav_file_from_a_pipe_is_read_to_its_end(tmp_path, size, riff, subtype):
    path = written(tmp_path / "a.wav", "WAV", subtype)
    wanted, data = quietly(path), bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"data") + 4, size)
    if riff is not None:
        struct.pack_into("<I", data, 4, riff)
    path.write_bytes(data)
    np.testing.assert_array_equal(quietly(path, incomplete="refuse"), wanted)
    np.testing.assert_array_equal(quietly(io.BytesIO(data)), wanted)


@pytest.mark.parametrize(
    ("kind", "find", "skip", "layout", "sizes"),
    [
        ("RF64", b"ds64", 16, "<Q", [0, 2**64 - 1]),
        ("AU", b".snd", 8, ">I", [0, 0xFFFFFFFF]),
        ("CAF", b"data", 4, ">Q", [0, 2**64 - 1]),
        ("AIFF", b"SSND", 4, ">I", [0, 0xFFFFFFFF, 0x7FFFFFFF]),
        ("W64", b"data", 16, "<Q", [24, 2**63 - 1]),
    ],
)
def test_other_files_of_unknown_length_are_read_to_their_end(tmp_path, kind, find, skip, layout, sizes):
    path = written(tmp_path / "a", kind, "PCM_16")
    wanted, original = quietly(path), path.read_bytes()
    for size in sizes:
        data = bytearray(original)
        struct.pack_into(layout, data, data.index(find) + skip, size)
        path.write_bytes(data)
        np.testing.assert_array_equal(quietly(path, incomplete="refuse"), wanted)


def test_a_wav_file_that_is_truly_empty_stays_empty(tmp_path):
    path = tmp_path / "a.wav"
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        file.title = "nothing"
    with pytest.raises(AudioFileError, match="is empty"):
        read_audio(path)


def flac_of_unknown_length(path):
    data = bytearray(written(path, "FLAC", "PCM_16").read_bytes())
    data[21] &= 0xF0  # STREAMINFO's 36-bit count of samples
    data[22:26] = bytes(4)
    path.write_bytes(data)
    return path


def test_a_flac_file_of_unknown_length_is_read_whole(tmp_path):
    wanted = quietly(written(tmp_path / "b.flac", "FLAC", "PCM_16"))
    path = flac_of_unknown_length(tmp_path / "a.flac")
    with AudioReader(path) as reader:
        assert reader.info.n_samples == 64_000
    np.testing.assert_array_equal(quietly(path), wanted)
    np.testing.assert_array_equal(quietly(path, offset=1, duration=0.5), wanted[16_000:24_000])


@pytest.mark.parametrize(
    "suffix", [".sph", ".nist", ".snd", ".au", ".aifc", ".rf64", ".w64", ".voc", ".caf", ".oga", ".opus"]
)
def test_names_that_are_no_text_open_in_every_format(tmp_path, suffix):
    kinds = {".sph": "NIST", ".nist": "NIST", ".snd": "AU", ".aifc": "AIFF", ".oga": "OGG", ".opus": "OGG"}
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9\xff" + os.fsencode(suffix)))
    with open(path, "wb") as file:
        soundfile.write(file, sound(), RATE, format=kinds.get(suffix, suffix[1:].upper()))
    assert quietly(path).size == 64_000
    with pytest.raises(AudioFileError) as caught:
        read_audio(Path(str(path) + "x"))
    assert "no such file" in str(caught.value)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".aiff", ".w64"])
def test_names_that_are_no_text_are_written(tmp_path, suffix):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9" + os.fsencode(suffix)))
    write_audio(path, sound(), RATE)
    assert quietly(path).size == 64_000
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_part_is_read_as_librosa_reads_it(tmp_path):
    for kind in ("WAV", "FLAC", "OGG", "MP3"):
        path = written(tmp_path / f"a.{kind.lower()}", kind)
        whole = quietly(path)
        for offset, duration in ((0, 1.5), (1.25, None), (0.1234, 0.3), (3.9, 10)):
            first = int(offset * RATE)
            last = None if duration is None else first + int(duration * RATE)
            part = quietly(path, offset=offset, duration=duration)
            np.testing.assert_allclose(part, whole[first:last], atol=1e-6)
    with pytest.raises(AudioFileError, match=r"ends before offset = 5 s: it has 64,000 samples \(4.00 s\)"):
        read_audio(path, offset=5)
    # A cut file is whole where it is read.
    path = written(tmp_path / "b.wav", "WAV", "PCM_16")
    cut(path, 100_000)
    assert quietly(path, duration=1).size == RATE


def test_channels_are_mixed_or_taken(tmp_path):
    path = tmp_path / "a.wav"
    left, right = sound(), np.roll(sound(), 100)
    soundfile.write(path, np.stack([left, right], axis=1), RATE, subtype="FLOAT")
    np.testing.assert_array_equal(quietly(path, mono=True), (left + right) / 2)
    np.testing.assert_array_equal(quietly(path, channel="mean"), (left + right) / 2)
    np.testing.assert_array_equal(quietly(path, channel="left"), left)
    np.testing.assert_array_equal(quietly(path, channel="right"), right)
    np.testing.assert_array_equal(quietly(path, channel=1), right)
    with pytest.raises(ValueError, match="has 2 channels, but channel 2 is asked for; give one from 0 to 1"):
        read_audio(path, channel=2)
    with pytest.raises(ValueError, match="channel is 'middle', but it must be"):
        read_audio(path, channel="middle")
    soundfile.write(path, np.stack([left, -0.99 * left], axis=1), RATE, subtype="FLOAT")
    with pytest.warns(NeurdspWarning, match=r"channels cancel .* has -46 dB"):
        read_audio(path, mono=True)


class Unseekable(io.RawIOBase):
    """A file object as a pipe gives it."""

    def __init__(self, data):
        self._data = io.BytesIO(data)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._data.readinto(buffer)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3", "AIFF"])
def test_file_objects_give_what_their_file_gives(tmp_path, kind):
    path = written(tmp_path / "a", kind)
    wanted = quietly(path)
    with open(path, "rb") as file:
        np.testing.assert_array_equal(quietly(file), wanted)
        assert not file.closed
        np.testing.assert_array_equal(quietly(file, offset=1), quietly(path, offset=1))
    np.testing.assert_array_equal(quietly(io.BytesIO(path.read_bytes())), wanted)
    np.testing.assert_array_equal(quietly(Unseekable(path.read_bytes())), wanted)
    os.mkfifo(tmp_path / "pipe")
    if os.fork() == 0:
        (tmp_path / "pipe").write_bytes(path.read_bytes())
        os._exit(0)
    np.testing.assert_array_equal(quietly(tmp_path / "pipe"), wanted)


def test_what_is_no_file_is_refused():
    with pytest.raises(ValueError, match="source is a int, but it must be a path or a file object"):
        read_audio(3)
    with pytest.raises(ValueError, match="open it in mode 'rb'"):
        read_audio(io.StringIO("text"))
