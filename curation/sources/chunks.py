"""Chunks: batches of documents, with everything else that was read along with them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import pyarrow as pa
import xxhash

from curation.sources.events import EXCERPT_BYTES, Broken
from curation.sources.inputs import InputFile, Span
from curation.sources.members import MAX_WINDOW_BYTES
from schemas.corpus import QUARANTINE, RECORDS
from schemas.errors import UserError
from schemas.records import other_keys

COLUMNS = ("text", "url", "doc_id", "source", "date")
"""Columns of a document that fields of the input can be mapped to."""

DEFAULT_SOURCE = "default"

Extractor = Literal["auto", "trafilatura", "resiliparse"]
"""How the main text of HTML is extracted; ``auto`` chooses for each page."""

MESSAGE_LENGTH = 300
"""Maximum length of the message in a span's report, in characters."""

_ROW_BYTES = 1000
"""Approximate memory of a row of quarantine without its excerpt."""

_MAX_PENDING = 1 << 16
"""Maximum number of documents held as Python objects: short documents take far more memory than their text."""
_MAX_GATHERED = 1 << 19
"""Maximum number of documents of a chunk, however short they are."""

FREE_RECORDS = 200_000
"""A span yields at most this many records, plus one for each stored byte of its file. Data that compresses further was
made to waste time: a few kilobytes can hold millions of records of one letter each."""


@dataclass(frozen=True, kw_only=True)
class ReadingSettings:
    """How inputs are read (the table ``reading`` of a job file).

    ``fields`` maps columns of a document to fields of the input (a dotted path names a nested field). ``extract`` names
    the extractor of the main text of HTML, or is ``auto``. Records longer than ``max_record_bytes`` go to quarantine.
    ``max_window_bytes`` is the maximum memory that decompressing a file may require (a file written by zstd --long=31
    requires 2 GiB). ``batch_bytes`` is the approximate size of the text in a chunk.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    extract: Extractor = "auto"
    max_record_bytes: int = 64 << 20
    max_window_bytes: int = MAX_WINDOW_BYTES
    batch_bytes: int = 4 << 20

    def __post_init__(self) -> None:
        for column, name in self.fields.items():
            if column not in COLUMNS:
                raise UserError(f"fields: there is no column '{column}'; choose from {', '.join(COLUMNS)}")
            if not name:
                raise UserError(f"fields.{column}: the input's field name is empty")
        if self.extract not in get_args(Extractor):
            raise UserError(f"extract: '{self.extract}' is unknown; choose auto, trafilatura or resiliparse")
        if self.max_window_bytes < 1:
            raise UserError("max_window_bytes must be at least 1")
        if self.max_record_bytes < 1 or self.batch_bytes < 1:
            raise UserError("max_record_bytes and batch_bytes must be at least 1")


class RecordError(ValueError):
    """A record that cannot be a document: ``error`` in one word, and a message."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error


@dataclass(frozen=True)
class Lost:
    """The unreadable data of a span: stretches that could not be decoded, or all of its records.

    ``bytes`` are the stored bytes of the stretches: 0 if the file ends too early (missing bytes are not stored) or if
    only single records are bad. ``error`` and ``message`` describe the first stretch, else the first record. ``whole``
    is true if nothing was read from the span. ``doubtful_documents`` counts documents that may be damaged: they were
    read from a member that later proved to be broken.
    """

    bytes: int
    error: str
    message: str
    whole: bool
    doubtful_documents: int = 0
    others: Mapping[str, Any] = other_keys()


@dataclass(frozen=True)
class SpanReport:
    """The report on a span that was read to its end: SHA-256 and number of its stored bytes, and counts of its records.

    ``note`` is a sentence for the user if something is wrong with the whole span. ``lost`` is None if everything could
    be decoded; single bad records do not count as lost unless the span has no good record.
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
    """About 2 to 8 MB of documents, and what was found while reading them.

    ``skipped`` counts, by reason, the records that are not documents. ``bytes_read`` is decompressed bytes (stored
    bytes for Parquet). ``finished`` lists the spans whose last row is in this chunk: small files share a chunk.
    """

    documents: pa.RecordBatch
    quarantine: pa.RecordBatch
    skipped: Counter[str]
    bytes_read: int
    finished: tuple[SpanReport, ...] = ()


def content_id(url: str | None, text: str) -> str:
    """The id of a document without one of its own: xxh3_128 of the url, a NUL and the text, in hexadecimal."""
    return xxhash.xxh3_128_hexdigest(f"{url or ''}\0{text}".encode("utf-8", "surrogatepass"))


def doubtful_documents(count: int) -> str:
    """A phrase for ``count`` documents that were read from a member before it was found to be broken.

    >>> doubtful_documents(1), doubtful_documents(1_022)
    ('1 document read before may be damaged', '1,022 documents read before may be damaged')
    """
    return f"{count:,} {'document' if count == 1 else 'documents'} read before may be damaged"


class ChunkBuilder:
    """Gathers documents and quarantined records into chunks. ``rights``: the metadata of a page says what the page
    states of its rights."""

    def __init__(self, reading: ReadingSettings, rights: bool = False) -> None:
        self.reading, self.rights = reading, rights
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
        """Starts a span: the rows added next belong to it."""
        self._span = span
        self.name, self.stored_bytes = span.file.name, span.file.size
        self._start_span_counts()

    @contextmanager
    def inside_member(self, name: str, size: int) -> Iterator[None]:
        """A context in which rows belong to a member of ``size`` bytes; their ``file`` is ``archive.tar/name``."""
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
        """Adds one document; the default ``doc_id`` is the hash of its content."""
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
        """Adds a batch of RECORDS."""
        self._seal()
        self._batches.append(batch)
        self._gathered += len(batch)
        self.documents += len(batch)
        self._text_bytes += text_bytes

    def quarantine(
        self, error: str, message: str, *, offset: int = 0, record: bytes = b"", size: int = 0, lost: int | None = None
    ) -> None:
        """Adds an unreadable record; the first 64 KiB of ``record`` are kept. ``size`` is its length where
        ``record`` is only its beginning.

        ``lost`` is None for a single bad record. For a stretch of the file that could not be decoded, ``lost`` is its
        length in stored bytes (0 if the file ends too early): stretches count by their share of the input, and the
        run fails if nothing else of the span was read.
        """
        row = self._quarantine
        row["file"].append(self.name)
        row["offset"].append(offset)
        row["error"].append(error)
        row["message"].append(message)
        row["bytes"].append(max(size, len(record)))
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
        """Starts a compressed member at the next document, or after the first ``start`` documents of the span."""
        self.member_start = self.documents if start is None else start

    def quarantine_stretch(
        self, broken: Broken, offset: int, record: bytes = b"", size: int = 0, lost: int | None = None
    ) -> None:
        """Adds a stretch of stored bytes that could not be decompressed; ``offset`` is its place in the content.

        ``record`` is the readable beginning of a record of ``size`` bytes that is lost with the stretch. The message
        and the span's report count the earlier documents of the broken member, which may be damaged.
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
        """Counts a record that is not a document."""
        self._skipped[reason] += 1
        self.skipped += 1

    def count_bytes(self, size: int) -> None:
        """Adds to the number of bytes read."""
        self._bytes_read += size

    def finish_span(self, sha256: str, size: int, note: str | None = None) -> None:
        """Reports that the span was read to its end."""
        assert self._span is not None
        counts = self.documents, self.quarantined, self.skipped
        self._finished.append(SpanReport(self._span, sha256, size, *counts, note, self._lost(size)))

    def _lost(self, size: int) -> Lost | None:
        """The unreadable data of a span of ``size`` stored bytes; None if only single records are bad."""
        nothing_read = bool(self.quarantined) and not self.documents and not self.skipped
        if not self._stretches and not nothing_read:
            return None
        lost = min(size, sum(stretch[0] for stretch in self._stretches))
        _, error, message = (self._stretches or [self._first_bad])[0]
        return Lost(lost, error, message[:MESSAGE_LENGTH], nothing_read, self._doubtful)

    @property
    def too_many(self) -> bool:
        """Whether the span yields more records than its stored bytes can hold: it was made to waste time."""
        return self.documents + self.quarantined + self.skipped > FREE_RECORDS + self.file.size

    @property
    def full(self) -> bool:
        """Whether to call `take`: there is enough text, rows or excerpts, or enough was read to report progress."""
        limit = self.reading.batch_bytes
        if self._text_bytes >= limit or len(self._pending["text"]) >= _MAX_PENDING or self._gathered >= _MAX_GATHERED:
            return True
        return self._kept_bytes >= 4 * limit or self._bytes_read >= 16 * limit

    @property
    def empty(self) -> bool:
        return not (self._finished or self._text_bytes or self._bytes_read or self._skipped or self._kept_bytes)

    def take(self) -> Chunk:
        """Returns the gathered chunk and starts an empty one."""
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
