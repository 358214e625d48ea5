"""A cache gives what computing gives: any plan, any input, threads, processes, killed ones too."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import neurdsp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neurdsp.dsp.presets import PRESETS
from neurdsp.errors import ParameterError

PLAN = neurdsp.MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=40, log="ln")


def noise(length, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(length).astype(dtype)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_preset_comes_back_bit_for_bit(tmp_path, name, dtype):
    plan, y = neurdsp.MelSpectrogram.preset(name), noise(8000, dtype=dtype)
    wanted = plan(y)
    for hits in ((0, 0, 1), (0, 1, 0)):
        cache = neurdsp.MelCache(tmp_path)
        got = cache.get_or_compute(plan, y)
        assert got.dtype == wanted.dtype
        assert (got == wanted).all()
        stats = cache.stats
        assert (stats.memory_hits, stats.disk_hits, stats.misses) == hits


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(401, 900)), min_size=1, max_size=6),
    st.integers(0, 60_000),
    st.sampled_from([np.float32, np.float64]),
)
def test_batches_and_lists_of_what_was_seen_and_what_was_not(clips, max_bytes, dtype):
    cache = neurdsp.MelCache(max_bytes=max_bytes)
    ys = [noise(length, seed, dtype) for seed, length in clips]
    for y in ys[::2]:
        assert (cache.get_or_compute(PLAN, y) == PLAN(y)).all()
    for got, wanted in zip(cache.get_or_compute(PLAN, ys), PLAN(ys), strict=True):
        assert (got == wanted).all()
    batch = np.stack([y[:401] for y in ys] * 2).reshape(2, len(ys), 401)
    got = cache.get_or_compute(PLAN, batch)
    assert got.shape == (2, len(ys), 40, PLAN.n_frames(401))
    assert (got == PLAN(batch)).all()
    assert cache.stats.memory_bytes <= max_bytes


def test_plans_that_differ_anywhere_do_not_meet():
    cache, y = neurdsp.MelCache(), noise(4000)
    changes = [
        {},
        {"hop_length": 161},
        {"window": "hamming"},
        {"win_length": 399},
        {"center": False},
        {"pad_mode": "reflect"},
        {"power": 1.0},
        {"n_mels": 41},
        {"fmin": 20.0},
        {"fmax": 7000.0},
        {"htk": True},
        {"norm": None},
        {"log": "db"},
        {"floor": 1e-4},
        {"offset": 1e-3},
        {"periodic": False},
        {"preemphasis": 0.5},
        {"preemphasis": 0.97},
        {"normalize": "whisper"},
        {"normalize": "per_feature"},
        {"drop_last": True},
        {"precision": "exact"},
        {"frame_filter": (True, 0.97)},
    ]
    base = {"sr": 16000, "n_fft": 400, "hop_length": 160, "n_mels": 40, "log": "ln"}
    for turn in range(2):
        for change in changes:
            plan = neurdsp.MelSpectrogram(**{**base, **change})
            assert (cache.get_or_compute(plan, y) == plan(y)).all()
        assert (cache.get_or_compute(PLAN, y, dtype=np.float64) == PLAN(y, dtype=np.float64)).all()
        assert (cache.get_or_compute(PLAN, y.astype(np.float64)) == PLAN(y.astype(np.float64))).all()
        assert cache.stats.misses == len(changes) + 2
        assert cache.stats.memory_hits == turn * (len(changes) + 2)


def test_the_result_is_the_cache_s_own_memory_and_cannot_be_written_to():
    cache, y = neurdsp.MelCache(), noise(4000)
    first, again = cache.get_or_compute(PLAN, y), cache.get_or_compute(PLAN, y)
    assert np.shares_memory(first, again)
    with pytest.raises(ValueError, match="read-only"):
        again[0, 0] = 1.0
    with pytest.raises(ValueError, match="WRITEABLE"):
        again.flags.writeable = True
    wanted = again.copy()
    # It outlives its eviction, and the cache itself.
    cache.clear()
    del cache, first
    assert (again == wanted).all()


def test_torch_gets_tensors_of_its_own():
    torch = pytest.importorskip("torch")
    cache, y = neurdsp.MelCache(), torch.from_numpy(noise(4000))
    for _ in range(2):
        got = cache.get_or_compute(PLAN, y)
        assert isinstance(got, torch.Tensor)
        assert torch.equal(got, PLAN(y))
        got.zero_()


def test_bad_input_is_refused_as_by_the_plan(tmp_path):
    cache, bad = neurdsp.MelCache(tmp_path), noise(1000)
    bad[500] = np.nan
    for y in (bad, np.zeros(0, np.float32), np.zeros(10, np.int16), [noise(1000), bad]):
        with pytest.raises(ParameterError) as planned:
            PLAN(y)
        for _ in range(2):
            with pytest.raises(ParameterError) as cached:
                cache.get_or_compute(PLAN, y)
            assert str(cached.value) == str(planned.value)
    assert cache.stats.entries == 0
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot keep a cache in"):
        neurdsp.MelCache(tmp_path / "file")
    with pytest.raises(ParameterError, match="max_bytes is -1"):
        neurdsp.MelCache(max_bytes=-1)


def test_threads_and_several_caches_over_one_folder_with_room_for_half(tmp_path):
    ys = [noise(3000, seed) for seed in range(10)]
    wanted = [PLAN(y) for y in ys]
    size = wanted[0].nbytes
    caches = [neurdsp.MelCache(tmp_path, max_bytes=4 * size, max_disk_bytes=6 * size) for _ in range(2)]

    def work(number):
        rng = np.random.default_rng(number)
        for index in rng.integers(0, 10, 150):
            assert (caches[number % 2].get_or_compute(PLAN, ys[index]) == wanted[index]).all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    for cache in caches:
        stats = cache.stats
        assert stats.memory_hits + stats.disk_hits + stats.misses == 450
        assert stats.memory_hits > 0
        assert (stats.damaged, stats.failed_writes) == (0, 0)


WRITER = """
import sys
import neurdsp, numpy as np
plan = neurdsp.MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=40, log="ln")
cache = neurdsp.MelCache(sys.argv[1], max_bytes=0, max_disk_bytes=int(sys.argv[2]))
rng = np.random.default_rng(int(sys.argv[3]))
print("ready", flush=True)
while True:
    seed = int(rng.integers(0, 40))
    y = np.random.default_rng(seed).standard_normal(40_000).astype(np.float32)
    cache.get_or_compute(plan, y)
    if rng.random() < 0.1:
        cache.clear()
"""


def test_writers_that_are_killed_leave_sound_entries(tmp_path):
    """Processes that write, evict and clear are killed at any moment; a reader finds no bad entry."""
    ys = [noise(40_000, seed) for seed in range(40)]
    wanted = [PLAN(y) for y in ys]
    room = 15 * wanted[0].nbytes
    cache = neurdsp.MelCache(tmp_path, max_bytes=0, max_disk_bytes=room)
    rng = np.random.default_rng(0)
    for turn in range(3):
        arguments = [sys.executable, "-c", WRITER, str(tmp_path), str(room)]
        writers = [
            subprocess.Popen([*arguments, str(2 * turn + k)], stdout=subprocess.PIPE, text=True)
            for k in range(2)
        ]
        for writer in writers:
            assert writer.stdout.readline() == "ready\n"
        end = time.monotonic() + rng.uniform(0.2, 0.5)
        while time.monotonic() < end:
            index = int(rng.integers(0, 40))
            assert (cache.get_or_compute(PLAN, ys[index]) == wanted[index]).all()
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
            assert writer.wait() == -signal.SIGKILL
            writer.stdout.close()
    for _ in range(2):
        for y, mel in zip(ys, wanted, strict=True):
            assert (cache.get_or_compute(PLAN, y) == mel).all()
    stats = cache.stats
    assert (stats.damaged, stats.failed_writes) == (0, 0)
    assert stats.disk_hits > 0
    # What the killed left under a temporary name goes once it is old.
    for path in tmp_path.rglob(".*.tmp"):
        os.utime(path, (time.time() - 7200,) * 2)
    cache.clear()
    assert list(tmp_path.rglob("*.tmp")) == []


def test_a_pickled_cache_keeps_its_folder_and_limits(tmp_path):
    cache, y = neurdsp.MelCache(tmp_path, max_bytes=1 << 20), noise(4000)
    cache.get_or_compute(PLAN, y)
    other = pickle.loads(pickle.dumps(cache))
    assert (other.get_or_compute(PLAN, y) == PLAN(y)).all()
    assert (other.stats.disk_hits, other.stats.misses) == (1, 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_under_load_does_not_hang():
    """A forked process must not wait for a lock that a thread of its parent held at that moment."""
    cache, stop = neurdsp.MelCache(max_bytes=20_000), threading.Event()
    ys = [noise(2000, seed) for seed in range(20)]

    def load():
        while not stop.is_set():
            for y in ys:
                cache.get_or_compute(PLAN, y)

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            child = os.fork()
            if child == 0:
                signal.alarm(20)
                fine = (cache.get_or_compute(PLAN, ys[0]) == PLAN(ys[0])).all() and cache.stats.misses == 1
                os._exit(0 if fine else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
