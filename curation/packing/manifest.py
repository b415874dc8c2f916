"""The manifest of packed sequences, which is written last. It holds no path, time or number of threads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from curation.packing.noticed import NoticedReport
from curation.packing.order import Numbers
from curation.packing.shares import Mixture, MixtureSource
from curation.packing.tokenised import Tokenised
from curation.packing.weights import Weighted
from curation.tokenizers.tokenizer import TokenizerReport
from schemas.mixture import Contribution
from schemas.packed import PackedManifest, Packing


@dataclass(frozen=True, kw_only=True)
class Divided:
    """Documents that are cut, as they lie in more than one sequence, each as often as it is packed: ``documents`` of
    them, which are a ``share`` of all that are packed; ``fitting`` of them would fit into one sequence."""

    documents: int
    share: float
    fitting: int


@dataclass(frozen=True, kw_only=True)
class BucketReport:
    """What was taken of a bucket of a source with weights: ``documents`` whose values are from ``least`` to ``most``
    (both null for documents without a value), their ``tokens``, and how often they were taken: ``epochs`` is
    ``taken_tokens`` divided by ``tokens``."""

    least: float | None
    most: float | None
    documents: int
    tokens: int
    taken_tokens: int
    epochs: float


@dataclass(frozen=True, kw_only=True)
class SourceReport:
    """What was taken from a source. ``documents`` and ``tokens`` (including end tokens) were read; ``asked`` is the
    requested share of the mixture (null without a mixture), ``given`` the share of the tokens that were taken;
    ``short`` says that ``max_epochs`` kept it below the requested share. ``buckets`` are those of a source with
    weights, from the lowest values to the highest."""

    name: str
    documents: int
    tokens: int
    asked: float | None
    given: float
    max_epochs: float
    epochs: float
    taken_tokens: int
    short: bool
    buckets: tuple[BucketReport, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Manifest(PackedManifest):
    """What a folder of packed sequences holds, and what it was made from. ``content`` is a digest of all documents,
    ``tokens_asked`` the number of tokens that a mixture asks for, ``divided`` the documents that lie in more than one
    sequence (null in folders of earlier versions), and ``packing`` how documents were packed."""

    gristmill: str
    seed: int
    content: str
    tokenizer: TokenizerReport = field()
    tokens_asked: int | None
    sources: tuple[SourceReport, ...]
    ledger: Mapping[str, Mapping[str, int]]
    noticed: NoticedReport
    divided: Divided | None = None
    packing: Packing = "concatenate"


def source_reports(
    corpus: Tokenised,
    documents: Numbers,
    shares: Sequence[Contribution],
    mixed: Mixture | None,
    weighted: Mapping[str, Weighted],
) -> list[SourceReport]:
    """The reports, from the documents that were actually taken. Only complete documents are taken, so a share may be
    off by less than a document."""
    sources = {source.name: source for source in mixed.source} if mixed else {}
    shares_asked = sum(source.share for source in sources.values())
    lengths = corpus.lengths[documents].astype(np.int64)
    taken = np.bincount(corpus.source[documents], lengths, len(corpus.names)).astype(np.int64).tolist()
    whole = sum(taken)
    return [
        SourceReport(
            name=share.name,
            documents=corpus.read[place],
            tokens=share.size,
            asked=sources[share.name].share / shares_asked if mixed else None,
            given=taken[place] / whole if whole else 0.0,
            max_epochs=_most(sources.get(share.name), weighted.get(share.name)),
            epochs=taken[place] / share.size if share.size else 0.0,
            taken_tokens=taken[place],
            short=share.short,
            buckets=_buckets(corpus, documents, place, weighted.get(share.name)),
        )
        for place, share in enumerate(shares)
    ]


def _most(source: MixtureSource | None, weighted: Weighted | None) -> float:
    """The most epochs of a source, or of a document of a source with weights."""
    if weighted is not None:
        return weighted.most
    return 1.0 if source is None or source.max_epochs is None else source.max_epochs


def _buckets(corpus: Tokenised, documents: Numbers, place: int, weighted: Weighted | None) -> tuple[BucketReport, ...]:
    if weighted is None:
        return ()
    times = np.bincount(documents, minlength=len(corpus))[corpus.source == place]
    found = []
    for number in np.unique(weighted.bucket).tolist():
        own = weighted.bucket == number
        tokens, values = int(weighted.lengths[own].sum()), weighted.values[own]
        taken = int((times[own] * weighted.lengths[own]).sum())
        found.append(
            BucketReport(
                least=float(values.min()) if number >= 0 else None,
                most=float(values.max()) if number >= 0 else None,
                documents=int(own.sum()),
                tokens=tokens,
                taken_tokens=taken,
                epochs=taken / tokens,
            )
        )
    return tuple(found)


def content(corpus: Tokenised) -> str:
    """A digest of all documents (source, id and text) that does not depend on their order and files: the sum of their
    digests, as 32 hex digits."""
    high, low = (sum(int(part) for part in _sums(corpus.digests[:, half])) for half in (0, 1))
    return f"{((high << 64) + low) % (1 << 128):032x}"


def _sums(values: Any) -> tuple[int, int]:
    """The sum of unsigned 64-bit numbers, in two halves that do not overflow."""
    return (int((values >> np.uint64(32)).sum()) << 32, int((values & np.uint64(0xFFFFFFFF)).sum()))
