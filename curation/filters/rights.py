"""Judges documents by what they state of their rights: opt-outs from training and mining, and licences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from curation.filters.columns import count
from curation.filters.rules import Rule, active_rules
from curation.rights.licences import (
    AMBIGUOUS,
    FAMILIES,
    NONE,
    OTHER,
    UNKNOWN,
    is_licence,
    stated_licence,
    with_versions,
)
from curation.rights.opt_outs import OPT_OUTS, RESERVED
from curation.rights.pages import licence_of_record
from schemas.errors import UserError
from schemas.settings import unknown

_STATES_RIGHTS = r'"(?:rights|licen[cs]e)\\?"'
_RECORD = "record"


@dataclass(frozen=True, kw_only=True)
class Rights:
    """Rejects documents that state one of the ``opt_outs``, or whose licence is not among ``licences``. Without
    settings, the step only measures.

    A recipe with this step reads what pages state (`curation.rights`). The licence of a document that is not a page is
    named by a field of its record. A document whose opt-outs are not known passes the rule on opt-outs. A licence that
    is not known is ``unknown``, and fails ``licences`` unless they name ``unknown``.
    """

    use: Literal["rights"] = "rights"
    opt_outs: tuple[str, ...] = ()
    """The opt-outs to honour, such as noai, noimageai, noindex and tdm_reservation."""
    licences: tuple[str, ...] = ()
    """The licences to keep, such as cc0, cc-by and cc-by-sa-4.0; a name without a version stands for all versions.
    Empty: any licence."""

    signals: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("opt_outs", pa.string(), metadata={"description": "what the page refuses; null if not known"}),
            count(
                "honoured_opt_outs", "opt-outs of the page that the recipe honours; null if not known", len(OPT_OUTS)
            ),
            count("tdm_reservation", "whether text and data mining is reserved; null if the page does not say", 1),
            pa.field("licence", pa.string(), metadata={"description": "the licence that the document states"}),
            pa.field("licence_place", pa.string(), metadata={"description": "where the document states its licence"}),
        ]
    )

    def __post_init__(self) -> None:
        for name in self.opt_outs:
            if name not in OPT_OUTS:
                raise UserError(unknown("rights.opt_outs cannot have", name, OPT_OUTS))
        for name in self.licences:
            if not is_licence(name):
                known = (*FAMILIES, OTHER, AMBIGUOUS, NONE, UNKNOWN)
                raise UserError(unknown("rights.licences cannot have", name, known))

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        rows = list[tuple[Any, ...]]([(None, None, None, UNKNOWN, None)]) * len(batch)
        stated = pc.match_substring_regex(batch["metadata"], _STATES_RIGHTS)
        for row in pc.indices_nonzero(stated).to_pylist() if pc.any(stated).as_py() else ():
            rows[row] = self._values(list(_records(batch["metadata"][row].as_py())))
        columns = zip(*rows, strict=True) if rows else [()] * len(self.signals)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, self.signals, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=self.signals)

    def rules(self) -> tuple[Rule, ...]:
        return active_rules(
            Rule("opt_out", "honoured_opt_outs", at_most=0 if self.opt_outs else None),
            Rule("licence", "licence", one_of=with_versions(self.licences) or None),
        )

    def _values(self, records: Sequence[dict[str, Any]]) -> tuple[Any, ...]:
        """The signals of a document whose metadata are these records."""
        read = (each["rights"] for each in records if isinstance(each.get("rights"), dict))
        stated = next((each for each in read if isinstance(each.get("opt_outs"), dict)), None)
        if stated is None:
            licence = next(filter(None, map(licence_of_record, records)), None)
            return None, None, None, licence or UNKNOWN, _RECORD if licence else None
        opt_outs = [name for name in OPT_OUTS if name in stated["opt_outs"]]
        honoured = sum(name in self.opt_outs for name in opt_outs)
        reserved = {0: 0, 1: 1}.get(stated[RESERVED]) if isinstance(stated.get(RESERVED), int) else None
        licence = str(stated.get("licence"))
        licence = licence if is_licence(licence) else stated_licence(licence) or UNKNOWN
        places = ", ".join(dict.fromkeys(_places(stated.get("licences"))))
        return ", ".join(opt_outs), honoured, reserved, licence, places or None


def _records(metadata: str) -> Iterator[dict[str, Any]]:
    """The metadata, and the field ``metadata`` in it: an object as in Dolma's records, or its JSON where the input is a
    corpus that Gristmill wrote."""
    record = orjson.loads(metadata)
    inner = record.get("metadata")
    if isinstance(inner, str) and inner.startswith("{"):
        try:
            inner = orjson.loads(inner)
        except orjson.JSONDecodeError:
            inner = None
    yield from (each for each in (record, inner) if isinstance(each, dict))


def _places(licences: object) -> Iterator[str]:
    for each in licences if isinstance(licences, list) else ():
        if isinstance(each, dict) and isinstance(each.get("place"), str):
            yield each["place"]
