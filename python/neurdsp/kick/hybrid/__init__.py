"""The `fast` preset: a network that gives kick codes in one step, and its training."""
