"""`neurdsp kick serve` runs: its page in a browser, and what becomes of kicks when a worker is killed."""

import http.client
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import soundfile
from browser import WAIT_S, Caller, Service, chromium
from neurdsp.cli import app
from neurdsp.errors import ConfigError, ParameterError
from neurdsp.kick.web.databases import database_of
from typer.testing import CliRunner

pytest.importorskip("gunicorn")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("served"), "--per-minute", "0") as running:
        yield running


def test_a_killed_worker_is_replaced_and_no_kick_that_was_promised_is_lost(service):
    caller = Caller(service.url)
    caller.post("/api/kicks", {"n": 1, "seconds": 0.1})
    promised, cut_off = [], []

    def ask(seed):
        for k in range(6):
            try:
                made = caller.post("/api/kicks", {"n": 2, "seed": 100 * seed + k, "seconds": 0.1})
                promised.extend(kick["id"] for kick in made["kicks"])
            except (OSError, http.client.HTTPException):
                cut_off.append(seed)

    before = service.workers()
    assert len(before) == 2
    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    while len(promised) < 8:
        time.sleep(0.01)
    os.kill(before[0], signal.SIGKILL)
    for thread in threads:
        thread.join()
    kept, older = set(), ""
    while older is not None:
        page = json.loads(caller.get(f"/api/kicks?limit=100{older and '&before=' + older}"))
        kept |= {kick["id"] for kick in page["kicks"]}
        older = page["before"]
    assert len(promised) + 2 * len(cut_off) == 36
    assert len(cut_off) <= 5
    assert set(promised) <= kept
    deadline = time.monotonic() + WAIT_S
    while len(service.workers()) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    after = service.workers()
    assert len(after) == 2
    assert before[0] not in after
    audio, rate = soundfile.read(io.BytesIO(caller.get(f"/api/kicks/{promised[0]}/audio.wav")))
    assert len(audio) == rate // 10


def test_the_folder_holds_a_secret_that_others_cannot_read(service):
    assert (service.folder / "secret").stat().st_mode & 0o077 == 0
    assert len((service.folder / "secret").read_text()) >= 64
    assert (service.folder / "kicks.sqlite3").is_file()


@pytest.fixture(scope="module")
def downloads(tmp_path_factory):
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def page(service, downloads):
    browser = chromium(downloads=downloads)
    if browser is None:
        pytest.skip("needs chromium and chromium-driver")
    browser.get(f"{service.url}/")
    until(lambda: body(browser, "ready") == "yes")
    yield browser
    browser.quit()


def body(browser, name):
    return browser.execute_script("return document.body.dataset[arguments[0]]", name)


def find(browser, selector):
    return browser.find_elements("css selector", selector)


def until(condition):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "the page did not get there"
        time.sleep(0.05)


def press(browser, key):
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(browser).send_keys(key).perform()


def ids(browser):
    return browser.execute_script("return [...document.querySelectorAll('.tile')].map(t => t.dataset.id)")


def test_chips_say_what_words_mean_and_one_click_generates_and_plays(page):
    chip, other = find(page, ".chip")[:2]
    chip.click()
    assert find(page, "#meaning")[0].text == f"{chip.text}: {chip.get_attribute('title')}"
    for _ in range(2):
        other.click()
    assert (chip.get_attribute("aria-pressed"), other.get_attribute("aria-pressed")) == ("true", "mixed")
    find(page, "#generate")[0].click()
    until(lambda: len(ids(page)) == 8)
    until(lambda: body(page, "played") == ids(page)[0])
    assert find(page, "#title")[0].text == f"{chip.text} #1"
    assert f"not {other.text}" in find(page, "#origin")[0].text


def test_keys_play_and_mark_and_a_click_plays(page):
    press(page, "3")
    until(lambda: body(page, "played") == ids(page)[2])
    press(page, "f")
    until(lambda: find(page, "#favourite")[0].get_attribute("aria-pressed") == "true")
    find(page, ".tile")[1].click()
    until(lambda: body(page, "played") == ids(page)[1])


def test_what_is_dragged_out_is_the_wav(page, service):
    dragged = page.execute_script(
        "const data = new DataTransfer();"
        "const event = new DragEvent('dragstart', {dataTransfer: data, bubbles: true});"
        "document.querySelector('.tile').dispatchEvent(event);"
        "return data.getData('DownloadURL');"
    )
    kind, name, url = dragged.split(":", 2)
    assert (kind, name[:5], name[-4:]) == ("audio/wav", "kick_", ".wav")
    assert url.startswith(f"{service.url}/api/kicks/{ids(page)[0]}/audio.wav?")


def test_a_key_saves_a_wav(page, downloads):
    press(page, "1")
    press(page, "s")
    until(lambda: list(Path(downloads).glob("*.wav")))
    (path,) = downloads.glob("*.wav")
    info = soundfile.info(path)
    assert (info.subtype, info.samplerate, info.frames) == ("PCM_24", 44_100, 88_200)


def test_an_edit_redraws_the_kick_and_variations_come_first(page):
    before = page.execute_script("return document.querySelector('#wave').toDataURL()")
    page.execute_script(
        "const slider = document.querySelector('#decay'); slider.value = -1.5;"
        "for (const name of ['input', 'change']) slider.dispatchEvent(new Event(name, {bubbles: true}));"
    )
    until(lambda: page.execute_script("return document.querySelector('#wave').toDataURL()") != before)
    old = ids(page)
    page.execute_script("document.activeElement.blur()")
    press(page, "v")
    until(lambda: len(ids(page)) == 16)
    assert ids(page)[8:] == old
    assert "variations, 30 % away" in find(page, ".batch h3")[0].text


def test_history_and_favourites_are_there_again(page):
    kept = ids(page)
    page.refresh()
    until(lambda: body(page, "ready") == "yes")
    assert ids(page) == kept
    find(page, "#tab-favourites")[0].click()
    until(lambda: len(ids(page)) == 1)
    assert ids(page) == [kept[10]]


def test_a_phone_needs_no_sideways_scrolling_and_nothing_failed(page):
    size = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    assert page.execute_script("return document.documentElement.scrollWidth") == 360
    assert [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_a_file_that_is_no_generator_is_one_line_before_anything_is_served(tmp_path):
    model = tmp_path / "model.bin"
    model.write_bytes(b"no model at all, but long enough")
    program = [str(Path(sys.executable).with_name("neurdsp")), "kick", "serve", "--port", "0"]
    done = subprocess.run(
        [*program, "--data", str(tmp_path), "-m", str(model)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"neurdsp: {model}: ")


def test_a_port_that_is_taken_is_one_line(service):
    port = service.url.rpartition(":")[2]
    result = CliRunner().invoke(app, ["kick", "serve", "--port", port])
    assert isinstance(result.exception, ParameterError)
    assert f"cannot listen on 127.0.0.1:{port}" in str(result.exception)


def test_a_url_names_a_postgresql_database():
    made = database_of("postgresql://k%40a:p%2Fw@db.example/kicks?sslmode=require", Path())
    found = {name: made[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME", "OPTIONS")}
    assert list(found.values()) == ["k@a", "p/w", "db.example", "", "kicks", {"sslmode": "require"}]
    for wrong in ("mysql://x/y", "postgresql://db", "postgresql://db:x/y", "kicks.sqlite3"):
        with pytest.raises(ConfigError, match="postgresql://user:password@host:port/name"):
            database_of(wrong, Path())
