"""The exceptions and the warning of neurdsp, raised by the Python code and the Rust core."""

__all__ = [
    "AudioFileError",
    "ConfigError",
    "MidiFileError",
    "MissingDependencyError",
    "ModelFileError",
    "NeurdspError",
    "NeurdspWarning",
    "ParameterError",
    "UnsupportedModelError",
]


class NeurdspError(Exception):
    """Base of all exceptions that neurdsp raises on purpose."""


class NeurdspWarning(UserWarning):
    """A result may not be what was meant: a file is cut off, a signal is too short, channels cancel."""


class ParameterError(NeurdspError, ValueError):
    """An argument is out of range, or an array has the wrong shape, type or content."""


class ConfigError(NeurdspError, ValueError):
    """A configuration file, preset name or ``--set`` override cannot be used."""


class AudioFileError(NeurdspError, OSError):
    """An audio file cannot be read or written."""


class MidiFileError(NeurdspError, OSError):
    """A MIDI file cannot be read or written."""


class ModelFileError(NeurdspError):
    """A model file is missing, damaged or not a model file."""


class UnsupportedModelError(ModelFileError):
    """A model file is valid, but for another version of neurdsp or another program."""


class MissingDependencyError(NeurdspError, ImportError):
    """A feature needs a package that is not installed; it belongs to an extra of neurdsp."""
