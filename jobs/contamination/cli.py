"""The command ``gristmill contamination``: its name and options."""

from typing import Any

import click

from jobs.options import MEMORY, OUTPUT, PATH, WORKERS


@click.command(short_help="Find the samples of benchmarks in a corpus.")
@click.argument("corpus", metavar="CORPUS")
@click.option(
    "--benchmark",
    "benchmarks",
    multiple=True,
    required=True,
    metavar="FILE",
    help="Samples as JSON lines, a JSON array, CSV, TSV, Parquet or Arrow, named by the file; NAME=FILE names them "
    "otherwise. Repeat for several.",
)
@click.option(
    "--definition",
    type=click.Choice(["llama2", "gpt3", "palm", "decon"]),
    default="llama2",
    show_default=True,
    help="What contamination is: llama2: spans of more than 10 tokens. gpt3: any N-gram of a sample, N words being the "
    "benchmark's fifth percentile of lengths, 8 to 13. palm: 70% of a sample's 8-grams of words. "
    "decon: a score by question, answer and passage, as for OLMo 3.",
)
@click.option(
    "--tokenizer",
    type=PATH,
    metavar="PATH",
    help="For llama2: a tokenizer.json as Hugging Face's tokenizers saves it, a SentencePiece .model, or a folder with "
    "either. One that normalises characters, as with nfkc, or is a WordPiece has to tokenise every document, which is "
    "slow.",
)
@OUTPUT
@click.option(
    "--template",
    metavar="TEXT",
    help="The text of a sample, with its fields in braces, as the evaluation asks it (default: {text}, "
    "{question} and {answer} on two lines, {prompt} and {completion}, {question} or {prompt}).",
)
@click.option(
    "--question",
    metavar="FIELD",
    help="For decon: the field of the question (default: question, or else prompt or text).",
)
@click.option(
    "--answer",
    metavar="FIELD",
    help="For decon: the field of the answer (default: answer or completion, if a row has it).",
)
@click.option(
    "--passage",
    metavar="FIELD",
    help="For decon: the field of the passage (default: passage or context, if a row has it).",
)
@click.option(
    "--id-field", metavar="NAME", help="The field of a sample's id (default: id; without it, the row's number)."
)
@click.option(
    "--normalise",
    type=click.Choice(["words", "none"]),
    help="words: compare lower-case words, without punctuation, with single blanks (default). none: compare texts as "
    "they are, as Llama 2 does.",
)
@click.option(
    "--scores",
    multiple=True,
    metavar="FILE",
    help="A model's scores: rows with the sample's id, a number score and, with several benchmarks, benchmark. Repeat "
    "for several models.",
)
@click.option("--end-token", metavar="NAME", help="The tokenizer's end token, if it has none of the usual names.")
@click.option("--text-column", default="text", show_default=True, metavar="NAME", help="The corpus's column of texts.")
@click.option("--id-column", default="doc_id", show_default=True, metavar="NAME", help="The corpus's column of ids.")
@WORKERS
@MEMORY
@click.argument("beam_options", nargs=-1, type=click.UNPROCESSED)
def contamination(**given: Any) -> None:
    """Find the samples of benchmarks in CORPUS, as was done for Llama 2, GPT-3, PaLM or OLMo 3.

    CORPUS is a folder that gristmill curate wrote, or a file or folder of Parquet. For Llama 2, a token of a sample is
    contaminated if it lies in a span of more than 10 tokens that a document shares, up to 4 tokens that differ; for
    GPT-3 and PaLM, a sample is dirty by its n-grams of words that are in the corpus; for decon, with which OLMo 3 was
    decontaminated, by what a document repeats of its question, answer and passage. gristmill explain shows a sample
    beside the passages. Write options of Apache Beam after --. Repeat the command to resume an interrupted search.

    \b
        gristmill contamination corpus --benchmark mmlu.jsonl --tokenizer tokenizer.json --output contamination
        gristmill contamination corpus --benchmark mmlu.jsonl --definition palm --output contamination
        gristmill contamination corpus --benchmark mmlu.jsonl --definition decon --output contamination
    """
    from curation.engine.memory_limit import count_what_is_used

    count_what_is_used()
    from jobs.contamination.contamination import ContaminationOptions, run

    run(ContaminationOptions(**given))
