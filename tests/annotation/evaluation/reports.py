"""Sources of reports, made from outcomes in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotation.evaluation.judging import Verdict
from annotation.evaluation.manifest import VerdictsManifest
from annotation.evaluation.pairs import Pair, Pairs
from annotation.evaluation.sources import Source, of_verdicts
from annotation.evaluation.tables import tables_of
from schemas.records import from_json

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
            Pair(f"{n:032x}", f"p{n:04}", (categories or {}).get(n), (("user", "?"),), *models, "a", "b"),
            "tie" if outcome == "inconsistent" else outcome,
            outcome == "inconsistent",
            (),
        )
        for n, outcome in enumerate(said)
    ]
    tables = tables_of(verdicts, Pairs([], [models], unanswered))
    manifest = {
        "format": "gristmill.verdicts",
        "version": 1,
        "files": {},
        "tables": {},
        "judge": {**JUDGE, "orders": "both", "answered_by": {"judge-1": len(said)}},
        "source": {"files": {}, "compared": [list(models)], **source},
        "ledger": {
            **dict.fromkeys(("pairs", "inconsistent", "questions", "unanswered"), 0),
            **dict.fromkeys(("prompt_tokens", "completion_tokens"), 0),
            "outcomes": {},
        },
    }
    return of_verdicts(name, from_json(VerdictsManifest, manifest, "manifest.json"), tables)
