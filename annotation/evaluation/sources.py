"""The sources of a report: votes of people and verdicts of judges, in one form."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from annotation.evaluation import folder as verdicts
from annotation.evaluation.manifest import JudgeEntry, VerdictsManifest
from annotation.evaluation.tables import JudgeTables
from annotation.journal.journal import STORE
from annotation.judgments.snapshot import Snapshot
from annotation.judgments.snapshot import load as load_campaign
from annotation.statistics.outcomes import OUTCOMES, Outcomes
from schemas.errors import UserError
from schemas.evaluation import SHOWN, VOTES
from schemas.table import Table

_OF_FIRST = {"first": "win", "second": "loss"}
_MIRRORED = {"win": "loss", "loss": "win"}
_MISSING = pa.schema([(name, pa.string()) for name in ("prompt_id", "first", "second", "outcome")])


@dataclass(frozen=True, kw_only=True)
class Source:
    """Votes by people or verdicts of a judge. ``facts`` are (name, value) of how they were made, without any place on
    this machine. ``orders`` are those in which a judge was asked."""

    name: str
    voters: str
    votes: pa.Table
    facts: tuple[tuple[str, str], ...]
    shown: pa.Table = field(default_factory=SHOWN.schema.empty_table)
    campaign: str | None = None
    orders: str | None = None


def read_sources(paths: Sequence[Path]) -> list[Source]:
    """The sources at these paths, in their order. Raises UserError for a path that is none, or two of one name."""
    found = [_read(path) for path in paths]
    names = [source.name for source in found]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"two sources have the name {name!r}: give each source once, or rename one of the folders")
    return found


def _read(path: Path) -> Source:
    if (path / STORE).exists():
        return of_people(load_campaign(path))
    return of_verdicts(path.resolve().name, *verdicts.load(path))


def of_people(snapshot: Snapshot) -> Source:
    """The votes of a campaign that count, without gold pairs and adjudicating votes."""
    pairs = snapshot.pairs.filter(pc.is_null(snapshot.pairs["gold"]))
    pairs = pairs.select(["pair_id", "prompt_id", "first_model", "second_model"])
    rows = snapshot.judgments.filter(pc.equal(snapshot.judgments["round"], "vote"))
    rows = rows.select(["uid", "pair_id", "annotator", "prefers", "degree"]).join(pairs, "pair_id", join_type="inner")
    first, second = (pc.fill_null(rows[column], "") for column in ("first_model", "second_model"))
    columns = {
        **{column: rows[column] for column in ("pair_id", "prompt_id", "degree")},
        "vote": rows["uid"],
        "rater": rows["annotator"],
        **directed(first, second, renamed(rows["prefers"], _OF_FIRST)),
    }
    return Source(
        name=snapshot.name,
        voters="people",
        votes=sort_votes(votes_table(snapshot.name, "people", columns)),
        facts=(
            ("campaign", f"{snapshot.name}, revision {snapshot.revision}"),
            ("protocol", f"{snapshot.protocol} {snapshot.protocol_version}"),
            ("votes asked for on each pair", f"{snapshot.votes}"),
        ),
        campaign=snapshot.name,
    )


def of_verdicts(name: str, manifest: VerdictsManifest, tables: JudgeTables) -> Source:
    """The verdicts of a judge, or imported ones. The model is the first of each two by name, or the one that is not
    the baseline."""
    judge, source = manifest.judge, manifest.source
    voters = "imported" if judge is None else "judge"
    facts = [] if judge is None else list(_judge_facts(judge))
    if source.campaign is not None:
        facts.append(("pairs of", f"campaign {source.campaign}, revision {source.revision}"))
    facts += [("file", f"{file}, SHA-256 {digest}") for file, digest in sorted(source.files.items())]
    return Source(
        name=name,
        voters=voters,
        votes=_verdict_votes(name, voters, tables, source.baseline),
        shown=_judge_answers(name, tables, source.baseline),
        facts=tuple(facts),
        campaign=source.campaign,
        orders=None if judge is None else judge.orders,
    )


def _judge_facts(judge: JudgeEntry) -> Iterable[tuple[str, str]]:
    yield "judge", judge.model
    yield "template", f"{judge.template.get('name', '')}, SHA-256 {judge.template_sha256}"
    yield "orders", judge.orders if judge.orders != "random" else f"random, seed {judge.seed}"
    yield "answered by", ", ".join(f"{model} ({count:,})" for model, count in judge.answered_by.items())


def _verdict_votes(name: str, voters: str, tables: JudgeTables, baseline: str | None) -> pa.Table:
    rows = tables.verdicts
    outcome = renamed(rows["outcome"], _OF_FIRST)
    columns = {
        **{column: rows[column] for column in ("pair_id", "prompt_id", "category", "inconsistent")},
        "rater": pc.fill_null(rows["rater"], voters),
        **directed(rows["first_model"], rows["second_model"], outcome, baseline),
    }
    silent = pa.Table.from_pylist(list(_missing(tables)), _MISSING)
    place = pc.index_in(silent["prompt_id"], value_set=rows["prompt_id"].combine_chunks())
    missing = {
        "prompt_id": silent["prompt_id"],
        "category": rows["category"].take(place),
        **directed(silent["first"], silent["second"], silent["outcome"], baseline),
    }
    return sort_votes(pa.concat_tables([votes_table(name, voters, part) for part in (columns, missing)]))


def _missing(tables: JudgeTables) -> Iterable[dict[str, str]]:
    """A row for each prompt that at least one of two compared models did not answer."""
    silent: dict[str, set[str]] = {}
    for row in tables.unanswered.to_pylist():
        silent.setdefault(row["model"], set()).add(row["prompt_id"])
    for first, second in tables.compared:
        for prompt_id in silent.get(first, set()) | silent.get(second, set()):
            yield {"prompt_id": prompt_id, "first": first, "second": second, "outcome": "missing"}


def _judge_answers(name: str, tables: JudgeTables, baseline: str | None) -> pa.Table:
    if tables.answers is None:
        return SHOWN.schema.empty_table()
    pairs = tables.verdicts.select(["pair_id", "prompt_id", "first_model", "second_model"])
    rows = tables.answers.select(["pair_id", "swapped", "outcome"]).join(pairs, "pair_id", use_threads=False)
    seen_first = pc.if_else(pc.xor(pc.equal(rows["outcome"], "first"), rows["swapped"]), "shown_first", "shown_second")
    decided = pc.is_in(rows["outcome"], value_set=pa.array(["first", "second"]))
    columns = {
        **{column: rows[column] for column in ("pair_id", "prompt_id", "swapped")},
        **directed(rows["first_model"], rows["second_model"], rows["outcome"], baseline),
        "source": pa.array([name] * len(rows)),
        "outcome": pc.if_else(decided, seen_first, rows["outcome"]),
    }
    keys = ("prompt_id", "model", "opponent", "pair_id", "swapped")
    return _table(SHOWN, columns).sort_by([(key, "ascending") for key in keys])


def directed(
    first: pa.ChunkedArray, second: pa.ChunkedArray, outcome: pa.ChunkedArray, baseline: str | None = None
) -> dict[str, pa.ChunkedArray]:
    """The columns model, opponent and outcome of votes about the first model: a baseline is always the opponent,
    otherwise the model is the first of the two by name."""
    turn = pc.greater(first, second)
    if baseline is not None:
        turn = pc.or_(pc.equal(first, baseline), pc.and_(turn, pc.not_equal(second, baseline)))
    return {
        "model": pc.if_else(turn, second, first),
        "opponent": pc.if_else(turn, first, second),
        "outcome": pc.if_else(turn, renamed(outcome, _MIRRORED), outcome),
    }


def renamed(column: pa.ChunkedArray, names: dict[str, str]) -> pa.ChunkedArray:
    """The column with some of its values replaced."""
    place = pc.index_in(column, value_set=pa.array(list(names)))
    return pc.coalesce(pa.chunked_array([pa.array(list(names.values()), pa.string())]).take(place), column)


def votes_table(source: str, voters: str, columns: dict[str, pa.ChunkedArray]) -> pa.Table:
    """Rows of VOTES from the columns that differ between votes; the rater is the voters unless given."""
    rows = len(next(iter(columns.values())))
    fixed = {"source": pa.array([source] * rows, pa.string()), "voters": pa.array([voters] * rows, pa.string())}
    rater = {"rater": pa.array([voters] * rows, pa.string())}
    inconsistent = {"inconsistent": pa.array([False] * rows)}
    return _table(VOTES, {**rater, **inconsistent, **columns, **fixed})


def sort_votes(votes: pa.Table) -> pa.Table:
    keys = ("source", "prompt_id", "model", "opponent", "pair_id", "rater", "vote")
    return votes.sort_by([(key, "ascending") for key in keys]).combine_chunks()


def _table(kind: Table, columns: dict[str, pa.ChunkedArray]) -> pa.Table:
    whole = {
        name: column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        for name, column in columns.items()
    }
    batch = kind.batch(whole, len(next(iter(whole.values()))))
    kind.check(batch)
    return pa.Table.from_batches([batch])


def outcomes_of(votes: pa.Table) -> Outcomes:
    """Votes as outcomes; model A is the model, model B the opponent."""
    prompts, prompt = _coded(votes["prompt_id"])
    raters, rater = _coded(pc.binary_join_element_wise(votes["source"], votes["rater"], "/"))
    models, model = _coded(pa.chunked_array([*votes["model"].chunks, *votes["opponent"].chunks], pa.string()))
    outcome = pc.index_in(votes["outcome"], value_set=pa.array(OUTCOMES)).to_numpy().astype(np.int8)
    return Outcomes(prompt, rater, model[: len(votes)], model[len(votes) :], outcome, prompts, raters, models)


def _coded(column: pa.ChunkedArray) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    distinct = pc.unique(column).sort()
    return tuple(distinct.to_pylist()), pc.index_in(column, value_set=distinct).to_numpy().astype(np.int64)
