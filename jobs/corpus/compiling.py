"""Makes the kernels ready for a run: compiles them if the installation did not, and says that the run waits for it."""

from curation.engine.first_use import load_only_needed
from curation.filters.function import Function
from curation.kernels.cache import compiled
from curation.recipe import Recipe
from jobs.corpus.progress import warn
from jobs.options import ProgressStyle


def prepare_kernels(recipe: Recipe, style: ProgressStyle) -> None:
    """Compiles the kernels in this process, unless they are compiled, so that worker processes only load them; loads
    the first of them, which is quicker if the recipe calls no function of the user."""
    if not compiled():
        from curation.warm import warm  # imports all that judges documents

        warn("the compiled kernels are missing: compiling them takes about a minute, once", style)
        warm()
    elif not any(isinstance(step, Function) for step in recipe.steps):
        load_only_needed()
