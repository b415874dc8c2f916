"""A corpus as one page of HTML that needs nothing else, with equal bytes for an equal corpus."""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from importlib.resources import files
from itertools import groupby
from typing import Any

from annotation.dataset import markdown
from curation.filters.rules import Rule
from curation.release.ledger import NOTHING, Amount, Ledger, add
from curation.reports.clusters import Cluster
from curation.reports.corpus_report import CorpusReport, Figures, RuleReport
from curation.reports.examples import Example, Sampled
from curation.reports.frequencies import Frequencies
from curation.reports.histograms import MOST_VALUES
from curation.reports.passages import Part, differing, excerpt
from curation.routing import Key
from jobs.corpus.report_comparison import comparison
from jobs.pages.flow import Leaving, flow
from jobs.pages.histogram import histogram
from jobs.pages.plots import Bar, bars, columns
from jobs.pages.template import environment
from schemas.sizes import Unit, readable, unit_of

_HTML = '<html lang="en">'
MARK = '<!doctype html>\n<html lang="en" data-made-by="gristmill report">'
"""How a page begins; a file that begins otherwise is not overwritten."""
LONGEST_NAME = 120
"""The characters of a name, an id or a url on the page."""
SHOWN = 15
"""The most rows of a plot of languages, hosts or sources."""
MOST_HOSTS = 5
"""The hosts that are named beside the plots of near-duplicates."""
PLOTS = 12
"""The rules whose plots are shown at once: those that most documents fail."""
_FIRST = 160
_CLUSTER_TEXT = 600


@dataclass(frozen=True)
class _Amount:
    """A row of the table of amounts; ``kind`` is total, stage or reason."""

    name: str
    cells: Sequence[str]
    kind: str = "reason"


def render(report: CorpusReport, against: Figures | None = None) -> str:
    """The page. All text of others is escaped, and no script but the page's own search can run."""
    figures = report.figures
    template = environment(__package__)
    template.filters["short"] = short
    script = files(__package__).joinpath("search.js").read_text(encoding="utf-8")
    verdicts = _verdicts(report.sample)
    beside = None if against is None else {"facts": _facts(against), "panels": comparison(figures, against)}
    rules = [rule for rule in report.rules if rule.failed and rule.histogram is not None]
    drawn = [_rule(rule) for rule in sorted(rules, key=lambda each: -each.failed)]
    text: str = template.get_template("corpus.html.j2").render(
        title=_title(figures),
        facts=_facts(figures),
        sections=list(_sections(report, against)),
        cards=list(_cards(report)),
        flow=_flow(figures),
        amounts=list(_amounts(figures)),
        amounts_unit=_unit(figures).name,
        notes=list(_notes(figures)),
        sources=figures.ledger.read,
        sources_plot=_sources(figures.ledger),
        against=beside,
        rules=[drawn[:PLOTS], drawn[PLOTS:]],
        sampled=_sampled(figures),
        rule_rows=[_rule_row(rule) for rule in report.rules],
        examples=_examples(report),
        near=_near(report),
        cuts=report.cuts,
        cut_note=_cut_note(figures.ledger),
        names=list(_names(figures)),
        hosts_note=_hosts_note(figures.hosts),
        sample=[_document(each, verdicts) for each in report.sample],
        verdicts=[(code, reason) for reason, code in verdicts.items()],
        script=script,
        script_hash=f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}",
    )
    return MARK + text.removeprefix(_HTML) + "\n"


def short(text: str) -> str:
    """A name for the page, cut to LONGEST_NAME characters."""
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 3]}..."


def name_of(key: Key) -> str:
    """A stage and a reason as a name."""
    return f"{key[0]}: {key[1]}"


def share(part: float, whole: float) -> str:
    """A share in percent; - of nothing."""
    return f"{part / whole:.1%}" if whole else "-"


def _title(figures: Figures) -> str:
    return f"A corpus of {markdown.count(figures.ledger.total('kept')[0], 'document')}"


def _facts(figures: Figures) -> list[str]:
    manifest = figures.manifest
    facts = [f"recipe {manifest.recipe['name']}", f"release {figures.name}", f"gristmill {manifest.gristmill}"]
    facts += [f"deduplicated against release {each.release}" for each in manifest.against]
    return [*facts, *(f"takedown of release {each.of}" for each in manifest.takedown)]


def _sections(report: CorpusReport, against: Figures | None) -> Iterator[tuple[str, str]]:
    yield "flow", "Flow"
    if against is not None:
        yield "against", "Beside another corpus"
    yield "rules", "Rules"
    if report.examples:
        yield "removals", "Removals"
    if _near(report):
        yield "near", "Near-duplicates"
    if report.cuts:
        yield "cuts", "Cut pieces"
    yield "languages", "Languages and hosts"
    yield "search", "Search"


def _cards(report: CorpusReport) -> Iterator[tuple[str, str, str]]:
    figures = report.figures
    read, kept = figures.ledger.total("read"), figures.ledger.total("kept")
    yield "Documents kept", f"{kept[0]:,}", f"{share(kept[0], read[0])} of {read[0]:,} read"
    yield "Text kept", readable(kept[1]), f"{share(kept[1], read[1])} of {readable(read[1])}"
    yield "Words kept", f"{kept[2]:,}", f"{share(kept[2], read[2])} of {read[2]:,}"
    duplicates = sum(amount[0] for (stage, _), amount in figures.removed.items() if stage in ("url", "exact", "near"))
    yield "Duplicates removed", f"{duplicates:,}", share(duplicates, read[0])
    yield "Languages kept", f"{len(figures.languages.kept):,}", ""
    yield "Hosts kept", f"{len(figures.hosts.kept):,}", "at least" if figures.hosts.bounded else ""


def _flow(figures: Figures) -> str:
    """The stream of documents, by stage."""
    read, kept = figures.ledger.total("read")[0], figures.ledger.total("kept")[0]
    stages: dict[str, int] = {}
    for (stage, _), amount in figures.removed.items():
        stages[stage] = stages.get(stage, 0) + amount[0]
    leaving = [Leaving(stage, count, f"{count:,} ({share(count, read)})") for stage, count in stages.items()]
    return flow(
        "Documents from read to kept",
        ("read", read, f"{read:,}"),
        leaving,
        ("kept", kept, f"{kept:,} ({share(kept, read)})"),
    )


def _amounts(figures: Figures) -> Iterator[_Amount]:
    read = figures.ledger.total("read")
    unit = _unit(figures)
    yield _Amount("read", _cells(read, read, unit), "total")
    for stage, group in groupby(figures.removed.items(), key=lambda entry: entry[0][0]):
        own = list(group)
        total = reduce(add, (amount for _, amount in own), NOTHING)
        yield _Amount(stage if len(own) > 1 else name_of(own[0][0]), _cells(total, read, unit), "stage")
        if len(own) > 1:
            for (_, reason), amount in own:
                yield _Amount(reason, _cells(amount, read, unit))
    yield _Amount("kept", _cells(figures.ledger.total("kept"), read, unit), "total")


def _unit(figures: Figures) -> Unit:
    return unit_of(figures.ledger.total("read")[1])


def _cells(amount: Amount, of: Amount, unit: Unit) -> Sequence[str]:
    return f"{amount[0]:,}", share(amount[0], of[0]), unit.number(amount[1]), f"{amount[2]:,}"


def _notes(figures: Figures) -> Iterator[str]:
    ledger = figures.ledger
    if ledger.quarantined:
        parts = ", ".join(f"{amount[0]:,} {short(error)}" for error, amount in sorted(ledger.quarantined.items()))
        yield f"Records that could not be read: {parts}."
    if ledger.skipped:
        parts = ", ".join(f"{count:,} {short(reason)}" for reason, count in sorted(ledger.skipped.items()))
        yield f"Records that are no documents: {parts}."


def _sources(ledger: Ledger) -> str:
    rows = sorted(ledger.read, key=lambda source: (-ledger.read[source][0], source))[:SHOWN]
    return bars("Documents by source", [_bar(each, _first(ledger.kept, each), ledger.read[each][0]) for each in rows])


def _first(amounts: Mapping[str, Amount], source: str) -> int:
    return amounts[source][0] if source in amounts else 0


def _bar(name: str, kept: int, read: int) -> Bar:
    return Bar(name, [("done", kept), ("refused", read - kept)], f"{kept:,} of {read:,}")


def asks(rule: Rule) -> str:
    """What a rule asks for, such as ``at least 50``."""
    if rule.one_of is not None:
        return f"one of {', '.join(rule.one_of[:10])}{' ...' if len(rule.one_of) > 10 else ''}"
    return f"at least {rule.at_least:,g}" if rule.at_least is not None else f"at most {rule.at_most or 0:,g}"


def _rule(report: RuleReport) -> Mapping[str, str]:
    drawn = report.histogram
    assert drawn is not None
    name = f"{report.stage}: {report.rule.reason}"
    mark = (drawn.threshold, asks(report.rule))
    plot = histogram(name, drawn.edges, drawn.counts, drawn.fails, mark, drawn.logarithmic)
    counts = f"{report.failed:,} fail, {report.removed:,} removed, {report.alone:,} fail no other rule"
    return {"name": name, "about": report.about.partition(";")[0], "counts": counts, "plot": plot}


def _rule_row(report: RuleReport) -> Sequence[str]:
    name = f"{report.stage}: {report.rule.reason}"
    wanted = asks(report.rule) if report.is_of_all else "a value of each language"
    return name, wanted, f"{report.failed:,}", f"{report.removed:,}", f"{report.alone:,}"


def _sampled(figures: Figures) -> str:
    """Which documents the plots of rules show, if not simply all of them."""
    rows = figures.manifest.files
    total = sum(entry.rows or 0 for name, entry in rows.items() if name.startswith("signals/"))
    found = []
    if total > MOST_VALUES:
        found.append(f"Plots show about {MOST_VALUES:,} of {total:,} documents.")
    if figures.manifest.recipe.get("languages"):
        found.append("Plots also show documents of languages that a rule does not judge.")
    return " ".join(found)


def _examples(report: CorpusReport) -> list[tuple[str, str, Sequence[Example], bool]]:
    """The examples of each reason; those of the reason that removed the most documents are open."""
    removed = report.figures.removed
    most = max(report.examples, key=lambda key: removed[key][0], default=None)
    return [
        (name_of(key), markdown.count(removed[key][0], "document"), group, key == most)
        for key, group in report.examples.items()
    ]


def _near(report: CorpusReport) -> Mapping[str, Any] | None:
    """What the page shows of near-duplicates; None if the run removed none."""
    counted, found = report.figures.manifest.near_duplicates, report.clusters
    if not found.shown and not found.sizes and not (counted and counted.removed):
        return None
    plots = []
    if counted and counted.similarity:
        names = [f"{float(step):.0%}" for step in counted.similarity]
        caption = "Removed near-duplicates by similarity to the document kept for them"
        plots.append((caption, columns(caption, names, list(counted.similarity.values()), "documents")))
    if found.sizes:
        caption = "Kept documents by the number of documents that they stand for"
        steps = list(found.sizes)
        plots.append(
            (caption, columns(caption, [f"{size:,}" for size in steps], list(found.sizes.values()), "documents"))
        )
    if counted and counted.hosts:
        most = sorted(counted.hosts.items(), key=lambda entry: (-entry[1], entry[0]))[:MOST_HOSTS]
        caption = "Hosts with the most removed near-duplicates"
        plots.append((caption, bars(caption, [Bar(host, [("refused", n)], f"{n:,}") for host, n in most])))
    measure = {"exact": "the Jaccard similarity of word n-grams", "signature": "the share of equal MinHash values"}
    intro = f"Similarity is {measure[counted.measure]}. " if counted else ""
    return {
        "intro": f"{intro}The largest clusters, and some drawn by a hash: the words that differ are marked.",
        "plots": plots,
        "clusters": [_cluster(each) for each in found.shown],
    }


def _cluster(cluster: Cluster) -> Mapping[str, Any]:
    """A cluster with a pair of excerpts for each removed document: its own, and that of the kept document there."""
    kept = cluster.kept["text"] or ""
    shown = []
    for each in cluster.removed:
        text = each["text"] or ""
        own, theirs = differing(text, kept) if text else ([], [])
        shown.append((_alike(each), each, excerpt(text, own, _CLUSTER_TEXT), excerpt(kept, theirs, _CLUSTER_TEXT)))
    return {"kept": cluster.kept, "count": cluster.count, "removed": shown}


def _alike(row: Mapping[str, Any]) -> str:
    value = row.get("survivor_similarity")
    return "similarity unknown" if value is None else f"{value:.1%} alike"


def _cut_note(ledger: Ledger) -> str:
    documents, size, pieces = ledger.total("cut")
    what = f"{markdown.count(pieces, 'piece')}, {readable(size)}"
    return f"Cut out of {markdown.count(documents, 'document')}: {what}. Some of the pieces, each in its text:"


def _names(figures: Figures) -> Iterator[tuple[str, str]]:
    for what, counted in (("language", figures.languages), ("host", figures.hosts)):
        rows = [_bar(name, kept, kept + removed) for name, kept, removed in counted.most(SHOWN)]
        caption = f"Documents by {what}"
        if len(counted) > len(rows):
            caption += f" (the first {len(rows)} of {len(counted):,})"
        if rows:
            yield caption, bars(caption, rows)


def _hosts_note(hosts: Frequencies) -> str:
    return "Counts of hosts are lower bounds: rare hosts were dropped while counting." if hosts.bounded else ""


def _verdicts(sample: Sequence[Sampled]) -> dict[str, str]:
    """A code for each verdict in the sample: kept, then the reasons."""
    found = sorted({each.reason for each in sample if each.reason is not None})
    kept = ["kept"] if any(each.reason is None for each in sample) else []
    return {reason: f"v{number}" for number, reason in enumerate([*kept, *found])}


def _document(each: Sampled, verdicts: Mapping[str, str]) -> Mapping[str, Any]:
    text = "".join(part.text for part in each.text)
    first = f"{' '.join(text[:_FIRST].split())}{' ...' if len(text) > _FIRST else ''}"
    return {
        "document": each.document,
        "reason": each.reason,
        "verdict": verdicts["kept" if each.reason is None else each.reason],
        "first": first or "no text",
        "text": each.text or [Part("no text")],
    }
