"""How good kicks are: figures of one kick, distances between sets, and the evaluation of a generator."""
