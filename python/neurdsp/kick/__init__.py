"""Kick drums: data, training and generation.

Models are trained with torch; what plays them needs none. The commands are ``neurdsp kick``.
"""

__all__: list[str] = []
