"""The commands ``gristmill campaign ...``: their names and options."""

import click


@click.group(short_help="Ask people which response is better.")
def campaign() -> None:
    """Put pairs of responses before annotators, and collect what they say."""
