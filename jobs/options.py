"""Options that several commands share, each with one name, type and help."""

from pathlib import Path
from typing import Any, Literal, get_args

import click

from schemas.errors import UserError
from schemas.settings import LARGEST

ProgressStyle = Literal["auto", "bars", "lines", "json", "none"]
PATH = click.Path(path_type=Path)
_UNITS = {"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}


class Amount(click.FloatRange):
    """A finite number in a range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = super().convert(value, param, ctx)
        if number - number != 0:
            self.fail(f"{value} is not a finite number", param, ctx)
        return float(number)


class Bytes(click.ParamType[int]):
    """A size such as 2GB or 1.5GiB, in bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number = str(value).strip().lower().rstrip("kmgtib").strip()
        unit = str(value).strip().lower()[len(number) :].strip() or "b"
        try:
            size = int(float(number) * {"b": 1, **_UNITS}[unit])
        except (ValueError, KeyError, OverflowError):
            size = LARGEST + 1
        if size > LARGEST:
            self.fail(f"'{value}' is not a size: write a size as 2GB or 1500MB", param, ctx)
        return size


def check_one_form(as_json: bool, csv: object) -> None:
    """Raises UserError if a command is asked for JSON and for CSV."""
    if as_json and csv:
        raise UserError("--json and --csv exclude each other: give one of them")


OUTPUT = click.option("--output", required=True, type=PATH, metavar="DIR", help="A new or empty folder.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
WORKERS = click.option(
    "--workers",
    type=click.IntRange(min=0),
    metavar="N",
    help="Worker processes; with 0, the command's own process does the work (default: one per core if memory "
    "allows, and 0 for a small input).",
)
MEMORY = click.option(
    "--memory",
    type=Bytes(),
    metavar="SIZE",
    help="Memory that all processes of the run may use together, such as 2GB; at least 1.5 GB (default: most of the "
    "free memory).",
)
PROGRESS = click.option(
    "--progress",
    type=click.Choice(get_args(ProgressStyle)),
    default="auto",
    show_default=True,
    help="How to show progress on standard error; auto shows bars on a terminal and lines elsewhere.",
)
