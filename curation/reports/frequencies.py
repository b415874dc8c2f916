"""Counts a finished folder's documents by language and by host, kept and removed."""

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from curation.release.folder import Folder
from curation.release.manifest import Manifest
from curation.reports.card_columns import UNKNOWN
from curation.reports.card_columns import hosts as hosts_of
from curation.reports.drawn import batches_of
from schemas import DOCUMENTS, REJECTS

MOST_HOSTS = 200_000
"""If there are more hosts, those with the fewest documents are dropped while counting, and counts are lower bounds."""


@dataclass
class Frequencies:
    """Documents by name, kept and removed; ``bounded`` says whether rare names were dropped while counting."""

    kept: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    bounded: bool = False

    def most(self, count: int) -> list[tuple[str, int, int]]:
        """The names with the most kept documents, then the most removed ones: (name, kept, removed)."""
        names = sorted({*self.kept, *self.removed}, key=lambda name: (-self.kept[name], -self.removed[name], name))
        return [(name, self.kept[name], self.removed[name]) for name in names[:count]]

    def __len__(self) -> int:
        return len({*self.kept, *self.removed})


def frequencies(folder: Folder, manifest: Manifest) -> tuple[Frequencies, Frequencies]:
    """The documents by language and by host. A language that the run did not identify is UNKNOWN; a document without a
    host is not counted by host."""
    languages, hosts = Frequencies(), Frequencies()
    for table, counted in ((DOCUMENTS.name, "kept"), (REJECTS.name, "removed")):
        for _, _, batch in batches_of(folder, manifest, table, ["language", "url"]):
            _count(getattr(languages, counted), batch["language"].fill_null(UNKNOWN))
            _count(getattr(hosts, counted), hosts_of(batch["url"]).drop_null())
            _drop_rare(hosts, counted)
    return languages, hosts


def _count(counter: Counter[str], column: pa.Array) -> None:
    for entry in pc.value_counts(column).to_pylist():
        counter[entry["values"]] += entry["counts"]


def _drop_rare(hosts: Frequencies, counted: str) -> None:
    counter: Counter[str] = getattr(hosts, counted)
    if len(counter) > MOST_HOSTS:
        ranked = sorted(counter.items(), key=lambda entry: (-entry[1], entry[0]))
        setattr(hosts, counted, Counter(dict(ranked[: MOST_HOSTS // 2])))
        hosts.bounded = True
