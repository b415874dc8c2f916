"""The command ``gristmill verify``: compares a folder with its manifest."""

import posixpath
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from annotation.dataset import markdown
from curation.release.folder import Folder
from curation.release.opening import NAME_DIGITS
from jobs.counting import counting
from jobs.tables import Row, print_table
from jobs.terminal import say
from jobs.verification.folder import Expected, Fault, faults, read_expected, sizes_of
from schemas.errors import RunError
from schemas.manifest import NamedEntry
from schemas.sizes import unit_of

SHOWN = 20
"""The most faults that are printed one by one."""


def run(root: str) -> None:
    folder = Folder(root)
    found = read_expected(folder)
    say(f"{root}: {found.what}, manifest {found.digest[:NAME_DIGITS]}")
    sizes = sizes_of(folder)
    with counting("verifying, in bytes") as tell:
        wrong = list(faults(folder, found, sizes, tell))
    _say(found, sizes, wrong)
    for fault in wrong[:SHOWN]:
        say(f"{fault.name} {fault.what}")
    if len(wrong) > SHOWN:
        say(f"... and {len(wrong) - SHOWN:,} more")
    if wrong:
        raise RunError(
            f"{root} differs from its manifest ({markdown.count(len(wrong), 'file')}): restore missing and damaged "
            "files, or write the folder again, and move files that are not in the manifest elsewhere"
        )
    say(f"{root}: {markdown.count(len(found.files), 'file')}, all as they were written")


def _say(found: Expected, sizes: Mapping[str, int], wrong: Sequence[Fault]) -> None:
    """Prints a row per folder of files: the files and rows in the manifest, and the actual size of these files."""
    tables: defaultdict[str, list[NamedEntry]] = defaultdict(list)
    for name, each in found.files.items():
        tables[posixpath.dirname(name) or "."].append(each)
    damaged = Counter(posixpath.dirname(fault.name) or "." for fault in wrong)
    names = sorted(tables.keys() | damaged.keys())
    amounts = {name: sum(sizes.get(each.name, 0) for each in tables.get(name, ())) for name in names}
    unit, rows = unit_of(max(amounts.values(), default=0)), []
    for name in names:
        files: Sequence[NamedEntry] = tables.get(name, [])
        rows.append(Row((name, f"{len(files):,}", _rows(files), unit.number(amounts[name]), f"{damaged[name]:,}")))
    print_table(("", "files", "rows", unit.name, "wrong"), rows)


def _rows(files: Sequence[NamedEntry]) -> str:
    """The rows of all files, or an empty string if the manifest does not count the rows of every file."""
    known = [each.rows for each in files if each.rows is not None]
    return f"{sum(known):,}" if known and len(known) == len(files) else ""
