"""Harmony: chords under a melody."""
