"""The program of its own, on a JACK server without a sound card and a screen without a monitor."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = Path(os.environ.get("NEURDSP_STANDALONE", ROOT / "target/debug/neurdsp-amp"))
NEEDED = ("jackd", "jack_lsp", "jack_connect", "Xvfb")


@pytest.fixture
def session(tmp_path):
    """The environment of a JACK server and an X server of our own."""
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built; make test-python builds it where ALSA's headers are")
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    name = f"neurdsp-{os.getpid()}"
    environment = os.environ | {
        "JACK_DEFAULT_SERVER": name,
        "JACK_NO_START_SERVER": "1",
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    jack = ["jackd", "--no-realtime", "-n", name, "-d", "dummy", "-r", "48000", "-p", "512"]
    server = subprocess.Popen(jack, env=environment, **quiet)
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-nolisten", "tcp", "-screen", "0", "1200x800x24"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    environment["DISPLAY"] = ":" + screen.stdout.readline().decode().strip()
    assert wait_for(lambda: ports(environment, "system"))
    yield environment
    for process in (server, screen):
        process.terminate()
        process.wait(10)


def ports(environment, client="neurdsp") -> list[str]:
    """The ports of a client that the server knows."""
    listed = subprocess.run(["jack_lsp"], env=environment, capture_output=True, text=True, check=False)
    return [line for line in listed.stdout.splitlines() if line.startswith(f"{client}:")]


def wait_for(what, seconds=30.0):
    """Ask until the answer is true, and return it."""
    end = time.monotonic() + seconds
    while not (answer := what()) and time.monotonic() < end:
        time.sleep(0.2)
    return answer


def test_it_plays_on_jack_until_it_is_told_to_end(session):
    program = subprocess.Popen([PROGRAM, "--backend", "jack"], env=session, stderr=subprocess.DEVNULL)
    try:
        found = wait_for(lambda: len(ports(session)) >= 4 and ports(session))
        assert found, program.poll()
        assert len(found) == 4  # two in, two out
        joined = ["jack_connect", "system:capture_1", found[0]]
        subprocess.run(joined, env=session, check=True, capture_output=True)
        time.sleep(2)
        assert program.poll() is None
        assert ports(session) == found
    finally:
        program.terminate()
    program.wait(10)
    assert wait_for(lambda: not ports(session), 10)


def test_without_a_server_it_says_so_and_ends(session):
    environment = session | {"JACK_DEFAULT_SERVER": "nobody"}
    ended = subprocess.run(
        [PROGRAM, "--backend", "jack"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    assert "JACK" in ended.stderr
