"""Typed, frozen configurations: read from YAML, overridden by ``a.b=c``, with errors of one line.

The ``config.py`` of each model family builds on `Config`, so that all convert, reject and print values alike.
A configuration is data: the YAML has no class paths and no interpolation.
"""

import difflib
import os
from collections.abc import Hashable, Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

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
"""A larger file is a mistake (an audio file, for instance) or an attack."""


class Config(BaseModel):
    """Base of every configuration: immutable, finite numbers only, unknown keys rejected.

    Values are converted to the type of their field, because YAML 1.1 reads ``1e-4`` as a string.

    Examples
    --------
    >>> class Optimiser(Config):
    ...     learning_rate: float = 1e-3
    >>> build(Optimiser, {"learning_rate": "1e-4"}).learning_rate
    0.0001
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)


def build(config_type: type[ConfigT], tree: Mapping[str, Any], *, source: str = "configuration") -> ConfigT:
    """Build a configuration from plain data.

    Parameters
    ----------
    config_type
        The class to build.
    tree
        Nested mappings as read from YAML.
    source
        Origin of the data (a file, a preset), named in the error.

    Returns
    -------
    Config
        An instance of ``config_type``.

    Raises
    ------
    ConfigError
        In one line: the source, the first wrong key with its value, and what is allowed.
    """
    try:
        return config_type.model_validate(dict(tree))
    except ValidationError as error:
        details = error.errors(include_url=False)
        more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
        # A misspelt required key also counts as missing: report the misspelling.
        unknown = [detail for detail in details if detail["type"] == "extra_forbidden"]
        raise ConfigError(f"{source}: {_explain(config_type, [*unknown, *details][0])}{more}") from None


def _explain(config_type: type[BaseModel], detail: ErrorDetails) -> str:
    """Describe a validation error, with the nearest known key if the key is unknown."""
    path, owners, members = _locate(config_type, [str(part) for part in detail["loc"]])
    key = ".".join(path) or "top level"
    if detail["type"] == "extra_forbidden":
        known = {name for owner in owners for name in owner.model_fields}
        return f"unknown key '{key}'{did_you_mean(path[-1], known)}"
    if detail["type"] == "missing":
        return f"the key '{key}' is missing"
    if detail["type"] in ("union_tag_not_found", "union_tag_invalid"):
        tag_key = detail["ctx"]["discriminator"].strip("'")
        tags = {tag for member in members for tag in _literals(member.model_fields[tag_key].annotation)}
        if detail["type"] == "union_tag_not_found":
            return f"the key '{key}.{tag_key}' is missing{did_you_mean('', tags)}"
        tag = detail["ctx"]["tag"]
        return f"'{key}.{tag_key}' = {_shorten(tag)} is not known{did_you_mean(tag, tags)}"
    message = detail["msg"].removeprefix("Value error, ")
    if isinstance(detail["input"], Mapping):
        return f"'{key}': {message[0].lower()}{message[1:]}"
    return f"'{key}' = {_shorten(detail['input'])}: {message[0].lower()}{message[1:]}"


def _locate(
    config_type: type[BaseModel], location: Sequence[str]
) -> tuple[list[str], list[type[BaseModel]], list[type[BaseModel]]]:
    """Follow the location of a validation error.

    Returns
    -------
    path : list of str
        The keys as a user writes them: pydantic also puts the member of a union into a location.
    owners, members : list of type
        The configurations in which the last key is, and those that its value can be.
    """
    path: list[str] = []
    owners: list[type[BaseModel]] = []
    members = [config_type]
    for part in location:
        chosen = [one for one in members if part in _names_in_union(one)]
        if len(members) > 1 and chosen and not any(part in one.model_fields for one in members):
            members = chosen
            continue
        path.append(part)
        if not part.isdecimal():  # the entries of a list have the type of the list
            owners = members
            fields = [one.model_fields[part] for one in owners if part in one.model_fields]
            members = [member for field in fields for member in _configs_in(field.annotation)]
    return path, owners, members


def _configs_in(annotation: Any) -> list[type[BaseModel]]:
    """List the configurations in a type: the type itself, or those in a union or a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [config for part in get_args(annotation) for config in _configs_in(part)]


def _literals(annotation: Any) -> list[str]:
    return [str(value) for value in get_args(annotation)] if get_origin(annotation) is Literal else []


def _names_in_union(config_type: type[BaseModel]) -> set[str]:
    """Return what pydantic may call a member of a union: its class, or the value of its discriminator."""
    fields = config_type.model_fields.values()
    return {config_type.__name__, *(value for field in fields for value in _literals(field.annotation))}


def _shorten(value: object, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the nearest known name, or else all known names, as an ending for an error message.

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
    """The safe loader, except that it rejects a repeated key instead of keeping the last one."""

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

    def construct_tuple(self, node: yaml.SequenceNode) -> tuple[Any, ...]:
        return tuple(self.construct_sequence(node))


# Public configurations of other programs write tuples with this tag. It stands for plain data.
_Loader.add_constructor("tag:yaml.org,2002:python/tuple", _Loader.construct_tuple)


def parse_yaml(text: str, *, source: str = "configuration") -> dict[str, Any]:
    """Parse YAML text whose top level is a mapping.

    Raises
    ------
    ConfigError
        If the text is not valid; the message names the source and, if known, the line.
    """
    try:
        tree = yaml.load(text, Loader=_Loader)
    except RecursionError:
        raise ConfigError(f"{source}: nested too deeply; a configuration has a few levels") from None
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f", line {error.problem_mark.line + 1}"
        raise ConfigError(f"{source}{line}: not valid YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: not valid YAML: {str(error).splitlines()[0]}") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{source}: a configuration must be a mapping (key: value), not {_shorten(tree)}")
    return {str(key): value for key, value in tree.items()}


def load_yaml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a YAML file whose top level is a mapping.

    Raises
    ------
    ConfigError
        If the file is missing, too large, not UTF-8, or no such YAML.
    """
    file = Path(path)
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{file}: cannot read the configuration: {error.strerror}") from None
    if len(raw) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{file}: larger than {MAX_CONFIG_BYTES} bytes, so it is not a configuration")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: not UTF-8 text, so it is not a configuration") from None
    return parse_yaml(text, source=str(file))


def apply_overrides(tree: Mapping[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """Return a copy of the data with ``a.b=c`` overrides applied; values are read as YAML.

    Examples
    --------
    >>> apply_overrides({"model": {"channels": 16}}, ["model.channels=32"])
    {'model': {'channels': 32}}

    Raises
    ------
    ConfigError
        If an override is not ``key=value``, or names a key below a plain value.
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
            raise ConfigError(
                f"--set {override}: the value is not valid YAML; quote it if it is text"
            ) from None
        node = result
        for depth, part in enumerate(parts[:-1]):
            child = node.get(part)
            if child is not None and not isinstance(child, Mapping):
                owner = ".".join(parts[: depth + 1])
                raise ConfigError(f"--set {override}: '{owner}' is a plain value, with no keys below it")
            node[part] = {**(child or {})}
            node = node[part]
        node[parts[-1]] = value
    return result


def preset_names(package: str) -> list[str]:
    """List the presets of a model family: the YAML files in the folder ``presets`` of its package."""
    folder = resources.files(package) / "presets"
    return sorted(
        entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")
    )


def load_preset(package: str, name: str, *, aliases: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Read a preset of a model family by its name or alias.

    Parameters
    ----------
    package
        The family's package, such as ``neurdsp.amp``.
    name
        A preset or an alias.
    aliases
        Presets by alias.

    Returns
    -------
    dict
        The preset as plain data.

    Raises
    ------
    ConfigError
        If the name is unknown; the message gives the nearest known one.
    """
    names = preset_names(package)
    resolved = (aliases or {}).get(name, name)
    if resolved not in names:
        raise ConfigError(f"unknown preset '{name}'{did_you_mean(name, [*names, *(aliases or {})])}")
    text = (resources.files(package) / "presets" / f"{resolved}.yaml").read_text(encoding="utf-8")
    return parse_yaml(text, source=f"preset {resolved}")


def dump_yaml(config: Config) -> str:
    """Return the configuration as YAML text, defaults included, in the order of the fields."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)


def save_yaml(config: Config, path: str | os.PathLike[str]) -> None:
    """Write the text of `dump_yaml` to a temporary file, and rename it to ``path``.

    Raises
    ------
    OSError
        If the folder is absent or the disk is full. An existing file is then unchanged.
    """
    with atomic_output(path) as temporary:
        temporary.write_text(dump_yaml(config), encoding="utf-8")
