"""The sources of a report: votes of people and verdicts of judges, in one form."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from annotation.evaluation import folder as verdicts
from annotation.evaluation.collection import Step, steps_of
from annotation.evaluation.manifest import JudgeEntry, VerdictsManifest
from annotation.evaluation.people import Counted, comparisons, ratings
from annotation.evaluation.sampling import Sampling, sampling_of
from annotation.evaluation.tables import JudgeTables
from annotation.evaluation.templates import VerdictForm
from annotation.evaluation.votes import (
    OF_FIRST,
    checked,
    directed,
    items,
    longer_first,
    renamed,
    sort_votes,
    turns,
    votes_table,
)
from annotation.evaluation.winrates import grade_rows
from annotation.journal.fold import fold
from annotation.journal.journal import STORE, Journal
from annotation.judgments.resolve import resolve
from annotation.judgments.snapshot import Snapshot
from annotation.judgments.snapshot import load as load_campaign
from annotation.protocols import PROTOCOLS
from schemas.errors import UserError
from schemas.evaluation import GRADED, NO_VERDICT, RATED, SHOWN, VOTES
from schemas.preference import FACTS
from schemas.records import from_json
from schemas.visible import visible

_MISSING = pa.schema([(name, pa.string()) for name in ("prompt_id", "first", "second")])


@dataclass(frozen=True, kw_only=True)
class Source:
    """Votes on pairs (VOTES) or safety ratings (RATED) by people, or verdicts of a judge.

    ``facts`` are (name, value) of how they were made, without any place on this machine. ``orders`` are those in which
    a judge was asked, ``files`` the SHA-256 of the files of responses that it judged. ``sampling``: how the pairs with
    votes of people were drawn. ``steps``: which new models the batches compare with previous ones. ``counted``: whether
    a row is a vote, or the verdict of a judge or of several votes. ``undecided``: votes on responses and pairs that
    have too few votes for a verdict. ``graded``: a judge's grades of single responses, on a scale from ``grades[0]`` to
    ``grades[1]``.
    """

    name: str
    voters: str
    votes: pa.Table
    facts: tuple[tuple[str, str], ...]
    shown: pa.Table = field(default_factory=SHOWN.schema.empty_table)
    rated: pa.Table = field(default_factory=RATED.schema.empty_table)
    orders: str | None = None
    files: frozenset[str] = frozenset()
    sampling: Sampling | None = None
    steps: tuple[Step, ...] = ()
    counted: Counted = "votes"
    undecided: int = 0
    graded: pa.Table = field(default_factory=GRADED.schema.empty_table)
    grades: tuple[int, int] | None = None

    @property
    def given(self) -> int:
        """How many votes or verdicts there are. Rows without a verdict do not count."""
        return sum(
            pc.sum(pc.invert(pc.is_in(rows["outcome"], value_set=pa.array(NO_VERDICT)))).as_py() or 0
            for rows in (self.votes, self.rated)
        )

    @property
    def graded_responses(self) -> int:
        """How many responses have a grade."""
        return len(self.graded["grade"].drop_null())


def read_sources(paths: Sequence[Path], counted: Counted | None = None) -> list[Source]:
    """The sources at these paths, in their order; ``counted`` says what counts of people's votes. Raises UserError
    for a path that is not a source, and for two sources of one name."""
    found = [_read(path, counted) for path in paths]
    names = [source.name for source in found]
    for name in names:
        if names.count(name) > 1:
            raise UserError(
                f"two sources have the name {name!r}: give each source once; a campaign has the name of its settings, "
                "verdicts have that of their folder"
            )
    return found


def _read(path: Path, counted: Counted | None) -> Source:
    if (path / STORE).exists():
        snapshot = load_campaign(path)
        with Journal(path / STORE) as journal:
            record = fold(journal, snapshot.revision)
        return of_people(snapshot, counted, sampling_of(record, snapshot), steps_of(record))
    return of_verdicts(visible(path.resolve().name), *verdicts.load(path))


def of_people(
    snapshot: Snapshot,
    counted: Counted | None = None,
    sampling: Sampling | None = None,
    steps: tuple[Step, ...] = (),
) -> Source:
    """The votes of a campaign that count, or the verdicts that they give, without gold pairs. By default votes on
    pairs, and verdicts of a safety rating."""
    compares = PROTOCOLS[snapshot.protocol].scale.compares
    counted = counted or ("votes" if compares else "verdicts")
    policy = snapshot.policy
    facts = [
        ("campaign", f"{snapshot.name}, revision {snapshot.revision}"),
        ("protocol", f"{snapshot.protocol} {snapshot.protocol_version}"),
        ("votes asked for on each pair or response", f"{snapshot.votes}"),
        ("counted", counted),
    ]
    if counted == "verdicts":
        facts.append(("verdict", f"{policy.use} of {policy.min_votes or 'all votes asked for'}"))
    return Source(
        name=snapshot.name,
        voters="people",
        votes=_people_votes(snapshot, counted) if compares else VOTES.schema.empty_table(),
        rated=RATED.schema.empty_table() if compares else _people_ratings(snapshot, counted),
        facts=tuple(facts),
        sampling=sampling,
        steps=steps,
        counted=counted,
        undecided=_undecided(snapshot) if counted == "verdicts" else 0,
    )


def _undecided(snapshot: Snapshot) -> int:
    """Votes on responses and pairs that have too few votes for a verdict."""
    unresolved = resolve(snapshot).unresolved
    few = unresolved.filter(pc.equal(unresolved["reason"], "too_few_votes"))["pair_id"]
    return pc.sum(pc.is_in(snapshot.judgments["pair_id"], value_set=few.combine_chunks())).as_py() or 0


def _people_votes(snapshot: Snapshot, counted: Counted) -> pa.Table:
    rows = comparisons(snapshot, counted)
    place = pc.index_in(rows["pair_id"], value_set=snapshot.pairs["pair_id"].combine_chunks())
    first = snapshot.pairs["first_model"].take(place)
    turned = pc.not_equal(first, rows["model_a"])
    longer = longer_first(snapshot.pairs).take(place)
    columns = {
        "pair_id": pc.if_else(pc.equal(rows["pair_id"], ""), None, rows["pair_id"]),
        "prompt_id": rows["prompt"],
        "item": pa.chunked_array([items(snapshot.pairs)]).take(place),
        "rater": pc.fill_null(rows["rater"], "nobody"),
        **{name: rows[name] for name in ("turns", *FACTS[:-1], "outcome")},
        "model": rows["model_a"],
        "opponent": rows["model_b"],
        "shown_first": pc.xor(pc.invert(rows["swapped"]), turned),
        "longer": pc.if_else(turned, pc.negate(longer), longer),
    }
    return sort_votes(votes_table(snapshot.name, "people", columns))


def _people_ratings(snapshot: Snapshot, counted: Counted) -> pa.Table:
    rows = ratings(snapshot, counted)
    said = pc.if_else(rows["violation"], "violation", "no_violation")
    columns = {
        "source": pa.array([snapshot.name] * len(rows), pa.string()),
        "prompt_id": rows["prompt"],
        "rater": pc.fill_null(rows["rater"], "nobody"),
        "harmless": pc.fill_null(rows["harmless"], False),
        "outcome": pc.fill_null(said, "missing"),
        "refusal": pc.fill_null(rows["refusal"], "missing"),
        **{name: rows[name] for name in ("pair_id", "turns", *FACTS[:-1], "model", "rating")},
    }
    keys = ("model", "prompt_id", "pair_id", "rater")
    return checked(RATED, columns).sort_by([(key, "ascending") for key in keys])


def of_verdicts(name: str, manifest: VerdictsManifest, tables: JudgeTables) -> Source:
    """The verdicts of a judge, or imported ones. The model is the first of each two by name, or the one that is not
    the baseline."""
    judge, source = manifest.judge, manifest.source
    voters = "imported" if judge is None else "judge"
    facts = [] if judge is None else list(_judge_facts(judge, alone=tables.grades is not None))
    if source.campaign is not None:
        facts.append(("pairs of", f"campaign {source.campaign}, revision {source.revision}"))
    facts += [("file", f"{file}, SHA-256 {digest}") for file, digest in sorted(source.files.items())]
    return Source(
        name=name,
        voters=voters,
        votes=_verdict_votes(name, voters, tables, source.baseline),
        shown=_judge_answers(name, tables, source.baseline),
        facts=tuple(facts),
        files=frozenset(source.files.values()),
        orders=None if judge is None or tables.grades is not None else judge.orders,
        counted="verdicts",
        **_grades(name, judge, tables),
    )


def _grades(name: str, judge: JudgeEntry | None, tables: JudgeTables) -> dict[str, Any]:
    """The fields of a Source that hold a judge's grades."""
    if judge is None or tables.grades is None:
        return {}
    form = from_json(VerdictForm, judge.template["verdict"], "the judge's template")
    rows = grade_rows(tables)
    columns = {
        **{column: rows[column] for column in rows.column_names},
        "source": pa.array([name] * len(rows), pa.string()),
    }
    return {"graded": checked(GRADED, columns), "grades": (form.lowest, form.highest)}


def _judge_facts(judge: JudgeEntry, *, alone: bool) -> Iterable[tuple[str, str]]:
    """``alone``: the judge saw each response alone, so in no order."""
    yield "judge", judge.model
    yield "template", f"{judge.template.get('name', '')}, SHA-256 {judge.template_sha256}"
    if not alone:
        yield "orders", judge.orders if judge.orders != "random" else f"random, seed {judge.seed}"
    yield "answered by", ", ".join(f"{model} ({count:,})" for model, count in judge.answered_by.items())


def _verdict_votes(name: str, voters: str, tables: JudgeTables, baseline: str | None) -> pa.Table:
    rows = tables.verdicts
    columns = {
        **{column: rows[column] for column in ("pair_id", "prompt_id", "category", "inconsistent")},
        "item": items(rows),
        "turns": turns(rows["prompt"]),
        "rater": pc.fill_null(rows["rater"], voters),
        **directed(
            rows["first_model"],
            rows["second_model"],
            renamed(rows["outcome"], OF_FIRST),
            baseline,
            seen_first=_seen_first(tables),
            longer=longer_first(rows),
            preference=rows["preference"],
        ),
    }
    silent = pa.Table.from_pylist([dict(zip(_MISSING.names, each, strict=True)) for each in tables.missing], _MISSING)
    place = pc.index_in(silent["prompt_id"], value_set=rows["prompt_id"].combine_chunks())
    named = pc.index_in(silent["prompt_id"], value_set=tables.unanswered["prompt_id"].combine_chunks())
    missing = {
        "prompt_id": silent["prompt_id"],
        **{
            column: pc.coalesce(tables.unanswered[column].take(named), columns[column].take(place))
            for column in ("category", "turns")
        },
        **directed(silent["first"], silent["second"], pa.chunked_array([pa.repeat("missing", len(silent))]), baseline),
    }
    return sort_votes(pa.concat_tables([votes_table(name, voters, part) for part in (columns, missing)]))


def _seen_first(tables: JudgeTables) -> pa.ChunkedArray:
    """Whether the judge saw the first response of each pair first; null for pairs without a single order."""
    if tables.answers is None:
        return pa.chunked_array([pa.nulls(len(tables.verdicts), pa.bool_())])
    orders = tables.answers.group_by("pair_id", use_threads=False).aggregate([("swapped", "min"), ("swapped", "max")])
    orders = orders.filter(pc.equal(orders["swapped_min"], orders["swapped_max"]))
    place = pc.index_in(tables.verdicts["pair_id"], value_set=orders["pair_id"].combine_chunks())
    return pc.invert(orders["swapped_min"].take(place))


def _judge_answers(name: str, tables: JudgeTables, baseline: str | None) -> pa.Table:
    if tables.answers is None:
        return SHOWN.schema.empty_table()
    pairs = tables.verdicts.select(["pair_id", "prompt_id", "first_model", "second_model"])
    known = tables.answers.filter(pc.is_valid(tables.answers["swapped"]))
    rows = known.select(["pair_id", "swapped", "outcome"]).join(pairs, "pair_id", use_threads=False)
    seen_first = pc.if_else(pc.xor(pc.equal(rows["outcome"], "first"), rows["swapped"]), "shown_first", "shown_second")
    decided = pc.is_in(rows["outcome"], value_set=pa.array(["first", "second"]))
    columns = {
        **{column: rows[column] for column in ("pair_id", "prompt_id", "swapped")},
        **directed(rows["first_model"], rows["second_model"], rows["outcome"], baseline),
        "source": pa.array([name] * len(rows)),
        "outcome": pc.if_else(decided, seen_first, rows["outcome"]),
    }
    keys = ("prompt_id", "model", "opponent", "pair_id", "swapped")
    return checked(SHOWN, columns).sort_by([(key, "ascending") for key in keys])
