"""Imports of optional packages, with errors that say how to install them."""

import importlib
from types import ModuleType

from neurdsp.errors import MissingDependencyError

__all__ = ["require"]


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
