"""The console script. Everything heavy is imported by the command that needs it, so that help is instant."""

import sys

from curation.module_path import SafeForChildren, without_current_folder

sys.path[:] = without_current_folder(sys.path)  # before anything else is imported

import gc  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import click  # noqa: E402

import annotation.errors  # noqa: E402
import curation.errors  # noqa: E402
from jobs.campaign_cli import campaign  # noqa: E402
from jobs.dataset_cli import dataset  # noqa: E402
from jobs.interrupts import die_interrupted, heeded  # noqa: E402
from jobs.options import MEMORY, PROGRESS, WORKERS, Bytes  # noqa: E402
from jobs.pack_cli import pack, pack_export, train_tokenizer  # noqa: E402
from jobs.settings import LARGEST  # noqa: E402
from jobs.studio_cli import studio  # noqa: E402
from jobs.terminal import say, show_hidden  # noqa: E402

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


@click.group(context_settings=SETTINGS)
@click.version_option(package_name="gristmill")
def gristmill() -> None:
    """Clean pretraining corpora and exact human preferences, as Arrow and Parquet that trainers read."""


@gristmill.command(short_help="Filter and deduplicate raw web files into a Parquet corpus.")
@click.argument("job", required=False, type=click.Path(path_type=Path))
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="GLOB",
    help="Files to read; repeat for several. SOURCE=GLOB names their source.",
)
@click.option(
    "--format", "kind", metavar="NAME", help="How to read the inputs (default: as their content tells), such as text."
)
@click.option("--output", metavar="DIR", help="A new or empty folder.")
@click.option("--recipe", metavar="NAME", help="fineweb (default), gopher, c4, none, or the path of a TOML file.")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a setting, such as language.min_score=0.5 or near.bands=20.",
)
@click.option(
    "--against",
    multiple=True,
    metavar="DIR",
    help="Keep no duplicate of what an earlier run released in DIR; repeat for several.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Read a sample of about N documents.")
@click.option("--allow-unreadable", is_flag=True, help="Go on without files of which nothing can be read.")
@click.option("--follow-links", is_flag=True, help="Read what lies behind links that leave an input's folder.")
@click.option(
    "--storage",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of remote file systems, such as anon=true; repeat for several.",
)
@WORKERS
@MEMORY
@click.option(
    "--partitions", type=click.IntRange(min=1), metavar="N", help="Partitions of the shuffles (default: by the input)."
)
@PROGRESS
@click.option("--dry-run", is_flag=True, help="Show the resolved job, its units and an estimate; read nothing else.")
@click.argument("beam_options", nargs=-1, type=click.UNPROCESSED)
def curate(job: Path | None, beam_options: tuple[str, ...], **options: Any) -> None:
    """Filter and deduplicate raw web files into a Parquet corpus.

    Give a JOB file, or --input and --output. Options of Apache Beam follow after --, for instance
    -- --runner=FlinkRunner.

    \b
        gristmill curate --input 'crawl/*.warc.gz' --output corpus
        gristmill curate --input 'crawl/*.jsonl' --output corpus --recipe gopher --set keep.policy=longest
        gristmill curate job.toml --dry-run
    """
    from curation.workers import start_early

    if options["workers"] != 0 and not options["dry_run"] and not beam_options:
        start_early()
    from jobs.commands.curate import Asked, run

    if job is not None and str(job).startswith("-"):
        job, beam_options = None, (str(job), *beam_options)
    from jobs.progress import told

    with told(options["progress"]):
        run(Asked(job=job, beam_options=beam_options, **options))


@gristmill.command(short_help="Write a corpus anew without some documents.")
@click.argument("release")
@click.option(
    "--doc-id", "doc_ids", type=click.Path(path_type=Path), metavar="FILE", help="Ids, one a line, as they are."
)
@click.option("--host", "hosts", type=click.Path(path_type=Path), metavar="FILE", help="Hosts, with all below them.")
@click.option("--url", "urls", type=click.Path(path_type=Path), metavar="FILE", help="Urls, one a line.")
@click.option("--near", is_flag=True, help="Take down near-duplicates of these documents, too.")
@click.option("--output", required=True, metavar="DIR", help="A new or empty folder.")
@click.option(
    "--against",
    multiple=True,
    metavar="DIR",
    help="What RELEASE was deduplicated against, or what takedowns left of it; repeat for several.",
)
@WORKERS
@MEMORY
@PROGRESS
def takedown(release: str, **options: Any) -> None:
    """Write the corpus in the folder RELEASE anew, into a new folder, without some documents.

    Documents with the same text go with them. A near-duplicate that had been removed for one of them comes back, and so
    does one that had been removed for a document which is no longer in what RELEASE was deduplicated against. What they
    said is nowhere in the new folder; near-duplicates of them are listed there, or taken down with --near.
    """
    from curation.workers import start_early

    if options["workers"] != 0:
        start_early()
    from jobs.commands.takedown import run
    from jobs.progress import told

    with told(options["progress"]):
        run(release, **options)


@gristmill.command(short_help="Say what a job of some size would take.")
@click.option("--documents", type=float, required=True, metavar="N", help="Documents to read, such as 3e12.")
@click.option("--bytes", "text", type=float, required=True, metavar="N", help="Bytes of their text, such as 1e16.")
@click.option(
    "--workers", type=click.IntRange(1, LARGEST), default=1, show_default=True, metavar="N", help="Cores at work."
)
@click.option("--recipe", default="fineweb", show_default=True, metavar="NAME", help="A recipe that was measured.")
@click.option(
    "--memory", type=Bytes(), default="2GB", show_default=True, metavar="SIZE", help="What each worker may use."
)
@click.option("--price", type=float, default=0.04, show_default=True, help="Of an hour of CPU time, in any currency.")
@click.option(
    "--constants",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Constants measured on another machine, by make bench CONSTANTS=FILE.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def plan(**options: Any) -> None:
    """Say what a job of some size would take, stage by stage: CPU hours, bytes shuffled, memory, partitions, cost."""
    from jobs.commands.plan import run

    run(**options)


@gristmill.command(short_help="Judge documents one by one, as JSON lines.")
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--recipe",
    default="fineweb",
    show_default=True,
    metavar="NAME",
    help="A recipe's name, or the path of a TOML file.",
)
@click.option(
    "--format", "kind", metavar="NAME", help="How to read the files (default: as their content tells), such as text."
)
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a setting of the recipe.")
def verdict(files: tuple[str, ...], recipe: str, kind: str | None, changes: tuple[str, ...]) -> None:
    """Judge each document of FILES by a recipe's filters, without deduplication.

    Writes one JSON line a document: doc_id, kept, reasons (stage, reason, value, threshold) and signals.
    """
    from jobs.commands.verdict import run

    run(files, recipe, changes, kind)


@gristmill.command(short_help="Say why a document was kept or removed.")
@click.argument("folder")
@click.argument("doc_id", required=False)
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Explain N removals instead of one document.")
@click.option("--reason", metavar="NAME", help="With --sample: only removals for this reason.")
@click.option("--diff/--no-diff", default=True, help="Show how a duplicate differs from the document that it matched.")
def explain(folder: str, doc_id: str | None, sample: int | None, reason: str | None, diff: bool) -> None:
    """Say in words why document DOC_ID of the corpus FOLDER was kept or removed."""
    from jobs.commands.explain import run

    run(folder, doc_id, sample, reason, diff)


@gristmill.command(short_help="Check that a folder is as it was written.")
@click.argument("folder", metavar="DIR")
def verify(folder: str) -> None:
    """Compare each file of the folder DIR with the size and SHA-256 in its manifest.

    DIR is what gristmill curate, takedown, pack, or dataset build, import, mix, upgrade or export wrote. Exit code 1:
    a file is missing, damaged, or not in the manifest.
    """
    from jobs.commands.verify import run

    run(folder)


gristmill.add_command(pack)
gristmill.add_command(pack_export)
gristmill.add_command(train_tokenizer)
gristmill.add_command(studio)
gristmill.add_command(campaign)
gristmill.add_command(dataset)


def main() -> None:
    """Exit codes: 0 done, 1 a run that failed, 2 a wrong command, job file or input. Ctrl+C ends it by that signal."""
    gc.set_threshold(100_000, 20, 20)  # what is imported stays: looking through it costs a tenth of the start
    show_hidden()
    try:
        with heeded(), SafeForChildren():
            gristmill(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        _show(error)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt) as error:
        if isinstance(error.__cause__, EOFError):
            raise error.__cause__ from None  # click takes the end of any stream for Ctrl+D
        die_interrupted(error)
    except (curation.errors.UserError, annotation.errors.UserError) as error:
        _stop(str(error), 2)
    except _named_file_error() as error:
        _stop(str(error), 2)
    except (curation.errors.RunError, annotation.errors.RunError) as error:
        _stop(str(error), 1)


def _named_file_error() -> tuple[type[Exception], ...]:
    """NamedFileError, if any command has imported it: importing it here would slow down help."""
    module = sys.modules.get("schemas.named_files")
    return (module.NamedFileError,) if module else ()


def _show(error: click.ClickException) -> None:
    """A mistake in the command line, as click shows it, but on one line: a shell's glob may name any file."""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        click.echo(f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} --help' for help.\n", err=True)
    say(f"Error: {error.format_message()}", err=True)


def _stop(message: str, code: int) -> None:
    say(f"gristmill: {message}", err=True)
    sys.exit(code)
