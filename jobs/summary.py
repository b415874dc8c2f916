"""Tables for people: what a job will do, and what it did."""

import json

from rich.console import Console
from rich.table import Table

from curation.driver import Plan
from curation.job import Execution, Job
from curation.ledger import NOTHING, Amount, Ledger, add
from curation.manifest import plain


def print_summary(ledger: Ledger, folder: str, seconds: float) -> None:
    """What was read, kept and removed, and why."""
    read, kept = ledger.total("read"), ledger.total("kept")
    table = Table(box=None, pad_edge=False)
    for name in ("", "documents", "share", "MB", "words"):
        table.add_column(name, justify="left" if not name else "right")
    _row(table, "read", read, read)
    for (stage, reason), amount in sorted(_by_reason(ledger).items(), key=lambda entry: (-entry[1][0], entry[0])):
        _row(table, f"  {stage}: {reason}", amount, read, "dim")
    _row(table, "kept", kept, read, "bold")
    console = Console(highlight=False, width=None if Console().is_terminal else 100)
    console.print(table)
    for error, amount in sorted(ledger.quarantined.items()):
        console.print(f"quarantined: {amount[0]:,} {error}", markup=False)
    if ledger.skipped:
        what = ", ".join(f"{count:,} {reason}" for reason, count in sorted(ledger.skipped.items()))
        console.print(f"skipped (no documents): {what}", markup=False)
    rate = read[1] / 1e6 / seconds if seconds else 0.0
    console.print(
        f"{folder}: {kept[0]:,} of {read[0]:,} documents kept, {seconds:.1f} s, {rate:.1f} MB/s", markup=False
    )


def _row(table: Table, name: str, amount: Amount, of: Amount, style: str = "") -> None:
    share = f"{amount[0] / of[0]:.1%}" if of[0] else "-"
    table.add_row(name, f"{amount[0]:,}", share, f"{amount[1] / 1e6:,.1f}", f"{amount[2]:,}", style=style)


def _by_reason(ledger: Ledger) -> dict[tuple[str, str], Amount]:
    amounts: dict[tuple[str, str], Amount] = {}
    for (_, stage, reason), amount in ledger.rejected.items():
        amounts[stage, reason] = add(amounts.get((stage, reason), NOTHING), amount)
    return amounts


def print_plan(job: Job, folder: str, planned: Plan, execution: Execution) -> None:
    """The resolved job, its units and an estimate, as JSON and a few lines."""
    print(json.dumps({"output": folder, **plain(job)}, indent=2, ensure_ascii=False))
    console = Console(highlight=False)
    for unit in planned.units[:10]:
        names = ", ".join(part.file.name for part in unit.parts[:3]) + (", ..." if len(unit.parts) > 3 else "")
        console.print(f"unit {unit.index}: {len(unit.parts)} part(s): {names}", markup=False)
    if len(planned.units) > 10:
        console.print(f"... {len(planned.units) - 10} more units", markup=False)
    console.print(
        f"{len(planned.files):,} files, {planned.stored_bytes / 1e6:,.1f} MB stored, {len(planned.units):,} units, "
        f"{planned.workers(execution.workers)} worker processes",
        markup=False,
    )
