"""Removes the transfer and content encodings of HTTP payloads, up to a limit of decoded bytes.

Headers in archives often name an encoding that the crawler already removed. As in browsers, a payload that is not
encoded is kept as it is, and so is readable text whose header names an unknown encoding.
"""

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import brotli  # type: ignore[import-untyped]
import zstandard

from curation.sources.chunks import RecordError
from curation.sources.members import CONTAINERS, MAX_WINDOW_BYTES, is_skippable

MAX_RATIO = 250
"""Maximum ratio of decoded to encoded size, beyond ALWAYS_DECODED bytes. Pages reach about 100."""

ALWAYS_DECODED = 8 << 20
"""Bytes that any payload may decode to, whatever its ratio."""

_PIECE = 64 << 10
_FIRST_STEP = 512
_NOT_ENCODED = ("identity", "none", "binary", "7bit", "8bit", "utf-8", "chunked", "")
_CONTROL = re.compile(r"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MOST_ENCODINGS = 8
_TRAILERS = re.compile(rb"(?:[!-9;-~]+:[^\n]*\n)*\s*\Z")


_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Payload:
    """Decoded bytes; ``cut`` is true if the payload ended before one of its encodings did."""

    data: bytes
    cut: bool = False


class _CutShortError(Exception):
    """A compressed payload that ends before its stream does."""


def decode_payload(payload: bytes, transfer: str, content: str, limit: int) -> Payload:
    """Decodes the encodings that the Transfer-Encoding and Content-Encoding headers name.

    Raises RecordError for a broken encoding, for an unknown encoding unless the payload is text, for a payload of
    which nothing can be decoded, and for a payload that decodes to more than ``limit`` bytes or MAX_RATIO times its
    size.
    """
    decoded = dechunk(payload) if "chunked" in transfer.lower() else Payload(payload)
    names = [part.strip().lower() for part in content.split(",")]
    if len(names) > _MOST_ENCODINGS:
        raise RecordError("unknown_encoding", f"the payload has {len(names)} content encodings")
    for name in reversed(names):
        further = _decode(decoded.data, name, limit)
        decoded = Payload(further.data, further.cut or decoded.cut)
    if payload and decoded.cut and not decoded.data:
        raise RecordError("bad_payload", f"the payload ends after {len(payload)} bytes, of which nothing is decoded")
    return decoded


def dechunk(payload: bytes) -> Payload:
    """Removes the chunk lines of a chunked body, which is cut if no chunk of size 0 ends it.

    A body that is not chunked is returned as it is. Raises RecordError if a chunk does not begin where it should.
    """
    pieces: list[bytes] = []
    at, ended = 0, not payload
    while at < len(payload) and not (pieces and payload[at : at + 2] == b"\r"):  # a line end that was cut
        end = payload.find(b"\n", at, at + 1024)
        size = _chunk_size(payload[at:end] if end >= 0 else payload[at : at + 1024])
        if size == 0 and end >= 0 and not pieces and not _TRAILERS.match(payload, end + 1):
            return Payload(payload)
        if size is None or (not pieces and end < 0):
            if len(pieces) < 2 and not _is_surely_chunk(pieces, payload[max(0, at - 2) : at]):
                return Payload(payload)
            raise RecordError("bad_payload", f"no chunk begins at byte {at} of the chunked payload")
        if size == 0 or end < 0:  # the last chunk, or a chunk line that was cut
            ended = end >= 0
            break
        piece = payload[end + 1 : end + 1 + size]
        if len(piece) < size and not pieces and not _is_markup(piece.removeprefix(_BOM)) and _is_text(piece):
            return Payload(payload)  # text that begins with a number
        pieces.append(piece)
        at = end + 1 + size
        at += 2 if payload[at : at + 2] == b"\r\n" else int(payload[at : at + 1] == b"\n")
    return Payload(b"".join(pieces), not ended)


def _is_surely_chunk(pieces: list[bytes], end: bytes) -> bool:
    """Whether the first chunk, followed by ``end``, cannot be plain text that happens to begin with a number."""
    return bool(pieces) and end == b"\r\n" and (_is_markup(pieces[0].removeprefix(_BOM)) or not _is_text(pieces[0]))


def _chunk_size(line: bytes) -> int | None:
    digits = line.split(b";", 1)[0].strip()
    if not digits or len(digits) > 16 or digits.strip(b"0123456789abcdefABCDEF"):
        return None
    return int(digits, 16)


def _decode(payload: bytes, name: str, limit: int) -> Payload:
    most = min(limit, max(ALWAYS_DECODED, MAX_RATIO * len(payload)))
    if name in ("gzip", "x-gzip"):
        return _gather(_from_deflate(payload, 31), most) if payload.startswith(b"\x1f\x8b") else Payload(payload)
    if name == "zstd":
        return _gather(_from_zstd(payload), most) if _begins_zstd(payload) else Payload(payload)
    if name in _NOT_ENCODED or _is_markup(payload) or not payload:
        return Payload(payload)
    if name == "deflate":
        zlib_wrapped = len(payload) > 1 and payload[0] & 0x0F == 8 and (payload[0] << 8 | payload[1]) % 31 == 0
        return _gather(_from_deflate(payload, 15 if zlib_wrapped else -15), most)
    if name == "br":
        return _gather(_from_brotli(payload), most)
    if _is_text(payload):
        return Payload(payload)
    raise RecordError("unknown_encoding", f"the content encoding '{name[:64]}' is unknown")


def _is_markup(payload: bytes) -> bool:
    """Whether the payload begins like markup: no stream of deflate or brotli begins with white space and '<'."""
    return payload[:64].lstrip().startswith(b"<")


def _is_text(payload: bytes) -> bool:
    """Whether the beginning of the payload is UTF-8 without control characters."""
    text = payload[:1024].decode("utf-8", "replace").removesuffix("\ufffd")
    return "\ufffd" not in text and not _CONTROL.search(text)


def _gather(pieces: Iterable[bytes], most: int) -> Payload:
    """Joins decoded pieces. Raises RecordError if decoding fails or yields more than ``most`` bytes."""
    output: list[bytes] = []
    size, cut = 0, False
    try:
        for piece in pieces:
            output.append(piece)
            size += len(piece)
            if size > most:
                raise RecordError("too_large", f"the payload decodes to more than {most} bytes")
    except _CutShortError:
        cut = True
    except zlib.error as error:
        raise RecordError("bad_payload", f"the payload cannot be inflated: {error}") from error
    except brotli.error as error:
        raise RecordError("bad_payload", f"the payload is not valid brotli: {error}") from error
    except zstandard.ZstdError as error:
        raise RecordError("bad_payload", f"the payload is not valid zstd: {error}") from error
    return Payload(b"".join(output), cut)


def _from_deflate(payload: bytes, wbits: int) -> Iterator[bytes]:
    """Yields the pieces of all members of a zlib or gzip stream; raises _CutShortError if the last has no end."""
    at = 0
    while at < len(payload):
        stream, step = zlib.decompressobj(wbits), _FIRST_STEP
        while not stream.eof and at < len(payload):
            piece = payload[at : at + step]
            yield stream.decompress(piece, _PIECE)
            while stream.unconsumed_tail:
                yield stream.decompress(stream.unconsumed_tail, _PIECE)
            at += len(piece) - len(stream.unused_data)
            step = min(2 * step, _PIECE)
        if not stream.eof:
            raise _CutShortError
        if not (wbits == 31 and payload.startswith(b"\x1f\x8b", at)):
            return  # bytes after a stream are ignored, as in browsers


def _from_brotli(payload: bytes) -> Iterator[bytes]:
    """Yields the pieces of a brotli stream; raises _CutShortError if it has no end."""
    stream = brotli.Decompressor()
    for at in range(0, len(payload), _PIECE):
        given = 0
        try:
            for output in _brotli_step(stream, payload[at : at + _PIECE]):
                given += len(output)
                yield output
        except brotli.error as error:
            yield _end_of_brotli(payload, at, error)[given:]
            return
        if stream.is_finished():
            return
    if not stream.is_finished():
        raise _CutShortError


def _brotli_step(stream: brotli.Decompressor, data: bytes) -> Iterator[bytes]:
    yield stream.process(data, output_buffer_limit=_PIECE)
    while not stream.can_accept_more_data():
        yield stream.process(b"", output_buffer_limit=_PIECE)


def _end_of_brotli(payload: bytes, place: int, error: Exception) -> bytes:
    """The rest of a stream that ends in the piece at ``place``; raises ``error`` if it does not end there.

    The decoder refuses bytes after the end of a stream, which browsers ignore, and does not say where that end is.
    """
    stream = brotli.Decompressor()
    for at in range(0, place, _PIECE):
        for _ in _brotli_step(stream, payload[at : at + _PIECE]):
            pass
    output: list[bytes] = []
    for at in range(place, min(place + _PIECE, len(payload))):
        output += _brotli_step(stream, payload[at : at + 1])
        if stream.is_finished():
            return b"".join(output)
    raise error


def _begins_zstd(payload: bytes) -> bool:
    return is_skippable(payload) or CONTAINERS["zstd"].begins(payload)


def _from_zstd(payload: bytes) -> Iterator[bytes]:
    """Yields the pieces of all frames of a zstd stream; raises _CutShortError if the last frame has no end."""
    at = 0
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
    while _begins_zstd(payload[at : at + 4]):
        if is_skippable(payload[at : at + 4]):
            at += 8 + int.from_bytes(payload[at + 4 : at + 8], "little")
            continue
        stream = decompressor.decompressobj()
        while not stream.eof and at < len(payload):
            piece = payload[at : at + _FIRST_STEP]  # zstd may expand a step some thousand times
            yield stream.decompress(piece)
            at += len(piece) - len(stream.unused_data)
        if not stream.eof:
            raise _CutShortError
