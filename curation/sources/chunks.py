"""What a source hands over: batches of documents with everything that was read beside them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa
import xxhash

from curation.sources.events import EXCERPT_BYTES, Broken
from curation.sources.inputs import InputFile, Span
from curation.sources.members import MAX_WINDOW_BYTES
from schemas.corpus import QUARANTINE, RECORDS
from schemas.errors import UserError
from schemas.records import other_keys

COLUMNS = ("text", "url", "doc_id", "source", "date")
"""Columns of a document that a field of the input can be mapped to."""

DEFAULT_SOURCE = "default"
MESSAGE_LENGTH = 300
"""Characters of a message that a part's report keeps."""

_ROW_BYTES = 1000
"""About what a row of quarantine takes in memory beside its excerpt."""

_MAX_PENDING = 1 << 16
"""Documents that are held one by one: those of a word or two take far more memory than their text."""
_MAX_GATHERED = 1 << 19
"""Documents of a chunk, however short they are."""

FREE_RECORDS = 200_000
"""A part yields at most so many records and one for each stored byte of its file. What compresses further is made to
take time: a few kilobytes hold millions of records of a letter each."""


@dataclass(frozen=True, kw_only=True)
class ReadingSettings:
    """How inputs are read.

    ``fields`` maps our columns to the input's fields (a dotted path reaches into nested ones). ``extract`` names what
    takes the main text out of HTML. Records longer than ``max_record_bytes`` go to quarantine. ``max_window_bytes`` is
    the most memory that a compressed file may ask for to be decompressed (what zstd --long=31 wrote asks for 2 GiB).
    ``batch_bytes`` is about how much text one chunk holds.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    extract: Literal["trafilatura", "resiliparse"] = "trafilatura"
    max_record_bytes: int = 64 << 20
    max_window_bytes: int = MAX_WINDOW_BYTES
    batch_bytes: int = 4 << 20

    def __post_init__(self) -> None:
        for column, name in self.fields.items():
            if column not in COLUMNS:
                raise UserError(f"fields: there is no column '{column}'; choose from {', '.join(COLUMNS)}")
            if not name:
                raise UserError(f"fields.{column}: the input's field name is empty")
        if self.extract not in ("trafilatura", "resiliparse"):
            raise UserError(f"extract: '{self.extract}' is unknown; choose trafilatura or resiliparse")
        if self.max_window_bytes < 1:
            raise UserError("max_window_bytes must be at least 1")
        if self.max_record_bytes < 1 or self.batch_bytes < 1:
            raise UserError("max_record_bytes and batch_bytes must be at least 1")


@dataclass(frozen=True)
class Lost:
    """What could not be read of a part: stretches that could not be decoded, or each of its records.

    ``bytes`` are the stored bytes of the stretches: 0 where the file ends too early, as what is missing is not stored,
    and where single records are bad. ``error`` and ``message`` are those of the first stretch, else of the first
    record. ``whole`` says that nothing was read from the part. ``doubtful_documents`` counts the documents that were
    read from broken members before these were known to be broken, and may be damaged.
    """

    bytes: int
    error: str
    message: str
    whole: bool
    doubtful_documents: int = 0
    others: Mapping[str, Any] = other_keys()


@dataclass(frozen=True)
class SpanReport:
    """A part was read to its end: SHA-256 and number of its stored bytes, and what became of its records.

    ``note`` is a sentence for the user where something about the whole part is wrong. ``lost`` is None where the part
    was read to its end; single bad records do not count, unless there is nothing else.
    """

    span: Span
    sha256: str
    bytes: int
    documents: int
    quarantined: int
    skipped: int
    note: str | None = None
    lost: Lost | None = None


@dataclass
class Chunk:
    """Some 2 to 8 MB of documents, and what was met while reading them.

    ``skipped`` counts by reason the records that are no documents. ``bytes_read`` is decompressed bytes (stored bytes
    for Parquet). ``finished`` lists the parts of which this chunk holds the last row: small files share a chunk.
    """

    documents: pa.RecordBatch
    quarantine: pa.RecordBatch
    skipped: Counter[str]
    bytes_read: int
    finished: tuple[SpanReport, ...] = ()


def content_id(url: str | None, text: str) -> str:
    """The id of a document that has none: xxh3_128 of url, a NUL and the text, in hex."""
    return xxhash.xxh3_128_hexdigest(f"{url or ''}\0{text}".encode("utf-8", "surrogatepass"))


def doubtful_documents(count: int) -> str:
    """What to say of so many documents that were read from a member before it was known to be broken.

    >>> doubtful_documents(1), doubtful_documents(1_022)
    ('1 document read before may be damaged', '1,022 documents read before may be damaged')
    """
    return f"{count:,} {'document' if count == 1 else 'documents'} read before may be damaged"


class ChunkBuilder:
    """Gathers documents and quarantined records until they fill a chunk."""

    def __init__(self, reading: ReadingSettings) -> None:
        self.reading = reading
        self._span: Span | None = None
        self.name, self.stored_bytes = "", 0
        self._start_span_counts()
        self._clear()

    def _clear(self) -> None:
        self._pending: dict[str, list[object]] = {name: [] for name in RECORDS.columns.names}
        self._batches: list[pa.RecordBatch] = []
        self._quarantine: dict[str, list[object]] = {name: [] for name in QUARANTINE.columns.names}
        self._skipped: Counter[str] = Counter()
        self._finished: list[SpanReport] = []
        self._bytes_read = 0
        self._text_bytes = 0
        self._kept_bytes = 0
        self._gathered = 0

    def _start_span_counts(self) -> None:
        self.documents = self.quarantined = self.skipped = self.without_text = 0
        self.last_message = ""
        self._stretches: list[tuple[int, str, str]] = []
        self._first_bad = 0, "", ""
        self.member_start = self._doubtful = 0

    def start_span(self, span: Span) -> None:
        """The rows that follow are of this part."""
        self._span = span
        self.name, self.stored_bytes = span.file.name, span.file.size
        self._start_span_counts()

    @contextmanager
    def inside_member(self, name: str, size: int) -> Iterator[None]:
        """The rows that are added meanwhile are of a member of the file, of so many bytes: their ``file`` is
        ``archive.tar/name``."""
        outer = self.name, self.stored_bytes, self.member_start
        self.name, self.stored_bytes, self.member_start = f"{self.name}/{name}", size, self.documents
        try:
            yield
        finally:
            self.name, self.stored_bytes, self.member_start = outer

    @property
    def file(self) -> InputFile:
        assert self._span is not None
        return self._span.file

    def source_of(self, given: str | None) -> str:
        """The source of a row: the record's own, else the input's, else ``default``."""
        return given or self.file.source or DEFAULT_SOURCE

    def add_document(
        self,
        *,
        text: str,
        offset: int,
        doc_id: str | None = None,
        url: str | None = None,
        source: str | None = None,
        date: str | None = None,
        metadata: str = "{}",
    ) -> None:
        """Adds one document; without a ``doc_id`` it gets the one of its content."""
        row = self._pending
        row["doc_id"].append(doc_id or content_id(url, text))
        row["text"].append(text)
        row["url"].append(url)
        row["source"].append(self.source_of(source))
        row["date"].append(date)
        row["file"].append(self.name)
        row["offset"].append(offset)
        row["metadata"].append(metadata)
        self.documents += 1
        self._text_bytes += len(text)

    def add_batch(self, batch: pa.RecordBatch, text_bytes: int) -> None:
        """Adds rows of RECORDS that are already columns."""
        self._seal()
        self._batches.append(batch)
        self._gathered += len(batch)
        self.documents += len(batch)
        self._text_bytes += text_bytes

    def quarantine(
        self, error: str, message: str, *, offset: int, size: int, record: bytes, lost: int | None = None
    ) -> None:
        """Adds a record that could not be read; of ``record`` the first 64 KiB are kept.

        A single bad record has no ``lost``. For a stretch of the file that could not be decoded, ``lost`` is its
        length in stored bytes (0 where the file ends too early): these count by their share of the input, and a part
        of which nothing else was read fails the run.
        """
        row = self._quarantine
        row["file"].append(self.name)
        row["offset"].append(offset)
        row["error"].append(error)
        row["message"].append(message)
        row["bytes"].append(max(size, len(record[:EXCERPT_BYTES])))
        row["record"].append(record[:EXCERPT_BYTES])
        if not self.quarantined:
            self._first_bad = 0, error, message
        self.quarantined += 1
        self.without_text += error == "no_text"
        self.last_message = message
        if lost is not None:
            self._stretches.append((lost, error, message))
        self._kept_bytes += _ROW_BYTES + len(record[:EXCERPT_BYTES])

    def start_member(self, start: int | None = None) -> None:
        """The documents that follow are of another compressed member; or all behind the first ``start`` of the part."""
        self.member_start = self.documents if start is None else start

    def quarantine_stretch(
        self, broken: Broken, offset: int, record: bytes = b"", size: int = 0, lost: int | None = None
    ) -> None:
        """Adds a stretch of stored bytes that could not be decompressed; ``offset`` is where they would stand.

        ``record`` is what was read of a record of ``size`` bytes that is lost with them. The message and the part's
        report count the documents of the broken member that were added before, which may be damaged.
        """
        message = f"{broken.message} (stored bytes {broken.offset} to {broken.offset + broken.size})"
        doubtful = self.documents - self.member_start if broken.casts_doubt else 0
        if doubtful:
            message += f"; {doubtful_documents(doubtful)}"
            self._doubtful += doubtful
            self.start_member()
        if not size:
            record, size = broken.excerpt, broken.size
        lost = broken.lost if lost is None else lost
        self.quarantine(broken.error, message, offset=offset, size=size, record=record, lost=lost)

    def skip(self, reason: str) -> None:
        """Counts a record that is no document."""
        self._skipped[reason] += 1
        self.skipped += 1

    def count_bytes(self, size: int) -> None:
        """Counts bytes that were read."""
        self._bytes_read += size

    def finish_span(self, sha256: str, size: int, note: str | None = None) -> None:
        """The part was read to its end."""
        assert self._span is not None
        counts = self.documents, self.quarantined, self.skipped
        self._finished.append(SpanReport(self._span, sha256, size, *counts, note, self._lost(size)))

    def _lost(self, size: int) -> Lost | None:
        """What could not be read of a part of ``size`` stored bytes; None where only single records are bad."""
        nothing_read = bool(self.quarantined) and not self.documents and not self.skipped
        if not self._stretches and not nothing_read:
            return None
        lost = min(size, sum(stretch[0] for stretch in self._stretches))
        _, error, message = (self._stretches or [self._first_bad])[0]
        return Lost(lost, error, message[:MESSAGE_LENGTH], nothing_read, self._doubtful)

    @property
    def too_many(self) -> bool:
        """Whether more records came from the part than its stored bytes can hold: it is made to take time."""
        return self.documents + self.quarantined + self.skipped > FREE_RECORDS + self.file.size

    @property
    def full(self) -> bool:
        """Whether it is time for `take`: enough text, rows or excerpts, or enough read to tell of progress."""
        limit = self.reading.batch_bytes
        if self._text_bytes >= limit or len(self._pending["text"]) >= _MAX_PENDING or self._gathered >= _MAX_GATHERED:
            return True
        return self._kept_bytes >= 4 * limit or self._bytes_read >= 16 * limit

    @property
    def empty(self) -> bool:
        return not (self._finished or self._text_bytes or self._bytes_read or self._skipped or self._kept_bytes)

    def take(self) -> Chunk:
        """What was gathered, and a fresh start."""
        self._seal()
        batches = self._batches or [RECORDS.batch({}, 0)]
        chunk = Chunk(
            documents=batches[0] if len(batches) == 1 else pa.concat_batches(batches),
            quarantine=QUARANTINE.batch(self._quarantine),
            skipped=self._skipped,
            bytes_read=self._bytes_read,
            finished=tuple(self._finished),
        )
        self._clear()
        return chunk

    def _seal(self) -> None:
        """Turns pending rows into a batch."""
        if self._pending["text"]:
            self._batches.append(RECORDS.batch(self._pending))
            self._pending = {name: [] for name in RECORDS.columns.names}
