"""Refuses changes of the settings and files from which a batch was made, and names the ways out."""

from collections.abc import Sequence
from pathlib import Path

from annotation.journal.bodies import Asked
from annotation.journal.fold import Record
from schemas.errors import UserError

_SHOWN = ("guidelines", "categories")
"""What annotators see of a batch, beside its pairs: a campaign's version changes with them."""


def refuse_changes(folder: Path, batch: str, asked: Asked, record: Record) -> None:
    """Raises UserError if the settings of a batch that exists have changed, or if a new batch would show something else
    under the version of an earlier batch. ``folder`` stands in the command that helps."""
    known = record.batches.get(batch)
    if known:
        if changed := _changed(asked, known.asked):
            raise UserError(f"the {_list(changed)} changed after batch {batch} was made: {_ways(changed, folder)}")
        return
    for name, other in record.batches.items():
        seen = [each for each in _changed(asked, other.asked) if each in _SHOWN]
        if seen and other.asked.version == asked.version:
            newest = max(each.asked.version for each in record.batches.values())
            ways = f"set version to {newest + 1} in campaign.toml"
            ways += f", or {_reword(seen, folder)}" if "guidelines" in seen else ""
            raise UserError(f"the {_list(seen)} changed after batch {name}: {ways}")


def _changed(asked: Asked, before: Asked) -> list[str]:
    return [name for name, value in vars(asked).items() if getattr(before, name) != value]


def _ways(changed: Sequence[str], folder: Path) -> str:
    """What to do about the changes of a batch that exists."""
    if "guidelines" in changed:
        return f"undo the change, give campaign.toml a higher version and a new batch, or {_reword(changed, folder)}"
    if "categories" in changed and "version" not in changed:
        return "undo the change, or give campaign.toml a higher version and a new batch"
    return "undo the change, or name a new batch in campaign.toml"


def _reword(changed: Sequence[str], folder: Path) -> str:
    others = [name for name in changed if name != "guidelines"]
    first = f"change the {_list(others)} back and " if others else ""
    return (
        f"{first}give the new guidelines to the running batches, as a wording that the journal keeps apart: "
        f"gristmill campaign push {folder} --new-guidelines"
    )


def _list(names: Sequence[str]) -> str:
    return " and ".join(names)
