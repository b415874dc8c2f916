"""Rows of an open set into pairs of answers with the better one first, or the reason why there is none."""

from collections.abc import Iterator, Mapping, Sequence

from annotation.campaign.responses import BEYOND_TEXT
from annotation.imports.consecutive import Consecutive
from annotation.imports.feedback import Labelled
from annotation.imports.forms import Form
from annotation.imports.layout import Layout
from annotation.imports.outcomes import Found, Reject
from annotation.imports.prompts import SYSTEM
from annotation.imports.ranks import Ranks
from annotation.imports.reading import Row, Unreadable, as_json
from annotation.imports.several import Several
from annotation.imports.two_answers import TwoAnswers


class Reader:
    """Reads rows by the first of the layouts whose fields they have.

    ``mapped``: the layout is the user's own, so that a system's message that it leaves out is an error. ``columns``:
    the fields of a row that are looked at; ``used``: those that become part of a comparison, or are left out on
    purpose; ``ranks``: what the scores of answers look like, where the layout does not say which are better.
    """

    def __init__(self, layouts: Sequence[Layout], mapped: bool = False):
        self.ranks = Ranks()
        self.used = frozenset().union(*(layout.columns() | set(layout.ignore) for layout in layouts))
        self.columns = self.used | BEYOND_TEXT | (SYSTEM if mapped else frozenset())
        self._forms = [_form(layout, self.ranks, mapped) for layout in layouts]

    def read(self, rows: Iterator[tuple[int, Row]]) -> Iterator[Found]:
        """Every candidate of a file, in the order of its rows; those of rows that waited for another one come late."""
        before: Form | None = None
        for number, row in rows:
            form = None if isinstance(row, Unreadable) else self._form(row)
            if before is not None and form is not before:
                yield from before.interrupt()
            before = form
            if isinstance(row, Unreadable):
                yield Found(number, 1, 1, Reject("unreadable", row.message, row.raw))
            elif form is None:
                yield Found(number, 1, 1, Reject("unreadable", self._missing_fields(row), as_json(row)))
            else:
                form.prompts.check_system(number, row)
                yield from form.read(number, row)
        for form in self._forms:
            yield from form.finish()

    def _form(self, row: Mapping[str, object]) -> Form | None:
        return next((form for form in self._forms if form.needs <= row.keys()), None)

    def _missing_fields(self, row: Mapping[str, object]) -> str:
        missing = min((sorted(form.needs - row.keys()) for form in self._forms), key=len)
        return f"a row needs {', '.join(missing)}"


def _form(layout: Layout, ranks: Ranks, mapped: bool) -> Form:
    """The form that reads a layout. ``ranks`` sees the scores where the layout does not say which are better."""
    seen = Ranks() if layout.better is not None else ranks
    if layout.way in ("chosen and rejected", "first and second"):
        return TwoAnswers(layout, seen, mapped)
    if layout.way == "consecutive":
        return Consecutive(layout, seen, mapped)
    if layout.way == "labelled":
        return Labelled(layout, mapped)
    return Several(layout, seen, mapped)
