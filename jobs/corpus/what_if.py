"""The command ``gristmill what-if``."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from curation.recipe import Recipe
from curation.recipes import RECIPE_NAMES
from curation.recipes.tables import make_recipe, recipe_of, recipe_table, table_of_manifest
from curation.recipes.writing import recipe_text
from curation.release.ledger import NOTHING, Amount
from curation.release.lookup import Lookup
from curation.release.manifest import check_sizes
from curation.reports.curves import quantiles, rule_of_setting
from curation.reports.explain import LINE_CHARACTERS
from curation.reports.inexact import inexact, inherited
from curation.reports.stored_verdicts import stored_signals
from curation.reports.what_if import Change, Outcome, RuleCount, WhatIf, what_if
from curation.routing import Key
from jobs.corpora import Corpus, finished_corpus
from jobs.corpus.job_file import change, load_recipe, parse_change
from jobs.tables import Row, print_table
from jobs.terminal import say
from schemas.errors import UserError
from schemas.folders import new_files
from schemas.sizes import Unit, unit_of
from schemas.visible import visible, visible_json

MOST_CASES = 12
RUN = "the run"


@dataclass(frozen=True)
class WhatIfOptions:
    """The options of ``gristmill what-if``, as on the command line."""

    corpus: str
    changes: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()
    curve: str | None = None
    sample: int = 0
    write: Path | None = None
    as_json: bool = False


def run(options: WhatIfOptions) -> None:
    """Prints what other settings would keep of a corpus, as tables or as JSON."""
    corpus = finished_corpus(options.corpus)
    if corpus is None:
        raise UserError(f"{options.corpus} holds no finished run: name a folder that gristmill curate wrote")
    if not (options.changes or options.recipes or options.curve):
        raise UserError("say what to change: --set STEP.SETTING=VALUE, --recipe NAME, or --curve STEP.SETTING")
    old = recipe_of(corpus.manifest.recipe, f"{options.corpus}/manifest.json")
    built_in = _built_in(corpus, old)
    files = corpus.manifest.files.values()
    check_sizes(corpus.folder, [each for each in files if options.sample or not each.name.startswith("documents/")])
    cases = _curve(corpus, options, options.curve, built_in) if options.curve else _cases(corpus, options, built_in)
    if options.write is not None and len(cases) != 1:
        raise UserError(f"--write writes 1 recipe, and {len(cases)} are asked for: give each setting one value")
    found = what_if(corpus.folder, corpus.manifest, old, cases, options.sample)
    stored = stored_signals(corpus.folder, corpus.manifest)
    guessed = built_in is None and not options.recipes
    notes = {
        name: [*inexact(old, case, stored), *(inherited(old, case) if guessed else ())] for name, case in cases.items()
    }
    for name, outcome in found.cases.items():
        if found.run.later and (outcome.newly_kept[0] or outcome.newly_removed[0]):
            what = "duplicates and sites" if old.sites is not None else "duplicates"
            notes[name].append(f"{what} are not searched again: the run's stay removed, and no others")
    if options.write is not None:
        with new_files(options.write) as [file]:
            [(name, case)] = cases.items()
            comment = visible(f"# The recipe {old.name} of a corpus with other settings: {name}")
            file.write_text(f"{comment}\n{recipe_text(case)}", encoding="utf-8")
    if options.as_json:
        print(visible_json(json.dumps(_plain(found, notes), ensure_ascii=False)))
        return
    if options.curve:
        _print_curve(found, options.curve, "as given" if options.changes else "those of the run")
    else:
        _print_rules(found)
    _print_notes(notes)
    _print_changes(options.corpus, cases, found)
    if options.write is not None:
        say(f"{options.write}: the recipe with these settings")


def _cases(corpus: Corpus, options: WhatIfOptions, built_in: str | None) -> dict[str, Recipe]:
    """The recipes to judge by, each by a name that says what is changed: one for each choice of values of the settings
    that are given several times."""
    values = dict[str, list[str]]()
    for given in options.changes:
        values.setdefault(parse_change(given)[0], []).append(given)
    if not values and not options.recipes:
        return {}
    sets = list(product(*values.values()))
    if len(sets) * max(len(options.recipes), 1) > MOST_CASES:
        raise UserError(f"more than {MOST_CASES} recipes are asked for: give fewer values")
    cases = dict[str, Recipe]()
    for recipe in options.recipes or (None,):
        for changes in sets:
            name = " ".join([*([recipe] if recipe else []), *changes])
            if name in cases:
                raise UserError(f"{name} is given twice: give each value once")
            made = load_recipe(recipe, changes) if recipe else changed_recipe(corpus, changes, built_in)
            made.check()
            cases[name] = made
    return cases


def changed_recipe(corpus: Corpus, changes: Sequence[str], built_in: str | None = None) -> Recipe:
    """The recipe of a corpus after changes such as ``gopher_quality.min_words=20``. Raises UserError for a change that
    is not one of the recipe. ``built_in`` is the built-in recipe that the corpus was made by, if known."""
    tables: dict[str, Any] = {}
    table = recipe_table(built_in) if built_in else table_of_manifest(corpus.manifest.recipe)
    for key, value in map(parse_change, changes):
        stage, _, setting = key.partition(".")
        if setting == "dialect" and not built_in:  # the manifest holds the definitions that the old dialect stood for
            for entry in table["steps"]:
                if entry["use"] == stage:
                    entry.pop("definition", None)
        change(tables, table, key, value)
    if tables:
        raise UserError(f"--set {', '.join(tables)} belongs to a job: this command can set only the recipe's settings")
    return make_recipe(corpus.manifest.recipe["name"], table)


def _built_in(corpus: Corpus, old: Recipe) -> str | None:
    """The name of the built-in recipe with settings for languages that is the recipe of the corpus; None for other
    recipes. Unlike a manifest, its file tells the values of a language from those of the steps."""
    name = corpus.manifest.recipe["name"]
    return name if old.languages and name in RECIPE_NAMES and load_recipe(name) == old else None


def _curve(corpus: Corpus, options: WhatIfOptions, key: str, built_in: str | None) -> dict[str, Recipe]:
    """A recipe for each value of a threshold; all its other settings are as the options say."""
    if options.recipes:
        raise UserError("--curve tries a setting of the corpus's own recipe: give it without --recipe")
    given = [parse_change(each)[0] for each in options.changes]
    if len({*given, key}) <= len(given):
        raise UserError(f"--curve {key} tries the values of one setting: give others by --set, each once")

    def recipe(value: str) -> Recipe:
        return changed_recipe(corpus, [*options.changes, f"{key}={value}"], built_in)

    old = changed_recipe(corpus, options.changes, built_in)
    for probe in ("123456789", "0.123"):
        try:
            found, problem = rule_of_setting(old, recipe(probe)), ""
        except UserError as error:
            found, problem = None, str(error)
        if found is not None:
            break
    else:
        why = f" ({problem})" if problem and probe not in problem else ""
        raise UserError(f"--curve {key} is not the threshold of one rule{why}: name one, as gopher_quality.min_words")
    _, rule = found
    values = quantiles(corpus.folder, corpus.manifest, rule.signal)
    if not values:
        raise UserError(f"--curve {key}: the corpus does not hold the signal {rule.signal}, so there is nothing to try")
    cases = dict[str, Recipe]()
    for value in values:
        short = f"{value:.6g}"
        cases[f"{key}={short}"] = recipe(str(int(value)) if value == int(value) else short)
    return cases


def _print_rules(found: WhatIf) -> None:
    """Prints what each rule removes in the run and by each recipe, as the first rule that a document fails, and for how
    many documents it is decisive."""
    outcomes = [found.run, *found.cases.values()]
    rows = [_row("read", [found.read[0]] * len(outcomes))]
    rows += [_row(_rule(key), [each[0]] * len(outcomes), "dim") for key, each in found.taken_down.items()]
    for key in dict.fromkeys(key for each in outcomes for key in each.rules):
        counts = [each.rules.get(key, RuleCount()) for each in outcomes]
        if any(each.removed[0] or each.alone for each in counts):
            alone = [each.alone for each in counts]
            rows.append(_row(_rule(key), [each.removed[0] for each in counts], "dim", alone))
    for key in dict.fromkeys(key for each in outcomes for key in each.later):
        rows.append(_row(_rule(key), [each.later.get(key, NOTHING)[0] for each in outcomes], "dim"))
    rows.append(_row("kept", [each.kept[0] for each in outcomes], "bold"))
    unit = unit_of(found.read[1])
    rows.append(_row(f"  {unit.name}", [each.kept[1] / unit.bytes for each in outcomes]))
    rows.append(_row("  words", [each.kept[2] for each in outcomes]))
    rows.append(_row("  newly kept", [None, *(each.newly_kept[0] for each in found.cases.values())]))
    rows.append(_row("  newly removed", [None, *(each.newly_removed[0] for each in found.cases.values())]))
    names = [RUN, *(f"({number})" for number in range(1, len(outcomes)))]
    print_table(("", *(cell for name in names for cell in (name, "alone"))), rows)
    for number, name in enumerate(found.cases, 1):
        say(f"({number}) {name}")
    say("a rule counts the documents that fail it first; alone: those that fail no other rule")


def _rule(key: Key) -> str:
    return f"  {key[0]}: {key[1]}"


def _row(name: str, counts: Sequence[float | None], style: str = "", alone: Sequence[int] = ()) -> Row:
    cells = list[str]()
    for number, each in enumerate(counts):
        shown = "" if each is None else f"{each:,}" if isinstance(each, int) else f"{each:,.1f}"
        cells += [shown, f"{alone[number]:,}" if alone else ""]
    return Row((name, *cells), style)


def _print_curve(found: WhatIf, key: str, others: str) -> None:
    """Prints what is kept at each value of a threshold; ``others`` says what all other settings are."""
    unit = unit_of(found.read[1])
    rows = [Row(_curve_cells(RUN, found.run, found.read, unit), "bold")]
    rows += [Row(_curve_cells(name.partition("=")[2], each, found.read, unit)) for name, each in found.cases.items()]
    print_table((key, "kept", "share", unit.name, "words", "newly kept", "newly removed"), rows)
    say(f"values of the signal, from its least to its largest; all other settings are {others}")


def _curve_cells(name: str, outcome: Outcome, read: Amount, unit: Unit) -> tuple[str, ...]:
    documents, size, words = outcome.kept
    share = f"{documents / read[0]:.1%}" if read[0] else "-"
    more = ("", "") if name == RUN else (f"{outcome.newly_kept[0]:,}", f"{outcome.newly_removed[0]:,}")
    return name, f"{documents:,}", share, unit.number(size), f"{words:,}", *more


def _print_notes(notes: Mapping[str, Sequence[str]]) -> None:
    """Prints what the numbers do not show, each sentence once."""
    for note in dict.fromkeys(each for of in notes.values() for each in of):
        say(f"not exact: {note}")


def _print_changes(path: str, cases: Mapping[str, Recipe], found: WhatIf) -> None:
    """Prints the sample of documents that would be kept or removed, with the start of their texts."""
    if not any(found.changes.values()):
        return
    lookup = Lookup(path)
    for name in cases:
        for each in found.changes[name]:
            _print_change(lookup, name, each)


def _print_change(lookup: Lookup, name: str, changed: Change) -> None:
    row = lookup.at("documents", changed.file, changed.offset) or lookup.at("rejects", changed.file, changed.offset)
    if row is None:
        return
    rules = ", ".join(f"{stage}: {reason}" for stage, reason in changed.failed)
    what = f"kept (the run removed it: {rules})" if changed.kept else f"removed ({rules})"
    say(f"{name}: {row['doc_id']} ({changed.file} at {changed.offset}) would be {what}")
    if row["text"]:
        text = " ".join(row["text"][: 4 * LINE_CHARACTERS].split())
        say(f"  its text begins: {text[:LINE_CHARACTERS]}")


def _plain(found: WhatIf, notes: Mapping[str, Sequence[str]]) -> dict[str, object]:
    return {
        "read": _amount(found.read),
        "taken_down": [
            {"stage": stage, "reason": reason, **_amount(each)} for (stage, reason), each in found.taken_down.items()
        ],
        "run": _outcome(found.run),
        "cases": [
            {
                "name": name,
                **_outcome(each),
                "newly_kept": _amount(each.newly_kept),
                "newly_removed": _amount(each.newly_removed),
                "exact": not notes[name],
                "not_exact": list(notes[name]),
                "sample": [
                    {
                        "file": one.file,
                        "offset": one.offset,
                        "kept": one.kept,
                        "failed": [list(key) for key in one.failed],
                    }
                    for one in found.changes[name]
                ],
            }
            for name, each in found.cases.items()
        ],
    }


def _outcome(outcome: Outcome) -> dict[str, object]:
    return {
        "kept": _amount(outcome.kept),
        "rules": [
            {"stage": stage, "reason": reason, **_amount(each.removed), "failed": each.failed, "alone": each.alone}
            for (stage, reason), each in outcome.rules.items()
        ],
        "later": [
            {"stage": stage, "reason": reason, **_amount(each)} for (stage, reason), each in outcome.later.items()
        ],
    }


def _amount(amount: Amount) -> dict[str, int]:
    return dict(zip(("documents", "bytes", "words"), amount, strict=True))
