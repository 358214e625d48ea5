"""What the trainer asks of each stage of the preset ``seed``: batches, losses, validation."""
