"""The commands ``gristmill pack``, ``pack-export`` and ``train-tokenizer``: their names and options."""

from pathlib import Path
from typing import Any

import click

from jobs.options import PATH

TEXT_COLUMN = click.option(
    "--text-column", default="text", show_default=True, metavar="NAME", help="The column of texts."
)
ID_COLUMN = click.option(
    "--id-column",
    default="doc_id",
    show_default=True,
    metavar="NAME",
    help="The column of ids; without such a column, a document's id is the hash of its text.",
)
END_TOKEN = (
    "The token that ends a document (default: whichever of </s>, <|endoftext|>, <|end_of_text|>, <eos> the tokenizer "
    "has)."
)


@click.command(short_help="Tokenise, mix and pack a corpus into sequences of one length.")
@click.argument("corpora", metavar="CORPUS...", nargs=-1)
@click.option(
    "--tokenizer",
    required=True,
    type=PATH,
    metavar="PATH",
    help="A tokenizer.json as Hugging Face's tokenizers saves it, a SentencePiece .model, or a folder with a "
    "tokenizer.json or tokenizer.model.",
)
@click.option(
    "--length", type=click.IntRange(1), default=4096, show_default=True, metavar="N", help="Tokens per sequence."
)
@click.option(
    "--packing",
    type=click.Choice(["concatenate", "best-fit"]),
    default="concatenate",
    show_default=True,
    help="concatenate: documents one after the other, cut where a sequence ends. best-fit: each document whole in the "
    "sequence where it fits best, and padding in the rest of each sequence.",
)
@click.option(
    "--output",
    required=True,
    type=PATH,
    metavar="DIR",
    help="A new or empty folder. Packing needs disk space for twice the folder's final size.",
)
@click.option(
    "--mixture",
    type=PATH,
    metavar="FILE",
    help="A TOML file that names the sources and the share of each; replaces CORPUS.",
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    metavar="N",
    help="The seed of the shuffle, and of the choice of documents for a partial epoch.",
)
@click.option("--end-token", metavar="NAME", help=END_TOKEN)
@click.option(
    "--begin-token", metavar="NAME", help="The token that begins a document, such as <s> (default: no begin token)."
)
@TEXT_COLUMN
@ID_COLUMN
@click.option(
    "--threads",
    type=click.IntRange(1),
    metavar="N",
    help="Threads that tokenise (default: one per core). The output does not depend on the number.",
)
def pack(**given: Any) -> None:
    """Tokenise each CORPUS, shuffle its documents and pack them into sequences of one length, for pretraining.

    A CORPUS is a folder that gristmill curate wrote, or a file or folder of Parquet. The tokenizer is a tokenizer.json
    or a SentencePiece model, or a folder with either. A mixture file replaces CORPUS and gives the share of each
    source. By default sequences are full, and a document that does not fit continues in the next sequence; best-fit
    packing cuts only documents that are longer than a sequence. Equal documents, settings and seed give equal bytes,
    for any division into files and any number of threads. Repeat the command to resume an interrupted run.

    \b
        gristmill pack corpus --tokenizer tokenizer.json --output packed
        gristmill pack --mixture mixture.toml --tokenizer tokenizer.model --length 8192 --output packed
    """
    from jobs.packing.pack import PackOptions, run

    run(PackOptions(**given))


@click.command(name="pack-export", short_help="Write packed sequences in the form that a trainer reads.")
@click.argument("folder", metavar="DIR", type=PATH)
@click.option("--format", "form", type=click.Choice(["megatron"]), required=True, help="Megatron-LM's indexed dataset.")
@click.option(
    "--output", required=True, type=PATH, metavar="PREFIX", help="The names of the new files, without .bin and .idx."
)
def pack_export(folder: Path, form: str, output: Path) -> None:
    """Write the documents of packed folder DIR as PREFIX.bin and PREFIX.idx, which Megatron-LM reads.

    A document is one sequence with its end token, in the order of the packed folder. If best-fit packing cut a
    document, each of its pieces is a sequence. Padding is left out.
    """
    from jobs.packing.pack import export

    export(folder, output)


@click.command(name="train-tokenizer", short_help="Learn a byte-level BPE tokenizer from a corpus.")
@click.argument("corpora", metavar="CORPUS...", nargs=-1, required=True)
@click.option(
    "--vocabulary",
    type=int,
    default=32_000,
    show_default=True,
    metavar="N",
    help="The largest number of tokens to learn.",
)
@click.option("--output", required=True, type=PATH, metavar="FILE", help="A new file, such as tokenizer.json.")
@click.option(
    "--sample",
    type=click.IntRange(1),
    default=100_000,
    show_default=True,
    metavar="N",
    help="Learn from about N documents; every call picks the same ones.",
)
@click.option("--end-token", default="</s>", show_default=True, metavar="NAME", help="The token that ends a document.")
@TEXT_COLUMN
@ID_COLUMN
def train_tokenizer(**given: Any) -> None:
    """Learn a byte-level BPE tokenizer from each CORPUS (as in gristmill pack). Every digit is a separate token.

    Texts are not normalised. Equal documents give equal bytes.
    """
    from jobs.packing.pack import TrainTokenizerOptions, train

    train(TrainTokenizerOptions(**given))
