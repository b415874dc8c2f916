"""The command ``gristmill plan``."""

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from curation.budget import most_links
from curation.errors import UserError
from jobs.model import Forecast, Stage, load

PREFIXES = ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"))


def run(
    documents: float,
    text: float,
    workers: int,
    recipe: str,
    memory: int,
    price: float,
    constants: Path | None,
    as_json: bool,
) -> None:
    if documents < 1 or text < documents:
        raise UserError("give at least one document, and at least one byte of text for each: --documents N --bytes N")
    forecast = Forecast(
        documents=documents, text=text, constants=load(recipe, constants), workers=workers, memory=memory
    )
    print(json.dumps(to_json(forecast, price), indent=2)) if as_json else print_plan(forecast, price)


def to_json(forecast: Forecast, price: float) -> dict[str, object]:
    """Hours of CPU time, bytes, and the price in the unit in which the price of an hour was given."""

    def stage(each: Stage) -> dict[str, object]:
        hours = each.cpu_seconds(forecast.documents, forecast.text) / 3600
        shuffled = each.shuffled * forecast.documents
        return {"stage": each.name, "cpu_hours": hours, "shuffled_bytes": shuffled, "cost": hours * price}

    hours = forecast.cpu_seconds / 3600
    return {
        "documents": forecast.documents,
        "bytes": forecast.text,
        "workers": forecast.workers,
        "stages": [stage(each) for each in forecast.constants.stages],
        "cpu_hours": hours,
        "hours": forecast.seconds / 3600,
        "shuffled_bytes": forecast.shuffled_bytes,
        "memory_per_worker": forecast.worker_bytes,
        "links": forecast.documents * forecast.constants.links,
        "units": forecast.units,
        "unit_bytes": forecast.unit_bytes,
        "partitions": forecast.partitions,
        "cost": hours * price,
    }


def print_plan(forecast: Forecast, price: float) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("stage", "CPU hours", "shuffled", "cost"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    for stage in forecast.constants.stages:
        hours = stage.cpu_seconds(forecast.documents, forecast.text) / 3600
        table.add_row(stage.name, _number(hours), _size(stage.shuffled * forecast.documents), _number(hours * price))
    hours = forecast.cpu_seconds / 3600
    table.add_row("in all", _number(hours), _size(forecast.shuffled_bytes), _number(hours * price), style="bold")
    Console(highlight=False, width=None if Console().is_terminal else 100).print(table)
    print(
        f"{forecast.workers:,} workers: {_number(forecast.seconds / 3600)} hours if all are busy, "
        f"{_size(forecast.worker_bytes)} of memory each, {forecast.partitions:,} partitions"
    )
    print(f"{forecast.units:,} units of {_size(forecast.unit_bytes)} stored (gzip); unit_bytes={forecast.unit_bytes}")
    links = forecast.documents * forecast.constants.links
    fit = links <= most_links(forecast.memory)
    how = "in one process" if fit else "too many for one process, so in rounds (not in the table)"
    print(f"{_number(links)} links between duplicates: {how}")
    print("Measured on one core of one machine, with the rejects and duplicates of the corpus there;")
    print(f"an hour of CPU time at {price:g}.")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _size(value: float) -> str:
    """Bytes as a person says them.

    >>> _size(3.2e12), _size(450_000_000), _size(12)
    ('3.2 TB', '450.0 MB', '0.0 MB')
    """
    unit, name = next((each for each in PREFIXES if value >= each[0]), PREFIXES[-1])
    return f"{value / unit:,.1f} {name}"
