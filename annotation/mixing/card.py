"""The card of a mixture: the contribution of each source, and the proof that no held-out prompt is near."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from annotation.campaign.lengths import RULE
from annotation.dataset.page import page
from annotation.mixing.manifest import MixProof
from annotation.mixing.recipe import MixRecipe
from annotation.mixing.yields import SourceYield

HEAD = ("source", "share", "epochs", "rows", "different rows", "could be drawn", "near held out")


def card(recipe: MixRecipe, yields: Sequence[SourceYield], splits: Mapping[str, pa.Table], proof: MixProof) -> str:
    """The text of README.md."""
    return page(
        "mixing/card.md.j2",
        title=f"Mixture: {recipe.name}",
        splits={name: len(table) for name, table in splits.items()},
        recipe=recipe,
        RULE=RULE,
        HEAD=HEAD,
        sources=[row(each, yields) for each in yields],
        short=list_short(recipe, yields),
        proof=proof,
    )


def row(each: SourceYield, yields: Sequence[SourceYield]) -> list[str]:
    """The table row of a source, with the columns HEAD."""
    total = sum(other.taken for other in yields)
    counts = (each.rows, each.distinct, each.available, each.near_held_out)
    return [each.name, f"{each.share(total):.1%}", f"{each.epochs:.2f}", *(f"{count:,}" for count in counts)]


def list_short(recipe: MixRecipe, yields: Sequence[SourceYield]) -> list[str]:
    """A sentence for each source that gives clearly less than its share, not just by a comparison that did not fit."""
    out = []
    for each in yields:
        why = "max_epochs holds it" if each.short else "no further comparison fits"
        if each.short or each.taken < 0.9 * each.asked:
            out.append(f"{each.name} gives {each.taken:,} of the {each.asked:,} {recipe.unit} of its share: {why}.")
        elif not each.rows:
            out.append(f"{each.name} gives nothing: its share of the mixture is less than one comparison.")
    return out
