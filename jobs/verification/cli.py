"""The command ``gristmill verify``: its name and options."""

import click


@click.command(short_help="Check that the files of a folder are unchanged.")
@click.argument("folder", metavar="DIR")
def verify(folder: str) -> None:
    """Compare each file of the folder DIR with the size and SHA-256 in its manifest.

    DIR is an output of gristmill curate, takedown, train-classifier, pack, contamination, judge, evaluation report,
    import or export, or dataset build, import, mix, upgrade or export. Exit code 1: a file is missing, damaged, or not
    in the manifest.
    """
    from jobs.verification.verify import run

    run(folder)
