"""The field ``dialect`` in the table of a step, which stands for all definitions of a project."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from curation.filters.dialects import DIALECTS, Dialect
from curation.filters.gopher_quality import GopherQuality
from curation.filters.gopher_repetition import GopherRepetition
from schemas.errors import UserError
from schemas.settings import convert, shown

PARTS = {GopherQuality.use: "quality", GopherRepetition.use: "repetition"}
"""The part of a project's definitions that a step has."""
FIELD = "dialect"
"""The field of a step's table that `with_definition` replaces."""


def more_fields(use: str) -> tuple[str, ...]:
    """The fields that the table of the step ``use`` may have beside the step's own."""
    return (FIELD,) if use in PARTS else ()


def with_definition(use: str, table: Mapping[str, Any], place: str, left: Collection[str] = ()) -> Mapping[str, Any]:
    """The table of the step ``use`` in which ``dialect``, the name of a project, is replaced by that project's
    definition.

    Fields that the table ``definition`` has stay as they are, and a definition sets no fields in ``left``. ``place``
    names the table in errors. Raises UserError for an unknown project.
    """
    if use not in PARTS or FIELD not in table:
        return table
    dialect = convert(table[FIELD], Dialect, f"{place}.{FIELD}")
    given = table.get("definition", {})
    if not isinstance(given, Mapping):
        raise UserError(f"{place}.definition is {shown(given)}: give a table with its fields")
    fields = dataclasses.asdict(getattr(DIALECTS[dialect], PARTS[use]))
    definition = {**{name: value for name, value in fields.items() if name not in left}, **given}
    return {name: value for name, value in table.items() if name != FIELD} | {"definition": definition}
