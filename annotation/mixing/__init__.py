"""Datasets of comparisons in, one mixture to train on out."""

from annotation.mixing.mix import Mixed, mix
from annotation.mixing.recipe import Recipe, Source

__all__ = ["Mixed", "Recipe", "Source", "mix"]
