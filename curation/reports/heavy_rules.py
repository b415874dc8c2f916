"""Finds rules that alone remove a large part of a source, and dialects by which they would remove less."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa

from curation.filters.dialects import DIALECTS
from curation.filters.gopher_quality import GopherQuality
from curation.filters.gopher_repetition import GopherRepetition
from curation.filters.language import Language
from curation.filters.rules import failures
from curation.recipe import Filter, Recipe, changes_texts, stage_of
from curation.recipes.tables import recipe_of
from curation.release.folder import Folder
from curation.release.ledger import Ledger
from curation.release.manifest import Manifest
from curation.reports.stored_texts import removed_records
from curation.sites.settings import STAGE as SITES
from schemas.manifest import MANIFEST

HEAVY = 0.2
"""The share of a source's documents that a rule may remove without a warning."""
LEAST = 100
"""A source of fewer documents is too small for a share to mean much."""
SAMPLE = 500
"""The largest number of documents that are measured again by another dialect, for each rule."""


def heavy_rules(folder: Folder, manifest: Manifest) -> Iterator[str]:
    """A sentence for each rule that removed more than HEAVY of the documents of a source, as the first rule that they
    failed, and for the removal of sites if it did. The rule ``language`` is left out: a recipe for some languages
    removes the others on purpose.

    The sentence names another project's definition if the rule would remove at most HEAVY by it, estimated from up to
    SAMPLE of the removed documents: whichever definition removes the fewest of them.
    """
    ledger = Ledger.of(manifest.ledger)
    recipe = recipe_of(manifest.recipe, f"{folder.root}/{MANIFEST}")
    filters = {stage_of(step): step for step in recipe.steps if isinstance(step, Filter)}
    for (source, stage, reason), (removed, _, _) in sorted(ledger.rejected.items()):
        read = ledger.read[source][0]
        meant = (stage, reason) == (Language.use, Language.use)
        if (stage in filters or stage == SITES) and not meant and read >= LEAST and removed > HEAVY * read:
            share = removed / read
            says = f"{stage}: {reason} removed {share:.0%} of the documents of source {source}"
            by_dialect = (
                _by_dialect(folder, manifest, recipe, (source, stage, reason)) if stage in filters else iter(())
            )
            part, dialect = min(by_dialect, default=(float("inf"), ""))
            if (stage, reason) == (Language.use, "language_score"):
                yield f"{says}: lower {stage}.min_score, or choose another {stage}.identifier, whose scores differ"
            elif part * share <= HEAVY:
                yield f"{says}; as {dialect} counts, about {part * share:.0%}: {stage}.dialect={dialect}"
            else:
                yield f"{says}: read some of them with gristmill explain {folder.root} --sample 10 --reason {reason}"


def _by_dialect(
    folder: Folder, manifest: Manifest, recipe: Recipe, name: tuple[str, str, str]
) -> Iterator[tuple[float, str]]:
    """The share of documents, among those that a rule removed, that fail it by each other definition of its signals,
    with the definition's name."""
    _, stage, reason = name
    place = next(number for number, each in enumerate(recipe.steps) if stage_of(each) == stage)
    step = recipe.steps[place]
    if not isinstance(step, GopherQuality | GopherRepetition) or any(map(changes_texts, recipe.steps[:place])):
        return
    sample = _first(removed_records(folder, manifest, *name), SAMPLE)
    if not len(sample):
        return
    for dialect, definitions in DIALECTS.items():
        if isinstance(step, GopherQuality):
            other: GopherQuality | GopherRepetition = replace(step, definition=definitions.quality)
        else:
            other = replace(step, definition=definitions.repetition)
        rules = [rule for rule in other.rules() if rule.reason == reason]
        if other != step and rules:
            yield float(np.mean(failures(other.measure(sample), rules))), dialect


def _first(batches: Iterator[pa.RecordBatch], most: int) -> pa.RecordBatch:
    """The first rows of the batches, at most ``most``."""
    rows: list[pa.RecordBatch] = []
    for batch in batches:
        rows.append(batch.slice(0, most - sum(map(len, rows))))
        if sum(map(len, rows)) == most:
            break
    return pa.concat_batches(rows) if rows else pa.record_batch({})
