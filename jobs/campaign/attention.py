"""What needs a data lead's attention, each item as a sentence with what to do."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from annotation.dataset import markdown
from annotation.journal.places import Place
from annotation.judgments.findings import LOST
from annotation.judgments.findings import link as task_link
from annotation.judgments.snapshot import Snapshot
from annotation.quality import Assessment, Concern
from annotation.quality.agreement import Estimate
from annotation.quality.drift import Change
from annotation.quality.stalls import Waiting
from annotation.statistics.shares import Share

_WITHDRAW = "gristmill campaign withdraw {folder} {email} stops counting the votes"
_TO_DO = {
    "too_fast": f"Ask the person to read both responses; {_WITHDRAW}.",
    "always_one_side": f"Ask the person how they decide; {_WITHDRAW}.",
    "leans": f"Ask the person how they decide; {_WITHDRAW}.",
    "often_wrong": f"Go through the guidelines with the person; {_WITHDRAW}.",
    "negative_agreement": f"Ask the person whether they read the scale the wrong way round; {_WITHDRAW}.",
    "low_agreement": f"Go through some disputed pairs with the person; {_WITHDRAW}.",
    "agreement_drift": "Ask the person, and look at what was new in this batch.",
    "side_drift": "Ask the person how they decide in this batch.",
    "stopped": "gristmill campaign reassign {folder} --from {email} gives the open tasks to others.",
}
"""What to do about each rule of `Rules`."""
_REPAIR = "gristmill campaign push {folder} repairs labels, instructions, settings and descriptions."
_COMPLETE = "gristmill campaign push {folder} completes it."


@dataclass(frozen=True)
class Item:
    """Something that needs attention.

    ``kind`` is a rule of `Rules`, ``skipped``, or the kind of a finding. ``annotator`` is a pseudonym, empty if the
    item is about nobody in particular; ``email``, ``help`` and ``link`` may be empty.
    """

    kind: str
    annotator: str
    email: str
    batch: str
    message: str
    help: str = ""
    link: str = ""


@dataclass(frozen=True)
class Refused:
    """An annotation in quarantine. ``annotator`` is the pseudonym of its author, empty for an account of nobody in the
    campaign; ``email`` is the author's address, as far as it is known and may be shown."""

    annotation: str
    annotator: str
    email: str
    reason: str
    message: str
    link: str


def items(
    snapshot: Snapshot, found: Assessment, emails: Mapping[str, str], folder: str, *, names: bool = True
) -> tuple[Item, ...]:
    """All but quarantine and reports: what annotators do, then stuck pairs, then what was changed in Label Studio.

    ``emails`` gives the address of each pseudonym. Without ``names`` no message holds the address of anybody else.
    """
    folder = shlex.quote(folder)
    listed = [
        Item(
            concern.rule,
            concern.annotator,
            emails.get(concern.annotator, ""),
            concern.measure.batch if isinstance(concern.measure, Change) else "",
            _sentence(concern),
            _TO_DO[concern.rule].format(folder=folder, email=_argument(concern.annotator, emails, names)),
        )
        for concern in found.concerns
    ]
    if found.stuck.pairs:
        pairs = markdown.count(len(found.stuck.pairs), "pair")
        who = ", ".join(f"{name} {skips:,}" for name, skips in found.stuck.skipped_by.items())
        message = f"{pairs} can no longer get the votes that a verdict needs, because of skips ({who})"
        help_ = f"gristmill campaign reassign {folder} --skipped asks annotators who were not asked yet."
        listed.append(Item("skipped", "", "", "", message, help_))
    for finding in snapshot.findings:
        batch = Place.parse(finding.place).batch if finding.place else ""
        help_ = _REPAIR if finding.kind.startswith("changed_") else _COMPLETE if finding.kind == "waiting" else ""
        help_ = help_.format(folder=folder)
        message = finding.message if names or finding.kind not in LOST else LOST[finding.kind].format(by="somebody")
        email = emails.get(finding.annotator, "")
        listed.append(Item(finding.kind, finding.annotator, email, batch, message, help_, finding.link))
    return tuple(listed)


def _argument(annotator: str, emails: Mapping[str, str], names: bool) -> str:
    """What names a person in a command: the address, or the pseudonym if the address was erased."""
    return shlex.quote(emails.get(annotator, annotator)) if names else "EMAIL"


def quarantine(snapshot: Snapshot, emails: Mapping[str, str], *, names: bool = True) -> list[Refused]:
    """The annotations in quarantine, by reason. Without ``names``, no account of a stranger is named."""
    rows = snapshot.refused.sort_by([("reason", "ascending"), ("annotation", "ascending")]).to_pylist()
    return [_refused(row, snapshot.server, emails, names) for row in rows]


def _refused(row: Mapping[str, Any], server: str, emails: Mapping[str, str], names: bool) -> Refused:
    raw = orjson.loads(row["raw"])
    stranger = (raw["author"] if names else None) or ""
    email = emails.get(row["annotator"], "") if row["annotator"] else stranger
    link = task_link(server, raw["project"], raw["task"]) if server else ""
    return Refused(row["annotation"], row["annotator"] or "", email, row["reason"], row["message"], link)


def _sentence(concern: Concern) -> str:
    measure = concern.measure
    if isinstance(measure, Share):
        return _share_sentence(concern.rule, measure)
    if isinstance(measure, Estimate):
        pairs = markdown.count(measure.units, "pair")
        how = (
            "prefers the opposite of the others"
            if concern.rule == "negative_agreement"
            else "agrees little with the others"
        )
        return f"{how}: AC1 {measure.value:.2f} ({measure.low:.2f} to {measure.high:.2f}) on {pairs}"
    if isinstance(measure, Change):
        agreement = concern.rule == "agreement_drift"
        what, unit = ("agrees with most others", "pairs") if agreement else ("chooses the left side", "votes")
        latest, before = (f"{share.value:.0%} of {share.total:,}" for share in (measure.latest, measure.before))
        test = f"Fisher's exact test, {p_value(measure.p)}"
        return f"{what} on {latest} {unit} in {measure.batch}, on {before} before ({test})"
    return _stopped_sentence(measure)


def _share_sentence(rule: str, share: Share) -> str:
    count, total = share.count, share.total
    side = "left" if 2 * count >= total else "right"
    most = f"{max(count, total - count):,} of {total:,} votes"
    sentences = {
        "too_fast": f"{count:,} of {total:,} votes came faster than anybody can read",
        "always_one_side": f"nearly always the {side} side: {most}",
        "leans": f"leans to the {side} side, more than chance explains: {most}",
        "often_wrong": f"right on only {count:,} of {total:,} gold pairs",
    }
    return sentences[rule]


def _stopped_sentence(waiting: Waiting) -> str:
    tasks, votes = markdown.count(waiting.open, "open task"), markdown.count(waiting.others, "vote")
    if waiting.last is None:
        return f"has not begun, with {tasks}; others gave {votes} in {waiting.days:.1f} days"
    return (
        f"last voted on {waiting.last:%Y-%m-%d}, with {tasks}; others gave {votes} in the {waiting.days:.1f} days since"
    )


def earlier_version(batches: Sequence[str]) -> str:
    """What is said of batches that were pushed before pushes noted what they made.

    >>> earlier_version(["b1"])
    'b1 was pushed by an earlier version, so the origin of its votes cannot be checked; all count.'
    """
    was, its = ("was", "its") if len(batches) == 1 else ("were", "their")
    origin = f"the origin of {its} votes cannot be checked"
    return f"{', '.join(batches)} {was} pushed by an earlier version, so {origin}; all count."


def p_value(p: float) -> str:
    """A p-value in its usual notation.

    >>> p_value(0.04321), p_value(0.00321), p_value(1e-9)
    ('p 0.04', 'p 0.003', 'p < 0.001')
    """
    if p < 0.001:
        return "p < 0.001"
    return f"p {p:.3f}" if p < 0.01 else f"p {p:.2f}"
