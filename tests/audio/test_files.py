"""Audio files: reading returns what was written, in blocks too, and a failure leaves nothing behind."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from neurdsp.audio import AudioReader, AudioWriter, read_audio, write_audio
from neurdsp.errors import AudioFileError, NeurdspWarning, ParameterError


@pytest.fixture
def noise():
    return np.random.default_rng(1).uniform(-1, 1, 200_000).astype(np.float32)


@pytest.mark.parametrize("suffix", [".wav", ".aiff", ".w64"])
def test_float_files_return_every_bit(tmp_path, noise, suffix):
    path = tmp_path / f"a{suffix}"
    write_audio(path, noise, 44_100)
    samples, rate = read_audio(path)
    assert rate == 44_100
    assert samples.dtype == np.float32
    np.testing.assert_array_equal(samples, noise)


@pytest.mark.parametrize("suffix", [".wav", ".aiff"])
def test_equal_sound_is_equal_bytes_whenever_it_is_written(tmp_path, noise, suffix):
    path = tmp_path / f"a{suffix}"
    write_audio(path, noise, 44_100)
    written = path.read_bytes()
    at = written.index(b"PEAK")
    version, time = written[at + 8 : at + 12], written[at + 12 : at + 16]
    assert (sorted(version), time) == ([0, 0, 0, 1], bytes(4))
    soundfile.write(tmp_path / f"b{suffix}", noise, 44_100, subtype="FLOAT")
    theirs = bytearray((tmp_path / f"b{suffix}").read_bytes())
    assert any(theirs[at + 12 : at + 16])
    theirs[at + 12 : at + 16] = bytes(4)
    assert written == bytes(theirs)


def test_stereo_keeps_channels_first(tmp_path, noise):
    stereo = noise.reshape(2, -1)
    write_audio(tmp_path / "a.wav", stereo, 48_000)
    samples, _ = read_audio(tmp_path / "a.wav")
    np.testing.assert_array_equal(samples, stereo)


@pytest.mark.parametrize(("subtype", "step"), [("PCM_16", 2**-15), ("PCM_24", 2**-23)])
def test_integer_files_are_within_one_step(tmp_path, noise, subtype, step):
    path = tmp_path / "a.wav"
    write_audio(path, noise * 0.99, 48_000, subtype=subtype)
    samples, _ = read_audio(path)
    assert np.abs(samples - noise * 0.99).max() <= step


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".aiff", ".w64", ".caf", ".au"])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_value_of_16_bits_is_the_float_of_libsndfile(tmp_path, suffix, channels):
    path, values = tmp_path / f"a{suffix}", np.arange(-(2**15), 2**15, dtype=np.int16)
    soundfile.write(path, np.stack([values, values[::-1]][:channels], axis=1), 44_100, subtype="PCM_16")
    samples, _ = read_audio(path)
    wanted = soundfile.read(path, dtype="float32", always_2d=True)[0].T
    assert np.atleast_2d(samples).tobytes() == wanted.tobytes()


def test_flac_stores_24_bits(tmp_path, noise):
    write_audio(tmp_path / "a.flac", noise * 0.99, 48_000)
    samples, _ = read_audio(tmp_path / "a.flac")
    assert np.abs(samples - noise * 0.99).max() <= 2**-23


@pytest.mark.parametrize("block", [1_000, 65_536, 10**6])
def test_blocks_concatenate_to_the_whole(tmp_path, noise, block):
    path = tmp_path / "a.wav"
    write_audio(path, noise, 48_000)
    with AudioReader(path) as reader:
        assert reader.info.n_samples == noise.size
        assert reader.info.duration_s == pytest.approx(noise.size / 48_000)
        parts = list(reader.blocks(block))
    assert max(part.shape[1] for part in parts) <= block
    np.testing.assert_array_equal(np.concatenate(parts, axis=1)[0], noise)


def test_an_error_while_writing_keeps_the_existing_file_and_nothing_else(tmp_path, noise):
    path = tmp_path / "a.wav"
    write_audio(path, noise[:100], 48_000)
    before = path.read_bytes()
    with AudioWriter(path, 48_000) as writer:
        writer.write(noise)
        assert path.read_bytes() == before
        with pytest.raises(ParameterError, match="1 channels"):
            writer.write(noise.reshape(2, -1))
    write_audio(path, noise[:100], 48_000)
    writer = AudioWriter(path, 48_000)
    with pytest.raises(ParameterError, match="1 channels"), writer:
        writer.write(noise.reshape(2, -1))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "n_samples", [1_000_000, 10_001]
)  # far over the limit, and in libsndfile's last flush
def test_a_full_disk_is_one_clear_error_and_leaves_nothing(tmp_path, files_end_at, n_samples):
    with files_end_at(40_000), pytest.raises(AudioFileError, match="the disk is full") as caught:
        write_audio(tmp_path / "a.wav", np.zeros(n_samples, np.float32), 48_000)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_absent_folder_is_named(tmp_path):
    with pytest.raises(AudioFileError, match=r"folder '.*nowhere' does not exist"):
        write_audio(tmp_path / "nowhere" / "a.wav", [0.0], 48_000)


def test_unknown_suffix_lists_those_that_work(tmp_path):
    with pytest.raises(AudioFileError, match=r"'\.xyz'; use one of \.wav"):
        write_audio(tmp_path / "a.xyz", [0.0], 48_000)


def test_a_link_survives_and_a_device_is_refused(tmp_path):
    (tmp_path / "link.wav").symlink_to(tmp_path / "real.wav")
    write_audio(tmp_path / "link.wav", [0.5], 48_000)
    assert (tmp_path / "link.wav").is_symlink()
    assert (tmp_path / "real.wav").is_file()
    device = tmp_path / "null.wav"
    device.symlink_to("/dev/null")
    with pytest.raises(AudioFileError, match="not a regular file"):
        write_audio(device, [0.5], 48_000)


def test_reading_names_what_is_wrong(tmp_path, noise):
    with pytest.raises(AudioFileError, match="no such file"):
        read_audio(tmp_path / "missing.wav")
    with pytest.raises(AudioFileError, match="is a folder"):
        read_audio(tmp_path)
    (tmp_path / "text.wav").write_text("not audio")
    with pytest.raises(AudioFileError, match="not an audio file"):
        read_audio(tmp_path / "text.wav")
    (tmp_path / "zero.wav").write_bytes(b"")
    with pytest.raises(AudioFileError, match="not an audio file"):
        read_audio(tmp_path / "zero.wav")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0, np.float32), 48_000)
    with pytest.raises(AudioFileError, match="empty"):
        read_audio(tmp_path / "empty.wav")
    write_audio(tmp_path / "stereo.wav", noise.reshape(2, -1), 48_000)
    with pytest.raises(AudioFileError, match="2 channels, but mono"):
        AudioReader(tmp_path / "stereo.wav", mono=True)
    bad = noise.copy()
    bad[123_456] = np.nan
    soundfile.write(tmp_path / "nan.wav", bad, 48_000, subtype="FLOAT")
    with pytest.raises(AudioFileError, match="sample 123456 is nan"):
        read_audio(tmp_path / "nan.wav")


def test_a_header_that_claims_too_much_costs_no_memory(tmp_path, noise):
    path = tmp_path / "a.flac"
    write_audio(path, noise, 48_000)
    data = bytearray(path.read_bytes())
    data[21] |= 0x0F  # STREAMINFO's 36-bit count of samples: claim 2^36 - 1
    data[22:26] = b"\xff" * 4
    path.write_bytes(bytes(data))
    with AudioReader(path) as reader:
        assert reader.info.n_samples == 2**36 - 1
    with pytest.warns(NeurdspWarning, match=r"promises 68,719,476,735 samples .* but 200,000 samples"):
        assert read_audio(path)[0].size == 200_000
    with pytest.raises(AudioFileError, match="is incomplete"):
        read_audio(path, incomplete="refuse")


@pytest.mark.filterwarnings("ignore::neurdsp.errors.NeurdspWarning")
def test_mutated_files_never_raise_anything_else(tmp_path, noise):
    rng = np.random.default_rng(2)
    for suffix in (".wav", ".flac", ".aiff"):
        path = tmp_path / f"a{suffix}"
        write_audio(path, noise[:2_000], 48_000)
        original = path.read_bytes()
        for _ in range(60):
            data = bytearray(original)
            for position in rng.integers(0, min(len(data), 120), 3):
                data[position] = rng.integers(256)
            path.write_bytes(bytes(data[: rng.integers(1, len(data) + 1)]))
            refusal = ""
            try:
                read_audio(path)
            except AudioFileError as error:
                refusal = str(error)
            assert "\n" not in refusal


def test_sample_rate_of_a_file_is_a_whole_positive_number(tmp_path):
    for rate in (0, -1, 44_100.5, float("nan"), "48000"):
        with pytest.raises(ParameterError, match="sample_rate"):
            write_audio(Path(tmp_path) / "a.wav", [0.0], rate)


def test_a_wav_file_that_will_exceed_4_gib_gets_the_header_that_allows_it(tmp_path):
    for expected, kind in ((0, "WAV"), (100, "WAV"), (1 << 29, "RF64")):
        with AudioWriter(tmp_path / "long.wav", 44_100, channels=2, expected_samples=expected) as writer:
            writer.write(np.ones((2, 100), np.float32))
        assert soundfile.info(tmp_path / "long.wav").format == kind
        assert (read_audio(tmp_path / "long.wav")[0] == np.ones((2, 100))).all()
