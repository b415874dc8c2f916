"""The command ``gristmill explain``: why a document was kept or removed, in words."""

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

import click
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from curation.engine.taken_down import NEAR, SAME_TEXT, STAGE
from curation.filters.rules import Rule
from curation.recipe import Filter, Recipe
from curation.release.folder import Folder
from curation.release.manifest import check_digests, check_sizes, outputs_of, read_finished
from jobs.corpus.job_file import recipe_of
from jobs.terminal import say
from schemas.errors import UserError
from schemas.manifest import MANIFEST

DIFF_LINES = 40
LINE_CHARACTERS = 160
LISTED_DUPLICATES = 5
FROM = "__filename"
"""The column of a dataset that says from which file a row is."""


def run(folder: str, doc_id: str | None, sample: int | None, reason: str | None, diff: bool) -> None:
    """Prints the explanations of one document, or of a sample of removals."""
    if (doc_id is None) == (sample is None):
        raise UserError("say which document to explain: a DOC_ID, or --sample N (with --reason NAME)")
    doc_id, reason = _utf8(doc_id), _utf8(reason)
    corpus = Corpus(folder)
    if sample is not None:
        rows = corpus.sample(sample, reason)
        if not rows:
            hint = f" for {reason}: its reasons are {', '.join(corpus.reasons()) or 'none'}" if reason else ""
            raise UserError(f"{folder} holds no removal{hint}")
    else:
        rows = corpus.find(str(doc_id))
        if not rows:
            raise UserError(
                f"{folder} holds no document {doc_id!r}: it was not read, or could not be (see quarantine/)"
            )
    for number, row in enumerate(rows):
        if number:
            click.echo()
        for line in explain(corpus, row, diff):
            say(line)


def _utf8(given: str | None) -> str | None:
    """A word of the command line, whatever the locale; raises UserError where it is not UTF-8."""
    try:
        return None if given is None else os.fsencode(given).decode()
    except UnicodeError as error:
        raise UserError(f"{given!r} is not UTF-8, as ids and reasons are: give it as it is in the corpus") from error


class Corpus:
    """A finished output folder, for looking things up."""

    def __init__(self, root: str):
        self.folder = Folder(root)
        self.folder.check_name()
        self.manifest, _ = read_finished(self.folder)
        self.files = outputs_of(self.manifest, self.folder)
        check_sizes(self.folder, self.files.values())
        self.recipe: Recipe = recipe_of(self.manifest["job"]["recipe"], f"{root}/{MANIFEST}")
        self._checked: set[str] = set()

    def rows(self, table: str, wanted: pc.Expression | None, columns: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Rows of a table, all columns or some.

        Every page that is read is checked, and so is each file with one of the rows as a whole. Raises UserError for a
        damaged one.
        """
        names = [name for name in self.files if name.startswith(f"{table}/")]
        if not names:
            return []
        shards = {self.folder.path(name): self.files[name] for name in names}
        kind = ds.ParquetFileFormat(page_checksum_verification=True)
        try:
            dataset = ds.dataset(list(shards), format=kind, filesystem=self.folder.filesystem()[0])
            chosen = [*(columns or dataset.schema.names), FROM]
            found = dataset.to_table(columns=chosen, filter=wanted).to_pylist()
        except (pa.ArrowInvalid, OSError) as error:
            root = self.folder.root
            raise UserError(
                f"{root}/{table} cannot be read ({error}): `gristmill verify {root}` says which file is damaged"
            ) from error
        held = {shards[row.pop(FROM)].name for row in found} - self._checked
        check_digests(self.folder, [self.files[name] for name in sorted(held)])
        self._checked |= held
        return found  # type: ignore[no-any-return]

    def find(self, doc_id: str) -> list[dict[str, Any]]:
        """Every document of that id, in the order of the listing."""
        wanted = pc.field("doc_id") == doc_id
        rows = [row for table in ("documents", "rejects", "superseded") for row in self.rows(table, wanted)]
        return sorted(rows, key=lambda row: (row["file"], row["offset"]))

    def reasons(self) -> list[str]:
        return sorted({entry["reason"] for entry in self.manifest["ledger"]["rejected"]})

    def sample(self, count: int, reason: str | None) -> list[dict[str, Any]]:
        """Removals spread evenly over the corpus, the same ones each time."""
        wanted = None if reason is None else pc.field("reason") == reason
        places = self.rows("rejects", wanted, ["file", "offset"])
        count = min(count, len(places))
        chosen = [places[len(places) * i // count] for i in range(count)]
        rows = [self.at("rejects", place["file"], place["offset"]) for place in chosen]
        return [row for row in rows if row]

    def at(self, table: str, file: str, offset: int) -> dict[str, Any] | None:
        found = self.rows(table, (pc.field("file") == file) & (pc.field("offset") == offset))
        return found[0] if found else None

    def removed_for(self, file: str, offset: int) -> list[dict[str, Any]]:
        """The duplicates that were removed for the document at that place, in the order of the listing."""
        wanted = (pc.field("survivor_file") == file) & (pc.field("survivor_offset") == offset)
        wanted &= pc.field("survivor_release").is_null()  # files of two crawls may have one name
        rows = self.rows("rejects", wanted, ["doc_id", "file", "offset", "stage"])
        return sorted(rows, key=lambda row: (row["file"], row["offset"]))

    def text(self, file: str, offset: int) -> str | None:
        """The text of the document at that place, wherever it ended."""
        for table in ("documents", "rejects"):
            row = self.at(table, file, offset)
            if row:
                return row["text"]  # type: ignore[no-any-return]
        return None


def explain(corpus: Corpus, row: dict[str, Any], diff: bool = True) -> Iterator[str]:
    """The explanation of one document or reject, line by line."""
    place = f"{row['file']} at {row['offset']}"
    if "release" in row:
        yield f"{row['doc_id']} ({place} in release {row['release']}) is superseded, by {row['stage']}:"
        yield f"  it is alike to {row['matched']} ({_place(row, 'matched')}) and so belongs together with"
        yield f"  {row['survivor']} ({_place(row, 'survivor')}), which stands for both of them."
        return
    if "stage" not in row:
        yield f"{row['doc_id']} ({place}) was kept: it passed every rule of the recipe {corpus.recipe.name}."
        yield from _removed_for(corpus.removed_for(row["file"], row["offset"]))
        return
    if row["survivor"] is not None:
        yield from _duplicate(corpus, row, place, diff)
        return
    if row["stage"] == STAGE:
        yield f"{row['doc_id']} ({place}) {_taken_down(corpus.manifest, row['reason'])}; what it said is not kept here."
        return
    yield f"{row['doc_id']} ({place}) was removed by {row['stage']}, for {row['reason']}."
    for failed in row["failed"]:
        yield f"  {failed['stage']}: {failed['reason']}: {_sentence(corpus.recipe, row, failed)}"
    if row["text"]:
        yield f"  its text begins: {_cut(' '.join(row['text'].split()))}"


def _taken_down(manifest: Mapping[str, Any], reason: str) -> str:
    """What a takedown did to a document: one of this corpus, or one of a release against which it was deduplicated."""
    if reason == NEAR:
        return "was taken down, because it is a near-duplicate of a document that was taken down"
    if reason != SAME_TEXT:
        return f"was taken down, by its {reason}"
    alike = "because its text is that of a document that was taken down"
    if not manifest["against"]:
        return f"was taken down, {alike}"
    release = "from a release that this corpus is deduplicated against"
    if not manifest.get("takedown"):
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


def _duplicate(corpus: Corpus, row: dict[str, Any], place: str, diff: bool) -> Iterator[str]:
    what = {
        "url": "has the same url as",
        "exact": "has the same text as",
        "near": f"is a near-duplicate ({_share(row['similarity'])} alike) of",
    }[row["stage"]]
    matched = f"{row['matched']} ({_place(row, 'matched')})"
    yield f"{row['doc_id']} ({place}) was removed by {row['stage']}: it {what} {matched}."
    if _place(row, "matched") == _place(row, "survivor"):
        yield f"  {row['survivor']} was kept in its place ({_policy(corpus, row)})."
    else:
        survivor = f"{row['survivor']} ({_place(row, 'survivor')})"
        alike = f", {_share(row['survivor_similarity'])} alike to it" if row["survivor_similarity"] is not None else ""
        removed = "in the release or here" if row["matched_release"] else "too"
        yield f"  that one was removed {removed}; {survivor} was kept for the whole group{alike}."
    if row["stage"] == "near":
        needed = row["failed"][0]["threshold"]
        yield f"  alike: the share of equal MinHash values, an estimate of Jaccard similarity ({needed:.0%} needed)."
    if diff and row["stage"] != "exact" and row["matched_release"] is None:
        yield from _diff(row, corpus.text(row["matched_file"], row["matched_offset"]))


def _place(row: dict[str, Any], which: str) -> str:
    """Where the survivor, or the matched document, lies."""
    release = row[f"{which}_release"]
    return f"{row[f'{which}_file']} at {row[f'{which}_offset']}" + (f" in release {release}" if release else "")


def _policy(corpus: Corpus, row: dict[str, Any]) -> str:
    if row["survivor_release"] is not None:
        return "what is released stays"
    return f"keep policy: {corpus.recipe.dedup.keep.policy}"


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
