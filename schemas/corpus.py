"""The tables of a curated corpus, in the order in which a document meets them."""

import pyarrow as pa
import pyarrow.compute as pc

from schemas.table import Table

_ORIGIN = [
    pa.field("doc_id", pa.string(), nullable=False),
    pa.field("file", pa.string(), nullable=False),
    pa.field("offset", pa.int64(), nullable=False),
]

RECORDS = Table(
    name="records",
    version=1,
    columns=pa.schema(
        [
            pa.field("doc_id", pa.string(), nullable=False),
            pa.field("text", pa.large_string(), nullable=False),
            pa.field("url", pa.string()),
            pa.field("source", pa.string(), nullable=False),
            pa.field("date", pa.string()),
            pa.field("file", pa.string(), nullable=False),
            pa.field("offset", pa.int64(), nullable=False),
            pa.field("metadata", pa.large_string(), nullable=False),
        ]
    ),
)
"""One row per document as a source yields it, before any filter. Never written to a file."""

QUARANTINE = Table(
    name="quarantine",
    version=1,
    columns=pa.schema(
        [
            pa.field("file", pa.string(), nullable=False),
            pa.field("offset", pa.int64(), nullable=False),
            pa.field("error", pa.string(), nullable=False),
            pa.field("message", pa.string(), nullable=False),
            pa.field("bytes", pa.int64(), nullable=False),
            pa.field("record", pa.large_binary(), nullable=False),
        ]
    ),
    checks={
        "the kept excerpt is no longer than the record": lambda b: pc.less_equal(
            pc.binary_length(b["record"]), b["bytes"]
        )
    },
)
"""Records that could not be read: their place, the kind of error in one word, the error's message, the record's length
in bytes, and its first 64 KiB."""

JUDGED = Table(
    name="judged",
    version=1,
    columns=pa.schema(
        [
            pa.field("doc_id", pa.string(), nullable=False),
            pa.field("text", pa.large_string(), nullable=False),
            pa.field("url", pa.string()),
            pa.field("source", pa.string(), nullable=False),
            pa.field("language", pa.string()),
            pa.field("language_score", pa.float32()),
            pa.field("date", pa.string()),
            pa.field("file", pa.string(), nullable=False),
            pa.field("offset", pa.int64(), nullable=False),
            pa.field("metadata", pa.large_string(), nullable=False),
        ]
    ),
)
"""A document after all filters and rewrites, before duplicates are removed. ``language`` is the label of the recipe's
identifier, by default an ISO 639 code from fastText's lid.176; ``language_score`` is its probability. Never written to
a finished folder."""

DOCUMENTS = Table(
    name="documents",
    version=2,
    columns=pa.schema(
        [
            *JUDGED.columns,
            pa.field("near_cluster_size", pa.int64(), nullable=False),
            pa.field("rehydration_weight", pa.int32(), nullable=False),
        ]
    ),
    checks={"a document is in its own cluster": lambda b: pc.greater_equal(b["near_cluster_size"], 1)},
)
"""The corpus: the columns of `JUDGED`. ``near_cluster_size`` is the number of documents of the run that the document
stands for: itself, its copies and its near-duplicates. ``rehydration_weight`` is how often FineWeb2 repeats a document
of a cluster of this size (Penedo et al. 2025, github.com/huggingface/fineweb-2). Version 2 added these two columns."""

FAILED = pa.list_(
    pa.struct(
        [
            pa.field("stage", pa.string(), nullable=False),
            pa.field("reason", pa.string(), nullable=False),
            pa.field("value", pa.float64()),
            pa.field("threshold", pa.float64()),
        ]
    )
)
"""Every rule that a document failed, in the order of the recipe."""

_READ = [pa.field("read_bytes", pa.int64(), nullable=False), pa.field("words", pa.int64(), nullable=False)]

_NAMED = [
    *(f"survivor{each}" for each in ("", "_file", "_offset", "_release", "_similarity")),
    *(f"matched{each}" for each in ("", "_file", "_offset", "_release")),
    "similarity",
]

REJECTS = Table(
    name="rejects",
    version=2,
    columns=pa.schema(
        [field.with_nullable(True) if field.name == "text" else field for field in JUDGED.columns]
        + [
            pa.field("stage", pa.string(), nullable=False),
            pa.field("reason", pa.string(), nullable=False),
            pa.field("failed", FAILED, nullable=False),
            pa.field("survivor", pa.string()),
            pa.field("survivor_file", pa.string()),
            pa.field("survivor_offset", pa.int64()),
            pa.field("survivor_release", pa.string()),
            pa.field("survivor_similarity", pa.float64()),
            pa.field("matched", pa.string()),
            pa.field("matched_file", pa.string()),
            pa.field("matched_offset", pa.int64()),
            pa.field("matched_release", pa.string()),
            pa.field("similarity", pa.float64()),
            *_READ,
        ]
    ),
)
"""Documents that were removed, with the reason. A duplicate names the document that was kept (``survivor``) and the
neighbour that it matched (``matched``), with its similarity to both, 0 to 1: the exact Jaccard similarity of their
sets of shingles, or the share of equal MinHash values (if near.verify is signature, and for documents with the same
url). For a document of
an earlier release, ``survivor_release`` or ``matched_release`` names the release. ``read_bytes`` (UTF-8) and ``words``
count the text as read. Version 2 added the releases, ``read_bytes`` and ``words``."""

SUPERSEDED = Table(
    name="superseded",
    version=1,
    columns=pa.schema(
        [
            *_ORIGIN,
            pa.field("release", pa.string(), nullable=False),
            *(REJECTS.columns.field(name) for name in ("stage", "reason", *_NAMED)),
            *_READ,
        ]
    ),
)
"""Documents of earlier releases that a later run found to be duplicates of other released documents: their place in
their ``release``, and the columns of rejects. A null ``matched_release``: a document of the run connects the two."""

CUTS = Table(
    name="cuts",
    version=1,
    columns=pa.schema(
        [
            *_ORIGIN,
            pa.field("start", pa.int64(), nullable=False),
            pa.field("end", pa.int64(), nullable=False),
            pa.field("text", pa.large_string(), nullable=False),
            *(field.with_name(f"first_{field.name}") for field in _ORIGIN),
            pa.field("first_start", pa.int64(), nullable=False),
        ]
    ),
    checks={
        "the text is as long as its place": lambda b: pc.equal(
            pc.binary_length(b["text"]), pc.subtract(b["end"], b["start"])
        )
    },
)
"""The parts that were cut out of documents, because they occur elsewhere: the place of each part in the text before
cutting (bytes of UTF-8) and its text, and the document and the place of its first copy. If the first copy overlaps with
yet earlier copies, it may be cut itself. Sentences: the place where the first copy of the sentences in a row begins."""

SIGNALS = Table(name="signals", version=1, columns=pa.schema(_ORIGIN))
"""The measurements of a document. The columns of each filter family follow; a field's metadata describes the measure
and the text that it was taken on."""

SITES = Table(
    name="sites",
    version=1,
    columns=pa.schema(
        [
            pa.field("host", pa.string(), nullable=False),
            pa.field("documents", pa.int64(), nullable=False),
            pa.field("words", pa.int64(), nullable=False),
            pa.field("matches", pa.int64(), nullable=False),
            pa.field("per_thousand_words", pa.float64(), nullable=False),
            pa.field("removed", pa.bool_(), nullable=False),
        ]
    ),
)
"""The hosts in whose documents personal information was found: the documents of each host that passed the filters, the
words of these documents as read, the values found in them, and whether the documents were removed for it. A column with
the values of each kind that was counted follows."""

SKETCHES = Table(
    name="sketches",
    version=2,
    columns=pa.schema(
        [
            *_ORIGIN,
            pa.field("url_hash", pa.binary(16)),
            pa.field("content_hash", pa.binary(16), nullable=False),
            pa.field("signature", pa.large_binary()),
            pa.field("rank", pa.uint64(), nullable=False),
            *_READ,
        ]
    ),
)
"""One row per document that reached deduplication. ``signature`` holds little-endian uint32 MinHash values (null for a
document with fewer words than the shingle). The document with the lowest (rank, row) survives. Ranks take 62 bits; the
two highest bits mark documents of earlier releases. Version 2 introduced the 62 bits, and ``read_bytes`` and ``words``
of the text as read."""

TAKEN_DOWN = Table(
    name="taken_down", version=1, columns=pa.schema([pa.field("content_hash", pa.binary(16), nullable=False)])
)
"""Sorted hashes of the texts that were taken down from a release and its predecessors. A hash is that of the text as
the recipe would have kept it."""
