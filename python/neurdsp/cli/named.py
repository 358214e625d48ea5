"""Which file a name on the command line stands for, whatever family ships a model of that name."""

from pathlib import Path

from neurdsp.errors import ModelFileError

__all__ = ["find_shipped_or_file"]


def find_shipped_or_file(name_or_path: str) -> Path:
    """Return the path of a model file, or of the shipped model with this name; a file takes precedence.

    Raises
    ------
    ModelFileError
        If there is neither.

    Examples
    --------
    >>> find_shipped_or_file("ts9").name
    'ts9.safetensors'
    """
    from neurdsp.amp.lookup import find_model, shipped_amps
    from neurdsp.drumsep.lookup import find_network, shipped_networks
    from neurdsp.kick.lookup import find_generator, shipped_generators
    from neurdsp.music.lookup import networks_of

    if Path(name_or_path).exists() or name_or_path.casefold() in map(str.casefold, shipped_amps()):
        return find_model(name_or_path)
    if name_or_path in shipped_networks():
        return find_network(name_or_path)
    if name_or_path in shipped_generators():
        return find_generator(name_or_path)
    music = networks_of()
    if name_or_path in music:
        return music[name_or_path]
    names = ", ".join([*shipped_amps(), *shipped_networks(), *shipped_generators(), *music]) or "none"
    raise ModelFileError(
        f"cannot load '{name_or_path}': no such file, nor a shipped model (shipped: {names})"
    )
