"""The command ``gristmill takedown``."""

import json
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from curation.engine.selection import Selection
from curation.engine.takedown import takedown
from curation.engine.takedown_lists import NEAR_LIST, not_found_name
from curation.job import Execution
from curation.recipe import Recipe, changes_texts
from curation.recipes.tables import recipe_of
from curation.release.folder import Folder
from curation.release.ledger import Ledger
from curation.release.manifest import TakedownReport
from curation.release.opening import open_release
from jobs.benchmark_rows import benchmark_rows
from jobs.corpus.compiling import prepare_kernels
from jobs.corpus.progress import watcher
from jobs.corpus.summary import print_releases, print_summary
from jobs.options import ProgressStyle
from jobs.terminal import say
from schemas.errors import UserError
from schemas.manifest import MANIFEST
from schemas.named_files import open_named
from schemas.wording import and_more

SHOWN = 5
WORDS = {"doc_id": "documents", "host": "hosts", "url": "urls"}


@dataclass(frozen=True, kw_only=True)
class TakedownOptions:
    """The arguments and options of the command; None or empty if not given."""

    release: str
    doc_ids: Path | None
    hosts: Path | None
    urls: Path | None
    near: bool
    output: str
    against: tuple[str, ...]
    workers: int | None
    memory: int | None
    progress: ProgressStyle


def run(options: TakedownOptions) -> None:
    """Writes a copy of the release without the selected documents, and prints a summary."""
    if options.doc_ids is None and options.hosts is None and options.urls is None and not options.against:
        raise UserError("say what to take down: --doc-id FILE, --host FILE or --url FILE, with one entry per line")
    selection = Selection.of(_lines(options.doc_ids), _entries(options.hosts), _entries(options.urls), options.near)
    opened, before = open_release(options.release)
    recipe = _with_benchmarks(recipe_of(before.recipe, f"{options.release}/{MANIFEST}"))
    prepare_kernels(recipe, options.progress)
    started = time.monotonic()
    execution = Execution(workers=options.workers, memory=options.memory)
    found = takedown(
        opened, before, recipe, selection, options.output, execution, options.against, watcher(options.progress)
    )
    print_summary(Ledger.of(found.ledger), options.output, time.monotonic() - started)
    print_releases(found)
    _print_takedown(found.takedown[-1], options.output)


def _with_benchmarks(recipe: Recipe) -> Recipe:
    """The recipe, with the benchmarks whose passages it cuts, relative to the current folder: removed documents have
    their whole texts, and are recognised by their texts as the recipe would keep them."""
    try:
        return recipe.with_files(Path(), benchmark_rows, changes_texts)
    except UserError as error:
        raise UserError(
            f"{error}. The recipe cuts passages of benchmarks out of texts, so a takedown reads these files again: run "
            "it in the folder of the recipe"
        ) from error


def _print_near(count: int, output: str) -> None:
    with Folder(output).reading(NEAR_LIST) as lines:
        shown = [json.loads(line) for line in islice(lines, SHOWN)]
    say(f"near-duplicates of the documents taken down: {count:,} (--near takes them down, too), see {NEAR_LIST}")
    for row in shown:
        state = "kept" if row["kept"] else "a duplicate"
        say(f"  {row['doc_id']} ({state}) is {row['similarity']:.1%} similar to {row['like']}")


def _lines(path: Path | None) -> list[str]:
    """The non-empty lines of a file, unchanged."""
    if path is None:
        return []
    try:
        with open_named(path) as stream:
            text = stream.read().decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): give a file with one entry per line") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text: give a text file with one entry per line") from error
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return [line for line in lines if line]


def _entries(path: Path | None) -> list[str]:
    """The stripped lines of a file, without empty lines and lines that begin with #."""
    lines = map(str.strip, _lines(path))
    return [line for line in lines if line and not line.startswith("#")]


def _print_takedown(report: TakedownReport, output: str) -> None:
    say(
        f"release {report.of}: {report.taken_down:,} taken down, {report.brought_back:,} brought back, "
        f"{report.lost:,} removed as duplicates of documents brought back"
    )
    if report.same_text:
        say(f"taken down because another document taken down has the same text: {report.same_text:,}")
    if report.near:
        say(f"taken down because another document taken down is nearly the same: {report.near:,}")
    if report.near_left:
        _print_near(report.near_left, output)
    for reason, asked in report.asked.items():
        missing = asked - report.found[reason]
        if not missing:
            continue
        with Folder(output).reading(not_found_name(reason)) as lines:
            shown = [line.decode().removesuffix("\n") for line in islice(lines, SHOWN)]
        where = f", see {not_found_name(reason)}" if missing > len(shown) else ""
        say(f"not found: {missing:,} of the {asked:,} {WORDS[reason]} asked for: {and_more(shown, missing)}{where}")
