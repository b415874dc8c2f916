"""Says for which settings of a changed recipe stored signals do not give exact verdicts."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import fields

from curation.filters.c4 import C4Pages
from curation.filters.gopher_quality import GopherQuality
from curation.filters.rights import Rights
from curation.filters.robots import Robots
from curation.filters.thresholds import without_thresholds
from curation.filters.url import Url
from curation.filters.url_substrings import UrlSubstrings
from curation.recipe import FAMILIES, Filter, Recipe, Step, changes_texts, stage_of
from curation.reports.rejudging import SETTINGS
from curation.rewrites.c4_lines import C4Lines
from schemas.wording import and_more

WITHOUT_TEXT = (Url, UrlSubstrings, Robots, Rights)
"""The filters that do not read the text."""
SHOWN = 5
"""How many languages a sentence names."""


def inexact(old: Recipe, new: Recipe, stored: Collection[str]) -> Iterator[str]:
    """A sentence for each difference between two recipes that stored signals do not show. ``old`` is the recipe of the
    corpus, and ``stored`` are the signals that the corpus holds."""
    if [each.name for each in old.languages] != [each.name for each in new.languages]:
        yield "languages: each document is judged by the settings that the run chose for it"
    elif new.languages and SETTINGS not in stored:
        yield f"languages: the corpus does not hold the signal {SETTINGS}, so all verdicts are those of the run"
    yield from _texts(old, new)
    yield from _steps(old.steps, new.steps, old, stored, "")
    before = {each.name: each.steps for each in old.languages}
    for each in new.languages:
        if each.name in before:
            yield from _steps(before[each.name], each.steps, old, stored, f"languages.{each.name}.")
            yield from _stop_words(before[each.name], each.steps, f"languages.{each.name}.")
    if old.dedup != new.dedup:
        yield "dedup: the duplicates are those of the run"
    if old.sites != new.sites:
        yield "sites: the removed sites are those of the run"


def inherited(old: Recipe, new: Recipe) -> Iterator[str]:
    """A sentence for each setting that ``new`` changes in a step and, with it, in languages that had the step's value.
    ``new`` is made of the manifest, which does not tell this value from an equal value of the recipe file's own table
    for the language; a run with the file keeps the latter."""
    steps = {stage_of(step): step for step in new.steps}
    for number, was in enumerate(old.steps):
        step = steps.get(stage_of(was), was)
        for field in (field for field in fields(was) if getattr(was, field.name) != getattr(step, field.name)):
            value = getattr(was, field.name)
            names = [each.name for each in old.languages if getattr(each.steps[number], field.name) == value]
            if names:
                setting, shown = f"{stage_of(was)}.{field.name}", and_more(names[:SHOWN], len(names))
                yield (
                    f"{setting} is changed for {shown} too; a run would not change it for a language whose own table "
                    "in the recipe file has the same value: add --recipe FILE to judge by the file"
                )


def _texts(old: Recipe, new: Recipe) -> Iterator[str]:
    """The sentence about filters whose texts other steps changed than in the run."""
    were = {stage_of(step): _rewrites(old, step) for step in old.steps}
    families: dict[str, list[object]] = {family.use: _rewrites(old, None) for family in FAMILIES}
    changed = [
        stage_of(step)
        for step in new.steps
        if isinstance(step, Filter)
        and step.rules()
        and not isinstance(step, WITHOUT_TEXT)
        and were.get(stage_of(step), families.get(stage_of(step), _rewrites(new, step))) != _rewrites(new, step)
    ]
    if changed:
        verb = "is" if len(changed) == 1 else "are"
        yield f"the text before {', '.join(changed)} {verb} changed by other steps: the signals are those of the run"


def _rewrites(recipe: Recipe, until: Step | None) -> list[object]:
    """What changes texts before a step (None: before all steps): normalising and the rewrites; c4_lines with the
    settings of c4_pages that it follows."""
    found: list[object] = [recipe.normalise]
    pages = next((step for step in recipe.steps if isinstance(step, C4Pages)), None)
    for step in recipe.steps[: recipe.steps.index(until) if until is not None else 0]:
        if changes_texts(step):
            found.append(without_thresholds(step) if isinstance(step, Filter) else step)
        if isinstance(step, C4Lines) and pages is not None:
            found.append((pages.lorem_ipsum, pages.curly_brackets))
    return found


def _steps(
    before: Sequence[Step], after: Sequence[Step], old: Recipe, stored: Collection[str], place: str
) -> Iterator[str]:
    """The sentences about steps that measure something else than in the run, or need a signal that is not stored."""
    were = {stage_of(step): step for step in before}
    families: dict[str, Step] = {family.use: family() for family in FAMILIES if old.signals}
    for step in after:
        stage = stage_of(step)
        was = were.get(stage, families.get(stage))
        if not isinstance(step, Filter) or not step.rules() or step == were.get(stage):
            continue
        if was is None:
            yield f"{place}{stage}: the run measured nothing for this step, so it removes nothing here"
            continue
        own, then = without_thresholds(step), without_thresholds(was)
        differ = [f"{place}{stage}.{name}" for name in vars(own) if getattr(own, name) != getattr(then, name, None)]
        if differ:
            yield f"{', '.join(differ)}: what is measured would change, and the signals are those of the run"
        known = was.rules() if isinstance(was, Filter) and stage in were else ()
        lacking = sorted({rule.signal for rule in step.rules() if rule not in known and rule.signal not in stored})
        if lacking:
            yield f"{place}{stage}: the corpus does not hold {', '.join(lacking)}: such verdicts are those of the run"


def _stop_words(before: Sequence[Step], after: Sequence[Step], place: str) -> Iterator[str]:
    """The sentence about a number of stop words, on which depends how those of other languages are counted."""
    for was, step in zip(before, after, strict=False):
        both = isinstance(was, GopherQuality) and isinstance(step, GopherQuality)
        if both and was.min_stop_words != step.min_stop_words:  # type: ignore[union-attr]
            yield f"{place}gopher_quality.min_stop_words: stop words of other languages are counted as in the run"
