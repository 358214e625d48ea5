"""README.md and docs/ show what really happens.

The fenced blocks of a page run in order, in a folder and a namespace of their own:

- `python` blocks run, unless the line above says `<!-- not run: why -->`;
- `console` blocks below `<!-- run -->` run line by line (`$ command`), and the lines after a command must
  occur in its output in that order, where `...` stands for anything;
- every `$ neurdsp ...` in a console block, run or not, must name a command and options that exist.
"""

import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import typer
from neurdsp.cli import app
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
#: mkdocs checks the links inside docs/.
PAGES_OUTSIDE_DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]

#: A block may be indented: it is part of a list or an admonition then.
BLOCK = re.compile(
    r"(?:^ *<!-- *(?P<mark>[^>]*?) *-->\n+)?^(?P<indent> *)```(?P<kind>\w+)\n(?P<body>.*?)^(?P=indent)```$",
    re.M | re.S,
)


def blocks(text):
    """Yield (kind, mark, body) of the fenced blocks of a page."""
    for found in BLOCK.finditer(text):
        yield found["kind"], found["mark"] or "", textwrap.dedent(found["body"])


def commands(body):
    """Yield (command, expected lines) of a console block; a backslash continues a command."""
    command, expected = None, []
    for line in body.replace("\\\n", " ").splitlines():
        if line.startswith("$ "):
            if command:
                yield command, expected
            command, expected = line[2:], []
        elif line.strip():
            expected.append(line)
    if command:
        yield command, expected


def matches(expected, output):
    """Tell whether the expected lines occur in the output in that order; runs of spaces count as one."""
    position = 0
    flat = " ".join(output.split())
    for line in expected:
        if line.strip() == "...":
            continue
        for piece in line.split("..."):
            wanted = " ".join(piece.split())
            found = flat.find(wanted, position)
            if found < 0:
                return False
            position = found + len(wanted)
    return True


def unread(text):
    """Return the fences of a page's Python code if `blocks` misses one: quoted, or under another name."""
    fences = re.findall(r"^[ >]*(?:```+|~~~+) *(?:python|py|pycon|python3)\b.*$", text, re.M)
    read = sum(kind == "python" for kind, _, _ in blocks(text))
    return fences if len(fences) != read else []


def broken_links(text, folder):
    """Return the relative links of a page to files that do not exist."""
    targets = re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", text)
    return [name for name in targets if "://" not in name and not (folder / name).exists()]


def page_id(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_python_block_is_read_and_runs_or_says_why_not(page):
    text = page.read_text()
    assert unread(text) == []
    marks = [mark for kind, mark, _ in blocks(text) if kind == "python" and mark.startswith("not run")]
    assert [mark for mark in marks if not re.match(r"not run: \w+", mark)] == []


@pytest.mark.parametrize("page", PAGES_OUTSIDE_DOCS, ids=page_id)
def test_relative_links_lead_to_files(page):
    assert broken_links(page.read_text(), page.parent) == []


def test_an_unread_block_and_a_broken_link_would_be_found():
    assert unread("> ```python\n> 1\n> ```\n") == ["> ```python"]
    assert unread("```py\n1\n```\n") == ["```py"]
    assert unread("```python\n1\n```\n") == []
    text = "[a](README.md#top) [b](docs/none.md) ![c](images/none.png) [d](https://x.example/y) [e](#here)"
    assert broken_links(text, ROOT) == ["docs/none.md", "images/none.png"]


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_python_snippets_run(page, tmp_path, monkeypatch, random_amp):
    monkeypatch.chdir(tmp_path)
    write_sample_files(tmp_path, random_amp)
    namespace = {"__name__": "snippet"}
    for number, (kind, mark, body) in enumerate(blocks(page.read_text()), 1):
        if kind == "python" and not mark.startswith("not run"):
            exec(compile(body, f"{page.name}, block {number}", "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_console_snippets_marked_to_run_print_what_they_show(page, tmp_path, random_amp):
    write_sample_files(tmp_path, random_amp)
    bin_folder = Path(sys.executable).parent
    for kind, mark, body in blocks(page.read_text()):
        if kind != "console" or mark != "run":
            continue
        for command, expected in commands(body):
            program, *arguments = shlex.split(command)
            assert program == "neurdsp", f"only the command itself is run from a page, got: {command}"
            done = subprocess.run(
                [bin_folder / program, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{command}: {done.stderr}"
            assert matches(expected, done.stdout), f"{command} printed:\n{done.stdout}\nexpected:\n{expected}"


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_documented_commands_and_options_exist(page):
    for kind, _, body in blocks(page.read_text()):
        if kind != "console":
            continue
        for command, _ in commands(body):
            words = shlex.split(command.split("|")[0])
            if words and words[0] == "neurdsp":
                assert unknown_words(words[1:]) == [], command


def unknown_words(words):
    """Return the sub-commands and options of a command line that the app does not know."""
    command, unknown = typer.main.get_command(app), []
    words = list(words)
    while hasattr(command, "commands") and words:
        word = words.pop(0)
        if word.startswith("-"):
            known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
            unknown += [word] if word not in known else []
        elif word in command.commands:
            command = command.commands[word]
        else:
            return [*unknown, word]
    known = {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    return unknown + [
        w for w in words if re.match(r"-[a-zA-Z-]", w) and w.split("=")[0] not in known | {"--help"}
    ]


def test_an_unknown_command_or_option_would_be_found():
    assert unknown_words(["amp", "rendr"]) == ["rendr"]
    assert unknown_words(["amp", "render", "in.wav", "--loud"]) == ["--loud"]
    assert unknown_words(["amp", "render", "in.wav", "-m", "x", "-o", "y"]) == []


def test_blocks_and_outputs_are_told_apart():
    text = "<!-- run -->\n```console\n$ a b\\\n c\nx ... z\n$ d\n```\n\n```python\n1\n```\n"
    (first, second) = blocks(text)
    assert first[:2] == ("console", "run")
    assert second == ("python", "", "1\n")
    assert list(blocks("1. a list:\n\n    ```python\n    if x:\n        y\n    ```\n")) == [
        ("python", "", "if x:\n    y\n")
    ]
    assert list(commands(first[2])) == [("a b  c", ["x ... z"]), ("d", [])]
    assert matches(["x ... z"], "w x  y\nz")
    assert not matches(["z ... x"], "w x  y\nz")


def leaves(command, path=()):
    if hasattr(command, "commands"):
        for name, child in command.commands.items():
            yield from leaves(child, (*path, name))
    else:
        yield path, command


def test_every_command_explains_itself():
    runner = CliRunner()
    found = list(leaves(typer.main.get_command(app)))
    assert ("amp", "render") in [path for path, _ in found]
    for path, command in found:
        result = runner.invoke(app, [*path, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
        assert result.exit_code == 0, path
        summary = " ".join((command.help or "").split()).split(". ")[0][:60]
        assert summary, f"{path} has no help"
        assert summary in " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.output).split()), path
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{' '.join(path)}: {parameter.name} has no help"


def write_sample_files(folder, random_amp):
    """Write the files that the pages name."""
    import numpy as np
    from neurdsp.audio import write_audio

    def device(dry):
        return 0.3 * np.tanh(8 * dry)

    rng = np.random.default_rng(0)
    take = (np.repeat(rng.uniform(0.05, 0.3, 40), 4_800) * rng.standard_normal(192_000)).astype(np.float32)
    write_audio(folder / "take_in.wav", take, 48_000)
    late = np.concatenate([np.zeros(300, np.float32), device(take)])
    write_audio(folder / "take_out.wav", late, 48_000)
    write_audio(folder / "model_out.wav", late + 0.003, 48_000)

    tone = (0.4 * np.sin(np.arange(24_000) * 0.02)).astype(np.float32)
    (folder / "clips").mkdir()
    for name in ("in.wav", "dry.wav", "guitar.wav", "di.wav"):
        write_audio(folder / name, tone, 48_000)
        write_audio(folder / "clips" / name, tone, 48_000)
    random_amp.write(folder / "model.safetensors")
    random_amp.write(folder / "amp.safetensors")
    write_midi_files(folder)


def write_midi_files(folder):
    """Write a beat, bars to follow and a tune."""
    import numpy as np
    from neurdsp.midi import NOTE, MidiFile, write_midi

    for name, pitches, channel in (
        ("beat.mid", [36, 42, 38, 42], 9),
        ("mybars.mid", [36, 42, 38, 46], 9),
        ("tune.mid", [60, 64, 67, 64, 65, 69, 67, 62], 0),
    ):
        notes = np.zeros(32, NOTE)
        notes["start_ticks"] = 240 * np.arange(32)
        notes["end_ticks"] = notes["start_ticks"] + 200
        notes["pitch"], notes["velocity"], notes["channel"] = np.resize(pitches, 32), 90, channel
        write_midi(folder / name, MidiFile.new().with_track(notes))
