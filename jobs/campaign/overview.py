"""A campaign's state as flat rows, for programs, spreadsheets and the report; the same for the same journal."""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow.compute as pc

from annotation.dataset.wordings import count_wordings
from annotation.judgments.resolve import FAILURES, resolve
from annotation.judgments.snapshot import Snapshot
from annotation.quality import Assessment, assess
from annotation.quality.agreement import Estimate
from annotation.quality.reports import reports
from jobs.campaign.attention import Item, Refused, items, quarantine
from schemas import DEGREES
from schemas.visible import visible_json

FORMAT = 1
"""Increases when a name of the JSON object changes or goes; new names may come at any time."""


@dataclass(frozen=True)
class Annotator:
    """Tasks by state, then what was measured of the votes; None where there is too little to measure.

    ``agreement`` is AC1 with the other annotators on ``agreement_pairs`` pairs, with its 95% interval. ``seconds_low``
    and ``seconds_high`` are the quartiles of the seconds a pair; ``hasty`` votes of ``timed`` came faster than anybody
    can read. ``left`` of ``votes`` chose the left side, with the p-value of the exact binomial test. ``last_vote`` is a
    time in UTC.
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
    """A campaign at a revision of its journal. ``remarks`` holds comments and reported problems."""

    snapshot: Snapshot
    assessment: Assessment
    annotators: list[Annotator]
    batches: list[Batch]
    remarks: list[Remark]
    attention: tuple[Item, ...]
    quarantine: list[Refused]
    verdicts: Mapping[str, int]
    unresolved: Mapping[str, int]

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
        snapshot=snapshot,
        assessment=found,
        annotators=_annotators(snapshot, found, shown),
        batches=_batches(found),
        remarks=remarks,
        attention=items(snapshot, found, shown, folder, names=names),
        quarantine=quarantine(snapshot, shown, names=names),
        verdicts={name: degrees[name] for name in DEGREES},
        unresolved={name: reasons[name] for name in FAILURES},
    )


def as_json(of: Overview) -> str:
    """One JSON object, with a line feed at its end; jobs/campaign/README.md explains its names."""
    snapshot, found = of.snapshot, of.assessment
    tasks: Counter[str] = Counter()
    for counts in found.progress.by_batch.values():
        tasks.update(counts)
    gold = int(snapshot.pairs["gold"].is_valid().to_numpy().sum())
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
        "pairs": len(snapshot.pairs) - gold,
        "gold_pairs": gold,
        "tasks": tasks,
        "agreement": {"overall": dataclasses.asdict(found.agreements.overall), **groups},
        "left_side": {"left": left.left.count, "votes": left.left.total, "p": left.p},
        "verdicts": of.verdicts,
        "unresolved": of.unresolved,
        "annotators": of.annotators,
        "batches": of.batches,
        "attention": of.attention,
        "comments": of.comments,
        "reports": of.reports,
        "quarantine": of.quarantine,
        "guidelines": _guidelines(snapshot),
        "before_provenance": snapshot.before_provenance,
    }
    return visible_json(orjson.dumps(made, option=orjson.OPT_INDENT_2).decode()) + "\n"


def _guidelines(snapshot: Snapshot) -> list[dict[str, Any]]:
    """The wordings of the guidelines of each batch that has several, and its votes by (first, last) wording."""
    return [
        {
            "batch": batch,
            "sha256": digests,
            "votes": [
                {"first_wording": first, "last_wording": last, "votes": votes}
                for (first, last), votes in sorted(count_wordings(snapshot.wordings, batch).items())
            ],
        }
        for batch, digests in sorted(snapshot.guidelines.items())
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
