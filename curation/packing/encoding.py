"""Encodes batches of documents as tokens, in threads; the results are in the order of the batches."""

import threading
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

from curation.packing.corpus import Documents
from curation.packing.noticed import ControlTokens, Noticed, change_kind, in_sample
from curation.tokenizers.tokenizer import Encoder, Tokenizer, one_thread_each


@dataclass(frozen=True, kw_only=True)
class EncodedBatch:
    """``tokens`` of the documents, one after the other, each with its end token; ``lengths`` is the number of tokens of
    each document (0 for an empty one); ``digests``, of shape (n, 2), are 128-bit hashes of the documents' source, id
    and text; ``noticed`` counts what the tokenizer did to the texts."""

    documents: Documents
    tokens: npt.NDArray[Any]
    lengths: npt.NDArray[np.int64]
    digests: npt.NDArray[np.uint64]
    noticed: Noticed


def encode(batches: Iterable[Documents], tokenizer: Tokenizer, threads: int, share: float) -> Generator[EncodedBatch]:
    """Encodes each batch; a few more batches than threads are in memory. About ``share`` of the documents are also
    decoded and compared with their text."""
    own = threading.local()

    def start() -> None:
        own.encoder, own.controls = tokenizer.encoder(), ControlTokens(tokenizer.controls)

    def work(batch: Documents) -> EncodedBatch:
        return encode_batch(batch, own.encoder, own.controls, tokenizer.unknown_id, share)

    waiting: deque[Future[EncodedBatch]] = deque()
    with one_thread_each(), ThreadPoolExecutor(threads, "encode", start) as pool:
        for batch in batches:
            waiting.append(pool.submit(work, batch))
            if len(waiting) > threads + 2:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def encode_batch(
    batch: Documents, encoder: Encoder, controls: ControlTokens, unknown_id: int | None, share: float
) -> EncodedBatch:
    """Encodes a batch; the result does not depend on the thread."""
    tokens, lengths = encoder.documents(batch.texts)
    rows = zip(batch.sources, batch.doc_ids, batch.texts, strict=True)
    digests = np.frombuffer(b"".join(digest(*row) for row in rows), ">u8").reshape(-1, 2).astype(np.uint64)
    noticed = Noticed(controls=controls.count(batch.texts))
    if unknown_id is not None:
        noticed.unknown = int(np.count_nonzero(tokens == unknown_id))
    stops = np.cumsum(lengths)
    for row in in_sample(digests, share).tolist():
        own = tokens[stops[row] - lengths[row] : stops[row]]
        decoded = encoder.text(own) if len(own) else None
        if decoded is not None:
            noticed.sampled += 1
            found = change_kind(batch.texts[row], decoded, bool((own == unknown_id).any()))
            if found:
                noticed.changed[found] += 1
    return EncodedBatch(documents=batch, tokens=tokens, lengths=lengths, digests=digests, noticed=noticed)


def digest(source: str, doc_id: str, text: str) -> bytes:
    """The 16 bytes that identify a document, whatever its file: xxh3_128 of source, id and text, separated by NUL."""
    state = xxhash.xxh3_128(f"{source}\0{doc_id}\0".encode())
    state.update(text.encode())
    return state.digest()
