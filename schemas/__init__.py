"""The tables of Gristmill, and the ground that curation and annotation share. Imports only pyarrow and numpy.

The names below are imported when they are first used, so that the console script starts without pyarrow, and imports
nothing from here before it has removed the current folder from the module path (`schemas.module_path`).
"""

TYPE_CHECKING = False  # not from typing, which takes time to import
if TYPE_CHECKING:
    from schemas.corpus import *  # noqa: F403
    from schemas.preference import *  # noqa: F403
    from schemas.sequences import *  # noqa: F403
    from schemas.table import *  # noqa: F403

__all__ = [  # noqa: F405
    "ASSIGNMENTS",
    "COMPARISONS",
    "CUTS",
    "DEGREES",
    "DOCUMENTS",
    "EVALUATION_DEGREES",
    "FACTS",
    "FAILED",
    "IMPORT_REJECTS",
    "JUDGED",
    "JUDGMENTS",
    "PAIRS",
    "QUARANTINE",
    "RATINGS",
    "RECORDS",
    "REFUSALS",
    "REFUSED",
    "REJECTS",
    "REPORTS",
    "SIGNALS",
    "SITES",
    "SKETCHES",
    "SUPERSEDED",
    "TAKEN_DOWN",
    "UNRESOLVED",
    "WORDINGS",
    "PackedError",
    "PackedSequences",
    "Part",
    "SchemaError",
    "Table",
    "open_packed",
]
_MODULES = ("corpus", "preference", "sequences", "table")


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in __all__:
        for module in _MODULES:
            found = getattr(import_module(f"schemas.{module}"), name, None)
            if found is not None:
                return found
    raise AttributeError(f"module 'schemas' has no attribute {name!r}")
