"""Mixes datasets by a recipe; no training prompt of the mixture is near a held-out prompt."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from annotation.campaign.lengths import token_counts
from annotation.campaign.split import Families
from annotation.dataset.columns import column
from annotation.dataset.files import new_folder
from annotation.dataset.master import SPLITS, Master
from annotation.dataset.prompts import PromptFamilies, prompt_families, prompt_texts
from annotation.mixing.card import card
from annotation.mixing.draw import draw, places
from annotation.mixing.manifest import MixManifest, MixProof, describe
from annotation.mixing.recipe import WHERE, MixRecipe
from annotation.mixing.yields import SourceYield
from schemas import COMPARISONS
from schemas.errors import UserError
from schemas.manifest import MANIFEST
from schemas.mixture import Contribution, Part, mixture

Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Alike = Callable[[pa.Array, pa.Array], Flags]
"""A function that says which of the first texts are near-duplicates of any second text; it compares all pairs."""


@dataclass(frozen=True)
class Mixed:
    """A mixture that was written; ``manifest`` is the content of manifest.json."""

    folder: Path
    recipe: MixRecipe
    yields: Sequence[SourceYield]
    rows: Mapping[str, int]
    manifest: MixManifest


def mix(recipe: MixRecipe, masters: Mapping[str, Master], folder: Path, families: Families, alike: Alike) -> Mixed:
    """Writes the mixture of these datasets (by the names that the recipe gives them) into a new folder.

    The held-out split joins the held-out splits of all datasets. No training comparison is drawn whose prompt is in the
    family of a held-out prompt of any dataset, or is a near-duplicate of one (all pairs are compared). The training
    split is in a seeded random order, and has each comparison as often as it was drawn. Equal datasets and recipes give
    equal bytes. Raises UserError for a recipe that does not fit the datasets.
    """
    held_out = _join_held_out(masters)
    with new_folder(folder) as writer:
        train, names, proof = _training(recipe, masters, held_out, families, alike)
        chosen, yields = _choose(recipe, train)
        splits = {
            "train": _with_families(train.rows.take(chosen), names.take(chosen)),
            "held_out": _with_families(held_out, names[len(train.rows) :]),
        }
        for name in SPLITS:
            writer.table(f"comparisons/{name}", splits[name])
        writer.text("README.md", card(recipe, yields, splits, proof))
        counts = {name: len(splits[name]) for name in SPLITS}
        digests = {name: master.digest for name, master in masters.items()}
        manifest = describe(recipe, digests, yields, counts, proof, writer.files)
        writer.json(MANIFEST, manifest)
    return Mixed(folder, recipe, yields, counts, manifest)


@dataclass(frozen=True)
class _Training:
    """The training comparisons of all datasets. ``origin``: the index of a row's dataset in ``names``; ``sizes``: in
    the recipe's unit; ``clean``: the row's prompt is near no held-out prompt."""

    rows: pa.Table
    ids: list[str]
    names: list[str]
    origin: Ints
    sizes: Ints
    clean: Flags


def _training(
    recipe: MixRecipe, masters: Mapping[str, Master], held_out: pa.Table, families: Families, alike: Alike
) -> tuple[_Training, pa.Array, MixProof]:
    """The comparisons to draw from; the family names of their prompts, then of the held-out prompts; the proof."""
    rows = _join([master.splits["train"] for master in masters.values()])
    origin = np.repeat(np.arange(len(masters)), [len(master.splits["train"]) for master in masters.values()])
    grouped = _families(rows, held_out, families)
    clean, proof = _clean(rows, held_out, grouped, alike)
    ids = rows["comparison_id"].to_pylist()
    train = _Training(rows, ids, list(masters), origin, _sizes(rows, recipe), clean)
    return train, grouped.names.take(pa.array(grouped.number)), proof


def _choose(recipe: MixRecipe, train: _Training) -> tuple[pa.Array, list[SourceYield]]:
    """The rows of the training split in order, and the contribution of each source."""
    pools = _pools(recipe, train)
    parts = [
        Part(
            name=source.name,
            size=int(train.sizes[pool & train.clean].sum()),
            share=source.share,
            max_epochs=source.max_epochs,
            all=source.all,
        )
        for source, pool in zip(recipe.source, pools, strict=True)
    ]
    try:
        shares = mixture(parts, recipe.size)
    except ValueError as error:
        raise UserError(f"the mixture {recipe.name} cannot be made: {error}") from error
    rows, order, yields = [], [], []
    for pool, share in zip(pools, shares, strict=True):
        found, ranks = _draw(recipe, train, np.flatnonzero(pool & train.clean), share)
        rows.append(found)
        order.append(ranks)
        yields.append(_count_yield(train, pool, found, share))
    return pa.array(np.concatenate(rows)[np.argsort(np.concatenate(order), kind="stable")]), yields


def _join(tables: Sequence[pa.Table]) -> pa.Table:
    empty = pa.Table.from_batches([], COMPARISONS.schema)
    return pa.concat_tables([empty, *tables]).combine_chunks()


def _join_held_out(masters: Mapping[str, Master]) -> pa.Table:
    """The held-out comparisons of all datasets, sorted by id. Raises UserError for an id that two datasets have."""
    ids: dict[str, str] = {}
    for name, master in masters.items():
        for split in SPLITS:
            for each in set(master.splits[split]["comparison_id"].to_pylist()):
                if each in ids:
                    raise UserError(
                        f"the comparison {each} is in {ids[each]} and in {name}: name datasets of different sources"
                    )
                ids[each] = name
    rows = _join([master.splits["held_out"] for master in masters.values()])
    return rows.take(pc.sort_indices(rows["comparison_id"])).combine_chunks()


def _families(train: pa.Table, held_out: pa.Table, families: Families) -> PromptFamilies:
    """The families of the training prompts, followed by the held-out prompts."""
    texts = pa.concat_arrays([_texts(train), _texts(held_out)])
    return prompt_families(texts, np.ones(len(texts), bool), families)


def _texts(rows: pa.Table) -> pa.LargeStringArray:
    return prompt_texts(column(rows, "prompt")).cast(pa.large_string())


def _clean(train: pa.Table, held_out: pa.Table, grouped: PromptFamilies, alike: Alike) -> tuple[Flags, MixProof]:
    """Which training rows are near no held-out prompt, and the proof from comparing every pair of prompts."""
    held = np.zeros(len(grouped), bool)
    held[grouped.number[len(train) :]] = True
    near = held[grouped.number[: len(train)]]
    prompts = _texts(train).dictionary_encode()
    others = _texts(held_out).unique()
    found = alike(prompts.dictionary, others)[prompts.indices.to_numpy()] if len(train) else near
    clean = ~(near | found)
    left = prompts.dictionary.take(pa.array(np.unique(prompts.indices.to_numpy()[clean])))
    matches = int(alike(left, others).sum()) if len(left) else 0
    if matches:
        raise AssertionError(f"{matches} training prompts are near a held-out one")
    return clean, MixProof(
        train_prompts=len(left),
        held_out_prompts=len(others),
        pairs_compared=len(left) * len(others),
        matches_found=matches,
        near_held_out=int((~clean).sum()),
    )


def _sizes(train: pa.Table, recipe: MixRecipe) -> npt.NDArray[np.int64]:
    """The size of each row in the recipe's unit: 1, or the tokens of its prompt and both answers."""
    if recipe.unit == "rows":
        return np.ones(len(train), np.int64)
    turns = column(train, "prompt")
    contents = turns.flatten().field("content")
    counted = np.concatenate([[0], np.cumsum(token_counts(contents))])
    bounds = turns.offsets.to_numpy() - (turns.offsets[0].as_py() if len(turns) else 0)
    prompt = np.diff(counted[bounds]) if len(turns) else np.zeros(0, np.int64)
    answers = sum(token_counts(column(train, which)) for which in ("chosen", "rejected"))
    return np.maximum(prompt + answers, 1).astype(np.int64)


def _pools(recipe: MixRecipe, train: _Training) -> list[Flags]:
    """The rows of each source. Raises UserError if a source has no rows, or two sources share rows."""
    taken = np.full(len(train.rows), -1, np.int64)
    pools = []
    for place, source in enumerate(recipe.source):
        pool = np.isin(train.origin, [train.names.index(each) for each in source.datasets])
        for name, values in source.where.items():
            if name not in WHERE:
                raise UserError(f"source {source.name}: where names {name}; choose from {', '.join(WHERE)}")
            fits = pc.is_in(column(train.rows, name), value_set=pa.array(values, pa.string()))
            pool &= fits.to_numpy(zero_copy_only=False)
        if not pool.any():
            raise UserError(f"source {source.name} has no training comparisons: check its datasets and its where")
        other = taken[pool].max()
        if other >= 0:
            raise UserError(
                f"sources {recipe.source[other].name} and {source.name} share comparisons: separate them with where"
            )
        taken[pool] = place
        pools.append(pool)
    return pools


def _draw(recipe: MixRecipe, train: _Training, rows: Ints, share: Contribution) -> tuple[Ints, npt.NDArray[np.uint64]]:
    """The drawn rows of a source, and a rank for each that orders the mixture."""
    ids = _make_unique([train.ids[row] for row in rows])
    order = np.lexsort((np.array(ids, dtype=str), places(recipe.seed, f"draw {share.name}", ids)))
    found, epochs = draw(train.sizes[rows], order, share.taken)
    stands = [places(recipe.seed, f"order {epoch}", ids) for epoch in range(int(epochs.max(initial=-1)) + 1)]
    ranks = np.array([stands[epoch][row] for row, epoch in zip(found, epochs, strict=True)], np.uint64)
    return rows[found], ranks


def _make_unique(ids: list[str]) -> list[str]:
    """The ids, with a number appended to repeated ids, which occur in a mixture of mixtures."""
    seen: Counter[str] = Counter()
    out = []
    for each in ids:
        out.append(f"{each}\0{seen[each]}" if seen[each] else each)
        seen[each] += 1
    return out


def _count_yield(train: _Training, pool: Flags, rows: Ints, share: Contribution) -> SourceYield:
    sources = {name: place for place, name in enumerate(train.names) if pool[train.origin == place].any()}
    return SourceYield(
        name=share.name,
        available=int((pool & train.clean).sum()),
        near_held_out=int((pool & ~train.clean).sum()),
        size=share.size,
        asked=share.asked,
        taken=int(train.sizes[rows].sum()),
        rows=len(rows),
        distinct=len({train.ids[row] for row in rows}),
        short=share.short,
        datasets={name: int((train.origin[rows] == place).sum()) for name, place in sources.items()},
    )


def _with_families(rows: pa.Table, names: pa.Array) -> pa.Table:
    """The rows with the mixture's families, because each dataset knew only the families of its own prompts."""
    place = rows.schema.get_field_index("prompt_family")
    rows = rows.set_column(place, COMPARISONS.columns.field("prompt_family"), names).combine_chunks()
    rows = rows.cast(COMPARISONS.schema)
    for batch in rows.to_batches():
        COMPARISONS.check(batch)
    return rows
