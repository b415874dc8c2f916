"""What a file is, told by its first bytes and never by its name."""

import zlib
from dataclasses import dataclass
from typing import Literal

import orjson
import zstandard
from isal import isal_zlib

from curation.sources.decompression import ZSTD_MAGIC, GzipError, is_skippable
from curation.sources.opening import StoredFile

Compression = Literal["gzip", "zstd"]
Kind = Literal["empty", "parquet", "warc", "arc", "jsonl", "text"]

PEEK_BYTES = 1 << 18
"""How much of the (decompressed) beginning is looked at."""

_LINES = 16
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Format:
    """The container of a file and what is inside. WET files are ``warc``."""

    kind: Kind
    compression: Compression | None = None

    @property
    def can_be_split(self) -> bool:
        """Whether a part of the file can be read without what stands before it."""
        return self.kind == "parquet" or (self.kind == "jsonl" and self.compression is None)


def detect(path: str) -> Format:
    """The format of the file at this path. Raises OSError if it cannot be opened."""
    with StoredFile(path) as file:
        return detect_format(file.peek(PEEK_BYTES))


def detect_format(head: bytes) -> Format:
    """The format of a file that begins with these bytes (PEEK_BYTES of them, fewer where it is shorter)."""
    compression: Compression | None = None
    content = head
    if head.startswith(b"\x1f\x8b"):
        compression, content = "gzip", _gunzip_head(head)
    elif head.startswith(ZSTD_MAGIC) or is_skippable(head):
        compression, content = "zstd", _unzstd_head(head)
    if compression and not content:
        return Format("text", compression)  # empty or broken at once, as reading it as one text will tell
    return Format(_kind(content, max(len(content), len(head)) < PEEK_BYTES), compression)


def _kind(head: bytes, whole: bool) -> Kind:
    """``whole`` says that nothing follows these bytes."""
    if not head:
        return "empty"
    if head.startswith((b"PAR1", b"PARE")):
        return "parquet"
    if head.startswith(b"WARC/"):
        return "warc"
    if head.startswith(b"filedesc://"):
        return "arc"
    if _is_json_lines(head.removeprefix(BOM), whole):
        return "jsonl"
    return "text"


def _is_json_lines(head: bytes, whole: bool) -> bool:
    """Whether the first line, or at least a quarter of the first ones, are JSON objects, each whole on its line.

    Lines with the outer shape of an object count too, so that a file whose records are all broken is still told apart
    from prose. A single line that is cut off by the end of ``head`` counts if it begins as an object with a key does.
    """
    lines = [line.strip() for line in head.split(b"\n", 4 * _LINES)[: 4 * _LINES] if line.strip()][:_LINES]
    if not lines:
        return False
    if len(lines) == 1 and not whole and b"\n" not in head.strip():
        return _begins_object(lines[0])
    if _begins_object(lines[0]) and _is_object(lines[0]):
        return True
    parsed = sum(map(_is_object, lines))
    shaped = sum(_begins_object(line) and line.endswith(b"}") for line in lines)
    return 4 * max(parsed, shaped) >= len(lines) and (parsed > 0 or shaped == len(lines))


def _begins_object(line: bytes) -> bool:
    return line.startswith(b"{") and line[1:64].lstrip()[:1] == b'"'


def _is_object(line: bytes) -> bool:
    if not line.startswith(b"{"):
        return False
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _gunzip_head(head: bytes) -> bytes:
    """What the first bytes of a gzip file decompress to, as far as they are intact."""
    stream = isal_zlib.decompressobj(wbits=31)
    try:
        return stream.decompress(head, PEEK_BYTES)
    except GzipError:
        return _gunzip_bytes(head)


def _gunzip_bytes(head: bytes) -> bytes:
    """What comes before the byte that breaks the stream."""
    stream = zlib.decompressobj(31)
    output: list[bytes] = []
    size = 0
    for n in range(len(head)):
        try:
            output.append(stream.decompress(head[n : n + 1], PEEK_BYTES))
        except zlib.error:
            break
        size += len(output[-1])
        if stream.eof or size >= PEEK_BYTES:
            break
    return b"".join(output)[:PEEK_BYTES]


def _unzstd_head(head: bytes) -> bytes:
    stream = zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()
    output = b""
    for step in range(0, len(head), 4096):
        try:
            output += stream.decompress(head[step : step + 4096])
        except zstandard.ZstdError:
            break
        if stream.eof or len(output) >= PEEK_BYTES:
            break
    return output[:PEEK_BYTES]
