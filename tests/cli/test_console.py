"""Progress where there is no terminal: a line now and then, with the time left."""

from neurdsp import console
from neurdsp.console import Progress


def test_without_a_terminal_a_line_tells_the_time_left_if_it_is_wanted(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    for every, lines in ((None, 0), (60.0, 3)):
        now[0] = 0.0
        with Progress("separating", 2.0, line_every_s=every) as progress:
            for _ in range(20):
                now[0] += 10
                progress.advance(0.1)
        written = capsys.readouterr().err.splitlines()
        assert len(written) == lines
    assert written[0] == "neurdsp: separating: 30 %, about 2:20 left"
