"""Which of two answers a row prefers: by a field, by scores, or by votes."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from annotation.imports import fields
from annotation.imports.fields import RowError, getter
from annotation.imports.layout import Layout
from annotation.imports.meanings import meanings
from annotation.imports.ranks import Ranks


class Verdict(NamedTuple):
    """``side``: first, second, tie, or None if nobody voted. ``votes``: for the first answer, and for the second."""

    side: str | None
    degree: str | None
    votes: tuple[int, int] | None


def verdict_of(layout: Layout, ranks: Ranks) -> Callable[[Any], Verdict] | None:
    """A function that reads the verdict of a row; None if rows always have the better answer first.

    ``ranks`` sees the scores. The function raises RowError for a row without a verdict, or with a value that has no
    meaning in the layout.
    """
    if layout.way != "first and second":
        if not layout.degrees:
            return None
        return _chosen_with_degree(layout)
    if layout.first_score is not None and layout.second_score is not None:
        return _by_score(layout.first_score, layout.second_score, layout.better == "lower", ranks)
    count = _counter(layout)
    if layout.preferred is not None:
        return _by_field(layout, layout.preferred, count)
    return lambda row: _by_votes(count(row))


def _chosen_with_degree(layout: Layout) -> Callable[[Any], Verdict]:
    degree = _degree(layout, str(layout.degree))
    return lambda row: Verdict("first", degree(row), None)


def _by_score(one: str, other: str, lower: bool, ranks: Ranks) -> Callable[[Any], Verdict]:
    first, second = getter(one), getter(other)

    def read(row: Any) -> Verdict:
        left, right = fields.number(first(row), one), fields.number(second(row), other)
        ranks.count((left, right))
        return Verdict("tie" if left == right else "first" if (left > right) != lower else "second", None, None)

    return read


def _by_field(layout: Layout, path: str, count: Callable[[Any], Counter[str]]) -> Callable[[Any], Verdict]:
    get = getter(path)
    meaning = meanings(layout.preference)
    degree = _degree(layout, layout.degree or path) if layout.degrees else None
    votes = layout.votes is not None or layout.annotations is not None

    def read(row: Any) -> Verdict:
        side = _meaning(meaning, get(row), path)
        counts = count(row) if votes else None
        given = (counts["first"], counts["second"]) if counts is not None else None
        return Verdict(side, degree(row) if degree is not None and side != "tie" else None, given)

    return read


def _by_votes(counts: Counter[str]) -> Verdict:
    """The side with the most votes. Votes for a tie count too; a draw between sides is a tie."""
    votes = counts["first"], counts["second"]
    best = max(counts.values(), default=0)
    most = [side for side, count in counts.items() if count == best]
    return Verdict(None if not most else most[0] if len(most) == 1 else "tie", None, votes)


def _degree(layout: Layout, path: str) -> Callable[[Any], str]:
    get, meaning = getter(path), meanings(layout.degrees)

    def read(row: Any) -> str:
        value = get(row)
        found = meaning(value, path)
        if found is None:
            raise RowError(f"{path} is {fields.word(value, path)[:40]!r}, which degrees does not name")
        return found

    return read


def _meaning(meaning: Callable[[object, str], str | None], value: Any, path: str) -> str:
    found = meaning(value, path)
    if found is None:
        raise RowError(f"{path} is {fields.word(value, path)[:40]!r}, which preference does not name")
    return found


def _counter(layout: Layout) -> Callable[[Any], Counter[str]]:
    """A function that counts the votes of a row by side (first, second, tie)."""
    path = layout.annotations or layout.votes
    if path is None:
        return lambda row: Counter()
    get = getter(path)
    vote, meaning = None if layout.vote is None else getter(layout.vote), meanings(layout.preference)

    def count(row: Any) -> Counter[str]:
        listed = get(row)
        if not isinstance(listed, list):
            raise RowError(f"{path} is not a list")
        values = _read_annotations(listed, layout.control) if vote is None else filter(_is_given, map(vote, listed))
        return Counter(_meaning(meaning, value, "a vote") for value in values)

    return count


def _is_given(value: Any) -> bool:
    return value is not None


def _read_annotations(annotations: list[Any], control: str | None) -> Iterator[Any]:
    """The choice of each Label Studio annotation, without annotations that were skipped or chose nothing."""
    for annotation in annotations:
        if not isinstance(annotation, dict):
            raise RowError("an annotation is not an object")
        result = annotation.get("result")
        if annotation.get("was_cancelled") or not result:
            continue
        if not isinstance(result, list):
            raise RowError("the result of an annotation is not a list")
        chosen = [value for each in result for value in _choice(each, control)]
        if len(chosen) > 1:
            raise RowError("an annotation chose more than once: name one control in the mapping (control)")
        yield from chosen


def _choice(result: Any, control: str | None) -> list[Any]:
    if not isinstance(result, dict) or not isinstance(result.get("value"), dict):
        return []
    if control is not None and result.get("from_name") != control:
        return []
    value = result["value"]
    if result.get("type") == "pairwise":
        return [value["selected"]] if value.get("selected") is not None else []
    if result.get("type") != "choices" or value.get("choices") is None:
        return []
    if not isinstance(value["choices"], list):
        raise RowError("the choices of an annotation are not a list")
    return list(value["choices"])
