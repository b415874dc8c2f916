"""The commands ``gristmill judge`` and ``gristmill evaluation ...``: their names and options."""

from pathlib import Path
from typing import Any

import click

from jobs.options import JSON, OUTPUT, PATH, PROGRESS, Amount, check_one_form


@click.command(short_help="Let a model judge responses.")
@click.argument("sources", metavar="CAMPAIGN|FILE...", nargs=-1, required=True, type=PATH)
@click.option("--model", required=True, metavar="NAME", help="The judge, as the endpoint names it.")
@click.option(
    "--base-url",
    required=True,
    metavar="URL",
    help="The address of an OpenAI-compatible API, such as http://127.0.0.1:8000/v1.",
)
@click.option("--output", type=PATH, metavar="DIR", help="A new or empty folder; required without --dry-run.")
@click.option(
    "--key-from",
    default="GRISTMILL_JUDGE_KEY",
    show_default=True,
    metavar="VARIABLE",
    help="The environment variable that holds the API key; leave it unset if the endpoint needs no key.",
)
@click.option(
    "--template",
    default="pairwise",
    show_default=True,
    metavar="NAME",
    help="What the judge is asked: pairwise (which response is better), single (a grade for each response), or the "
    "path of a template (.toml).",
)
@click.option(
    "--orders",
    type=click.Choice(["both", "random", "first"]),
    default="both",
    show_default=True,
    help="Ask about each pair in both orders, in one order drawn at random, or only in the given order.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draws the random orders.")
@click.option(
    "--baseline",
    metavar="MODEL",
    help="Compare each model with this model only (default: all pairs of models).",
)
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="Set a field of each request, such as temperature=0.5; NAME=none leaves the field out. Repeat for several "
    "(default: temperature=0, max_tokens=1024).",
)
@click.option(
    "--accept-model",
    "accepted",
    multiple=True,
    metavar="NAME",
    help="A further name under which the judge may answer. Repeat for several.",
)
@click.option(
    "--book",
    type=PATH,
    metavar="FILE",
    help="The file that keeps every answer (default: judge.db, in the campaign or beside the first FILE).",
)
@click.option(
    "--again",
    multiple=True,
    type=click.Choice(["unparsed", "refused", "truncated"]),
    help="Ask again where the answer has no verdict for this reason. Repeat for several.",
)
@click.option(
    "--budget", type=Amount(min=0), metavar="AMOUNT", help="The most money that answers may cost; needs both prices."
)
@click.option(
    "--token-budget", type=click.IntRange(min=0), metavar="N", help="The most tokens of prompts and answers together."
)
@click.option("--prompt-price", type=Amount(min=0), metavar="AMOUNT", help="The price of a million tokens of prompts.")
@click.option("--answer-price", type=Amount(min=0), metavar="AMOUNT", help="The price of a million tokens of answers.")
@click.option(
    "--requests-per-minute", type=Amount(min=0, min_open=True), metavar="N", help="The most requests sent in a minute."
)
@click.option(
    "--tokens-per-minute",
    type=Amount(min=0, min_open=True),
    metavar="N",
    help="About the most tokens used in a minute.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 1000),
    default=8,
    show_default=True,
    metavar="N",
    help="Requests that wait for an answer at the same time.",
)
@click.option(
    "--timeout",
    type=Amount(min=0, min_open=True),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for an answer before the request is sent again.",
)
@click.option("--dry-run", is_flag=True, help="Ask nothing; print the number of requests, their tokens and cost.")
@PROGRESS
def judge(**given: Any) -> None:
    """Ask a model behind an endpoint which of two responses is better, or for a grade of each response, and write its
    verdicts into a new folder.

    Each FILE has rows with prompt_id, prompt (or messages), model and response; of a CAMPAIGN, its pairs are judged.
    The book keeps every answer: repeat the command to continue a run that was interrupted or stopped by its budget; no
    answer is asked for twice. Exit code 1: the budget is used up, or the endpoint fails.

    \b
        gristmill judge responses.jsonl --model judge-1 --base-url http://127.0.0.1:8000/v1 --output verdicts
    """
    from jobs.evaluation.judge import JudgeOptions, run

    run(JudgeOptions(**given))


SOURCES = click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, type=PATH)
TIES = click.option(
    "--ties",
    type=click.Choice(["decided", "half"]),
    default="decided",
    show_default=True,
    help="How ties enter a win rate: left out, as wins / (wins + losses), or half a win each.",
)
COUNT = click.option(
    "--count",
    "counted",
    type=click.Choice(["votes", "verdicts"]),
    help="What counts once: each vote, or the verdict that the votes on a pair or response give together (default: "
    "votes on pairs, verdicts of a safety rating).",
)
RATINGS = (
    click.option(
        "--rating-ties",
        type=click.Choice(["half", "davidson"]),
        default="half",
        show_default=True,
        help="How ties enter ratings: half a win each, or with a probability of their own (Davidson).",
    ),
    click.option(
        "--control",
        "controls",
        type=click.Choice(["position", "length"]),
        multiple=True,
        help="Correct ratings for the response shown first, or for the longer response. Repeat for both.",
    ),
    click.option(
        "--together", is_flag=True, help="Also rate the models by the votes of all sources, people and judges mixed."
    ),
    click.option(
        "--length-controlled",
        "baseline",
        metavar="MODEL",
        help="Add the length-controlled win rate of AlpacaEval 2 of each model against this MODEL.",
    ),
    click.option(
        "--variant",
        "variants",
        multiple=True,
        metavar="MODEL",
        help="With --length-controlled: the baseline asked to write longer or shorter; its votes show the effect of "
        "length alone. Repeat for several.",
    ),
    click.option(
        "--difficulty",
        type=PATH,
        metavar="FILE",
        help="With --length-controlled: rows with instruction_difficulty and prompt_id, instruction or index (default: "
        "estimated from the other models).",
    ),
    click.option(
        "--instructions",
        type=PATH,
        metavar="FILE",
        help="With --difficulty: the file of instructions to which index refers, counted from 0.",
    ),
    click.option(
        "--imported",
        type=PATH,
        multiple=True,
        metavar="FILE",
        help="Also show ratings that others published, such as an arena's Elo: rows with model and rating. Repeat for "
        "several.",
    ),
)


def _ratings(command: Any) -> Any:
    for option in reversed(RATINGS):
        command = option(command)
    return command


@click.group(short_help="Report win rates of models; exchange judgments.")
def evaluation() -> None:
    """Compare models by the votes of people and the verdicts of judges, and exchange verdicts with other tools."""


@evaluation.command(short_help="Write a page with all numbers of an evaluation.")
@SOURCES
@OUTPUT
@COUNT
@TIES
@_ratings
def report(sources: tuple[Path, ...], output: Path, **choices: Any) -> None:
    """Write a page with win rates, safety, agreement and a leaderboard, and each number as CSV beside it.

    A SOURCE is a campaign's folder (votes of people), or an output of gristmill judge or gristmill evaluation import.
    Several sources are shown side by side. Equal sources give equal bytes.
    """
    from jobs.evaluation.choices import choices_of
    from jobs.evaluation.report import report as write

    write(sources, output, choices_of(**choices))


@evaluation.command(short_help="Rate the models of an evaluation.")
@SOURCES
@COUNT
@_ratings
@JSON
@click.option("--csv", is_flag=True, help="Print CSV instead.")
def leaderboard(sources: tuple[Path, ...], as_json: bool, csv: bool, **choices: Any) -> None:
    """Print the ratings and ranks of models for each SOURCE, the same as in gristmill evaluation report."""
    from jobs.evaluation.choices import choices_of
    from jobs.evaluation.leaderboard import leaderboard

    check_one_form(as_json, csv)
    leaderboard(sources, choices_of(**choices), "json" if as_json else "csv" if csv else "table")


@evaluation.command(short_help="Show how a number of a report was made, and from which votes.")
@click.argument("folder", metavar="DIR", type=PATH)
@click.argument("number", metavar="NUMBER", type=click.IntRange(min=1))
@click.option("--csv", is_flag=True, help="Print all votes behind the number as CSV.")
def why(folder: Path, number: int, csv: bool) -> None:
    """Show how NUMBER of the report in DIR was made: its method, what was left out, and its votes."""
    from jobs.evaluation.why import why

    why(folder, number, csv)


@evaluation.command(short_help="Print a template of what a judge is asked.")
@click.argument("name", metavar="NAME", type=click.Choice(["pairwise", "single"]))
def template(name: str) -> None:
    """Print the template NAME of gristmill judge: pairwise or single. Change a copy, and judge with
    --template mine.toml.

    \b
        gristmill evaluation template pairwise > mine.toml
    """
    from jobs.evaluation.forms import print_template

    print_template(name)


@evaluation.command(name="import", short_help="Read judgments of others into a new folder.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=PATH)
@OUTPUT
def import_(files: tuple[Path, ...], output: Path) -> None:
    """Read annotations.json of alpaca_eval, judgments of Arena-Hard or arena battles, as verdicts of their raters.

    A judgment without a verdict stays without one. FILES are JSON lines, a JSON array, CSV or TSV, plain or
    compressed, or Parquet or Arrow.
    """
    from jobs.evaluation.forms import run_import

    run_import(files, output)


@evaluation.command(short_help="Write verdicts in the format of another tool.")
@click.argument("folder", metavar="DIR", type=PATH)
@click.option(
    "--format",
    "form",
    required=True,
    metavar="NAME",
    help="One of alpaca-eval, arena-hard, battles, inspect (precomputed_scores).",
)
@OUTPUT
def export(folder: Path, form: str, output: Path) -> None:
    """Write the verdicts of folder DIR, an output of gristmill judge or gristmill evaluation import."""
    from jobs.evaluation.forms import run_export

    run_export(folder, form, output)


@evaluation.command(short_help="Print win rates or violation shares, with intervals.")
@click.argument("folder", metavar="CAMPAIGN", type=PATH)
@COUNT
@TIES
@click.option(
    "--as-of", type=click.IntRange(min=1), metavar="REVISION", help="The revision of the journal (default: the newest)."
)
@JSON
@click.option("--csv", is_flag=True, help="Print CSV instead, a row for each number.")
def results(folder: Path, **given: Any) -> None:
    """Print wins, ties and losses of each two models by people's votes or, in a safety rating, each model's safety.

    All intervals are 95% intervals, clustered by prompt and, where votes count, by rater. Below the numbers, the
    command lists what was left out, such as prompts that a model did not answer. The same revision gives the same
    numbers.
    """
    from jobs.evaluation.results import results

    results(folder, **given)
