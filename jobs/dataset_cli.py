"""The commands ``gristmill dataset ...``: their names and options."""

from pathlib import Path

import click


@click.group(short_help="Build datasets of comparisons.")
def dataset() -> None:
    """Build datasets of comparisons out of campaigns."""


@dataset.command(short_help="Write the comparisons of campaigns into a new folder.")
@click.argument("campaigns", metavar="CAMPAIGN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--output", required=True, type=click.Path(path_type=Path), metavar="DIR", help="A new or empty folder.")
@click.option(
    "--as-of",
    type=click.IntRange(min=1),
    metavar="REVISION",
    help="The campaign as it was at a revision of its journal (default: the newest).",
)
def build(campaigns: tuple[Path, ...], output: Path, as_of: int | None) -> None:
    """Write what the votes of each CAMPAIGN folder come to: comparisons in two splits, as Arrow and Parquet.

    Pull first. Equal campaigns give equal bytes.
    """
    from jobs.commands.dataset import run

    run(campaigns, output, as_of)
