"""Neural audio: fast mel features, amp models from training to plugin, one Rust engine."""

from neurdsp._core import __version__

__all__ = ["__version__"]
