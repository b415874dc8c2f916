"""Names of the formats that are read."""

from typing import Literal, get_args

from schemas.errors import UserError

Readable = Literal[
    "parquet", "arrow", "arrow_stream", "warc", "arc", "jsonl", "json", "csv", "tsv", "html", "text", "zip", "tar"
]
FORMATS: tuple[Readable, ...] = get_args(Readable)
"""All formats that a job can name."""


def check_format(name: str) -> None:
    """Raises UserError for an unknown format."""
    if name not in FORMATS:
        raise UserError(f"there is no format '{name}': choose from {', '.join(FORMATS)}")
