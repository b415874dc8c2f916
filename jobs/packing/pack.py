"""The commands ``gristmill pack``, ``pack-export`` and ``train-tokenizer``."""

from collections.abc import Iterator
from pathlib import Path

from rich.table import Table

from curation.packing import (
    Columns,
    Corpus,
    Mixture,
    Noticed,
    Packed,
    export_megatron,
    open_tokenizer,
    pack,
    train_tokenizer,
)
from jobs.consoles import table_console
from jobs.counting import counting
from jobs.packing.panics import panics_held_back
from jobs.terminal import say
from schemas.errors import UserError
from schemas.visible import visible
from schemas.wording import and_more

Names = tuple[str, str]
"""Of the columns of texts and ids."""

SHOWN = 5
CHANGES = {
    "line_feeds": "the tokenizer loses line feeds, so that lists, code and verse run together",
    "unknown": "the tokenizer puts unknown tokens in the place of characters",
    "white_space": "the tokenizer changes white space",
    "unicode": "the tokenizer changes the case or the Unicode form of characters",
    "characters": "the tokenizer changes characters",
}
"""Kinds of `Noticed.changed` in words."""


def run(
    corpora: tuple[str, ...],
    mixture: Path | None,
    tokenizer: Path,
    marks: tuple[str | None, str | None],
    length: int,
    output: Path,
    seed: int,
    threads: int | None,
    names: Names,
) -> None:
    """``marks`` are the tokens that end and begin a document."""
    if bool(corpora) == (mixture is not None):
        raise UserError("say what to pack: the folder of each corpus, or --mixture FILE, and not both")
    sources, mixed = (_corpora(corpora, names), None) if mixture is None else _mixed(mixture, names)
    opened = open_tokenizer(tokenizer, *marks)
    with panics_held_back():
        packed = pack(sources, opened, length, output, seed=seed, threads=threads, mixture=mixed, counting=counting)
    print_packed(packed)


def export(folder: Path, prefix: Path) -> None:
    documents, tokens = export_megatron(folder, prefix)
    say(f"{prefix}.bin and {prefix}.idx: {documents:,} documents, {tokens:,} tokens")


def train(corpora: tuple[str, ...], vocabulary: int, output: Path, sample: int, end_token: str, names: Names) -> None:
    sources = _corpora(corpora, names)
    size = train_tokenizer(sources, vocabulary, output, sample=sample, end_token=end_token, counting=counting)
    say(f"{output}: {size:,} tokens, {end_token} ends a document")
    if size < vocabulary:
        say(f"the documents yield only {size:,} of the {vocabulary:,} tokens asked for")


def print_packed(packed: Packed) -> None:
    """What each source gave, and what was left."""
    table = Table(box=None, pad_edge=False)
    for name in ("source", "documents", "tokens", "asked", "share", "epochs"):
        table.add_column(name, justify="left" if name == "source" else "right")
    for source in packed.sources:
        asked = "" if source.asked is None else f"{source.asked:.1%}"
        counts = (f"{source.documents:,}", f"{source.tokens:,}")
        table.add_row(visible(source.name), *counts, asked, f"{source.given:.1%}", f"{source.epochs:.2f}")
    table_console().print(table)
    for source in packed.sources:
        if source.short:
            say(f"{source.name} is short: max_epochs of {source.max_epochs:g} allows no more")
    documents, tokens = packed.ledger["documents"], packed.ledger["tokens"]
    if documents["empty"]:
        say(f"empty: {documents['empty']:,} documents")
    if documents["left_out"]:
        say(f"left out by the mixture: {documents['left_out']:,} documents, {tokens['left_out']:,} tokens")
    for line in noticed_lines(packed.noticed):
        say(line)
    say(f"left at the end: {tokens['tail']:,} tokens, which fill no sequence")
    say(f"{packed.folder}: {packed.rows:,} sequences of {packed.length:,} tokens, {tokens['packed']:,} tokens")


def noticed_lines(noticed: Noticed) -> Iterator[str]:
    """What the tokenizer did to the texts, a line each; none where it took them as they are."""
    if noticed.unknown:
        yield f"unknown to the tokenizer: {noticed.unknown:,} tokens"
    if noticed.controls:
        names = noticed.controls.most_common(SHOWN)
        shown = and_more([f"{name} ({count:,})" for name, count in names], len(noticed.controls))
        yield f"control tokens in the texts, packed as ordinary characters: {noticed.controls.total():,}: {shown}"
    for kind, count in noticed.changed.most_common():
        yield f"{CHANGES[kind]}: {count:,} of {noticed.sampled:,} documents that were decoded and compared"


def _mixed(path: Path, names: Names) -> tuple[list[Corpus], Mixture]:
    from jobs.packing.mixture_file import mixed_corpora, read_mixture  # brings all that jobs are made of

    mixture = read_mixture(path)
    return mixed_corpora(mixture, path.parent, _columns(names)), mixture


def _corpora(paths: tuple[str, ...], names: Names) -> list[Corpus]:
    return [Corpus(path=path, columns=_columns(names)) for path in paths]


def _columns(names: Names) -> Columns:
    text, doc_id = names
    return Columns(text=text, doc_id=doc_id)
