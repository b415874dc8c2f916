"""The manifest of a search for benchmarks. It holds no path, time, runner or number of workers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.manifest import Entry
from schemas.records import other_keys

FORMAT = "gristmill.contamination"
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class BenchmarkReport:
    """A benchmark as it was searched for; ``sha256`` is that of its file."""

    name: str
    sha256: str
    template: str
    samples: int


@dataclass(frozen=True, kw_only=True)
class ContaminationManifest:
    """What a folder holds, and what it was made from. ``corpus`` has the SHA-256 of the corpus's manifest, or the size
    of each file of a corpus without one; ``read`` counts documents, bytes of text, tokenised and contaminated
    documents; ``tokenizer`` is empty for a definition by words; ``scores`` has the SHA-256 of each file of scores."""

    format: str
    version: int
    gristmill: str
    settings: Mapping[str, Any]
    tokenizer: Mapping[str, str]
    benchmarks: tuple[BenchmarkReport, ...]
    scores: Mapping[str, str]
    corpus: Mapping[str, Any]
    read: Mapping[str, int]
    tables: Mapping[str, int]
    files: Mapping[str, Entry]
    others: Mapping[str, Any] = other_keys()
