"""Finds sources of which most documents are near-duplicates, as where a site's template outweighs its texts."""

from collections.abc import Iterator

from curation.release.folder import Folder
from curation.release.ledger import Ledger
from curation.release.manifest import Manifest
from curation.reports.heavy_rules import LEAST
from schemas.visible import visible

HEAVY = 0.5
"""The share of a source's documents that may be near-duplicates without a warning."""


def heavy_duplicates(folder: Folder, manifest: Manifest) -> Iterator[str]:
    """A sentence for each source of which more than HEAVY of the documents that passed the filters, at least LEAST of
    them, were removed as near-duplicates."""
    ledger, report = Ledger.of(manifest.ledger), manifest.near_duplicates
    for (source, stage, reason), (removed, _, _) in sorted(ledger.rejected.items()):
        if (stage, reason) != ("near", "near_duplicate"):
            continue
        passed = removed + (ledger.kept[source][0] if source in ledger.kept else 0)
        if passed < LEAST or removed <= HEAVY * passed:
            continue
        host, count = next(iter(report.hosts.items()), ("", 0)) if report is not None else ("", 0)
        most = f" (of all sources, most of them from {visible(host)}: {count:,})" if host else ""
        yield (
            f"near: {removed:,} of {passed:,} distinct texts of source {source} were removed as near-duplicates{most}: "
            f"read some of them with gristmill explain {folder.root} --sample 10 --reason near_duplicate"
        )
