"""The names and files of the corpus that tests of ``gristmill look`` look at."""

from typing import Any

from curation.release.lookup import Lookup
from jobs.corpus.look_tables import Name

QUOTES = "' OR 1=1; DROP TABLE t --"
Rows = dict[Name, list[dict[str, Any]]]


def shards(lookup: Lookup, table: str) -> list[str]:
    return [lookup.folder.path(name) for name in sorted(lookup.files) if name.startswith(f"{table}/")]
