"""The manifest: written last, it says what a finished folder holds, what it was made from and how."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from curation.engine.run import Run, judged_name, superseded_name, written_name
from curation.engine.unit_reports import JudgedReport, SupersededReport, UnitReport, WrittenReport
from curation.job import Job
from curation.release.folder import WORK, Folder
from curation.release.ledger import Ledger
from curation.release.manifest import FORMAT, AgainstReport, InputReport, Manifest
from curation.sources.members import MAX_WINDOW_BYTES
from curation.sources.places import readable
from schemas import DOCUMENTS, QUARANTINE, REJECTS, SIGNALS, SKETCHES, SUPERSEDED
from schemas.errors import RunError
from schemas.manifest import ShardEntry


def described(job: Job) -> dict[str, Any]:
    """A job as JSON, with what tells one version of its lists from another; which releases it is deduplicated against
    is told by their names, not by where they lie. ``allow_unreadable``, which changes no byte, is left out, and so are
    ``follow_links``, ``max_window_bytes`` and the formats of inputs where they have their defaults."""
    asked: dict[str, Any] = plain(job)
    del asked["against"], asked["allow_unreadable"]
    if not job.follow_links:
        del asked["follow_links"]
    if job.reading.max_window_bytes == MAX_WINDOW_BYTES:
        del asked["reading"]["max_window_bytes"]
    for one in asked["inputs"]:
        if one["format"] is None:
            del one["format"]
    return {**asked, "lists": job.recipe.list_digests()}


def gather(folder: Folder, units: int) -> tuple[Ledger, list[InputReport], dict[str, ShardEntry]]:
    """The whole ledger, the files read and the files written, from the units' reports in their order."""
    ledger, files, outputs = Ledger(), list[InputReport](), dict[str, ShardEntry]()
    for unit in range(units):
        judged = folder.read_json(judged_name(unit), JudgedReport)
        written = folder.read_json(written_name(unit), WrittenReport)
        files += judged.files
        for report in (judged, written):
            ledger.merge(Ledger.of(report.ledger))
            outputs |= report.outputs
    return ledger, files, outputs


def forget_damaged(folder: Folder, units: int) -> None:
    """Makes an interrupted run do those units again of which a file is gone, or is not of the size that was written."""
    for unit in range(units):
        names = [name for name in (judged_name(unit), written_name(unit)) if folder.exists(name)]
        reports = [folder.read_json(name, UnitReport) for name in names]
        if _not_whole(folder, {name: entry for report in reports for name, entry in report.outputs.items()}):
            for name in names:
                folder.remove(name)
            folder.remove_below(f"{WORK}/shuffle")  # there the stages are noted as done


def check_whole(folder: Folder, outputs: Mapping[str, ShardEntry]) -> None:
    """Raises RunError where a file is not as it was written: a machine that crashed may have kept its name alone."""
    if changed := _not_whole(folder, outputs):
        raise RunError(
            f"{folder.root}/{changed[0]} is not as it was written, as happens where a machine crashes: "
            "remove that folder and run again"
        )


def _not_whole(folder: Folder, outputs: Mapping[str, ShardEntry]) -> list[str]:
    """The names of the files that are gone or are not of the size that was written."""
    sizes = folder.sizes(outputs)
    return [name for name, entry in outputs.items() if sizes.get(name) != entry.bytes]


def gather_released(run: Run) -> tuple[tuple[AgainstReport, ...], dict[str, ShardEntry]]:
    """What the run means to each release, and the files written about them."""
    removed: Counter[str] = Counter()
    for unit in range(run.units):
        removed.update(run.folder.read_json(written_name(unit), WrittenReport).released)
    superseded: Counter[str] = Counter()
    outputs: dict[str, ShardEntry] = {}
    for unit in range(run.first):
        report = run.folder.read_json(superseded_name(unit), SupersededReport)
        superseded[run.released(unit)[0].name] += report.documents
        outputs |= report.outputs
    told = (
        AgainstReport(release=each.name, removed_for=removed[each.name], superseded=superseded[each.name])
        for each in run.releases
    )
    return tuple(told), outputs


def manifest(
    job: Job,
    ledger: Ledger,
    files: Sequence[InputReport],
    outputs: Mapping[str, ShardEntry],
    against: tuple[AgainstReport, ...],
) -> Manifest:
    """No runner, worker count, output path or clock is in it, so that equal runs have equal manifests."""
    tables = (DOCUMENTS, REJECTS, SIGNALS, SKETCHES, QUARANTINE, SUPERSEDED)
    return Manifest(
        format=FORMAT,
        gristmill=version("gristmill"),
        schemas={table.name: table.version for table in tables},
        job=described(job),
        against=against,
        inputs=tuple(files),
        ledger=ledger.report(),
        outputs=outputs,
    )


def plain(value: Any) -> Any:
    """Dataclasses, tuples and mappings as JSON's types."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, (tuple, list)):
        return [plain(each) for each in value]
    if hasattr(value, "items"):
        return {str(key): plain(each) for key, each in sorted(value.items())}
    if isinstance(value, str):
        return readable(value)
    return value
