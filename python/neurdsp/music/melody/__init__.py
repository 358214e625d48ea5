"""Melodies: what comes next, from a network and from the memory of the piece."""
