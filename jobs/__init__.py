"""The console script and the Python API of a few names: ``curate``, ``verdicts`` and ``explain``."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobs.api import curate, explain, verdicts

__all__ = ["curate", "explain", "verdicts"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(name)
    import jobs.api

    return getattr(jobs.api, name)
