"""Decides whether an annotation is proven to be its annotator's own answer to the page that was pushed."""

from annotation.journal.bodies import AnnotationRow, Seen
from annotation.journal.made import SHOWN_PARTS, Made
from annotation.journal.places import Place
from annotation.server.ownership import user_number


def find_doubt(found: AnnotationRow, uid: str, place: Place, state: Made) -> str:
    """The reason, a key of REASONS, why an annotation is not proven; empty if it is.

    ``state`` is what was made, and what a pull saw, before the annotation was pulled. Label Studio writes the account
    of a request into ``updated_by``, whatever the request says; an import leaves ``updated_by`` empty.
    """
    seen = state.seen.get(place, Seen())
    number = user_number(found.annotation["completed_by"])
    if number is not None and found.annotation["updated_by"] is None:
        return "imported"
    if (found.project, found.task) not in state.numbers.get(uid, ()):
        return "copied_task"
    if number != state.accounts.get((found.author or "").lower(), number):
        return "other_account"
    if SHOWN_PARTS & set(seen.changed):
        return "changed_page"
    if found.task in seen.suggested or found.annotation.get("parent_prediction") is not None:
        return "suggested"
    return ""
