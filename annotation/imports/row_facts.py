"""Facts about a row besides its texts: its weight, id and batch, and whether it is held out."""

from collections.abc import Mapping
from typing import NamedTuple

from annotation.imports import fields
from annotation.imports.fields import RowError, optional_getter
from annotation.imports.layout import Layout


class Facts(NamedTuple):
    """``id`` and ``batch`` are None if the row has no own id or batch; ``held_out``: the row's own split says so."""

    weight: float = 1.0
    id: str | None = None
    batch: str | None = None
    held_out: bool = False


NO_FACTS = Facts()


class RowFacts:
    """Reads the facts of a layout's rows."""

    def __init__(self, layout: Layout):
        self._layout = layout
        self._none = (layout.id, layout.batch, layout.split, layout.weight) == (None, None, None, None)
        self._id, self._batch, self._split = (optional_getter(path) for path in (layout.id, layout.batch, layout.split))
        self._weight = optional_getter(layout.weight if isinstance(layout.weight, str) else None)

    def of(self, row: Mapping[str, object]) -> Facts:
        """The facts of a row. Raises RowError for a weight that is not above 0, and for an empty id or batch."""
        if self._none:
            return NO_FACTS
        layout = self._layout
        own, batch, split = self._id(row), self._batch(row), self._split(row)
        weight = layout.weight if layout.weight is not None else 1.0
        if isinstance(weight, str):
            weight = fields.number(self._weight(row), weight)
            if weight <= 0:
                raise RowError(f"{layout.weight} is not above 0")
        named = [
            fields.word(value, path).strip() if path is not None else None
            for value, path in ((own, layout.id), (batch, layout.batch))
        ]
        if "" in named:
            raise RowError(f"{layout.id if named[0] == '' else layout.batch} is empty")
        held_out = split is not None and fields.word(split, str(layout.split)) in layout.held_out
        return Facts(float(weight), named[0], named[1], held_out)
