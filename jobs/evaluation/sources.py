"""Reads what a judge is asked about: files of responses, or a campaign."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from annotation.evaluation.book import BOOK
from annotation.evaluation.manifest import SourceEntry
from annotation.evaluation.outputs import read_outputs
from annotation.evaluation.pairs import Pairs, of_campaign, of_outputs
from annotation.judgments.snapshot import Snapshot, load
from annotation.rows.reading import digest
from schemas.errors import UserError
from schemas.manifest import is_finished


@dataclass(frozen=True)
class Source:
    """The pairs and responses, their entry in the manifest, and the campaign if they are a campaign's."""

    judged: Pairs
    entry: SourceEntry
    campaign: Snapshot | None = None


def read_source(paths: Sequence[Path], baseline: str | None, *, alone: bool) -> Source:
    """What the paths hold. Files may hold the responses of a model ``alone``. Raises UserError as the readers do, and
    for a campaign beside something else."""
    campaigns = [path for path in paths if path.is_dir()]
    if not campaigns:
        judged = of_outputs(read_outputs(paths), baseline, alone=alone)
        return Source(judged, SourceEntry(files=digests(paths), compared=tuple(judged.models), baseline=baseline))
    if len(paths) > 1:
        raise UserError("judge one campaign at a time, or one or more files of responses")
    snapshot = load(campaigns[0])
    judged = of_campaign(snapshot, baseline, alone=alone)
    entry = SourceEntry(
        files={},
        compared=tuple(judged.models),
        campaign=snapshot.name,
        revision=snapshot.revision,
        baseline=baseline,
    )
    return Source(judged, entry, snapshot)


def digests(paths: Sequence[Path]) -> Mapping[str, str]:
    """The SHA-256 of each file, by its path relative to the deepest folder that holds all of them."""
    whole = [path.absolute() for path in paths]
    above = os.path.commonpath([path.parent for path in whole])
    return {path.relative_to(above).as_posix(): digest(path) for path in sorted(whole)}


def book_of(first: Path, given: Path | None) -> Path:
    """The file of the book: as given, or in the campaign, or beside the first file. Raises UserError if that is a
    finished output, to which no file may be added."""
    if given is not None:
        return given
    folder = first if first.is_dir() else first.parent
    if is_finished(folder):
        raise UserError(
            f"{folder} holds a finished output of gristmill: say where to keep the answers, with --book FILE"
        )
    return folder / BOOK
