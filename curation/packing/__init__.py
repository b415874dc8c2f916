"""Documents in, sequences of tokens of one length out."""

from curation.packing.corpus import Columns, Corpus
from curation.packing.megatron import export_megatron
from curation.packing.noticed import Noticed
from curation.packing.packing import Packed, pack
from curation.packing.shares import Mixture, Source
from curation.packing.tokenizer import Tokenizer, open_tokenizer
from curation.packing.training import train_tokenizer

__all__ = [
    "Columns",
    "Corpus",
    "Mixture",
    "Noticed",
    "Packed",
    "Source",
    "Tokenizer",
    "export_megatron",
    "open_tokenizer",
    "pack",
    "train_tokenizer",
]
