"""Separation of drum recordings into kick, snare, toms, hi-hat and cymbals."""
