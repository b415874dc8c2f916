"""A data card as Markdown for people, with the YAML that the Hugging Face Hub and its loader read."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from curation.release.manifest import Manifest
from curation.release.readme import MARK, escaped, hub_metadata
from curation.reports.card import Card
from schemas.sizes import readable
from schemas.visible import visible

MOST_ROWS = 20
"""How many rows a table shows; the JSON file has all."""
MOST_DESCRIPTORS = 5
_CODE = re.compile("[a-z]{2,3}")

Rows = Sequence[Sequence[str]]


def markdown(card: Card, manifest: Manifest, name: str, licence: str | None) -> str:
    """The card of the folder with the manifest as Markdown. ``name`` is what the corpus is called, ``licence`` an
    identifier of the Hub."""
    parts = ["---", *_yaml(card, manifest, name, licence), "---", "", f"# {escaped(name)}", ""]
    for section in (
        _summary,
        _how_measured,
        _lengths,
        _languages,
        _sources,
        _origins,
        _pronouns,
        _descriptors,
        _toxicity,
    ):
        parts += section(card)
    for section in (_personal, _rights, _removed, _duplicates):
        parts += section(card)
    return "\n".join(parts).rstrip("\n") + "\n"


def _yaml(card: Card, manifest: Manifest, name: str, licence: str | None) -> Iterator[str]:
    """The front matter."""
    yield MARK
    yield f"pretty_name: {json.dumps(name)}"
    if licence is not None:
        yield f"license: {json.dumps(licence)}"
    codes = sorted(
        {code for each in card["languages"] or [] if _CODE.fullmatch(code := each["name"].partition("_")[0])}
    )
    if codes:
        yield "language:"
        yield from (f"- {json.dumps(code)}" for code in codes)
    yield from hub_metadata(manifest)


def _summary(card: Card) -> Iterator[str]:
    kept = card["kept"]
    yield f"{kept['documents']:,} documents, {kept['words']:,} words, {readable(kept['text_bytes'])} of text."
    yield f"Curated by gristmill {card['gristmill']} with the recipe {escaped(card['recipe'])}."
    yield from (f"SHA-256 of the manifest: `{card['manifest']}`.", "")
    yield from ("```python", "from datasets import load_dataset", "", 'documents = load_dataset("path/to/this/folder")')
    yield from ("```", "")


def _how_measured(card: Card) -> Iterator[str]:
    measured = card["measured"]
    every = measured["share"] == 1
    which = "all documents" if every else f"{measured['documents']:,} documents, chosen by a hash of their ids"
    yield f"Measured on {which}. Ranges in brackets are {card['confidence']:.0%} intervals (Wilson)."
    yield ""


def _lengths(card: Card) -> Iterator[str]:
    lengths = {name: each for name, each in card["lengths"].items() if each["quantiles"]}
    if not lengths:
        return
    first = next(iter(lengths.values()))
    yield from _heading("Lengths")
    names = ["", "mean", *(_quantile(each["quantile"]) for each in first["quantiles"])]
    rows = [
        [name, f"{each['mean']:,.1f}", *(f"{at['length']:,}" for at in each["quantiles"])]
        for name, each in lengths.items()
    ]
    yield from _table(names, rows)


def _quantile(at: float) -> str:
    return {0: "least", 0.5: "median", 1: "most"}.get(at, f"{at:.0%}")


def _languages(card: Card) -> Iterator[str]:
    yield from _heading("Languages")
    if card["languages"] is None:
        yield from ("The recipe did not identify languages.", "")
        return
    yield "By the recipe's identifier, with a probability of 0.5 or more; from 0.005% of documents."
    yield ""
    yield from _table(("language", "documents", "share"), _shares(card["languages"], 3))


def _sources(card: Card) -> Iterator[str]:
    yield from _heading("Sources")
    rows = [
        [
            escaped(each["name"]),
            f"{each['read']['documents']:,}",
            f"{each['documents']:,}",
            f"{each['kept']['words']:,}",
            _share(each),
        ]
        for each in card["sources"]
    ]
    yield from _table(("source", "read", "kept", "words kept", "share of the corpus"), rows)


def _origins(card: Card) -> Iterator[str]:
    for title, name in (("Years", "years"), ("Hosts", "hosts"), ("Top-level domains", "top_level_domains")):
        found = card[name]
        if found is None:
            continue
        yield from _heading(title)
        known = found["known"]
        yield f"{found['different']:,} different, of {known['documents']:,} documents ({_share(known)} of all)."
        yield ""
        if name != "years" or found["different"] > MOST_ROWS:
            shown = sorted(found["listed"], key=lambda each: (-each["documents"], each["name"]))[:MOST_ROWS]
        else:
            shown = found["listed"]
        left = known["documents"] - sum(each["documents"] for each in shown)
        rows = _shares(shown)
        if left:
            rows.append([f"... and {found['different'] - len(shown):,} more", f"{left:,}", ""])
        yield from _table((title.lower()[:-1], "documents", "share"), rows)


def _pronouns(card: Card) -> Iterator[str]:
    found = card["pronouns"]
    yield from _heading("Pronouns")
    yield "Documents with at least one of the words (Llama 2, Section 4.1)."
    yield "The share of a kind is of the documents with any pronoun of its group."
    yield ""
    rows = []
    for group, among in (("gendered", "among_gendered"), ("personal", "among_personal")):
        rows.append([f"**{group}**", f"{found[group]['documents']:,}", f"{_share(found[group])} of all"])
        rows += [[kind, f"{each['documents']:,}", _share(each)] for kind, each in found[among].items()]
    yield from _table(("pronouns", "documents", "share"), rows)


def _descriptors(card: Card) -> Iterator[str]:
    found = card["descriptors"]
    if found is None:
        return
    yield from _heading("Descriptors of identity")
    yield f"Whole words and phrases of `{_code(found['file'])}`, without case."
    yield "The most frequent descriptors of an axis are shares of the axis's documents."
    yield ""
    rows = [
        [
            escaped(axis["name"]),
            f"{axis['documents']:,}",
            _share(axis),
            ", ".join(
                f"{escaped(each['name'])} {each['share']:.1%}" for each in axis["descriptors"][:MOST_DESCRIPTORS]
            ),
        ]
        for axis in sorted(found["axes"], key=lambda each: (-each["documents"], each["name"]))
    ]
    yield from _table(("axis", "documents", "share", "most frequent"), rows)


def _toxicity(card: Card) -> Iterator[str]:
    found = card["toxicity"]
    yield from _heading("Toxicity")
    if found is None:
        yield from ("Not measured: no classifier was given.", "")
        return
    named = ", ".join(f"{name} `{_code(value)}`" for name, value in found["classifier"].items())
    yield f"Mean score of a document's lines by a classifier of the user's ({named})."
    mean = "-" if found["mean"] is None else f"{found['mean']:.4f}"
    yield f"Mean over documents: {mean}; {found['threshold']:g} or more: {_share(found['toxic'], 2)} of documents."
    yield ""


def _personal(card: Card) -> Iterator[str]:
    found = card["personal_information"]
    yield from _heading("Personal information")
    if not found["replaced"]:
        yield from ("The recipe did not replace personal information.", "")
    elif not found["kinds"]:
        yield from ("The recipe replaced e-mail and IP addresses, and did not count them.", "")
    for title, name in (("replaced", "kinds"), ("counted for the removal of sites", "counted")):
        rows = [
            [escaped(each["name"]), f"{each['count']:,}", f"{each['documents']:,}", _share(each)]
            for each in found[name]
        ]
        if rows:
            yield from _table((title, "times", "documents", "share"), rows)


def _rights(card: Card) -> Iterator[str]:
    if card["robots"] is not None:
        robots = card["robots"]
        yield from _heading("robots.txt")
        yield f"Refused for {_share(robots)} of the {robots['of']:,} documents whose host is listed."
        yield ""
    if card["mining_reserved"] is not None:
        reserved = card["mining_reserved"]
        yield from _heading("Text and data mining")
        yield f"Reserved by {_share(reserved)} of the {reserved['of']:,} documents that say."
        yield ""
    for name, title in (("licence", "Licences"), ("opt_outs", "Opt-outs")):
        found = card["rights"].get(name)
        if found is not None:
            yield from _heading(title)
            rows = [{**each, "name": each["name"] or "(no opt-out)"} for each in found["listed"][:MOST_ROWS]]
            yield from _table((title.lower(), "documents", "share"), _shares(rows))


def _removed(card: Card) -> Iterator[str]:
    yield from _heading("Removed")
    rows = [
        [
            f"{escaped(each['stage'])}: {escaped(each['reason'])}",
            f"{each['documents']:,}",
            _share(each),
            f"{each['words']:,}",
        ]
        for each in card["removed"]
    ]
    if not rows:
        yield from ("Nothing was removed.", "")
    else:
        yield "By the first rule that a document failed; shares are of all documents read."
        yield ""
        yield from _table(("rule", "documents", "share", "words"), rows)
    if card["quarantined"]:
        listed = ", ".join(f"{count:,} {escaped(error)}" for error, count in card["quarantined"].items())
        yield from (f"Records that could not be read: {listed}.", "")


def _duplicates(card: Card) -> Iterator[str]:
    found = card["near_duplicates"]
    if found:
        yield from _heading("Clusters of duplicates")
        yield "How many documents a kept document stands for: itself, its copies and its near-duplicates."
        yield ""
        yield from _table(
            ("size", "documents", "share"), [[each["size"], f"{each['documents']:,}", _share(each)] for each in found]
        )


def _heading(title: str) -> Iterator[str]:
    yield from (f"## {title}", "")


def _table(columns: Sequence[str], rows: Rows) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield "|" + "|".join(["---"] + ["---:"] * (len(columns) - 1)) + "|"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _shares(listed: Sequence[Mapping[str, Any]], digits: int = 1) -> list[list[str]]:
    """Rows of name, documents and share."""
    return [[escaped(each["name"]), f"{each['documents']:,}", _share(each, digits)] for each in listed]


def _share(each: Mapping[str, Any], digits: int = 1) -> str:
    """A share with its interval, in percent."""
    if each["share"] is None:
        return "-"
    low, high = (f"{100 * bound:.{digits}f}" for bound in each["interval"])
    return f"{100 * each['share']:.{digits}f}% [{low}, {high}]"


def _code(text: str) -> str:
    """A text between backticks."""
    return visible(text).replace("`", "'").replace("|", "/")
