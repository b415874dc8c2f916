"""What a row is: versioned Arrow tables, their checks and readers for trainers. Imports pyarrow and numpy only."""

from schemas.corpus import DOCUMENTS, FAILED, QUARANTINE, RECORDS, REJECTS, SIGNALS, SKETCHES, SUPERSEDED, TAKEN_DOWN
from schemas.preference import ASSIGNMENTS, COMPARISONS, DEGREES, IMPORT_REJECTS, JUDGMENTS, PAIRS, REFUSED, UNRESOLVED
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
