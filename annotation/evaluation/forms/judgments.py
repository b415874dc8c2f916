"""Judgments of others: alpaca_eval's ``annotations.json``, Arena-Hard's judgments, arena battles.

The form of a row follows from its fields.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation.campaign.responses import Messages
from annotation.evaluation.forms.responses import instruction_id
from annotation.evaluation.outputs import parse_id, parse_messages, read_rows
from annotation.evaluation.verdicts import Outcome
from schemas.errors import UserError
from schemas.settings import shown

FIELDS = (
    *("prompt_id", "category", "messages"),
    *("instruction", "output_1", "output_2", "generator_1", "generator_2", "annotator", "preference"),
    *("uid", "judge", "model", "baseline", "games"),
    *("question_id", "model_a", "model_b", "winner"),
)
_TEXTS = ("prompt_id", "category", "instruction", "output_1", "output_2", "generator_1", "generator_2", "annotator")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Vote:
    """What a rater said about two models' responses to a prompt; texts are None if the form has none.

    ``said`` has an entry for each order that was shown: whether the second response came first (None if the form does
    not say), and the outcome in terms of the first and second model. ``preference`` for the first response is from 0 to
    1, None where the form does not weigh.
    """

    prompt_id: str
    category: str | None
    messages: Messages | None
    rater: str
    first_model: str
    second_model: str
    first: str | None
    second: str | None
    said: tuple[tuple[bool | None, Outcome], ...]
    preference: float | None = None


def read_votes(paths: Sequence[Path]) -> list[Vote]:
    """The votes of all files, sorted. Raises UserError, with the place, for a row of another form, a value without a
    meaning, and a rater that judges the same two models on the same prompt twice."""
    found: dict[tuple[str, ...], tuple[str, Vote]] = {}
    for path in paths:
        for place, row in read_rows(path, FIELDS, _TEXTS):
            vote = _read(row, place)
            key = (vote.prompt_id, *sorted((vote.first_model, vote.second_model)), vote.rater)
            if key in found:
                raise UserError(
                    f"{place}: {vote.rater or 'a rater'} judges {vote.first_model} and {vote.second_model} on "
                    f"{vote.prompt_id} again, after {found[key][0]}: keep one of the judgments"
                )
            found[key] = place, vote
    if not found:
        raise UserError(f"{' and '.join(map(str, paths))} holds no judgment")
    return [vote for _, (_, vote) in sorted(found.items())]


def _read(row: Row, place: str) -> Vote:
    if row.get("games") is not None:
        return _arena_hard(row, place)
    if row.get("generator_1") is not None:
        return _alpaca_eval(row, place)
    if row.get("winner") is not None:
        return _battle(row, place)
    raise UserError(
        f"{place}: the row is of no known form: give annotations.json of alpaca_eval (generator_1, generator_2, "
        "preference), judgments of Arena-Hard (uid, model, baseline, games) or battles (model_a, model_b, winner)"
    )


def _alpaca_eval(row: Row, place: str) -> Vote:
    """``preference`` is 1 for the first output, 2 for the second, 1.5 or 0 for a tie; null is no verdict. A weighted
    preference, between 1 and 2, counts for the nearer output, and is kept as well."""
    instruction = row.get("instruction")
    if not isinstance(instruction, str):
        raise UserError(f"{place}: instruction must be a text")
    preference = _preference(row.get("preference"), place)
    outcome: Outcome = "unparsed"
    if preference is not None:
        outcome = "tie" if preference in (0, 1.5) else "first" if preference < 1.5 else "second"
    prompt_id = row.get("prompt_id")
    return Vote(
        instruction_id(instruction) if prompt_id is None else parse_id(prompt_id, "prompt_id", place),
        _text(row, "category", place),
        parse_messages({"messages": row.get("messages"), "prompt": instruction}, place),
        _text(row, "annotator", place) or "",
        parse_id(row["generator_1"], "generator_1", place),
        parse_id(row.get("generator_2"), "generator_2", place),
        _text(row, "output_1", place),
        _text(row, "output_2", place),
        ((None, outcome),),
        None if preference in (None, 0, 1, 1.5, 2) else 2 - preference,
    )


_SCORES: Mapping[str, Outcome] = {
    **dict.fromkeys(["A>>B", "A>B", "B<A", "B<<A"], "first"),
    **dict.fromkeys(["B>>A", "B>A", "A<B", "A<<B"], "second"),
    **dict.fromkeys(["A=B", "B=A"], "tie"),
}
_SWAP: Mapping[Outcome, Outcome] = {"first": "second", "second": "first"}


def _arena_hard(row: Row, place: str) -> Vote:
    """In the first game the baseline is A, in the second the model. A score of null, or no game, is no verdict."""
    games = row["games"]
    if not isinstance(games, list) or not 1 <= len(games) <= 2:
        raise UserError(f"{place}: games must be a list of one or two games")
    said = []
    for number, game in enumerate(games):
        score = game.get("score") if isinstance(game, dict) else None
        if score is not None and score not in _SCORES:
            raise UserError(
                f"{place}: the score of a game is {shown(score)}: give one of {', '.join(_SCORES)}, or null"
            )
        outcome: Outcome = "unparsed" if score is None else _SCORES[score]
        said.append((number == 1, _SWAP.get(outcome, outcome) if number == 1 else outcome))
    uid, model, baseline = (parse_id(row.get(name), name, place) for name in ("uid", "model", "baseline"))
    rater = _text(row, "judge", place) or ""
    return Vote(uid, _text(row, "category", place), None, rater, baseline, model, None, None, tuple(said))


_WINNERS: Mapping[str, Outcome] = {
    "model_a": "first",
    "model_b": "second",
    **dict.fromkeys(["tie", "tie (bothbad)", "bothbad", "both_bad"], "tie"),
}


def _battle(row: Row, place: str) -> Vote:
    if row["winner"] not in _WINNERS:
        raise UserError(f"{place}: winner is {shown(row['winner'])}: give one of {', '.join(_WINNERS)}")
    question, first, second = (parse_id(row.get(name), name, place) for name in ("question_id", "model_a", "model_b"))
    rater = _text(row, "judge", place) or ""
    return Vote(question, None, None, rater, first, second, None, None, ((None, _WINNERS[row["winner"]]),))


def _preference(value: Any, place: str) -> float | None:
    """A number from 1 to 2, 0, or None; in CSV the text of a number, or an empty cell."""
    try:
        number = float(value) if isinstance(value, str) and value.strip() else None if value == "" else value
    except ValueError:
        number = value
    if number is None or number != number:
        return None
    if isinstance(number, bool) or not isinstance(number, int | float) or not (number == 0 or 1 <= number <= 2):
        raise UserError(f"{place}: preference is {shown(value)}: give a number from 1 to 2, 0 for a tie, or null")
    return float(number)


def _text(row: Row, name: str, place: str) -> str | None:
    value = row.get(name)
    if not isinstance(value, str | None):
        raise UserError(f"{place}: {name} must be a text")
    return None if value is None else str(value)
