"""Typed, frozen configurations: read from YAML, overridden by ``a.b=c``, refused in one line.

Every family's ``config.py`` builds on :class:`Config`, so that all of them coerce, refuse and print alike.
There are no class paths in the YAML and no interpolation: a configuration is data.
"""

import difflib
import os
from collections.abc import Hashable, Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from neurdsp._output import atomic_output
from neurdsp.errors import ConfigError

__all__ = [
    "Config",
    "apply_overrides",
    "build",
    "did_you_mean",
    "dump_yaml",
    "load_preset",
    "load_yaml",
    "parse_yaml",
    "preset_names",
    "save_yaml",
]

ConfigT = TypeVar("ConfigT", bound="Config")

MAX_CONFIG_BYTES = 1 << 20
"""A configuration beyond this size is a mistake (an audio file, say) or an attack."""


class Config(BaseModel):
    """Base of every configuration: frozen, finite, and strict about its keys.

    Values are coerced by the type of their field, because YAML 1.1 reads ``1e-4`` as a string.

    Examples
    --------
    >>> class Optimiser(Config):
    ...     learning_rate: float = 1e-3
    >>> build(Optimiser, {"learning_rate": "1e-4"}).learning_rate
    0.0001
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)


def build(config_type: type[ConfigT], tree: Mapping[str, Any], *, source: str = "configuration") -> ConfigT:
    """Validate plain data as a configuration.

    Parameters
    ----------
    config_type
        The class to build.
    tree
        Nested mappings as YAML gives them.
    source
        Where the data come from (a file, a preset), named in the error.

    Raises
    ------
    ConfigError
        In one line: the source, the first wrong key with its value, and what is allowed there.
    """
    try:
        return config_type.model_validate(dict(tree))
    except ValidationError as error:
        details = error.errors(include_url=False)
        more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
        # A misspelt key is often a missing one as well: say the former.
        unknown = [detail for detail in details if detail["type"] == "extra_forbidden"]
        raise ConfigError(f"{source}: {_explain(config_type, [*unknown, *details][0])}{more}") from None


def _explain(config_type: type[BaseModel], detail: ErrorDetails) -> str:
    """One validation error in words, with the nearest known key when the key is unknown."""
    path = [str(part) for part in detail["loc"]]
    key = ".".join(path) or "top level"
    if detail["type"] == "extra_forbidden":
        known = list(_fields_at(config_type, path[:-1]))
        return f"unknown key '{key}'{did_you_mean(path[-1], known)}"
    if detail["type"] == "missing":
        return f"the key '{key}' is missing"
    message = detail["msg"].removeprefix("Value error, ")
    if isinstance(detail["input"], Mapping):
        return f"'{key}': {message[0].lower()}{message[1:]}"
    return f"'{key}' = {_shorten(detail['input'])}: {message[0].lower()}{message[1:]}"


def _fields_at(config_type: type[BaseModel], path: Sequence[str]) -> Iterable[str]:
    """List the keys that are known at a path of nested configurations."""
    current: type[BaseModel] = config_type
    for part in path:
        if part.isdecimal():  # an entry of a list, whose type is that of the list
            continue
        field = current.model_fields.get(part)
        nested = [
            candidate
            for candidate in (field.annotation, *getattr(field.annotation, "__args__", ()))
            if isinstance(candidate, type) and issubclass(candidate, BaseModel)
        ] if field is not None else []  # fmt: skip
        if not nested:
            return []
        current = nested[0]
    return current.model_fields


def _shorten(value: object, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Say which known name is nearest, else list all of them, ready to be appended to an error.

    Examples
    --------
    >>> did_you_mean("seed-16x", ["seed-16x6", "seed-18x9"])
    "; did you mean 'seed-16x6'?"
    """
    names = sorted(known)
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if nearest:
        return f"; did you mean '{nearest[0]}'?"
    return f"; known are: {', '.join(names)}" if names else "; nothing can be set below it"


class _Loader(yaml.SafeLoader):
    """The safe loader, which moreover refuses a key that is given twice instead of keeping the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode):
                if key_node.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key '{key_node.value}' is given twice", key_node.start_mark
                    )
                seen.add(key_node.value)
        return super().construct_mapping(node, deep=deep)


def parse_yaml(text: str, *, source: str = "configuration") -> dict[str, Any]:
    """Parse YAML text whose top level is a mapping.

    Raises
    ------
    ConfigError
        Naming the source and, where known, the line.
    """
    try:
        tree = yaml.load(text, Loader=_Loader)
    except RecursionError:
        raise ConfigError(f"{source}: the nesting is too deep; a configuration has a few levels") from None
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f", line {error.problem_mark.line + 1}"
        raise ConfigError(f"{source}{line}: not valid YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: not valid YAML: {str(error).splitlines()[0]}") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{source}: a configuration is a mapping (key: value), this is {_shorten(tree)}")
    return {str(key): value for key, value in tree.items()}


def load_yaml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a YAML file whose top level is a mapping.

    Raises
    ------
    ConfigError
        When the file is missing, too large, not UTF-8, or not such YAML.
    """
    file = Path(path)
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{file}: cannot read the configuration: {error.strerror}") from None
    if len(raw) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{file}: larger than {MAX_CONFIG_BYTES} bytes, so not a configuration")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: not UTF-8 text, so not a configuration") from None
    return parse_yaml(text, source=str(file))


def apply_overrides(tree: Mapping[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """Return the data with ``a.b=c`` overrides applied; the values are read as YAML.

    Examples
    --------
    >>> apply_overrides({"model": {"channels": 16}}, ["model.channels=32"])
    {'model': {'channels': 32}}

    Raises
    ------
    ConfigError
        When an override is not ``key=value`` or goes below a value that has no keys.
    """
    result: dict[str, Any] = {**tree}
    for override in overrides:
        path, equals, text = override.partition("=")
        parts = path.strip().split(".")
        if not equals or not all(parts):
            raise ConfigError(f"--set {override}: write it as key=value, for example training.batch_size=4")
        try:
            value = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError):
            raise ConfigError(f"--set {override}: the value cannot be read; quote it if it is text") from None
        node = result
        for depth, part in enumerate(parts[:-1]):
            child = node.get(part)
            if child is not None and not isinstance(child, Mapping):
                owner = ".".join(parts[: depth + 1])
                raise ConfigError(f"--set {override}: '{owner}' is a value and has no keys below it")
            node[part] = {**(child or {})}
            node = node[part]
        node[parts[-1]] = value
    return result


def preset_names(package: str) -> list[str]:
    """List the presets of a family: the YAML files in the folder ``presets`` of its package."""
    folder = resources.files(package) / "presets"
    return sorted(
        entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")
    )


def load_preset(package: str, name: str, *, aliases: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Read a family's preset by its name or by one of its aliases.

    Parameters
    ----------
    package
        The family's package, ``neurdsp.amp`` say.
    name
        A preset or an alias.
    aliases
        Other names, each with the preset that it stands for.

    Raises
    ------
    ConfigError
        For an unknown name, with the nearest known one.
    """
    names = preset_names(package)
    resolved = (aliases or {}).get(name, name)
    if resolved not in names:
        raise ConfigError(f"unknown preset '{name}'{did_you_mean(name, [*names, *(aliases or {})])}")
    text = (resources.files(package) / "presets" / f"{resolved}.yaml").read_text(encoding="utf-8")
    return parse_yaml(text, source=f"preset {resolved}")


def dump_yaml(config: Config) -> str:
    """Write the whole configuration as YAML text, every default included, in the order of its fields."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)


def save_yaml(config: Config, path: str | os.PathLike[str]) -> None:
    """Write :func:`dump_yaml` to a file, through a temporary file and a rename.

    Raises
    ------
    OSError
        When the folder is absent or the disk full; an old file is then left as it was.
    """
    with atomic_output(path) as temporary:
        temporary.write_text(dump_yaml(config), encoding="utf-8")
