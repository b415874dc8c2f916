"""Builds a dataset from campaigns: comparisons in two splits, unresolved pairs, a manifest and a card."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.campaign.split import Families
from annotation.dataset.card import card
from annotation.dataset.columns import flags
from annotation.dataset.comparisons import CampaignPairs
from annotation.dataset.files import new_folder
from annotation.dataset.ledger import DatasetLedger
from annotation.dataset.manifest import BuiltManifest, describe
from annotation.dataset.master import SPLITS
from annotation.dataset.prompts import PromptFamilies, prompt_families, prompt_texts, prove_apart
from annotation.dataset.wordings import NAME, wordings
from annotation.judgments.snapshot import Snapshot
from annotation.protocols import PROTOCOLS
from schemas import UNRESOLVED
from schemas.errors import UserError
from schemas.manifest import MANIFEST


@dataclass(frozen=True)
class Built:
    """A dataset that was written; ``manifest`` is the content of manifest.json."""

    folder: Path
    ledger: DatasetLedger
    manifest: BuiltManifest


def build(snapshots: Sequence[Snapshot], folder: Path, families: Families) -> Built:
    """Writes the dataset of these campaigns into a new folder. Equal campaigns give equal bytes, in any order.

    A pair keeps the split that it got when its batch was made. If several campaigns are combined, a family of
    prompts may be in both splits: the training pairs of that family are then left out (``near_held_out``), so that
    no training prompt is a near-duplicate of a held-out prompt. Raises UserError for an occupied folder, for no
    campaign, for two campaigns with one name, and for a campaign that measures models.
    """
    snapshots = sorted(snapshots, key=lambda snapshot: f"{snapshot.name}/")  # the order of comparison ids
    names = [snapshot.name for snapshot in snapshots]
    if not names:
        raise UserError("a dataset needs at least one campaign: name the folder of each campaign")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"two campaigns are named {twice[0]}: give each campaign once, and each a different name")
    for snapshot in snapshots:
        _refuse_measuring(snapshot)
    with new_folder(folder) as writer:
        campaigns = [CampaignPairs.of(snapshot) for snapshot in snapshots]
        grouped = _families(campaigns, families)
        placement = _place(campaigns, grouped)
        tables = {"unresolved": _unresolved_rows(campaigns, grouped, placement)}
        splits = _splits(campaigns, grouped, placement)
        proof = prove_apart(splits, grouped)
        ledger = DatasetLedger.of(snapshots, splits, tables["unresolved"])
        with ThreadPoolExecutor(1) as threads:  # the card counts words while the tables are compressed
            written = threads.submit(card, snapshots, splits, ledger)
            for name in SPLITS:
                writer.table(f"comparisons/{name}", splits[name])
            writer.table("unresolved", tables["unresolved"])
            reworded = wordings(snapshots)
            if reworded is not None:
                writer.table(NAME, reworded)
            writer.text("README.md", written.result())
        content = describe(snapshots, ledger, proof, writer.files)
        writer.json(MANIFEST, content)
    return Built(folder, ledger, content)


def _refuse_measuring(snapshot: Snapshot) -> None:
    """Raises UserError for a campaign whose votes are no training data."""
    if not PROTOCOLS[snapshot.protocol].trains:
        raise UserError(
            f"{snapshot.name}: a campaign of the protocol {snapshot.protocol} measures models, and is no dataset to "
            "train on: see gristmill evaluation results"
        )


def _families(campaigns: Sequence[CampaignPairs], families: Families) -> PromptFamilies:
    """The families of all prompts, including the prompts of unresolved pairs.

    A prompt in neither split is near prompts of both splits. It does not link them, or their families would become one.
    """
    in_split = pc.not_equal(_join([rows.pairs["split"] for rows in campaigns]), "neither")
    texts = [prompt_texts(rows.pairs["prompt"].combine_chunks()) for rows in campaigns if len(rows.pairs)]
    return prompt_families(pa.concat_arrays([pa.array([], pa.large_string()), *texts]), flags(in_split), families)


@dataclass(frozen=True)
class _Placement:
    """The split of every pair, campaign after campaign, and why the pair is in no split (null: it is in one)."""

    split: pa.Array
    reason: pa.Array


def _place(campaigns: Sequence[CampaignPairs], grouped: PromptFamilies) -> _Placement:
    split = _join([rows.pairs["split"] for rows in campaigns])
    failed = _join([rows.reason for rows in campaigns])
    held_out = np.zeros(len(grouped), bool)
    held_out[grouped.number[flags(pc.equal(split, "held_out"))]] = True
    near_held_out = pc.and_(pc.equal(split, "train"), pa.array(held_out[grouped.number]))
    reason = pc.case_when(
        pc.make_struct(pc.is_valid(failed), pc.equal(split, "neither"), near_held_out),
        failed,
        "near_both_sides",
        "near_held_out",
    )
    return _Placement(split, reason)


def _splits(campaigns: Sequence[CampaignPairs], grouped: PromptFamilies, placement: _Placement) -> dict[str, pa.Table]:
    """The comparisons of each split, sorted by id."""
    named = grouped.names.take(pa.array(grouped.number))
    out = {}
    for name in SPLITS:
        kept = pc.and_(pc.is_null(placement.reason), pc.equal(placement.split, name))
        parts = []
        start = 0
        for rows in campaigns:
            here = slice(start, start + len(rows.pairs))
            parts.append(rows.comparisons(flags(kept[here]), named[here], placement.split[here]))
            start += len(rows.pairs)
        out[name] = pa.concat_tables(parts).combine_chunks()
    return out


def _unresolved_rows(campaigns: Sequence[CampaignPairs], grouped: PromptFamilies, placement: _Placement) -> pa.Table:
    named = grouped.names.take(pa.array(grouped.number))
    parts = []
    start = 0
    for rows in campaigns:
        here = slice(start, start + len(rows.pairs))
        parts.append(rows.unresolved_pairs(placement.reason[here], named[here]))
        start += len(rows.pairs)
    joined = pa.concat_tables(parts).combine_chunks()
    batch = UNRESOLVED.batch({name: joined[name].combine_chunks() for name in UNRESOLVED.columns.names}, len(joined))
    UNRESOLVED.check(batch)
    return pa.Table.from_batches([batch])


def _join(columns: Sequence[pa.Array | pa.ChunkedArray]) -> pa.Array:
    return pa.concat_arrays([pa.array([], pa.string()), *(chunk for column in columns for chunk in _chunks(column))])


def _chunks(column: pa.Array | pa.ChunkedArray) -> list[pa.Array]:
    return list(column.chunks) if isinstance(column, pa.ChunkedArray) else [column]
