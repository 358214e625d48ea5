"""How well stems are separated: energy ratios, and the evaluation of model files."""
