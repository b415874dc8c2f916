"""The result of an export, and its description in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from annotation.exports.formats import Format
from annotation.exports.manifest import SplitEntry
from annotation.exports.texts import Hazards


@dataclass(frozen=True)
class Split:
    """The counts of one split. ``left_out``: ids of comparisons that the trainer would misread, by reason."""

    comparisons: int
    rows: int
    left_out: Mapping[str, tuple[str, ...]]
    without_degree: int

    @property
    def counts(self) -> SplitEntry:
        """The split's entry in the manifest."""
        left_out = {reason: len(ids) for reason, ids in self.left_out.items()}
        return SplitEntry(self.comparisons, self.rows, left_out, self.without_degree)


@dataclass(frozen=True)
class Exported:
    """An export that was written. A split without rows has no file, because `datasets` cannot load an empty file.
    ``texts``: counts of texts that tokenizers or chat templates change."""

    folder: Path
    format: Format
    margin: str
    splits: Mapping[str, Split]
    texts: Hazards = field(default_factory=Hazards)

    def describe(self) -> list[str]:
        """Sentences on columns that the trainer uses, that it ignores, and that the format cannot hold."""
        form = self.format
        there = [name for name in form.carries if name != "margin" or self.margin != "none"]
        used = [name for name in there if name in form.used]
        kept = [name for name in there if name not in form.used]
        lost = [name for name in form.lost if name != "margin" or self.margin != "none"]
        out = []
        if used and form.name != "hf":
            out.append(f"{form.trainer} uses {_list_names(used)}.")
        if kept:
            out.append(f"{form.trainer} does not use {_list_names(kept)}: columns for code of your own.")
        if lost:
            them = "it" if len(lost) == 1 else "them"
            out.append(f"The format has no place for {_list_names(lost)}: only the dataset has {them}.")
        unknown = sum(split.without_degree for split in self.splits.values())
        if unknown and "margin" in there:
            rows = "1 comparison has" if unknown == 1 else f"{unknown:,} comparisons have"
            out.append(f"{rows} no degree: the margin is 0 there, as in the loss without one.")
        return [*out, *(self.texts.describe() if form.templates else [])]


def _list_names(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
