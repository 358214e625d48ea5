"""Models with knobs: the network in torch, its training on captures at several settings, its export."""
