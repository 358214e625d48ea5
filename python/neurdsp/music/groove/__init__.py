"""Groove: drums played with the feel of a drummer, or of a reference."""
