"""The run on one page: reads and tokenises documents, takes shares of the sources, shuffles, packs and writes."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from curation.engine.budget import cores
from curation.engine.claim import CLAIM, Claim, claim_folder, tidy
from curation.packing.corpus import ParquetCorpus
from curation.packing.cutting import Cutting
from curation.packing.encoding import encode
from curation.packing.fitting import Fitting
from curation.packing.ledger import PackingLedger
from curation.packing.manifest import Divided, Manifest, content, source_reports
from curation.packing.noticed import SAMPLE, Noticed
from curation.packing.order import order
from curation.packing.rows import Rows
from curation.packing.shards import shard_batches, write_shards
from curation.packing.shares import Mixture, check, shares
from curation.packing.tokenised import Tokenised, TokenisedWriter
from curation.packing.weights import Weighted, weigh
from curation.release.folder import Folder, disk_full
from curation.tokenizers.tokenizer import Tokenizer
from schemas.balance import LedgerError
from schemas.errors import RunError, UserError
from schemas.manifest import MANIFEST
from schemas.packed import FORMAT, Packing, Padding
from schemas.progress import Counting, silent
from schemas.records import to_json

SAVED_SECONDS = 5.0
"""How often tokenised documents are saved, so that a killed run can resume."""

MOST_LENGTH = 1 << 26
"""The most tokens of a sequence; several sequences are in memory together."""
MOST_THREADS = 1024


def pack(
    corpora: Sequence[ParquetCorpus],
    tokenizer: Tokenizer,
    length: int,
    output: Path,
    *,
    seed: int = 0,
    threads: int | None = None,
    mixture: Mixture | None = None,
    packing: Packing = "concatenate",
    counting: Counting = silent,
) -> Manifest:
    """Packs documents into sequences of ``length`` tokens, in a new folder, or in a folder in which the same run was
    interrupted: the run then resumes where it stopped. The manifest is written last.

    Every document is taken once; with a ``mixture``, whose sources are the corpora's names, as often as the mixture
    says. ``packing`` puts documents one after the other and cuts them every ``length`` tokens (`Cutting`), or puts each
    where it fits best, and end tokens as padding behind the last document of a row (`Fitting`). Equal documents,
    settings and seed give equal bytes, whatever the files and threads. Tokens are in ``output`` until they are
    shuffled, so the folder temporarily takes twice its final size; memory is about 100 bytes for each document taken,
    and about 130 for best-fit packing.

    Raises UserError for invalid corpora, mixtures and outputs, RunError for a run that cannot finish.
    """
    _check_numbers(length, seed, threads)
    _check_corpora(corpora, output, mixture)
    folder, was_there = Folder(str(output)), output.exists()
    claim = _claim(corpora, tokenizer, length, seed, mixture, packing)
    if done := _finished_run(folder, claim):
        return done
    with claim_folder(folder, claim), _clean_up(folder, was_there):
        corpus, noticed = _tokenise(folder, corpora, tokenizer, threads or cores(), counting)
        totals = corpus.totals()
        if not sum(totals):
            raise UserError(
                "no document yields a token: all texts are empty, or the tokenizer has no tokens for them; give other "
                "documents or another --tokenizer"
            )
        weighted = _weigh(corpus, mixture)
        taken = shares(corpus.names, totals, mixture, weighted)
        documents = order(corpus, taken, seed, weighted)
        if packing == "best-fit":
            plan: Rows = Fitting(corpus, documents, length, tokenizer.end_id, seed)
        else:
            plan = Cutting(corpus, documents, length)
        if not plan.rows:
            more = ", or raise the mixture's tokens" if mixture is not None and mixture.tokens is not None else ""
            raise UserError(
                f"{plan.left_tokens:,} tokens are too few for --length {length:,}: give a smaller --length{more}"
            )
        ledger = PackingLedger(corpus, documents, length)
        with counting("packing, in sequences") as tell:
            files = write_shards(folder, plan, ledger, shard_batches(length, corpus.tokens.itemsize), tell)
        with folder.writing(tokenizer.file, durable=True) as stream:
            stream.write(tokenizer.content)
        manifest = Manifest(
            format=FORMAT,
            version=plan.table.version,
            gristmill=version("gristmill"),
            length=length,
            token_type=tokenizer.token_type,
            rows=plan.rows,
            seed=seed,
            content=content(corpus),
            tokenizer=tokenizer.report(),
            tokens_asked=mixture.tokens if mixture else None,
            sources=tuple(source_reports(corpus, documents, taken, mixture, weighted)),
            ledger=ledger.balance(plan.rows, plan.left_tokens, plan.padding is not None),
            noticed=noticed.report(),
            divided=_divided(plan, ledger),
            packing=packing,
            padding=_padding(plan, ledger, tokenizer),
            files=files,
        )
        folder.write_json(MANIFEST, manifest)
        folder.release()
    return manifest


def _check_numbers(length: int, seed: int, threads: int | None) -> None:
    """Raises UserError for a number that is out of range."""
    if length < 1:
        raise UserError(f"--length is {length}: give at least 1 token")
    if length > MOST_LENGTH:
        raise UserError(f"--length is {length:,}, which is too large: give at most {MOST_LENGTH:,} tokens")
    if not 0 <= seed < 1 << 63:
        raise UserError(f"--seed is {seed}: give a whole number of 0 or more, below 2**63")
    if threads is not None and threads > MOST_THREADS:
        raise UserError(f"{threads:,} threads are too many: give at most {MOST_THREADS:,}")


def _check_corpora(corpora: Sequence[ParquetCorpus], output: Path, mixture: Mixture | None) -> None:
    """Raises UserError for a path that cannot be used, a corpus that is named twice, and a wrong mixture."""
    paths = [corpus.path for corpus in corpora]
    for path in (str(output), *paths):
        Folder(path).check_name()
    twice = sorted({path for path in paths if paths.count(path) > 1})
    if twice and mixture is None:
        raise UserError(
            f"{twice[0]} is named twice: name it once, or give a mixture with max_epochs to use a corpus more than once"
        )
    if mixture is not None:
        check(mixture)


def _divided(plan: Rows, ledger: PackingLedger) -> Divided:
    documents, fitting = plan.divided()
    return Divided(documents=documents, share=documents / ledger.copies, fitting=fitting)


def _padding(plan: Rows, ledger: PackingLedger, tokenizer: Tokenizer) -> Padding | None:
    if plan.padding is None:
        return None
    share = ledger.padding / (plan.rows * plan.length)
    return Padding(token=tokenizer.end_token, token_id=tokenizer.end_id, tokens=ledger.padding, share=share)


def _weigh(corpus: Tokenised, mixture: Mixture | None) -> dict[str, Weighted]:
    """The sources whose documents have weights, by name."""
    found = {}
    for source in mixture.source if mixture else ():
        if source.weights is not None:
            own = corpus.source == corpus.names.index(source.name)
            values, lengths = corpus.values[own], corpus.lengths[own]
            found[source.name] = weigh(source.weights, source.max_epochs, values, lengths, source.name)
    return found


def _claim(
    corpora: Sequence[ParquetCorpus],
    tokenizer: Tokenizer,
    length: int,
    seed: int,
    mixture: Mixture | None,
    packing: Packing,
) -> Claim:
    """All that decides what is written."""
    files: dict[str, list[Any]] = {}
    for corpus in corpora:
        files |= corpus.versions()
    sources = [[corpus.path, corpus.name, *asdict(corpus.columns).values()] for corpus in corpora]
    mixed = asdict(mixture) if mixture else None
    asked = {"length": length, "seed": seed, "corpora": sources, "mixture": mixed, "packing": packing}
    settings = to_json({"pack": asked, "tokenizer": tokenizer.report()})
    return Claim(gristmill=version("gristmill"), files=to_json(files), asked=settings)


def _finished_run(folder: Folder, claim: Claim) -> Manifest | None:
    """The result of the same run, if it was killed after writing its manifest; None if the folder is not finished.

    Raises UserError if the folder holds another finished run.
    """
    if not folder.exists(MANIFEST):
        return None
    same = folder.exists(CLAIM) and folder.read_json(CLAIM, Claim) == claim
    tidy(folder)
    if not same:
        raise UserError(f"the output {folder.root} holds a finished run: choose a new folder, or remove this one first")
    return folder.read_json(MANIFEST, Manifest)


@contextmanager
def _clean_up(folder: Folder, was_there: bool) -> Iterator[None]:
    """Removes the work in progress after an error that running again would repeat. After a full disk or a signal it
    stays, so that the run can resume."""
    try:
        yield
    except (UserError, RunError, LedgerError):
        folder.clear() if was_there else folder.abandon()
        raise
    except OSError as error:
        if disk_full(error):
            raise
        raise RunError(f"{folder.root} cannot be written: {error.strerror or error}") from error


def _tokenise(
    folder: Folder, corpora: Sequence[ParquetCorpus], tokenizer: Tokenizer, threads: int, counting: Counting
) -> tuple[Tokenised, Noticed]:
    total = sum(corpus.rows() for corpus in corpora)
    named = [corpus.name for corpus in corpora if corpus.name is not None]
    with counting("tokenising, in documents") as tell, TokenisedWriter(folder, tokenizer.token_type, named) as writer:
        begun, *place = writer.at
        saved = time.monotonic()
        for number, corpus in enumerate(corpora[begun:], begun):
            documents = corpus.documents((place[0], place[1]) if number == begun else (0, 0))
            with closing(encode(documents, tokenizer, threads, SAMPLE / max(total, 1))) as batches:
                for batch in batches:
                    writer.add(batch, number)
                    tell(writer.documents, total)
                    if time.monotonic() - saved >= SAVED_SECONDS:
                        writer.save()
                        saved = time.monotonic()
            writer.at = number + 1, 0, 0
            writer.save()
        return writer.finish(), writer.noticed
