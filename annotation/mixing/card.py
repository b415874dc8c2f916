"""The card of a mixture: what each source really gives, and that no held-out prompt is near."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from annotation.campaign.lengths import RULE
from annotation.dataset import markdown
from annotation.mixing.given import Given
from annotation.mixing.recipe import Recipe

HEAD = ("source", "share", "epochs", "rows", "different rows", "could be drawn", "near held out")


def card(recipe: Recipe, given: Sequence[Given], splits: Mapping[str, pa.Table], proof: Mapping[str, int]) -> str:
    """The whole text of README.md."""
    title = f"Mixture: {recipe.name}"
    parts = [
        markdown.head(title, splits),
        f"# {markdown.cell(title)}",
        markdown.prose(
            f"{len(splits['train']):,} comparisons to train on, drawn with seed {recipe.seed} by {recipe.unit} and in "
            f"a seeded order, and {len(splits['held_out']):,} held out."
        ),
        *([RULE] if recipe.unit == "tokens" else []),
        "## Load",
        markdown.LOADING,
        "## Sources",
        markdown.table(HEAD, [row(each, given) for each in given], words=1),
        *[markdown.prose(sentence) for sentence in short(recipe, given)],
        "## Held out",
        markdown.prose(
            f"{proof['pairs_compared']:,} pairs of {proof['train_prompts']:,} training and "
            f"{proof['held_out_prompts']:,} held-out prompts were compared: {proof['matches_found']:,} are nearly the "
            f"same. {proof['near_held_out']:,} training comparisons were left out before, whose prompts were of a "
            "family with a held-out one."
        ),
    ]
    return "\n\n".join(parts) + "\n"


def row(each: Given, given: Sequence[Given]) -> list[str]:
    """A source's row of the table whose head is HEAD."""
    total = sum(other.taken for other in given)
    counts = (each.rows, each.distinct, each.available, each.near_held_out)
    return [each.name, f"{each.share(total):.1%}", f"{each.epochs:.2f}", *(f"{count:,}" for count in counts)]


def short(recipe: Recipe, given: Sequence[Given]) -> list[str]:
    """A sentence for each source that gives less than its share, by more than a comparison that did not fit."""
    out = []
    for each in given:
        why = "max_epochs holds it" if each.short else "no further comparison fits"
        if each.short or each.taken < 0.9 * each.asked:
            out.append(f"{each.name} gives {each.taken:,} of the {each.asked:,} {recipe.unit} of its share: {why}.")
        elif not each.rows:
            out.append(f"{each.name} gives nothing: its share of the mixture is less than one comparison.")
    return out
