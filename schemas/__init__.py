"""What a row is: versioned Arrow tables, their checks and the manifest. Imports pyarrow only."""

from schemas.corpus import DOCUMENTS, FAILED, QUARANTINE, RECORDS, REJECTS, SIGNALS, SKETCHES
from schemas.table import SchemaError, Table

__all__ = ["DOCUMENTS", "FAILED", "QUARANTINE", "RECORDS", "REJECTS", "SIGNALS", "SKETCHES", "SchemaError", "Table"]
