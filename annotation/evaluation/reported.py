"""A report: its numbers, and the votes behind them, in a folder that appears complete or not at all."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa

from annotation.dataset.files import new_folder
from annotation.dataset.manifest import check_file, read_manifest
from annotation.evaluation.calibration import calibrated
from annotation.evaluation.collection import collection
from annotation.evaluation.comparing import agreements, among
from annotation.evaluation.figures import figures
from annotation.evaluation.grade_means import grade_means
from annotation.evaluation.imported_ratings import ImportedRatings, imported
from annotation.evaluation.iterations import iterations
from annotation.evaluation.leaders import Control, ratings
from annotation.evaluation.length_control import LengthControl, length_controlled_rates
from annotation.evaluation.numbers import Origin, Traced, numbered, numbers_of, table_of
from annotation.evaluation.people import Counted
from annotation.evaluation.report_manifest import FORMAT, VERSION, ReportManifest, SourceFacts
from annotation.evaluation.safety import safety
from annotation.evaluation.sources import Source
from annotation.statistics.bradley_terry import Ties
from annotation.statistics.outcomes import Definition
from schemas.errors import UserError
from schemas.evaluation import GRADED, NO_VERDICT, NUMBERS, RATED, SHOWN, VOTES
from schemas.manifest import MANIFEST, named_entries
from schemas.parquet import open_parquet
from schemas.records import to_json

TOGETHER = "all sources together"
TABLES = {table.name: table for table in (NUMBERS, VOTES, SHOWN, RATED, GRADED)}


@dataclass(frozen=True, kw_only=True)
class Choices:
    """How numbers are made where the paper leaves it open.

    ``ties``: how ties enter a win rate; ``rating_ties``: how they enter ratings. ``controls``: what ratings are
    corrected for. ``together``: rate the models by the votes of all sources as well. ``counted``: what counts once,
    of people; None means votes on pairs, and verdicts of a safety rating. ``length_control``: how length-controlled win
    rates are made; None for none. ``imported``: ratings of others to show beside.
    """

    ties: Definition = "decided"
    rating_ties: Ties = "half"
    controls: tuple[Control, ...] = ()
    together: bool = False
    counted: Counted | None = None
    length_control: LengthControl | None = None
    imported: tuple[ImportedRatings, ...] = ()

    @property
    def entry(self) -> dict[str, Any]:
        """The choices as the manifest has them, which names files by their SHA-256."""
        control = None if self.length_control is None else list(self.length_control.facts)
        files = [f"{each.name}, SHA-256 {each.sha256}" for each in self.imported]
        entry: dict[str, Any] = to_json({**vars(self), "length_control": control, "imported": files})
        return entry


@dataclass(frozen=True)
class Report:
    """The numbers of some sources."""

    sources: Sequence[Source]
    choices: Choices
    numbers: Sequence[Traced]

    @property
    def tables(self) -> dict[str, pa.Table]:
        """NUMBERS, VOTES, SHOWN and RATED, by name, and GRADED if a judge gave grades."""
        votes = pa.concat_tables([source.votes for source in self.sources])
        shown = pa.concat_tables([source.shown for source in self.sources])
        rated = pa.concat_tables([source.rated for source in self.sources])
        graded = pa.concat_tables([source.graded for source in self.sources])
        found = {"numbers": table_of(self.numbers), "votes": votes, "shown": shown, "rated": rated}
        return {**found, "graded": graded} if len(graded) else found

    def section(self, name: str) -> list[Traced]:
        """The numbers of a section."""
        return [each for each in self.numbers if each.number.section == name]


def report_of(sources: Sequence[Source], choices: Choices) -> Report:
    """All numbers of the sources, numbered from 1. Equal sources in equal order give equal numbers."""
    found = [_counted(each, source) for source in sources for each in figures(source, choices.ties)]
    found += [_counted(each, source) for source in sources for each in safety(source)]
    found += [each for source in sources for each in grade_means(source)]
    found += iterations(sources, choices.ties)
    found += [each for held in sources for each in collection(held.votes, held.steps, held.name, choices.ties)]
    return Report(sources, choices, numbered([*found, *_people_and_judges(sources), *leaders(sources, choices)]))


def _counted(found: Traced, source: Source) -> Traced:
    """The number, whose method says if it has no value because there is no verdict yet."""
    if found.number.value is not None or source.counted == "votes":
        return found
    return replace(found, number=replace(found.number, method="no verdict"))


def _people_and_judges(sources: Sequence[Source]) -> Iterator[Traced]:
    """The agreement of people with each other and with each judge, then the win rates by people and judge."""
    people = [source for source in sources if source.voters == "people" and len(source.votes)]
    judges = [source for source in sources if source.voters != "people"]
    for source in people:
        yield from among(source)
        for judge in judges:
            yield from agreements(source, judge)
    for source, judge in product(people, judges):
        yield from calibrated(source, judge)


def leaders(sources: Sequence[Source], choices: Choices) -> Iterator[Traced]:
    """The leaderboard of each source, and of all together if that is chosen; then length-controlled win rates and
    imported ratings, if these are chosen. Raises UserError as `length_controlled_rates` does."""
    how = choices.rating_ties, choices.controls
    sources = [source for source in sources if len(source.votes)]
    for source in sources:
        origin = Origin(where={"source": (source.name,)}, left_out=NO_VERDICT)
        yield from ratings(source.votes, *how, source.name, source.voters, origin)
    if choices.together and len(sources) > 1:
        votes = pa.concat_tables([source.votes for source in sources])
        origin = Origin(where={"source": tuple(source.name for source in sources)}, left_out=NO_VERDICT)
        voters = " and ".join(dict.fromkeys(source.voters for source in sources))
        yield from ratings(votes, *how, TOGETHER, voters, origin)
    if choices.length_control is not None:
        yield from length_controlled_rates(sources, choices.length_control)
    compared = {name for each in sources for column in ("model", "opponent") for name in each.votes[column].to_pylist()}
    yield from imported(choices.imported, compared)


def write(folder: Path, report: Report, texts: Mapping[str, str]) -> None:
    """Writes the tables, some texts by their file name, and the manifest into a new folder.

    Raises UserError if the folder is taken, RunError if it cannot be written.
    """
    with new_folder(folder) as writer:
        for name, rows in report.tables.items():
            writer.parquet(name, rows)
        for name, content in texts.items():
            writer.text(name, content)
        facts = [SourceFacts(name=each.name, voters=each.voters, facts=each.facts) for each in report.sources]
        manifest = ReportManifest(
            format=FORMAT,
            version=VERSION,
            tables={name: table.version for name, table in TABLES.items()},
            choices=report.choices.entry,
            sources=tuple(facts),
            files=writer.files,
        )
        writer.json(MANIFEST, manifest)


def find(folder: Path, number: int) -> tuple[ReportManifest, Traced, pa.Table]:
    """The manifest of a report, one of its numbers, and the rows that the number is made from, as `Origin.rows`.

    Raises UserError if the folder holds no report or no such number, or if one of its tables has changed.
    """
    made_by = "gristmill evaluation report"
    _, manifest = read_manifest(folder, ReportManifest, FORMAT, VERSION, "no report", made_by)
    entries = named_entries(manifest.files, str(folder / MANIFEST))
    held = {each.number.number: each for each in numbers_of(_table(folder, "numbers", entries))}
    if number not in held:
        raise UserError(f"{folder} has no number {number}: choose a number from 1 to {len(held)}")
    found = held[number]
    return manifest, found, found.origin.rows(_table(folder, found.origin.table, entries))


def _table(folder: Path, name: str, entries: Mapping[str, Any]) -> pa.Table:
    entry = entries.get(f"{name}.parquet")
    if entry is None:
        raise UserError(f"{folder} has no {name}.parquet: write the report again")
    check_file(folder, entry)
    with (folder / entry.name).open("rb") as stream:  # Arrow opens no path that is not UTF-8
        return TABLES[name].upgrade(open_parquet(stream).read())
