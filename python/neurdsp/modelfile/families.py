"""The families of models, one line each: where the general commands find the parts of a family.

Parts are named as text and imported when they are needed, so that this package knows no family and
`neurdsp model info` loads only the one that it meets.
"""

import importlib
from dataclasses import dataclass
from typing import Any

__all__ = ["FAMILIES", "Family", "family_of", "part"]


@dataclass(frozen=True)
class Family:
    """Where the parts of a family are, each as ``module:attribute``; an empty name means that it has none.

    Parameters
    ----------
    name
        The name of its sub-command, such as ``amp``.
    prefixes
        The first words of its architectures: ``amp`` for ``amp.wavenet``.
    command
        The Typer app of its sub-command.
    describe
        A function from a `ModelInfo` to one with the facts of the family. Without it, `neurdsp model info`
        prints what every model file has.
    verify
        A function from a path to a `VerifyResult`, for a family that the Rust engine does not run. Reading
        and writing its files then checks the container and the header, but not the model.
    checkpoint
        A function ``(checkpoint, target, *, config, dtype)`` that makes a model file of the checkpoint of
        another program, and returns a `Conversion`.
    kind
        What its models do (``stream``, ``separator``, ``generator`` or ``predictor``), for such a family; the
        engine knows the kind of the others.
    captured
        Whether a model stands for a device, and its file may say which, who captured it and at which levels:
        the options about the device of `neurdsp model convert`.

    Examples
    --------
    >>> Family("amp", prefixes=("amp", "nam"), command="neurdsp.amp.cli:app").describe
    ''
    """

    name: str
    prefixes: tuple[str, ...]
    command: str = ""
    describe: str = ""
    verify: str = ""
    checkpoint: str = ""
    kind: str = ""
    captured: bool = False


FAMILIES: list[Family] = [
    Family(
        "amp",
        ("amp", "nam"),
        command="neurdsp.amp.cli:app",
        describe="neurdsp.amp.information:describe",
        captured=True,
    ),
    Family(
        "drumsep",
        ("drumsep",),
        command="neurdsp.drumsep.cli:app",
        describe="neurdsp.drumsep.information:describe",
        checkpoint="neurdsp.drumsep.conversion:convert_model",
    ),
    Family("music", ("music",), command="neurdsp.music.cli:app"),
    Family(
        "kick",
        ("kick",),
        command="neurdsp.kick.cli:app",
        verify="neurdsp.kick.mel.export:verify_in_torch",
        kind="generator",
    ),
]
"""Every family. A new one is a folder and an entry here."""


def family_of(architecture: str) -> Family | None:
    """Return the family of an architecture, or None if no family has it.

    Parameters
    ----------
    architecture
        Family and kind, such as ``amp.wavenet``.

    Returns
    -------
    Family or None
        The first with that prefix.

    Examples
    --------
    >>> family_of("nam.lstm").name
    'amp'
    """
    prefix = architecture.partition(".")[0]
    return next((family for family in FAMILIES if prefix in family.prefixes), None)


def part(name: str) -> Any:
    """Import a part of a family.

    Parameters
    ----------
    name
        ``module:attribute``.

    Returns
    -------
    object
        The attribute.

    Examples
    --------
    >>> part("neurdsp.modelfile.families:Family") is Family
    True
    """
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)
