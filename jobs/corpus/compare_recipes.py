"""The command ``gristmill compare-recipes``."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import pyarrow as pa

from curation.recipes import RECIPE_NAMES
from curation.reports.comparison import Comparison, Counted, compare
from curation.reports.stored_texts import stored_records
from curation.reports.verdicts import read_files
from jobs.corpora import finished_corpus
from jobs.corpus.job_file import load_recipes
from jobs.corpus.verdict import say_quarantined
from jobs.tables import Row, print_table
from jobs.terminal import say
from schemas.errors import UserError
from schemas.visible import visible_json

JUDGING = tuple(name for name in RECIPE_NAMES if name not in ("none", "fineweb2"))
"""The built-in recipes that judge English texts."""


def run(
    corpus: Sequence[str],
    recipes: Sequence[str],
    changes: Sequence[str],
    kind: str | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """Prints how many documents each recipe keeps, and how many fail each of its rules, as a table or as JSON."""
    if len(recipes) == 1:
        raise UserError(
            f"--recipe {recipes[0]} alone leaves nothing to compare: name another recipe, "
            "or leave --recipe out to compare the built-in recipes for English"
        )
    loaded = load_recipes(recipes or JUDGING, changes)
    found = compare(_first(_records(corpus, kind, any(each.reads_rights for each in loaded.values())), limit), loaded)
    if as_json:
        print(visible_json(json.dumps(_plain(found), ensure_ascii=False)))
    else:
        print_comparison(found)


def _records(corpus: Sequence[str], kind: str | None, rights: bool) -> Iterator[pa.RecordBatch]:
    """The documents of a finished folder, or of files."""
    found = finished_corpus(corpus[0]) if len(corpus) == 1 else None
    if found is None:
        yield from read_files(corpus, say_quarantined, kind, rights)
        return
    written_by = found.manifest.recipe["name"]
    say(f"{corpus[0]}: kept documents are judged as {written_by} wrote them, after its rewrites", err=True)
    yield from stored_records(found.folder, found.manifest)


def _first(batches: Iterator[pa.RecordBatch], limit: int | None) -> Iterator[pa.RecordBatch]:
    """The first ``limit`` rows of the batches."""
    for batch in batches:
        yield batch if limit is None else batch.slice(0, limit)
        if limit is not None:
            limit -= min(limit, len(batch))
            if not limit:
                return


def print_comparison(found: Comparison) -> None:
    """Prints a row for the documents that each recipe keeps, and for each rule that a document fails, as shares of all
    documents. The last column is the share of documents on which the verdicts part."""

    def share(count: int) -> str:
        return f"{count / found.documents:.1%}" if found.documents else "-"

    def row(name: str, counted: Counted, style: str = "") -> Row:
        shares = [share(counted.failed[each]) if each in counted.failed else "" for each in found.recipes]
        return Row((name, *shares, share(counted.parted) if len(counted.failed) > 1 else ""), style)

    failed = {name: counted for name, counted in found.rules.items() if any(counted.failed.values())}
    rules = [row(f"  {stage}: {reason}", counted, "dim") for (stage, reason), counted in failed.items()]
    print_table(("", *found.recipes, "parted"), [row("kept", Counted(found.kept, found.parted), "bold"), *rules])
    say(f"{found.documents:,} documents; the share of a rule counts all documents that fail it")
    if len(failed) < len(found.rules):
        say(f"no document fails any of the other {len(found.rules) - len(failed)} rules")


def _plain(found: Comparison) -> dict[str, object]:
    rules = [{"stage": stage, "reason": reason, **asdict(each)} for (stage, reason), each in found.rules.items()]
    return {"documents": found.documents, "kept": found.kept, "parted": found.parted, "rules": rules}
