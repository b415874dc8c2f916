"""The words that a data card looks for: pronouns by kind, and descriptors of identity by axis from the user's file."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.kernels.listed_terms import MOST_GROUPS, Terms, terms
from schemas.errors import UserError
from schemas.named_files import read_named

SHE, HE, UNSPECIFIED = "she", "he", "unspecified"
FIRST, SECOND, THIRD = "first", "second", "third"
GENDERED = {
    SHE: "she her hers herself",
    HE: "he him his himself",
    UNSPECIFIED: "they them their theirs theirself themself themselves",
}
"""Gendered pronouns by kind (Touvron et al. 2023, Llama 2, Table 9)."""
PERSONAL = {
    FIRST: "I me my mine myself we us our ours ourselves",
    SECOND: "you your yours yourself yourselves",
    THIRD: " ".join([*GENDERED.values(), "it its itself"]),
}
"""Pronouns by grammatical person (the same table); the third person includes all gendered pronouns."""
KINDS = (*GENDERED, *PERSONAL)
_MOST_BYTES = 32 << 20
_DESCRIPTOR = "descriptor"
_WORD = re.compile(r"\w")


@dataclass(frozen=True)
class Wanted:
    """The terms of a card, made ready. Group n of a term is the n-th of KINDS or, behind them, of ``axes``; ``names``
    are the terms by number; ``of_axis`` the numbers of each axis's terms. ``file`` is the name of the user's file."""

    terms: Terms
    names: tuple[str, ...]
    axes: tuple[str, ...]
    file: str | None

    def numbers(self, group: int) -> list[int]:
        """The numbers of the terms of a group."""
        return [number for number, groups in enumerate(self.terms.groups.tolist()) if groups >> group & 1]


def wanted_terms(file: Path | None = None) -> Wanted:
    """The pronouns and, if there is a file, the descriptors of its axes.

    The file is JSON like HolisticBias (Smith et al. 2022): an object with an entry for each axis, which holds texts, or
    objects with a text ``descriptor``, in lists and objects of any depth. Raises UserError for any other file.
    """
    table = {} if file is None else _read(file)
    axes = tuple(sorted(table))
    if len(KINDS) + len(axes) > MOST_GROUPS:
        raise UserError(f"{file} has {len(axes)} axes: give at most {MOST_GROUPS - len(KINDS)}")
    listed = [
        (word, number)
        for number, words in enumerate([*GENDERED.values(), *PERSONAL.values()])
        for word in words.split()
    ]
    for number, axis in enumerate(axes, len(KINDS)):
        listed += [(entry, number) for entry in sorted(set(table[axis]))]
    made, names = terms(listed)
    return Wanted(made, tuple(names), axes, None if file is None else file.name)


def _read(file: Path) -> dict[str, list[str]]:
    """The descriptors of a file by axis."""
    try:
        content = read_named(file, _MOST_BYTES, "a file of descriptors (JSON)")
        table = json.loads(content)
        json.dumps(table, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise UserError(f"{file} holds half of a surrogate pair, which is not valid Unicode: remove it") from error
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"it is not JSON: {error}"
        raise UserError(f"{file} cannot be read: {reason}") from error
    if not isinstance(table, dict):
        raise UserError(f'{file} holds no axes: give an object such as {{"religion": ["Buddhist", "Hindu"]}}')
    found = {axis: list(_texts(entry, f"{file}: {axis}")) for axis, entry in table.items()}
    for axis, entries in found.items():
        if not entries:
            raise UserError(f"{file}: {axis} has no descriptors: add one, or remove the axis")
    return found


def _texts(entry: Any, place: str) -> Iterator[str]:
    if isinstance(entry, str):
        if not _WORD.search(entry):
            raise UserError(f"{place} holds {entry!r}, which has no word: remove it")
        yield entry
    elif isinstance(entry, dict) and isinstance(entry.get(_DESCRIPTOR), str):
        yield from _texts(entry[_DESCRIPTOR], place)
    elif isinstance(entry, dict | list):
        for each in entry.values() if isinstance(entry, dict) else entry:
            yield from _texts(each, place)
    else:
        raise UserError(f"{place} holds {entry!r}: give texts, in lists or objects")
