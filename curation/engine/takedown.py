"""Takes documents down: writes a release again without them, and brings back the documents removed in their favour."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from importlib.metadata import version

from curation.dedup.removal import STAGES
from curation.engine.beam_options import is_local
from curation.engine.budget import budget
from curation.engine.capacity import warn_of_memory
from curation.engine.carried_files import load_files, send_files
from curation.engine.claim import Claim, claim_folder, tidy
from curation.engine.driver import Watch
from curation.engine.manifest import check_written, gather, gather_near, gather_released, plain
from curation.engine.piece_cuts import STAGE as PIECES
from curation.engine.planning import workers_for
from curation.engine.run import Run, judged_name, written_name
from curation.engine.runner import run_pipelines, started_workers
from curation.engine.selecting_pass import HASHES, NEAR_HASHES, SELECTION, read_hashes
from curation.engine.selection import REASONS, Selection
from curation.engine.takedown_lists import list_missing, list_near
from curation.engine.taken_down import NEAR, SAME_TEXT, merge_hashes, taken_down_hashes
from curation.engine.unit_reports import JudgedReport, WrittenReport
from curation.job import Execution, Job
from curation.recipe import Recipe
from curation.release.folder import Folder
from curation.release.ledger import LedgerReport
from curation.release.manifest import SITE_REJECTS, TABLES, Manifest, TakedownReport, read_manifest
from curation.release.opening import Release, against_missing, check_apart, check_shards, open_releases
from curation.release.readme import write_readme
from curation.release.shards import ShardWriter, shard_name
from schemas import DOCUMENTS, SIGNALS, TAKEN_DOWN
from schemas.errors import UserError
from schemas.manifest import MANIFEST, ShardEntry

READ_AGAIN = (
    *("documents/", "cuts/", "rejects/", "sites/", "sketches/", "signals/", "quarantine/"),
    f"{TAKEN_DOWN.name}/",
)
"""The tables of a release that are read, as prefixes of file names."""


def takedown(
    release: Release,
    before: Manifest,
    recipe: Recipe,
    selection: Selection,
    output: str,
    execution: Execution | None = None,
    against: Sequence[str] = (),
    watch: Watch | None = None,
) -> Manifest:
    """Writes the release without the selected documents into the new folder ``output``, and returns the new manifest.
    The release itself does not change.

    ``before`` is the release's manifest, ``recipe`` its recipe; ``against`` are the folders of the releases that it was
    deduplicated against, or of takedowns of them: documents that were removed in favour of a document which is no
    longer there come back. An interrupted run resumes. Raises UserError for a user's mistake, also if there is nothing
    to take down, and RunError if the run cannot finish.
    """
    execution = execution or Execution()
    releases = open_releases(against, plain(recipe))
    renewed = release.is_stale(releases)
    if selection.empty and not renewed:
        raise UserError("nothing to take down: the lists of documents, hosts and urls are empty")
    _check(release, before, releases)
    folder, digest = Folder(output), _digest(selection)
    check_apart(folder, (release, *releases))
    check_shards(release, before, READ_AGAIN)
    names = [each.name for each in releases]
    done = _finished_takedown(folder, release, names, digest)
    if done is not None:
        return done
    asked = {"takedown": release.name, "against": names, "selection": digest}
    claim = Claim(gristmill=version("gristmill"), files={}, asked=asked)
    was_there = folder.exists("")
    with claim_folder(folder, claim):
        warn_of_memory(execution)
        folder.write_json(SELECTION, selection.to_json())
        run, workers = _prepare(release, before, recipe, releases, folder, execution)

        def check_matched() -> None:
            judged = (folder.read_json(judged_name(unit), JudgedReport) for unit in range(run.units))
            if not renewed and not any(report.taken for report in judged):
                folder.clear() if was_there else folder.abandon()
                raise UserError(
                    f"{release.folder.root} holds none of the selected documents: there is nothing to take down"
                )

        load_files(recipe)
        send_files(folder, recipe.carried_files(), run.local)
        shown = watch(folder, _sizes(before, release.units)) if watch else nullcontext()
        with started_workers(run, workers, execution) as processes, shown:
            run_pipelines(run, range(run.first, run.all_units), processes, execution, check_matched)
            found = _manifest(run, release, before, selection)
            write_readme(folder, found)
            folder.write_json(MANIFEST, found)
        folder.release()
    return found


def _prepare(
    release: Release,
    before: Manifest,
    recipe: Recipe,
    releases: tuple[Release, ...],
    folder: Folder,
    execution: Execution,
) -> tuple[Run, int]:
    """The run, and its number of worker processes."""
    compared = sum(_sizes(before, release.units)) + sum(each.stored_bytes for each in releases)
    run = Run(
        Job(inputs=(), recipe=recipe, rejects_text=before.rejects_text),
        folder,
        release.units,
        execution.partitions or budget(compared, release.units, execution.memory).partitions,
        is_local(execution.beam_options),
        releases=releases,
        taken_from=release,
    )
    return run, workers_for(execution, compared, release.units)


def _manifest(run: Run, release: Release, before: Manifest, selection: Selection) -> Manifest:
    """The manifest of a run whose units are all written; also writes the lists and the hashes of texts taken down."""
    ledger, _, outputs = gather(run)
    ledger.skip(before.ledger.skipped)
    ledger.check()
    report = ledger.report()
    _check_accounts(release.folder.root, report, before)
    against, listed = gather_released(run)
    judged = [run.folder.read_json(judged_name(unit), JudgedReport) for unit in range(run.units)]
    taken = {reason: {entry for each in judged for entry in each.found.get(reason, ())} for reason in REASONS}
    near, lists = (0, {}) if selection.near else list_near(run)
    lists |= list_missing(run.folder, selection, taken)
    remembering = _write_texts(run, release, selection)
    outputs |= {**listed, **remembering}
    check_written(run.folder, outputs)
    schemas = {
        **before.schemas,
        DOCUMENTS.name: DOCUMENTS.version,
        **({TAKEN_DOWN.name: TAKEN_DOWN.version} if remembering else {}),
    }
    written = [run.folder.read_json(written_name(unit), WrittenReport) for unit in range(run.units)]
    done = TakedownReport(
        of=release.name,
        selection=_digest(selection),
        asked={reason: len(entries) for reason, entries in selection.by_reason().items()},
        found={reason: len(entries) for reason, entries in taken.items()},
        taken_down=sum(each.taken for each in judged),
        same_text=sum(each.reasons.get(SAME_TEXT, 0) for each in judged),
        near=sum(each.reasons.get(NEAR, 0) for each in judged),
        brought_back=sum(each.brought_back for each in written),
        lost=sum(each.lost for each in written),
        near_left=near,
    )
    return replace(
        before,
        gristmill=version("gristmill"),
        schemas=schemas,
        ledger=report,
        outputs=outputs,
        lists=lists,
        against=against,
        takedown=(*before.takedown, done),
        near_duplicates=gather_near(run),
    )


def _write_texts(run: Run, release: Release, selection: Selection) -> dict[str, ShardEntry]:
    """Writes a file with the hashes of all texts that this takedown and earlier ones removed, if they removed any."""
    near = [read_hashes(run.folder, NEAR_HASHES)] if selection.near else []
    every = merge_hashes([taken_down_hashes((release,)), read_hashes(run.folder, HASHES), *near])
    if not len(every):
        return {}
    with ShardWriter(run.folder, shard_name(TAKEN_DOWN.name, 0), TAKEN_DOWN.schema) as shard:
        shard.write(TAKEN_DOWN.batch({"content_hash": every}))
    return {shard.name: shard.entry()}


def _check(release: Release, before: Manifest, releases: Sequence[Release]) -> None:
    path = release.folder.root
    for name in release.missing(releases):
        raise UserError(f"{path} {against_missing(name)}")
    for each in releases:
        if not release.knew(each):
            raise UserError(f"{path} was not deduplicated against {each.folder.root}: leave that folder out")
    lost = any(each.stage in (*STAGES, PIECES) for each in before.ledger.rejected)
    if lost and not before.rejects_text:
        raise UserError(
            f"{path} was written with rejects_text = false, so no duplicate can be brought back: curate its "
            "input again without the documents"
        )


def _sizes(manifest: Manifest, units: int) -> list[int]:
    """The bytes of each unit's shards, which are read again."""
    sizes = [0] * units
    for name, entry in manifest.outputs.items():
        table, _, shard = name.rpartition("/")
        if table in (*TABLES, SITE_REJECTS, SIGNALS.name):
            sizes[int(shard.removesuffix(".parquet"))] += entry.bytes
    return sizes


def _digest(selection: Selection) -> str:
    return hashlib.sha256(json.dumps(selection.to_json(), sort_keys=True).encode()).hexdigest()


def _check_accounts(path: str, now: LedgerReport, before: Manifest) -> None:
    for what in ("read", "quarantined"):
        if getattr(now, what) != getattr(before.ledger, what):
            raise UserError(f"{path}: shards and manifest count different {what} records: restore the original folder")


def _finished_takedown(folder: Folder, release: Release, against: list[str], digest: str) -> Manifest | None:
    """The manifest of a folder that the same takedown has already written, else None."""
    found = read_manifest(folder)
    if found is None or not found.takedown:
        return None
    last = found.takedown[-1]
    known = [each.release for each in found.against]
    wanted = release.name, digest, against, version("gristmill")
    if (last.of, last.selection, known, found.gristmill) != wanted:
        return None
    tidy(folder)
    return found
