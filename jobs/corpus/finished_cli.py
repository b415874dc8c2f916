"""The commands that describe, show and explain a finished corpus: their names and options."""

from typing import Any

import click

from jobs.options import JSON, PATH, Amount


@click.command(short_help="Describe a corpus: a data card as JSON, Markdown and Croissant.")
@click.argument("corpus")
@click.option(
    "--descriptors",
    type=PATH,
    metavar="FILE",
    help="Descriptors of identity by axis, as JSON such as HolisticBias: their share of documents is added.",
)
@click.option("--model", metavar="FILE", help="A fastText classifier (.bin or .ftz) that scores lines for toxicity.")
@click.option("--label", metavar="NAME", help="The label of --model whose probability is the score.")
@click.option(
    "--function",
    metavar="FILE.py:NAME",
    help="A function of your own that scores lines instead; it returns a table with a column score.",
)
@click.option(
    "--sample",
    type=Amount(min=0, max=1, min_open=True),
    default=1,
    show_default=True,
    metavar="SHARE",
    help="Measure this share of the documents, such as 0.1, always the same ones.",
)
@click.option("--name", metavar="TEXT", help="What the card calls the corpus (default: the name of its folder).")
@click.option("--license", "licence", metavar="ID", help="The licence's identifier on the Hub, such as odc-by.")
@JSON
@click.argument("beam_options", nargs=-1, type=click.UNPROCESSED)
def card(**given: Any) -> None:
    """Measure the corpus in the folder CORPUS and write README.md, card.json and croissant.json into it.

    The card has the shares of Section 4.1 of the Llama 2 paper (pronouns, descriptors, languages, toxicity), each with
    an interval, and lengths, years, hosts, sources, what was removed and why. The card replaces the README.md that
    gristmill curate wrote. Options of Apache Beam after --, such as -- --runner=FlinkRunner, measure on a cluster.
    """
    from jobs.corpus.card import CardOptions, run

    run(CardOptions(**given))


@click.command(short_help="Write a page about a corpus, to look at and to search.")
@click.argument("corpus")
@click.option(
    "--against", metavar="DIR", help="Show another corpus, such as an earlier release, side by side with this one."
)
@click.option(
    "--output",
    type=PATH,
    default="report.html",
    show_default=True,
    metavar="FILE",
    help="The page; an earlier page of this command is replaced.",
)
def report(**given: Any) -> None:
    """Write a page of HTML about the corpus in the folder CORPUS, for a browser.

    The page shows the flow of documents from read to kept, each rule with the histogram of its signal and its
    threshold, examples of removals, near-duplicates, languages and hosts, and a sample of documents to search. The page
    is one file of less than 5 MB that fetches nothing, and nothing that a document contains can run in it.
    """
    from jobs.corpus.report import run

    run(**given)


@click.command(short_help="Browse a corpus on a local page.")
@click.argument("corpus")
@click.option(
    "--port",
    type=click.IntRange(1024, 65535),
    metavar="N",
    help="The port of the page's address (default: any free port).",
)
def look(corpus: str, port: int | None) -> None:
    """Serve a page to browse the documents and rejects of the corpus in the folder CORPUS, until Ctrl+C.

    A form narrows the documents by verdict, source, language, host, id and text. Each document has a page with its text
    and the explanation of its verdict. DuckDB searches the Parquet files, so the corpus may be larger than memory. Only
    browsers of this machine that know the printed address can open the page.
    """
    from jobs.corpus.look import run

    run(corpus, port or 0)


@click.command(short_help="Say why a document was kept or removed.")
@click.argument("folder")
@click.argument("doc_id", required=False)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    metavar="N",
    help="Explain N removals instead of one document, spread over the corpus; every call picks the same ones.",
)
@click.option("--reason", metavar="NAME", help="With --sample: only removals for this reason.")
@click.option("--diff/--no-diff", default=True, help="Show how a duplicate differs from the document that it matched.")
def explain(**given: Any) -> None:
    """Say in words why document DOC_ID of the corpus FOLDER was kept or removed."""
    from jobs.corpus.explain import run

    run(**given)
