"""Plain WAV files decoded from memory: the samples that libsndfile reads, or nothing."""

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from neurdsp.audio.plain_wav import decode_plain_wav


def encoded(samples, rate, subtype):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, subtype=subtype, format="WAV")
    return file.getvalue()


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_samples_are_those_of_libsndfile(subtype):
    samples = np.random.default_rng(0).uniform(-1, 1, 1001)
    data = encoded(samples, 22_050, subtype)
    decoded, rate = decode_plain_wav(data)
    wanted, _ = soundfile.read(io.BytesIO(data), dtype="float32")
    assert rate == 22_050
    assert decoded.dtype == np.float32
    assert (decoded == wanted).all()


@pytest.mark.parametrize("subtype", ["PCM_24", "PCM_32", "DOUBLE", "ULAW", "PCM_U8"])
def test_other_sample_formats_are_left_to_libsndfile(subtype):
    assert decode_plain_wav(encoded(np.zeros(100), 48_000, subtype)) is None


def test_damage_is_left_to_libsndfile():
    data = encoded(np.zeros(100), 48_000, "PCM_16")
    stereo = encoded(np.zeros((100, 2)), 48_000, "PCM_16")
    empty, infinite = encoded(np.zeros(0), 48_000, "PCM_16"), encoded([0.0, np.inf], 48_000, "FLOAT")
    for bad in (b"", data[:43], data[:-2], data + b"\0\0", stereo, empty, infinite):
        assert decode_plain_wav(bad) is None


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_changed_file_gives_what_libsndfile_gives_or_nothing(data):
    """Where both read a file, they read the same; no change makes the decoder raise."""
    content = bytearray(encoded(np.linspace(-1, 1, 50), 8_000, "PCM_16"))
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    plain = decode_plain_wav(bytes(content))
    if plain is None:
        return
    try:
        wanted, rate = soundfile.read(io.BytesIO(bytes(content)), dtype="float32")
    except soundfile.LibsndfileError:
        pytest.fail("libsndfile refuses a file that was decoded")
    assert plain[1] == rate
    assert np.array_equal(plain[0], wanted, equal_nan=True)
