"""Gathers what a page about a finished folder shows: counts, histograms and drawn documents, in bounded memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from curation.filters.rules import Rule
from curation.recipe import Recipe
from curation.release.ledger import NOTHING, Amount, Ledger, add
from curation.release.lookup import Lookup
from curation.release.manifest import Manifest, read_finished
from curation.release.opening import NAME_DIGITS
from curation.reports.clusters import Clusters, clusters
from curation.reports.examples import READ, Cut, Example, Sampled, cuts, draw, examples, sample
from curation.reports.explain import description
from curation.reports.frequencies import Frequencies, frequencies
from curation.reports.histograms import Histogram, histogram, sampled_signals
from curation.reports.rejudging import rules_in_order
from curation.reports.what_if import Outcome, RuleCount, what_if
from curation.routing import Key, rules_of
from curation.sites.settings import STAGE as SITES_STAGE

MOST_REASONS = 24
"""The reasons of which examples are shown: those that removed the most documents."""
_LATER = (SITES_STAGE, "url", "exact", "near")
"""The stages after the filters, in the order in which documents meet them."""


@dataclass(frozen=True)
class RuleReport:
    """A rule with what it did: documents that it removed as the first rule that they failed, that failed it, and that
    failed no other rule. ``is_of_all``: whether all languages have the same threshold. ``histogram`` is None if they do
    not, and if the folder does not hold the rule's signal as numbers."""

    stage: str
    rule: Rule
    removed: int
    failed: int
    alone: int
    about: str
    is_of_all: bool
    histogram: Histogram | None


@dataclass(frozen=True)
class Figures:
    """The counts of a corpus, without its documents: all that a comparison with another corpus needs. ``name`` is that
    of the release; ``removed`` has the amounts by stage and reason, in the order in which documents meet them."""

    name: str
    manifest: Manifest
    ledger: Ledger
    removed: Mapping[Key, Amount]
    languages: Frequencies
    hosts: Frequencies


@dataclass(frozen=True)
class CorpusReport:
    """What a page shows of a corpus: its figures, its rules in the order in which they are checked, and documents."""

    figures: Figures
    rules: Sequence[RuleReport]
    examples: Mapping[Key, Sequence[Example]]
    clusters: Clusters
    cuts: Sequence[Cut]
    sample: Sequence[Sampled]


def corpus_report(path: str) -> CorpusReport:
    """Reads a finished folder. Raises UserError if it is not finished or damaged."""
    lookup = Lookup(path)
    folder, manifest = lookup.folder, lookup.manifest
    figures = figures_of(lookup)
    run = what_if(folder, manifest, lookup.recipe, {}).run
    drawing = draw(lookup)
    most = sorted(figures.removed, key=lambda key: -figures.removed[key][0])[:MOST_REASONS]
    return CorpusReport(
        figures=figures,
        rules=list(_rules(lookup, run)),
        examples=examples(lookup, drawing, [key for key in figures.removed if key in most]),
        clusters=clusters(folder, manifest, READ),
        cuts=cuts(lookup),
        sample=sample(lookup, drawing),
    )


def figures_of(lookup: Lookup) -> Figures:
    """The counts of a corpus."""
    ledger = Ledger.of(lookup.manifest.ledger)
    _, digest = read_finished(lookup.folder)
    languages, hosts = frequencies(lookup.folder, lookup.manifest)
    return Figures(digest[:NAME_DIGITS], lookup.manifest, ledger, _removed(lookup, ledger), languages, hosts)


def _removed(lookup: Lookup, ledger: Ledger) -> dict[Key, Amount]:
    amounts: dict[Key, Amount] = {}
    for (_, stage, reason), amount in ledger.rejected.items():
        amounts[stage, reason] = add(amounts.get((stage, reason), NOTHING), amount)
    rules = [(stage, rule.reason) for stage, rule in rules_in_order(lookup.recipe)]
    places = {key: place for place, key in enumerate(rules)}

    def place(key: Key) -> tuple[int, int, Key]:
        later = _LATER.index(key[0]) if key[0] in _LATER else len(_LATER)
        return places.get(key, len(places)), later, key

    return {key: amounts[key] for key in sorted(amounts, key=place)}


def _rules(lookup: Lookup, run: Outcome) -> Iterator[RuleReport]:
    """The rules of the recipe, in the order in which they are checked."""
    rules = rules_in_order(lookup.recipe)
    values = sampled_signals(lookup.folder, lookup.manifest, {rule.signal for _, rule in rules})
    of_languages = _rules_of_languages(lookup.recipe)
    for stage, rule in rules:
        count = run.rules.get((stage, rule.reason), RuleCount())
        is_of_all = len(of_languages.get((stage, rule.reason), ())) <= 1
        numbers = values.get(rule.signal) if rule.one_of is None and is_of_all else None
        drawn = None if numbers is None else histogram(numbers, rule)
        said = description(lookup.recipe, rule)
        yield RuleReport(stage, rule, count.removed[0], count.failed, count.alone, said, is_of_all, drawn)


def _rules_of_languages(recipe: Recipe) -> dict[Key, set[Rule]]:
    """The rules of each stage and reason, which differ between languages by their thresholds."""
    found: dict[Key, set[Rule]] = {}
    for steps in (each.steps for each in recipe.languages):
        for stage, rule in rules_of(steps):
            found.setdefault((stage, rule.reason), set()).add(rule)
    return found
