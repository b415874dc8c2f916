"""The tables of a folder that ``gristmill contamination`` wrote."""

import pyarrow as pa

from curation.benchmarks.decon import PARTS
from curation.benchmarks.settings import LENGTHS, Definition
from schemas.table import Table


def _required(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


def _list(*fields: pa.Field) -> pa.DataType:
    return pa.list_(pa.field("item", pa.struct(fields), nullable=False))


_SIZE = [_required("tokens", pa.int64()), _required("mismatches", pa.int64())]
_SAMPLE = [_required("benchmark", pa.string()), _required("sample_id", pa.string())]
_DOCUMENT = [_required("doc_id", pa.string()), _required("source", pa.string())]
_PLACE = [_required("start", pa.int64()), _required("end", pa.int64())]


def _samples(name: str, *measured: pa.Field) -> Table:
    spans = _list(
        *_SIZE,
        _required("sample_start", pa.int64()),
        _required("sample_end", pa.int64()),
        *_DOCUMENT,
        *_PLACE,
        _required("passage", pa.large_string()),
    )
    fields = [
        *_SAMPLE,
        _required("text", pa.large_string()),
        _required("tokens", pa.int64()),
        _required("longest", pa.int64()),
        *measured,
        _required("documents", pa.int64()),
        _required("spans", spans),
    ]
    return Table(name=name, version=1, columns=pa.schema(fields))


SAMPLES = _samples("contamination_samples", *(_required(f"contamination_{length}", pa.float64()) for length in LENGTHS))
"""A sample: its number of tokens, the longest span in tokens (0 if no span matches), for each L the share of its tokens
that are contaminated, the number of documents that share a span with it, and the best spans of up to ten documents:
bytes [sample_start, sample_end) of the sample's text, bytes [start, end) of the document's text, and the passage there.
"""

NGRAM_SAMPLES = _samples(
    "contamination_ngram_samples",
    _required("ngram", pa.int64()),
    _required("ngrams", pa.int64()),
    _required("contamination", pa.float64()),
    _required("dirty", pa.bool_()),
)
"""A sample for a definition by n-grams of words: as in SAMPLES, where tokens are words and a span is a run of equal
words; the words of an n-gram, the number of the sample's n-grams, the share of them that are in the corpus (0 without
n-grams), and whether the sample is dirty."""

DOCUMENTS = Table(
    name="contamination_documents",
    version=1,
    columns=pa.schema(
        [
            *_DOCUMENT,
            _required("samples", pa.int64()),
            _required("longest", pa.int64()),
            _required("passages", _list(*_PLACE)),
            _required("spans", _list(*_SIZE, *_SAMPLE, *_PLACE)),
        ]
    ),
)
"""A contaminated document: the number of samples that share a span with it, the longest span in tokens, the passages
that lie in any span (bytes of its text), and the best spans of up to ten samples. For a definition by n-grams, tokens
are words, and a span is a run of equal words, at least an n-gram long."""

_SCORE = [_required("score", pa.float64())]

DECON_SAMPLES = Table(
    name="contamination_decon_samples",
    version=1,
    columns=pa.schema(
        [
            *_SAMPLE,
            _required("text", pa.large_string()),
            _required("answer", pa.large_string()),
            _required("passage", pa.large_string()),
            _required("words", pa.int64()),
            _required("left_out", pa.bool_()),
            _required("threshold", pa.float64()),
            *_SCORE,
            *(pa.field(f"{part}_score", pa.float64()) for part in PARTS),
            _required("contaminated", pa.bool_()),
            _required("documents", pa.int64()),
            _required(
                "matches",
                _list(
                    *_SCORE,
                    *_DOCUMENT,
                    _required(
                        "parts",
                        _list(
                            _required("part", pa.string()),
                            *_SCORE,
                            pa.field("start", pa.int64()),
                            pa.field("end", pa.int64()),
                            pa.field("extract", pa.large_string()),
                        ),
                    ),
                ),
            ),
        ]
    ),
)
"""A sample for the definition of decon: the question (``text``), the answer and the passage, empty if it has none; its
words, and whether it is left out, as too short; the score from which it is contaminated, its score, 0 if no document
repeats enough of the question, and the scores of the parts of its best match, null without a match or a part; the
number of documents that contaminate it, and the matches of the best ten documents. A part of a match that the document
repeats has its place, bytes [start, end) of the document's text, and what stands there, shortened."""

DECON_DOCUMENTS = Table(
    name="contamination_decon_documents",
    version=1,
    columns=pa.schema(
        [
            *_DOCUMENT,
            _required("samples", pa.int64()),
            *_SCORE,
            _required("matches", _list(*_SCORE, *_SAMPLE, *_PLACE)),
        ]
    ),
)
"""A contaminated document for the definition of decon: the number of samples that it contaminates, the highest score,
and the best ten of these samples, each with its score and the bytes of the text that repeat the question."""

SUBSETS = Table(
    name="contamination_subsets",
    version=1,
    columns=pa.schema(
        [
            _required("benchmark", pa.string()),
            pa.field("scores", pa.string()),
            _required("length", pa.int64()),
            _required("subset", pa.string()),
            pa.field("contamination", pa.float64()),
            _required("samples", pa.int64()),
            pa.field("mean", pa.float64()),
            pa.field("expected", pa.float64()),
            pa.field("z", pa.float64()),
            pa.field("evident", pa.bool_()),
        ]
    ),
)
"""A subset of a benchmark's samples for a value of L, as in Table 51 of Llama 2: the mean share of contaminated tokens,
the number of samples and, from a file of scores, their mean score, the mean that chance gives, and Z. ``evident``: all
four subsets of this L have a Z above 2 or below -2. For a definition by n-grams, ``length`` is the words of an n-gram,
``contamination`` the mean share of n-grams in the corpus, the subsets are clean and dirty samples, and ``evident`` is
null, since the papers have no test. For decon, ``length`` is the words of a question's n-gram, ``contamination`` the
mean score, and the subsets are the samples that are left out, clean and contaminated."""


def samples_of(definition: Definition) -> Table:
    """The table of samples for a definition."""
    return {"llama2": SAMPLES, "decon": DECON_SAMPLES}.get(definition, NGRAM_SAMPLES)


def documents_of(definition: Definition) -> Table:
    """The table of contaminated documents for a definition."""
    return DECON_DOCUMENTS if definition == "decon" else DOCUMENTS
