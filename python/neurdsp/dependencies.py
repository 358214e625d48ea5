"""Imports of optional packages, with an error that says how to install them."""

import importlib
from types import ModuleType

from neurdsp.errors import MissingDependencyError

__all__ = ["require"]


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import an optional module.

    Parameters
    ----------
    module
        The module, ``torch`` say.
    extra
        The extra of neurdsp that brings it.
    purpose
        What it is needed for, the subject of the error's sentence.

    Raises
    ------
    MissingDependencyError
        When it is not installed, with the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingDependencyError(
            f"{purpose} needs {module}, which is not installed: pip install 'neurdsp[{extra}]'"
        ) from None
