"""Options that the commands of training share."""

from pathlib import Path
from typing import Annotated

import typer

from neurdsp import _guard as guard

__all__ = ["Bank", "ModelFile", "Preset"]

Bank = Annotated[Path, typer.Argument(help="Bank of 'neurdsp drumsep prepare'."), guard.READS]
ModelFile = Annotated[Path, typer.Option("--output", "-o", help="Model file to write."), guard.MODEL]
Preset = Annotated[str, typer.Option("--preset", "-p", help="draft, or tiny to try it.")]
