"""Lists the input files that could not be read completely, and fails runs that could not read too much."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from curation.job import ALWAYS_TOLERATED, Job
from curation.release.folder import Folder
from curation.release.ledger import Ledger
from curation.release.manifest import InputReport
from schemas.errors import RunError
from schemas.wording import and_more

SHOWN_FILES = SHOWN_REASONS = 3
"""A message names at most this many reasons, and as many files for each; the others are counted."""


@dataclass(frozen=True)
class DamagedFile:
    """A file that was not read completely: ``lost`` of its ``size`` stored bytes, and the first error.

    ``unreadable`` files gave no document; ``doubtful_documents`` counts documents that were read and may be damaged.
    """

    name: str
    size: int
    lost: int
    error: str
    message: str
    unreadable: bool
    doubtful_documents: int = 0


def damaged_files(reports: Iterable[InputReport]) -> list[DamagedFile]:
    """The damaged files among the ``inputs`` of a manifest (a report for each file or part of a file), in order."""
    parts: dict[str, list[InputReport]] = {}
    for report in reports:
        parts.setdefault(report.file, []).append(report)
    damaged = (_damage_of(name, each) for name, each in parts.items())
    return [file for file in damaged if file is not None]


def _damage_of(name: str, reports: Sequence[InputReport]) -> DamagedFile | None:
    """The damage of a file from the reports of its parts. None for an undamaged file, also if all records of some, but
    not all, parts are invalid."""
    lost = [report.lost for report in reports if report.lost]
    unreadable = len(lost) == len(reports) and all(each.whole for each in lost)
    if not unreadable:
        lost = [each for each in lost if each.bytes or not each.whole]
    if not lost:
        return None
    return DamagedFile(
        name=name,
        size=reports[0].size,
        lost=sum(each.bytes for each in lost),
        error=lost[0].error,
        message=lost[0].message,
        unreadable=unreadable,
        doubtful_documents=sum(each.doubtful_documents for each in lost),
    )


def check_readable(job: Job, ledger: Ledger, reports: Sequence[InputReport], folder: Folder) -> None:
    """Raises RunError if nothing could be read from a file, or if too large a share of the records or of the stored
    bytes could not be read.

    ALWAYS_TOLERATED applies to records and to lost bytes, which count as the average number of records in as many bytes
    of the rest of the input.
    """
    damaged = damaged_files(reports)
    stored = sum({report.file: report.size for report in reports}.values())
    lost = sum(file.lost for file in damaged)
    records = ledger.records
    too_much = lost > job.max_quarantined * stored and lost * records > ALWAYS_TOLERATED * (stored - lost)
    bad = ledger.total("quarantined")[0]
    too_many = bad > max(ALWAYS_TOLERATED, job.max_quarantined * records)
    exceeded = [*([(lost, stored)] if too_much else []), *([(bad, records)] if too_many else [])]
    raised = f"--set max_quarantined={_enough_for(exceeded)}"
    unreadable = [file for file in damaged if file.unreadable]
    if unreadable and not job.allow_unreadable:
        enough = f" {raised}" if exceeded else ""
        without_text = all(file.error == "no_text" for file in unreadable)
        remedy = (
            "Name the field of the text: --set reading.fields.text=NAME"
            if without_text
            else f"Repair {_pronoun(unreadable)}"
        )
        raise RunError(
            f"nothing could be read from {len(unreadable):,} of {len({report.file for report in reports}):,} input "
            f"files: {_name_files(unreadable)}. {remedy}, leave {_pronoun(unreadable)} out, or continue without "
            f"{_pronoun(unreadable)}: --allow-unreadable{enough}"
        )
    if too_much:
        raise RunError(
            f"{lost:,} of {stored:,} stored bytes could not be read ({lost / stored:.1%}), above max_quarantined = "
            f"{job.max_quarantined:g}: {_name_files(damaged)}. Repair {_pronoun(damaged)}, leave "
            f"{_pronoun(damaged)} out, or raise the limit: {raised}"
        )
    if too_many:
        kinds = ", ".join(f"{amount[0]} {error}" for error, amount in sorted(ledger.quarantined.items()))
        raise RunError(
            f"{bad} of {records} records could not be read ({kinds}), above max_quarantined = {job.max_quarantined:g}: "
            f"see {folder.root}/quarantine, then repair the input, or raise the limit: {raised}"
        )


def _name_files(files: Sequence[DamagedFile]) -> str:
    """The names of the files, grouped by their errors."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for file in files:
        reasons.setdefault((file.error, file.message), []).append(file.name)
    shown = []
    for (error, message), names in list(reasons.items())[:SHOWN_REASONS]:
        shown.append(f"{and_more(names[:SHOWN_FILES], len(names))} ({error}: {message.rstrip('.')})")
    others = sum(len(names) for names in list(reasons.values())[SHOWN_REASONS:])
    return and_more(shown, len(shown) + others, "; ")


def _pronoun(files: Sequence[DamagedFile]) -> str:
    return "it" if len(files) == 1 else "them"


def _enough_for(counts: Iterable[tuple[int, int]]) -> str:
    """The smallest limit, in hundredths, above each share ``part / whole``; 1 if a part is the whole.

    >>> _enough_for([(29, 100)]), _enough_for([(1, 30), (200, 200)])
    ('0.3', '1')
    """
    return f"{min(100, max((part * 100 // whole + 1 for part, whole in counts), default=0)) / 100:g}"
