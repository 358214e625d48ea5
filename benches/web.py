"""How many requests the kick service answers in a second, and whether it loses any.

    python benches/web.py [--visitors N] [--seconds S] [--workers N] [--kill]

Starts ``neurdsp kick serve`` on a free port of the loopback. Each visitor has a connection and asks in turn
for kicks, for their audio and for the list. At the end every kick that was promised must be listed. With
``--kill`` one worker is killed half way; requests that it cut off are counted, and asked again.
"""

import argparse
import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

import numpy as np


class Visitor(threading.Thread):
    """Asks for kicks, hears one of them, and lists, until it is told to stop."""

    def __init__(self, port: int, number: int, stop: threading.Event) -> None:
        super().__init__()
        self.port, self.stop, self.draw = port, stop, random.Random(number)
        self.times: dict[str, list[float]] = defaultdict(list)
        self.promised: list[str] = []
        self.statuses: dict[int, int] = defaultdict(int)
        self.cut_off = 0
        self.cookies: dict[str, str] = {}
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        _, page = self.ask("GET", "/", kind="page")
        self.token = re.search(rb'csrf-token" content="(\w+)"', page)[1].decode()

    def ask(self, method: str, path: str, body: object = None, *, kind: str) -> tuple[int, bytes]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers |= {"Content-Type": "application/json", "X-CSRFToken": self.token}
        while True:
            start = time.perf_counter()
            try:
                data = None if body is None else json.dumps(body)
                self.connection.request(method, path, data, headers)
                answer = self.connection.getresponse()
                content = answer.read()
                break
            except (OSError, http.client.HTTPException):
                self.cut_off += 1
                self.connection.close()
        self.times[kind].append(time.perf_counter() - start)
        self.statuses[answer.status] += 1
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, content

    def run(self) -> None:
        while not self.stop.is_set():
            wish = {"n": 4, "seed": self.draw.randrange(2**31), "seconds": 1.0}
            status, content = self.ask("POST", "/api/kicks", wish, kind="generate 4")
            if status == 201:
                made = [kick["id"] for kick in json.loads(content)["kicks"]]
                self.promised += made
                self.ask("GET", f"/api/kicks/{self.draw.choice(made)}/audio.wav", kind="audio, 1 s")
            self.ask("GET", "/api/kicks?limit=16", kind="list 16")

    def listed(self) -> set[str]:
        found, before = set(), ""
        while before is not None:
            _, content = self.ask(
                "GET", f"/api/kicks?limit=100{before and '&before=' + before}", kind="check"
            )
            page = json.loads(content)
            found |= {kick["id"] for kick in page["kicks"]}
            before = page["before"]
        return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--visitors", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--model", default="default")
    parser.add_argument("--kill", action="store_true", help="kill a worker half way")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        program = [str(Path(sys.executable).with_name("neurdsp")), "kick", "serve", "--port", "0", "--json"]
        program += ["--data", folder, "-m", options.model, "--workers", str(options.workers)]
        limits = os.environ | {"NEURDSP_KICK_SETTINGS": json.dumps(settings())}
        service = subprocess.Popen(
            [*program, "--per-minute", "0"], stdout=subprocess.PIPE, text=True, env=limits
        )
        try:
            port = int(json.loads(service.stdout.readline())["url"].rstrip("/").rpartition(":")[2])
            return report(service.pid, port, options)
        finally:
            service.terminate()
            service.wait(30)


def settings() -> dict[str, object]:
    given = json.loads(os.environ.get("NEURDSP_KICK_SETTINGS", "{}"))
    return {**given, "KEPT_PER_OWNER": 1_000_000, "KEPT": 10_000_000, "WAIT_S": 30}


def report(pid: int, port: int, options: argparse.Namespace) -> int:
    stop = threading.Event()
    visitors = [Visitor(port, number, stop) for number in range(options.visitors)]
    for visitor in visitors:
        visitor.times.clear()
    start = time.perf_counter()
    for visitor in visitors:
        visitor.start()
    time.sleep(options.seconds / 2)
    if options.kill:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)
    time.sleep(options.seconds / 2)
    stop.set()
    for visitor in visitors:
        visitor.join()
    elapsed_s = time.perf_counter() - start
    times: dict[str, list[float]] = defaultdict(list)
    for visitor in visitors:
        for kind, found in visitor.times.items():
            times[kind] += found
    print(f"{options.visitors} visitors, {options.workers} workers, {elapsed_s:.1f} s")
    print(f"{'request':<14}{'a second':>10}{'median ms':>12}{'p99 ms':>10}")
    for kind, found in [*times.items(), ("all", [t for each in times.values() for t in each])]:
        middle, worst = 1000 * np.percentile(found, [50, 99])
        print(f"{kind:<14}{len(found) / elapsed_s:>10.1f}{middle:>12.1f}{worst:>10.1f}")
    statuses: dict[int, int] = defaultdict(int)
    for visitor in visitors:
        for status, count in visitor.statuses.items():
            statuses[status] += count
    promised = sum(len(visitor.promised) for visitor in visitors)
    lost = sum(len(set(visitor.promised) - visitor.listed()) for visitor in visitors)
    print(f"answers by status: {dict(sorted(statuses.items()))}; cut off: {sum(v.cut_off for v in visitors)}")
    print(f"{promised} kicks promised, {lost} lost")
    return 1 if lost or any(status >= 500 for status in statuses) else 0


if __name__ == "__main__":
    sys.exit(main())
