"""Reads blocks of JSON lines into columns: a compiled scanner reads simple lines, the full parser all others."""

from codecs import BOM_UTF8
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from curation.kernels import json_scan, json_write
from curation.sources.chunks import ChunkBuilder, RecordError, content_id
from curation.sources.json_objects import Fields, canonical_json, parse_object
from schemas.corpus import RECORDS

_SMALLEST_FIELD = len('"":1,')
_COLON = ord(":")
Document = dict[str, str | int | None]
_NEWLINE = 10
Mask = npt.NDArray[np.bool_]


@dataclass
class _Scan:
    """The kernel's findings on the lines of a block; see `json_scan.scan_lines`."""

    buf: json_scan.Bytes
    lines: json_scan.Ints
    states: json_scan.Bytes
    kinds: json_scan.Bytes
    begins: json_scan.Ints
    stops: json_scan.Ints
    left: json_scan.Ints
    left_ends: json_scan.Ints


class LineParser:
    """Adds the documents of blocks of lines to ``builder``."""

    def __init__(self, builder: ChunkBuilder) -> None:
        self.builder = builder
        self.fields = Fields(builder.reading.fields)
        self.limit = builder.reading.max_record_bytes
        names = [name for wanted in self.fields.names.values() for name in wanted]
        self.index = {column: names.index(wanted[0]) for column, wanted in self.fields.names.items()}
        self.second_id = names.index("id") if len(self.fields.names["doc_id"]) == 2 else None
        self.scannable = len(set(names)) == len(names) and not any("." in name for name in names)
        self.keys = np.frombuffer("".join(names).encode(), np.uint8)
        self.key_ends = np.cumsum([len(name.encode()) for name in names], dtype=np.int64)

    def parse(self, block: bytes, offset: int) -> None:
        """Reads complete lines; ``offset`` is the place of the block in the decompressed file."""
        if offset == 0 and block.startswith(BOM_UTF8):
            block, offset = block[len(BOM_UTF8) :], len(BOM_UTF8)
        if not block:
            return
        scanned = self._scan_if_memory(block, offset)
        if scanned is None:
            self._parse_halves(block, offset)
            return
        scan, batch, text_bytes = scanned
        if (scan.states == json_scan.EASY).all():
            self.builder.add_batch(batch, text_bytes)
            return
        batch = batch.filter(pa.array(scan.states == json_scan.EASY))
        hard = np.flatnonzero(scan.states == json_scan.HARD)
        parsed: dict[int, Document] = {}
        for n, (begin, end) in zip(hard.tolist(), scan.lines[hard].tolist(), strict=True):
            document = self._document(block[begin:end], offset + begin)
            if document is not None:
                parsed[n] = document
        if parsed:
            easy = np.flatnonzero(scan.states == json_scan.EASY)
            batch = _merge(batch, easy, parsed)
            text_bytes += sum(len(str(document["text"])) for document in parsed.values())
        self.builder.add_batch(batch, text_bytes)

    def _parse_halves(self, block: bytes, offset: int) -> None:
        """Reads a block in halves, because together its lines need more memory than this process may use. A single line
        that needs too much goes to quarantine."""
        middle = block.rfind(b"\n", 0, len(block) // 2) + 1 or block.find(b"\n", 0, -1) + 1
        if middle:
            self.parse(block[:middle], offset)
            self.parse(block[middle:], offset + middle)
        else:
            line = block.removesuffix(b"\n")
            message = f"reading a line of {len(line)} bytes takes more memory than --memory allows"
            self.builder.quarantine("too_large", message, offset=offset, record=line)

    def _scan_if_memory(self, block: bytes, offset: int) -> tuple[_Scan, pa.RecordBatch, int] | None:
        """The scan and its columns; None, with all memory freed, if they need more memory than this process may use."""
        try:
            scan = self._scan(block)
            return scan, *self._columns(scan, block, offset)
        except MemoryError:
            return None

    def _scan(self, block: bytes) -> _Scan:
        buf = np.frombuffer(block, np.uint8)
        n, k = int(np.count_nonzero(buf == _NEWLINE)) + 1, len(self.key_ends)
        fields = min(int(np.count_nonzero(buf == _COLON)), len(block) // _SMALLEST_FIELD + 1)
        scan = _Scan(
            buf=buf,
            lines=np.empty((n, 2), np.int64),
            states=np.empty(n, np.uint8),
            kinds=np.empty((n, k), np.uint8),
            begins=np.empty((n, k), np.int64),
            stops=np.empty((n, k), np.int64),
            left=np.empty((fields, 4), np.int64),
            left_ends=np.empty(n, np.int64),
        )
        found = json_scan.scan_lines(
            scan.buf, self.keys, self.key_ends, scan.lines, scan.states, scan.kinds, scan.begins, scan.stops, scan.left,
            scan.left_ends,
        )  # fmt: skip
        for name in ("lines", "states", "kinds", "begins", "stops", "left_ends"):
            setattr(scan, name, getattr(scan, name)[:found])
        self._set_hard(scan, block)
        return scan

    def _set_hard(self, scan: _Scan, block: bytes) -> None:
        """Marks the lines for the full parser that the scanner cannot accept as documents."""
        easy = scan.states == json_scan.EASY
        if not self.scannable:
            scan.states[easy] = json_scan.HARD
            return
        text = scan.kinds[:, self.index["text"]]
        hard = (text != json_scan.STRING) & (text != json_scan.ESCAPED)
        for column, k in self.index.items():
            if column != "text":
                hard |= scan.kinds[:, k] == json_scan.OTHER
        empty = (scan.kinds == json_scan.STRING) & (scan.begins == scan.stops)
        empty[:, self.index["text"]] = False
        scan.kinds[empty] = json_scan.NULL
        if self.second_id is not None:
            first, second = self.index["doc_id"], self.second_id
            hard |= scan.kinds[:, second] == json_scan.OTHER
            given = scan.kinds[:, first] > json_scan.NULL
            hard |= given & (scan.kinds[:, second] != json_scan.ABSENT)
            for values in (scan.kinds, scan.begins, scan.stops):
                values[:, first] = np.where(given, values[:, first], values[:, second])
        hard |= scan.lines[:, 1] - scan.lines[:, 0] > self.limit
        if not _valid_utf8(block):
            hard |= np.fromiter((not _decodes(block[a:b]) for a, b in scan.lines.tolist()), np.bool_, len(hard))
        scan.states[easy & hard] = json_scan.HARD

    def _columns(self, scan: _Scan, block: bytes, offset: int) -> tuple[pa.RecordBatch, int]:
        """One row per line, valid for lines that are still EASY after this call; and the bytes of text."""
        texts, valid = self._strings(scan, "text")
        urls, has_url = self._strings(scan, "url")
        metadata = self._metadata(scan, block)
        columns = {
            "text": texts.array(),
            "url": urls.array(has_url),
            "doc_id": self._doc_ids(scan, texts, urls),
            "source": self._sources(scan),
            "date": self._dates(scan),
            "file": _constant(self.builder.name, len(scan.states)),
            "offset": pa.array(scan.lines[:, 0] + offset),
            "metadata": metadata,
        }
        return RECORDS.batch(columns, len(valid)), texts.size

    def _strings(self, scan: _Scan, column: str) -> tuple["_Strings", Mask]:
        """The strings of a column (empty if missing), and which lines have a string."""
        k = self.index[column]
        kinds = scan.kinds[:, k]
        begins, stops = scan.begins[:, k], scan.stops[:, k]
        present = (scan.states == json_scan.EASY) & (kinds > json_scan.NULL)
        out = np.empty(int((stops - begins)[present].sum()) if column != "text" else len(scan.buf), np.uint8)
        ends = np.zeros(len(kinds) + 1, np.int64)
        size = json_write.gather(scan.buf, scan.states, kinds, begins, stops, out, ends[1:], column != "text")
        return _Strings(out, ends, size, pa.large_string() if column == "text" else pa.string()), present

    def _doc_ids(self, scan: _Scan, texts: "_Strings", urls: "_Strings") -> pa.Array:
        ids, given = self._strings(scan, "doc_id")
        easy = scan.states == json_scan.EASY
        if given[easy].all():
            return ids.array()
        missing = np.flatnonzero(easy & ~given).tolist()
        values = ids.array().to_pylist() if given.any() else [""] * len(given)
        text, url = memoryview(texts.out), memoryview(urls.out)  # type: ignore[arg-type]
        for n in missing:
            head, body = url[urls.ends[n] : urls.ends[n + 1]], text[texts.ends[n] : texts.ends[n + 1]]
            values[n] = xxhash.xxh3_128_hexdigest(b"\0".join((head, body)))
        return pa.array(values, pa.string())

    def _sources(self, scan: _Scan) -> pa.Array:
        if (scan.kinds[:, self.index["source"]] <= json_scan.NULL).all():
            return _constant(self.builder.source_of(None), len(scan.states))
        sources, given = self._strings(scan, "source")
        return pc.fill_null(sources.array(given), self.builder.source_of(None))

    def _dates(self, scan: _Scan) -> pa.Array:
        if (scan.kinds[:, self.index["date"]] <= json_scan.NULL).all():
            return pa.nulls(len(scan.states), pa.string())
        dates, given = self._strings(scan, "date")
        return dates.array(given)

    def _metadata(self, scan: _Scan, block: bytes) -> pa.Array:
        if not len(scan.left_ends) or scan.left_ends[-1] == 0:
            return _constant("{}", len(scan.states), pa.large_string())
        out = np.empty(len(scan.buf) + 2 * len(scan.states), np.uint8)
        ends = np.zeros(len(scan.states) + 1, np.int64)
        undone = np.empty(len(scan.states), np.uint8)
        size = json_write.gather_left(scan.buf, scan.states, scan.left, scan.left_ends, out, ends[1:], undone)
        array = _Strings(out, ends, size, pa.large_string()).array()
        if not undone.any():
            return array
        values = array.to_pylist()
        fields = scan.left[: scan.left_ends[-1], [0, 2]].tolist()
        edges = [0, *scan.left_ends.tolist()]
        for n in np.flatnonzero(undone).tolist():
            members = b",".join([block[begin:stop] for begin, stop in fields[edges[n] : edges[n + 1]]])
            try:
                values[n] = canonical_json(parse_object(b"{%b}" % members))
            except RecordError:
                scan.states[n] = json_scan.HARD
        return pa.array(values, pa.large_string())

    def _document(self, line: bytes, offset: int) -> Document | None:
        """The document on one line, by the full parser; None if the line went to quarantine."""
        try:
            if len(line) > self.limit:
                message = f"a line of {len(line)} bytes, more than max_record_bytes = {self.limit}"
                raise RecordError("too_large", message)
            values = self.fields.document(parse_object(line))
        except RecordError as bad:
            self.builder.quarantine(bad.error, str(bad), offset=offset, record=line)
            return None
        doc_id = values["doc_id"] or content_id(values["url"], str(values["text"]))
        source = self.builder.source_of(values["source"])
        return {**values, "doc_id": doc_id, "source": source, "file": self.builder.name, "offset": offset}


@dataclass(frozen=True)
class _Strings:
    """Strings one after another in ``out``: string n is at [ends[n], ends[n + 1])."""

    out: json_scan.Bytes
    ends: json_scan.Ints
    size: int
    type: pa.DataType

    def array(self, valid: Mask | None = None) -> pa.Array:
        """The strings as an Arrow array, null where not ``valid``."""
        large = self.type == pa.large_string()
        ends = self.ends if large else self.ends.astype(np.int32)
        bitmap = None if valid is None or valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
        buffers = [bitmap, pa.py_buffer(ends), pa.py_buffer(self.out[: self.size])]
        return pa.Array.from_buffers(self.type, len(ends) - 1, buffers)


def _constant(value: str, rows: int, kind: pa.DataType | None = None) -> pa.Array:
    return pa.repeat(pa.scalar(value, kind or pa.string()), rows)


def _merge(batch: pa.RecordBatch, easy: npt.NDArray[np.int64], parsed: dict[int, Document]) -> pa.RecordBatch:
    """The rows of the lines ``easy`` and of the parsed lines, in the order of the lines."""
    others = RECORDS.batch({name: [document[name] for document in parsed.values()] for name in RECORDS.columns.names})
    order = np.argsort(np.concatenate([easy, np.fromiter(parsed, np.int64)]), kind="stable")
    return pa.concat_batches([batch, others]).take(pa.array(order))


def _valid_utf8(block: bytes) -> bool:
    """Whether the block is UTF-8, by Arrow's validator (about 10 GB/s)."""
    ends = pa.py_buffer(np.array([0, len(block)], np.int64))
    try:
        pa.Array.from_buffers(pa.large_string(), 1, [None, ends, pa.py_buffer(block)]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _decodes(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
