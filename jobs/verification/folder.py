"""Compares a folder that Gristmill wrote with its manifest: each file by size and SHA-256."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from annotation.dataset import manifest as datasets
from annotation.evaluation import manifest as judged
from annotation.evaluation import report_manifest as reported
from annotation.evaluation.forms import exporting as judged_export
from annotation.exports.manifest import FORMAT as EXPORT
from annotation.exports.manifest import VERSION as EXPORT_VERSION
from curation.contamination import manifest as contamination
from curation.engine.takedown_lists import NOT_FOUND
from curation.fasttext import classifier
from curation.release.folder import WORK, Folder
from curation.release.manifest import CARD_FILES, parse_manifest, read_content
from schemas.errors import UserError
from schemas.manifest import MANIFEST, NamedEntry, difference, named_entries, parse_json, read_manifest, size_difference
from schemas.packed import FORMAT as PACKED
from schemas.packed import read_packed
from schemas.progress import Tell

THREADS = 4
FORMATS = {
    classifier.FORMAT: (classifier.VERSION, "a classifier"),
    contamination.FORMAT: (contamination.VERSION, "a search for benchmarks"),
    datasets.FORMAT: (datasets.VERSION, "a dataset of comparisons"),
    EXPORT: (EXPORT_VERSION, "an export of a dataset"),
    judged.FORMAT: (judged.VERSION, "verdicts of a judge"),
    judged_export.FORMAT: (judged_export.VERSION, "an export of verdicts"),
    reported.FORMAT: (reported.VERSION, "a report of an evaluation"),
}
"""The manifests with a list of files: the newest version and a description of each format."""
_NAME_ANOTHER = (
    "name a folder that gristmill curate, takedown, pack, train-classifier, contamination, dataset, judge or "
    "evaluation wrote"
)


@dataclass(frozen=True)
class Expected:
    """The files of a folder according to its manifest. Files whose name begins with a prefix in ``loose`` may be
    missing from the manifest."""

    what: str
    digest: str
    files: Mapping[str, NamedEntry]
    loose: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fault:
    """A file that differs from the manifest, and how."""

    name: str
    what: str


def read_expected(folder: Folder) -> Expected:
    """The files in the folder's manifest. Raises UserError if the manifest is missing or damaged."""
    files, root = folder.filesystem()
    if not files.isdir(root):
        raise UserError(f"{folder.root} is not a folder: {_NAME_ANOTHER}")
    content = read_content(folder)
    if content is None:
        why = f"no {MANIFEST}: {_NAME_ANOTHER}"
        if folder.exists(WORK):
            why = "an unfinished run: repeat its command to finish it first"
        raise UserError(f"{folder.root} holds {why}")
    place, digest = f"{folder.root}/{MANIFEST}", hashlib.sha256(content).hexdigest()
    manifest = parse_json(content, place)
    form = manifest.get("format") if isinstance(manifest, dict) else None
    if form == PACKED:
        return Expected("packed sequences", digest, read_packed(content, place)[1])
    if isinstance(form, str) and form in FORMATS:
        version, what = FORMATS[form]
        named = read_manifest(
            content,
            place,
            datasets.Manifest,
            form=form,
            version=version,
            made_by="gristmill dataset, judge or evaluation",
        )
        return Expected(what, digest, named_entries(named.files, place))
    found = parse_manifest(content, folder)
    what = "a corpus after a takedown" if found.takedown else "a corpus"
    loose = () if found.lists is not None else (NOT_FOUND,)  # earlier versions' takedowns did not list these files
    return Expected(what, digest, found.files, (*loose, *CARD_FILES))


def faults(folder: Folder, expected: Expected, sizes: Mapping[str, int], tell: Tell) -> Iterator[Fault]:
    """Every file that is missing, damaged or not in the manifest, sorted by name. ``sizes`` of the existing files come
    from `sizes_of`. Calls ``tell`` with the bytes read so far and the bytes to read in all."""
    names = sorted(expected.files.keys() | {name for name in sizes if not name.startswith(expected.loose)})
    total = sum(sizes.get(name, 0) for name in expected.files)
    done = 0
    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as threads:
        for name, what in zip(
            names, threads.map(lambda name: _fault(folder, expected, name, sizes), names), strict=True
        ):
            if what is not None:
                yield Fault(name, what)
            done += sizes.get(name, 0) if name in expected.files else 0
            tell(done, total)


def _fault(folder: Folder, expected: Expected, name: str, sizes: Mapping[str, int]) -> str | None:
    """What is wrong with a file, to be printed after its name, or None. A file of another size is not read."""
    entry = expected.files.get(name)
    if entry is None:
        return "is not in the manifest"
    wrong = size_difference(entry, sizes[name]) if name in sizes else None  # a folder may hide its files from listings
    return wrong or difference(entry, folder.reading)


def sizes_of(folder: Folder) -> dict[str, int]:
    """The size in bytes of every file of a finished folder, by name, without the manifest."""
    files, root = folder.filesystem()
    files.invalidate_cache()
    prefix = root.rstrip("/") + "/"
    found = {path.removeprefix(prefix): about["size"] for path, about in files.find(root, detail=True).items()}
    return {name: size for name, size in found.items() if name != MANIFEST and not name.startswith(f"{WORK}/")}
