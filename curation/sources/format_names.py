"""The formats that are read, by name."""

from typing import Literal, get_args

from schemas.errors import UserError

Readable = Literal[
    "parquet", "arrow", "arrow_stream", "warc", "arc", "jsonl", "json", "csv", "tsv", "html", "text", "zip", "tar"
]
FORMATS: tuple[Readable, ...] = get_args(Readable)
"""As a job may ask for them."""


def check_format(name: str) -> None:
    """Raises UserError unless there is a format of this name."""
    if name not in FORMATS:
        raise UserError(f"there is no format '{name}': choose from {', '.join(FORMATS)}")
