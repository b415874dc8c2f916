"""Finds the pieces to cut out of the documents that stay, over packed hashes and places, for the units of a run."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.dedup import pieces as dedup
from curation.dedup import substrings
from curation.dedup.edges import Records, unpack
from curation.dedup.settings import Pieces
from curation.engine.dedup_stages import Blobs, Routed, unit_removals
from curation.engine.run import Run, cuts_name, passed_name
from curation.kernels.substrings import RUN_WIDTH, span_keys


def piece_keys(run: Run, unit: int, survivors: Blobs) -> Routed:
    """Half of the hash of each piece in a unit's documents that stay, routed by hash."""
    settings = _settings(run)
    found = [_keys(texts, settings) for _, texts in _texts(run, unit, survivors)]
    keys = np.concatenate([np.empty(0, np.uint64), *found])
    yield from dedup.keys_by_partition(unit, keys, settings.copies, run.partitions)


def repeated_keys(run: Run, keys: Blobs) -> Routed:
    """The halves of a partition that occur too often, routed to the units that have them."""
    yield from dedup.repeated_keys(keys, _settings(run).copies)


def _keys(texts: pa.LargeStringArray, settings: Pieces) -> Records:
    if settings.unit == "substring":
        return span_keys(texts, settings.min_bytes)
    return dedup.repeatable(texts, settings).high


def first_places(run: Run, unit: int, survivors: Blobs, repeated: Blobs) -> Routed:
    """The places of a unit's first copies of pieces that occur too often, routed by hash; for substrings, the hashes of
    the windows in the first of equal spans."""
    settings = _settings(run)
    found = dedup.sort_places(_places(run, unit, survivors, repeated))
    if settings.unit != "substring":
        yield from dedup.first_places(found, settings.copies, run.partitions)
        return
    distinct = substrings.distinct_spans(found)
    for rows, texts in _texts(run, unit, survivors) if len(distinct) else ():
        yield from substrings.window_entries(rows, texts, distinct, settings.min_bytes, run.partitions)


def firsts(run: Run, places: Blobs) -> Routed:
    """How many copies of each piece stay in which unit, and where the first copy is, routed to the units; for
    substrings, the first windows."""
    settings = _settings(run)
    yield from substrings.matches(places) if settings.unit == "substring" else dedup.firsts(places, settings.copies)


def write_cuts(run: Run, unit: int, survivors: Blobs, repeated: Blobs, answers: Blobs) -> None:
    """Writes what is cut from a unit's documents to the run's folder."""
    settings = _settings(run)
    found = dedup.sort_places(_places(run, unit, survivors, repeated))
    if settings.unit == "substring":
        cuts = substrings.cuts(found, unpack(answers, RUN_WIDTH), settings.min_bytes)
    else:
        cuts = dedup.cuts(found, unpack(answers, dedup.FIRST_WIDTH))
    with run.folder.writing(cuts_name(unit)) as stream:
        stream.write(cuts.tobytes())


def unit_cuts(run: Run, unit: int) -> Records:
    """What is cut from a unit's documents, sorted by place."""
    with run.folder.reading(cuts_name(unit)) as stream:
        return unpack([stream.read()], dedup.CUT_WIDTH)


def name_requests(run: Run, unit: int) -> Routed:
    """Requests for the names of the documents with the first copies of a unit's cuts, routed to their units."""
    yield from dedup.name_requests(unit, unit_cuts(run, unit))


def _places(run: Run, unit: int, survivors: Blobs, repeated: Blobs) -> Records:
    often = np.sort(unpack(repeated, 1)[:, 0])
    settings = _settings(run)
    width = substrings.SPAN_WIDTH if settings.unit == "substring" else dedup.PLACE_WIDTH
    found: list[Records] = [np.empty((0, width), np.uint64)]
    for rows, texts in _texts(run, unit, survivors) if len(often) else ():
        if settings.unit == "substring":
            found.append(substrings.spans(unit, rows, texts, often, settings.min_bytes))
        else:
            found.append(dedup.places(unit, rows, dedup.repeatable(texts, settings), often))
    return np.concatenate(found)


def _texts(run: Run, unit: int, survivors: Blobs) -> Iterator[tuple[npt.NDArray[np.int64], pa.LargeStringArray]]:
    """The texts of a unit's documents that were not removed as duplicates, with their rows, batch by batch."""
    gone = unit_removals(run, unit, survivors).row if run.job.recipe.dedup.stages else np.empty(0, np.int64)
    start = 0
    with run.folder.reading(passed_name(unit - run.first)) as stream:
        passed = pa.ipc.open_file(stream)
        for number in range(passed.num_record_batches):
            texts = passed.get_batch(number)["text"]
            rows = np.setdiff1d(np.arange(start, start + len(texts)), gone, assume_unique=True)
            start += len(texts)
            yield rows, texts if len(rows) == len(texts) else texts.take(pa.array(rows - start + len(texts)))


def _settings(run: Run) -> Pieces:
    settings = run.job.recipe.dedup.pieces
    assert settings is not None, "pieces are off"
    return settings
