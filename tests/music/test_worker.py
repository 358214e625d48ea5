"""Networks on a worker: the answers of a run alone, in order, and what the monitor says of them."""

import numpy as np
import pytest
from neurdsp.errors import ModelFileError, ParameterError
from neurdsp.music.infer import MusicPipeline
from neurdsp.music.worker import MusicWorker

PIPELINE = MusicPipeline.load()


def rows(name, n):
    return np.random.default_rng(3).random((n, PIPELINE[name].n_inputs), np.float32)


@pytest.mark.parametrize("inline", [False, True])
def test_a_worker_gives_the_answers_of_the_networks_in_order(inline):
    worker = PIPELINE.worker(inline=inline, offline=True)
    asked = {name: rows(name, 20) for name in ("groove", "dynamics", "harmony")}
    numbers, answers = [], []
    for step in range(20):
        numbers += [worker.submit(name, asked[name][step], due_step=step) for name in asked]
        answers += worker.due(step)
    assert [answer.number for answer in answers] == numbers == list(range(60))
    for name, inputs in asked.items():
        got = np.stack([answer.outputs for answer in answers if answer.network == name])
        np.testing.assert_array_equal(got, PIPELINE[name].step(inputs))
    report = worker.report()
    assert report.answers == report.submissions == 60
    assert report.dropped == report.late == report.queue_depth == 0
    assert 0 < report.median_us <= report.p99_us <= report.p999_us
    assert report.worst_us >= report.last_us > 0 < report.load_ms
    # A thread waits for its answers only offline, and not for its own.
    assert (report.audio_waits == 0) or not inline
    assert report.memory_bytes > sum(PIPELINE[name].bytes for name in PIPELINE.paths)


def test_live_answers_that_are_not_there_are_late_and_the_asker_never_waits():
    worker = PIPELINE.worker(capacity=8, deadline_ms=60_000)
    for step in range(400):
        worker.submit("harmony", rows("harmony", 1)[0], due_step=step)
    reasons = [answer.reason for answer in worker.due(400)]
    assert set(reasons) <= {None, "late", "refused"}
    assert len(reasons) >= 8
    report = worker.report()
    assert report.submissions == 400
    assert report.dropped >= 400 - 2 * 8 - report.answers
    assert report.audio_waits == 0
    assert report.max_queue_depth <= 9


def test_what_cannot_be_asked_is_refused_in_a_line(tmp_path):
    worker = MusicWorker([PIPELINE.paths["groove"]])
    with pytest.raises(ParameterError, match="no network 'melody'"):
        worker.submit("melody", np.zeros(65), due_step=0)
    with pytest.raises(ParameterError, match="3 inputs were given, but groove takes 64"):
        worker.submit("groove", np.zeros(3), due_step=0)
    with pytest.raises(ParameterError, match="capacity is 0"):
        MusicWorker([], capacity=0)
    with pytest.raises(ParameterError, match="deadline_ms"):
        MusicWorker([], deadline_ms=-1)
    (tmp_path / "no.safetensors").write_bytes(b"no")
    with pytest.raises(ModelFileError, match=r"no\.safetensors"):
        MusicWorker([tmp_path / "no.safetensors"])
