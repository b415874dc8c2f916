"""Says in words why a document was kept or removed."""

import difflib
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any

from curation.engine.taken_down import NEAR, SAME_TEXT, STAGE
from curation.filters.rules import Rule
from curation.recipe import Filter, Recipe
from curation.release.lookup import Lookup
from curation.release.manifest import Manifest

DIFF_LINES = 40
LINE_CHARACTERS = 160
LISTED_DUPLICATES = 5


def explain(lookup: Lookup, row: dict[str, Any], diff: bool = True) -> Iterator[str]:
    """The lines that explain a row, a document or a reject, that ``lookup`` found.

    ``diff``: with the lines in which a duplicate differs from the document that it matched.
    """
    place = f"{row['file']} at {row['offset']}"
    if "release" in row:
        yield f"{row['doc_id']} ({place} in release {row['release']}) is superseded, by {row['stage']}:"
        yield f"  it is alike to {row['matched']} ({_place(row, 'matched')}) and so belongs together with"
        yield f"  {row['survivor']} ({_place(row, 'survivor')}), which stands for both of them."
        return
    if "stage" not in row:
        yield f"{row['doc_id']} ({place}) was kept: it passed every rule of the recipe {lookup.recipe.name}."
        yield from _removed_for(lookup.removed_for(row["file"], row["offset"]))
        return
    if row["survivor"] is not None:
        yield from _duplicate(lookup, row, place, diff)
        return
    if row["stage"] == STAGE:
        yield f"{row['doc_id']} ({place}) {_taken_down(lookup.manifest, row['reason'])}; what it said is not kept here."
        return
    yield f"{row['doc_id']} ({place}) was removed by {row['stage']}, for {row['reason']}."
    for failed in row["failed"]:
        yield f"  {failed['stage']}: {failed['reason']}: {_sentence(lookup.recipe, row, failed)}"
    if row["text"]:
        yield f"  its text begins: {_cut(' '.join(row['text'].split()))}"


def _taken_down(manifest: Manifest, reason: str) -> str:
    """What a takedown did to a document: one of this corpus, or one of a release against which it was deduplicated."""
    if reason == NEAR:
        return "was taken down, because it is a near-duplicate of a document that was taken down"
    if reason != SAME_TEXT:
        return f"was taken down, by its {reason}"
    alike = "because its text is that of a document that was taken down"
    if not manifest.against:
        return f"was taken down, {alike}"
    release = "from a release that this corpus is deduplicated against"
    if not manifest.takedown:
        return f"was kept out, {alike} {release}"
    return f"was taken down or kept out, {alike} here or {release}"


def _removed_for(duplicates: list[dict[str, Any]]) -> Iterator[str]:
    """Which duplicates a survivor stands for."""
    if duplicates:
        yield f"  {len(duplicates)} duplicate{'s were' if len(duplicates) > 1 else ' was'} removed for it:"
    for row in duplicates[:LISTED_DUPLICATES]:
        yield f"    {row['doc_id']} ({row['file']} at {row['offset']}), {row['stage']}"
    if len(duplicates) > LISTED_DUPLICATES:
        yield f"    ... and {len(duplicates) - LISTED_DUPLICATES} more"


def _sentence(recipe: Recipe, row: dict[str, Any], failed: dict[str, Any]) -> str:
    """What was measured and what the rule asks."""
    rule = _rule(recipe, failed["stage"], failed["reason"])
    if rule is None:
        return f"measured {failed['value']:g}, the recipe asks for at least {failed['threshold']:g}"
    if rule.one_of is not None:
        return f"{rule.signal} is {row[rule.signal]}, the recipe asks for {' or '.join(rule.one_of)}"
    asks = f"{'at least' if rule.at_least is not None else 'at most'} {failed['threshold']:.6g}"
    return f"{rule.signal} is {failed['value']:.6g}, the recipe asks for {asks}{_about(recipe, rule)}"


def _rule(recipe: Recipe, stage: str, reason: str) -> Rule | None:
    for step in recipe.steps:
        if isinstance(step, Filter) and step.use == stage:
            return next((rule for rule in step.rules() if rule.reason == reason), None)
    return None


def _about(recipe: Recipe, rule: Rule) -> str:
    schema = recipe.signals_schema()
    if rule.signal not in schema.names:
        return ""
    metadata = schema.field(rule.signal).metadata or {}
    said = metadata.get(b"description", b"").decode().rstrip(".")
    on = metadata.get(b"text", b"").decode()
    return f" ({said}; measured on the {on})" if said else ""


def _duplicate(lookup: Lookup, row: dict[str, Any], place: str, diff: bool) -> Iterator[str]:
    what = {
        "url": "has the same url as",
        "exact": "has the same text as",
        "near": f"is a near-duplicate ({_share(row['similarity'])} alike) of",
    }[row["stage"]]
    matched = f"{row['matched']} ({_place(row, 'matched')})"
    yield f"{row['doc_id']} ({place}) was removed by {row['stage']}: it {what} {matched}."
    if _place(row, "matched") == _place(row, "survivor"):
        yield f"  {row['survivor']} was kept in its place ({_policy(lookup, row)})."
    else:
        survivor = f"{row['survivor']} ({_place(row, 'survivor')})"
        alike = f", {_share(row['survivor_similarity'])} alike to it" if row["survivor_similarity"] is not None else ""
        removed = "in the release or here" if row["matched_release"] else "too"
        yield f"  that one was removed {removed}; {survivor} was kept for the whole group{alike}."
    if row["stage"] == "near":
        needed = row["failed"][0]["threshold"]
        yield f"  alike: the share of equal MinHash values, an estimate of Jaccard similarity ({needed:.0%} needed)."
    if diff and row["stage"] != "exact" and row["matched_release"] is None:
        yield from _diff(row, lookup.text(row["matched_file"], row["matched_offset"]))


def _place(row: dict[str, Any], which: str) -> str:
    """Where the survivor, or the matched document, lies."""
    release = row[f"{which}_release"]
    return f"{row[f'{which}_file']} at {row[f'{which}_offset']}" + (f" in release {release}" if release else "")


def _policy(lookup: Lookup, row: dict[str, Any]) -> str:
    if row["survivor_release"] is not None:
        return "what is released stays"
    return f"keep policy: {lookup.recipe.dedup.keep.policy}"


def _diff(row: dict[str, Any], other: str | None) -> Iterator[str]:
    if row["text"] is None or other is None:
        yield "  (no diff: the texts of rejects were not written)"
        return
    lines = list(
        difflib.unified_diff(
            other.split("\n"),
            row["text"].split("\n"),
            f"{row['matched']} (matched)",
            f"{row['doc_id']} (removed)",
            n=1,
            lineterm="",
        )
    )
    if not lines:
        yield "  the two texts are the same"
    for line in _shown(lines)[:DIFF_LINES]:
        yield "  " + line
    if len(lines) > DIFF_LINES:
        yield f"  ... {len(lines) - DIFF_LINES} more lines of difference"


def _shown(lines: Sequence[str]) -> list[str]:
    """The lines of a unified diff, cut to LINE_CHARACTERS: those that stand for each other around where they differ."""
    shown = list(map(_cut, lines))
    place = 2  # behind the two names
    while place < len(lines):
        removed = len(list(takewhile(lambda line: line.startswith("-"), lines[place:])))
        added = len(list(takewhile(lambda line: line.startswith("+"), lines[place + removed :])))
        for one in range(place, place + min(removed, added)):
            other = one + removed
            start = _alike(lines[one][1:], lines[other][1:]) - LINE_CHARACTERS // 2
            shown[one], shown[other] = _cut(lines[one], start), _cut(lines[other], start)
        place += max(removed + added, 1)
    return shown


def _alike(one: str, other: str) -> int:
    """How many characters two lines begin with that are the same.

    >>> _alike("millstone", "millwheel")
    4
    """
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _share(value: float | None) -> str:
    return "not measurably" if value is None else f"{value:.1%}"


def _cut(line: str, start: int = 0) -> str:
    """A line of at most LINE_CHARACTERS; a longer one without what stands between its first character, the mark of a
    diff, and ``start``.

    >>> _cut("-" + "a" * 200 + "b", 195)
    '-...aaaaab'
    """
    if start > 0 and len(line) > LINE_CHARACTERS:
        line = f"{line[0]}...{line[1 + start :]}"
    return line if len(line) <= LINE_CHARACTERS else line[: LINE_CHARACTERS - 3] + "..."
