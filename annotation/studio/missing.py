"""Decides whether votes that are missing or older in Label Studio still count.

A vote in the journal is not lost when a server forgets the vote. Only two people can delete a vote: its author, and the
person who runs the pull and accepts the deletion.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from annotation.journal.bodies import Lost, read_annotation, write
from annotation.journal.journal import Journal
from annotation.journal.made import lost_annotations
from schemas.errors import UserError

Answer = Literal["ask", "keep", "accept"]
"""``keep``: votes that Label Studio no longer has still count. ``accept``: the journal follows Label Studio. ``ask``:
stop with a question if Label Studio looks like an older backup, else keep."""

MANY = 5
"""If at least this many annotations vanish in one pull, the pull asks."""

WORDS = {
    "deleted_by_other": "{count} deleted by somebody other than the author",
    "moved": "{count} moved to another task",
    "task_gone": "{count} whose task was deleted",
    "forgotten": "{count} missing",
    "older": "{count} in an older state",
    "returned": "{count} there again that the author had deleted",
}


@dataclass(frozen=True)
class Suspect:
    """An annotation that differs between Label Studio and the journal, and not because of its author.

    ``body``, ``updated`` and ``skipped`` belong to the state in Label Studio if ``why`` is ``older`` or ``returned``.
    """

    key: str
    why: str
    by: str | None
    project: int
    task: int
    body: bytes = b""
    updated: str = ""
    skipped: bool = False


def author_of(journal: Journal, key: str) -> str | None:
    """The email address of the author of an annotation's newest state, in lower case; None for a deleted account."""
    body = journal.newest_body("annotation", key)
    author = None if body is None else read_annotation(body, f"{journal.path}: the row annotation {key}").author
    return None if author is None else author.lower()


def is_earlier_state(journal: Journal, key: str, body: bytes) -> bool:
    """Whether the journal had this state of an annotation before."""
    return any(body == before for before in journal.bodies("annotation", key))


def looks_restored(suspects: Sequence[Suspect]) -> bool:
    """Whether the server looks like an older backup: states of the past are back, or many annotations are gone."""
    whys = Counter(each.why for each in suspects)
    return bool(whys["forgotten"] + whys["older"] + whys["returned"]) or len(suspects) >= MANY


def question(journal: Journal, suspects: Sequence[Suspect], url: str) -> UserError:
    """The question whether the server was restored from a backup, as an error."""
    whys = Counter(each.why for each in suspects)
    counts = ", ".join(WORDS[why].format(count=f"{count:,}") for why, count in sorted(whys.items()))
    folder = journal.path.parent
    return UserError(
        f"Label Studio at {url} looks like an older backup: of the annotations in {folder}, {counts}. All votes still "
        f"count; choose: gristmill campaign pull {folder} --missing keep (they go on counting) or --missing accept "
        "(the journal follows Label Studio)"
    )


def settle(journal: Journal, suspects: Iterable[Suspect], *, accept: bool) -> int:
    """Writes the answer into the journal; returns the number of annotations that no longer exist."""
    deleted = 0
    with journal.writing():
        for each in suspects:
            if each.why in ("older", "returned"):
                if accept:
                    journal.keep_annotation(
                        each.key, each.project, each.task, each.updated, each.body, skipped=each.skipped, confirmed=True
                    )
            elif accept:
                journal.delete_annotations([each.key])
                deleted += 1
            else:
                lost = Lost(each.why, each.by, each.project, each.task)  # type: ignore[arg-type]
                journal.append("lost", each.key, write(lost))
                journal.detach_annotation(each.key)
        if accept:
            gone = list(lost_annotations(journal))
            journal.delete_annotations(gone)
            deleted += len(gone)
    return deleted
