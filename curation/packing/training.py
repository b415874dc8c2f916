"""Trains a tokenizer: byte-level BPE in which every digit is a token, and which changes no text."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import tokenizers
import xxhash
from tokenizers import decoders, models, pre_tokenizers, trainers

from curation.packing.corpus import ParquetCorpus
from curation.tokenizers.tokenizer import END_TOKENS, MOST_TOKENS
from schemas.errors import UserError
from schemas.folders import new_files
from schemas.progress import Counting, Tell, silent

SMALLEST = 257
"""The smallest vocabulary: all bytes and the end token."""


def train_tokenizer(
    corpora: Sequence[ParquetCorpus],
    vocabulary: int,
    output: Path,
    *,
    sample: int = 100_000,
    end_token: str = END_TOKENS[0],
    counting: Counting = silent,
) -> int:
    """Writes a tokenizer.json of at most ``vocabulary`` tokens to ``output``; returns the number of its tokens.

    The tokenizer is learnt from about ``sample`` documents: those with the lowest hashes, so the same ones each time,
    whatever their files. Equal documents give equal bytes, whatever the threads. The end token is token 0.

    Raises UserError for a vocabulary below 257, a corpus that cannot be read, and an output that exists already.
    """
    if vocabulary < SMALLEST:
        raise UserError(
            f"a vocabulary of {vocabulary} is too small for 256 bytes and an end token: give at least {SMALLEST} tokens"
        )
    if vocabulary > MOST_TOKENS:
        raise UserError(f"a vocabulary of {vocabulary:,} is too large: give at most {MOST_TOKENS:,} tokens")
    with new_files(output) as [unfinished]:
        tokenizer = _blank()
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=[end_token],
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        with counting("learning, in documents") as tell:
            tokenizer.train_from_iterator(_sample(corpora, sample, tell), trainer)
        unfinished.write_text(tokenizer.to_str(pretty=True) + "\n", encoding="utf-8")
        return int(tokenizer.get_vocab_size())


def _blank() -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer(models.BPE())
    words = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), words])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _sample(corpora: Sequence[ParquetCorpus], size: int, tell: Tell) -> Iterator[list[str]]:
    total, done = sum(corpus.rows() for corpus in corpora), 0
    highest = size / max(total, 1) * 2**64
    for corpus in corpora:
        for batch in corpus.documents():
            rows = zip(batch.doc_ids, batch.texts, strict=True)
            yield [text for doc_id, text in rows if xxhash.xxh3_64_intdigest(doc_id.encode()) < highest]
            done += len(batch)
            tell(done, total)
