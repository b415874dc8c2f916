"""Prints the plan of a job before the run, and the summary after the run."""

import json

from curation.engine.manifest import plain
from curation.engine.planning import JobPlan
from curation.engine.unreadable import DamagedFile, damaged_files
from curation.job import Execution, Job
from curation.release.ledger import NOTHING, Amount, Ledger, add
from curation.release.manifest import Manifest
from curation.reports.estimate import estimate
from curation.sources.chunks import doubtful_documents
from jobs.tables import Row, print_table
from jobs.terminal import say
from schemas.sizes import Unit, readable, unit_of
from schemas.visible import visible_json

SHOWN_UNITS = 10
SHOWN_FILES = 10


def print_summary(ledger: Ledger, folder: str, seconds: float | None) -> None:
    """Prints the documents read, kept and removed, by reason. ``seconds`` of the run, or None if an earlier run did the
    work."""
    read, kept = ledger.total("read"), ledger.total("kept")
    removed = sorted(_by_reason(ledger).items(), key=lambda entry: (-entry[1][0], entry[0]))
    unit = unit_of(read[1])
    rows = [
        _row("read", read, read, unit),
        *(_row(f"  {stage}: {reason}", amount, read, unit, "dim") for (stage, reason), amount in removed),
        _row("kept", kept, read, unit, "bold"),
    ]
    print_table(("", "documents", "share", unit.name, "words"), rows)
    if ledger.cut:
        documents, size, pieces = ledger.total("cut")
        say(f"cut out of {documents:,} documents: {pieces:,} pieces, {readable(size)} (see cuts/)")
    for error, amount in sorted(ledger.quarantined.items()):
        say(f"quarantined: {amount[0]:,} {error}")
    if ledger.skipped:
        what = ", ".join(f"{count:,} {reason}" for reason, count in sorted(ledger.skipped.items()))
        say(f"skipped (no documents): {what}")
    took = "finished by an earlier run, nothing to do"
    if seconds is not None:
        took = f"{seconds:.1f} s, {readable(read[1] / seconds)}/s"
    say(f"{folder}: {kept[0]:,} of {read[0]:,} documents kept, {took}")


def print_lost(manifest: Manifest) -> None:
    """Prints each input file that could not be read completely, the most damaged first."""
    damaged = damaged_files(manifest.inputs)
    for file in sorted(damaged, key=lambda file: -file.lost)[:SHOWN_FILES]:
        say(_describe_loss(file))
    if len(damaged) > SHOWN_FILES:
        say(f"... and {len(damaged) - SHOWN_FILES:,} more damaged files (see manifest.json)")


def _describe_loss(file: DamagedFile) -> str:
    doubt = f"; {doubtful_documents(file.doubtful_documents)}" if file.doubtful_documents else ""
    if file.lost:
        share = f"{file.lost:,} of {file.size:,} stored bytes ({file.lost / file.size:.1%})"
        return f"lost from {file.name}: {share}: {file.error}{doubt}"
    if file.unreadable:
        return f"nothing could be read from {file.name} ({file.size:,} stored bytes): {file.error}"
    if doubt:
        return f"{file.name}: {file.error}{doubt}"
    return f"lost from {file.name}: everything after its {file.size:,} stored bytes: {file.error}"


def print_releases(manifest: Manifest) -> None:
    """Prints how many duplicates of each earlier release were removed, and how many released documents superseded."""
    for each in manifest.against:
        superseded = f", {each.superseded:,} of its documents superseded (see superseded/)" if each.superseded else ""
        say(f"release {each.release}: {each.removed_for:,} of its duplicates removed{superseded}")


def print_sites(manifest: Manifest) -> None:
    """Prints how many hosts were removed for their personal information."""
    if (found := manifest.sites) is not None:
        say(f"sites: {found.removed:,} of {found.hosts:,} hosts removed for personal information (see sites/)")


def _row(name: str, amount: Amount, of: Amount, unit: Unit, style: str = "") -> Row:
    share = f"{amount[0] / of[0]:.1%}" if of[0] else "-"
    return Row((name, f"{amount[0]:,}", share, unit.number(amount[1]), f"{amount[2]:,}"), style)


def _by_reason(ledger: Ledger) -> dict[tuple[str, str], Amount]:
    amounts: dict[tuple[str, str], Amount] = {}
    for (_, stage, reason), amount in ledger.rejected.items():
        amounts[stage, reason] = add(amounts.get((stage, reason), NOTHING), amount)
    return amounts


def print_plan(job: Job, folder: str, planned: JobPlan, execution: Execution) -> None:
    """Prints the resolved job as JSON, then its units and an estimate."""
    print(visible_json(json.dumps({"output": folder, **plain(job)}, indent=2, ensure_ascii=False)))
    for unit in planned.units[:SHOWN_UNITS]:
        names = ", ".join(span.file.name for span in unit.spans[:3]) + (", ..." if len(unit.spans) > 3 else "")
        say(f"unit {unit.index}: {names}")
    if len(planned.units) > SHOWN_UNITS:
        print(f"... and {len(planned.units) - SHOWN_UNITS:,} more units")
    workers = planned.workers(execution)
    print(
        f"{len(planned.files):,} files, {readable(planned.stored_bytes)} stored, "
        f"{len(planned.units):,} units, {workers} workers"
    )
    needs = estimate(job, planned, execution)
    print(
        f"about {_time(needs.seconds)}, {needs.memory_bytes / 1e9:.1f} GB of memory and "
        f"{needs.disk_bytes / 1e9:.1f} GB of disk (half of it freed at the end)"
    )


def _time(seconds: float) -> str:
    """Seconds in a readable unit.

    >>> _time(3), _time(200), _time(9000)
    ('3 s', '3 min', '2.5 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
