"""Takes documents down: a release is written anew without them, with what had been removed for them brought back."""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from importlib.metadata import version
from typing import Any

from curation.dedup.removal import STAGES
from curation.engine.beam_options import is_local
from curation.engine.beam_runner import run_pipelines
from curation.engine.budget import budget
from curation.engine.capacity import warn_of_memory
from curation.engine.claim import claimed, tidy
from curation.engine.driver import Watch
from curation.engine.manifest import check_whole, gather, gather_released, plain
from curation.engine.planning import SMALL_INPUT
from curation.engine.run import Run, judged_name, written_name
from curation.engine.selecting_pass import HASHES, NEAR_HASHES, SELECTION, read_hashes
from curation.engine.selection import REASONS, Selection
from curation.engine.takedown_lists import list_missing, list_near
from curation.engine.taken_down import NEAR, SAME_TEXT, remembered, together
from curation.job import Execution, Job
from curation.recipe import Recipe
from curation.release.folder import Folder
from curation.release.ledger import Ledger
from curation.release.manifest import read_manifest
from curation.release.opening import (
    Release,
    against_missing,
    check_apart,
    check_shards,
    open_releases,
)
from curation.release.shards import ShardWriter, shard_name
from schemas import TAKEN_DOWN
from schemas.errors import UserError
from schemas.manifest import MANIFEST

LOG = logging.getLogger(__name__)
READ_AGAIN = ("documents/", "rejects/", "sketches/", "signals/", "quarantine/", f"{TAKEN_DOWN.name}/")
"""The tables of a release that are read."""


def takedown(
    release: Release,
    before: dict[str, Any],
    recipe: Recipe,
    selection: Selection,
    output: str,
    execution: Execution | None = None,
    against: Sequence[str] = (),
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Writes the release, which stays as it is, into the new folder ``output`` without the selected documents, and
    returns the new manifest.

    ``before`` is the release's manifest, ``recipe`` the recipe in it; ``against`` are the folders of the releases that
    it was deduplicated against, or of what takedowns left of these: what was removed for a document that is gone from
    there comes back. An interrupted run goes on. Raises UserError for a user's mistake, also when nothing is there to
    be done, and RunError when the run cannot finish.
    """
    execution = execution or Execution()
    releases = open_releases(against, plain(recipe))
    renewed = release.is_stale(releases)
    if selection.empty and not renewed:
        raise UserError("nothing is to be taken down: the lists of documents, hosts and urls are empty")
    _check(release, before, releases)
    folder, digest = Folder(output), _digest(selection)
    check_apart(folder, (release, *releases))
    check_shards(release, before, READ_AGAIN)
    names = [each.name for each in releases]
    done = _finished(folder, release, names, digest)
    if done is not None:
        return done
    claim = {
        "gristmill": version("gristmill"),
        "takedown": release.name,
        "against": names,
        "selection": digest,
        "files": {},
    }
    was_there = folder.exists("")
    with claimed(folder, claim) as earlier:
        if earlier:
            LOG.warning("%s: going on with the run that was interrupted there", output, extra={"event": "resumed"})
        warn_of_memory(execution)
        folder.write_json(SELECTION, selection.to_json())
        run, workers = _prepared(release, before, recipe, releases, folder, execution)

        def something_is_taken() -> None:
            if not renewed and not any(folder.read_json(judged_name(unit))["taken"] for unit in range(run.units)):
                folder.clear() if was_there else folder.abandon()
                nothing = "holds nothing of what is to be taken down: there is nothing to be done"
                raise UserError(f"{release.folder.root} {nothing}")

        with watch(folder, _sizes(before, release.units)) if watch else nullcontext():
            run_pipelines(run, range(run.first, run.all_units), workers, execution, something_is_taken)
            found = _manifest(run, release, before, selection)
            folder.write_json(MANIFEST, found)
        folder.release()
    return found


def _prepared(
    release: Release,
    before: dict[str, Any],
    recipe: Recipe,
    releases: tuple[Release, ...],
    folder: Folder,
    execution: Execution,
) -> tuple[Run, int]:
    """The run, and how many worker processes it takes."""
    compared = sum(_sizes(before, release.units)) + sum(each.stored_bytes for each in releases)
    share = budget(compared, release.units, execution.memory)
    run = Run(
        Job(inputs=(), recipe=recipe, rejects_text=before["job"]["rejects_text"]),
        folder,
        release.units,
        execution.partitions or share.partitions,
        is_local(execution.beam_options),
        releases=releases,
        taken_from=release,
    )
    if execution.workers is not None:
        return run, execution.workers
    return run, 0 if compared < SMALL_INPUT or release.units < 2 else share.workers


def _manifest(run: Run, release: Release, before: dict[str, Any], selection: Selection) -> dict[str, Any]:
    """The manifest of a run whose units are all written; what the selection names in vain is listed in the folder."""
    ledger, _, outputs = gather(run.folder, run.units)
    ledger.skip(before["ledger"]["skipped"])
    ledger.check()
    _check_accounts(release.folder.root, ledger, before)
    against, listed = gather_released(run)
    taken = _found(run)
    near, lists = (0, []) if selection.near else list_near(run)
    lists += list_missing(run.folder, selection, taken)
    remembering = _write_texts(run, release, selection)
    outputs += [*listed, *remembering]
    check_whole(run.folder, outputs)
    schemas = {**before["schemas"], **({TAKEN_DOWN.name: TAKEN_DOWN.version} if remembering else {})}
    return {
        **before,
        "gristmill": version("gristmill"),
        "schemas": schemas,
        "ledger": ledger.to_json(),
        "outputs": {entry["name"]: {k: v for k, v in entry.items() if k != "name"} for entry in outputs},
        "lists": {entry["name"]: {k: v for k, v in entry.items() if k != "name"} for entry in lists},
        "against": against,
        "takedown": [*before.get("takedown", ()), {**_counts(run, release, selection, taken), "near_left": near}],
    }


def _write_texts(run: Run, release: Release, selection: Selection) -> list[dict[str, Any]]:
    """Writes the hashes of all texts that were taken down, now and before; no file where there are no such texts."""
    near = [read_hashes(run.folder, NEAR_HASHES)] if selection.near else []
    every = together([remembered((release,)), read_hashes(run.folder, HASHES), *near])
    if not len(every):
        return []
    with ShardWriter(run.folder, shard_name(TAKEN_DOWN.name, 0), TAKEN_DOWN.schema) as shard:
        shard.write(TAKEN_DOWN.batch({"content_hash": every}))
    return [shard.entry()]


def _check(release: Release, before: dict[str, Any], releases: Sequence[Release]) -> None:
    path = release.folder.root
    for name in release.missing(releases):
        raise UserError(f"{path} {against_missing(name)}")
    for each in releases:
        if not release.knew(each):
            raise UserError(f"{path} was not deduplicated against {each.folder.root}: leave that folder out")
    lost = any(entry["stage"] in STAGES for entry in before["ledger"]["rejected"])
    if lost and not before["job"]["rejects_text"]:
        raise UserError(
            f"{path} was written with rejects_text = false, so no duplicate can be brought back: curate its "
            "input again without the documents"
        )


def _sizes(manifest: dict[str, Any], units: int) -> list[int]:
    """The bytes of each unit's shards, which are read again."""
    sizes = [0] * units
    for name, entry in manifest["outputs"].items():
        table, _, shard = name.rpartition("/")
        if not table.startswith(("superseded", TAKEN_DOWN.name)):
            sizes[int(shard.removesuffix(".parquet"))] += entry["bytes"]
    return sizes


def _digest(selection: Selection) -> str:
    return hashlib.sha256(json.dumps(selection.to_json(), sort_keys=True).encode()).hexdigest()


def _check_accounts(path: str, ledger: Ledger, before: dict[str, Any]) -> None:
    now = ledger.to_json()
    for what in ("read", "quarantined"):
        if now[what] != before["ledger"][what]:
            raise UserError(f"{path} does not hold what its manifest says was {what}: its files were changed")


def _found(run: Run) -> dict[str, set[str]]:
    """The entries of the selection that took any document, by reason."""
    found: dict[str, set[str]] = {reason: set() for reason in REASONS}
    for unit in range(run.units):
        for reason, entries in run.folder.read_json(judged_name(unit))["found"].items():
            found[reason].update(entries)
    return found


def _counts(run: Run, release: Release, selection: Selection, found: dict[str, set[str]]) -> dict[str, Any]:
    """What the manifest says of a takedown. Of the documents that were taken down, some had the ``same_text`` or were
    ``near``; ``lost`` documents were removed as duplicates of those that were brought back."""
    counts: Counter[str] = Counter(taken_down=0, same_text=0, near=0, brought_back=0, lost=0)
    for unit in range(run.units):
        judged, written = run.folder.read_json(judged_name(unit)), run.folder.read_json(written_name(unit))
        counts.update(taken_down=judged["taken"], brought_back=written["brought_back"], lost=written["lost"])
        counts.update({reason: judged["reasons"].get(reason, 0) for reason in (SAME_TEXT, NEAR)})
    return {
        "of": release.name,
        "selection": _digest(selection),
        "asked": {reason: len(entries) for reason, entries in selection.by_reason().items()},
        "found": {reason: len(found[reason]) for reason in REASONS},
        **counts,
    }


def _finished(folder: Folder, release: Release, against: list[str], digest: str) -> dict[str, Any] | None:
    """The manifest of a folder that this very takedown has written."""
    found = read_manifest(folder)
    if found is None:
        return None
    last = (found.get("takedown") or [{}])[-1]
    told = [each["release"] for each in found["against"]]
    wanted = release.name, digest, against, version("gristmill")
    if (last.get("of"), last.get("selection"), told, found["gristmill"]) != wanted:
        return None
    tidy(folder)
    return found
