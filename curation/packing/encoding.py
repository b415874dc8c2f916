"""Batches of documents to tokens, in threads; what comes out is in the order of what went in."""

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
from curation.packing.noticed import Controls, Noticed, change, in_sample
from curation.packing.tokenizer import Encoder, Tokenizer, one_thread_each


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """``tokens`` of the documents, one after the other, each with its end token; ``lengths`` counts those of each (0:
    an empty one); ``digests`` of shape (n, 2) are 128 bits of a document's source, id and text; ``noticed`` is what
    the tokenizer did to the texts."""

    documents: Documents
    tokens: npt.NDArray[Any]
    lengths: npt.NDArray[np.int64]
    digests: npt.NDArray[np.uint64]
    noticed: Noticed


def encode(batches: Iterable[Documents], tokenizer: Tokenizer, threads: int, share: float) -> Generator[Encoded]:
    """Each batch, encoded; a few more are held than there are threads. About ``share`` of the documents are decoded,
    too."""
    own = threading.local()

    def start() -> None:
        own.encoder, own.controls = tokenizer.encoder(), Controls(tokenizer.controls)

    def work(batch: Documents) -> Encoded:
        return encoded(batch, own.encoder, own.controls, tokenizer.unknown_id, share)

    waiting: deque[Future[Encoded]] = deque()
    with one_thread_each(), ThreadPoolExecutor(threads, "encode", start) as pool:
        for batch in batches:
            waiting.append(pool.submit(work, batch))
            if len(waiting) > threads + 2:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def encoded(batch: Documents, encoder: Encoder, controls: Controls, unknown_id: int | None, share: float) -> Encoded:
    """One batch; the same for each thread that does it."""
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
            found = change(batch.texts[row], decoded, bool((own == unknown_id).any()))
            if found:
                noticed.changed[found] += 1
    return Encoded(documents=batch, tokens=tokens, lengths=lengths, digests=digests, noticed=noticed)


def digest(source: str, doc_id: str, text: str) -> bytes:
    """16 bytes that tell documents apart, wherever they lie: xxh3_128 of source, id and text, a NUL between them."""
    state = xxhash.xxh3_128(f"{source}\0{doc_id}\0".encode())
    state.update(text.encode())
    return state.digest()
