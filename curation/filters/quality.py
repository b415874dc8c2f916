"""Quality by classifiers that ``gristmill train-classifier`` made: the largest of their percentiles."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from curation.fasttext.classifier import Classifier, in_classifiers_form, log_odds, read_classifier
from curation.fasttext.files import ModelFile
from curation.filters.columns import batch_of, share
from curation.filters.own_signals import check_digest
from curation.filters.rules import Rule, active_rules
from schemas.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Rejects documents that every classifier ranks low.

    The signal ``quality`` is the largest percentile that a classifier gives the document (Su et al. 2024, Nemotron-CC):
    the share of the classifier's reference corpus with a lower score. With several classifiers, ``quality_1``,
    ``quality_2`` and so on are the percentiles of each. A text without words has null, which fails no rule.
    """

    use: Literal["quality"] = "quality"
    classifiers: tuple[str, ...]
    """Folders, relative to the folder of the recipe. A run copies the models for its workers."""
    min_quality: float | None = None
    """0.9 keeps documents like those in the top tenth of the reference corpus."""
    sha256: tuple[str, ...] = ()
    """The SHA-256 of each classifier's manifest (none: any). The manifest of a corpus holds them."""

    read: tuple[Classifier, ...] = field(default=(), init=False, repr=False, compare=False)
    """The classifiers that `with_file` read."""

    def __post_init__(self) -> None:
        if not self.classifiers:
            raise UserError("step quality names no classifier: give classifiers = [...], folders of train-classifier")
        if self.min_quality is not None and not 0 <= self.min_quality <= 1:
            raise UserError(f"quality.min_quality is {self.min_quality:g}: give a share between 0 and 1, such as 0.9")
        if self.sha256 and len(self.sha256) != len(self.classifiers):
            raise UserError("quality.sha256 has another length than quality.classifiers: give one for each, or none")

    @property
    def signals(self) -> pa.Schema:
        names = [Path(each).name for each in self.classifiers]
        fields = [share("quality", f"the {'largest ' if len(names) > 1 else ''}percentile by {' and '.join(names)}")]
        if len(names) > 1:
            fields += [share(f"quality_{n}", f"the percentile by {name}") for n, name in enumerate(names, 1)]
        return pa.schema(fields)

    def with_file(self, folder: Path) -> "Quality":
        """This step with its classifiers in ``folder``. Raises UserError if a folder holds no classifier, is damaged,
        or is another one than the step asks for."""
        found = tuple(read_classifier(folder / each) for each in self.classifiers)
        for number, each in enumerate(found):
            asked = self.sha256[number] if self.sha256 else None
            check_digest(str(folder / self.classifiers[number]), each.sha256, asked)
        made = replace(self, sha256=tuple(each.sha256 for each in found))
        object.__setattr__(made, "read", found)
        return made

    def carried_files(self) -> tuple[ModelFile, ...]:
        """The files of the models, if `with_file` found them."""
        return tuple(each.file for each in self.read)

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if not self.read:
            raise UserError(
                "step quality: a manifest does not hold its classifiers, so nothing can be measured with them: use the "
                "recipe file"
            )
        texts = in_classifiers_form(batch["text"])
        rows = [each.percentiles.of_scores(log_odds(each.file.model(), texts)) for each in self.read]
        most = np.max(rows, axis=0)
        return batch_of([most, *rows] if len(rows) > 1 else [most], self.signals)

    def rules(self) -> tuple[Rule, ...]:
        return active_rules(Rule("low_quality", "quality", at_least=self.min_quality))
