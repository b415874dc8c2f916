"""The commands that make and compare corpora, from ``gristmill curate`` to ``gristmill languages``: their names and
options."""

from typing import Any

import click

from curation.engine.memory_limit import count_what_is_used
from curation.recipes import RECIPE_NAMES
from curation.sources.inputs import FORMATS
from jobs.options import JSON, MEMORY, PATH, PROGRESS, WORKERS, Bytes
from schemas.settings import LARGEST

FORMAT = click.option(
    "--format",
    "kind",
    metavar="NAME",
    help=f"The format of the files: {', '.join(FORMATS)} (default: detected from their content).",
)


@click.command(short_help="Filter and deduplicate raw web files into a Parquet corpus.")
@click.argument("job", required=False, type=PATH)
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="GLOB",
    help="Files to read, as a file, folder or glob; repeat for several. SOURCE=GLOB also names their source.",
)
@FORMAT
@click.option("--output", metavar="DIR", help="A new or empty folder; an interrupted job resumes in its own folder.")
@click.option(
    "--recipe",
    metavar="NAME",
    help="fineweb (default), fineweb2 (many languages), c4, gopher, datatrove, dolma, dclm, nemo, datamap, none "
    "(deduplication only), or the path of a TOML file.",
)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a setting, such as language.min_score=0.5, near.bands=20 or keep.policy=longest; repeat for several.",
)
@click.option(
    "--against",
    multiple=True,
    metavar="DIR",
    help="Remove duplicates of the documents that an earlier run released in DIR; repeat for several.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Read a sample of about N documents.")
@click.option(
    "--allow-unreadable", is_flag=True, help="Skip files that cannot be read at all (default: they fail the run)."
)
@click.option(
    "--follow-links",
    is_flag=True,
    help="Follow links that lead out of an input's folder (default: skip and name them).",
)
@click.option(
    "--storage",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of remote file systems, such as anon=true, or s3.anon=true for one protocol; repeat for several. "
    "Options are never written to a file.",
)
@WORKERS
@MEMORY
@click.option(
    "--partitions",
    type=click.IntRange(min=1),
    metavar="N",
    help="Partitions of the shuffles, at most 10,000 or one per MiB of input (default: chosen from the input's size "
    "and --memory).",
)
@PROGRESS
@click.option("--dry-run", is_flag=True, help="Show the resolved job, its units and an estimate, and stop.")
@click.argument("beam_options", nargs=-1, type=click.UNPROCESSED)
def curate(**given: Any) -> None:
    """Filter and deduplicate raw web files into a Parquet corpus.

    Give a JOB file, or --input and --output. Write options of Apache Beam after --, such as -- --runner=FlinkRunner.

    \b
        gristmill curate --input 'crawl/*.warc.gz' --output corpus
        gristmill curate --input 'crawl/*.jsonl' --output corpus --recipe gopher --set keep.policy=longest
        gristmill curate job.toml --dry-run
    """
    if given["job"] is not None and str(given["job"]).startswith("-"):  # the first word after --
        given |= {"job": None, "beam_options": (str(given["job"]), *given["beam_options"])}
    count_what_is_used()
    from jobs.corpus.curate import CurateOptions, run
    from jobs.corpus.progress import messages_on_stderr

    with messages_on_stderr(given["progress"]):
        run(CurateOptions(**given))


@click.command(short_help="Rewrite a corpus without some documents.")
@click.argument("release")
@click.option(
    "--doc-id",
    "doc_ids",
    type=PATH,
    metavar="FILE",
    help="Document ids, one per line, taken literally: blanks and a leading # belong to the id.",
)
@click.option(
    "--host",
    "hosts",
    type=PATH,
    metavar="FILE",
    help="Hosts, one per line; a host includes its subdomains. Lines that begin with # are comments.",
)
@click.option(
    "--url",
    "urls",
    type=PATH,
    metavar="FILE",
    help="Urls, one per line, compared as in deduplication: without their #fragment. Lines that begin with # are "
    "comments.",
)
@click.option(
    "--near",
    is_flag=True,
    help="Also remove near-duplicates of the listed documents (default: list the near-duplicates).",
)
@click.option(
    "--output",
    required=True,
    metavar="DIR",
    help="A new or empty folder outside of RELEASE; an interrupted takedown resumes in its own folder.",
)
@click.option(
    "--against",
    multiple=True,
    metavar="DIR",
    help="A corpus that RELEASE was deduplicated against, or a takedown of that corpus; repeat for several.",
)
@WORKERS
@MEMORY
@PROGRESS
def takedown(**given: Any) -> None:
    """Write the corpus of the folder RELEASE to a new folder, without some documents.

    Documents with the same text are removed, too. If a removed document had been kept in place of near-duplicates or of
    documents with the same url, those documents come back, without duplicates among them. The same holds if the kept
    document was in a corpus of --against and is no longer there. The new folder holds no text of removed documents; it
    lists their near-duplicates, or --near removes these, too.
    """
    count_what_is_used()
    from jobs.corpus.progress import messages_on_stderr
    from jobs.corpus.takedown import TakedownOptions, run

    with messages_on_stderr(given["progress"]):
        run(TakedownOptions(**given))


@click.command(short_help="Estimate the cost of a job of a given size.")
@click.option("--documents", type=float, required=True, metavar="N", help="Documents to read, such as 3e12.")
@click.option(
    "--bytes", "text", type=float, required=True, metavar="N", help="Bytes of the text of all documents, such as 1e16."
)
@click.option(
    "--workers",
    type=click.IntRange(1, LARGEST),
    default=1,
    show_default=True,
    metavar="N",
    help="Workers, one core each.",
)
@click.option(
    "--recipe",
    default="fineweb",
    show_default=True,
    metavar="NAME",
    help="fineweb or none, the two recipes with measured costs.",
)
@click.option(
    "--memory",
    type=Bytes(),
    default="2GB",
    show_default=True,
    metavar="SIZE",
    help="Memory of each worker; more memory means fewer partitions and cheaper shuffles.",
)
@click.option(
    "--price", type=float, default=0.04, show_default=True, help="The price of an hour of CPU time, in any currency."
)
@click.option(
    "--constants",
    type=PATH,
    metavar="FILE",
    help="A file of costs measured on another machine, as make bench CONSTANTS=FILE writes it.",
)
@JSON
def plan(**given: Any) -> None:
    """Estimate a job of a given size, stage by stage: CPU hours, bytes shuffled, memory, partitions and cost."""
    from jobs.corpus.plan import PlanOptions, run

    run(PlanOptions(**given))


RECIPES = click.option(
    "--recipe",
    "recipes",
    multiple=True,
    metavar="NAME",
    help=f"{', '.join(RECIPE_NAMES)}, or the path of a TOML file; repeat to compare.",
)
CHANGES = click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a setting of the recipes, such as language.min_score=0.5; repeat for several.",
)


@click.command(short_help="Judge documents one by one, as JSON lines.")
@click.argument("files", nargs=-1, required=True)
@RECIPES
@FORMAT
@CHANGES
def verdict(files: tuple[str, ...], recipes: tuple[str, ...], kind: str | None, changes: tuple[str, ...]) -> None:
    """Judge each document of FILES by a recipe's filters (default: fineweb), without deduplication.

    Writes one JSON line per document: doc_id, kept, reasons (stage, reason, value, threshold) and signals. With several
    recipes the line has doc_id, kept by recipe, and parts: the rules that the document fails in some recipes only.
    """
    from jobs.corpus.verdict import run

    run(files, recipes, changes, kind)


@click.command("compare-recipes", short_help="Count what each recipe would keep, and where recipes part.")
@click.argument("corpus", nargs=-1, required=True)
@RECIPES
@FORMAT
@CHANGES
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Compare on the first N documents.")
@JSON
def compare_recipes(
    corpus: tuple[str, ...],
    recipes: tuple[str, ...],
    kind: str | None,
    changes: tuple[str, ...],
    limit: int | None,
    as_json: bool,
) -> None:
    """Count the documents of CORPUS that each recipe would keep, and those that fail each of its rules.

    CORPUS is a folder that gristmill curate wrote, or files of documents. By default the built-in recipes for
    English are compared. Nothing is deduplicated.
    """
    from jobs.corpus.compare_recipes import run

    run(corpus, recipes, changes, kind, limit, as_json)


@click.command("what-if", short_help="Count what a corpus would keep with other thresholds.")
@click.argument("corpus")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a setting of the corpus's recipe, such as gopher_quality.min_words=20; repeat for several. A setting "
    "that is given several times is tried with each value.",
)
@click.option(
    "--recipe",
    "recipes",
    multiple=True,
    metavar="NAME",
    help="Judge by this recipe instead, a built-in one or the path of a TOML file; repeat to compare.",
)
@click.option("--curve", metavar="KEY", help="Try values of a threshold over the whole range of its signal.")
@click.option("--sample", type=click.IntRange(0, 1000), default=0, metavar="N", help="Show N documents that change.")
@click.option("--write", type=PATH, metavar="FILE", help="Write the changed recipe as a new TOML file.")
@JSON
def what_if(**given: Any) -> None:
    """Count the documents, bytes and words that the corpus in the folder CORPUS would keep with other settings.

    Documents are judged by their stored signals, without their texts, so an answer takes seconds. It is exact for
    thresholds, aside from deduplication; for other settings a line says what the numbers do not show.

    \b
        gristmill what-if corpus --set gopher_quality.min_words=20 --set fineweb.max_short_lines=none
        gristmill what-if corpus --set gopher_quality.min_words=20 --set gopher_quality.min_words=30
        gristmill what-if corpus --curve gopher_quality.min_words
    """
    from jobs.corpus.what_if import WhatIfOptions, run

    run(WhatIfOptions(**given))


@click.command(short_help="List languages with published settings, and which are in force.")
@click.argument("names", nargs=-1, metavar="[LANGUAGE]...")
@click.option(
    "--file",
    default="fineweb2",
    show_default=True,
    metavar="FILE",
    help="The settings: fineweb2, or the path of a file like it, as in a recipe's languages.",
)
@click.option(
    "--identifier",
    default="lid.176",
    show_default=True,
    metavar="NAME",
    help="What identifies languages, as in a recipe's step language.",
)
@click.option("--in-force", is_flag=True, help="List only the languages whose settings are in force.")
def languages(**given: Any) -> None:
    """List the languages that a recipe with these settings judges, or only each LANGUAGE.

    Settings are in force for a language that the identifier knows, if its texts can be split into words: some languages
    need the extra gristmill[languages]. The columns: the name of the settings (ISO 639-3 and script), the identifier's
    labels, what splits texts into words, and whether the settings are in force.
    """
    from jobs.corpus.languages import run

    run(**given)
