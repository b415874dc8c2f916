"""A user's own classifier: the probabilities of labels by a model file of fastText."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import pyarrow as pa

from curation.fasttext.files import ModelFile, find_model
from curation.filters.columns import batch_of, share
from curation.filters.own_signals import check_digest, check_names, check_thresholds, threshold_rules
from curation.filters.rules import Rule
from schemas.errors import UserError
from schemas.settings import unknown


@dataclass(frozen=True, kw_only=True)
class Fasttext:
    """Rejects documents by the probabilities of labels (Joulin et al. 2016), as fastText computes them.

    Texts are scored whole and unchanged. A model that ``gristmill train-classifier`` made learned from texts in lower
    case: use the step ``quality`` for it. A text without words has null, which fails no rule.
    """

    use: Literal["fasttext"] = "fasttext"
    model: str
    """A ``.bin`` or ``.ftz`` file, relative to the folder of the recipe. A run copies it for its workers."""
    labels: Mapping[str, str]
    """The label of each signal, without ``__label__``, such as ``{textbook = "hq"}``."""
    name: str = "fasttext"
    """The stage in rejects and reports."""
    min: Mapping[str, float] = field(default_factory=dict)
    """Thresholds by signal: a smaller probability rejects the document, for ``low_SIGNAL``."""
    max: Mapping[str, float] = field(default_factory=dict)
    """Thresholds by signal: a larger probability rejects the document, for ``high_SIGNAL``."""
    sha256: str | None = None
    """The SHA-256 of the model (None: any). The manifest holds it."""

    file: ModelFile | None = field(default=None, init=False, repr=False, compare=False)
    """The model's file, which `with_file` found."""

    def __post_init__(self) -> None:
        check_names(self.name, self.labels)
        for name in {*self.min, *self.max} - {*self.labels}:
            raise UserError(unknown(f"step {self.name} has a threshold for", name, list(self.labels)))

    def __hash__(self) -> int:
        return hash((self.name, self.model, self.sha256))

    @property
    def stage(self) -> str:
        return self.name

    @property
    def signals(self) -> pa.Schema:
        file = Path(self.model).name
        return pa.schema(
            [share(name, f"the probability of {self.labels[name]} by {file}") for name in sorted(self.labels)]
        )

    def with_file(self, folder: Path) -> "Fasttext":
        """This step with its model in ``folder``. Raises UserError if the model cannot be read, lacks a label, or has
        another SHA-256 than the step asks for."""
        file = find_model(str(folder / self.model))
        check_digest(file.place, file.sha256, self.sha256)
        for label in self.labels.values():
            if label not in file.labels:
                raise UserError(unknown(f"the model {file.place} has no label", label, file.labels))
        made = replace(self, sha256=file.sha256)
        object.__setattr__(made, "file", file)
        return made

    def check(self, place: str = "") -> None:
        """Raises UserError if no document can meet the thresholds."""
        check_thresholds(f"{place}{self.name}", self.min, self.max)

    def carried_files(self) -> tuple[ModelFile, ...]:
        """The model's file, if `with_file` found it."""
        return () if self.file is None else (self.file,)

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self.file is None:
            raise UserError(
                f"step {self.name}: a manifest does not hold {self.model}, so nothing can be measured with it: use the "
                "recipe file"
            )
        names = sorted(self.labels)
        scores = self.file.model().probabilities(batch["text"], tuple(self.labels[name] for name in names))
        return batch_of(scores.T, self.signals)

    def rules(self) -> tuple[Rule, ...]:
        return threshold_rules(self.min, self.max)
