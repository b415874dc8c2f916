"""What a job reads: inputs and their formats, their files, and units of work made of the files."""

from dataclasses import dataclass
from typing import Literal, get_args

from schemas.errors import InputError, UserError

Readable = Literal[
    "parquet", "arrow", "arrow_stream", "warc", "arc", "jsonl", "json", "csv", "tsv", "html", "text", "zip", "tar"
]
FORMATS: tuple[Readable, ...] = get_args(Readable)
"""All formats that are read and that a job can name."""


@dataclass(frozen=True)
class Input:
    """Files named by a glob (or one file, or a folder with everything below it), and the source of their documents.

    ``format`` overrides the detected format of the files; with None the format is detected from their content.
    """

    glob: str
    source: str | None = None
    format: str | None = None

    def __post_init__(self) -> None:
        if not self.glob:
            raise InputError("an input has no name: give a file, a folder or a glob, such as . for the current folder")
        if self.format is not None and self.format not in FORMATS:
            raise UserError(f"there is no format '{self.format}': choose from {', '.join(FORMATS)}")


@dataclass(frozen=True)
class InputFile:
    """A file of the sorted listing; ``name`` is its path relative to the input's root, ``size`` its stored bytes.

    ``version`` (a time or a checksum) differs after the file changed; it is empty if the file system knows no version.
    """

    index: int
    path: str
    name: str
    size: int
    source: str | None
    version: str = ""
    format: str | None = None


@dataclass(frozen=True)
class Span:
    """A range [start, end) of a file: bytes of plain JSON lines, row groups of Parquet; (0, None) is the whole file."""

    file: InputFile
    start: int = 0
    end: int | None = None

    @property
    def length(self) -> int:
        """Length in bytes or row groups."""
        return (max(self.file.size, self.start) if self.end is None else self.end) - self.start


@dataclass(frozen=True)
class Unit:
    """The input of one task: a range of a large file, or several small files."""

    index: int
    spans: tuple[Span, ...]
