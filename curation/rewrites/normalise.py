"""Normalises texts: NFC, repaired mojibake, no control characters, line feeds as line ends."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

import ftfy
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.kernels import odd_characters
from curation.kernels.odd_characters import C1, CONTROL, NOT_NFC, Bytes, Ints
from curation.rewrites.composing import nfc, sort_marks
from curation.rewrites.suspicious import tables

_ROUNDS = 16
_NOT_1252 = re.compile(b"[\xa0-\xff\x1a\x81\x8d\x8f\x90\x9d]")
_C1 = re.compile("[\x80-\x9f]+")
_ENCODING_ONLY = ftfy.TextFixerConfig(
    unescape_html=False,
    remove_terminal_escapes=False,
    fix_latin_ligatures=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_line_breaks=False,
    fix_surrogates=False,
    remove_control_chars=False,
    normalization=None,
    explain=False,
)


@dataclass(frozen=True, kw_only=True)
class Normalise:
    """Normalises texts until nothing changes, so that a second run changes nothing.

    ``control_characters`` removes C0 (except tab and line feed), DEL, C1, U+FEFF and the other invisible format
    characters that ftfy removes; CR LF, CR, vertical tab and form feed become line feeds. ``mojibake`` repairs UTF-8
    that was decoded in a single-byte encoding, line by line, with ftfy. ASCII texts are returned without a copy.
    """

    use: Literal["normalise"] = "normalise"
    nfc: bool = True
    mojibake: bool = True
    control_characters: bool = True

    def rewrite(self, texts: pa.LargeStringArray) -> pa.LargeStringArray:
        """The normalised texts; the same array if nothing changes. Never raises for any text."""
        rows = _TextBuffers.of(texts)
        if not odd_characters.any_odd(rows.data[rows.ends[0] : rows.ends[-1]]):
            return texts
        if texts.null_count:
            filled = self.rewrite(pc.fill_null(texts, ""))
            return pc.if_else(texts.is_valid(), filled, pa.scalar(None, pa.large_string()))
        rows, changed = self._once(rows)
        if not len(changed):
            return texts
        for _ in range(_ROUNDS):
            again, further = self._once(rows.select(changed))
            if not len(further):
                break
            changed = changed[further]
            rows = rows.with_values(changed, [again.row(n) for n in further.tolist()])
        return rows.array()

    def _once(self, rows: "_TextBuffers") -> tuple["_TextBuffers", Ints]:
        """The texts after one round, and the numbers of the rows that it changed."""
        flags, hits = rows.scan()
        changed = np.zeros(len(flags), np.bool_)
        if self.control_characters and (flags & CONTROL).any():
            changed |= (flags & CONTROL) > 0
            rows = rows.without_controls()
            flags, hits = rows.scan()
        new = _repair_rows(rows, hits) if self.mojibake else {}
        if self.control_characters:
            for n in np.flatnonzero(flags & C1).tolist():
                if n not in new or new[n] == rows.text(n):
                    new[n] = _C1.sub("", rows.text(n))
        if self.nfc:
            for n in {*np.flatnonzero(flags & NOT_NFC).tolist(), *new}:
                new[n] = _compose(new[n] if n in new else rows.text(n))
        values = {n: text.encode() for n, text in sorted(new.items())}
        different = np.array([n for n, value in values.items() if value != rows.row(n)], np.int64)
        if len(different):
            rows = rows.with_values(different, [values[n] for n in different.tolist()])
            changed[different] = True
        return rows, np.flatnonzero(changed)


def _compose(text: str) -> str:
    """The text in NFC: line by line, since composing is slow and never crosses a line feed."""
    text = sort_marks(text, "NFD")
    if unicodedata.is_normalized("NFC", text):
        return text
    return "\n".join(map(nfc, text.split("\n")))


def _repair_rows(rows: "_TextBuffers", hits: Ints) -> dict[int, str]:
    """The rows with hits, with their suspicious lines repaired, by row number."""
    new: dict[int, str] = {}
    hit, firsts = np.unique(hits[:, 0], return_index=True)
    for n, places in zip(hit.tolist(), np.split(hits[:, 1], firsts[1:]), strict=False):
        data = rows.row(n)
        pieces: list[bytes] = []
        done = 0
        for place in (places - rows.ends[n]).tolist():
            begin = data.rfind(b"\n", 0, place) + 1
            end = data.find(b"\n", place)
            end = len(data) if end < 0 else end
            pieces.append(data[done:begin])
            pieces.append(_repair_line(data[begin:end].decode()).encode("utf-8", "replace"))
            done = end
        new[n] = b"".join([*pieces, data[done:]]).decode()
    return new


def _repair_line(line: str) -> str:
    """One step of ftfy's repair. If all characters beyond ASCII are C1, Windows-1252 was decoded as Latin-1."""
    try:
        data = line.encode("latin-1")
    except UnicodeEncodeError:
        return ftfy.fix_text(line, _ENCODING_ONLY)
    if _NOT_1252.search(data):
        return ftfy.fix_text(line, _ENCODING_ONLY)
    return data.decode("sloppy-windows-1252")


@dataclass(frozen=True)
class _TextBuffers:
    """The buffers of a column of strings; row n is ``data[ends[n]:ends[n + 1]]``."""

    data: Bytes
    ends: Ints

    @classmethod
    def of(cls, texts: pa.LargeStringArray) -> "_TextBuffers":
        _, ends, data = texts.buffers()
        if ends is None or data is None or not len(texts):
            return cls(np.empty(0, np.uint8), np.zeros(len(texts) + 1, np.int64))
        places = np.frombuffer(ends, np.int64)[texts.offset : texts.offset + len(texts) + 1]
        return cls(np.frombuffer(data, np.uint8), places)

    @classmethod
    def of_values(cls, values: list[bytes]) -> "_TextBuffers":
        ends = np.zeros(len(values) + 1, np.int64)
        np.cumsum([len(value) for value in values], out=ends[1:])
        return cls(np.frombuffer(b"".join(values), np.uint8), ends)

    def array(self) -> pa.LargeStringArray:
        return pa.LargeStringArray.from_buffers(len(self.ends) - 1, pa.py_buffer(self.ends), pa.py_buffer(self.data))

    def row(self, n: int) -> bytes:
        return self.data[self.ends[n] : self.ends[n + 1]].tobytes()

    def text(self, n: int) -> str:
        return self.row(n).decode()

    def select(self, rows: Ints) -> "_TextBuffers":
        return _TextBuffers.of_values([self.row(n) for n in rows.tolist()])

    def scan(self) -> tuple[Bytes, Ints]:
        """Flags of the kinds of characters in each row, and places of possible mojibake; see `odd_characters.scan`."""
        flags = np.zeros(len(self.ends) - 1, np.uint8)
        hits = np.empty((len(flags) + 1024, 2), np.int64)
        kinds, first, second = tables()
        count = odd_characters.scan(self.data, self.ends, kinds, first, second, flags, hits)
        if count > len(hits):
            hits = np.empty((count, 2), np.int64)
            odd_characters.scan(self.data, self.ends, kinds, first, second, flags, hits)
        return flags, hits[:count]

    def without_controls(self) -> "_TextBuffers":
        """The rows without control characters (except C1), with line feeds as line ends."""
        out = np.empty(self.ends[-1] - self.ends[0], np.uint8)
        ends = np.zeros(len(self.ends), np.int64)
        kinds = tables().kinds
        size = odd_characters.strip_controls(self.data, self.ends, kinds, CONTROL, out, ends)
        return _TextBuffers(out[:size], ends)

    def with_values(self, rows: Ints, values: list[bytes]) -> "_TextBuffers":
        """The column with new values for some rows (in ascending order)."""
        new = _TextBuffers.of_values(values)
        kept = (self.ends[-1] - self.ends[0]) - (self.ends[rows + 1] - self.ends[rows]).sum()
        out = np.empty(kept + len(new.data), np.uint8)
        ends = np.zeros(len(self.ends), np.int64)
        odd_characters.replace_rows(self.data, self.ends, rows, new.data, new.ends, out, ends)
        return _TextBuffers(out, ends)
