"""From the checkpoint of another program to a model file, as ``neurdsp model convert`` does it."""

import os
from pathlib import Path

from neurdsp.drumsep.config import read_mdx23c_yaml
from neurdsp.drumsep.export import convert_checkpoint
from neurdsp.errors import ConfigError
from neurdsp.modelfile.conversion import Conversion
from neurdsp.modelfile.files import DType

__all__ = ["convert_model", "find_config"]

_SUFFIXES = (".yaml", ".yml")
_MOST_FILES = 64
_ADVICE = "give the YAML file that came with the checkpoint: --config FILE"


def find_config(checkpoint: str | os.PathLike[str]) -> Path:
    """Return the YAML file that belongs to a checkpoint, from the folder that it is in.

    It has the name of the checkpoint, or is the only one there that describes an MDX23C network: the public
    ones are called ``config_mdx23c.yaml`` and the like.

    Parameters
    ----------
    checkpoint
        The checkpoint.

    Raises
    ------
    ConfigError
        If there is no such file, or more than one.
    """
    path = Path(checkpoint)
    wanted = {path.stem, path.name, f"config_{path.stem}", f"{path.stem}_config"}
    try:
        there = sorted(file for file in path.parent.iterdir() if file.suffix.lower() in _SUFFIXES)
    except OSError as error:
        raise ConfigError(f"cannot read the folder of '{path}': {error.strerror}; {_ADVICE}") from None
    named = [file for file in there if file.stem in wanted]
    fitting = named or [file for file in there[:_MOST_FILES] if _describes_a_network(file)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(f"'{file.name}'" for file in fitting[:4])
        raise ConfigError(f"'{path}' does not say which of {names} belongs to it; {_ADVICE}")
    raise ConfigError(f"no file beside '{path}' says what network it holds; {_ADVICE}")


def _describes_a_network(path: Path) -> bool:
    try:
        read_mdx23c_yaml(path)
    except (ConfigError, OSError):
        return False
    return True


def convert_model(
    checkpoint: Path, target: Path, *, config: Path | None = None, dtype: DType = "F32"
) -> Conversion:
    """Convert a public MDX23C checkpoint to a model file.

    Parameters
    ----------
    checkpoint
        See `neurdsp.drumsep.checkpoint.read_mdx23c_weights`.
    target
        The file to write.
    config
        The YAML file that came with it; by default the one that `find_config` finds.
    dtype
        The number type to store the weights in.

    Returns
    -------
    Conversion
        What was added, and the proof.

    Raises
    ------
    ConfigError, ModelFileError
        As `neurdsp.drumsep.convert_checkpoint`; nothing is written then.
    """
    found = find_config(checkpoint) if config is None else config
    proof = convert_checkpoint(checkpoint, found, target, dtype=dtype)
    added = (f"the configuration of '{found}'", f"test vectors ({proof.n_samples} samples)")
    lost = () if dtype == "F32" else (f"precision: weights are {dtype}",)
    return Conversion(checkpoint, target, lost=lost, added=added, proof=proof)
