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
from curation.recipes.tables import recipe_of
from curation.release.folder import Folder
from curation.release.ledger import Ledger
from curation.release.manifest import TakedownReport
from curation.release.opening import open_release
from jobs.corpus.compiling import compile_kernels
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
    """The arguments and options of the command; None or empty for what was not given."""

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
    """Writes the release anew without what is to be taken down, and says what became of it."""
    if options.doc_ids is None and options.hosts is None and options.urls is None and not options.against:
        raise UserError("say what to take down: --doc-id FILE, --host FILE or --url FILE, with one entry a line")
    selection = Selection.of(_lines(options.doc_ids), _entries(options.hosts), _entries(options.urls), options.near)
    opened, before = open_release(options.release)
    recipe = recipe_of(before.recipe, f"{options.release}/{MANIFEST}")
    compile_kernels(options.progress)
    started = time.monotonic()
    execution = Execution(workers=options.workers, memory=options.memory)
    found = takedown(
        opened, before, recipe, selection, options.output, execution, options.against, watcher(options.progress)
    )
    print_summary(Ledger.of(found.ledger), options.output, time.monotonic() - started)
    print_releases(found)
    _print_takedown(found.takedown[-1], options.output)


def _print_near(count: int, output: str) -> None:
    with Folder(output).reading(NEAR_LIST) as lines:
        shown = [json.loads(line) for line in islice(lines, SHOWN)]
    say(f"near-duplicates of what was taken down: {count:,} (--near takes them down, too), see {NEAR_LIST}")
    for each in shown:
        state = "kept" if each["kept"] else "a duplicate"
        say(f"  {each['doc_id']} ({state}) is {each['similarity']:.1%} alike to {each['like']}")


def _lines(path: Path | None) -> list[str]:
    """The lines of a file as they are, but for empty ones."""
    if path is None:
        return []
    try:
        with open_named(path) as stream:
            text = stream.read().decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text: give one entry a line") from error
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return [line for line in lines if line]


def _entries(path: Path | None) -> list[str]:
    """The lines of a file without the blanks around them, empty lines and those that begin with #."""
    lines = map(str.strip, _lines(path))
    return [line for line in lines if line and not line.startswith("#")]


def _print_takedown(told: TakedownReport, output: str) -> None:
    say(
        f"release {told.of}: taken down {told.taken_down:,}, brought back {told.brought_back:,}, "
        f"removed as duplicates of documents brought back {told.lost:,}"
    )
    if told.same_text:
        say(f"taken down because another document taken down has the same text: {told.same_text:,}")
    if told.near:
        say(f"taken down because another document taken down is nearly the same: {told.near:,}")
    if told.near_left:
        _print_near(told.near_left, output)
    for reason, asked in told.asked.items():
        missing = asked - told.found[reason]
        if not missing:
            continue
        with Folder(output).reading(not_found_name(reason)) as lines:
            shown = [line.decode().removesuffix("\n") for line in islice(lines, SHOWN)]
        where = f", see {not_found_name(reason)}" if missing > len(shown) else ""
        say(f"not found: {missing:,} of the {asked:,} {WORDS[reason]} asked for: {and_more(shown, missing)}{where}")
