"""The commands ``gristmill curate``, ``takedown``, ``plan``, ``verdict`` and ``explain``: their names and options."""

from pathlib import Path

import click

from curation.sources.format_names import FORMATS
from jobs.options import MEMORY, PROGRESS, WORKERS, Bytes, ProgressStyle
from schemas.settings import LARGEST

FORMAT = click.option(
    "--format",
    "kind",
    metavar="NAME",
    help=f"How to read the files, whatever they look like: {', '.join(FORMATS)} (default: as their content tells).",
)


@click.command(short_help="Filter and deduplicate raw web files into a Parquet corpus.")
@click.argument("job", required=False, type=click.Path(path_type=Path))
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="GLOB",
    help="Files to read; repeat for several. SOURCE=GLOB names their source.",
)
@FORMAT
@click.option(
    "--output", metavar="DIR", help="A new or empty folder, or the folder of the same job, interrupted, which goes on."
)
@click.option(
    "--recipe",
    metavar="NAME",
    help="fineweb (default), gopher, c4, none (deduplication only), or the path of a TOML file.",
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
    help="Keep no duplicate of what an earlier run released in DIR; repeat for several.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Read a sample of about N documents.")
@click.option(
    "--allow-unreadable",
    is_flag=True,
    help="Go on without files of which nothing can be read (default: they fail the run).",
)
@click.option(
    "--follow-links",
    is_flag=True,
    help="Read what lies behind links that leave an input's folder (default: they are skipped, and named).",
)
@click.option(
    "--storage",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of remote file systems, such as anon=true, or s3.anon=true for one protocol; repeat for several. "
    "No file keeps it.",
)
@WORKERS
@MEMORY
@click.option(
    "--partitions",
    type=click.IntRange(min=1),
    metavar="N",
    help="Partitions of the shuffles, at most 10,000, or one a MiB of input (default: as many as the input's size, "
    "and --memory if given, ask for).",
)
@PROGRESS
@click.option("--dry-run", is_flag=True, help="Show the resolved job, its units and an estimate; read nothing else.")
@click.argument("beam_options", nargs=-1, type=click.UNPROCESSED)
def curate(
    job: Path | None,
    inputs: tuple[str, ...],
    kind: str | None,
    output: str | None,
    recipe: str | None,
    changes: tuple[str, ...],
    against: tuple[str, ...],
    limit: int | None,
    allow_unreadable: bool,
    follow_links: bool,
    storage: tuple[str, ...],
    workers: int | None,
    partitions: int | None,
    memory: int | None,
    progress: ProgressStyle,
    dry_run: bool,
    beam_options: tuple[str, ...],
) -> None:
    """Filter and deduplicate raw web files into a Parquet corpus.

    Give a JOB file, or --input and --output. Options of Apache Beam follow after --, for instance
    -- --runner=FlinkRunner.

    \b
        gristmill curate --input 'crawl/*.warc.gz' --output corpus
        gristmill curate --input 'crawl/*.jsonl' --output corpus --recipe gopher --set keep.policy=longest
        gristmill curate job.toml --dry-run
    """
    from curation.engine.workers import start_early

    if workers != 0 and not dry_run and not beam_options:
        start_early()
    from jobs.corpus.curate import CurateOptions, run
    from jobs.corpus.progress import told

    if job is not None and str(job).startswith("-"):
        job, beam_options = None, (str(job), *beam_options)
    options = CurateOptions(
        job=job,
        inputs=inputs,
        kind=kind,
        output=output,
        recipe=recipe,
        changes=changes,
        against=against,
        limit=limit,
        allow_unreadable=allow_unreadable,
        follow_links=follow_links,
        storage=storage,
        workers=workers,
        partitions=partitions,
        memory=memory,
        progress=progress,
        dry_run=dry_run,
        beam_options=beam_options,
    )
    with told(progress):
        run(options)


@click.command(short_help="Write a corpus anew without some documents.")
@click.argument("release")
@click.option(
    "--doc-id",
    "doc_ids",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Document ids, one a line, each as it is: blanks and a leading # count.",
)
@click.option(
    "--host",
    "hosts",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Hosts, one a line; a host stands for all below it, too. Lines that begin with # are comments.",
)
@click.option(
    "--url",
    "urls",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Urls, one a line, compared as for duplicates: without what follows a #. Lines that begin with # are "
    "comments.",
)
@click.option(
    "--near", is_flag=True, help="Take down near-duplicates of these documents, too (default: they are listed)."
)
@click.option(
    "--output",
    required=True,
    metavar="DIR",
    help="A new or empty folder outside of RELEASE, or that of the same takedown, interrupted, which goes on.",
)
@click.option(
    "--against",
    multiple=True,
    metavar="DIR",
    help="What RELEASE was deduplicated against, or what takedowns left of it; repeat for several.",
)
@WORKERS
@MEMORY
@PROGRESS
def takedown(
    release: str,
    doc_ids: Path | None,
    hosts: Path | None,
    urls: Path | None,
    near: bool,
    output: str,
    against: tuple[str, ...],
    workers: int | None,
    memory: int | None,
    progress: ProgressStyle,
) -> None:
    """Write the corpus in the folder RELEASE anew, into a new folder, without some documents.

    Documents with the same text go with them. A near-duplicate that had been removed for one of them comes back, and so
    does one that had been removed for a document which is no longer in what RELEASE was deduplicated against. What they
    said is nowhere in the new folder; near-duplicates of them are listed there, or taken down with --near.
    """
    from curation.engine.workers import start_early

    if workers != 0:
        start_early()
    from jobs.corpus.progress import told
    from jobs.corpus.takedown import TakedownOptions, run

    options = TakedownOptions(
        release=release,
        doc_ids=doc_ids,
        hosts=hosts,
        urls=urls,
        near=near,
        output=output,
        against=against,
        workers=workers,
        memory=memory,
        progress=progress,
    )
    with told(progress):
        run(options)


@click.command(short_help="Say what a job of some size would take.")
@click.option("--documents", type=float, required=True, metavar="N", help="Documents to read, such as 3e12.")
@click.option("--bytes", "text", type=float, required=True, metavar="N", help="Bytes of their text, such as 1e16.")
@click.option(
    "--workers", type=click.IntRange(1, LARGEST), default=1, show_default=True, metavar="N", help="Cores at work."
)
@click.option(
    "--recipe",
    default="fineweb",
    show_default=True,
    metavar="NAME",
    help="fineweb or none: the recipes that were measured.",
)
@click.option(
    "--memory",
    type=Bytes(),
    default="2GB",
    show_default=True,
    metavar="SIZE",
    help="What each worker may use: the more it is, the fewer partitions there are, and the cheaper the shuffles.",
)
@click.option(
    "--price", type=float, default=0.04, show_default=True, help="The price of an hour of CPU time, in any currency."
)
@click.option(
    "--constants",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A file of constants that were measured on another machine, by make bench CONSTANTS=FILE.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def plan(
    documents: float,
    text: float,
    workers: int,
    recipe: str,
    memory: int,
    price: float,
    constants: Path | None,
    as_json: bool,
) -> None:
    """Say what a job of some size would take, stage by stage: CPU hours, bytes shuffled, memory, partitions, cost."""
    from jobs.corpus.plan import PlanOptions, run

    options = PlanOptions(
        documents=documents,
        text=text,
        workers=workers,
        recipe=recipe,
        memory=memory,
        price=price,
        constants=constants,
        as_json=as_json,
    )
    run(options)


@click.command(short_help="Judge documents one by one, as JSON lines.")
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--recipe",
    default="fineweb",
    show_default=True,
    metavar="NAME",
    help="fineweb, gopher, c4, none, or the path of a TOML file.",
)
@FORMAT
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a setting of the recipe, such as language.min_score=0.5; repeat for several.",
)
def verdict(files: tuple[str, ...], recipe: str, kind: str | None, changes: tuple[str, ...]) -> None:
    """Judge each document of FILES by a recipe's filters, without deduplication.

    Writes one JSON line a document: doc_id, kept, reasons (stage, reason, value, threshold) and signals.
    """
    from jobs.corpus.verdict import run

    run(files, recipe, changes, kind)


@click.command(short_help="Say why a document was kept or removed.")
@click.argument("folder")
@click.argument("doc_id", required=False)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    metavar="N",
    help="Explain N removals instead of one document, spread over the corpus, the same ones each time.",
)
@click.option("--reason", metavar="NAME", help="With --sample: only removals for this reason.")
@click.option("--diff/--no-diff", default=True, help="Show how a duplicate differs from the document that it matched.")
def explain(folder: str, doc_id: str | None, sample: int | None, reason: str | None, diff: bool) -> None:
    """Say in words why document DOC_ID of the corpus FOLDER was kept or removed."""
    from jobs.corpus.explain import ExplainOptions, run

    run(ExplainOptions(folder=folder, doc_id=doc_id, sample=sample, reason=reason, diff=diff))
