"""Warnings that point at the line of the caller, outside the package."""

import sys
import warnings
from types import FrameType

from neurdsp.errors import NeurdspWarning

__all__ = ["warn"]


def warn(message: str) -> None:
    """Emit a `NeurdspWarning` for the innermost line of the stack that is outside this package."""
    level = 0
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "neurdsp":
        level, frame = level + 1, frame.f_back
    warnings.warn(message, NeurdspWarning, stacklevel=level + 1)
