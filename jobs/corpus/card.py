"""The command ``gristmill card``."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.release.folder import Folder
from curation.release.manifest import CROISSANT, JSON_CARD, README, check_sizes, read_finished
from curation.release.readme import MARK
from curation.reports.card import Card, card
from curation.reports.card_markdown import markdown
from curation.reports.card_measures import Task
from curation.reports.card_scores import Classifier, by_function, by_model
from curation.reports.card_terms import wanted_terms
from curation.reports.card_workers import measure_folder
from curation.reports.croissant import croissant
from curation.sources.storage import outages, reason
from jobs.tables import Row, print_table
from jobs.terminal import say
from schemas.errors import RunError, UserError
from schemas.visible import visible_json


@dataclass(frozen=True)
class CardOptions:
    """The options of ``gristmill card``, as on the command line."""

    corpus: str
    descriptors: Path | None = None
    model: str | None = None
    label: str | None = None
    function: str | None = None
    sample: float = 1.0
    name: str | None = None
    licence: str | None = None
    as_json: bool = False
    beam_options: tuple[str, ...] = ()


def run(options: CardOptions) -> None:
    """Measures a corpus, writes its card into its folder, and prints the main shares; or prints the card as JSON."""
    folder = Folder(options.corpus.rstrip("/") or options.corpus)
    manifest, digest = read_finished(folder)
    check_sizes(folder, [each for each in manifest.files.values() if each.name.startswith(("documents/", "signals/"))])
    if not options.as_json:
        _check_readme(folder)
    wanted = wanted_terms(options.descriptors)
    classifier = _classifier(options)
    scorer = classifier.scores if classifier else None
    models = classifier.models if classifier else ()
    task = Task(folder, bool(manifest.recipe["signals"]), wanted, options.sample, scorer, models)
    found = measure_folder(task, manifest.units, options.beam_options)
    made = card(manifest, digest, found, wanted, options.sample, classifier.named if classifier else None)
    if options.as_json:
        print(visible_json(json.dumps(made, ensure_ascii=False)))
        return
    name = options.name or folder.root.rpartition("/")[2] or "corpus"
    texts = {
        README: markdown(made, manifest, name, options.licence),
        JSON_CARD: _json(made),
        CROISSANT: _json(croissant(made, manifest, name, options.licence)),
    }
    for file, text in texts.items():
        write_card(folder, file, text)
    _print_shares(made)
    say(f"{options.corpus}: written: {', '.join(texts)}")


def _classifier(options: CardOptions) -> Classifier | None:
    if options.model is not None and options.function is not None:
        raise UserError("--model and --function exclude each other: give one of them")
    if (options.model is None) != (options.label is None):
        raise UserError("--model FILE and --label NAME belong together: give both")
    if options.model is not None and options.label is not None:
        return by_model(options.model, options.label)
    return None if options.function is None else by_function(options.function)


def _check_readme(folder: Folder) -> None:
    """Raises UserError if the folder has a README.md of the user's."""
    try:
        with folder.reading(README) as stream:
            lines = stream.read(1 << 16).decode(errors="replace").splitlines()
    except FileNotFoundError:
        return
    except outages() as error:
        raise UserError(f"{folder.root}/{README} cannot be read ({reason(error)}): rename it, or use --json") from error
    if MARK not in lines:
        raise UserError(f"{folder.root}/{README} has no line '{MARK}': rename the file, add the line, or use --json")


def write_card(folder: Folder, file: str, text: str) -> None:
    """Writes a file of the card into the folder. Raises RunError if it cannot be written, as on a full disk."""
    try:
        with folder.writing(file) as stream:
            stream.write(text.encode())
    except outages() as error:
        place = f"{folder.root}/{file}"
        raise RunError(f"{place} cannot be written ({reason(error)}): repeat the command when it can be") from error


def _json(table: Mapping[str, Any]) -> str:
    return json.dumps(table, indent=2, ensure_ascii=False) + "\n"


def _print_shares(made: Card) -> None:
    """Prints the main shares of a card."""
    rows = [_row("documents measured", made["measured"]["documents"], None)]
    for each in (made["languages"] or [])[:3]:
        rows.append(_row(f"  language {each['name']}", each["documents"], each))
    pronouns = made["pronouns"]
    rows.append(_row("gendered pronouns", pronouns["gendered"]["documents"], pronouns["gendered"]))
    rows += [_row(f"  {kind}", each["documents"], each) for kind, each in pronouns["among_gendered"].items()]
    rows.append(_row("personal pronouns", pronouns["personal"]["documents"], pronouns["personal"]))
    rows += [_row(f"  {kind}", each["documents"], each) for kind, each in pronouns["among_personal"].items()]
    for axis in sorted(
        (made["descriptors"] or {"axes": []})["axes"], key=lambda each: (-each["documents"], each["name"])
    ):
        rows.append(_row(f"descriptors: {axis['name']}", axis["documents"], axis))
    if made["toxicity"] is not None:
        toxic = made["toxicity"]["toxic"]
        rows.append(_row(f"score of {made['toxicity']['threshold']:g} or more", toxic["documents"], toxic))
    print_table(("", "documents", "share", "interval"), rows)
    say("indented pronouns are shares of the documents with any pronoun of their group")


def _row(name: str, documents: int, share: Mapping[str, Any] | None) -> Row:
    if share is None or share["share"] is None:
        return Row((name, f"{documents:,}", "", ""))
    low, high = share["interval"]
    return Row((name, f"{documents:,}", f"{share['share']:.2%}", f"{low:.2%} to {high:.2%}"))
