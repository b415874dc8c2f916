"""The manifest: written last, it says what a finished folder holds, what it was made from and how."""

import dataclasses
from importlib.metadata import version
from typing import Any

from curation.folder import Folder
from curation.job import Job
from curation.ledger import Ledger
from curation.run import judged_name, written_name
from schemas import DOCUMENTS, QUARANTINE, REJECTS, SIGNALS, SKETCHES

MANIFEST = "manifest.json"
FORMAT = 1
"""Grows whenever a reader of the manifest would notice the change."""


def gather(folder: Folder, units: int) -> tuple[Ledger, list[dict[str, Any]], list[dict[str, Any]]]:
    """The whole ledger, the files read and the files written, from the units' reports in their order."""
    ledger, files, outputs = Ledger(), [], []
    for unit in range(units):
        for report in (folder.read_json(judged_name(unit)), folder.read_json(written_name(unit))):
            ledger.merge(Ledger.from_json(report["ledger"]))
            files += report.get("files", [])
            outputs += report["outputs"]
    return ledger, files, outputs


def manifest(job: Job, ledger: Ledger, files: list[dict[str, Any]], outputs: list[dict[str, Any]]) -> dict[str, Any]:
    """No runner, worker count, output path or clock is in it, so that equal runs have equal manifests."""
    tables = (DOCUMENTS, REJECTS, SIGNALS, SKETCHES, QUARANTINE)
    return {
        "format": FORMAT,
        "gristmill": version("gristmill"),
        "schemas": {table.name: table.version for table in tables},
        "job": plain(job),
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
    return value
