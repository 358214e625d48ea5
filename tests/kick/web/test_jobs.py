"""A model of the preset seed is served by a queue: bounded, cancelled, taken over; no call is lost."""

import io
import json
import os
import signal
import time
from datetime import timedelta

import numpy as np
import pytest
import soundfile
from browser import Caller, Service, chromium
from test_limits import ID, error

WAIT_S = 60


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A tiny file of the preset seed, with weights that nobody trained."""
    torch = pytest.importorskip("torch")
    from neurdsp.kick.mel.config import KeywordConfig, MelDiffusionConfig
    from neurdsp.kick.mel.export import write_mel_diffusion
    from neurdsp.kick.mel.recipe import load_recipe

    tree = load_recipe("seed-tiny").model.model_dump()
    tree["keywords"] = KeywordConfig(words=("deep", "hard"), embedding_dim=8).model_dump()
    config, draw = MelDiffusionConfig(**tree), torch.Generator().manual_seed(0)
    weights = {
        name: 0.2 * torch.randn(shape, generator=draw).numpy()
        for name, shape in config.parameter_shapes.items()
    }
    weights["vae.latent_std"] = np.ones_like(weights["vae.latent_std"])
    path = tmp_path_factory.mktemp("model") / "kick.safetensors"
    write_mel_diffusion(weights, config, path)
    return path


@pytest.fixture
def jobs(configure, model, monkeypatch):
    """The queue of a service whose thread is the test."""
    from neurdsp.kick.web import jobs
    from neurdsp.kick.web.models import Job

    configure(GENERATOR="neurdsp.kick.infer.KickGenerator", MODEL=str(model))
    monkeypatch.setattr(jobs, "start", lambda: None)
    Job.objects.all().delete()
    return jobs


def ask(visitor, **wishes):
    answer = visitor.send("POST", "/api/kicks", {"keywords": ["deep"], "n": 2, "seed": 3, **wishes})
    assert answer.status_code == 202, answer.content
    assert answer["Retry-After"] == "1"
    return answer["Location"]


def state(visitor, path):
    job = visitor.get(path).json()["job"]
    return job["state"], job["done"]


def test_a_call_is_taken_worked_off_and_its_kicks_are_those_of_the_generator(visitor, jobs, model):
    from neurdsp.kick import KickGenerator

    path = ask(visitor, n=3)
    assert state(visitor, path) == ("queued", 0)
    assert [job["id"] for job in visitor.get("/api/jobs").json()["jobs"]] == [path.rpartition("/")[2]]
    assert jobs.work_one()
    assert not jobs.work_one()
    job = visitor.get(path).json()["job"]
    assert (job["state"], job["done"], [kick["number"] for kick in job["kicks"]]) == ("done", 3, [0, 1, 2])
    assert job["kicks"] == visitor.get("/api/kicks").json()["kicks"]
    assert not any(kick["editable"] for kick in job["kicks"])
    expected = KickGenerator.load(model).generate(["deep"], n=3, seed=3)[2]
    heard = visitor.get(f"/api/kicks/{job['kicks'][2]['id']}/audio.wav?bits=32")
    audio, rate = soundfile.read(io.BytesIO(heard.content), dtype="float32")
    assert (len(audio), rate, audio[-1]) == (88_200, 44_100, 0)
    assert np.abs(audio[: len(expected) - 64] - expected[:-64]).max() < 2e-3
    assert (audio[len(expected) :] == 0).all()


def test_what_audio_cannot_do_is_refused_in_a_line_and_its_length_is_set(visitor, jobs):
    for wish in ({"tune": 2}, {"decay": 0.5}):
        assert "tune and decay" in error(visitor.send("POST", "/api/kicks", wish), 400)
    assert "no attribute 'pitch'" in error(
        visitor.send("POST", "/api/kicks", {"attributes": {"pitch": 0.5}}), 400
    )
    ask(visitor, n=1, seconds=0.1)
    jobs.work_one()
    (kick,) = visitor.get("/api/kicks").json()["kicks"]
    path = f"/api/kicks/{kick['id']}"
    assert "can be varied" in error(visitor.send("POST", f"{path}/variations"), 400)
    assert "leave them out" in error(visitor.send("PATCH", path, {"tune": 1}), 400)
    changed = visitor.send("PATCH", path, {"seconds": 0.05, "favourite": True}).json()
    assert (changed["seconds"], changed["favourite"]) == (0.05, True)
    audio, rate = soundfile.read(io.BytesIO(visitor.get(f"{path}/audio.wav?rate=48000").content))
    assert (len(audio), rate, audio[-1]) == (2_400, 48_000, 0)


def test_the_queue_is_bounded_for_all_and_for_each(visitor, new_visitor, jobs, configure):
    configure(QUEUED=3, QUEUED_PER_OWNER=2)
    ask(visitor)
    path = ask(visitor)
    answer = visitor.send("POST", "/api/kicks", {"n": 1})
    assert "2 calls of yours wait" in error(answer, 429)
    assert answer["Retry-After"] == "5"
    other = ask(new := new_visitor())
    assert new.get(other).json()["job"]["ahead"] == 2
    answer = new.send("POST", "/api/kicks", {"n": 1})
    assert "too many calls wait" in error(answer, 503)
    assert answer["Retry-After"] == "5"
    assert visitor.delete(path).json()["job"]["state"] == "cancelled"
    ask(visitor)


def test_a_call_is_cancelled_by_its_owner_only_even_while_it_runs(visitor, new_visitor, jobs):
    path = ask(visitor)
    other = new_visitor()
    other.get("/")
    for answer in (other.get(path), other.delete(path), visitor.get(f"/api/jobs/{ID}")):
        assert "no such kick or call" in error(answer, 404)
    # It is cancelled while its first kick is made: the second is not, and nothing is stored.
    assert jobs.work_one(lambda: visitor.delete(path).status_code != 200)
    assert state(visitor, path) == ("cancelled", 0)
    assert visitor.get("/api/kicks").json()["kicks"] == []


def test_a_call_whose_process_fell_silent_is_made_by_another_but_not_for_ever(visitor, jobs):
    from django.utils import timezone
    from neurdsp.kick.web.models import Job

    path = ask(visitor, n=1)
    for attempt in range(1, 4):
        claimed = jobs._claim()
        assert claimed.attempts == attempt
        assert jobs._claim() is None  # it is alive
        Job.objects.update(beat=timezone.now() - timedelta(seconds=60))
    assert not jobs.work_one()
    job = visitor.get(path).json()["job"]
    assert (job["state"], job["error"]) == (
        "failed",
        "the process that made these kicks ended; generate again",
    )
    # One that is told to stop hands its call back, and that is no attempt.
    path = ask(visitor, n=1)
    assert jobs.work_one(lambda: True)
    assert state(visitor, path) == ("queued", 0)
    assert Job.objects.get(public_id=path.rpartition("/")[2]).attempts == 0
    assert jobs.work_one()
    assert state(visitor, path) == ("done", 1)


def test_a_call_that_fails_says_why(visitor, jobs, monkeypatch):
    from neurdsp.errors import ParameterError

    path = ask(visitor, n=1)

    def broken(*_):
        raise ParameterError("the model makes values that are not finite;\nexport or train it again")

    monkeypatch.setattr(jobs, "_kick", broken)
    assert jobs.work_one()
    told = visitor.get(path).json()["job"]["error"]
    assert told == "the model makes values that are not finite; export or train it again"


def test_a_call_that_waits_for_a_generator_that_is_gone_ends(visitor, jobs, configure):
    path = ask(visitor, n=1)
    configure(GENERATOR="double.Double")
    job = visitor.get(path).json()["job"]
    assert (job["state"], job["error"]) == (
        "failed",
        "the service has another generator since; generate again",
    )


def test_a_killed_worker_loses_no_call_and_the_page_shows_how_far_it_is(model, tmp_path):
    pytest.importorskip("gunicorn")
    with Service(tmp_path, "--per-minute", "0", model=model, settings={"SILENT_S": 1.5}) as service:
        caller = Caller(service.url)
        paths = [caller.post("/api/kicks", {"n": 32, "seed": seed})["job"]["id"] for seed in range(3)]
        os.kill(service.workers()[0], signal.SIGKILL)
        until = time.monotonic() + WAIT_S
        found = {}
        while time.monotonic() < until and {job["state"] for job in found.values()} != {"done"}:
            time.sleep(0.2)
            found = {path: json.loads(caller.get(f"/api/jobs/{path}"))["job"] for path in paths}
        assert {path: (job["state"], len(job["kicks"])) for path, job in found.items()} == dict.fromkeys(
            paths, ("done", 32)
        )
        seeds = [job["seed"] for job in found.values() for _ in job["kicks"]]
        assert sorted(seeds) == sorted(32 * [0, 1, 2])
        _page_works(service)


def _page_works(service):
    browser = chromium()
    if browser is None:
        return
    try:
        browser.get(f"{service.url}/")

        def script(text):
            return browser.execute_script(f"return {text}")

        def until(text):
            deadline = time.monotonic() + WAIT_S
            while not script(text):
                assert time.monotonic() < deadline, text
                time.sleep(0.02)

        until("document.body.dataset.ready === 'yes'")
        # Sliders, tune, decay and variations are of codes.
        shown = "[...document.querySelectorAll('.code, #by-value')].filter(one => one.offsetParent).length"
        assert script(shown) == 0
        script("document.querySelector('#count').value = 16")
        script(
            "window.labels = new Set(), new MutationObserver(() => labels.add(generating.textContent))"
            ".observe(generating, {childList: true, characterData: true, subtree: true})"
        )
        script("document.querySelector('#generate').click()")
        until("document.querySelectorAll('.tile').length === 16")
        until("generating.textContent === 'Generate' && cancel.hidden")
        labels = script("[...labels]")
        assert labels[-1] == "Generate"
        assert all(label.endswith(" of 16") or label == "Generate" for label in labels)
        # A call that waits when the page is loaded again is followed, and can be cancelled.
        assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    finally:
        browser.quit()
