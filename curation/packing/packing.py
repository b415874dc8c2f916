"""The run on one page: read and tokenise, take by shares, shuffle, cut, write."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from curation.errors import UserError
from curation.packing.corpus import Corpus, Documents
from curation.packing.encoding import encode
from curation.packing.folder import new_folder, write_json
from curation.packing.ledger import Ledger
from curation.packing.manifest import SourceReport, manifest, source_reports
from curation.packing.order import order
from curation.packing.rows import Cutting, Rows, table_of
from curation.packing.shards import shard_batches, write_shards
from curation.packing.shares import Mixture, check, shares
from curation.packing.tokenised import Tokenised, TokenisedWriter
from curation.packing.tokenizer import Tokenizer

Tell = Callable[[int, int], None]
Counting = Callable[[str], AbstractContextManager[Tell]]
"""Opens a count under a label; it is told (done, of how many) as it goes."""


@contextmanager
def silent(label: str) -> Iterator[Tell]:
    yield lambda done, total: None


@dataclass(frozen=True, kw_only=True)
class Packed:
    """What a run wrote; ``ledger`` as in the manifest."""

    folder: Path
    rows: int
    length: int
    sources: list[SourceReport]
    ledger: dict[str, dict[str, int]]


def pack(
    corpora: Sequence[Corpus],
    tokenizer: Tokenizer,
    length: int,
    output: Path,
    *,
    seed: int = 0,
    threads: int | None = None,
    mixture: Mixture | None = None,
    counting: Counting = silent,
) -> Packed:
    """Packs documents into sequences of ``length`` tokens, in a new folder that appears whole or not at all.

    Every document is taken once; with a ``mixture``, whose sources are the corpora's names, as often as that says.
    Equal documents, settings and seed give equal bytes, whatever the files and threads. Tokens lie in ``output`` until
    they are shuffled, so it takes twice its size there; memory is about 100 bytes for each document taken.

    Raises UserError for corpora, mixtures and outputs that cannot be, RunError for a run that cannot be finished.
    """
    if length < 1:
        raise UserError(f"a length of {length} is none: give 1 or more tokens")
    paths = [corpus.path for corpus in corpora]
    twice = sorted({path for path in paths if paths.count(path) > 1})
    if twice and mixture is None:
        raise UserError(f"{twice[0]} is named twice: a mixture with max_epochs goes through a corpus more than once")
    if mixture is not None:
        check(mixture)
    with new_folder(output) as folder:
        corpus = _tokenised(folder / "unshuffled", corpora, tokenizer, threads or _cores(), counting)
        taken = shares(corpus.names, corpus.totals(), mixture)
        documents = order(corpus, taken, seed)
        cutting = Cutting(corpus, documents, length, table_of(corpus, length))
        if not cutting.rows:
            raise UserError(f"{cutting.left_tokens:,} tokens fill no sequence of {length:,}: give a smaller --length")
        ledger = Ledger(corpus, documents)
        with counting("packing, in sequences") as tell:
            rows = _told(ledger.passing(cutting), cutting.rows, tell)
            files = write_shards(folder, cutting.table, rows, shard_batches(length, corpus.tokens.itemsize))
        balanced = ledger.balanced(cutting.left_tokens)
        sources = source_reports(corpus, documents, taken, mixture)
        (folder / tokenizer.file).write_bytes(tokenizer.content)
        shutil.rmtree(folder / "unshuffled")
        noted = manifest(
            tokenizer=tokenizer,
            corpus=corpus,
            length=length,
            seed=seed,
            rows=cutting.rows,
            sources=sources,
            tokens_asked=mixture.tokens if mixture else None,
            ledger=balanced,
            files=files,
        )
        write_json(folder / "manifest.json", noted)
    return Packed(folder=output, rows=cutting.rows, length=length, sources=sources, ledger=balanced)


def _tokenised(
    folder: Path, corpora: Sequence[Corpus], tokenizer: Tokenizer, threads: int, counting: Counting
) -> Tokenised:
    total, done = sum(corpus.rows() for corpus in corpora), 0
    named = [corpus.name for corpus in corpora if corpus.name is not None]
    with counting("tokenising, in documents") as tell, TokenisedWriter(folder, tokenizer.token_type, named) as writer:
        with closing(encode(_documents(corpora), tokenizer, threads)) as batches:
            for batch in batches:
                writer.add(batch)
                done += len(batch.documents)
                tell(done, total)
        return writer.finish()


def _documents(corpora: Sequence[Corpus]) -> Iterator[Documents]:
    for corpus in corpora:
        yield from corpus.documents()


def _told(rows: Iterable[Rows], total: int, tell: Tell) -> Iterator[Rows]:
    done = 0
    for each in rows:
        yield each
        done += len(each.batch)
        tell(done, total)


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))
