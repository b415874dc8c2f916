"""The commands ``gristmill pack``, ``pack-export`` and ``train-tokenizer``: their names and options."""

from pathlib import Path

import click

TEXT_COLUMN = click.option(
    "--text-column", default="text", show_default=True, metavar="NAME", help="The column of texts."
)
ID_COLUMN = click.option(
    "--id-column",
    default="doc_id",
    show_default=True,
    metavar="NAME",
    help="The column of ids; without one, documents are known by the hash of their text.",
)
END_TOKEN = (
    "The token that ends a document (default: the tokenizer's own of </s>, <|endoftext|>, <|end_of_text|> and <eos>)."
)


@click.command(short_help="Tokenise, mix and pack a corpus into sequences of one length.")
@click.argument("corpora", metavar="CORPUS...", nargs=-1)
@click.option(
    "--tokenizer",
    required=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A tokenizer.json as Hugging Face's tokenizers saves it, a SentencePiece .model, or a folder with a "
    "tokenizer.json or tokenizer.model.",
)
@click.option(
    "--length", type=click.IntRange(1), default=4096, show_default=True, metavar="N", help="Tokens a sequence."
)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A new or empty folder. It takes twice its size there while it is made.",
)
@click.option(
    "--mixture",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A file that says which sources are taken, and how much of each, in place of CORPUS.",
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    metavar="N",
    help="The seed of the shuffle, and of the documents drawn for an epoch that is only a part.",
)
@click.option("--end-token", metavar="NAME", help=END_TOKEN)
@click.option(
    "--begin-token", metavar="NAME", help="The token that begins a document, such as <s> (default: no token does)."
)
@TEXT_COLUMN
@ID_COLUMN
@click.option(
    "--threads",
    type=click.IntRange(1),
    metavar="N",
    help="Threads that tokenise (default: one a core). They never change a byte of the output.",
)
def pack(
    corpora: tuple[str, ...],
    tokenizer: Path,
    length: int,
    output: Path,
    mixture: Path | None,
    seed: int,
    end_token: str | None,
    begin_token: str | None,
    text_column: str,
    id_column: str,
    threads: int | None,
) -> None:
    """Tokenise each CORPUS, shuffle its documents and pack them into sequences of one length, for pretraining.

    A CORPUS is a folder that gristmill curate wrote, or a file or folder of Parquet. The tokenizer is a tokenizer.json
    or a SentencePiece model, or a folder with one. A mixture file takes the place of CORPUS and says how much of each
    source is taken. Equal documents, settings and seed give equal bytes, whatever the files and threads. A run that was
    interrupted goes on with the same command.

    \b
        gristmill pack corpus --tokenizer tokenizer.json --output packed
        gristmill pack --mixture mixture.toml --tokenizer tokenizer.model --length 8192 --output packed
    """
    from jobs.packing.pack import PackOptions, run

    options = PackOptions(
        corpora=corpora,
        tokenizer=tokenizer,
        length=length,
        output=output,
        mixture=mixture,
        seed=seed,
        end_token=end_token,
        begin_token=begin_token,
        text_column=text_column,
        id_column=id_column,
        threads=threads,
    )
    run(options)


@click.command(name="pack-export", short_help="Write packed sequences in the form that a trainer reads.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["megatron"]), required=True, help="Megatron-LM's indexed dataset.")
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="PREFIX",
    help="The names of the new files, without .bin and .idx.",
)
def pack_export(folder: Path, form: str, output: Path) -> None:
    """Write the documents of packed folder DIR as PREFIX.bin and PREFIX.idx, which Megatron-LM reads.

    One sequence a document, in the order in which they were packed, each with its end token.
    """
    from jobs.packing.pack import export

    export(folder, output)


@click.command(name="train-tokenizer", short_help="Learn a byte-level BPE tokenizer from a corpus.")
@click.argument("corpora", metavar="CORPUS...", nargs=-1, required=True)
@click.option("--vocabulary", type=int, default=32_000, show_default=True, metavar="N", help="Tokens, at most.")
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A new file, such as tokenizer.json.",
)
@click.option(
    "--sample",
    type=click.IntRange(1),
    default=100_000,
    show_default=True,
    metavar="N",
    help="Learn from about N documents, the same ones each time.",
)
@click.option("--end-token", default="</s>", show_default=True, metavar="NAME", help="The token that ends a document.")
@TEXT_COLUMN
@ID_COLUMN
def train_tokenizer(
    corpora: tuple[str, ...],
    vocabulary: int,
    output: Path,
    sample: int,
    end_token: str,
    text_column: str,
    id_column: str,
) -> None:
    """Learn a tokenizer from each CORPUS (as of gristmill pack): byte-level BPE, every digit a token of its own.

    Texts are taken as they are. Equal documents give equal bytes.
    """
    from jobs.packing.pack import TrainTokenizerOptions, train

    options = TrainTokenizerOptions(
        corpora=corpora,
        vocabulary=vocabulary,
        output=output,
        sample=sample,
        end_token=end_token,
        text_column=text_column,
        id_column=id_column,
    )
    train(options)
