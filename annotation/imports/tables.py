"""Collects the pairs and rejects of a file into tables, some thousand rows at a time."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from annotation.campaign.responses import Messages
from annotation.dataset.comparisons import LARGE, SMALL
from annotation.imports.outcomes import REASONS, Candidate, Pair, Reject
from schemas import COMPARISONS, DEGREES, IMPORT_REJECTS

ROWS = 8192
"""Pairs that are held as Python values before they become a record batch."""

_MARGINS = {degree: (small, large) for degree, small, large in zip(DEGREES, SMALL, LARGE, strict=True)}
_BINS: dict[tuple[bool | None, bool | None], str] = {
    (True, False): "chosen_safe",
    (True, True): "both_safe",
    (False, False): "both_unsafe",
}
_LATER = ("prompt_family", "split")
"""Columns that are only known after all files are read."""

FOUND = (
    pa.field("file", pa.string()),
    pa.field("row", pa.int64()),
    pa.field("pair", pa.int32()),
    pa.field("held_out", pa.bool_()),
)
"""The place of a comparison in its file, and whether the row itself says that it is held out."""


@dataclass(frozen=True)
class FileTables:
    """The content of one file: the number of rows and of candidate pairs, and the pairs as tables. ``comparisons`` has
    the columns FOUND instead of prompt_family and split."""

    rows: int
    pairs: int
    comparisons: pa.Table
    rejects: pa.Table


def tables(found: Iterator[Candidate], source: str, file: str, protocol_version: str) -> FileTables:
    """The comparisons and rejects of one file. ``file``: its name in ids and batches."""
    rows = pairs = 0
    comparisons, rejects = _Comparisons(source, file, protocol_version), _Rejects(source, file)
    for each in found:
        rows += each.rows
        pairs += 1
        outcome = each.outcome
        if isinstance(outcome, Pair):
            if comparisons.add(each, outcome):
                continue
            prompt = [{"role": role, "content": content} for role, content in outcome.prompt]
            outcome = Reject("repeated_id", "", raw_of(prompt, outcome.chosen, outcome.rejected))
        rejects.add(each, outcome)
    return FileTables(rows, pairs, comparisons.table(), rejects.table())


def raw_of(prompt: list[dict[str, str]], chosen: str, rejected: str) -> str:
    """A comparison as JSON text, for the rejects table."""
    return orjson.dumps({"prompt": prompt, "chosen": chosen, "rejected": rejected}).decode()


def reject_table(rows: dict[str, list[Any]], source: str) -> pa.Table:
    """The rows of IMPORT_REJECTS, from all its columns except the source."""
    batch = IMPORT_REJECTS.batch({**rows, "source": [source] * len(rows["row"])}, len(rows["row"]))
    IMPORT_REJECTS.check(batch)
    return pa.Table.from_batches([batch])


class _Rejects:
    def __init__(self, source: str, file: str):
        self._source, self._file = source, file
        self._rows: list[tuple[int, int, str, str, str]] = []

    def add(self, found: Candidate, reject: Reject) -> None:
        message = reject.message or REASONS[reject.reason]
        self._rows.append((found.row, found.pair, reject.reason, message, reject.raw))

    def table(self) -> pa.Table:
        names = ("row", "pair", "reason", "message", "raw")
        columns = {name: [row[k] for row in self._rows] for k, name in enumerate(names)}
        return reject_table({**columns, "file": [self._file] * len(self._rows)}, self._source)


class _Comparisons:
    """Collects pairs, and converts every ROWS of them to a record batch."""

    def __init__(self, source: str, file: str, protocol_version: str):
        self._source, self._file, self._version = source, file, protocol_version
        self._names: set[str] = set()
        self._pairs: list[tuple[Candidate, Pair]] = []
        self._batches: list[pa.RecordBatch] = []

    def add(self, found: Candidate, pair: Pair) -> bool:
        """Adds the pair and returns True; returns False without adding it if an earlier pair has its id."""
        if pair.facts.id is not None:
            name = _name(self._source, self._file, found, pair)
            if name in self._names:
                return False
            self._names.add(name)
        self._pairs.append((found, pair))
        if len(self._pairs) == ROWS:
            self._flush()
        return True

    def table(self) -> pa.Table:
        self._flush()
        return pa.Table.from_batches(self._batches)

    def _flush(self) -> None:
        self._batches.append(_batch(self._pairs, self._source, self._file, self._version))
        self._pairs = []


def _batch(found: list[tuple[Candidate, Pair]], source: str, file: str, version: str) -> pa.RecordBatch:
    pairs = [pair for _, pair in found]
    margins = [_MARGINS.get(pair.degree or "", (None, None)) for pair in pairs]
    count = len(pairs)
    columns: dict[str, Any] = {
        "comparison_id": [_name(source, file, each, pair) for each, pair in found],
        "prompt": _prompts([pair.prompt for pair in pairs]),
        "chosen": [pair.chosen for pair in pairs],
        "rejected": [pair.rejected for pair in pairs],
        "degree": [pair.degree for pair in pairs],
        "margin_small": [small for small, _ in margins],
        "margin_large": [large for _, large in margins],
        "weight": [pair.facts.weight for pair in pairs],
        "chosen_safe": [pair.about.safe[0] for pair in pairs],
        "rejected_safe": [pair.about.safe[1] for pair in pairs],
        "safety_bin": [_BINS.get(pair.about.safe) for pair in pairs],
        "chosen_risks": [pair.about.risks[0] for pair in pairs],
        "rejected_risks": [pair.about.risks[1] for pair in pairs],
        "votes": [()] * count,
        "votes_for": [None if pair.votes is None else pair.votes[0] for pair in pairs],
        "votes_against": [None if pair.votes is None else pair.votes[1] for pair in pairs],
        "adjudicated": [False] * count,
        "chosen_model": [pair.about.models[0] for pair in pairs],
        "rejected_model": [pair.about.models[1] for pair in pairs],
        "chosen_temperature": [None] * count,
        "rejected_temperature": [None] * count,
        "source": [source] * count,
        "batch": [pair.facts.batch or file for pair in pairs],
        "protocol": ["imported"] * count,
        "protocol_version": [version] * count,
        "prompt_id": [prompt_id(pair.prompt) for pair in pairs],
    }
    kept = [each for each in COMPARISONS.columns if each.name not in _LATER]
    columns |= {"file": [file] * count, "held_out": [pair.facts.held_out for pair in pairs]}
    columns |= {name: [getattr(each, name) for each, _ in found] for name in ("row", "pair")}
    schema = pa.schema([*kept, *FOUND])
    return pa.RecordBatch.from_arrays([_array(columns[each.name], each.type) for each in schema], schema=schema)


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    return values if isinstance(values, pa.Array) else pa.array(values, kind)


def _name(source: str, file: str, found: Candidate, pair: Pair) -> str:
    """The id of a comparison: source, file, and row number or the row's own id; then its number among several pairs."""
    row = f"{source}/{file}/{found.row:08}" if pair.facts.id is None else f"{source}/{file}/{pair.facts.id}"
    return f"{row}-{found.pair:02}" if found.several else row


def prompt_id(prompt: Messages) -> str:
    """A hash of the messages, 32 hex digits. A campaign gives the same id to a prompt without an id."""
    return hashlib.blake2b(orjson.dumps(prompt), digest_size=16).hexdigest()


def _prompts(prompts: list[Messages]) -> pa.Array:
    kind = COMPARISONS.columns.field("prompt").type
    turns = [turn for prompt in prompts for turn in prompt]
    offsets = np.cumsum([0, *map(len, prompts)], dtype=np.int32)
    fields = list(kind.value_type)
    contents = [pa.array([turn[k] for turn in turns], each.type) for k, each in enumerate(fields)]
    messages = pa.StructArray.from_arrays(contents, fields=fields)
    return pa.ListArray.from_arrays(pa.array(offsets), messages, type=kind)
