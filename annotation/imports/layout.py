"""Layouts: the field names of a comparison's parts in the rows of an open set."""

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

from annotation.imports.meanings import mistakes
from schemas.errors import UserError

Side = Literal["first", "second", "tie"]
Degree = Literal["significantly_better", "better", "slightly_better", "negligibly_better"]

MOST = 99
"""Maximum pairs per row."""

RANKS = {"rank", "ranks", "ranking", "place", "position"}
"""Words in a field name that suggest ranks, where the lowest value is the best."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Za-z][a-z]*")

_EACH = ("safe", "risks", "model", "score")
_ONE = {"preferred", "preference", "degree", "degrees", "votes", "vote", "annotations", "control"}
_LIST = {"text", "score", "better", "model"}
_SCORES = ("score", "first_score", "chosen_score")
_WAYS = {
    "chosen and rejected": {"chosen", "rejected", *(f"{side}_{of}" for side in ("chosen", "rejected") for of in _EACH)}
    | {"degree", "degrees", "better"},
    "first and second": {"first", "second", *(f"{side}_{of}" for side in ("first", "second") for of in _EACH)}
    | _ONE
    | {"better"},
    "answers": {"answers", "most_pairs"} | _LIST,
    "consecutive": {"consecutive"} | _LIST,
    "tree": {"tree", "replies", "most_pairs"} | _LIST,
    "labelled": {"completion", "label"},
}
_ANY = {"dialogue", "system", "prompt", "templates", "weight", "id", "batch", "split", "held_out", "ignore"}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where a row holds the parts of a comparison. Names are paths: ``summaries.0.text`` is the text of the first
    summary. Each given name must be present in a row; a null value becomes null in the dataset.

    A layout gets two answers in one of six ways: ``chosen`` and ``rejected``; ``first`` and ``second`` with a field
    that decides between them; ``answers``, a list, each with ``text`` and ``score``; ``consecutive`` rows with the same
    prompt, paired two by two, each with ``text`` and ``score``; a ``tree`` of messages, each with ``text``, ``score``,
    a role and its ``replies``; or rows of one ``completion`` with a ``label``, where a good and a bad answer to the
    same prompt are a pair. Raises UserError for names that do not fit together.

    - ``prompt``: a text or a list of {role, content}. ``templates`` build the prompt from several fields; the first
      template whose fields are all present applies. Neither is needed if the answers are complete dialogues.
      ``system``: a text placed before the prompt as the system message, unless it is empty or null.
    - ``dialogue``: the form of dialogues: ``text`` (a text is one turn), ``hh``, ``helpsteer``, or ``sharegpt`` (lists
      of {from, value}). The first three also read lists of {role, content}.
    - ``preferred``: the field that names the better answer; ``preference``: the meaning of its values, also of ranges
      such as ``<1.5``. Or ``first_score`` and ``second_score``: the higher score is better, equal scores are a tie
      (also for ``chosen_score`` and ``rejected_score``). ``better``: whether the ``higher`` or the ``lower`` score is
      better; required for a field whose name suggests ranks. Or votes, where the majority decides: ``votes``, a list
      with ``vote`` in each item (beside ``preferred``, votes are only counted), or ``annotations`` of Label Studio,
      where ``control`` names the control if there are several.
    - ``ignore``: fields of a row and keys of a message to leave out although they hold more than text, such as
      ``images`` or ``tool_calls``; a row with other fields of this kind is a reject.
    - ``degree``: the field that says how much better (default: ``preferred``); ``degrees``: the meaning of its values.
    - ``chosen_safe``, ``first_safe``, ...: true or false; ``..._risks``: names, or an object with true for each name;
      ``..._model``: the model that wrote the answer.
    - ``most_pairs``: the maximum of pairs from a row with many answers; pairs of the best answers come first.
    - ``weight``: a field, or a number for all rows. ``id``: a field with the row's own id. ``batch``: a field with its
      batch.
    - ``split``: a field; rows with one of the values ``held_out`` in it are held out, whatever their file.
    """

    dialogue: Literal["text", "hh", "helpsteer", "sharegpt"] = "text"
    system: str | None = None
    prompt: str | None = None
    templates: tuple[str, ...] = ()
    chosen: str | None = None
    rejected: str | None = None
    first: str | None = None
    second: str | None = None
    answers: str | None = None
    consecutive: bool = False
    tree: str | None = None
    replies: str | None = None
    completion: str | None = None
    label: str | None = None
    text: str | None = None
    score: str | None = None
    better: Literal["higher", "lower"] | None = None
    model: str | None = None
    most_pairs: int = MOST
    preferred: str | None = None
    preference: Mapping[str, Side] = field(default_factory=dict)
    votes: str | None = None
    vote: str | None = None
    annotations: str | None = None
    control: str | None = None
    degree: str | None = None
    degrees: Mapping[str, Degree] = field(default_factory=dict)
    chosen_score: str | None = None
    rejected_score: str | None = None
    first_score: str | None = None
    second_score: str | None = None
    chosen_safe: str | None = None
    rejected_safe: str | None = None
    first_safe: str | None = None
    second_safe: str | None = None
    chosen_risks: str | None = None
    rejected_risks: str | None = None
    first_risks: str | None = None
    second_risks: str | None = None
    chosen_model: str | None = None
    rejected_model: str | None = None
    first_model: str | None = None
    second_model: str | None = None
    weight: str | int | float | None = None
    id: str | None = None
    batch: str | None = None
    split: str | None = None
    held_out: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wrong = next(self._mistakes(), None)
        if wrong:
            raise UserError(f"the mapping cannot be used: {wrong}")

    @property
    def way(self) -> str:
        """How the layout gets two answers: one of the six ways, by name."""
        if self.chosen is not None or self.rejected is not None:
            return "chosen and rejected"
        if self.answers is not None:
            return "answers"
        if self.tree is not None:
            return "tree"
        if self.completion is not None or self.label is not None:
            return "labelled"
        return "consecutive" if self.consecutive else "first and second"

    @property
    def sides(self) -> tuple[str, str]:
        """The prefixes of the two answers' names."""
        return ("chosen", "rejected") if self.way == "chosen and rejected" else ("first", "second")

    def paths(self, of: str | None = None) -> tuple[str | None, str | None]:
        """The paths of the two answers; with ``of``, the paths of a property of each answer, such as ``model``."""
        one, other = (getattr(self, side if of is None else f"{side}_{of}") for side in self.sides)
        return one, other

    def list_given(self) -> dict[str, object]:
        """The given names with their values, without defaults."""
        return {each.name: getattr(self, each.name) for each in fields(self) if self._is_given(each.name)}

    def required_fields(self) -> frozenset[str]:
        """The top-level fields that a row must have."""
        inside = {"text", "score", "model", "replies"} if self.way in ("answers", "tree") else set()
        beside = {"dialogue", "better", "templates", "vote", "control", *inside}
        paths = [each for name, each in self.list_given().items() if isinstance(each, str) and name not in beside]
        paths += [path for template in self.templates[:1] for path in template_fields(template)]
        return frozenset(path.partition(".")[0] for path in paths)

    def columns(self) -> frozenset[str]:
        """The top-level fields that are read, if a row has them."""
        others = (path for template in self.templates for path in template_fields(template))
        return self.required_fields() | {path.partition(".")[0] for path in others}

    def _is_given(self, name: str) -> bool:
        kind = type(self).__dataclass_fields__[name]
        default = kind.default_factory() if callable(kind.default_factory) else kind.default
        return bool(getattr(self, name) != default)

    def _mistakes(self) -> Iterator[str]:
        given = set(self.list_given())
        useless = sorted(given - _WAYS[self.way] - _ANY)
        if useless:
            yield f"{useless[0]} has no effect beside {self.way}"
        pairs = {"labelled": [("completion", "label")], "tree": [("text", "score"), ("tree", "replies")]}.get(
            self.way, [self.sides] if self.way in ("chosen and rejected", "first and second") else [("text", "score")]
        )
        pairs += [(f"{self.sides[0]}_{of}", f"{self.sides[1]}_{of}") for of in _EACH]
        pairs += [("votes", "vote"), ("split", "held_out")]
        for one, other in pairs:
            if (one in given) != (other in given):
                there, lacking = (one, other) if one in given else (other, one)
                yield f"{there} needs {lacking}"
        if self.way == "first and second":
            yield from self._verdict_mistakes(given)
        if self.way in ("answers", "consecutive", "tree") and "text" not in given:
            yield f"{self.way} needs text and score"
        if self.way == "tree" and {"prompt", "templates"} & given:
            yield "prompt has no effect beside tree: the root of the tree is the prompt"
        yield from self._order_mistakes(given)
        if {"prompt", "templates"} <= given:
            yield "give prompt or templates, not both"
        if not {"prompt", "templates"} & given and self.way in ("answers", "consecutive", "labelled"):
            yield f"{'completion' if self.way == 'labelled' else self.way} needs prompt or templates"
        if self.degrees and not {"degree", "preferred"} & given:
            yield "degrees needs degree"
        if "degree" in given and not self.degrees:
            yield "degree needs degrees"
        if not 1 <= self.most_pairs <= MOST:
            yield f"most_pairs is {self.most_pairs}: give 1 to {MOST}"
        if isinstance(self.weight, int | float) and not 0 < self.weight < float("inf"):
            yield f"weight is {self.weight}: give a number above 0"
        if any(not path or "" in path.split(".") for path in given_paths(self)):
            yield "a name has an empty part: give a field, or fields joined by dots"
        yield from mistakes("preference", self.preference)
        yield from mistakes("degrees", self.degrees)

    def _order_mistakes(self, given: set[str]) -> Iterator[str]:
        scores = [name for name in _SCORES if name in given]
        if "better" in given and not scores:
            yield "better needs a score"
        if self.better is not None:
            return
        for name in scores:
            path = str(getattr(self, name))
            if is_rank(path):
                yield (
                    f'{path} may hold ranks: add better = "lower" if the best answer has the lowest value, '
                    'or better = "higher" if it has the highest'
                )

    def _verdict_mistakes(self, given: set[str]) -> Iterator[str]:
        if "first" not in given:
            yield (
                "it has no answers: give chosen and rejected, first and second, answers, consecutive, tree, or "
                "completion and label"
            )
        ways = [name for name in ("preferred", "first_score", "annotations") if name in given]
        if not ways and "votes" not in given:
            yield "first and second need preferred, first_score and second_score, votes, or annotations"
        if len(ways) > 1:
            yield f"{ways[0]} and {ways[1]} both decide which answer is better: give one of them"
        if ways != ["first_score"] and not {"first", "second"} <= set(self.preference.values()):
            yield "preference needs a value that means first, and a value that means second"
        if self.preference and ways == ["first_score"] and "votes" not in given:
            yield "preference has no effect beside first_score"
        if "control" in given and "annotations" not in given:
            yield "control needs annotations"


def given_paths(layout: Layout) -> list[str]:
    """All paths of a layout, including those in its templates."""
    others = ("control", "dialogue", "better")
    texts = [value for name, value in layout.list_given().items() if isinstance(value, str) and name not in others]
    return [*texts, *(path for template in layout.templates for path in template_fields(template))]


def is_rank(path: str) -> bool:
    """Whether the name of a field suggests that it holds ranks.

    >>> is_rank("answers.0.rank"), is_rank("humanRank"), is_rank("rank_of_b"), is_rank("frankness")
    (True, True, True, False)
    """
    return not RANKS.isdisjoint(word.lower() for word in _WORDS.findall(path.rpartition(".")[2]))


def template_fields(template: str) -> list[str]:
    """The paths in the braces of a template."""
    return [path for _, path in template_parts(template) if path is not None]


def template_parts(template: str) -> list[tuple[str, str | None]]:
    """The parts of a template in order: a literal text and None, or '' and the path of a field.

    Raises UserError for a template with unbalanced braces.

    >>> template_parts("r/{info.subreddit}: {info.post}")
    [('r/', None), ('', 'info.subreddit'), (': ', None), ('', 'info.post')]
    """
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise UserError(
            f"the template {template!r} cannot be read ({error}): write {{field}}, and {{{{ for {{"
        ) from error
    parts: list[tuple[str, str | None]] = []
    for literal, path, _, _ in parsed:
        parts += [(literal, None)] if literal else []
        parts += [("", path)] if path is not None else []
    return parts
