"""Measures a finished folder for its card: with the threads of this process, or on a runner of Beam."""

import json
import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from curation.engine.carried_files import forget_files, receive_files, send_files
from curation.release.folder import WORK, Folder
from curation.reports.card_measures import Measured, Task, measured
from curation.reports.card_tallies import TALLY
from curation.sources.opening import quiet_imports

MOST_THREADS = 8
"""Each thread holds a row group of documents in memory."""


def measure_folder(task: Task, units: int, beam_options: Sequence[str] = ()) -> Measured:
    """The measures of all units of a folder; with options of Beam, each unit is measured where the runner has a worker,
    and the results are read from the folder's ``.work``. Workers also find the models of the task there.

    Raises UserError for options that Beam cannot use and for a model that has changed, RunError if the pipeline fails.
    """
    if not beam_options:
        return measured(task, range(units), min(MOST_THREADS, len(os.sched_getaffinity(0))))
    with quiet_imports():
        from curation.engine.beam_runner import beam_pipelines
    try:
        send_files(task.folder, task.models)
        with beam_pipelines(beam_options) as start, start() as pipeline:
            pipeline.each("measure", partial(_measure_unit, task), range(units))
        total = Measured()
        for unit in range(units):
            with task.folder.reading(_name(unit)) as stream:
                total.add(_unpacked(json.load(stream)))
        return total
    finally:
        task.folder.remove_below(_PLACE)
        forget_files(task.folder)
        _remove_if_empty(task.folder)


_PLACE = f"{WORK}/card"


def _name(unit: int) -> str:
    return f"{_PLACE}/{unit:05d}.json"


def _measure_unit(task: Task, unit: int) -> None:
    """Writes the measures of a unit to the folder."""
    receive_files(task.folder, task.models)
    task.folder.write_json(_name(unit), _packed(measured(task, [unit], 1)))


def _remove_if_empty(folder: Folder) -> None:
    """Removes ``.work`` unless something else is in it."""
    if not folder.names(f"{WORK}/**"):
        folder.remove_below(WORK)


def _packed(found: Measured) -> dict[str, list[Any]]:
    """The measures as plain lists."""
    tally = pa.concat_tables(found.tallies.parts())
    packed = {name: [getattr(found, name)] for name in _NUMBERS}
    packed |= {name: getattr(found, name).tolist() for name in ("groups", "terms")}
    packed |= {f"tally {name}": tally[name].to_pylist() for name in tally.column_names}
    for name, (values, counts) in found.lengths.items():
        packed |= {f"lengths {name}": values.tolist(), f"counts {name}": counts.tolist()}
    packed |= {f"signal {name} {what}": [count] for (name, what), count in found.signals.items()}
    return packed


_NUMBERS = ("documents", "gendered", "personal", "scored", "toxic", "score")


def _unpacked(packed: Mapping[str, Any]) -> Measured:
    """The measures that `_packed` packed."""
    found = Measured(**{name: packed[name][0] for name in _NUMBERS})
    found.groups, found.terms = (np.array(packed[name], np.int64) for name in ("groups", "terms"))
    found.tallies.add(pa.table([packed[f"tally {field.name}"] for field in TALLY], schema=TALLY))
    for name, values in packed.items():
        kind, _, rest = name.partition(" ")
        if kind == "lengths":
            found.lengths[rest] = (np.array(values, np.int64), np.array(packed[f"counts {rest}"], np.int64))
        elif kind == "signal":
            signal, _, what = rest.rpartition(" ")
            found.signals[signal, what] = values[0]
    return found
