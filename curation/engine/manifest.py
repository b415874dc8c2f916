"""The manifest: written last, it says what a finished folder holds, what it was made from and how."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from curation.engine.run import Run, judged_name, superseded_name, written_name
from curation.job import Job
from curation.release.folder import WORK, Folder
from curation.release.ledger import Ledger
from curation.release.manifest import FORMAT
from curation.sources.members import MAX_WINDOW_BYTES
from curation.sources.places import readable
from schemas import DOCUMENTS, QUARANTINE, REJECTS, SIGNALS, SKETCHES, SUPERSEDED
from schemas.errors import RunError


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


def gather(folder: Folder, units: int) -> tuple[Ledger, list[dict[str, Any]], list[dict[str, Any]]]:
    """The whole ledger, the files read and the files written, from the units' reports in their order."""
    ledger, files, outputs = Ledger(), [], []
    for unit in range(units):
        for report in (folder.read_json(judged_name(unit)), folder.read_json(written_name(unit))):
            ledger.merge(Ledger.from_json(report["ledger"]))
            files += report.get("files", [])
            outputs += report["outputs"]
    return ledger, files, outputs


def forget_damaged(folder: Folder, units: int) -> None:
    """Makes an interrupted run do those units again of which a file is gone, or is not of the size that was written."""
    for unit in range(units):
        names = [name for name in (judged_name(unit), written_name(unit)) if folder.exists(name)]
        outputs = [output for name in names for output in folder.read_json(name)["outputs"]]
        sizes = folder.sizes(output["name"] for output in outputs)
        if any(sizes.get(output["name"]) != output["bytes"] for output in outputs):
            for name in names:
                folder.remove(name)
            folder.remove_below(f"{WORK}/shuffle")  # there the stages are noted as done


def check_whole(folder: Folder, outputs: Sequence[dict[str, Any]]) -> None:
    """Raises RunError where a file is not as it was written: a machine that crashed may have kept its name alone."""
    sizes = folder.sizes(entry["name"] for entry in outputs)
    for entry in outputs:
        if sizes.get(entry["name"]) != entry["bytes"]:
            raise RunError(
                f"{folder.root}/{entry['name']} is not as it was written, as happens where a machine crashes: "
                "remove that folder and run again"
            )


def gather_released(run: Run) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What the run means to each release (documents removed for one of it; documents of it that are superseded), and
    the files written about them."""
    removed: Counter[str] = Counter()
    for unit in range(run.units):
        removed.update(run.folder.read_json(written_name(unit))["released"])
    superseded: Counter[str] = Counter()
    outputs = []
    for unit in range(run.first):
        report = run.folder.read_json(superseded_name(unit))
        superseded[run.released(unit)[0].name] += report["documents"]
        outputs += report["outputs"]
    told = [
        {"release": each.name, "removed_for": removed[each.name], "superseded": superseded[each.name]}
        for each in run.releases
    ]
    return told, outputs


def manifest(
    job: Job,
    ledger: Ledger,
    files: list[dict[str, Any]],
    outputs: list[dict[str, Any]],
    against: list[dict[str, Any]],
) -> dict[str, Any]:
    """No runner, worker count, output path or clock is in it, so that equal runs have equal manifests."""
    tables = (DOCUMENTS, REJECTS, SIGNALS, SKETCHES, QUARANTINE, SUPERSEDED)
    return {
        "format": FORMAT,
        "gristmill": version("gristmill"),
        "schemas": {table.name: table.version for table in tables},
        "job": described(job),
        "against": against,
        "inputs": files,
        "ledger": ledger.to_json(),
        "outputs": {entry["name"]: {k: v for k, v in entry.items() if k != "name"} for entry in outputs},
    }


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
