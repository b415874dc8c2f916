"""The command ``gristmill verify``: is everything in a folder as it was written."""

import posixpath
from collections import Counter, defaultdict
from collections.abc import Sequence

from rich.table import Table

from annotation.dataset import markdown
from curation.errors import RunError
from curation.folder import Folder
from curation.release import NAME_DIGITS
from jobs.consoles import table_console
from jobs.counting import counting
from jobs.terminal import say
from jobs.verification import Fault, Held, faults, held
from schemas.manifest import Noted

SHOWN = 20
"""Faults that are shown one by one."""


def run(root: str) -> None:
    folder = Folder(root)
    found = held(folder)
    say(f"{root}: {found.what}, manifest {found.digest[:NAME_DIGITS]}")
    with counting("verifying, in bytes") as tell:
        wrong = list(faults(folder, found, tell))
    _say(found, wrong)
    for fault in wrong[:SHOWN]:
        say(f"{fault.name} {fault.what}")
    if len(wrong) > SHOWN:
        say(f"... and {len(wrong) - SHOWN:,} more")
    if wrong:
        raise RunError(
            f"{root} is not as it was written ({markdown.count(len(wrong), 'file')}): put back what is missing or "
            "damaged, or write the folder again, and move elsewhere what is not in the manifest"
        )
    say(f"{root}: {markdown.count(len(found.files), 'file')}, all as they were written")


def _say(found: Held, wrong: Sequence[Fault]) -> None:
    """One row a folder of files."""
    tables: defaultdict[str, list[Noted]] = defaultdict(list)
    for name, each in found.files.items():
        tables[posixpath.dirname(name) or "."].append(each)
    damaged = Counter(posixpath.dirname(fault.name) or "." for fault in wrong)
    table = Table(box=None, pad_edge=False)
    for column in ("", "files", "rows", "MB", "wrong"):
        table.add_column(column, justify="right" if column else "left")
    for name in sorted(tables.keys() | damaged.keys()):
        files: Sequence[Noted] = tables.get(name, [])
        table.add_row(name, f"{len(files):,}", _sum(files, "rows", 1), _sum(files, "bytes", 1e6), f"{damaged[name]:,}")
    table_console().print(table)


def _sum(files: Sequence[Noted], what: str, unit: float) -> str:
    """Of what the manifest says of files, where it says that of all of them."""
    known = [getattr(each, what) for each in files]
    if not known or None in known:
        return ""
    return f"{sum(known):,}" if unit == 1 else f"{sum(known) / unit:,.1f}"
