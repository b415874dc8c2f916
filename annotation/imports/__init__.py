"""Open preference sets in, one dataset of comparisons out."""

from annotation.imports.build import Built, import_set
from annotation.imports.layout import Layout
from annotation.imports.ledger import Ledger
from annotation.imports.sets import SETS, OpenSet

__all__ = ["SETS", "Built", "Layout", "Ledger", "OpenSet", "import_set"]
