"""The commands ``gristmill dataset ...``: their names and options."""

import click


@click.group(short_help="Build datasets of comparisons.")
def dataset() -> None:
    """Build datasets of comparisons out of campaigns."""
