"""The manifest of a mixture: its recipe, each source's contribution, and the proof that no held-out prompt is near."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.dataset.manifest import FORMAT, VERSION, DatasetManifest
from annotation.mixing.recipe import MixRecipe
from annotation.mixing.yields import SourceYield
from schemas import COMPARISONS
from schemas.manifest import Entry


@dataclass(frozen=True, kw_only=True)
class MixProof:
    """The result of comparing all training prompts with all held-out prompts. ``near_held_out``: the number of training
    comparisons that were left out before."""

    train_prompts: int
    held_out_prompts: int
    pairs_compared: int
    matches_found: int
    near_held_out: int


@dataclass(frozen=True, kw_only=True)
class MixEntry:
    """The recipe. ``sources``: each contribution, with its ``where``; ``datasets``: the SHA-256 of each manifest."""

    name: str
    seed: int
    unit: str
    sources: tuple[Mapping[str, Any], ...]
    datasets: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class MixManifest(DatasetManifest):
    """The manifest of a mixture. ``ledger``: the number of comparisons in each split."""

    mix: MixEntry
    ledger: Mapping[str, int]
    split: MixProof


def describe(
    recipe: MixRecipe,
    digests: Mapping[str, str],
    yields: Sequence[SourceYield],
    counts: Mapping[str, int],
    proof: MixProof,
    files: Mapping[str, Entry],
) -> MixManifest:
    """The manifest of a mixture. ``digests``: SHA-256 of each dataset's manifest; ``counts``: rows of each split."""
    total = sum(each.taken for each in yields)
    sources = zip(recipe.source, yields, strict=True)
    mix = MixEntry(
        name=recipe.name,
        seed=recipe.seed,
        unit=recipe.unit,
        sources=tuple({**each.as_json(total), "where": source.where} for source, each in sources),
        datasets=digests,
    )
    return MixManifest(
        format=FORMAT,
        version=VERSION,
        tables={COMPARISONS.name: COMPARISONS.version},
        mix=mix,
        ledger=counts,
        split=proof,
        files=files,
    )
