"""The commands ``gristmill dataset ...``: their names and options."""

from pathlib import Path
from typing import Any

import click

from jobs.options import OUTPUT, PATH

FORMAT = click.option(
    "--format",
    "form",
    required=True,
    metavar="NAME",
    help="One of trl-reward, trl-dpo, trl-kto, openrlhf, open-instruct, nemo-rl, llama-factory, axolotl, hf, hh.",
)


@click.group(short_help="Build, import, mix and export datasets of comparisons.")
def dataset() -> None:
    """Build datasets of comparisons from campaigns and open sets, and write them in the formats of trainers."""


@dataset.command(short_help="Write the comparisons of campaigns into a new folder.")
@click.argument("campaigns", metavar="CAMPAIGN...", nargs=-1, required=True, type=PATH)
@OUTPUT
@click.option(
    "--as-of",
    type=click.IntRange(min=1),
    metavar="REVISION",
    help="With one CAMPAIGN: use its votes and settings at that revision of its journal (default: the newest).",
)
def build(campaigns: tuple[Path, ...], output: Path, as_of: int | None) -> None:
    """Write the comparisons that the votes of each CAMPAIGN folder decide, in two splits, as Arrow and Parquet.

    Run gristmill campaign pull first. Equal campaigns give equal bytes.
    """
    from jobs.dataset.build import run

    run(campaigns, output, as_of)


@dataset.command(name="import", short_help="Write an open preference set into a new folder.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=PATH)
@click.option(
    "--schema",
    required=True,
    metavar="NAME",
    help="hh, summarize, webgpt, stack-exchange, shp, helpsteer2, helpsteer3, ultrafeedback, safe-rlhf, sharegpt, "
    "oasst, nectar, arena, alpaca-eval, orca-dpo, kto, label-studio, or the path of a mapping (.toml).",
)
@OUTPUT
@click.option(
    "--held-out",
    multiple=True,
    type=PATH,
    metavar="FILE",
    help="A file of the held-out split; repeat for several. All other files form the training split.",
)
@click.option("--name", metavar="NAME", help="The name of the comparisons' source (default: the set's name).")
def import_(**given: Any) -> None:
    """Convert an open preference set to a dataset of comparisons; FILES are the training split of the set.

    FILES are JSON lines, a JSON array, CSV or TSV, plain or compressed (gzip, zstd, bzip2, xz, lz4), or Parquet or
    Arrow. Rows that give no comparison go to rejects, with the reason. Equal files give equal bytes.

    \b
        gristmill dataset import train.jsonl.gz --held-out test.jsonl.gz --schema hh --output hh
    """
    from jobs.dataset.imports import run

    run(**given)


@dataset.command(short_help="Write a dataset in the format of a trainer.")
@click.argument("folder", metavar="DIR", type=PATH)
@FORMAT
@OUTPUT
@click.option(
    "--margin",
    default="small",
    show_default=True,
    metavar="NAME",
    help="Llama 2's margins, strongest degree first: small (1, 2/3, 1/3, 0), large (3, 2, 1, 0), or none.",
)
def export(folder: Path, form: str, output: Path, margin: str) -> None:
    """Write the dataset of folder DIR in a trainer's format, in which the held-out split is named test.

    Comparisons that the trainer would skip or change are left out and listed. The output names the columns that the
    format cannot hold.
    """
    from jobs.dataset.export import export as run

    run(folder, form, output, margin)


@dataset.command(short_help="Read an export back as its trainer does, and compare.")
@click.argument("folder", metavar="EXPORT", type=PATH)
@FORMAT
@click.option(
    "--dataset",
    "master",
    type=PATH,
    metavar="DIR",
    help="The dataset that was exported (default: the folder beside EXPORT with the name in its manifest).",
)
def check(folder: Path, form: str, master: Path | None) -> None:
    """Compare each row of EXPORT with the dataset that was exported.

    The trainer's own loader reads EXPORT if it is installed (the extra trainer); otherwise the command checks the
    documented schema. The output says which. Exit code 1: the export has faults.
    """
    from jobs.dataset.export import check as run

    run(folder, form, master)


@dataset.command(short_help="Rewrite a dataset of an older version.")
@click.argument("folder", metavar="DIR", type=PATH)
@OUTPUT
def upgrade(folder: Path, output: Path) -> None:
    """Write the dataset of folder DIR to a new folder, in the newest version of its tables."""
    from jobs.dataset.export import upgrade as run

    run(folder, output)


@dataset.command(short_help="Mix datasets by shares.")
@click.argument("recipe", required=False, type=PATH)
@click.option("--output", type=PATH, metavar="DIR", help="A new or empty folder.")
@click.option("--example", metavar="NAME", help="Print a recipe to fill in: helpfulness or safety, as in Llama 2.")
def mix(recipe: Path | None, output: Path | None, example: str | None) -> None:
    """Draw comparisons from several datasets by the shares in a RECIPE file, with a seed.

    The training split has no prompt that equals or nearly equals a held-out prompt of any of the datasets.
    """
    from jobs.dataset.mix import run

    run(recipe, output, example)
