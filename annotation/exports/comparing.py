"""Compares a split of an export with the same split of its dataset, and lists the differences."""

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from annotation.exports.formats import Format
from annotation.exports.layouts import Comparisons
from annotation.exports.readback import Messages, Row, RowContent, UnreadableError

BATCH = 1000
_LOOKED_AT = {"prompt", "chosen", "rejected", "chosen_safe", "rejected_safe", "margin", "weight"}


@dataclass(frozen=True)
class Fault:
    """A difference: its kind in a word, a message, and its place (``row`` counts from 0)."""

    kind: str
    message: str
    split: str | None = None
    row: int | None = None
    comparison_id: str | None = None


@dataclass(frozen=True)
class Compared:
    """The number of rows that were read, and their faults."""

    rows: int
    faults: list[Fault]


class _Wanted:
    """The expected comparisons, converted to Python objects a batch at a time."""

    KEPT = 4

    def __init__(self, rows: Comparisons, wanted: Format):
        self.whole = wanted.file == "disk"
        names = ["comparison_id", "prompt", "chosen", "rejected", "weight", "chosen_safe", "rejected_safe"]
        self.table = rows.table if self.whole else rows.table.select(names)
        if rows.margin is not None:
            self.table = self.table.append_column("margin", rows.margin)
        self._batches: dict[int, list[dict[str, Any]]] = {}

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, place: int) -> dict[str, Any]:
        number, inside = divmod(place, BATCH)
        if number not in self._batches:
            if len(self._batches) == self.KEPT:
                del self._batches[next(iter(self._batches))]
            self._batches[number] = self.table.slice(number * BATCH, BATCH).to_pylist()
        return self._batches[number][inside]

    def ids(self) -> list[str]:
        ids: list[str] = self.table["comparison_id"].to_pylist()
        return ids


def compare(split: str, expected: Comparisons, found: Iterable[Row], wanted: Format) -> Compared:
    """Compares each row with its comparison, found by id if the format carries ids, otherwise by a digest of its texts.
    Memory is about 200 bytes per row, besides the columns."""
    wants = _Wanted(expected, wanted)
    waiting = _places(wants, wanted)
    named = {"prompt", *wanted.write(Comparisons(expected.table.slice(0, 0), _empty(expected.margin)))}
    faults: list[Fault] = []
    odd: list[tuple[int, Row]] = []
    count = 0
    for number, row in enumerate(found):
        count += 1
        strange = row.keys() - named
        if strange:
            faults.append(Fault("column_added", f"the row has {', '.join(sorted(strange))}, too", split, number))
        places = waiting.get(_key(row, wanted))
        if not places:
            odd.append((number, row))
            continue
        want = wants[places.pop()]
        for kind, message in _differences(row, want, wanted):
            faults.append(Fault(kind, message, split, number, want["comparison_id"]))
    left = sorted(place for places in waiting.values() for place in places)
    paired = min(len(odd), len(left)) if "comparison_id" not in wanted.carries else 0
    for (number, row), place in zip(odd[:paired], left[:paired], strict=True):
        for kind, message in _differences(row, wants[place], wanted):
            faults.append(Fault(kind, message, split, number, wants[place]["comparison_id"]))
    for number, _ in odd[paired:]:
        faults.append(Fault("row_added", "the dataset has no comparison for it, or no further one", split, number))
    for place in left[paired:]:
        faults.append(Fault("row_lost", "the export has no row for it", split, None, wants[place]["comparison_id"]))
    return Compared(count, faults)


def _empty(margin: pa.DoubleArray | None) -> pa.DoubleArray | None:
    return None if margin is None else margin.slice(0, 0)


def _places(wants: _Wanted, wanted: Format) -> dict[Hashable, list[int]]:
    """The comparisons without a row yet, by the key of their rows, in reverse order."""
    out: dict[Hashable, list[int]] = {}
    if wanted.halves:
        keys: Iterable[Hashable] = [(each, label) for label in (True, False) for each in wants.ids()]
    elif "comparison_id" in wanted.carries:
        keys = wants.ids()
    else:
        keys = (
            _join_texts(want["prompt"], want["chosen"], want["rejected"])
            for want in map(wants.__getitem__, range(len(wants)))
        )
    for number, key in enumerate(keys):
        out.setdefault(key, []).append(number % len(wants))
    for places in out.values():
        places.reverse()
    return out


def _key(row: Row, wanted: Format) -> Hashable:
    if wanted.halves:
        return row.get("comparison_id"), row.get("label")
    if "comparison_id" in wanted.carries:
        key: Hashable = row.get("comparison_id")
        return key
    try:
        seen = wanted.read(row)
    except UnreadableError:
        return None
    return _join_texts(seen.before["chosen"], *(seen.answers[which]["content"] for which in ("chosen", "rejected")))


def _join_texts(prompt: Messages, *answers: str) -> bytes:
    """A digest of a row's texts."""
    digest = hashlib.blake2b(digest_size=16)
    for text in (*(part for turn in prompt for part in (turn["role"], turn["content"])), "", *answers):
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return digest.digest()


def _differences(row: Row, want: dict[str, Any], wanted: Format) -> Iterator[tuple[str, str]]:
    """The differences between a row as a trainer reads it and its comparison: (kind, message)."""
    try:
        seen = wanted.read(row)
    except UnreadableError as error:
        yield "malformed", str(error)
        return
    yield from _dialogue(seen, want)
    for which, safe in seen.safe.items():
        if safe != want[f"{which}_safe"]:
            yield "safety_differs", f"{which}_safe is {safe}, not {want[f'{which}_safe']}"
    for name in ("margin", "weight"):
        if name not in wanted.carries or name not in want:
            continue
        if row.get(name) is None:
            yield f"{name}_missing", f"the row has no {name}"
        elif not isinstance(row[name], float) or row[name] != want[name]:
            yield f"{name}_differs", f"{name} is {row[name]!r}, not {want[name]!r}"
    if "chosen_safe" in wanted.carries and not seen.safe:
        yield "safety_missing", "the row has no flags of safety"
    if wanted.file == "disk":  # this format has all columns of the dataset
        for name in want.keys() - _LOOKED_AT:
            if row.get(name) != want[name]:
                yield "column_differs", f"{name} is {row.get(name)!r}, not {want[name]!r}"


def _dialogue(seen: RowContent, want: dict[str, Any]) -> Iterator[tuple[str, str]]:
    texts = {which: answer["content"] for which, answer in seen.answers.items()}
    if len(texts) == 2 and texts == {"chosen": want["rejected"], "rejected": want["chosen"]}:
        yield "swapped", "the chosen and the rejected answer changed places"
        return
    for which, answer in seen.answers.items():
        if answer["role"] != "assistant":
            yield "role_differs", f"the role of {which} is {answer['role']}, not assistant"
        if answer["content"] != want[which]:
            yield _text(answer["content"], want[which], want["prompt"], which)
        if seen.before[which] != want["prompt"]:
            yield _prompt(seen.before[which], want["prompt"], which)


def _text(found: str, want: str, prompt: Messages, which: str) -> tuple[str, str]:
    if found and (want.startswith(found) or want.endswith(found)):
        return "answer_cut", f"{which} is cut: {len(found):,} of {len(want):,} characters"
    if found.endswith(want) and prompt and prompt[-1]["content"] in found:
        return "prompt_twice", f"{which} has the prompt inside"
    return "answer_differs", f"{which} is another text: {found[:40]!r}, not {want[:40]!r}"


def _prompt(found: Messages, want: Messages, which: str) -> tuple[str, str]:
    if want and found[: len(want)] == want and Counter(map(_turn, found[len(want) :])) == Counter(map(_turn, want)):
        return "prompt_twice", f"{which} follows the prompt twice"
    if len(found) < len(want) and (want[: len(found)] == found or want[len(want) - len(found) :] == found):
        return "prompt_cut", f"{len(found)} of {len(want)} messages are before {which}"
    return "prompt_differs", f"{which} follows another dialogue"


def _turn(message: dict[str, str]) -> tuple[str, str]:
    return message["role"], message["content"]
