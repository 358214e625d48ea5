"""Executors: each task gets one result, from threads and from a Ray whose workers are killed."""

import os
import signal
import sys
import threading
import time

import numpy as np
import pytest
import soundfile
from neurdsp import MelSpectrogram
from neurdsp.dsp.cluster import RayPool
from neurdsp.dsp.corpus import MelJob, read_manifest, run
from neurdsp.dsp.executors import LocalPool
from neurdsp.errors import MissingDependencyError


@pytest.mark.parametrize("workers", [1, 3])
def test_a_local_pool_does_each_task_once_and_few_wait(workers):
    taken, busy, most = [], set(), []

    def tasks():
        for number in range(50):
            taken.append(number)
            yield number

    def work(number):
        busy.add(threading.get_ident())
        return number * number

    results = []
    for task, result in LocalPool(workers).map(work, tasks()):
        results.append((task, result))
        most.append(len(taken) - len(results))
    assert sorted(results) == [(number, number * number) for number in range(50)]
    assert max(most) < 2 * workers
    assert len(busy) <= workers


def test_an_exception_of_the_work_ends_a_local_run():
    with pytest.raises(ZeroDivisionError):
        list(LocalPool(2).map(lambda number: 1 // number, range(3)))


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependencyError, match=r"ray.*pip install 'neurdsp\[cluster\]'"):
        RayPool()


class Deadly:
    """An executor whose tasks are slow and tell who does them; the task `fatal` kills each of its workers."""

    def __init__(self, inner, notes, fatal):
        self.inner, self.notes, self.fatal = inner, notes, fatal

    def map(self, work, tasks):
        notes, fatal = self.notes, self.fatal

        def deadly(task):  # a function inside of a function goes to the workers by value
            if task[1] == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            note = notes / str(os.getpid())
            note.touch()
            time.sleep(0.2)
            record = work(task)
            note.unlink()
            return record

        return self.inner.map(deadly, tasks)


@pytest.mark.slow
def test_a_ray_whose_workers_are_killed_loses_nothing(tmp_path):
    """Two workers; one is killed at work, and one file kills everybody who touches it."""
    pytest.importorskip("ray")
    root, notes = tmp_path / "corpus", tmp_path / "notes"
    root.mkdir()
    notes.mkdir()
    rng = np.random.default_rng(0)
    for number in range(16):
        soundfile.write(root / f"{number:02}.wav", 0.1 * rng.standard_normal((30_000, 2)), 44_100)
    (root / "bad.wav").write_bytes(b"nonsense")
    plan = MelSpectrogram.preset("whisper")
    run(MelJob(source=root, output=tmp_path / "local", plan=plan), executor=LocalPool(2))
    killed = []

    def progress(_):
        while not killed:
            for note in notes.iterdir():
                os.kill(int(note.name), signal.SIGKILL)
                killed.append(int(note.name))
                note.unlink()
                break

    job = MelJob(source=root, output=tmp_path / "ray", plan=plan)
    summary = run(job, executor=Deadly(RayPool(workers=2), notes, "05.wav"), progress=progress)
    assert len(killed) == 1
    assert (summary.done, summary.failed) == (15, 2)
    records = read_manifest(tmp_path / "ray" / "manifest.jsonl")
    assert "its worker died 4 times" in records["05.wav"].error
    # The file was not the culprit after all: a run without Ray does it, as if nothing had happened.
    again = run(job)
    assert (again.done, again.kept, again.failed) == (1, 15, 1)
    local, remote = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("local", "ray")
    )
    assert len(local) == 18
    assert remote == local
