"""``neurdsp`` itself: its version, its help, and the help of every command."""

from collections.abc import Iterator
from importlib.metadata import version

import neurdsp
import pytest
import typer
from neurdsp.cli import app


def commands(command, path=()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every command below this one, with its path."""
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, (*path, name))


COMMANDS = dict(commands(typer.main.get_command(app)))


def test_the_version_is_that_of_the_installed_package(run):
    outcome = run("--version")
    assert (outcome.status, outcome.out, outcome.err) == (0, f"neurdsp {version('neurdsp')}\n", "")
    assert neurdsp.__version__ == version("neurdsp")


def test_alone_it_shows_its_help_with_status_2(run):
    outcome = run()
    assert outcome.status == 2
    shown = outcome.out + outcome.err
    assert "Usage" in shown
    assert all(name in shown for path in COMMANDS if len(path) == 1 for name in path)


def test_commands_are_found_at_every_level():
    assert {(), ("amp",), ("amp", "train"), ("bench", "amp"), ("demo",), ("mel",), ("model", "info")} <= set(
        COMMANDS
    )


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_and_option_says_what_it_does_in_a_sentence(run, path):
    outcome = run(*path, "--help")
    assert (outcome.status, outcome.err) == (0, "")
    assert "Usage" in outcome.out
    summary = (COMMANDS[path].help or "").strip().splitlines()[0]
    assert summary.endswith("."), summary
    undocumented = [option.name for option in COMMANDS[path].params if not getattr(option, "help", None)]
    assert undocumented == []
