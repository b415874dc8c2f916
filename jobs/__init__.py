"""The console script and the Python API: the names below are imported when they are first used."""

TYPE_CHECKING = False  # not from typing: nothing may be imported before the current folder is off the module path
if TYPE_CHECKING:
    from jobs.api import *  # noqa: F403

__all__ = [  # noqa: F405
    "RunError",
    "UserError",
    "agreement",
    "build_dataset",
    "curate",
    "explain",
    "load_dataset",
    "open_campaign",
    "open_corpus",
    "resolve",
    "verdicts",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(name)
    import jobs.api

    return getattr(jobs.api, name)
