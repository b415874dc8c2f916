"""Sources of reports, made from outcomes in words."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from annotation.evaluation.judging import Verdict
from annotation.evaluation.manifest import VerdictsManifest
from annotation.evaluation.pairs import Pair, Pairs
from annotation.evaluation.sampling import Sampling
from annotation.evaluation.sources import Source, of_verdicts
from annotation.evaluation.tables import tables_of, turns
from annotation.evaluation.votes import items, sort_votes, votes_table
from schemas.evaluation import RATED, VOTES
from schemas.preference import MESSAGES as DIALOGUE
from schemas.records import from_json

MESSAGES = (("user", "?"),)
JUDGE = {"model": "judge-1", "parameters": {}, "template": {"name": "pairwise"}, "template_sha256": "00", "seed": 0}


def judged(
    said: Sequence[Any],
    models: tuple[str, str] = ("alpha", "beta"),
    name: str = "judged",
    unanswered: Sequence[tuple[str, str]] = (),
    categories: Mapping[int, str] | None = None,
    **source: Any,
) -> Source:
    """A judge's verdicts on as many prompts, ``inconsistent`` being a tie; ``source`` are fields of SourceEntry."""
    verdicts = [
        Verdict(
            Pair(f"{n:032x}", f"p{n:04}", (categories or {}).get(n), MESSAGES, *models, f"a{n}", f"b{n}"),
            "tie" if outcome == "inconsistent" else outcome,
            outcome == "inconsistent",
            (),
        )
        for n, outcome in enumerate(said)
    ]
    tables = tables_of(verdicts, Pairs([], [models], unanswered))
    return of_verdicts(name, manifest_of(models, len(said), **source), tables)


def manifest_of(models: tuple[str, str] = ("alpha", "beta"), answers: int = 0, **source: Any) -> VerdictsManifest:
    """The manifest of a judge's verdicts, without counts; ``source`` are fields of SourceEntry."""
    manifest = {
        "format": "gristmill.verdicts",
        "version": 1,
        "files": {},
        "tables": {},
        "judge": {**JUDGE, "orders": "both", "answered_by": {"judge-1": answers}},
        "source": {"files": {}, "compared": [list(models)], **source},
        "ledger": {
            **dict.fromkeys(("pairs", "inconsistent", "questions", "unanswered"), 0),
            **dict.fromkeys(("prompt_tokens", "completion_tokens"), 0),
            "outcomes": {},
        },
    }
    return from_json(VerdictsManifest, manifest, "manifest.json")


def voted(
    votes: Mapping[str, Sequence[str | None]],
    models: tuple[str, str] = ("alpha", "beta"),
    name: str = "mill",
    sampling: Sampling | None = None,
) -> Source:
    """The votes of people, by rater, on the pairs of `judged`: win, tie or loss of the first model, or None."""
    rows = [(rater, n, outcome) for rater, said in votes.items() for n, outcome in enumerate(said) if outcome]
    texts = {"prompt": pa.array([turns(MESSAGES)] * len(rows), DIALOGUE)}
    texts |= {side: pa.array([f"{side[0]}{n}" for _, n, _ in rows], pa.string()) for side in ("a", "b")}
    texts = {"prompt": texts["prompt"], "first": texts["a"], "second": texts["b"]}
    columns = {
        "rater": pa.array([rater for rater, _, _ in rows], pa.string()),
        "pair_id": pa.array([f"pair {n}" for _, n, _ in rows], pa.string()),
        "prompt_id": pa.array([f"p{n:04}" for _, n, _ in rows], pa.string()),
        "item": items(pa.table(texts)),
        "model": pa.array([models[0]] * len(rows), pa.string()),
        "opponent": pa.array([models[1]] * len(rows), pa.string()),
        "outcome": pa.array([outcome for _, _, outcome in rows], pa.string()),
    }
    return Source(
        name=name, voters="people", facts=(), votes=sort_votes(votes_table(name, "people", columns)), sampling=sampling
    )


def sampled(source: Source, flaw: str | None = None) -> Sampling:
    """A sampling from all pairs of a source."""
    return Sampling(frozenset(source.votes["item"].drop_null().to_pylist()), flaw)


def rated(ratings: Mapping[str, Sequence[float | None]], name: str = "safety") -> Source:
    """Safety ratings by one person, by model, of prompts that are not harmless; None for none."""
    rows = [
        {
            "source": name,
            "rater": "a",
            "prompt_id": f"p{n:04}",
            "harmless": False,
            "model": model,
            "rating": rating,
            "outcome": "missing" if rating is None else "violation" if rating <= 2 else "no_violation",
            "refusal": "none",
        }
        for model, own in sorted(ratings.items())
        for n, rating in enumerate(own)
    ]
    none = VOTES.schema.empty_table()
    return Source(name=name, voters="people", facts=(), votes=none, rated=pa.Table.from_pylist(rows, RATED.schema))
