"""The commands ``gristmill studio ...``: their names and options."""

import click


@click.group(short_help="Run the embedded Label Studio.")
def studio() -> None:
    """Run the embedded Label Studio, on which campaigns are labelled."""
