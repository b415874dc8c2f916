"""A campaign's state as flat rows, for programs, spreadsheets and the report; the same for the same journal."""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow.compute as pc

from annotation.evaluation.decisions import Question, decisions
from annotation.judgments.resolve import FAILURES, resolve
from annotation.judgments.snapshot import Snapshot
from annotation.protocols import PROTOCOLS
from annotation.protocols.scale import Scale
from annotation.quality import Agreement, Assessment, assess
from annotation.quality.agreement import Estimate
from annotation.quality.progress import STATES
from annotation.quality.reports import count_problems, reports
from jobs.campaign.attention import Item, Refused, items, quarantine
from jobs.campaign.wordings import Wording, wordings
from schemas.visible import visible_json

FORMAT = 1
"""Increases when a name of the JSON object changes or goes; new names may come at any time."""


@dataclass(frozen=True)
class Annotator:
    """Tasks by state, then what was measured of the votes; None where there is too little to measure.

    ``agreement`` is AC1 with the other annotators on ``agreement_pairs`` pairs, with its 95% interval. ``seconds_low``
    and ``seconds_high`` are the quartiles of the seconds a pair; ``hasty`` votes of ``timed`` came faster than anybody
    can read. ``left`` of ``votes`` that prefer a side chose the left side, with the p-value of the exact binomial test.
    ``last_vote`` is a time in UTC.
    """

    annotator: str
    email: str
    done: int
    open: int
    skipped: int
    refused: int
    withdrawn: int
    agreement: float | None
    agreement_low: float | None
    agreement_high: float | None
    agreement_pairs: int
    seconds_low: float | None
    seconds_median: float | None
    seconds_high: float | None
    hasty: int
    timed: int
    left: int
    votes: int
    left_p: float
    gold_right: int
    gold_votes: int
    last_vote: str | None


@dataclass(frozen=True)
class Batch:
    """Tasks by state; ``agreement`` is AC1 of all annotators on which response is better, on ``agreement_pairs``."""

    batch: str
    done: int
    open: int
    skipped: int
    refused: int
    withdrawn: int
    agreement: float | None
    agreement_low: float | None
    agreement_high: float | None
    agreement_pairs: int
    left: int
    votes: int
    left_p: float


@dataclass(frozen=True)
class Remark:
    """What an annotator said about a task: a problem (``reason``), a comment, or both, with a vote or a skip."""

    batch: str
    pair_id: str
    round: str
    annotator: str
    email: str
    skipped: bool
    reason: str | None
    comment: str | None
    link: str | None


@dataclass(frozen=True)
class Overview:
    """A campaign at a revision of its journal. ``folder`` stands in commands that help; ``remarks`` holds comments and
    reported problems."""

    folder: str
    snapshot: Snapshot
    assessment: Assessment
    annotators: list[Annotator]
    batches: list[Batch]
    remarks: list[Remark]
    attention: tuple[Item, ...]
    quarantine: list[Refused]
    verdicts: Mapping[str, int]
    unresolved: Mapping[str, int]
    wordings: list[Wording]
    decisions: list[Question]

    @property
    def gold_pairs(self) -> int:
        return int(self.snapshot.pairs["gold"].is_valid().to_numpy().sum())

    @property
    def pairs(self) -> int:
        """The number of pairs that are not gold pairs."""
        return len(self.snapshot.pairs) - self.gold_pairs

    @property
    def tasks(self) -> dict[str, int]:
        """The number of tasks in each of STATES."""
        return {state: sum(getattr(batch, state) for batch in self.batches) for state in STATES}

    @property
    def due(self) -> int:
        """The number of tasks that are done or may still be: all but the withdrawn ones."""
        return sum(self.tasks.values()) - self.tasks["withdrawn"]

    @property
    def shown_states(self) -> list[str]:
        """The states that a table of tasks has a column for."""
        return [state for state, count in self.tasks.items() if count or state in ("done", "open")]

    @property
    def agreements(self) -> list[tuple[str, str, Agreement]]:
        """(group, name, agreement) of all pairs, if there is a vote, then by degree, batch and pair of models. The
        groups ``batch`` and ``models`` are left out if all pairs are in the same."""
        found = self.assessment.agreements
        groups: list[tuple[str, Mapping[str, Agreement]]] = [
            ("degree", found.by_degree),
            ("batch", found.by_batch if len(found.by_batch) > 1 else {}),
            ("models", found.by_models if len(found.by_models) > 1 else {}),
        ]
        rows = [("all", f"all {self.scale.unit}s", found.overall)] if found.overall.votes else []
        return rows + [(title, name, each) for title, group in groups for name, each in group.items()]

    @property
    def measures_safety(self) -> bool:
        return self.assessment.agreements.overall.safety.value is not None

    @property
    def scale(self) -> Scale:
        return PROTOCOLS[self.snapshot.protocol].scale

    @property
    def problems(self) -> dict[str, int]:
        """The number of reports of each problem."""
        return count_problems(self.snapshot)

    @property
    def comments(self) -> list[Remark]:
        return [remark for remark in self.remarks if remark.comment is not None]

    @property
    def reports(self) -> list[Remark]:
        return [remark for remark in self.remarks if remark.reason is not None]


def overview(snapshot: Snapshot, emails: Mapping[str, str], folder: str, *, names: bool = True) -> Overview:
    """Gathers the rows. ``emails`` gives the address of each pseudonym; without ``names`` no address is in any row."""
    shown = emails if names else {}
    found, resolution = assess(snapshot), resolve(snapshot)
    degrees = Counter(resolution.resolved["degree"].to_pylist())
    reasons = Counter(resolution.unresolved["reason"].to_pylist())
    remarks = [Remark(email=shown.get(row["annotator"], ""), **row) for row in reports(snapshot).to_pylist()]
    return Overview(
        folder=folder,
        snapshot=snapshot,
        assessment=found,
        annotators=_annotators(snapshot, found, shown),
        batches=_batches(found),
        remarks=remarks,
        attention=items(snapshot, found, shown, folder, names=names),
        quarantine=quarantine(snapshot, shown, names=names),
        verdicts={name: degrees[name] for name in PROTOCOLS[snapshot.protocol].scale.degrees},
        unresolved={name: reasons[name] for name in FAILURES},
        wordings=wordings(snapshot),
        decisions=decisions(snapshot),
    )


def as_json(of: Overview) -> str:
    """One JSON object, with a line feed at its end; jobs/campaign/README.md explains its names."""
    snapshot, found = of.snapshot, of.assessment
    left = found.leans.overall
    groups = {
        name: {key: dataclasses.asdict(each) for key, each in getattr(found.agreements, name).items()}
        for name in ("by_degree", "by_batch", "by_models")
    }
    made: dict[str, Any] = {
        "format": FORMAT,
        "campaign": snapshot.name,
        "protocol": snapshot.protocol,
        "protocol_version": snapshot.protocol_version,
        "revision": snapshot.revision,
        "pairs": of.pairs,
        "gold_pairs": of.gold_pairs,
        "tasks": of.tasks,
        "agreement": {"overall": dataclasses.asdict(found.agreements.overall), **groups},
        "left_side": {"left": left.left.count, "votes": left.left.total, "p": left.p},
        "verdicts": of.verdicts,
        "unresolved": of.unresolved,
        "decisions": of.decisions,
        "annotators": of.annotators,
        "batches": of.batches,
        "attention": of.attention,
        "comments": of.comments,
        "reports": of.reports,
        "quarantine": of.quarantine,
        "guidelines": _guidelines(of),
        "before_provenance": snapshot.before_provenance,
    }
    return visible_json(orjson.dumps(made, option=orjson.OPT_INDENT_2).decode()) + "\n"


def _guidelines(of: Overview) -> list[dict[str, Any]]:
    """The wordings of the guidelines of each batch that has several, and its votes by (first, last) wording."""
    return [
        {
            "batch": batch,
            "sha256": digests,
            "votes": [
                {"first_wording": row.first, "last_wording": row.last, "votes": row.votes}
                for row in of.wordings
                if row.batch == batch and row.votes
            ],
        }
        for batch, digests in sorted(of.snapshot.guidelines.items())
    ]


def _annotators(snapshot: Snapshot, found: Assessment, emails: Mapping[str, str]) -> list[Annotator]:
    rows = []
    last = _last_votes(snapshot)
    names = sorted(found.progress.by_annotator, key=lambda name: (len(name), name))
    for name in names:
        peer, pace = found.peers.get(name), found.paces.get(name)
        lean, gold = found.leans.by_annotator.get(name), found.accuracy.get(name)
        low, median, high = pace.quartiles if pace and pace.quartiles else (None, None, None)
        rows.append(
            Annotator(
                annotator=name,
                email=emails.get(name, ""),
                **found.progress.by_annotator[name],
                **_agreement(peer.agreement if peer else None),
                seconds_low=low,
                seconds_median=median,
                seconds_high=high,
                hasty=pace.hasty.count if pace else 0,
                timed=pace.hasty.total if pace else 0,
                left=lean.left.count if lean else 0,
                votes=lean.left.total if lean else 0,
                left_p=lean.p if lean else 1.0,
                gold_right=gold.count if gold else 0,
                gold_votes=gold.total if gold else 0,
                last_vote=last.get(name),
            )
        )
    return rows


def _batches(found: Assessment) -> list[Batch]:
    rows = []
    for name, counts in found.progress.by_batch.items():
        agreement, lean = found.agreements.by_batch.get(name), found.leans.by_batch.get(name)
        rows.append(
            Batch(
                batch=name,
                **counts,
                **_agreement(agreement.preferred if agreement else None),
                left=lean.left.count if lean else 0,
                votes=lean.left.total if lean else 0,
                left_p=lean.p if lean else 1.0,
            )
        )
    return rows


def _agreement(estimate: Estimate | None) -> dict[str, Any]:
    return {
        "agreement": estimate.value if estimate else None,
        "agreement_low": estimate.low if estimate else None,
        "agreement_high": estimate.high if estimate else None,
        "agreement_pairs": estimate.units if estimate else 0,
    }


def _last_votes(snapshot: Snapshot) -> dict[str, str]:
    votes = snapshot.judgments.filter(pc.is_valid(snapshot.judgments["submitted"]))
    last = votes.group_by("annotator").aggregate([("submitted", "max")]).to_pylist()
    return {row["annotator"]: f"{row['submitted_max']:%Y-%m-%dT%H:%M:%SZ}" for row in last}
