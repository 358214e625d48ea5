"""The presets of kick generators: ``seed`` and its small sibling. Reading them needs no torch."""

from neurdsp.kick.mel.recipe import Recipe as SeedRecipe
from neurdsp.kick.mel.recipe import load_recipe as load_seed_recipe

__all__ = ["SeedRecipe", "load_seed_recipe"]
