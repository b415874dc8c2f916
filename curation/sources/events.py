"""The events of decompressing a stored file: bytes, starts of members, and broken places."""

from dataclasses import dataclass

EXCERPT_BYTES = 64 << 10
"""Bytes of a broken record that are kept."""


@dataclass(frozen=True)
class MemberStart:
    """A gzip member or zstd frame begins at this offset of the stored file."""

    offset: int


@dataclass(frozen=True)
class Broken:
    """Stored bytes that could not be decompressed.

    ``error`` is ``truncated``, ``bad_checksum``, ``corrupt``, ``trailing_garbage``, ``too_much_memory`` or
    ``expands_too_far``. ``size`` counts from the start of the broken member, ``lost`` only the bytes that were not
    delivered.
    """

    error: str
    message: str
    offset: int
    size: int
    excerpt: bytes
    lost: int

    @property
    def casts_doubt(self) -> bool:
        """Whether earlier bytes of the member may be damaged: its checksum does not match, or was not reached."""
        return self.error in ("bad_checksum", "corrupt")


Event = bytes | MemberStart | Broken
