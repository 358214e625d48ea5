"""Kick drums: data, training and generation.

Models are trained with torch; what plays them needs none. The commands are ``neurdsp kick``.
"""

from neurdsp.kick.code import KickCode
from neurdsp.kick.infer import KickGenerator
from neurdsp.kick.kick import Kick
from neurdsp.kick.lookup import shipped_generators

__all__ = ["Kick", "KickCode", "KickGenerator", "shipped_generators"]
