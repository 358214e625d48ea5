"""The public API is what ``public_api.txt`` says: a change is made on purpose, and gets a changelog line."""

import importlib.util
import inspect
import os
import pkgutil
import re
import sys
from pathlib import Path

import neurdsp

SNAPSHOT = Path(__file__).with_name("public_api.txt")
REGENERATE = "python tests/architecture/test_public_api.py"


def public_modules():
    """Packages and modules without an underscore in their path."""
    if importlib.util.find_spec("django"):  # the modules of the web service live in a project
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "neurdsp.kick.web.settings")
        importlib.import_module("django").setup()
    yield neurdsp
    for info in pkgutil.walk_packages(neurdsp.__path__, "neurdsp."):
        if any(part.startswith("_") for part in info.name.split(".")):
            continue
        try:
            yield importlib.import_module(info.name)
        except ImportError as error:  # torch and Django are in extras
            if "torch" not in str(error) and "django" not in str(error):
                raise


def signature(value):
    """Names, kinds and defaults; types are mypy's matter, and numpy spells its own anew each time."""
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    bare = [parameter.replace(annotation=parameter.empty) for parameter in found.parameters.values()]
    return re.sub(r" at 0x[0-9a-f]+", "", str(inspect.Signature(bare)))


def describe(module, name):
    value = getattr(module, name)
    path = f"{module.__name__}.{name}"
    if inspect.isclass(value):
        yield f"class {path}{signature(value)}"
        for member, attribute in sorted(vars(value).items()):
            if member.startswith("_"):
                continue
            if isinstance(attribute, property):
                yield f"    property {member}"
            elif isinstance(attribute, classmethod | staticmethod):
                yield f"    {type(attribute).__name__} {member}{signature(attribute.__func__)}"
            elif inspect.isfunction(attribute):
                yield f"    def {member}{signature(attribute)}"
    elif inspect.ismodule(value):
        yield f"module {path}"
    elif callable(value):
        yield f"def {path}{signature(value)}"
    else:
        yield f"value {path}"


def public_api():
    lines = []
    for module in sorted(public_modules(), key=lambda module: module.__name__):
        # A package speaks for the modules below it: only packages and top-level modules are public addresses.
        if module.__name__.count(".") > 1 or not hasattr(module, "__all__"):
            continue
        for name in sorted(module.__all__):
            lines += describe(module, name)
    return "\n".join(lines) + "\n"


def test_the_public_api_is_the_one_in_the_snapshot():
    expected, actual = SNAPSHOT.read_text().splitlines(), public_api().splitlines()
    gone, new = sorted(set(expected) - set(actual)), sorted(set(actual) - set(expected))
    assert expected == actual, (
        f"the public API changed. Gone: {gone}. New: {new}. "
        f"If that is meant, add a line to CHANGELOG.md and run: {REGENERATE}"
    )


def test_every_public_name_exists_and_is_documented():
    for module in public_modules():
        assert module.__doc__, module.__name__
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                assert inspect.getdoc(value), f"{module.__name__}.{name} has no docstring"


if __name__ == "__main__":
    sys.stdout.write(f"{SNAPSHOT.write_text(public_api())} characters written\n")
