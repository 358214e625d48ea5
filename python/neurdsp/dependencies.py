"""Imports of optional packages, with errors that say how to install them."""

import importlib
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from neurdsp.errors import MissingDependencyError

__all__ = ["lazy_names", "require"]


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import an optional module.

    Parameters
    ----------
    module
        The module, such as ``torch``.
    extra
        The extra of neurdsp that installs it.
    purpose
        What needs it: the subject of the error message.

    Returns
    -------
    ModuleType
        The module.

    Raises
    ------
    MissingDependencyError
        If it is not installed; the message gives the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingDependencyError(
            f"{purpose} needs {module}, which is not installed: pip install 'neurdsp[{extra}]'"
        ) from None


def lazy_names(
    package: str, homes: Mapping[str, str], *, needs: str, extra: str, purpose: str
) -> Callable[[str], Any]:
    """Return a ``__getattr__`` for a package that imports names from its modules on first use.

    Parameters
    ----------
    package
        Name of the package.
    homes
        The module of each name, relative to the package.
    needs, extra, purpose
        The optional module that all of them import, as for `require`.

    Returns
    -------
    callable
        Returns the object with a name. It raises AttributeError for an unknown name, and
        MissingDependencyError if the optional module is not installed.
    """

    def load(name: str) -> Any:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        require(needs, extra=extra, purpose=purpose)
        return getattr(importlib.import_module(f"{package}.{home}"), name)

    return load
