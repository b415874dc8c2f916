"""The data card of a finished folder, as plain values: Section 4.1 of Llama 2 (Touvron et al. 2023) for any corpus."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from curation.release.ledger import NOTHING, Amount, Ledger, add
from curation.release.manifest import Manifest
from curation.reports.card_columns import CLUSTERS, UNKNOWN
from curation.reports.card_measures import SCORE_UNITS, TOXIC, Ints, Measured
from curation.reports.card_tallies import Counted
from curation.reports.card_terms import GENDERED, KINDS, PERSONAL, Wanted
from curation.rewrites.personal import KINDS as KINDS_REPLACED
from curation.rewrites.redact import Redact
from schemas.intervals import CONFIDENCE, wilson

FORMAT = 1
LEAST_LANGUAGE = 0.00005
"""The smallest share of documents with which a language is listed (Llama 2, Table 10)."""
MOST_LISTED = 100
"""How many hosts, top-level domains and years are listed, the most frequent first."""
QUANTILES = (0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1)

Card = dict[str, Any]


def card(
    manifest: Manifest, digest: str, found: Measured, wanted: Wanted, share: float, classifier: Mapping[str, str] | None
) -> Card:
    """The card of a folder from its manifest (with the SHA-256 ``digest``) and from what was measured in the share of
    its documents.

    Each share has its count, what it is of, and the 95% interval by Wilson's method, which regards the documents as
    drawn from their source.
    """
    ledger = Ledger.of(manifest.ledger)
    tallies = found.tallies.columns()
    return {
        "format": FORMAT,
        "manifest": digest,
        "gristmill": manifest.gristmill,
        "recipe": manifest.recipe["name"],
        "measured": {"share": share, "documents": found.documents, "of": ledger.total("kept")[0]},
        "confidence": CONFIDENCE,
        "kept": _amount(ledger.total("kept")) | {"text_bytes": ledger.kept_text_bytes},
        "lengths": {name: _quantiles(*lengths) for name, lengths in found.lengths.items()},
        "languages": _languages(tallies.get("language"), found.documents),
        "sources": _sources(ledger),
        "years": _listed(tallies.get("year"), found.documents, by_value=True),
        "hosts": _listed(tallies.get("host"), found.documents),
        "top_level_domains": _listed(tallies.get("top_level_domain"), found.documents),
        "pronouns": _pronouns(found),
        "descriptors": _descriptors(found, wanted),
        "toxicity": _toxicity(found, classifier),
        "personal_information": _personal(manifest, found),
        "robots": _robots(found),
        "mining_reserved": _refused(found),
        "rights": {
            name.removeprefix("signal "): _listed(values, found.documents)
            for name, values in tallies.items()
            if name.startswith("signal ")
        },
        "removed": _removed(ledger),
        "quarantined": {error: amount[0] for error, amount in sorted(ledger.quarantined.items())},
        "near_duplicates": _clusters(tallies.get("cluster"), found.documents),
    }


def share_of(count: int, total: int) -> dict[str, Any]:
    """A share with its count and its 95% interval, both null if it is of 0 documents."""
    return {
        "documents": count,
        "of": total,
        "share": count / total if total else None,
        "interval": list(wilson(count, total)) if total else None,
    }


def _listed(values: Counted | None, total: int, by_value: bool = False) -> Card | None:
    """The most frequent values; None if no document has any."""
    if values is None:
        return None
    shown = values.most[:MOST_LISTED]
    return {
        "known": share_of(values.documents, total),
        "different": values.different,
        "listed": [{"name": name, **share_of(count, total)} for name, count in (sorted(shown) if by_value else shown)],
    }


def _languages(values: Counted | None, total: int) -> list[Card] | None:
    """Every language with a share of at least LEAST_LANGUAGE; None if no document has one."""
    if values is None or all(name == UNKNOWN for name, _ in values.most):
        return None
    return [{"name": name, **share_of(count, total)} for name, count in values.most if count >= LEAST_LANGUAGE * total]


def _quantiles(values: Ints, counts: Ints) -> Card:
    """The mean and the quantiles of lengths; each quantile is the smallest length that the share of documents has at
    most."""
    total = int(counts.sum())
    if not total:
        return {"mean": None, "quantiles": []}
    ranks = np.ceil(np.array(QUANTILES) * total).clip(1)
    places = np.searchsorted(np.cumsum(counts), ranks)
    quantiles = [{"quantile": q, "length": int(values[place])} for q, place in zip(QUANTILES, places, strict=True)]
    return {"mean": int((values * counts).sum()) / total, "quantiles": quantiles}


def _sources(ledger: Ledger) -> list[Card]:
    """What was read and kept of each source; the share is that of the kept documents."""
    total = ledger.total("kept")[0]
    return [
        {
            "name": source,
            "read": _amount(read),
            "kept": _amount(ledger.kept.get(source, NOTHING)),
            **share_of(ledger.kept.get(source, NOTHING)[0], total),
        }
        for source, read in sorted(ledger.read.items())
    ]


def _pronouns(found: Measured) -> Card:
    """As in Llama 2, Table 9: the share of documents with gendered pronouns and, among these, with each kind; so for
    grammatical persons."""
    counts = dict(zip(KINDS, found.groups.tolist(), strict=False)) if len(found.groups) else dict.fromkeys(KINDS, 0)
    return {
        "gendered": share_of(found.gendered, found.documents),
        "among_gendered": {kind: share_of(counts[kind], found.gendered) for kind in GENDERED},
        "personal": share_of(found.personal, found.documents),
        "among_personal": {kind: share_of(counts[kind], found.personal) for kind in PERSONAL},
        "words": {kind: words.split() for kind, words in {**GENDERED, **PERSONAL}.items()},
    }


def _descriptors(found: Measured, wanted: Wanted) -> Card | None:
    """As Llama 2's Table 9: the share of documents with a descriptor of each axis and, among these, with each
    descriptor that occurs; None without a file of descriptors."""
    if wanted.file is None:
        return None
    axes = []
    for group, axis in enumerate(wanted.axes, len(KINDS)):
        count = int(found.groups[group]) if len(found.groups) else 0
        own = [(wanted.names[number], int(found.terms[number])) for number in wanted.numbers(group)] if count else []
        among = sorted((each for each in own if each[1]), key=lambda each: (-each[1], each[0]))
        axes.append(
            {
                "name": axis,
                **share_of(count, found.documents),
                "descriptors": [{"name": name, **share_of(documents, count)} for name, documents in among],
            }
        )
    return {"file": wanted.file, "axes": axes}


def _toxicity(found: Measured, classifier: Mapping[str, str] | None) -> Card | None:
    """The mean over documents of the mean score of lines, and the share of documents of at least TOXIC; None without a
    classifier."""
    if classifier is None:
        return None
    return {
        "classifier": dict(classifier),
        "mean": found.score / SCORE_UNITS / found.scored if found.scored else None,
        "threshold": TOXIC,
        "toxic": share_of(found.toxic, found.scored),
    }


def _personal(manifest: Manifest, found: Measured) -> Card:
    """What the step redact found and replaced, by kind, and what was counted for the removal of sites before it; in the
    kept documents."""
    steps = [step for step in manifest.recipe["steps"] if step["use"] == Redact.use]
    asked = {kind for step in steps for kind in step.get("kinds") or ()}
    return {
        "replaced": bool(steps),
        "kinds": _counts(found, {kind: f"redacted_{kind}" for kind in KINDS_REPLACED if kind in asked}),
        "counted": _counts(found, {kind: f"personal_{kind}" for kind in KINDS_REPLACED}),
    }


def _counts(found: Measured, signals: Mapping[str, str]) -> list[Card]:
    """How often each kind was counted, and in how many documents; kinds whose signal the corpus lacks are left out."""
    return [
        {
            "name": kind,
            "count": found.signals[name, "sum"],
            **share_of(found.signals[name, "documents"], found.documents),
        }
        for kind, name in signals.items()
        if (name, "sum") in found.signals
    ]


def _robots(found: Measured) -> Card | None:
    """The share of documents that robots.txt refuses, among those whose host is listed; None if it was not asked."""
    known = found.signals["robots_refused", "known"]
    return share_of(found.signals["robots_refused", "documents"], known) if known else None


def _refused(found: Measured) -> Card | None:
    """The share of documents with text and data mining reserved, among those whose page says; None if no page says."""
    known = found.signals["tdm_reservation", "known"]
    return share_of(found.signals["tdm_reservation", "documents"], known) if known else None


def _removed(ledger: Ledger) -> list[Card]:
    """What each rule removed of all documents read, the most documents first."""
    amounts: dict[tuple[str, str], Amount] = {}
    for (_, stage, reason), amount in ledger.rejected.items():
        amounts[stage, reason] = add(amounts.get((stage, reason), NOTHING), amount)
    read = ledger.total("read")[0]
    ordered = sorted(amounts.items(), key=lambda entry: (-entry[1][0], entry[0]))
    return [
        {"stage": stage, "reason": reason, **share_of(amount[0], read), "bytes": amount[1], "words": amount[2]}
        for (stage, reason), amount in ordered
    ]


def _clusters(values: Counted | None, total: int) -> list[Card] | None:
    """How many kept documents stand for clusters of each size; None if the corpus does not hold the sizes."""
    if values is None:
        return None
    counts = dict(values.most)
    return [{"size": size, **share_of(counts[size], total)} for size in CLUSTERS.values() if size in counts]


def _amount(amount: Amount) -> dict[str, int]:
    return dict(zip(("documents", "bytes", "words"), amount, strict=True))
