"""The command ``gristmill train-classifier``: its name and options."""

from typing import Any

import click

from jobs.options import OUTPUT, Amount
from schemas.settings import LARGEST

_SETS = "a file, folder or glob as in gristmill curate, or a corpus that it wrote; repeat for several"


@click.command(name="train-classifier", short_help="Train a classifier of quality from two sets of documents.")
@click.option("--positive", multiple=True, required=True, metavar="GLOB", help=f"Documents as wanted: {_SETS}.")
@click.option("--negative", multiple=True, required=True, metavar="GLOB", help=f"Documents as not wanted: {_SETS}.")
@click.option(
    "--reference",
    multiple=True,
    required=True,
    metavar="GLOB",
    help="Documents such as those to filter: scores become percentiles of these; repeat for several.",
)
@OUTPUT
@click.option(
    "--held-out",
    type=Amount(0, 0.9, min_open=True),
    default=0.2,
    show_default=True,
    metavar="SHARE",
    help="The share of the documents, chosen by their ids, that the report is measured on.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, LARGEST),
    default=0,
    show_default=True,
    metavar="N",
    help="Draws the first vectors, and the order in which texts are learned.",
)
@click.option(
    "--epochs", type=click.IntRange(1), default=25, show_default=True, metavar="N", help="How often to learn each text."
)
@click.option(
    "--rate", type=Amount(0, 10, min_open=True), default=0.5, show_default=True, help="The learning rate at the start."
)
@click.option(
    "--dimensions", type=click.IntRange(1, 1024), default=16, show_default=True, metavar="N", help="Numbers per word."
)
@click.option(
    "--ngrams",
    type=click.IntRange(1, 5),
    default=1,
    show_default=True,
    metavar="N",
    help="The longest n-gram of words.",
)
@click.option(
    "--buckets",
    type=click.IntRange(1, 1 << 26),
    default=1 << 18,
    show_default=True,
    metavar="N",
    help="Buckets for n-grams of two words and more.",
)
@click.option(
    "--min-count",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Leave out words that occur less often.",
)
def train_classifier(**given: Any) -> None:
    """Train a classifier that tells POSITIVE documents from NEGATIVE ones, for the step quality of a recipe.

    The folder holds a model of fastText, a calibration to percentiles of the reference documents, and a report on
    held-out documents: ROC-AUC, precision and recall with 95% intervals. Equal documents, settings and seed give equal
    bytes; one thread does the work.

    \b
        gristmill train-classifier --positive good.jsonl --negative bad.jsonl --reference crawl --output quality
    """
    from jobs.classifier.train import TrainOptions, run

    run(TrainOptions(**given))
