"""Undoes a batch that nobody has begun: deletes its projects from Label Studio, and notes in the journal that the batch
counts as never made."""

from contextlib import suppress

import pyarrow.compute as pc

from annotation.journal.bodies import Undone, read, write
from annotation.journal.fold import Record, fold
from annotation.journal.journal import Journal
from annotation.journal.made import made
from annotation.journal.places import Place
from annotation.studio.client import MissingError, Project, Studio
from annotation.studio.provenance import check_server
from annotation.studio.push import find_projects, places
from schemas.errors import UserError


def undo(journal: Journal, studio: Studio, batch: str) -> int:
    """Undoes a batch; returns the number of projects that were deleted.

    The journal is written last: after an interruption the batch still exists, and both undo and push can be repeated.
    If the batch was undone before, only projects that a restored backup brought back are deleted. Raises UserError for
    an unknown batch, for a batch of which an annotation or a draft exists, and if another batch asks its gold pairs;
    if this becomes so while projects are being deleted, the batch stays, and a push makes its projects again.
    """
    with journal.lock():
        state, record = made(journal), fold(journal)
        _refuse_unknown(batch, record)
        check_server(journal, studio, state)
        _refuse_in_use(journal, batch, record)
        known = {place for place, _ in places(record) if place.batch == batch}
        for body in journal.bodies("undone", batch):
            before = read(Undone, body, f"{journal.path}: the row undone {batch}").places
            known |= {Place.parse(text) for text in before}
        listed, found = studio.projects(), dict[int, Project]()
        for place in sorted(known):
            found |= {each.project: each for each in find_projects(listed, journal.campaign_id, place, state)}
        _refuse_begun(journal, batch, sum(map(studio.count_begun, found)), studio.url)
        deleted = 0
        for project in found:  # count again: somebody may have begun by now
            _refuse_begun(journal, batch, studio.count_begun(project), studio.url, deleted)
            with suppress(MissingError):
                studio.delete_project(project)
            deleted += 1
        with journal.writing():
            _refuse_in_use(journal, batch, fold(journal), deleted)  # again: other commands write, too
            for place in sorted(known):
                journal.cache.remember_project(place, None)
            if batch in record.batches:
                journal.append("undone", batch, write(Undone(tuple(sorted(map(str, known))))))
        return deleted


def _refuse_unknown(batch: str, record: Record) -> None:
    if batch not in record.batches and batch not in record.undone:
        known = (
            f"choose from {', '.join(record.batches)}" if record.batches else "no batch was pushed, or all were undone"
        )
        raise UserError(f"the campaign has no batch {batch!r}: {known}")


def _refuse_in_use(journal: Journal, batch: str, record: Record, deleted: int = 0) -> None:
    """Raises UserError if another batch asks gold pairs of the batch, or the journal has an annotation of it."""
    own = record.pairs.filter(pc.equal(record.pairs["batch"], batch))["pair_id"].combine_chunks()
    others = record.tasks.filter(pc.not_equal(record.tasks["batch"], batch))
    asking = others.filter(pc.is_in(others["pair_id"], own))["batch"].to_pylist()
    if asking:
        raise UserError(
            f"batch {max(asking)} asks gold pairs of batch {batch}: undo batch {max(asking)} first"
            f"{_say_deleted(journal, batch, deleted)}"
        )
    uids = record.tasks.filter(pc.equal(record.tasks["batch"], batch))["uid"].to_pylist()
    _refuse_begun(journal, batch, len(journal.voted_uids(skips=True).intersection(uids)), "the journal", deleted)


def _refuse_begun(journal: Journal, batch: str, tasks: int, where: str, deleted: int = 0) -> None:
    if tasks:
        raise UserError(
            f"batch {batch} has begun: {tasks:,} of its tasks have an annotation or a draft in {where}; only a batch "
            "that nobody has begun can be undone. To stop counting the votes of a person: gristmill campaign withdraw"
            f"{_say_deleted(journal, batch, deleted)}"
        )


def _say_deleted(journal: Journal, batch: str, deleted: int) -> str:
    """The end of a refusal after ``deleted`` projects of the batch were deleted."""
    made_again = f"gristmill campaign push {journal.path.parent} makes them again"
    return f". Projects of batch {batch} that were deleted before this: {deleted:,}; {made_again}" if deleted else ""
