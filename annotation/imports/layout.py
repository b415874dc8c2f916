"""Where a comparison's parts lie in the rows of an open set: one table of names, the same for each set."""

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
"""Pairs of one row at most."""

RANKS = {"rank", "ranks", "ranking", "place", "position"}
"""Words in the name of a field whose values may be ranks, of which the lowest is the best."""

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
    """Names are paths: ``summaries.0.text`` is the text of the first of the summaries. Every name that is given must be
    in a row; a null there is null in the dataset.

    A layout has one of six ways to two answers: ``chosen`` and ``rejected``; ``first`` and ``second`` with what tells
    the better one; ``answers``, a list, each with ``text`` and ``score``; ``consecutive`` rows with one prompt, two
    by two, each with ``text`` and ``score``; a ``tree`` of messages, each with ``text``, ``score``, a role and its
    ``replies``; or rows of one ``completion`` with a ``label``, good or bad, of which two with one prompt are a pair.
    Raises UserError for names that do not go together.

    - ``prompt``: a text or a list of {role, content}; ``templates`` make one text of several fields, the first template
      whose fields are all there. Neither is needed where the answers are whole dialogues. ``system``: a text that
      stands before the prompt as the system's message, unless it is empty or null.
    - ``dialogue``: how dialogues are written: ``text`` (a text holds no turns), ``hh``, ``helpsteer``, or ``sharegpt``
      (lists of {from, value}). Lists of {role, content} are read with each of the first three.
    - ``preferred``: the field that tells the better one; ``preference``: what its values mean, also ranges of numbers
      such as ``<1.5``. Or ``first_score`` and ``second_score``: the higher one is better, equal ones are a tie
      (``chosen_score`` and ``rejected_score`` too). ``better``: which score is better, the ``higher`` or the ``lower``
      one; a field whose name says that it holds ranks needs it.
      Or votes, of which the most decide: ``votes``, a list, with ``vote`` in each (beside ``preferred`` they are only
      counted), or ``annotations`` of Label Studio, where ``control`` names the control if there are several.
    - ``ignore``: fields of a row and keys of a message that are left out although they hold more than words, such as
      ``images`` or ``tool_calls``; without it such a row is a reject.
    - ``degree``: the field that tells how much better (default: ``preferred``); ``degrees``: what its values mean.
    - ``chosen_safe``, ``first_safe``, ...: true or false; ``..._risks``: names, or an object with true for each;
      ``..._model``: who wrote it.
    - ``most_pairs``: of a row with many answers, pairs beyond it are no candidates; the best answers come first.
    - ``weight``: a field, or a number for each row. ``id``: a field with the row's own name. ``batch``: likewise.
    - ``split``: a field; rows with one of the values ``held_out`` there are held out, whatever file they are in.
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
        """Which of the six ways it goes, by the names of what it needs."""
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
        """How the names of the two answers begin."""
        return ("chosen", "rejected") if self.way == "chosen and rejected" else ("first", "second")

    def paths(self, of: str | None = None) -> tuple[str | None, str | None]:
        """The paths of the two answers, or those of what a row says of each, such as their ``model``."""
        one, other = (getattr(self, side if of is None else f"{side}_{of}") for side in self.sides)
        return one, other

    def list_given(self) -> dict[str, object]:
        """The names that are given, with their values."""
        return {each.name: getattr(self, each.name) for each in fields(self) if self._is_given(each.name)}

    def required_fields(self) -> frozenset[str]:
        """The fields of a row, at its top, that must be there."""
        inside = {"text", "score", "model", "replies"} if self.way in ("answers", "tree") else set()
        beside = {"dialogue", "better", "templates", "vote", "control", *inside}
        paths = [each for name, each in self.list_given().items() if isinstance(each, str) and name not in beside]
        paths += [path for template in self.templates[:1] for path in template_fields(template)]
        return frozenset(path.partition(".")[0] for path in paths)

    def columns(self) -> frozenset[str]:
        """The fields of a row, at its top, that are read where they are there."""
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
            yield "it needs prompt or templates"
        if self.degrees and not {"degree", "preferred"} & given:
            yield "degrees needs degree"
        if "degree" in given and not self.degrees:
            yield "degree needs degrees"
        if not 1 <= self.most_pairs <= MOST:
            yield f"most_pairs is 1 to {MOST}"
        if isinstance(self.weight, int | float) and not 0 < self.weight < float("inf"):
            yield "weight is a number above 0"
        if any(not path or "" in path.split(".") for path in given_paths(self)):
            yield "a name is a field, or fields with points between them"
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
                    f'{path} may hold ranks: add better = "lower" if the lowest value is that of the best answer, '
                    'or better = "higher" if the highest is'
                )

    def _verdict_mistakes(self, given: set[str]) -> Iterator[str]:
        if "first" not in given:
            yield "it needs chosen and rejected, first and second, answers, consecutive, tree, or completion and label"
        ways = [name for name in ("preferred", "first_score", "annotations") if name in given]
        if not ways and "votes" not in given:
            yield "first and second need preferred, first_score and second_score, votes, or annotations"
        if len(ways) > 1:
            yield f"{ways[0]} and {ways[1]} both tell the better one: give one"
        if ways != ["first_score"] and not {"first", "second"} <= set(self.preference.values()):
            yield "preference needs a value for first and one for second"
        if self.preference and ways == ["first_score"] and "votes" not in given:
            yield "preference has no effect beside first_score"
        if "control" in given and "annotations" not in given:
            yield "control needs annotations"


def given_paths(layout: Layout) -> list[str]:
    """All names of fields in a layout."""
    others = ("control", "dialogue", "better")
    texts = [value for name, value in layout.list_given().items() if isinstance(value, str) and name not in others]
    return [*texts, *(path for template in layout.templates for path in template_fields(template))]


def is_rank(path: str) -> bool:
    """Whether the name of a field says that it holds ranks.

    >>> is_rank("answers.0.rank"), is_rank("humanRank"), is_rank("rank_of_b"), is_rank("frankness")
    (True, True, True, False)
    """
    return not RANKS.isdisjoint(word.lower() for word in _WORDS.findall(path.rpartition(".")[2]))


def template_fields(template: str) -> list[str]:
    """The fields of a template, in braces."""
    return [path for _, path in template_parts(template) if path is not None]


def template_parts(template: str) -> list[tuple[str, str | None]]:
    """What a template is made of: a text as it is, or the path of a field.

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
