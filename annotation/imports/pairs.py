"""Turns the rows of an open set into pairs with the better answer first, or into rejects."""

from collections.abc import Iterator, Mapping, Sequence

from annotation.campaign.responses import NON_TEXT_FIELDS
from annotation.imports.consecutive import Consecutive
from annotation.imports.feedback import Labelled
from annotation.imports.forms import Form
from annotation.imports.layout import Layout
from annotation.imports.outcomes import Candidate, Reject
from annotation.imports.prompts import SYSTEM
from annotation.imports.ranks import Ranks
from annotation.imports.several import Several
from annotation.imports.two_answers import TwoAnswers
from annotation.rows.reading import Row, Unreadable, as_json


class Reader:
    """Reads each row by the first layout whose fields it has.

    ``mapped``: the layout is the user's own, so that an unused system message is an error. ``columns``: all fields that
    are read; ``used``: the fields that become part of a comparison or are ignored on purpose; ``ranks``: statistics of
    the scores, for layouts that do not say which score is better.
    """

    def __init__(self, layouts: Sequence[Layout], mapped: bool = False):
        self.ranks = Ranks()
        self.used = frozenset().union(*(layout.columns() | set(layout.ignore) for layout in layouts))
        self.columns = self.used | NON_TEXT_FIELDS | (SYSTEM if mapped else frozenset())
        self._forms = [_form(layout, self.ranks, mapped) for layout in layouts]

    def read(self, rows: Iterator[tuple[int, Row]]) -> Iterator[Candidate]:
        """All candidates of a file in row order, except that a row which waits for its partner comes later."""
        before: Form | None = None
        for number, row in rows:
            form = None if isinstance(row, Unreadable) else self._form(row)
            if before is not None and form is not before:
                yield from before.interrupt()
            before = form
            if isinstance(row, Unreadable):
                yield Candidate(number, 1, 1, Reject("unreadable", row.message, row.raw))
            elif form is None:
                yield Candidate(number, 1, 1, Reject("unreadable", self._missing_fields(row), as_json(row)))
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
    """The form that reads a layout. ``ranks`` sees the scores if the layout does not say which score is better."""
    seen = Ranks() if layout.better is not None else ranks
    if layout.way in ("chosen and rejected", "first and second"):
        return TwoAnswers(layout, seen, mapped)
    if layout.way == "consecutive":
        return Consecutive(layout, seen, mapped)
    if layout.way == "labelled":
        return Labelled(layout, mapped)
    return Several(layout, seen, mapped)
