"""Packs documents into sequences of tokens of one length."""

from curation.packing.corpus import Columns, ParquetCorpus
from curation.packing.megatron import export_megatron
from curation.packing.noticed import Noticed
from curation.packing.packing import Packed, pack
from curation.packing.shares import Mixture, MixtureSource
from curation.packing.tokenizer import Tokenizer, open_tokenizer
from curation.packing.training import train_tokenizer

__all__ = [
    "Columns",
    "Mixture",
    "MixtureSource",
    "Noticed",
    "Packed",
    "ParquetCorpus",
    "Tokenizer",
    "export_megatron",
    "open_tokenizer",
    "pack",
    "train_tokenizer",
]
