"""Verifies a campaign's journal with the public key alone, and writes an audit that somebody else can check.

An audit is a file of JSON lines. Its first lines hold the rows of the journal as they are stored, with tokens instead
of email addresses, and the signed checkpoints; the other lines say in words what follows from the rows. To check an
audit is to verify the chain of its rows, and to derive the other lines again.
"""

import base64
import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from annotation.journal import chain
from annotation.journal.bodies import Guidelines, ProjectMade, Undone, read, read_annotation
from annotation.journal.fold import Record, fold
from annotation.journal.journal import STORE, Journal, Signature
from annotation.journal.layout import ARROW
from annotation.journal.signing import is_valid
from annotation.judgments.findings import find
from annotation.judgments.judge import judge
from annotation.protocols import digest
from schemas.errors import RunError, UserError

VERSION = 1
"""The version of the audit's file."""

StoredRow = tuple[int, str, str, bytes, bytes | None]
"""(revision, kind, key, body, hash) as `Journal.stored_rows` gives it."""


@dataclass(frozen=True)
class Verified:
    """A chain that is whole: its number of rows, and the newest row that the key has signed."""

    rows: int
    head: bytes
    signed: int


def verify(rows: Iterable[StoredRow], signatures: Sequence[Signature], public: bytes, name: str) -> Verified:
    """Verifies the chain of the rows, and the checkpoints of one public key. ``name`` names the journal in messages.

    Raises RunError for the first row that was changed, removed or moved, or for a checkpoint that does not fit.
    """
    before, hashes = chain.START, [chain.START]
    for revision, kind, key, body, hashed in rows:
        if revision != len(hashes):
            raise RunError(f"{name}: row {len(hashes)} is missing")
        digest = body if kind == "campaign" else hashlib.sha256(body).digest()
        before = chain.hash_of(before, kind, key, digest)
        if before != hashed:
            raise RunError(f"{name}: row {revision} ({kind} {key}) was changed, moved or removed")
        hashes.append(before)
    own = [each for each in signatures if each[2] == public]
    if not own:
        raise RunError(f"{name} has no checkpoint of the key {public.hex()}: name the campaign's public key")
    for signature in own:
        revision, head, _, _ = signature
        if not is_valid(signature):
            raise RunError(f"{name}: the signature of the checkpoint at row {revision} is not valid")
        if revision >= len(hashes):
            raise RunError(f"{name}: row {len(hashes)} is missing, but row {revision} was signed")
        if hashes[revision] != head:
            raise RunError(f"{name}: row {revision} or a row before it was changed after it was signed")
    return Verified(len(hashes) - 1, before, max(revision for revision, *_ in own))


def withheld(rows: Iterable[StoredRow]) -> Iterator[StoredRow]:
    """The rows with SHA-256 of the body in place of the campaign's secret."""
    for revision, kind, key, body, hashed in rows:
        yield revision, kind, key, hashlib.sha256(body).digest() if kind == "campaign" else body, hashed


def verify_journal(journal: Journal, public: bytes) -> Verified:
    """Verifies a campaign's journal. Raises RunError as `verify`, UserError if the journal has no chain yet."""
    name = str(journal.path)
    rows = list(withheld(journal.stored_rows()))
    if rows and rows[0][4] is None and not journal.signatures():
        raise UserError(f"{name} was written by an earlier version of Gristmill, without a chain: pull or push first")
    return verify(rows, journal.signatures(), public, name)


def write_audit(journal: Journal, *, names: bool) -> Iterator[bytes]:
    """The lines of the audit of a journal. ``names``: with the email addresses of the tokens."""
    rows = list(withheld(journal.stored_rows()))
    signatures = journal.signatures()
    people = journal.personal() if names else []
    yield from _evidence(rows, signatures, people)
    with _rebuilt(rows, people) as copy:
        yield from statements(copy)


def check_audit(path: Path, public: bytes) -> Verified:
    """Verifies the audit in a file. Raises RunError if it does not hold, UserError if the file cannot be read."""
    try:
        lines = path.read_bytes().splitlines()
        tables = [orjson.loads(line) for line in lines]
        rows, signatures, people = _parse(tables)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path} is not an audit of Gristmill, or is damaged ({error})") from error
    verified = verify(rows, signatures, public, str(path))
    for token, salt, value in people:
        if chain.token(salt, value) != token:
            raise RunError(f"{path}: {value} is not the person {token}")
    with _rebuilt(rows, people) as copy:
        again = [*_evidence(rows, signatures, people), *statements(copy)]
    for number, (line, derived) in enumerate(zip(lines, again, strict=False), 1):
        if line != derived:
            raise RunError(f"{path}, line {number}: this does not follow from the rows")
    if len(lines) != len(again):
        raise RunError(f"{path} has {len(lines):,} lines, but {len(again):,} follow from its rows")
    return verified


def statements(journal: Journal) -> Iterator[bytes]:
    """What the rows say: who was asked what, which page they saw, what they answered, what is in quarantine."""
    record = fold(journal)
    judged = judge(journal, record)
    for kind, key, body in journal.rows("project"):
        made = read(ProjectMade, body, f"the row {kind} {key}")
        yield _line("page", place=key, digest=made.page, labels=made.labels, instructions=made.instructions)
    for kind, key, body in journal.rows("undone"):
        yield _line("undone", batch=key, places=read(Undone, body, f"the row {kind} {key}").places)
    for kind, key, body in journal.rows("guidelines"):
        given = read(Guidelines, body, f"the row {kind} {key}")
        yield _line(
            "guidelines", batch=key, number=given.number, guidelines=given.guidelines, digest=digest(given.page)
        )
    for table, name in ((judged.assignments, "asked"), (judged.judgments, "counted")):
        for row in table.to_pylist():
            unasked = [part for part in ("rating", "refusal") if row.get(part, "") is None]
            yield _line(name, **{part: value for part, value in row.items() if part not in unasked})
    yield from _answers(journal, record)
    for row in judged.refused.drop_columns(["raw"]).to_pylist():
        yield _line("set_apart", **row)
    for row in judged.wordings.to_pylist():
        yield _line("wording", **row)
    for finding in find(journal, record):
        yield _line("finding", **vars(finding))


def _answers(journal: Journal, record: Record) -> Iterator[bytes]:
    authors = record.authors
    for _, key, body in journal.rows("annotation"):
        row = read_annotation(body, f"the row annotation {key}")
        answer = row.annotation
        yield _line(
            "answered",
            annotation=key,
            annotator=authors.get((row.author or "").lower()),
            author=row.author,
            editor=row.editor,
            project=row.project,
            task=row.task,
            shown=row.shown,
            created=answer.get("created_at"),
            submitted=answer.get("updated_at"),
            seconds=answer.get("lead_time"),
            skipped=answer.get("was_cancelled"),
            result=answer.get("result"),
        )


def _line(statement: str, **fields: Any) -> bytes:
    return orjson.dumps({"statement": statement, **fields})


def _evidence(
    rows: Sequence[StoredRow], signatures: Sequence[Signature], people: Sequence[tuple[str, bytes, str]]
) -> Iterator[bytes]:
    yield orjson.dumps({"audit": "gristmill", "version": VERSION, "rows": len(rows)})
    for revision, kind, key, body, hashed in rows:
        held = {"sha256": body.hex()} if kind == "campaign" else {"arrow": base64.b64encode(body).decode()}
        held = held if kind == "campaign" or kind in ARROW else {"body": body.decode()}
        yield orjson.dumps({"row": revision, "kind": kind, "key": key, **held, "hash": (hashed or b"").hex()})
    for revision, head, key_, signed in signatures:
        values = {"head": head.hex(), "key": key_.hex(), "signature": signed.hex()}
        yield orjson.dumps({"checkpoint": revision, **values})
    for token, salt, value in people:
        yield orjson.dumps({"person": token, "salt": salt.hex(), "address": value})


def _parse(tables: Sequence[Any]) -> tuple[list[StoredRow], list[Signature], list[tuple[str, bytes, str]]]:
    header, *others = tables
    if header["audit"] != "gristmill" or header["version"] != VERSION:
        raise ValueError(f"version {header['version']}")
    rows: list[StoredRow] = []
    signatures: list[Signature] = []
    people = []
    for each in others:
        if "row" in each:
            body = (
                bytes.fromhex(each["sha256"])
                if each["kind"] == "campaign"
                else base64.b64decode(each["arrow"])
                if each["kind"] in ARROW
                else each["body"].encode()
            )
            rows.append((each["row"], each["kind"], each["key"], body, bytes.fromhex(each["hash"])))
        elif "checkpoint" in each:
            values = (bytes.fromhex(each[name]) for name in ("head", "key", "signature"))
            signatures.append((each["checkpoint"], *values))
        elif "person" in each:
            people.append((each["person"], bytes.fromhex(each["salt"]), each["address"]))
    return rows, signatures, people


@contextmanager
def _rebuilt(rows: Sequence[StoredRow], people: Sequence[tuple[str, bytes, str]]) -> Iterator[Journal]:
    """A journal of these rows, without the campaign's secret, in a temporary folder."""
    with (
        tempfile.TemporaryDirectory(prefix="gristmill-audit-") as folder,
        Journal(Path(folder) / STORE, create=True) as journal,
    ):
        journal.load_stored(((kind, key, body) for _, kind, key, body, _ in rows[1:]), people)
        yield journal
