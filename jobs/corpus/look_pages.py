"""The pages of ``gristmill look``: a list of documents with a form that narrows it, and a page for each document."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any
from urllib.parse import urlencode

from curation.filters.hosts import named_host
from curation.release.ledger import Ledger
from curation.release.lookup import Lookup
from curation.reports.explain import explain
from jobs.corpus.look_tables import PAGE_ROWS, START, CorpusTables, Name, Place, Wanted
from jobs.pages.template import environment
from schemas.errors import UserError
from schemas.visible import visible

LONGEST_TEXT = 100_000
"""The characters of a text on the page of its document."""
LONGEST_NAME = 300
"""The characters of an id, a url or another name on a page."""
LONGEST_LINE = 2_000
"""The characters of a line that explains a document."""
KEPT, REMOVED = "kept", "removed"
_FACTS = ("source", "url", "language", "language_score", "date", "near_cluster_size", "rehydration_weight")


@dataclass(frozen=True)
class Verdict:
    """A choice of the form: what it is called, how many documents the ledger counts, and which rows it means."""

    name: str
    documents: int
    wanted: Wanted


def verdicts(ledger: Ledger) -> dict[str, Verdict]:
    """The choices by their names as pages show them: kept, removed, and each ``stage: reason``, sorted."""
    counted: dict[tuple[str, str], int] = {}
    for (_, stage, reason), amount in sorted(ledger.rejected.items()):
        counted[stage, reason] = counted.get((stage, reason), 0) + amount[0]
    found = [
        Verdict(KEPT, ledger.total("kept")[0], Wanted()),
        Verdict(REMOVED, sum(counted.values()), Wanted(table="rejects")),
        *(
            Verdict(f"{stage}: {reason}", count, Wanted(table="rejects", stage=stage, reason=reason))
            for (stage, reason), count in sorted(counted.items())
        ),
    ]
    return {visible(verdict.name): verdict for verdict in found}


class Pages:
    """Renders the pages of a finished corpus. Raises UserError for a request that cannot be answered."""

    def __init__(self, lookup: Lookup, tables: CorpusTables):
        self.lookup = lookup
        self.tables = tables
        self.verdicts = verdicts(Ledger.of(lookup.manifest.ledger))
        self.sources = {visible(source): source for source in sorted(lookup.manifest.ledger.read)}
        self._explaining = Lock()
        template = environment(__package__)
        template.filters["short"] = short
        self._list, self._document = map(template.get_template, ("look_list.html.j2", "look_document.html.j2"))

    def list(self, query: Mapping[str, str]) -> str:
        """The page of documents that a form asks for."""
        given = {name: value for name, value in query.items() if value.strip()}
        chosen = self.verdicts.get(given.get("verdict", KEPT))
        if chosen is None:
            raise UserError("the corpus has no such verdict: choose one from the list")
        if given.get("source") not in (None, *self.sources):
            raise UserError("the corpus has no such source: choose one from the list")
        wanted = replace(
            chosen.wanted,
            source=self.sources[given["source"]] if "source" in given else None,
            language=given.get("language"),
            host=named_host(given["host"]) if "host" in given else None,
            doc_id=given.get("doc_id"),
            text=given.get("text"),
        )
        page = self.tables.page(wanted, _place(given["from"]) if "from" in given else START)
        following = None
        if page.next is not None:
            following = urlencode({**given, "from": f"{page.next.shard}-{page.next.row}"})
        other = REMOVED if wanted.table == "documents" else KEPT
        return self._list.render(
            title=self.lookup.folder.root,
            given=given,
            verdicts=self.verdicts.items(),
            chosen=chosen,
            sources=list(self.sources),
            documents=None if wanted.text is not None else self.tables.count(wanted),
            table=wanted.table,
            rows=page.rows,
            size=PAGE_ROWS,
            following=following,
            other=other,
            elsewhere=urlencode({**{name: given[name] for name in given if name != "from"}, "verdict": other}),
            is_first="from" not in given,
        )

    def document(self, table: Name, place: Place) -> str | None:
        """The page of the document at a place; None if there is no such row."""
        row = self.tables.row(table, place)
        if row is None:
            return None
        text = row["text"]
        with self._explaining:  # an explanation may read whole row groups
            lines = [short(line, LONGEST_LINE) for line in explain(self.lookup, row)]
        return self._document.render(
            row=row,
            lines=lines,
            facts=list(_facts(row)),
            text=None if text is None else text[:LONGEST_TEXT],
            characters=len(text or ""),
            limit=LONGEST_TEXT,
        )


def short(text: str, longest: int = LONGEST_NAME) -> str:
    """A text cut to ``longest`` characters."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def _place(given: str) -> Place:
    shard, _, row = given.partition("-")
    if not (is_number(shard) and is_number(row)):
        raise UserError("the address names no page of the corpus: begin at the first page")
    return Place(int(shard), int(row))


def is_number(text: str) -> bool:
    """Whether the text is a number of a file or a row, as the pages' addresses have them."""
    return text.isascii() and text.isdecimal() and len(text) <= 15


_SHOWN: Mapping[str, Callable[[Any], str]] = {"language_score": lambda score: f"{score:.2f}"}


def _facts(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in _FACTS:
        if row.get(name) is not None:
            yield name.replace("_", " "), short(_SHOWN.get(name, str)(row[name]))
    yield "place", f"{short(row['file'])} at {row['offset']}"
