"""Any folder that Gristmill finished, compared with its manifest: each file by its size and SHA-256."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from annotation.dataset import manifest as datasets
from annotation.exports.manifest import FORMAT as EXPORT
from annotation.exports.manifest import VERSION as EXPORT_VERSION
from curation.engine.takedown_lists import NOT_FOUND
from curation.release.folder import WORK, Folder
from curation.release.manifest import parse_manifest
from schemas.errors import UserError
from schemas.manifest import MANIFEST, Noted, difference, noted_files, parsed, read_manifest, size_difference
from schemas.packed import FORMAT as PACKED
from schemas.packed import read_packed
from schemas.progress import Tell

THREADS = 4
ANNOTATION = {
    datasets.FORMAT: (datasets.VERSION, "a dataset of comparisons"),
    EXPORT: (EXPORT_VERSION, "an export of a dataset"),
}
"""What annotation writes: of each format the newest version, and what it is."""
_NAME_ONE = "name a folder that gristmill curate, takedown, pack or dataset wrote"


@dataclass(frozen=True)
class Held:
    """What a manifest says that its folder holds. ``loose`` begins the names of files that it need not name."""

    what: str
    digest: str
    files: Mapping[str, Noted]
    loose: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fault:
    """A file that is not as the manifest says, and what is wrong with it."""

    name: str
    what: str


def held(folder: Folder) -> Held:
    """What the folder's manifest says. Raises UserError for a folder without one, and for one that is damaged."""
    files, root = folder.filesystem()
    if not files.isdir(root):
        raise UserError(f"{folder.root} is not a folder: {_NAME_ONE}")
    try:
        with folder.reading(MANIFEST) as stream:
            content = stream.read()
    except FileNotFoundError as error:
        why = f"no {MANIFEST}: {_NAME_ONE}"
        if folder.exists(WORK):
            why = "an unfinished run: run its command to its end first"
        raise UserError(f"{folder.root} holds {why}") from error
    place, digest = f"{folder.root}/{MANIFEST}", hashlib.sha256(content).hexdigest()
    manifest = parsed(content, place)
    form = manifest.get("format") if isinstance(manifest, dict) else None
    if form == PACKED:
        return Held("packed sequences", digest, read_packed(content, place)[1])
    if form in ANNOTATION:
        version, what = ANNOTATION[form]
        named = read_manifest(
            content, place, datasets.Manifest, form=form, version=version, made_by="gristmill dataset"
        )
        return Held(what, digest, noted_files(named.files, place))
    found = parse_manifest(content, folder)
    what = "a corpus after a takedown" if found.takedown else "a corpus"
    loose = () if found.lists is not None else (NOT_FOUND,)  # as takedowns of earlier versions left them
    return Held(what, digest, found.files, loose)


def faults(folder: Folder, held: Held, sizes: Mapping[str, int], tell: Tell) -> Iterator[Fault]:
    """Every file that is missing, damaged or not named by the manifest, sorted by name. ``sizes``: of the files that
    are there, from `sizes_of`. ``tell`` is given the bytes that were read, and how many there are."""
    names = sorted(held.files.keys() | {name for name in sizes if not name.startswith(held.loose)})
    total = sum(sizes.get(name, 0) for name in held.files)
    done = 0
    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as threads:
        for name, what in zip(names, threads.map(lambda name: _fault(folder, held, name, sizes), names), strict=True):
            if what is not None:
                yield Fault(name, what)
            done += sizes.get(name, 0) if name in held.files else 0
            tell(done, total)


def _fault(folder: Folder, held: Held, name: str, sizes: Mapping[str, int]) -> str | None:
    """What is wrong with a file, in words that follow its name; a file of another size is not read."""
    each = held.files.get(name)
    if each is None:
        return "is not in the manifest"
    try:
        return size_difference(each, sizes.get(name)) or difference(each, folder.reading)
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"


def sizes_of(folder: Folder) -> dict[str, int]:
    """The bytes of every file of a finished folder by its name, but for the manifest."""
    files, root = folder.filesystem()
    files.invalidate_cache()
    prefix = root.rstrip("/") + "/"
    found = {path.removeprefix(prefix): about["size"] for path, about in files.find(root, detail=True).items()}
    return {name: size for name, size in found.items() if name != MANIFEST and not name.startswith(f"{WORK}/")}
