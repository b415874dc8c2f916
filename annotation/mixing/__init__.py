"""Datasets of comparisons in, one mixture to train on out."""

from annotation.mixing.mix import Mixed, mix
from annotation.mixing.recipe import MixRecipe, MixSource

__all__ = ["MixRecipe", "MixSource", "Mixed", "mix"]
