"""Makes the manifest of a run, which is written last: what the folder holds, what it was made from and how."""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from typing import Any

from curation.engine.run import Run, judged_name, sites_removed_name, superseded_name, written_name
from curation.engine.unit_reports import JudgedReport, SitesRemovedReport, SupersededReport, UnitReport, WrittenReport
from curation.filters.definitions import QualityDefinition, RepetitionDefinition
from curation.filters.identifiers import LID_176
from curation.job import Job
from curation.recipes.languages import languages_table
from curation.release.folder import WORK, Folder
from curation.release.ledger import Ledger
from curation.release.manifest import AgainstReport, InputReport
from curation.release.near_report import NearReport, merged
from curation.sites.evidence import SitesReport, merge_reports
from curation.sources.members import MAX_WINDOW_BYTES
from curation.sources.places import readable
from schemas.errors import RunError
from schemas.manifest import ShardEntry


def job_json(job: Job) -> dict[str, Any]:
    """A job as JSON, with the digests of its lists and models. ``against`` is left out, since the manifest names the
    releases, and ``allow_unreadable``, which changes no byte; ``follow_links``, ``max_window_bytes``, the formats of
    inputs, ``sites``, ``pieces``, the identifier of languages, the definitions of steps, what splits words and the
    kinds of personal information are left out where they have their defaults."""
    recipe = job.recipe
    asked: dict[str, Any] = plain(dataclasses.replace(job, recipe=dataclasses.replace(recipe, languages=())))
    del asked["against"], asked["allow_unreadable"]
    if not job.follow_links:
        del asked["follow_links"]
    if job.reading.max_window_bytes == MAX_WINDOW_BYTES:
        del asked["reading"]["max_window_bytes"]
    if recipe.sites is None:
        del asked["recipe"]["sites"]
    if recipe.dedup.pieces is None:
        del asked["recipe"]["dedup"]["pieces"]
    del asked["recipe"]["language_file"]
    if recipe.languages:
        asked["recipe"]["languages"] = languages_table(recipe.steps, recipe.languages, recipe.language_file)
    else:
        del asked["recipe"]["languages"]
    for source in asked["inputs"]:
        if source["format"] is None:
            del source["format"]
    defaults = plain((QualityDefinition(), RepetitionDefinition()))
    for step in asked["recipe"]["steps"]:
        if step.get("identifier") == LID_176:
            del step["identifier"]
        if step.get("definition") in defaults:
            del step["definition"]
        if step["use"] == "redact" and step["kinds"] is None:
            del step["kinds"]
        if step.get("words") == "spacy_en":
            del step["words"]
    return {**asked, "lists": job.recipe.list_digests()}


def gather(run: Run) -> tuple[Ledger, list[InputReport], dict[str, ShardEntry]]:
    """The ledger of the run, the files read and the files written, from the units' reports in order."""
    ledger, files, outputs = Ledger(), list[InputReport](), dict[str, ShardEntry]()
    folder = run.folder
    for unit in range(run.units):
        judged = folder.read_json(judged_name(unit), JudgedReport)
        removed = [folder.read_json(sites_removed_name(unit), UnitReport)] if run.removes_sites else []
        written = folder.read_json(written_name(unit), WrittenReport)
        files += judged.files
        for report in (judged, *removed, written):
            ledger.merge(Ledger.of(report.ledger))
            outputs |= report.outputs
    return ledger, files, outputs


def gather_near(run: Run) -> NearReport | None:
    """The report on the near-duplicates that the run removed; None if it removes no near-duplicates."""
    return merged(run.folder.read_json(written_name(unit), WrittenReport).near for unit in range(run.units))


def gather_sites(run: Run) -> SitesReport | None:
    """The report on the hosts of the run; None if it removes no sites."""
    if not run.removes_sites:
        return None
    names = map(sites_removed_name, range(run.units))
    return merge_reports(run.folder.read_json(name, SitesRemovedReport).sites for name in names)


def forget_damaged(folder: Folder, units: int) -> None:
    """Makes an interrupted run repeat the units with a file that is missing, or has not the size that was written."""
    for unit in range(units):
        names = [
            name for name in (judged_name(unit), sites_removed_name(unit), written_name(unit)) if folder.exists(name)
        ]
        reports = [folder.read_json(name, UnitReport) for name in names]
        if _incomplete_files(folder, {name: entry for report in reports for name, entry in report.outputs.items()}):
            for name in names:
                folder.remove(name)
            folder.remove_below(f"{WORK}/shuffle")  # it holds the results of finished stages


def check_written(folder: Folder, outputs: Mapping[str, ShardEntry]) -> None:
    """Raises RunError if a file has not the size that was written: after a crash of the machine a file may be empty."""
    if changed := _incomplete_files(folder, outputs):
        raise RunError(
            f"{folder.root}/{changed[0]} does not have the size that was written, as happens when a machine crashes: "
            f"remove {folder.root} and run again"
        )


def _incomplete_files(folder: Folder, outputs: Mapping[str, ShardEntry]) -> list[str]:
    """The names of the files that are missing, or do not have the size that was written."""
    sizes = folder.sizes(outputs)
    return [name for name, entry in outputs.items() if sizes.get(name) != entry.bytes]


def gather_released(run: Run) -> tuple[tuple[AgainstReport, ...], dict[str, ShardEntry]]:
    """What the run removed and superseded for each release, and the files that list superseded documents."""
    removed: Counter[str] = Counter()
    for unit in range(run.units):
        removed.update(run.folder.read_json(written_name(unit), WrittenReport).released)
    superseded: Counter[str] = Counter()
    outputs: dict[str, ShardEntry] = {}
    for unit in range(run.first):
        report = run.folder.read_json(superseded_name(unit), SupersededReport)
        superseded[run.release_of(unit)[0].name] += report.documents
        outputs |= report.outputs
    reports = (
        AgainstReport(release=each.name, removed_for=removed[each.name], superseded=superseded[each.name])
        for each in run.releases
    )
    return tuple(reports), outputs


def plain(value: Any) -> Any:
    """Dataclasses, tuples and mappings as JSON's types. Fields that a dataclass makes itself are left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value) if field.init}
    if isinstance(value, (tuple, list)):
        return [plain(each) for each in value]
    if hasattr(value, "items"):
        return {str(key): plain(each) for key, each in sorted(value.items())}
    if isinstance(value, str):
        return readable(value)
    return value
