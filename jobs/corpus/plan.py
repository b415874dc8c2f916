"""The command ``gristmill plan``."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

from curation.engine.budget import WORKER_BYTES, most_links
from curation.reports.forecast import Forecast, Stage, load
from jobs.tables import Row, print_table
from schemas.errors import UserError
from schemas.sizes import readable

MOST_BYTES = 1e24


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """The options of the command; ``text`` and ``memory`` in bytes, ``price`` per hour of CPU time."""

    documents: float
    text: float
    workers: int
    recipe: str
    memory: int
    price: float
    constants: Path | None
    as_json: bool


def run(options: PlanOptions) -> None:
    """Prints the estimate, as a table or as JSON."""
    memory, price = options.memory, options.price
    if not 1 <= options.documents <= options.text <= MOST_BYTES:
        raise UserError(
            "--documents must be at least 1, and --bytes at least one byte of text for each document and at most "
            f"{MOST_BYTES:g} bytes"
        )
    if not 0 <= price < math.inf:
        raise UserError(f"--price is {price:g}: give 0 or more")
    if memory < WORKER_BYTES:
        raise UserError(f"--memory is {memory / 1e9:.2f} GB: a worker needs at least {WORKER_BYTES / 1e9:g} GB")
    forecast = Forecast(
        documents=options.documents,
        text=options.text,
        constants=load(options.recipe, options.constants),
        workers=options.workers,
        memory=memory,
    )
    print(json.dumps(to_json(forecast, price), indent=2)) if options.as_json else print_plan(forecast, price)


def to_json(forecast: Forecast, price: float) -> dict[str, object]:
    """The estimate as one JSON object: CPU hours, bytes, and costs in the currency of ``price``."""

    def stage(each: Stage) -> dict[str, object]:
        hours, shuffled = forecast.cpu_seconds_of(each) / 3600, forecast.shuffled_bytes_of(each)
        return {"stage": each.name, "cpu_hours": hours, "shuffled_bytes": shuffled, "cost": hours * price}

    hours = forecast.cpu_seconds / 3600
    return {
        "documents": forecast.documents,
        "bytes": forecast.text,
        "workers": forecast.workers,
        "start_cpu_hours": forecast.constants.start / 3600,
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
    """Prints a table of the stages, and what the workers and the job need."""

    def row(name: str, seconds: float, shuffled: float, style: str = "") -> Row:
        hours = seconds / 3600
        return Row((name, _number(hours), readable(shuffled), _number(hours * price)), style)

    rows = [
        row("start", forecast.constants.start, 0),
        *(
            row(stage.name, forecast.cpu_seconds_of(stage), forecast.shuffled_bytes_of(stage))
            for stage in forecast.constants.stages
        ),
        row("total", forecast.cpu_seconds, forecast.shuffled_bytes, "bold"),
    ]
    print_table(("stage", "CPU hours", "shuffled", "cost"), rows)
    print(
        f"{forecast.workers:,} workers: {_number(forecast.seconds / 3600)} hours if all are busy, "
        f"{readable(forecast.worker_bytes)} of memory each, {forecast.partitions:,} partitions"
    )
    print(
        f"{forecast.units:,} units of {readable(forecast.unit_bytes)} stored (gzip); unit_bytes={forecast.unit_bytes}"
    )
    links = forecast.documents * forecast.constants.links
    fit = links <= most_links(forecast.memory)
    how = "in one process" if fit else "too many for one process, so in rounds (not in the table)"
    print(f"{_number(links)} links between duplicates: {how}")
    print("Scaled from a run on one core of one machine, with that corpus's rejects and duplicates.")
    print(f"An hour of CPU time costs {price:g}.")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
