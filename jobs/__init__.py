"""The console script and the Python API of a few names: ``curate``, ``verdicts`` and ``explain``."""

TYPE_CHECKING = False  # typing's own: nothing may be imported before the command left the current folder's modules out
if TYPE_CHECKING:
    from jobs.api import curate, explain, verdicts

__all__ = ["curate", "explain", "verdicts"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(name)
    import jobs.api

    return getattr(jobs.api, name)
