"""The console script. A command imports heavy modules only when it runs, so that --help is instant."""

import sys

from schemas.module_path import SafeForChildren, without_current_folder

sys.path[:] = without_current_folder(sys.path)  # before anything else is imported

import gc  # noqa: E402

import click  # noqa: E402

from jobs.campaign.cli import campaign  # noqa: E402
from jobs.classifier.cli import train_classifier  # noqa: E402
from jobs.contamination.cli import contamination  # noqa: E402
from jobs.corpus.cli import (  # noqa: E402
    compare_recipes,
    curate,
    languages,
    plan,
    takedown,
    verdict,
    what_if,
)
from jobs.corpus.finished_cli import card, explain, look, report  # noqa: E402
from jobs.dataset.cli import dataset  # noqa: E402
from jobs.evaluation.cli import evaluation, judge  # noqa: E402
from jobs.interrupts import die_interrupted, raise_on_signals  # noqa: E402
from jobs.packing.cli import pack, pack_export, train_tokenizer  # noqa: E402
from jobs.studio.cli import studio  # noqa: E402
from jobs.terminal import flush, say, show_hidden  # noqa: E402
from jobs.verification.cli import verify  # noqa: E402
from schemas.errors import RunError, UserError  # noqa: E402

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


@click.group(context_settings=SETTINGS)
@click.version_option(package_name="gristmill")
def gristmill() -> None:
    """Clean pretraining corpora and exact human preferences, as Arrow and Parquet that trainers read."""


COMMANDS = (
    *(curate, takedown, plan, verdict, compare_recipes, what_if, card, languages, explain, report, look, verify),
    *(contamination, train_classifier, pack, pack_export, train_tokenizer),
    *(studio, campaign, dataset, judge, evaluation),
)
for _command in COMMANDS:
    gristmill.add_command(_command)


def main() -> None:
    """Runs the command line. Exit codes: 0 done; 1 the run failed; 2 the command, job file or input is wrong. After
    Ctrl+C, the process ends by SIGINT."""
    gc.set_threshold(100_000, 20, 20)  # modules live as long as the process: collecting took a tenth of the start
    show_hidden()
    try:
        with raise_on_signals(), SafeForChildren():
            gristmill(standalone_mode=False)
            flush()
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        _show(error)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt) as error:
        if isinstance(error.__cause__, EOFError):
            raise error.__cause__ from None  # click mistakes the end of any stream for Ctrl+D
        die_interrupted(error)
    except UserError as error:
        _stop(str(error), 2)
    except RunError as error:
        _stop(str(error), 1)


def _show(error: click.ClickException) -> None:
    """Prints a usage error as click does, but keeps the message on one line: a file name may contain line feeds."""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        click.echo(f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} --help' for help.\n", err=True)
    say(f"Error: {error.format_message()}", err=True)


def _stop(message: str, code: int) -> None:
    say(f"gristmill: {message}", err=True)
    sys.exit(code)
