"""Imports open preference sets as one dataset of comparisons."""

from annotation.imports.build import ImportedSet, import_set
from annotation.imports.layout import Layout
from annotation.imports.ledger import ImportLedger
from annotation.imports.sets import SETS, OpenSet

__all__ = ["SETS", "ImportLedger", "ImportedSet", "Layout", "OpenSet", "import_set"]
