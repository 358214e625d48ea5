"""Cue-model valence and arousal: rendered cues, their labels, training, and how a file is heard."""
