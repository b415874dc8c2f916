"""What all ways from a row to a pair have in common: a form is one layout, ready to read rows."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping

from annotation.imports.layout import Layout
from annotation.imports.outcomes import Found
from annotation.imports.prompts import Prompts
from annotation.imports.row_facts import RowFacts


class Form(ABC):
    """Reads the rows of one layout, which have the fields ``needs``. A row may wait for another one of its pair."""

    def __init__(self, layout: Layout, mapped: bool):
        self.layout = layout
        self.needs = layout.required_fields()
        self.prompts = Prompts(layout, mapped)
        self.facts = RowFacts(layout)

    @abstractmethod
    def read(self, number: int, row: Mapping[str, object]) -> Iterator[Found]:
        """Every candidate that is complete with this row, which has a number."""

    def interrupt(self) -> Iterator[Found]:
        """Rows that waited for the next row of the file, which is of another form."""
        yield from ()

    def finish(self) -> Iterator[Found]:
        """Rows that still wait at the end of the file."""
        yield from ()
