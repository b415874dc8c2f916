"""The payload of an HTTP response without its transfer and content encodings, never more than a limit."""

import zlib
from collections.abc import Callable, Iterable

import brotli  # type: ignore[import-untyped]
import zstandard

_STEP = 4096


class PayloadError(ValueError):
    """A payload that cannot be decoded; ``error`` is one word."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error


def decode_payload(payload: bytes, transfer: str, content: str, limit: int) -> bytes:
    """The payload without the encodings that the two headers name.

    Archives often keep the headers of a payload that they have decoded already: what is not encoded stays as it is.
    Raises PayloadError for an encoding that is unknown or broken, or more than ``limit`` bytes.
    """
    if "chunked" in transfer.lower():
        payload = dechunk(payload)
    for name in reversed([part.strip().lower() for part in content.split(",") if part.strip()]):
        payload = _decode(payload, name, limit)
    return payload


def dechunk(payload: bytes) -> bytes:
    """A chunked body without its chunk lines; as it is where it is not chunked. A last chunk may be cut short."""
    pieces: list[bytes] = []
    at = 0
    while at < len(payload):
        end = payload.find(b"\n", at, at + 1024)
        size = _chunk_size(payload[at:end]) if end >= 0 else None
        if size is None:
            return payload if not pieces else b"".join(pieces)
        pieces.append(payload[end + 1 : end + 1 + size])
        at = end + 1 + size
        if size == 0:
            break
        at += 2 if payload[at : at + 2] == b"\r\n" else int(payload[at : at + 1] == b"\n")
    return b"".join(pieces)


def _chunk_size(line: bytes) -> int | None:
    digits = line.split(b";", 1)[0].strip()
    if not digits or len(digits) > 16 or digits.strip(b"0123456789abcdefABCDEF"):
        return None
    return int(digits, 16)


def _decode(payload: bytes, name: str, limit: int) -> bytes:
    if name in ("gzip", "x-gzip"):
        return _inflate(payload, 31, limit) if payload.startswith(b"\x1f\x8b") else payload
    if name == "deflate":
        zlib_wrapped = len(payload) > 1 and payload[0] & 0x0F == 8 and (payload[0] << 8 | payload[1]) % 31 == 0
        return payload if _looks_like_text(payload) else _inflate(payload, 15 if zlib_wrapped else -15, limit)
    if name == "br":
        return payload if _looks_like_text(payload) else _brotli(payload, limit)
    if name == "zstd":
        return _unzstd(payload, limit) if payload.startswith(b"\x28\xb5\x2f\xfd") else payload
    if name in ("identity", "utf-8", "none", ""):
        return payload
    raise PayloadError("unknown_encoding", f"the content encoding '{name[:64]}' is unknown")


def _looks_like_text(payload: bytes) -> bool:
    """Whether it begins as markup does: no stream of deflate or brotli starts with '<' behind white space."""
    return payload[:64].lstrip().startswith(b"<")


def _bounded(pieces: Iterable[bytes], limit: int) -> bytes:
    output: list[bytes] = []
    size = 0
    for piece in pieces:
        output.append(piece)
        size += len(piece)
        if size > limit:
            raise PayloadError("too_large", f"the payload decodes to more than max_record_bytes = {limit}")
    return b"".join(output)


def _inflate(payload: bytes, wbits: int, limit: int) -> bytes:
    """As much as a stream that may be cut short gives."""
    stream = zlib.decompressobj(wbits)
    try:
        output = stream.decompress(payload, limit + 1)
    except zlib.error as error:
        raise PayloadError("bad_payload", f"the payload cannot be inflated: {error}") from error
    return _bounded([output], limit)


def _in_steps(payload: bytes, feed: Callable[[bytes], bytes]) -> Iterable[bytes]:
    for at in range(0, len(payload), _STEP):
        yield feed(payload[at : at + _STEP])


def _brotli(payload: bytes, limit: int) -> bytes:
    stream = brotli.Decompressor()
    try:
        return _bounded(_in_steps(payload, stream.process), limit)
    except brotli.error as error:
        raise PayloadError("bad_payload", f"the payload is no valid brotli: {error}") from error


def _unzstd(payload: bytes, limit: int) -> bytes:
    stream = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
    try:
        return _bounded(_in_steps(payload, lambda piece: b"" if stream.eof else stream.decompress(piece)), limit)
    except zstandard.ZstdError as error:
        raise PayloadError("bad_payload", f"the payload is no valid zstd: {error}") from error
