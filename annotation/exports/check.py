"""Reads an export back and compares it, row by row, with its dataset (law 7: trainer truth)."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from annotation.dataset.manifest import read_manifest
from annotation.dataset.master import Master
from annotation.exports import loading
from annotation.exports.comparing import Fault, compare
from annotation.exports.export import SPLITS, companions, prepare
from annotation.exports.exported import Split
from annotation.exports.formats import FORMATS, MARGINS, Format
from annotation.exports.manifest import FORMAT, VERSION, ExportManifest
from schemas.errors import CHANGED, DamagedError, UserError
from schemas.manifest import MANIFEST, MISSING, difference, named_entries
from schemas.named_files import NamedFileError, open_named


@dataclass(frozen=True)
class Checked:
    """The result of a check. ``by``: the loader that read the rows; ``own``: whether it is the trainer's own loader."""

    format: Format
    by: str
    own: bool
    comparisons: int
    rows: int
    left_out: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class _Reading:
    """The rows of each split, the loader that reads them, and whether it is the trainer's own loader."""

    splits: Mapping[str, loading.TrainerRows]
    by: str
    own: bool
    faults: tuple[Fault, ...] = ()


def describe_export(folder: Path, form: str) -> ExportManifest:
    """The manifest of an export. Raises UserError for a folder that is not an export, or is in another format."""
    if form not in FORMATS:
        raise UserError(f"there is no format {form}: choose one of {', '.join(FORMATS)}")
    _, manifest = read_manifest(folder, ExportManifest, FORMAT, VERSION, "no export", "gristmill dataset export")
    found = manifest.trainer_format
    if found not in FORMATS or manifest.margin not in MARGINS:
        raise DamagedError(f"{folder / MANIFEST} names an unknown format or margin: {CHANGED}")
    if found != form:
        raise UserError(f"{folder} has the format {found}: give --format {found}")
    return manifest


def check(folder: Path, form: str, master: Master) -> Checked:
    """Reads the export, with the trainer's own loader if it is installed, and compares each row with the dataset.

    Every comparison must be in the export or in its list of left-out comparisons, with the same dialogue before both
    answers, the same answers, and the margin, weight and flags that the format carries. Raises UserError if the export
    was made from another dataset.
    """
    manifest = describe_export(folder, form)
    if manifest.master.sha256 != master.digest:
        raise UserError(
            f"{folder} was not exported from the present {master.folder}: export it again, or give the original dataset"
        )
    wanted = FORMATS[form]
    faults = list(_find_changed(folder, manifest))
    counted = comparisons = left_out = 0
    made = {called: prepare(master.splits[name], wanted, manifest.margin) for name, called in SPLITS.items()}
    faults += _check_other_files(folder, manifest, wanted, {called: split for called, (_, split) in made.items()})
    with _read_back(folder, wanted) as reading:
        faults += reading.faults
        for called, (expected, split) in made.items():
            try:
                found = compare(called, expected, reading.splits.get(called, ()), wanted)
            except loading.BROKEN as error:
                faults.append(Fault("unreadable", f"its rows cannot be read: {loading.describe_error(error)}", called))
                continue
            faults += found.faults
            faults += _check_left_out(folder, called, split)
            counted += found.rows
            comparisons += split.comparisons
            left_out += sum(map(len, split.left_out.values()))
    return Checked(wanted, reading.by, reading.own, comparisons, counted, left_out, tuple(faults))


def _find_changed(folder: Path, manifest: ExportManifest) -> Iterator[Fault]:
    for name, each in named_entries(manifest.files, str(folder / MANIFEST)).items():
        if wrong := difference(each, lambda name: open_named(folder / name)):
            yield Fault("file_missing" if wrong == MISSING else "file_changed", f"{name} {wrong}")


def _check_other_files(
    folder: Path, manifest: ExportManifest, wanted: Format, splits: Mapping[str, Split]
) -> Iterator[Fault]:
    """Faults besides the rows: extra files, wrong companion files of the trainer, and wrong counts in the manifest."""
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MANIFEST}
    for name in sorted(there - manifest.files.keys()):
        yield Fault("file_added", f"{name} is not in the manifest")
    written = [called for called, split in splits.items() if split.rows]
    for name, text in companions(wanted, written).items():
        if _read_if_readable(folder / name) != text.encode():
            yield Fault("file_differs", f"{name} does not describe these rows to {wanted.trainer}")
    if manifest.splits != {called: split.counts for called, split in splits.items()}:
        yield Fault("counts_differ", "the counts in manifest.json differ from the dataset")


def _check_left_out(folder: Path, called: str, split: Split) -> Iterator[Fault]:
    """A fault unless left_out.jsonl names exactly the comparisons that are left out of this split."""
    path = folder / "left_out.jsonl"
    lines = _read_if_readable(path).splitlines()
    wanted = sorted((each, reason) for reason, ids in split.left_out.items() for each in ids)
    try:
        rows = [orjson.loads(line) for line in lines]
        named = sorted((each["comparison_id"], each["reason"]) for each in rows if each["split"] == called)
    except (ValueError, KeyError, TypeError):
        named = None
    if named != wanted:
        yield Fault("left_out", f"{path.name} does not name the {len(wanted):,} comparisons that are left out", called)


def _read_if_readable(path: Path) -> bytes:
    """The bytes of a file; no bytes if the file is missing or cannot be read, which is a fault of its own."""
    try:
        with open_named(path) as stream:
            return stream.read()
    except (OSError, NamedFileError):
        return b""


@contextmanager
def _read_back(folder: Path, wanted: Format) -> Iterator[_Reading]:
    if not any(folder.glob("t*")):  # no split has rows, and `datasets` would take other files for some
        yield _Reading({}, "nothing, for there are no rows", False)
        return
    packages = {"trl": ("trl", "datasets")}.get(wanted.loader or "", ("datasets",))
    versions = loading.find_versions(*packages)
    schema = f"the documented schema of {wanted.trainer}"
    if versions is None:
        by = f"pyarrow, by {schema} ({' or '.join(packages)} is not installed)"
        yield _Reading(_read_without_loader(folder, wanted), by, False)
        return
    with ExitStack() as stack:
        try:
            splits = stack.enter_context(loading.load_splits(folder, wanted.file))
        except loading.LoadingError as error:
            fault = Fault("unloadable", f"{packages[-1]} cannot load it: {error}")
            yield _Reading(_read_without_loader(folder, wanted), f"pyarrow, by {schema}", False, (fault,))
            return
        if wanted.loader == "trl":
            rows = {name: loading.train_rows(wanted.name, each) for name, each in splits.items()}
            yield _Reading(rows, versions, True)
            return
        rows = {name: loading.rows(each) for name, each in splits.items()}
        own = wanted.loader is not None
        yield _Reading(rows, versions if own else f"{versions}, by {schema}", own)


def _read_without_loader(folder: Path, wanted: Format) -> dict[str, loading.TrainerRows]:
    out: dict[str, loading.TrainerRows] = {}
    for called in SPLITS.values():
        path = folder / {"disk": f"{called}/data-00000-of-00001.arrow"}.get(wanted.file, f"{called}.{wanted.file}")
        if path.is_file():
            out[called] = _file(path)
    return out


def _file(path: Path) -> Iterator[dict[str, Any]]:
    if path.suffix == ".jsonl":
        with path.open("rb") as lines:
            yield from map(orjson.loads, lines)
    elif path.suffix == ".arrow":
        with pa.memory_map(str(path)) as source:
            for batch in pa.ipc.open_stream(source):
                yield from batch.to_pylist()
    else:
        for batch in pq.ParquetFile(path).iter_batches(1000):
            yield from batch.to_pylist()
