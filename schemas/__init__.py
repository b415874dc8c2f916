"""What a row is, and what both halves of Gristmill need. Imports the standard library, pyarrow and numpy only.

The names below are imported when they are first used: the console script starts without pyarrow, and before it has
taken the current folder off the path of modules (`schemas.module_path`) this package imports nothing.
"""

TYPE_CHECKING = False  # as typing's, which takes time to import
if TYPE_CHECKING:
    from schemas.corpus import (
        DOCUMENTS,
        FAILED,
        QUARANTINE,
        RECORDS,
        REJECTS,
        SIGNALS,
        SKETCHES,
        SUPERSEDED,
        TAKEN_DOWN,
    )
    from schemas.preference import (
        ASSIGNMENTS,
        COMPARISONS,
        DEGREES,
        IMPORT_REJECTS,
        JUDGMENTS,
        PAIRS,
        REFUSED,
        UNRESOLVED,
    )
    from schemas.sequences import PackedError, PackedSequences, Part, open_packed
    from schemas.table import SchemaError, Table

__all__ = [
    "ASSIGNMENTS",
    "COMPARISONS",
    "DEGREES",
    "DOCUMENTS",
    "FAILED",
    "IMPORT_REJECTS",
    "JUDGMENTS",
    "PAIRS",
    "QUARANTINE",
    "RECORDS",
    "REFUSED",
    "REJECTS",
    "SIGNALS",
    "SKETCHES",
    "SUPERSEDED",
    "TAKEN_DOWN",
    "UNRESOLVED",
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
