"""Drum recordings and performances, and the exact mixtures that are rendered from them."""
