"""Compiles the kernels before a run if the installation did not, and says that the run waits for this."""

from curation.kernels.cache import compiled
from jobs.corpus.progress import warn
from jobs.options import ProgressStyle


def compile_kernels(style: ProgressStyle) -> None:
    """Compiles the kernels in this process, unless they are compiled, so that worker processes only load them."""
    if not compiled():
        from curation.warm import warm  # imports all that judges documents

        warn("the compiled kernels are missing: compiling them takes about a minute, once", style)
        warm()
