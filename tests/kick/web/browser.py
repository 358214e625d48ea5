"""The service in processes of its own, and a browser without a screen."""

import http.cookiejar
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
WAIT_S = 60


class Service:
    """`neurdsp kick serve` on a free port, with the stand-in, or with a model file or the name of one."""

    def __init__(self, folder, *options, model=None, settings=None):
        environment = os.environ | {
            "PYTHONPATH": str(HERE),
            "NEURDSP_KICK_SETTINGS": json.dumps(
                {"GENERATOR": "double.Double"} if model is None else settings or {}
            ),
        }
        for name in ("NEURDSP_KICK_SECRET", "NEURDSP_KICK_DATA", "NEURDSP_KICK_HOSTS"):
            environment.pop(name, None)
        folder.mkdir(parents=True, exist_ok=True)
        if model is None:
            model = folder / "model.bin"
            model.touch()
        program = [str(Path(sys.executable).with_name("neurdsp")), "kick", "serve", "--port", "0", "--json"]
        self.folder = folder
        self.process = subprocess.Popen(
            [*program, "--data", str(folder), "-m", str(model), *options],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.url = json.loads(self.process.stdout.readline())["url"].rstrip("/")

    def workers(self):
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.stdout.close()


class Caller:
    """A visitor with cookies, over the network."""

    def __init__(self, url):
        self.url, jar = url, http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        page = self.get("/").decode()
        self._token = re.search(r'csrf-token" content="(\w+)"', page)[1]

    def get(self, path):
        return self._opener.open(self.url + path, timeout=WAIT_S).read()

    def post(self, path, body):
        headers = {"Content-Type": "application/json", "X-CSRFToken": self._token}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        return json.loads(self._opener.open(request, timeout=WAIT_S).read())


def chromium(width=1400, height=1000, *, downloads=None):
    """Start Chromium, or return None where it is not installed."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not program or not driver:
        return None
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service as Driver

    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.add_argument("--autoplay-policy=user-gesture-required")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    if downloads:
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    browser = webdriver.Chrome(options=options, service=Driver(driver))
    browser.set_window_size(width, height)
    return browser
