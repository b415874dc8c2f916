"""Which index a definition of contamination has, for a search and for a step of a recipe."""

import pyarrow as pa

from curation.benchmarks.decon_index import DeconIndex
from curation.benchmarks.index import Index
from curation.benchmarks.ngram_index import NgramIndex
from curation.benchmarks.settings import Settings
from curation.tokenizers.tokenizer import Tokenizer

SpanIndex = Index | NgramIndex
"""The index of a definition that compares spans."""
AnyIndex = SpanIndex | DeconIndex


def make_index(settings: Settings, tokenizer: Tokenizer | None, samples: pa.Table) -> AnyIndex:
    """The index of the definition over ``samples``: REFERENCES for decon, or else SAMPLES. A definition by tokens needs
    a tokenizer; the others have none."""
    if settings.definition == "decon":
        return DeconIndex(samples)
    texts = samples["text"].combine_chunks()
    if tokenizer is not None:
        return Index(settings, tokenizer, texts)
    return NgramIndex(settings, texts, samples["benchmark"].combine_chunks())
