"""The exceptions of neurdsp, raised by the Python code and by the Rust core alike."""

__all__ = [
    "AudioFileError",
    "ConfigError",
    "MissingDependencyError",
    "ModelFileError",
    "NeurdspError",
    "ParameterError",
    "UnsupportedModelError",
]


class NeurdspError(Exception):
    """Base of every error that neurdsp raises on purpose."""


class ParameterError(NeurdspError, ValueError):
    """An argument is outside its domain, or an array has the wrong shape, type or content."""


class ConfigError(NeurdspError, ValueError):
    """A configuration file, preset name or ``--set`` override cannot be used."""


class AudioFileError(NeurdspError, OSError):
    """An audio file cannot be read or written."""


class ModelFileError(NeurdspError):
    """A model file is missing, damaged or not a model file."""


class UnsupportedModelError(ModelFileError):
    """A model file is sound, but made for another version of neurdsp or for another program."""


class MissingDependencyError(NeurdspError, ImportError):
    """A feature needs a package of an extra that is not installed."""
