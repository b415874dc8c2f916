"""The place of a project in a campaign: one annotator's tasks in one round of a batch."""

from typing import NamedTuple

import pyarrow as pa

from schemas.errors import CHANGED, DamagedError


class Place(NamedTuple):
    """A place, written as ``batch/round/annotator``; the annotator's pseudonym holds a slash, too.

    >>> place = Place.parse("b1/vote/mill/a1")
    >>> place.annotator, str(place)
    ('mill/a1', 'b1/vote/mill/a1')
    """

    batch: str
    round: str
    annotator: str

    def __str__(self) -> str:
        return "/".join(self)

    @classmethod
    def parse(cls, text: str) -> "Place":
        """The place that a row of the journal names. Raises DamagedError if the text is not a place."""
        parts = text.split("/", 2)
        if len(parts) != 3:
            raise DamagedError(f"the journal names the place {text!r}, which is not batch/round/annotator: {CHANGED}")
        return cls(*parts)


def task_places(tasks: pa.Table) -> list[Place]:
    """The place of each task of a table with batch, round and annotator."""
    columns = (tasks[name].to_pylist() for name in Place._fields)
    return [Place(*each) for each in zip(*columns, strict=True)]
