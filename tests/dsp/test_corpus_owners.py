"""Results of other files in the output folder of a corpus: never replaced unasked, and never taken over."""

import io
import json
import os
import shutil

import numpy as np
import pytest
import soundfile
from neurdsp import MelSpectrogram
from neurdsp.dsp.corpus import MelJob, read_manifest, run
from neurdsp.dsp.executors import LocalPool
from neurdsp.errors import ParameterError

PLAN = MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=20, log="ln")
OTHER_PLAN = MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=24, log="ln")


class OneByOne:
    """An executor that is no `LocalPool`, as that of a cluster."""

    def map(self, work, tasks):
        for task in tasks:
            yield task, work(task)


@pytest.fixture(params=[LocalPool(2), OneByOne()], ids=["threads", "cluster"])
def executor(request):
    return request.param


def write(path, seed):
    """Write half a second of noise. Files of all seeds have one size and one time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.random.default_rng(seed).standard_normal(8000), 16000)
    os.utime(path, (1, 1))


@pytest.fixture
def two(tmp_path):
    """Two corpora with two files of equal names, and one each of their own."""
    for seed, (root, own) in enumerate((("one", "p"), ("two", "q"))):
        write(tmp_path / root / "x.wav", 10 * seed)
        write(tmp_path / root / "deep" / "y.wav", 10 * seed + 1)
        write(tmp_path / root / f"{own}.wav", 10 * seed + 2)
    return tmp_path / "one", tmp_path / "two"


def job(source, tmp_path, **changes):
    return MelJob(**{"source": source, "output": tmp_path / "out", "plan": PLAN, **changes})


def results(tmp_path):
    out = tmp_path / "out"
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*.npy"))}


def bytes_of(path, plan=PLAN):
    """Return the bytes of the result of a file."""
    file = io.BytesIO()
    np.save(file, plan(soundfile.read(path, dtype="float32")[0]))
    return file.getvalue()


def lines(tmp_path):
    return [json.loads(line) for line in (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()]


def forget(tmp_path, *keys):
    """Make the manifest one of an earlier version, which lacks these keys."""
    earlier = [{key: value for key, value in line.items() if key not in keys} for line in lines(tmp_path)]
    text = "".join(json.dumps(line) + "\n" for line in earlier)
    (tmp_path / "out" / "manifest.jsonl").write_text(text)


def test_another_corpus_replaces_nothing_and_is_done_otherwise(two, tmp_path, executor):
    one, other = two
    run(job(one, tmp_path), executor=executor)
    before = results(tmp_path)
    told = []
    summary = run(job(other, tmp_path), executor=executor, progress=told.append)
    assert (summary.done, summary.kept, summary.failed) == (1, 0, 2)
    after = results(tmp_path)
    assert after.pop("q.npy") == bytes_of(other / "q.wav")
    assert after == before
    assert sorted(record.file for record in told) == ["deep/y.wav", "q.wav", "x.wav"]
    (refused,) = (record for record in told if record.file == "x.wav")
    assert refused.error == (
        f"cannot write '{tmp_path}/out/x.npy': it is the result of '{one}/x.wav'; give another output "
        "folder, or --overwrite to replace it"
    )
    # The manifest holds the results of both. Each corpus keeps its own, in any number of runs.
    whose = {line["output"]: line["source"] for line in lines(tmp_path) if line["output"]}
    assert whose == {
        "x.npy": f"{one}/x.wav",
        "deep/y.npy": f"{one}/deep/y.wav",
        "p.npy": f"{one}/p.wav",
        "q.npy": f"{other}/q.wav",
    }
    for _ in range(2):
        assert (run(job(one, tmp_path)).kept, run(job(other, tmp_path)).kept) == (3, 1)
    assert len(lines(tmp_path)) == 6
    # Asked to, it replaces them, and they are its own then.
    assert run(job(other, tmp_path), executor=executor, overwrite=True).done == 2
    assert results(tmp_path)["x.npy"] == bytes_of(other / "x.wav")
    assert run(job(other, tmp_path)).kept == 3
    assert run(job(one, tmp_path)).failed == 2
    assert results(tmp_path)["x.npy"] == bytes_of(other / "x.wav")


def test_files_of_one_stem_but_another_ending_or_format_are_others(two, tmp_path):
    one, _ = two
    run(job(one / "x.wav", tmp_path))
    before = results(tmp_path)
    write(tmp_path / "three" / "x.flac", 7)
    assert run(job(tmp_path / "three", tmp_path)).failed == 1
    assert run(job(tmp_path / "three", tmp_path, plan=OTHER_PLAN)).failed == 1
    assert results(tmp_path) == before
    # Another format has other names.
    assert run(job(tmp_path / "three", tmp_path, format="raw")).done == 1
    assert results(tmp_path) == before


def test_lists_of_files_and_files_by_themselves_are_no_way_around(two, tmp_path, executor):
    one, other = two
    run(job(one, tmp_path), executor=executor)
    before = results(tmp_path)
    assert run(job(other / "x.wav", tmp_path), executor=executor).failed == 1
    assert run(job([other / "x.wav", other / "deep" / "y.wav"], tmp_path), executor=executor).failed == 2
    assert results(tmp_path) == before
    # A file of the first corpus by itself keeps its result, and leaves the others in the manifest.
    assert run(job(one / "x.wav", tmp_path)).kept == 1
    assert run(job([one / "x.wav", one / "deep" / "y.wav"], tmp_path)).kept == 2
    assert {line["output"] for line in lines(tmp_path) if line["output"]} == set(before)
    assert run(job(one, tmp_path)).kept == 3


def test_equal_size_and_time_do_not_make_the_result_of_another_file_ones_own(two, tmp_path):
    one, other = two
    assert (one / "x.wav").stat().st_size == (other / "x.wav").stat().st_size
    assert (one / "x.wav").stat().st_mtime_ns == (other / "x.wav").stat().st_mtime_ns
    run(job(one, tmp_path))
    assert run(job(other, tmp_path)).kept == 0


def test_a_corpus_that_was_moved_copied_or_linked_keeps_its_results(two, tmp_path):
    one, _ = two
    run(job(one, tmp_path))
    (tmp_path / "link").symlink_to(one)
    assert run(job(tmp_path / "link", tmp_path)).kept == 3
    shutil.copytree(one, tmp_path / "copy")
    assert run(job(tmp_path / "copy", tmp_path)).kept == 3
    shutil.rmtree(one)
    assert run(job(tmp_path / "copy", tmp_path, plan=OTHER_PLAN)).done == 3
    # From then on the new place counts: a file that is edited there is done again.
    write(tmp_path / "copy" / "x.wav", 99)
    os.utime(tmp_path / "copy" / "x.wav", (2, 2))
    assert run(job(tmp_path / "copy", tmp_path, plan=OTHER_PLAN)).done == 1
    assert results(tmp_path)["x.npy"] == bytes_of(tmp_path / "copy" / "x.wav", OTHER_PLAN)


def test_an_edited_file_is_done_again_even_after_an_error(two, tmp_path):
    one, _ = two
    run(job(one, tmp_path))
    good = (one / "x.wav").read_bytes()
    (one / "x.wav").write_bytes(b"nonsense")
    for _ in range(2):
        summary = run(job(one, tmp_path))
        assert (summary.kept, summary.failed) == (2, 1)
    record = read_manifest(tmp_path / "out" / "manifest.jsonl")["x.wav"]
    assert (record.output, record.claims) == (None, "x.npy")
    write(one / "x.wav", 5)
    assert run(job(one, tmp_path)).done == 1
    assert results(tmp_path)["x.npy"] == bytes_of(one / "x.wav")
    # The result that an edited file left is not that of another corpus.
    (one / "x.wav").write_bytes(b"nonsense")
    run(job(one, tmp_path))
    before = results(tmp_path)
    assert run(job(two[1], tmp_path)).failed == 2
    assert {name: data for name, data in results(tmp_path).items() if name != "q.npy"} == before
    (one / "x.wav").write_bytes(good)
    assert run(job(one, tmp_path)).done == 1


def test_audio_that_is_gone_or_renamed_has_no_good_line_but_keeps_its_name(two, tmp_path):
    one, other = two
    run(job(one, tmp_path))
    (one / "x.wav").rename(tmp_path / "x.wav")
    run(job(one, tmp_path))
    good = [line["file"] for line in lines(tmp_path) if line["error"] is None]
    assert good == ["deep/y.wav", "p.wav"]
    assert "the audio is gone" in read_manifest(tmp_path / "out" / "manifest.jsonl")["x.wav"].error
    assert run(job(other / "x.wav", tmp_path)).failed == 1
    (tmp_path / "x.wav").rename(one / "x.wav")
    assert run(job(one, tmp_path)).done == 1
    # A file of the same stem moves both results; the old one has no good line beside the new one.
    write(one / "x.flac", 3)
    assert run(job(one, tmp_path)).done == 2
    good = sorted(line["output"] for line in lines(tmp_path) if line["error"] is None)
    assert good == ["deep/y.npy", "p.npy", "x.flac.npy", "x.wav.npy"]
    (one / "x.flac").unlink()
    assert run(job(one, tmp_path)).done == 1
    assert results(tmp_path)["x.npy"] == bytes_of(one / "x.wav")


def test_a_run_that_stopped_before_its_records_goes_on_with_other_parameters(two, tmp_path):
    """The results are there, but not their lines; the lines before the first result say whose they are."""
    one, other = two

    class StopError(Exception):
        pass

    class Stopping:
        def map(self, work, tasks):
            for task in [*tasks]:
                work(task)
            raise StopError
            yield

    with pytest.raises(StopError):
        run(job(one, tmp_path), executor=Stopping())
    assert len(results(tmp_path)) == 3
    manifest = tmp_path / "out" / "manifest.jsonl"
    manifest.write_text(manifest.read_text() + '{"file": "x.wav", "outp')
    before = results(tmp_path)
    assert run(job(other, tmp_path)).failed == 2
    assert {name: data for name, data in results(tmp_path).items() if name != "q.npy"} == before
    assert run(job(one, tmp_path, plan=OTHER_PLAN)).done == 3
    assert results(tmp_path)["x.npy"] == bytes_of(one / "x.wav", OTHER_PLAN)


def test_without_a_manifest_nothing_is_replaced(two, tmp_path):
    one, other = two
    run(job(one, tmp_path))
    before = results(tmp_path)
    (tmp_path / "out" / "manifest.jsonl").unlink()
    for source in (one, other):
        with pytest.raises(ParameterError, match=r"\.npy': it exists already.*or its manifest is gone"):
            run(job(source, tmp_path))
    # A run without such names writes a new manifest; it does not make the old results its own.
    assert run(job(other / "q.wav", tmp_path)).done == 1
    summary = run(job(other, tmp_path))
    assert (summary.done, summary.kept, summary.failed) == (0, 1, 2)
    assert (
        "does not say whose result it is" in read_manifest(tmp_path / "out" / "manifest.jsonl")["x.wav"].error
    )
    assert {name: data for name, data in results(tmp_path).items() if name != "q.npy"} == before
    assert run(job(one, tmp_path), overwrite=True).done == 3
    assert results(tmp_path) == {**before, "q.npy": bytes_of(other / "q.wav")}


def test_a_manifest_of_an_earlier_version_is_known_by_the_content(two, tmp_path):
    one, other = two
    run(job(one, tmp_path))
    manifest = tmp_path / "out" / "manifest.jsonl"
    good, before = manifest.read_text(), results(tmp_path)
    forget(tmp_path, "source", "claims")
    assert "source" not in lines(tmp_path)[0]
    summary = run(job(other / "x.wav", tmp_path))
    assert summary.failed == 1
    assert "the result of another 'x.wav', or of what it was before" in lines(tmp_path)[-1]["error"]
    assert results(tmp_path) == before
    assert run(job(one, tmp_path)).kept == 3
    assert manifest.read_text() == good
    # Its own results it renews with other parameters, too.
    forget(tmp_path, "source", "claims")
    assert run(job(one, tmp_path, plan=OTHER_PLAN)).done == 3


def test_a_pipe_of_the_name_of_audio_is_not_read(two, tmp_path):
    one, _ = two
    run(job(one, tmp_path))
    (tmp_path / "three").mkdir()
    os.mkfifo(tmp_path / "three" / "x.wav")
    assert run(job(tmp_path / "three", tmp_path)).failed == 1
    assert results(tmp_path)["x.npy"] == bytes_of(one / "x.wav")
