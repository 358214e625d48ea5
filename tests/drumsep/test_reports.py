"""What users of other separators report, each with its right answer: rates, levels, silence, batches, hours.

Names, formats and folders are in `test_command.py`, checkpoints in `test_checkpoint.py` and
`test_conversion.py`, chunks and lengths in `test_demix.py` and `test_infer.py`.
"""

import signal
import struct
import subprocess
import sys
import threading

import numpy as np
import pytest
import soundfile
from neurdsp.audio import read_audio
from neurdsp.drumsep import DrumSeparator, chunked
from neurdsp.drumsep.batch import SeparationJob, run
from neurdsp.drumsep.config import TfcTdfConfig
from neurdsp.drumsep.demix import Plan, demix
from neurdsp.drumsep.sources import ArraySource
from neurdsp.errors import ParameterError
from neurdsp.modelfile import parity_error_db

STEMS = ("kick", "snare", "toms", "hihat", "cymbals")


def noise(*shape, level=0.3):
    return (level * np.random.default_rng(shape[-1]).standard_normal(shape)).astype(np.float32)


def changed(config, **values):
    return TfcTdfConfig(**{**config.model_dump(), **values})


@pytest.fixture(scope="module")
def separator(tiny_file):
    return DrumSeparator.load(tiny_file)


@pytest.fixture
def stub(monkeypatch, separator):
    """Replace the network by one that gives the recording to each stem, and count its batches."""
    batches, released = [], []

    class Stub:
        def forward(self, chunks):
            batches.append(len(chunks))
            return np.repeat(chunks[:, np.newaxis], 5, axis=1)

        def release(self):
            released.append(len(batches))

    monkeypatch.setattr(chunked, "open_network", lambda *_, **__: Stub())
    monkeypatch.setattr(separator._network, "_opened", None)
    yield batches
    separator._network._opened = None
    assert released[-1] == len(batches), "memory goes back after the last chunk of a recording"


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (44_056, 1), (96_000, 2)])
def test_1_a_file_has_the_bits_of_the_array_at_any_rate(tmp_path, separator, rate, channels):
    audio = noise(channels, 70_001)
    soundfile.write(tmp_path / "in.wav", audio.T, rate, subtype="FLOAT")
    done = separator.separate_file(
        tmp_path / "in.wav", tmp_path / "out", residual=True, tier="fast", threads=1
    )
    samples = audio[0] if channels == 1 else audio
    wanted = separator.separate(samples, rate, residual=True, tier="fast", threads=1)
    assert (done.n_samples, done.sample_rate) == (70_001, rate)
    assert list(done.outputs) == list(wanted)
    for name, path in done.outputs.items():
        found, found_rate = read_audio(path)
        assert found_rate == rate
        assert np.array_equal(found, wanted[name])


def test_4_silence_and_normalisation(tmp_path, tiny_config, make_tiny):
    """A network that wants its input normalised divides by no zero, and adds no mean to each stem."""
    config = changed(tiny_config, normalize=True)
    separator = DrumSeparator.load(make_tiny(tmp_path / "normal.safetensors", config))
    plain = DrumSeparator.load(make_tiny(tmp_path / "plain.safetensors", tiny_config))
    for silent in (np.zeros((2, 5_000)), np.full((2, 5_000), 0.25)):
        stems = separator.separate(silent, 44_100)
        assert all(np.isfinite(stem).all() for stem in stems.values())
    assert all((stem == 0).all() for stem in separator.separate(np.zeros((2, 5_000)), 44_100).values())
    audio = noise(2, 5_000) + np.float32(0.1)
    mono = audio.mean(axis=0, dtype=np.float64)
    normal = ((audio - np.float32(mono.mean())) / np.float32(mono.std())).astype(np.float32)
    found = separator.separate(audio, 44_100)
    for name, stem in plain.separate(normal, 44_100).items():
        assert parity_error_db(stem * np.float32(mono.std()), found[name]) < -110
    # A recording whose end is silent: what is silent stays so.
    audio[:, 2_000:] = 0
    assert all((stem[:, 4_000:] == 0).all() for stem in separator.separate(audio, 44_100).values())


def test_5_stems_and_residual_sum_to_the_recording_in_files_at_another_rate(tmp_path, separator):
    audio = noise(2, 9_000, level=0.05)
    soundfile.write(tmp_path / "in.wav", audio.T, 48_000, subtype="FLOAT")
    done = separator.separate_file(tmp_path / "in.wav", tmp_path, residual=True, stems=STEMS, tier="fast")
    total = np.sum([read_audio(path)[0].astype(np.float64) for path in done.outputs.values()], axis=0)
    assert parity_error_db(audio.astype(np.float64), total) < -120
    half = separator.separate_file(
        tmp_path / "in.wav", tmp_path / "half", residual=True, gain_db=-6.0, tier="fast"
    )
    total = np.sum([read_audio(path)[0].astype(np.float64) for path in half.outputs.values()], axis=0)
    assert parity_error_db(audio * 10 ** (-6 / 20), total) < -110


def test_7_blocks_batches_and_threads_change_no_bit_and_joins_are_no_worse_than_the_rest(separator, stub):
    def uneven(chunks):
        ramp = np.linspace(0.5, 1.5, chunks.shape[2], dtype=np.float32)
        return np.stack([chunks * ramp, chunks * np.abs(chunks).mean(axis=(1, 2), keepdims=True)], axis=1)

    audio = noise(2, 12_345)
    audio[:, 3_000:6_000] = 0
    rng = np.random.default_rng(0)
    for plan in (Plan.overlapping(1_000, 8), Plan.one_pass(1_000), Plan(1_000, 250, 0, reflects=False)):
        wanted = np.concatenate(list(demix(uneven, audio, plan, 2)), axis=2)
        for batch_size in (1, 2, 5, 64):
            cuts = np.sort(rng.integers(0, 12_345, 9))
            blocks = np.split(audio, cuts, axis=1)
            found = np.concatenate(list(demix(uneven, blocks, plan, 2, batch_size=batch_size)), axis=2)
            assert np.array_equal(found, wanted)
    # A network that changes nothing leaves the same tiny error everywhere, at joins too.
    stems = separator.separate(audio, 44_100, tier="fast")
    assert np.abs(stems["kick"] - audio).max() < 1e-6


def test_8_the_configuration_decides_on_overlap_and_batch_where_it_is_asked(separator, tiny_config, stub):
    audio, steps = noise(2, 20_000), []
    separator.separate(audio, 44_100, overlap="config", progress=lambda *step: steps.append(step))
    assert tiny_config.n_overlaps == 4
    assert steps[-1] == (
        Plan.overlapping(tiny_config.chunk_samples, 4).n_chunks(20_000),
        len(steps),
    )
    assert set(stub) == {1}
    stub.clear()
    separator.separate(audio, 44_100, batch_size=3, tier="exact")
    assert max(stub) == 3
    assert sum(stub) == Plan.overlapping(tiny_config.chunk_samples, 8).n_chunks(20_000)
    with pytest.raises(ParameterError, match="overlap is 5000, but a chunk has 1984 samples"):
        separator.separate(audio, 44_100, overlap=5_000)


def test_11_many_channels_are_refused_with_advice():
    with pytest.raises(
        ParameterError, match=r"has 6 channels, but one or two .* mix it down to stereo first"
    ):
        ArraySource(np.zeros((6, 10), np.float32), 44_100)


def sparse_wav(path, rate, n_samples, bursts):
    """Write a mono WAV file of 16 bits of which most is a hole."""
    n_bytes = 2 * n_samples
    with open(path, "wb") as file:
        file.write(
            struct.pack(
                "<4sI4s4sIHHIIHH", b"RIFF", 36 + n_bytes, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16
            )
        )
        file.write(struct.pack("<4sI", b"data", n_bytes))
        for start in bursts:
            file.seek(44 + 2 * start)
            file.write((9_000 * np.random.default_rng(start).standard_normal(4_000)).astype("<i2").tobytes())
        file.truncate(44 + n_bytes)


MEASURE = """
import resource, sys, time
from neurdsp.drumsep import DrumSeparator
separator = DrumSeparator.load(sys.argv[1])
for name in sys.argv[2:4]:
    done = separator.separate_file(name, name + ".stems", tier="fast", file_format="flac", threads=1)
    print(done.n_samples, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time())
"""


@pytest.mark.slow
def test_11_eight_hours_take_the_memory_of_a_minute(tmp_path, tiny_config, make_tiny):
    config = changed(
        tiny_config, sample_rate=8_000, audio_channels=1, stems=("kick",), chunk_samples=2_047 * 64
    )
    make_tiny(tmp_path / "tiny.safetensors", config)
    minute, hours = 60 * 8_000, 8 * 3_600 * 8_000
    sparse_wav(tmp_path / "minute.wav", 8_000, minute, [5_000, 300_000])
    sparse_wav(tmp_path / "hours.wav", 8_000, hours, [5_000, hours // 2, hours - 4_000])
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            MEASURE,
            tmp_path / "tiny.safetensors",
            tmp_path / "minute.wav",
            tmp_path / "hours.wav",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [int(row[0]) for row in rows] == [minute, hours]
    assert int(rows[1][1]) - int(rows[0][1]) < 16 * 1024, rows  # KiB
    stem = tmp_path / "hours.wav.stems" / "kick.flac"
    assert soundfile.info(stem).frames == hours
    with soundfile.SoundFile(stem) as file:
        for start, sounds in ((5_000, True), (hours // 4, False), (hours // 2, True), (hours - 4_000, True)):
            file.seek(start)
            assert file.read(4_000).any() == sounds


def test_12_progress_counts_to_the_end_and_an_exception_of_it_leaves_no_file(tmp_path, separator):
    soundfile.write(tmp_path / "in.wav", noise(20_000, 2), 44_100)
    steps = []
    separator.separate_file(
        tmp_path / "in.wav", tmp_path / "out", tier="fast", progress=lambda *step: steps.append(step)
    )
    assert [done for done, _ in steps] == list(range(1, steps[0][1] + 1))

    def cancel(done, total):
        if done == total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        separator.separate_file(tmp_path / "in.wav", tmp_path / "cancelled", tier="fast", progress=cancel)
    assert list((tmp_path / "cancelled").iterdir()) == []


def test_12_a_run_that_is_stopped_ends_within_a_chunk_and_leaves_no_half_file(tmp_path, tiny_file):
    soundfile.write(tmp_path / "in.wav", noise(400_000, 2), 44_100)
    job = SeparationJob(
        source=tmp_path / "in.wav", output=tmp_path / "out", model=tiny_file, settings={"threads": 1}
    )
    shares = []

    def interrupt(_, share):
        shares.append(share)
        if len(shares) == 2:
            # As Ctrl-C does: it wakes the main thread, which waits for the workers.
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(job, share=interrupt)
    assert sum(shares) < 0.9
    left = [path for path in (tmp_path / "out").rglob("*") if path.is_file() and path.name != ".neurdsp.lock"]
    assert [path.name for path in left] == ["manifest.jsonl"]
    done = run(job)
    assert (done.done, done.kept, done.failed) == (1, 0, 0)
    assert sorted(path.name for path in (tmp_path / "out" / "in").iterdir()) == sorted(
        f"{n}.wav" for n in STEMS
    )
