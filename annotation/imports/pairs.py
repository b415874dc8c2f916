"""Rows of an open set into pairs of answers with the better one first, or the reason why there is none."""

from collections.abc import Iterator, Sequence
from typing import Any

from annotation.imports.feedback import Labelled
from annotation.imports.forms import SYSTEM, Form
from annotation.imports.layout import Layout
from annotation.imports.outcomes import Found, Reject
from annotation.imports.ranks import Ranks
from annotation.imports.reading import Row, Unreadable, as_json
from annotation.responses import BEYOND_TEXT


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
        self._forms = [Form(layout, self.ranks, mapped) for layout in layouts]

    def read(self, rows: Iterator[tuple[int, Row]]) -> Iterator[Found]:
        """Every candidate of a file, in the order of its rows."""
        before: tuple[int, dict[str, Any], Form] | None = None
        labelled = Labelled()
        for number, row in rows:
            form = None if isinstance(row, Unreadable) else self._form(row)
            if form is not None and form.systems and isinstance(row, dict):
                form.check_system(number, row)
            if before is not None:
                if isinstance(row, dict) and form is before[2] and form.same_prompt(before[1], row):
                    yield Found(before[0], 1, 2, form.consecutive(before[1], row))
                    before = None
                    continue
                yield Found(before[0], 1, 1, Reject("unpaired", "", as_json(before[1])))
                before = None
            if isinstance(row, Unreadable):
                yield Found(number, 1, 1, Reject("unreadable", row.message, row.raw))
            elif form is None:
                yield Found(number, 1, 1, Reject("unreadable", self._lacking(row), as_json(row)))
            elif form.layout.consecutive:
                before = number, row, form
            elif form.layout.completion is not None:
                yield from labelled.add(number, row, form)
            elif form.layout.answers is None and form.layout.tree is None:
                yield Found(number, 1, 1, form.outcome(row))
            else:
                for pair, outcome in enumerate(form.several(row), 1):
                    yield Found(number, pair, int(pair == 1), outcome, True)
        if before is not None:
            yield Found(before[0], 1, 1, Reject("unpaired", "", as_json(before[1])))
        yield from labelled.left()

    def _form(self, row: dict[str, Any]) -> "Form | None":
        for form in self._forms:
            if form.needs <= row.keys():
                return form
        return None

    def _lacking(self, row: dict[str, Any]) -> str:
        missing = min((sorted(form.needs - row.keys()) for form in self._forms), key=len)
        return f"a row needs {', '.join(missing)}"
