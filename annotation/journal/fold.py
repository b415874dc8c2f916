"""Computes the state of a campaign from the rows of its journal: settings, people, batches, pairs and tasks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from annotation.journal import chain
from annotation.journal.bodies import Batch, Guidelines, Settings, read, write
from annotation.journal.journal import Journal
from schemas import PAIRS
from schemas.errors import CHANGED, DamagedError, UserError
from schemas.table import SchemaError

T = TypeVar("T")

PACKED_BYTES = 64 << 20
"""The largest table in a row of the journal, in bytes. SQLite accepts up to 1 GB."""

TASKS = pa.schema(
    [
        pa.field("uid", pa.string(), nullable=False),
        pa.field("pair_id", pa.string(), nullable=False),
        pa.field("batch", pa.string(), nullable=False),
        pa.field("annotator", pa.string(), nullable=False),
        pa.field("round", pa.string(), nullable=False),
        pa.field("swapped", pa.bool_(), nullable=False),
        pa.field("shown", pa.binary(16), nullable=False),
    ]
)
"""The planned tasks, in the order in which each annotator gets them. ``shown`` is the digest of what the page shows."""


@dataclass(frozen=True)
class Record:
    """The state of a campaign at ``revision``, without its annotations.

    ``batches`` hold the guidelines and the page that annotators see now. ``wordings``: the SHA-256 of each wording of
    the guidelines of a batch, oldest first, if the batch has several.

    ``settings`` is None before the first batch is planned. ``annotators`` maps emails to pseudonyms, in the order of
    joining; a token stands for an erased email, also in the annotations of that person. ``undone`` names the
    batches that were undone, oldest first, also batches that were made again later; nothing else in the record is from
    before. ``dropped`` are the uids of tasks that were taken from their annotators, ``withdrawn`` the pseudonyms whose
    votes do not count.
    """

    revision: int
    settings: Settings | None
    annotators: dict[str, str]
    batches: dict[str, Batch]
    pairs: pa.Table
    tasks: pa.Table
    dropped: frozenset[str]
    withdrawn: frozenset[str]
    undone: tuple[str, ...] = ()
    wordings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def emails(self) -> dict[str, str]:
        """The email address of each pseudonym, except of people whose address was erased."""
        return {name: email for email, name in self.annotators.items() if not chain.is_token(email)}

    @property
    def authors(self) -> dict[str, str]:
        """The pseudonym of each email address in lower case, or of the token of an erased address."""
        return {email.lower(): name for email, name in self.annotators.items()}

    @property
    def erased(self) -> tuple[str, ...]:
        """The pseudonyms of people whose email address was erased."""
        return tuple(name for email, name in self.annotators.items() if chain.is_token(email))


def fold(journal: Journal, as_of: int | None = None) -> Record:
    """Reads the state at revision ``as_of`` (None: the newest).

    Raises UserError if a newer version of Gristmill wrote a row, DamagedError if a row is damaged.
    """
    journal.check_kinds()
    revision = journal.revision if as_of is None else as_of
    withdrawn = _newest_by_key(journal, "withdrawn", bool, revision)
    pairs, (tasks, dropped) = _pairs(journal, revision), _tasks(journal, revision)
    _refuse_damaged(journal, pairs, tasks)
    batches, wordings = _batches(journal, revision)
    return Record(
        revision=revision,
        settings=_newest_by_key(journal, "settings", Settings, revision).get("settings"),
        annotators=_newest_by_key(journal, "annotator", str, revision),
        batches=batches,
        pairs=pairs,
        tasks=tasks,
        dropped=dropped,
        withdrawn=frozenset(key for key, out in withdrawn.items() if out),
        undone=tuple(key for _, key, _ in journal.rows("undone", as_of=revision)),
        wordings=wordings,
    )


def pack(table: pa.Table, limit: int = PACKED_BYTES) -> Iterable[bytes]:
    """Writes a table as Arrow streams, each small enough for a row of the journal. An empty table gives no stream."""
    if table.nbytes > limit and table.num_rows > 1:
        half = table.num_rows // 2
        yield from pack(table.slice(0, half), limit)
        yield from pack(table.slice(half), limit)
    elif table.num_rows:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        yield sink.getvalue().to_pybytes()


def record_settings(journal: Journal, settings: Settings) -> None:
    """Appends the campaign's settings to the journal if they differ from the newest row."""
    body = write(settings, sort=True)
    with journal.writing():
        if journal.newest_body("settings", "settings") != body:
            journal.append("settings", "settings", body)


def _newest_by_key(journal: Journal, kind: str, body: type[T], as_of: int) -> dict[str, T]:
    """Each key of the rows of a kind, with its newest body."""
    return {
        key: read(body, content, f"{journal.path}: the row {kind} {key}")
        for _, key, content in journal.rows(kind, as_of=as_of)
    }


def _batches(journal: Journal, as_of: int) -> tuple[dict[str, Batch], dict[str, tuple[str, ...]]]:
    """The batches that were not undone, with the newest wording of their guidelines; and the wordings of those that
    have several."""
    batches: dict[str, Batch] = {}
    wordings: dict[str, tuple[str, ...]] = {}
    for kind, key, body in journal.rows("batch", "guidelines", "undone", as_of=as_of):
        place = f"{journal.path}: the row {kind} {key}"
        if kind == "batch":
            batches[key] = read(Batch, body, place)
        elif kind == "undone":
            batches.pop(key, None)
            wordings.pop(key, None)
        elif key not in batches:
            raise DamagedError(f"{place} is of no batch: {CHANGED}")
        else:
            made, other = batches[key], read(Guidelines, body, place)
            wordings[key] = (*wordings.get(key, (made.asked.guidelines,)), other.guidelines)
            batches[key] = replace(made, asked=replace(made.asked, guidelines=other.guidelines), page=other.page)
    return batches, wordings


def _pairs(journal: Journal, as_of: int) -> pa.Table:
    """All pairs, converted to the current version of PAIRS.

    Raises UserError if a newer version of Gristmill wrote them.
    """
    tables: list[tuple[str, pa.Table]] = []
    for kind, key, body in journal.rows("pairs", "undone", as_of=as_of):
        if kind == "undone":
            tables = [(batch, table) for batch, table in tables if batch != key]
            continue
        try:
            tables.append((key, PAIRS.upgrade(_table(journal, kind, key, body, None))))
        except SchemaError as error:
            raise UserError(f"{journal.path}: {error}") from error
    return _concatenate(PAIRS.schema, [table for _, table in tables])


def _tasks(journal: Journal, as_of: int) -> tuple[pa.Table, frozenset[str]]:
    """All tasks, and the uids of those that were taken from their annotators. A batch that was undone has no tasks."""
    tables: list[tuple[str, pa.Table]] = []
    dropped: set[str] = set()
    for kind, key, body in journal.rows("tasks", "dropped", "undone", as_of=as_of):
        if kind == "tasks":
            tables.append((key, _table(journal, kind, key, body, TASKS)))
        elif kind == "dropped":
            dropped.add(key)
        else:
            for batch, table in tables:
                if batch == key:
                    dropped.difference_update(table["uid"].to_pylist())
            tables = [(batch, table) for batch, table in tables if batch != key]
    return _concatenate(TASKS, [table for _, table in tables]), frozenset(dropped)


def _refuse_damaged(journal: Journal, pairs: pa.Table, tasks: pa.Table) -> None:
    """Raises DamagedError if a pair or a task occurs twice, or a task asks a pair that is missing."""
    for table, name in ((pairs, "pair_id"), (tasks, "uid")):
        if pc.count_distinct(table[name]).as_py() < len(table):
            raise DamagedError(f"{journal.path} has a row of pairs or tasks twice: {CHANGED}")
    if not pc.all(pc.is_in(tasks["pair_id"], pairs["pair_id"].combine_chunks()), min_count=0).as_py():
        raise DamagedError(f"{journal.path} lacks the row of a pair that a task asks: {CHANGED}")


def _table(journal: Journal, kind: str, key: str, body: bytes, schema: pa.Schema | None) -> pa.Table:
    """The table in a row. Raises DamagedError for a row that holds no table, or one of another ``schema``."""
    place = f"{journal.path}: the row {kind} {key}"
    try:
        table = pa.ipc.open_stream(body).read_all()
        table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise DamagedError(f"{place} holds no table ({error}): {CHANGED}") from error
    if schema is not None and table.schema != schema:
        raise DamagedError(f"{place} has other columns than Gristmill writes: {CHANGED}")
    return table


def _concatenate(schema: pa.Schema, tables: Sequence[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables) if tables else schema.empty_table()
