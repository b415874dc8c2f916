"""Contamination: documents that hold samples of benchmarks are removed, or the passages are cut out of them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.benchmarks.carried import CarriedSamples
from curation.benchmarks.decon import PARTS
from curation.benchmarks.files import ReadRows, check_names, named_file
from curation.benchmarks.passages import widened, without
from curation.benchmarks.samples import Benchmark, samples_table, take_apart, verbalise
from curation.benchmarks.settings import Definition, Normalise, Settings
from curation.filters.contaminated_signals import passages_of, score_signals, score_values, span_signals, span_values
from curation.filters.own_signals import check_digest
from curation.filters.rules import Rule, active_rules
from curation.tokenizers.tokenizer import open_tokenizer
from schemas.checksums import sha256_of
from schemas.errors import UserError
from schemas.named_files import open_named


@dataclass(frozen=True, kw_only=True)
class Contaminated:
    """Removes documents that share a span with a sample of a benchmark, or cuts the shared passages out of them; for
    decon, removes documents that contaminate a sample by their score.

    The ``definition`` says what a span or a score is, as for ``gristmill contamination``, which lists the same
    documents and passages (`contamination`). The signals are measured on the text before it is cut.
    """

    use: Literal["contaminated"] = "contaminated"
    benchmarks: tuple[str, ...]
    """Files of rows, each as FILE or NAME=FILE, relative to the folder of the recipe. A run copies the samples for its
    workers."""
    action: Literal["remove", "cut"] = "remove"
    definition: Definition = "llama2"
    tokenizer: str | None = None
    """The file or folder of a tokenizer, for llama2 only, relative to the folder of the recipe."""
    end_token: str | None = None
    normalise: Normalise = "words"
    template: str | None = None
    """Makes a sample of a row, such as "{question} {answer}" (None: by the fields of the first row)."""
    question: str | None = None
    """For decon: the field of a sample's question (None: ``question``, or else ``prompt`` or ``text``)."""
    answer: str | None = None
    """For decon: the field of the answer (None: ``answer`` or ``completion``, if a row has it)."""
    passage: str | None = None
    """For decon: the field of the passage (None: ``passage`` or ``context``, if a row has it)."""
    id_field: str | None = None
    """The field that names a sample (None: ``id``, if a row has it, or else its number)."""
    around: int = 0
    """To cut: how many characters on each side of a passage are cut, too. GPT-3 cut 200."""
    max_longest: int | None = 0
    """To remove: the longest span, in tokens or words, that a document may share with a sample."""
    max_share: float | None = None
    """The maximum share of the bytes of a text that lie in shared passages."""
    max_passages: int | None = None
    """The maximum number of passages; passages that touch count as one. GPT-3 removed documents of more than 10 pieces,
    which 10 passages make."""
    min_left: int | None = 1
    """To cut: how many letters and numbers must be left of a text that is cut."""
    max_score: float | None = 0.0
    """For decon: the highest score, from 0 to 1, with which a document may contaminate a sample."""
    sha256: tuple[str, ...] = ()
    """The SHA-256 of each benchmark's file and then of the tokenizer's file (none: any). The manifest holds them."""

    carried: CarriedSamples | None = field(default=None, init=False, repr=False, compare=False)
    """The samples that `with_files` read."""

    def __post_init__(self) -> None:
        if not self.benchmarks:
            raise UserError('step contaminated names no benchmark: give benchmarks = ["quiz.jsonl"], files of rows')
        check_names([named_file(each)[0] for each in self.benchmarks])
        if self.definition == "llama2" and self.tokenizer is None:
            raise UserError("contaminated.definition llama2 compares tokens: give the model's contaminated.tokenizer")
        unused = {
            "tokenizer": self.tokenizer is not None,
            "end_token": self.end_token is not None,
            'normalise = "none"': self.normalise == "none",
        }
        for name in (name for name, given in unused.items() if given and self.definition != "llama2"):
            raise UserError(
                f"contaminated.definition {self.definition} compares lower-case words: leave out contaminated.{name}"
            )
        self._check_scores() if self.scores else self._check_spans()
        if self.cuts and self.max_longest != 0:
            raise UserError(
                "contaminated.max_longest is for removing documents, and with action = cut every passage is cut: leave "
                "it out, or set max_share or max_passages"
            )
        if self.around < 0:
            raise UserError(f"contaminated.around is {self.around}: give a number of characters, at least 0")
        for name in () if self.cuts else ("around", "min_left"):
            if getattr(self, name) != getattr(Contaminated, name):
                raise UserError(f"contaminated.{name} is for texts that are cut: leave it out, or set action to cut")
        if self.sha256 and len(self.sha256) != len(self._files()):
            raise UserError(
                f"contaminated.sha256 has {len(self.sha256)} entries for {len(self._files())} files: give one for each "
                "benchmark and then for the tokenizer, or none"
            )

    def _check_scores(self) -> None:
        """Raises UserError for settings that decon does not have."""
        if self.cuts:
            raise UserError(
                "contaminated.definition decon scores a document as a whole, and has no passage to cut: set action to "
                "remove, or choose another definition"
            )
        if self.template is not None:
            raise UserError(
                "contaminated.definition decon has no template: name fields as contaminated.question, "
                "contaminated.answer and contaminated.passage"
            )
        for name in ("max_longest", "max_share", "max_passages"):
            if getattr(self, name) != getattr(Contaminated, name):
                raise UserError(
                    f"contaminated.{name} is about passages, and contaminated.definition decon has none, only a score: "
                    "leave it out, or set max_score"
                )
        if self.max_score is not None and not 0 <= self.max_score <= 1:
            raise UserError(f"contaminated.max_score is {self.max_score:g}: give a score from 0 to 1")

    def _check_spans(self) -> None:
        """Raises UserError for settings that only decon has."""
        for name in PARTS:
            if getattr(self, name) is not None:
                raise UserError(
                    f"contaminated.{name} is for definition = decon: give the text of a sample as "
                    "contaminated.template, or leave it out"
                )
        if self.max_score != Contaminated.max_score:
            raise UserError(
                "contaminated.max_score is for definition = decon: leave it out, or set max_longest, max_share or "
                "max_passages"
            )

    @property
    def scores(self) -> bool:
        """Whether the definition scores documents, and compares no spans."""
        return self.definition == "decon"

    @property
    def cuts(self) -> bool:
        """Whether the step changes texts."""
        return self.action == "cut"

    @property
    def signals(self) -> pa.Schema:
        return score_signals() if self.scores else span_signals(self.definition, self.around)

    def with_files(self, folder: Path, rows: ReadRows) -> "Contaminated":
        """This step with the samples of its benchmarks in ``folder``, which ``rows`` reads. Raises UserError for a file
        that cannot be read, or that is another one than the step asks for."""
        named = [(name, folder / path) for name, path in map(named_file, self.benchmarks)]
        tokenizer = None
        digests = [_digest(path) for _, path in named]
        if self.tokenizer is not None:
            with _step_named():
                tokenizer = open_tokenizer(folder / self.tokenizer, self.end_token)
            digests.append(hashlib.sha256(tokenizer.content).hexdigest())
        for file, digest, asked in zip(self._files(), digests, self.sha256 or [None] * len(digests), strict=True):
            check_digest(str(folder / file), digest, asked)
        with _step_named():
            benchmarks = [self._benchmark(name, path, rows) for name, path in named]
        settings = Settings(definition=self.definition, normalise=self.normalise)
        made = replace(self, sha256=tuple(digests))
        found = CarriedSamples.of(settings, tokenizer, samples_table(benchmarks))
        object.__setattr__(made, "carried", found)
        return made

    def carried_files(self) -> tuple[CarriedSamples, ...]:
        """The samples, if `with_files` read them."""
        return () if self.carried is None else (self.carried,)

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        texts, carried = batch["text"], self._carried()
        columns = score_values(carried, texts) if self.scores else span_values(carried, texts, self.around)
        schema = self.signals
        pairs = zip(columns.values(), schema.types, strict=True)
        arrays = [pa.array(values, kind, from_pandas=True) for values, kind in pairs]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def rules(self) -> tuple[Rule, ...]:
        if self.scores:
            return active_rules(Rule("contaminated", "contaminated_score", at_most=self.max_score))
        return active_rules(
            Rule("contaminated", "contaminated_longest", at_most=None if self.cuts else self.max_longest),
            Rule("contaminated_share", "contaminated_share", at_most=self.max_share),
            Rule("contaminated_passages", "contaminated_passages", at_most=self.max_passages),
            Rule("little_left", "contaminated_left", at_least=self.min_left if self.cuts else None),
        )

    def cut(self, texts: pa.LargeStringArray) -> pa.LargeStringArray:
        """The texts without the passages that they share with samples."""
        found = passages_of(self._carried(), texts)
        if not found:
            return texts
        mask = np.zeros(len(texts), np.bool_)
        mask[list(found)] = True
        cut = []
        for row in sorted(found):
            text = texts[row].as_py().encode()
            cut.append(without(text, widened(text, found[row].passages, self.around)).decode())
        return pc.replace_with_mask(texts, pa.array(mask), pa.array(cut, texts.type))

    def _benchmark(self, name: str, path: Path, rows: ReadRows) -> Benchmark:
        if self.scores:
            return take_apart(name, rows(path), {part: getattr(self, part) for part in PARTS}, self.id_field)
        return verbalise(name, rows(path), self.template, self.id_field)

    def _files(self) -> list[Path]:
        """The files of the step, as a recipe names them."""
        files = [named_file(each)[1] for each in self.benchmarks]
        return files if self.tokenizer is None else [*files, Path(self.tokenizer)]

    def _carried(self) -> CarriedSamples:
        if self.carried is None:
            raise UserError(
                "step contaminated: a manifest does not hold its benchmarks, so nothing can be measured with them: use "
                "the recipe file"
            )
        return self.carried


@contextmanager
def _step_named() -> Iterator[None]:
    """Names the step in messages about its files."""
    try:
        yield
    except UserError as error:
        raise UserError(f"step contaminated: {error}") from error


def _digest(path: Path) -> str:
    """The SHA-256 of a file."""
    try:
        with open_named(path) as stream:
            return sha256_of(stream)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"step contaminated: the benchmark {path} cannot be read: {why}") from error
