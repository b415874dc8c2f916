"""The commands ``gristmill pack``, ``pack-export`` and ``train-tokenizer``."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from curation.packing.corpus import Columns, ParquetCorpus
from curation.packing.manifest import BucketReport, Manifest
from curation.packing.megatron import export_megatron
from curation.packing.noticed import Noticed
from curation.packing.packing import pack
from curation.packing.shares import Mixture
from curation.packing.training import train_tokenizer
from curation.tokenizers.tokenizer import open_tokenizer
from jobs.counting import counting
from jobs.panics import hold_back_panics
from jobs.tables import Row, print_table
from jobs.terminal import say
from schemas.errors import UserError
from schemas.packed import Packing
from schemas.settings import build
from schemas.toml_file import read_toml
from schemas.wording import and_more

SHOWN = 5
CHANGES = {
    "line_feeds": "the tokenizer loses line feeds, so that lists, code and verse run together",
    "unknown": "the tokenizer puts unknown tokens in the place of characters",
    "white_space": "the tokenizer changes white space",
    "unicode": "the tokenizer changes the case or the Unicode form of characters",
    "characters": "the tokenizer changes characters",
}
"""The sentence for each kind of `Noticed.changed`."""


@dataclass(frozen=True, kw_only=True)
class PackOptions:
    """The arguments and options of ``gristmill pack``; None or empty if not given."""

    corpora: tuple[str, ...]
    tokenizer: Path
    length: int
    output: Path
    packing: Packing
    mixture: Path | None
    seed: int
    end_token: str | None
    begin_token: str | None
    text_column: str
    id_column: str
    threads: int | None


@dataclass(frozen=True, kw_only=True)
class TrainTokenizerOptions:
    """The arguments and options of ``gristmill train-tokenizer``."""

    corpora: tuple[str, ...]
    vocabulary: int
    output: Path
    sample: int
    end_token: str
    text_column: str
    id_column: str


def run(options: PackOptions) -> None:
    """Packs the corpora, or the sources of a mixture file, and prints a summary."""
    if bool(options.corpora) == (options.mixture is not None):
        raise UserError("say what to pack: CORPUS folders or --mixture FILE, not both")
    columns = Columns(text=options.text_column, doc_id=options.id_column)
    at = options.mixture
    sources, mixture = (_corpora(options.corpora, columns), None) if at is None else _read_mixture(at, columns)
    tokenizer = open_tokenizer(options.tokenizer, options.end_token, options.begin_token)
    with hold_back_panics():
        packed = pack(
            sources,
            tokenizer,
            options.length,
            options.output,
            seed=options.seed,
            threads=options.threads,
            mixture=mixture,
            packing=options.packing,
            counting=counting,
        )
    print_packed(options.output, packed)


def export(folder: Path, prefix: Path) -> None:
    done = export_megatron(folder, prefix)
    parts = "" if done.sequences == done.documents else f" in {done.sequences:,} sequences"
    say(f"{prefix}.bin and {prefix}.idx: {done.documents:,} documents{parts}, {done.tokens:,} tokens")


def train(options: TrainTokenizerOptions) -> None:
    """Learns a tokenizer from the corpora, and prints its number of tokens."""
    vocabulary, output, end_token = options.vocabulary, options.output, options.end_token
    sources = _corpora(options.corpora, Columns(text=options.text_column, doc_id=options.id_column))
    size = train_tokenizer(sources, vocabulary, output, sample=options.sample, end_token=end_token, counting=counting)
    say(f"{output}: {size:,} tokens, {end_token} ends a document")
    if size < vocabulary:
        say(f"the documents yield only {size:,} of the {vocabulary:,} tokens asked for")


def print_packed(folder: Path, packed: Manifest) -> None:
    """Prints a table of the sources, and lines about tokens that were not packed."""
    rows = []
    for source in packed.sources:
        asked = "" if source.asked is None else f"{source.asked:.1%}"
        counts = (f"{source.documents:,}", f"{source.tokens:,}")
        rows.append(Row((source.name, *counts, asked, f"{source.given:.1%}", f"{source.epochs:.2f}")))
    print_table(("source", "documents", "tokens", "asked", "share", "epochs"), rows)
    for source in packed.sources:
        if source.buckets:
            columns = (f"{source.name}, by value", "documents", "tokens", "epochs", "taken")
            print_table(columns, map(_bucket_row, source.buckets))
    for source in packed.sources:
        if source.short:
            say(f"{source.name} is short: max_epochs of {source.max_epochs:g} allows no more")
    documents, tokens = packed.ledger["documents"], packed.ledger["tokens"]
    if documents["empty"]:
        say(f"empty: {documents['empty']:,} documents")
    if documents["left_out"]:
        say(f"left out by the mixture: {documents['left_out']:,} documents, {tokens['left_out']:,} tokens")
    for line in noticed_lines(Noticed.of(packed.noticed)):
        say(line)
    if packed.divided is not None:
        share, fitting = packed.divided.share, packed.divided.fitting
        say(
            f"divided: {packed.divided.documents:,} documents ({share:.1%}); "
            f"{fitting:,} of them would fit into one sequence"
        )
    padding = packed.padding
    say(f"padding: {padding.tokens if padding else 0:,} tokens ({padding.share if padding else 0:.1%})")
    say(f"left at the end: {tokens['tail']:,} tokens, which fill no sequence")
    say(f"{folder}: {packed.rows:,} sequences of {packed.length:,} tokens, {tokens['packed']:,} tokens")


def _bucket_row(bucket: BucketReport) -> Row:
    values = [f"{value:.4g}" for value in (bucket.least, bucket.most) if value is not None]
    named = " to ".join(dict.fromkeys(values)) or "without a value"
    counts = (f"{bucket.documents:,}", f"{bucket.tokens:,}", f"{bucket.epochs:.2f}", f"{bucket.taken_tokens:,}")
    return Row((named, *counts))


def noticed_lines(noticed: Noticed) -> Iterator[str]:
    """Lines about texts that the tokenizer changes and tokens that it does not know; empty if all texts fit."""
    if noticed.unknown:
        yield f"unknown to the tokenizer: {noticed.unknown:,} tokens"
    if noticed.controls:
        names = noticed.controls.most_common(SHOWN)
        shown = and_more([f"{name} ({count:,})" for name, count in names], len(noticed.controls))
        yield f"control tokens in the texts, packed as ordinary characters: {noticed.controls.total():,}: {shown}"
    for kind, count in noticed.changed.most_common():
        yield f"{CHANGES[kind]}: {count:,} of {noticed.sampled:,} documents that were decoded and compared"


def _read_mixture(path: Path, columns: Columns) -> tuple[list[ParquetCorpus], Mixture]:
    """The sources of a mixture file (TOML), whose relative paths are relative to its folder, and the mixture."""
    mixture = build(Mixture, read_toml(path), str(path))
    if not mixture.source:
        raise UserError(f"{path} names no source: add a [[source]] with name, path and share")
    places = [each.path if "://" in each.path else str(path.parent / each.path) for each in mixture.source]
    corpora = []
    for place, each in zip(places, mixture.source, strict=True):
        own = replace(columns, value=each.weights.column) if each.weights else columns
        corpora.append(ParquetCorpus(path=place, name=each.name, columns=own))
    return corpora, mixture


def _corpora(paths: tuple[str, ...], columns: Columns) -> list[ParquetCorpus]:
    return [ParquetCorpus(path=path, columns=columns) for path in paths]
