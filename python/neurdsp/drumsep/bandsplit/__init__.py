"""A causal band-split network: the drum separator that ships, small enough to run live."""
