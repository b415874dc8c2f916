"""Explains in words why a document was kept or removed."""

import difflib
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from curation.engine.piece_cuts import STAGE as PIECES
from curation.engine.taken_down import NEAR, SAME_TEXT, STAGE
from curation.filters.contaminated import Contaminated
from curation.filters.hosts import host_of
from curation.filters.rights import Rights
from curation.filters.rules import Rule
from curation.recipe import Recipe
from curation.release.lookup import Lookup
from curation.release.manifest import Manifest
from curation.rewrites.personal import DESCRIPTIONS
from curation.routing import EMPTY, rules_of_all
from curation.sites.settings import STAGE as SITES_STAGE
from schemas.visible import visible

DIFF_LINES = 40
LINE_CHARACTERS = 160
LISTED_DUPLICATES = 5
LISTED_CUTS = 10
LISTED_LANGUAGES = 20


def explain(lookup: Lookup, row: dict[str, Any], diff: bool = True) -> Iterator[str]:
    """The lines that explain a row that ``lookup`` found: a document, a reject or a superseded document.

    ``diff``: for a duplicate, add the lines that differ from the matched document.
    """
    place = f"{row['file']} at {row['offset']}"
    if "release" in row:
        yield f"{row['doc_id']} ({place} in release {row['release']}) is superseded, by {row['stage']}:"
        yield f"  it is a duplicate of {row['matched']} ({_locate(row, 'matched')}), and so in one group with"
        yield f"  {row['survivor']} ({_locate(row, 'survivor')}), which is kept for the group."
        return
    if "stage" not in row:
        yield f"{row['doc_id']} ({place}) was kept: it passed every rule of the recipe {lookup.recipe.name}."
        yield from _list_replaced(lookup, row)
        yield from _list_contamination(lookup, row)
        yield from _list_rights(lookup, row)
        yield from _list_cuts(lookup.cuts(row["file"], row["offset"]))
        yield from _list_duplicates(lookup.removed_for(row["file"], row["offset"]))
        return
    if row["survivor"] is not None:
        yield from _explain_duplicate(lookup, row, place, diff)
        return
    if row["stage"] == STAGE:
        taken_down = _takedown_sentence(lookup.manifest, row["reason"])
        yield f"{row['doc_id']} ({place}) {taken_down}; its content is not kept here."
        return
    if row["stage"] == PIECES:
        yield f"{row['doc_id']} ({place}) was removed by {row['stage']}: nothing but white space was left of it."
        yield from _list_cuts(lookup.cuts(row["file"], row["offset"]))
        return
    yield f"{row['doc_id']} ({place}) was removed by {row['stage']}, for {row['reason']}."
    if row["stage"] == SITES_STAGE:
        yield from _explain_site(lookup, row)
        return
    for failed in row["failed"]:
        yield f"  {failed['stage']}: {failed['reason']}: {_sentence(lookup, row, failed)}"
    yield from _list_contamination(lookup, row)
    if row["text"]:
        yield f"  its text begins: {_shorten(' '.join(row['text'].split()))}"


def _explain_site(lookup: Lookup, row: dict[str, Any]) -> Iterator[str]:
    """The lines that say how much personal information the host of a removed document has."""
    [failed] = row["failed"]
    asks = f"the recipe asks for at most {failed['threshold']:.6g}"
    host = host_of(row["url"])
    found = lookup.rows("sites", pc.field("host") == host)
    if found and lookup.recipe.sites is not None:
        [site] = found
        kinds = [f"{DESCRIPTIONS[kind]} ({site[kind]:,})" for kind in lookup.recipe.sites.kinds if site[kind]]
        documents = f"{site['documents']:,} document{'s' if site['documents'] > 1 else ''}"
        yield f"  passed the filters from {visible(host)}: {documents} of {site['words']:,} words"
        yield f"  found in them: {', '.join(kinds)}"
        yield f"  together {failed['value']:.6g} per 1,000 words, {asks}."
    else:
        yield f"  its host had {failed['value']:.6g} values per 1,000 words, {asks}."


def _takedown_sentence(manifest: Manifest, reason: str) -> str:
    """What a takedown, of this corpus or of a release that it was deduplicated against, did to a document."""
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


def _list_replaced(lookup: Lookup, row: dict[str, Any]) -> Iterator[str]:
    """The line that says how often the recipe's rewrites replaced what in a document; no value is named."""
    counted = lookup.recipe.counts()
    names = [name for name in counted.names if name in lookup.recipe.written_signals.names]
    signals = lookup.at("signals", row["file"], row["offset"]) if names else None
    if signals is not None and any(signals[name] for name in names):
        found = [f"{_described(counted.field(name))} ({signals[name]:,})" for name in names if signals[name]]
        yield f"  replaced in its text: {', '.join(found)}"


def _list_rights(lookup: Lookup, row: dict[str, Any]) -> Iterator[str]:
    """The line that says what a document states of its rights, if the recipe measures that."""
    names = set(Rights.signals.names) & set(lookup.recipe.written_signals.names)
    signals = lookup.at("signals", row["file"], row["offset"]) if names and lookup.recipe.reads_rights else None
    if signals is not None and "licence" in names:
        place = f" ({signals['licence_place']})" if signals.get("licence_place") else ""
        opt_outs = signals.get("opt_outs", "")
        refused = "not known" if opt_outs is None else opt_outs or "none"
        yield f"  its licence: {signals['licence']}{place}; its opt-outs: {refused}"


def _list_contamination(lookup: Lookup, row: dict[str, Any]) -> Iterator[str]:
    """The line that says what a document shares with which sample, if the recipe looks for samples."""
    step = next((each for each in lookup.recipe.steps if isinstance(each, Contaminated)), None)
    if step is None or not set(step.signals.names) <= set(lookup.recipe.written_signals.names):
        return
    signals = lookup.at("signals", row["file"], row["offset"])
    if signals is None or not signals["contaminated_samples"]:
        return
    if step.cuts and "stage" not in row:
        many = f"{signals['contaminated_passages']:,} passage{'s' if signals['contaminated_passages'] > 1 else ''}"
        yield f"  cut out of its text: {many} of samples, {signals['contaminated_bytes']:,} bytes in all"
    place = f"bytes {signals['contaminated_start']:,} to {signals['contaminated_end']:,}"
    others = f" and {signals['contaminated_samples'] - 1:,} more" if signals["contaminated_samples"] > 1 else ""
    if step.scores:
        highest = f"the highest score is {signals['contaminated_score']:.3f}, with the question at {place}"
        yield f"  contaminates samples: {signals['contaminated_sample']}{others}; {highest}"
        return
    yield f"  shared with samples: {signals['contaminated_sample']}{others}; the longest span at {place}"


def _described(signal: pa.Field) -> str:
    description: bytes = (signal.metadata or {}).get(b"description", b"")
    return description.decode().removesuffix(" that were replaced")


def _list_duplicates(duplicates: list[dict[str, Any]]) -> Iterator[str]:
    """The lines that list the duplicates removed in favour of a document."""
    if duplicates:
        yield f"  {len(duplicates)} duplicate{'s were' if len(duplicates) > 1 else ' was'} removed for it:"
    for row in duplicates[:LISTED_DUPLICATES]:
        yield f"    {row['doc_id']} ({row['file']} at {row['offset']}), {row['stage']}"
    if len(duplicates) > LISTED_DUPLICATES:
        yield f"    ... and {len(duplicates) - LISTED_DUPLICATES} more"


def _list_cuts(cuts: list[dict[str, Any]]) -> Iterator[str]:
    """The lines that list what was cut out of a document."""
    if cuts:
        size = sum(cut["end"] - cut["start"] for cut in cuts)
        what = f"{len(cuts)} pieces that occur" if len(cuts) > 1 else "1 piece that occurs"
        yield f"  {what} elsewhere too, of together {size:,} bytes, {'were' if len(cuts) > 1 else 'was'} cut out of it:"
    for cut in cuts[:LISTED_CUTS]:
        first = f"{cut['first_doc_id']} ({cut['first_file']} at {cut['first_offset']}), byte {cut['first_start']}"
        yield f"    bytes {cut['start']} to {cut['end']}: {_shorten(' '.join(cut['text'].split()))}"
        yield f"      first in {first}"
    if len(cuts) > LISTED_CUTS:
        yield f"    ... and {len(cuts) - LISTED_CUTS} more"


def _sentence(lookup: Lookup, row: dict[str, Any], failed: dict[str, Any]) -> str:
    """The measured value, and the threshold of the rule."""
    recipe = lookup.recipe
    rule = _rule(recipe, failed["stage"], failed["reason"])
    if rule is None:
        return f"measured {failed['value']:g}, the recipe asks for at least {failed['threshold']:g}"
    if rule.one_of is not None:
        many = f"one of {len(rule.one_of)} {rule.signal}s, such as {rule.one_of[0]}"
        wanted = " or ".join(rule.one_of) if len(rule.one_of) <= LISTED_LANGUAGES else many
        measured = row if rule.signal in row else lookup.at("signals", row["file"], row["offset"]) or {}
        value = measured.get(rule.signal, "not written")
        return f"{rule.signal} is {value}, the recipe asks for {wanted}"
    asks = f"{'at least' if rule.at_least is not None else 'at most'} {failed['threshold']:.6g}"
    if recipe.languages:
        asks += f" of texts in {row['language']}"
    return f"{rule.signal} is {failed['value']:.6g}, the recipe asks for {asks}{_about(recipe, rule)}"


def _rule(recipe: Recipe, stage: str, reason: str) -> Rule | None:
    """The rule of a reason; its threshold may be another language's."""
    rules, _ = rules_of_all(recipe)
    return next((rule for of, rule in rules if (of, rule.reason) == (stage, reason) and rule is not EMPTY), None)


def description(recipe: Recipe, rule: Rule) -> str:
    """What the signal of a rule is, and on which text it is measured; empty if the recipe does not describe it."""
    schema = recipe.measured_signals
    if rule.signal not in schema.names:
        return ""
    metadata = schema.field(rule.signal).metadata or {}
    said = metadata.get(b"description", b"").decode().rstrip(".")
    on = metadata.get(b"text", b"").decode()
    return f"{said}; measured on the {on}" if said else ""


def _about(recipe: Recipe, rule: Rule) -> str:
    said = description(recipe, rule)
    return f" ({said})" if said else ""


def _explain_duplicate(lookup: Lookup, row: dict[str, Any], place: str, diff: bool) -> Iterator[str]:
    what = {
        "url": "has the same url as",
        "exact": "has the same text as",
        "near": f"is a near-duplicate ({_share(row['similarity'])} alike) of",
    }[row["stage"]]
    matched = f"{row['matched']} ({_locate(row, 'matched')})"
    yield f"{row['doc_id']} ({place}) was removed by {row['stage']}: it {what} {matched}."
    if _locate(row, "matched") == _locate(row, "survivor"):
        yield f"  {row['survivor']} was kept in its place ({_policy(lookup, row)})."
    else:
        survivor = f"{row['survivor']} ({_locate(row, 'survivor')})"
        alike = f", {_share(row['survivor_similarity'])} alike to it" if row["survivor_similarity"] is not None else ""
        removed = "in the release or here" if row["matched_release"] else "too"
        yield f"  {row['matched']} was removed {removed}; {survivor} was kept for the group{alike}."
    if _is_emptied(lookup, row):
        yield f"  Nothing was left of {row['survivor']} after pieces that occur elsewhere too were cut out of it."
    near = lookup.recipe.dedup.near
    if row["stage"] == "near" and near is not None:
        measure = {
            "exact": "the Jaccard similarity of their sets of word n-grams",
            "signature": "the share of equal MinHash values, an estimate of Jaccard similarity",
        }[near.verify]
        least = f", {near.required_survivor:.0%} to the document that is kept" if near.required_survivor else ""
        yield f"  alike: {measure} ({near.required_similarity:.0%} needed{least})."
    if diff and row["stage"] != "exact" and row["matched_release"] is None:
        yield from _diff(row, lookup.text(row["matched_file"], row["matched_offset"]))


def _is_emptied(lookup: Lookup, row: dict[str, Any]) -> bool:
    """Whether the survivor of a duplicate was removed itself, after its pieces were cut."""
    if row["survivor_release"] is not None or lookup.recipe.dedup.pieces is None:
        return False
    survivor = lookup.at("rejects", row["survivor_file"], row["survivor_offset"])
    return survivor is not None and survivor["stage"] == PIECES


def _locate(row: dict[str, Any], which: str) -> str:
    """The place of the survivor or of the matched document, as ``which`` says."""
    release = row[f"{which}_release"]
    return f"{row[f'{which}_file']} at {row[f'{which}_offset']}" + (f" in release {release}" if release else "")


def _policy(lookup: Lookup, row: dict[str, Any]) -> str:
    if row["survivor_release"] is not None:
        return "released documents stay"
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
    for line in _shorten_lines(lines)[:DIFF_LINES]:
        yield "  " + line
    if len(lines) > DIFF_LINES:
        yield f"  ... {len(lines) - DIFF_LINES} more lines of difference"


def _shorten_lines(lines: Sequence[str]) -> list[str]:
    """The lines of a unified diff, shortened to LINE_CHARACTERS. A removed line and the added line that replaces it are
    shortened to the part where they begin to differ."""
    shown = list(map(_shorten, lines))
    place = 2  # after the two names
    while place < len(lines):
        removed = len(list(takewhile(lambda line: line.startswith("-"), lines[place:])))
        added = len(list(takewhile(lambda line: line.startswith("+"), lines[place + removed :])))
        for old in range(place, place + min(removed, added)):
            new = old + removed
            start = _common_prefix(lines[old][1:], lines[new][1:]) - LINE_CHARACTERS // 2
            shown[old], shown[new] = _shorten(lines[old], start), _shorten(lines[new], start)
        place += max(removed + added, 1)
    return shown


def _common_prefix(one: str, other: str) -> int:
    """The length of the common prefix of two lines.

    >>> _common_prefix("millstone", "millwheel")
    4
    """
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _share(value: float | None) -> str:
    return "not measurably" if value is None else f"{value:.1%}"


def _shorten(line: str, start: int = 0) -> str:
    """A line shortened to LINE_CHARACTERS. A line that is too long loses the characters between its first character,
    which is the mark of a diff, and ``start``.

    >>> _shorten("-" + "a" * 200 + "b", 195)
    '-...aaaaab'
    """
    if start > 0 and len(line) > LINE_CHARACTERS:
        line = f"{line[0]}...{line[1 + start :]}"
    return line if len(line) <= LINE_CHARACTERS else line[: LINE_CHARACTERS - 3] + "..."
