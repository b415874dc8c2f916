"""Writes and reads the folder of a judge's verdicts, which appears complete or not at all."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from annotation.dataset.files import Writer, new_folder
from annotation.dataset.manifest import check_file, read_manifest
from annotation.evaluation.judging import Judge
from annotation.evaluation.manifest import FORMAT, VERSION, JudgeEntry, SourceEntry, VerdictsLedger, VerdictsManifest
from annotation.evaluation.tables import JudgeTables
from schemas.balance import check_balance
from schemas.errors import CHANGED, DamagedError
from schemas.manifest import MANIFEST, Entry, named_entries
from schemas.parquet import open_parquet
from schemas.records import to_json
from schemas.verdicts import ANSWERS, GRADES, UNANSWERED, VERDICTS

TABLES = {table.name: table for table in (VERDICTS, ANSWERS, GRADES, UNANSWERED)}


def writing(folder: Path) -> AbstractContextManager[Writer]:
    """A writer for a new folder of verdicts, which gets its name when the block ends without an error.

    Raises UserError if the folder is taken, RunError if it cannot be written.
    """
    return new_folder(folder, "folder of verdicts")


def fill(writer: Writer, tables: JudgeTables, judge: Judge | None, source: SourceEntry) -> None:
    """Writes the tables and the manifest; equal tables give equal bytes. Imported verdicts have no judge."""
    for name, rows in tables.by_name.items():
        writer.parquet(name, rows)
    writer.json(MANIFEST, _manifest(tables, judge, source, writer.files))


def load(folder: Path) -> tuple[VerdictsManifest, JudgeTables]:
    """The manifest and tables of a folder. Raises UserError if the folder has none, and DamagedError or UserError if a
    file has changed."""
    made_by = "gristmill judge"
    _, manifest = read_manifest(folder, VerdictsManifest, FORMAT, VERSION, "no verdicts", made_by)
    for entry in named_entries(manifest.files, str(folder / MANIFEST)).values():
        check_file(folder, entry)
    held = [name for name in TABLES if f"{name}.parquet" in manifest.files]
    if not {"verdicts", "unanswered"} <= {*held} or len(held) != 3:
        raise DamagedError(f"{folder / MANIFEST} lacks a table, or has one too many: {CHANGED}")
    read = {name: TABLES[name].upgrade(_read(folder / f"{name}.parquet")) for name in held}
    return manifest, JudgeTables(**read, compared=manifest.source.compared)


def _read(path: Path) -> pa.Table:
    with path.open("rb") as stream:  # Arrow opens no path that is not UTF-8
        return open_parquet(stream).read()


def _manifest(
    tables: JudgeTables, judge: Judge | None, source: SourceEntry, files: Mapping[str, Entry]
) -> VerdictsManifest:
    return VerdictsManifest(
        format=FORMAT,
        version=VERSION,
        tables={name: TABLES[name].version for name in tables.by_name},
        judge=None if judge is None else _judge(judge, tables),
        source=source,
        ledger=ledger(tables),
        files=files,
    )


def _judge(judge: Judge, tables: JudgeTables) -> JudgeEntry:
    return JudgeEntry(
        model=judge.model,
        parameters=judge.fields,
        template=to_json(judge.template),
        template_sha256=judge.template.digest,
        orders=judge.orders,
        seed=judge.seed,
        answered_by=counts(_requests(tables)["answered_by"]),
    )


def ledger(tables: JudgeTables) -> VerdictsLedger:
    """The counts of the verdicts. Raises LedgerError if not every pair has an outcome, which is a bug."""
    found = counts(tables.verdicts["outcome"])
    check_balance("pairs", len(tables.verdicts), found)
    requests = _requests(tables)
    return VerdictsLedger(
        pairs=len(tables.verdicts),
        outcomes=found,
        inconsistent=pc.sum(tables.verdicts["inconsistent"]).as_py() or 0,
        questions=len(tables.said),
        unanswered=len(tables.unanswered),
        prompt_tokens=pc.sum(requests["prompt_tokens"]).as_py() or 0,
        completion_tokens=pc.sum(requests["completion_tokens"]).as_py() or 0,
    )


def counts(column: pa.ChunkedArray) -> dict[str, int]:
    """How often each text occurs in a column, sorted, without nulls."""
    return {each["values"]: each["counts"] for each in sorted(pc.value_counts(column.drop_null()).to_pylist(), key=str)}


def _requests(tables: JudgeTables) -> pa.Table:
    """The answers, once for each request: questions about equal texts share a request."""
    names = ["answered_by", "prompt_tokens", "completion_tokens"]
    found = tables.said.group_by("request", use_threads=False).aggregate([(name, "first") for name in names])
    return found.rename_columns({f"{name}_first": name for name in names})
