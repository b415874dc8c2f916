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
from curation.packing.tokenizer import Encoder, Tokenizer, one_thread_each


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """``tokens`` of the documents, one after the other, each with its end token; ``lengths`` counts those of each (0:
    an empty one); ``digests`` of shape (n, 2) are 128 bits of a document's source, id and text."""

    documents: Documents
    tokens: npt.NDArray[Any]
    lengths: npt.NDArray[np.int64]
    digests: npt.NDArray[np.uint64]


def encode(batches: Iterable[Documents], tokenizer: Tokenizer, threads: int) -> Generator[Encoded]:
    """Each batch, encoded; a few more are held than there are threads."""
    own = threading.local()

    def start() -> None:
        own.encoder = tokenizer.encoder()

    def work(batch: Documents) -> Encoded:
        return encoded(batch, own.encoder)

    waiting: deque[Future[Encoded]] = deque()
    with one_thread_each(), ThreadPoolExecutor(threads, "encode", start) as pool:
        for batch in batches:
            waiting.append(pool.submit(work, batch))
            if len(waiting) > threads + 2:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def encoded(batch: Documents, encoder: Encoder) -> Encoded:
    """One batch; the same for each thread that does it."""
    tokens, lengths = encoder.documents(batch.texts)
    rows = zip(batch.sources, batch.doc_ids, batch.texts, strict=True)
    digests = b"".join(digest(*row) for row in rows)
    return Encoded(
        documents=batch,
        tokens=tokens,
        lengths=lengths,
        digests=np.frombuffer(digests, ">u8").reshape(-1, 2).astype(np.uint64),
    )


def digest(source: str, doc_id: str, text: str) -> bytes:
    """16 bytes that tell documents apart, wherever they lie: xxh3_128 of source, id and text, a NUL between them."""
    state = xxhash.xxh3_128(f"{source}\0{doc_id}\0".encode())
    state.update(text.encode())
    return state.digest()
