"""A recipe: the steps that rewrite, measure and filter documents, in order, and the removal of duplicates."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, get_args, runtime_checkable

import pyarrow as pa

from curation.benchmarks.carried import CarriedSamples
from curation.benchmarks.files import ReadRows
from curation.dedup.settings import Dedup
from curation.fasttext.files import ModelFile, forget_models
from curation.filters.c4 import C4Pages
from curation.filters.characters import Characters
from curation.filters.columns import count
from curation.filters.comments import Comments
from curation.filters.contaminated import Contaminated
from curation.filters.fasttext import Fasttext
from curation.filters.fineweb import Fineweb
from curation.filters.function import Function
from curation.filters.gopher_quality import GopherQuality
from curation.filters.gopher_repetition import GopherRepetition
from curation.filters.language import Language
from curation.filters.line_lengths import LineLengths
from curation.filters.madlad import Madlad
from curation.filters.pattern import Pattern
from curation.filters.personal import PersonalInformation
from curation.filters.quality import Quality
from curation.filters.removed_words import RemovedWords
from curation.filters.rights import Rights
from curation.filters.robots import Robots
from curation.filters.rules import Rule
from curation.filters.url import Url
from curation.filters.url_substrings import UrlSubstrings
from curation.filters.word_list import WordList
from curation.rewrites.c4_lines import C4Lines
from curation.rewrites.line_rules import LineRules
from curation.rewrites.normalise import Normalise
from curation.rewrites.personal import Kind
from curation.rewrites.redact import Redact
from curation.rewrites.replace import Replace
from curation.sites.settings import STAGE as SITES_STAGE
from curation.sites.settings import Sites
from curation.words.libraries import SOURCES, versions
from schemas import DOCUMENTS, REJECTS, SIGNALS
from schemas.errors import UserError
from schemas.settings import unknown

ROUTE = pa.schema(
    [
        pa.field(
            "language_settings",
            pa.string(),
            metadata={"description": "the settings for the document's language, null if the recipe has none"},
        ),
        pa.field("word_splitter", pa.string(), metadata={"description": "what split the text into words"}),
        count(
            "other_stop_words",
            "different stop words of the language that has most of them in the text; 0 if the text has enough stop "
            "words of its own language, or as many",
        ),
        pa.field("stop_words_of", pa.string(), metadata={"description": "the language of other_stop_words"}),
    ]
)
"""The signals of a recipe with settings for languages."""
OWN_STOP_WORDS = pa.schema([count("stop_words", "different stop words of the document's language")])


@runtime_checkable
class Filter(Protocol):
    """A step that measures a batch, and has rules with thresholds for the measured signals."""

    @property
    def use(self) -> str: ...

    @property
    def signals(self) -> pa.Schema: ...

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch: ...

    def rules(self) -> tuple[Rule, ...]: ...


@runtime_checkable
class Rewrite(Protocol):
    """A step that rewrites texts."""

    @property
    def use(self) -> str: ...

    def rewrite(self, texts: pa.LargeStringArray) -> pa.LargeStringArray: ...


@runtime_checkable
class Counting(Protocol):
    """A step that rewrites texts and counts what it replaced; ``counts`` are the signals."""

    @property
    def counts(self) -> pa.Schema: ...

    def rewrite_and_count(self, texts: pa.LargeStringArray) -> tuple[pa.LargeStringArray, pa.RecordBatch]: ...


@runtime_checkable
class WithFiles(Protocol):
    """A step that reads lists of the user's, or a model."""

    def list_digests(self) -> dict[str, str]: ...

    def read_lists(self) -> None: ...


Step = (
    Url
    | Language
    | GopherQuality
    | GopherRepetition
    | C4Lines
    | C4Pages
    | Fineweb
    | Redact
    | Characters
    | Comments
    | LineLengths
    | LineRules
    | Madlad
    | Pattern
    | RemovedWords
    | Replace
    | Rights
    | Robots
    | UrlSubstrings
    | WordList
    | Function
    | Fasttext
    | Quality
    | Contaminated
)
OwnStep = Function | Fasttext | Quality | Contaminated
OWN_STEPS: tuple[type[OwnStep], ...] = get_args(OwnStep)
"""The steps with a function, a model or benchmarks of the user's."""
STEPS: tuple[type[Any], ...] = tuple(each for each in get_args(Step) if each not in OWN_STEPS)
"""All other steps: each of their settings has a default."""
STAGES = ("text", SITES_STAGE, "url", "exact", "near", "pieces", "takedown", *(step.use for step in STEPS))
"""The stages that no step of the user's may be named after."""
REWRITES = tuple(step.use for step in STEPS if hasattr(step, "rewrite"))
"""The names of the steps in STEPS that change texts."""
REPEATABLE = (LineRules.use, Replace.use)
"""The steps that a recipe may have more than once. All others measure signals, whose names would then not be unique, or
do nothing a second time."""
FAMILIES = (Language, GopherQuality, GopherRepetition, C4Pages, Fineweb)
"""The filters whose signals are measured for every document, even if the recipe does not use them.

This list stays as it is: with one more filter, every recipe would have other signals than corpora of earlier versions,
and a takedown of such a corpus would fail. All other filters are measured where a recipe uses them.
"""


@dataclass(frozen=True, kw_only=True)
class LanguageSettings:
    """A recipe's steps with the settings for one language, which ``name`` names (``deu_Latn``, or a label)."""

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings of a recipe. ``steps`` run in order.

    ``signals`` are the signals that the corpus holds: all of FAMILIES and of the steps (True), none (False), or some,
    by name. Besides these, only signals that rules compare with a threshold are measured (with ``languages``, rules of
    any language), the signal of ``dedup.keep``, and the language if it is a step. Raises UserError for an unknown
    signal.

    ``sites`` says which sites are removed from the corpus, before duplicates are.

    ``languages`` are settings for single languages, sorted by name: a document is judged by those for its language
    (`routing.py`), and one in any other language fails the step ``language``. ``language_file`` is the name and the
    SHA-256 of the file that they were read from.
    """

    name: str
    normalise: Normalise | None = field(default_factory=Normalise)
    signals: bool | tuple[str, ...] = True
    steps: tuple[Step, ...] = ()
    dedup: Dedup = field(default_factory=Dedup)
    sites: Sites | None = None
    languages: tuple[LanguageSettings, ...] = ()
    language_file: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        stages = [stage_of(step) for step in self.steps]
        for step, stage in zip(self.steps, stages, strict=True):
            if stages.count(stage) > 1 and stage not in REPEATABLE:
                hint = " or give each a name" if isinstance(step, Function | Fasttext) else ""
                raise UserError(f"the recipe has the step {stage} more than once: keep one{hint}")
        self._check_own_names()
        available = self._available_signals()
        for name in () if isinstance(self.signals, bool) else self.signals:
            if name not in available.names:
                raise UserError(unknown("signals cannot have", name, available.names))
        keep = self.dedup.keep
        if keep.policy == "signal":
            numeric = [column.name for column in available if not pa.types.is_string(column.type)]
            if keep.signal not in numeric:
                raise UserError(
                    f"keep.signal is {keep.signal!r}: give one of {', '.join(numeric) or 'no signal (signals are off)'}"
                )

    @property
    def reads_rights(self) -> bool:
        """Whether pages are read for what they state of their rights."""
        return any(isinstance(step, Rights) for step in self.steps)

    @cached_property
    def all_steps(self) -> tuple[Step, ...]:
        """The steps, and those with other settings for some language, each once."""
        return tuple(dict.fromkeys((*self.steps, *(step for each in self.languages for step in each.steps))))

    @cached_property
    def site_counter(self) -> PersonalInformation | None:
        """What counts personal information for ``sites``; None if it is not counted, or if `redact` counts it."""
        redacting = [step for step in self.all_steps if isinstance(step, Redact)]
        if self.sites is None or (redacting and all(map(self.sites.are_counted_by, redacting))):
            return None
        return self.sites.counter

    @property
    def site_signals(self) -> dict[Kind, str]:
        """The signal that counts each kind of personal information for ``sites``."""
        if self.sites is None:
            return {}
        return {kind: f"{'redacted' if self.site_counter is None else 'personal'}_{kind}" for kind in self.sites.kinds}

    def with_site_counter(self, steps: tuple[Step, ...]) -> tuple[Step | PersonalInformation, ...]:
        """The steps, with what counts personal information for ``sites`` before the first step that replaces it, or at
        the end."""
        if self.site_counter is None:
            return steps
        place = next((place for place, step in enumerate(steps) if isinstance(step, Redact)), len(steps))
        return (*steps[:place], self.site_counter, *steps[place:])

    def rewrite(self, texts: pa.LargeStringArray) -> pa.LargeStringArray:
        """Applies the rewrites of all steps to normalised texts."""
        for step in self.steps:
            if isinstance(step, Rewrite):
                texts = step.rewrite(texts)
            elif isinstance(step, Contaminated) and step.cuts:
                texts = step.cut(texts)
        return texts

    @cached_property
    def measured_signals(self) -> pa.Schema:
        """The schema of all signals that are measured; the metadata of each describes the signal and the text that it
        was measured on."""
        available = self._available_signals()
        if self.signals is True:
            return available
        wanted = {*(self.signals or ()), self.dedup.keep.signal, *self.site_signals.values()}
        if self.languages:
            wanted.update(ROUTE.names, OWN_STOP_WORDS.names)
        for step in self.all_steps:
            if isinstance(step, Filter):
                wanted.update(rule.signal for rule in step.rules())
            if isinstance(step, Language):
                wanted.update(step.signals.names)  # columns of the documents
        return pa.schema([column for column in available if column.name in wanted])

    @property
    def written_signals(self) -> pa.Schema:
        """The schema of the signals that the corpus holds."""
        if isinstance(self.signals, bool):
            return self.measured_signals if self.signals else pa.schema([])
        return pa.schema([column for column in self.measured_signals if column.name in self.signals])

    def _available_signals(self) -> pa.Schema:
        """The signals of the steps and, unless signals are off, of FAMILIES."""
        used = {type(step) for step in self.steps}
        columns: dict[str, pa.Field] = {}
        if self.signals:
            for family in FAMILIES:
                if family not in used:
                    _add(columns, family().signals, "normalised text" if self.normalise else "text as read")
        text = "normalised text" if self.normalise else "text as read"
        for step in self.with_site_counter(self.steps):
            if isinstance(step, Filter):
                _add(columns, step.signals, text)
                if isinstance(step, GopherQuality) and self.languages:
                    _add(columns, OWN_STOP_WORDS, text)
                if self.languages and isinstance(step, Language):
                    _add(columns, ROUTE, text)
            if isinstance(step, Counting):
                _add(columns, step.counts, text)
            if changes_texts(step):
                text = f"text after {step.use}"
        return pa.schema(list(columns.values()))

    def counts(self) -> pa.Schema:
        """The signals that count what rewrites replaced."""
        return pa.schema([column for step in self.steps if isinstance(step, Counting) for column in step.counts])

    def with_files(self, folder: Path, rows: ReadRows, wanted: Callable[[Step], bool] = lambda step: True) -> "Recipe":
        """This recipe with the functions, models and benchmarks that its ``wanted`` steps name, relative to ``folder``.
        ``rows`` reads the rows of a benchmark. Raises UserError for a file that cannot be read."""
        forget_models()
        found: dict[Step, Step] = {}
        for step in filter(wanted, self.all_steps):
            if isinstance(step, Contaminated):
                found[step] = step.with_files(folder, rows)
            elif isinstance(step, OwnStep | Language):
                found[step] = step.with_file(folder)

        def with_files(steps: tuple[Step, ...]) -> tuple[Step, ...]:
            return tuple(found.get(step, step) for step in steps)

        languages = tuple(replace(each, steps=with_files(each.steps)) for each in self.languages)
        return replace(self, steps=with_files(self.steps), languages=languages)

    def carried_files(self) -> tuple[ModelFile | CarriedSamples, ...]:
        """The models and the samples of benchmarks that the steps use, each once, which `with_files` found."""
        steps = (step for step in self.all_steps if isinstance(step, Fasttext | Quality | Language | Contaminated))
        return tuple({file.sha256: file for step in steps for file in step.carried_files()}.values())

    def list_digests(self) -> dict[str, str]:
        """The SHA-256 (in hexadecimal) of the entries of each list file, and of each model, by name; and the version of
        each package that splits words. Raises UserError if such a package is not installed."""
        digests = {name: digest for step in self._steps_with_files() for name, digest in step.list_digests().items()}
        for library in self._word_libraries():
            digests |= versions(library)
        return digests

    def read_lists(self) -> None:
        """Reads all lists and models again. Raises UserError for one that cannot be read, or an invalid entry."""
        for step in self._steps_with_files():
            step.read_lists()

    def check(self) -> None:
        """Raises UserError for settings that no document can meet: a minimum above its maximum, or unknown languages.
        Recipes in manifests are not checked: a corpus that was made with such settings stays readable."""
        for step in self.steps:
            _check_bounds(step, "")
        for each in self.languages:
            for step, own in zip(self.steps, each.steps, strict=True):
                if own != step:
                    _check_bounds(own, f"languages.{each.name}.")

    def _check_own_names(self) -> None:
        """Raises UserError for a step or a signal of the user's that is named after another one."""
        own = [step for step in self.steps if isinstance(step, OWN_STEPS)]
        families = [family() for family in FAMILIES]
        others = [each.signals for each in (*families, *self.steps) if isinstance(each, Filter) and each not in own]
        taken = {name for schema in (DOCUMENTS, REJECTS, SIGNALS) for name in schema.columns.names}
        taken |= {name for schema in others for name in schema.names} | set(self.site_signals.values())
        for step in own:
            stage = stage_of(step)
            if stage in STAGES:
                raise UserError(f"a step of your own cannot be named {stage}, like a stage of Gristmill: rename it")
            for name in step.signals.names:
                if name in taken:
                    raise UserError(
                        f"step {stage} measures {name}, which is the name of another signal or column: rename it"
                    )
                taken.add(name)

    def _word_libraries(self) -> list[str]:
        return sorted({splitter for step in self.all_steps if (splitter := splitter_of(step)) in SOURCES})

    def _steps_with_files(self) -> list[WithFiles]:
        return [step for step in (*self.all_steps, self.site_counter) if isinstance(step, WithFiles)]


def _check_bounds(step: Step, place: str) -> None:
    """Raises UserError for a step with settings that no document can meet; ``place`` is the table that names the
    step."""
    held, named = vars(step), f"{place}{stage_of(step)}"
    for name, least in held.items():
        bound = name.replace("min_", "max_", 1)
        most = held.get(bound) if name.startswith("min_") else None
        if least is not None and most is not None and least > most:
            raise UserError(
                f"{named}.{name} is {least:g}, above {named}.{bound}, which is {most:g}: no document can meet both, so "
                "change one of them"
            )
    if isinstance(step, Language):
        step.check_languages()
    if isinstance(step, Function | Fasttext):
        step.check(place)


def changes_texts(step: object) -> bool:
    """Whether a step may change texts."""
    return isinstance(step, Rewrite) or (isinstance(step, Contaminated) and step.cuts)


def splitter_of(step: Step) -> str | None:
    """What splits texts into words for a step of which this depends on the language; None for other steps."""
    if isinstance(step, GopherQuality | GopherRepetition):
        return step.definition.words
    return step.words if isinstance(step, Fineweb) else None


def stage_of(step: Step) -> str:
    """The name of a step in rejects and reports: its ``use``, or the name that the user gave it."""
    return step.stage if isinstance(step, Function | Fasttext) else step.use


def _add(columns: dict[str, pa.Field], signals: pa.Schema, text: str) -> None:
    for column in signals:
        columns[column.name] = column.with_metadata({**(column.metadata or {}), b"text": text.encode()})
