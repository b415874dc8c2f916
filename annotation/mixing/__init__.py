"""Mixes datasets of comparisons to one dataset for training."""

from annotation.mixing.mix import Mixed, mix
from annotation.mixing.recipe import MixRecipe, MixSource

__all__ = ["MixRecipe", "MixSource", "Mixed", "mix"]
