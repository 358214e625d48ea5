"""Play a model: the chain and its effects, files, and presets of the plugin."""
