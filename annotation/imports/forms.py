"""The interface of all forms. A form reads the rows of one layout into candidate pairs."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping

from annotation.imports.layout import Layout
from annotation.imports.outcomes import Candidate
from annotation.imports.prompts import Prompts
from annotation.imports.row_facts import RowFacts


class Form(ABC):
    """Reads the rows of one layout, which have the fields ``needs``. It may hold a row until its partner is read."""

    def __init__(self, layout: Layout, mapped: bool):
        self.layout = layout
        self.needs = layout.required_fields()
        self.prompts = Prompts(layout, mapped)
        self.facts = RowFacts(layout)

    @abstractmethod
    def read(self, number: int, row: Mapping[str, object]) -> Iterator[Candidate]:
        """The candidates that this row completes. ``number``: the number of the row in its file."""

    def interrupt(self) -> Iterator[Candidate]:
        """The candidates of rows that waited for the next row of the file, which turned out to be of another form."""
        yield from ()

    def finish(self) -> Iterator[Candidate]:
        """The candidates of rows that still wait at the end of the file."""
        yield from ()
