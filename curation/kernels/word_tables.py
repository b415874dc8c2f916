"""The tables for splitting text in `words.py`: the roles of characters, and the special texts."""

from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.kernels.affixes import MERGED_SHIFT, PIECES_SHIFT, SLOTS, STOP_SHIFT, UNIT, cut_texts
from curation.kernels.buffers import text_buffers
from curation.kernels.english import special_cases
from curation.kernels.hashing import hash_bytes
from curation.kernels.word_classes import kinds_table

_UNITS = (
    "km km² km³ m m² m³ dm dm² dm³ cm cm² cm³ mm mm² mm³ ha µm nm yd in ft kg g mg µg t lb oz m/s km/h kmh mph hPa Pa "
    "mbar mb MB kb KB gb GB tb TB T G M K % US$ C$ A$ "
    "км км² км³ м м² м³ дм дм² дм³ см см² см³ мм мм² мм³ нм кг г мг м/с км/ч кПа Па мбар Кб КБ кб Мб МБ мб Гб ГБ гб Тб "
    "ТБ كم كم² كم³ م م² م³ سم سم² سم³ مم مم² مم³ غرام جرام جم كغ ملغ كوب اكواب "
    "$ £ € ¥ ฿ ﷼"
)
"""Units, which are split from the end of a word after a digit, like the currency signs U+20A0 to U+20BF."""
STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
"""Gopher's stop words."""


class WordTables(NamedTuple):
    """The tables of `words.py`, all read-only.

    Special texts are in a hash table (open addressing) of `SLOTS` slots, by their `hash_bytes`.
    """

    kinds: npt.NDArray[np.uint16]
    """The flags of each code point (`word_classes.py`)."""
    tags: npt.NDArray[np.uint8]
    """0 for a free slot."""
    specials: npt.NDArray[np.uint64]
    """(SLOTS, 2): the hash of the text, and, from the lowest bit on: its number of words (`WORDS_BITS`), `UNIT`, the
    number of the stop word (4 bits), the number of words by the rules for other texts if more than one (8 bits), and
    the number of characters of each of its words (8 bits each)."""


@cache
def word_tables() -> WordTables:
    """The tables, made once per process."""
    kinds = kinds_table()
    cases = special_cases()
    texts = text_buffers(pa.array(list(cases), pa.large_string()))
    words = np.zeros(len(cases), np.int64)
    cut_texts(*texts, *_build(kinds, {}), words)
    values = {}
    for (text, parts), width in zip(cases.items(), words.tolist(), strict=True):
        value = len(parts) | (width << MERGED_SHIFT if width > 1 else 0)
        for k, part in enumerate(parts):
            value |= len(part) << (PIECES_SHIFT + 8 * k)
        values[text] = value
    return _build(kinds, values)


@cache
def spaced_tables() -> WordTables:
    """The tables without English texts, for any language with spaces between words, made once per process."""
    return _build(kinds_table(), {})


def _build(kinds: npt.NDArray[np.uint16], cases: dict[str, int]) -> WordTables:
    """The tables with some special texts, units and stop words."""
    values = dict(cases)
    for text in [*_UNITS.split(), *map(chr, range(0x20A0, 0x20C0))]:
        values[text] = values.get(text, 0) | UNIT
    for number, text in enumerate(STOP_WORDS, start=1):
        values[text] = values.get(text, 0) | number << STOP_SHIFT
    tags, specials = np.zeros(SLOTS, np.uint8), np.zeros((SLOTS, 2), np.uint64)
    data, offsets = text_buffers(pa.array(list(values), pa.large_string()))
    for (start, end), value in zip(pairwise(offsets.tolist()), values.values(), strict=True):
        key = int(hash_bytes(data, start, end))
        slot = key % SLOTS
        while tags[slot]:
            slot = (slot + 1) % SLOTS
        tags[slot], specials[slot] = 1, (key, value)
    tables = WordTables(kinds, tags, specials)
    for table in tables:
        table.flags.writeable = False
    return tables
