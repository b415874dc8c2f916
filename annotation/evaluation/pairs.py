"""The pairs of responses that a judge compares."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import orjson

from annotation.campaign.responses import Messages
from annotation.evaluation.outputs import Outputs
from annotation.evaluation.people import still_unanswered
from annotation.judgments.snapshot import Snapshot
from schemas.errors import UserError
from schemas.settings import unknown


@dataclass(frozen=True)
class Pair:
    """Two responses to one prompt. ``first`` and ``second`` say nothing about quality; the order in which a judge sees
    the responses is another matter."""

    pair_id: str
    prompt_id: str
    category: str | None
    messages: Messages
    first_model: str
    second_model: str
    first: str
    second: str


@dataclass(frozen=True)
class Response:
    """A model's response to a prompt."""

    prompt_id: str
    category: str | None
    messages: Messages
    model: str
    text: str

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.prompt_id, self.model, self.text


@dataclass(frozen=True)
class Pairs:
    """Pairs sorted by (prompt_id, first_model, second_model, pair_id). ``models``: the models that are compared, first
    and second; ``unanswered``: (model, prompt_id) of the prompts that a model did not answer; ``responses``: all
    responses, also those in no pair, sorted by (prompt_id, model, text); ``kinds``: of each prompt that a model did not
    answer its category, and whether it has several turns of the user."""

    pairs: Sequence[Pair]
    models: Sequence[tuple[str, str]]
    unanswered: Sequence[tuple[str, str]] = ()
    responses: Sequence[Response] = ()
    kinds: Mapping[str, tuple[str | None, bool]] = field(default_factory=dict)


def of_outputs(outputs: Outputs, baseline: str | None = None, *, alone: bool = False) -> Pairs:
    """Each model against the baseline, which is the first of each pair; without a baseline all pairs of models, sorted
    by name. A prompt makes a pair if both models answered it.

    Raises UserError if there is no model of that name, or a single model, unless it may be ``alone``.
    """
    names = list(outputs.models)
    if baseline is not None and baseline not in names:
        raise UserError(unknown("there is no baseline", baseline, names))
    if len(names) < 2 and not alone:
        raise UserError(f"all responses are of the model {names[0]!r}: give the responses of two models or more")
    compared = (
        list(combinations(names, 2)) if baseline is None else [(baseline, name) for name in names if name != baseline]
    )
    made = (pair for first, second in compared for pair in _of_models(outputs, first, second))
    responses = [
        Response(key, outputs.questions[key].category, outputs.questions[key].messages, name, text)
        for name, texts in outputs.models.items()
        for key, text in texts.items()
    ]
    asked = {key: outputs.questions[key] for _, key in outputs.unanswered}
    kinds = {key: (each.category, _turns(each.messages) > 1) for key, each in asked.items()}
    return Pairs(sorted(made, key=_order), compared, outputs.unanswered, _sorted(responses), kinds)


def _of_models(outputs: Outputs, first: str, second: str) -> Iterator[Pair]:
    one, other = outputs.models[first], outputs.models[second]
    for prompt_id in one.keys() & other.keys():
        question = outputs.questions[prompt_id]
        texts = one[prompt_id], other[prompt_id]
        pair_id = _pair_id(prompt_id, question.messages, (first, second), texts)
        yield Pair(pair_id, prompt_id, question.category, question.messages, first, second, *texts)


def of_campaign(snapshot: Snapshot, baseline: str | None = None, *, alone: bool = False) -> Pairs:
    """The pairs of a campaign without gold pairs; with a baseline, the pairs in which the baseline takes part.

    Raises UserError if the campaign has no pairs. A campaign that asks about single responses has no pairs: its
    responses must be allowed ``alone``.
    """
    rows = [row for row in snapshot.pairs.to_pylist() if row["gold"] is None]
    names = sorted({row[name] or "" for row in rows for name in ("first_model", "second_model")} - {""})
    if baseline is not None:
        if baseline not in names:
            raise UserError(unknown(f"{snapshot.name} has no baseline", baseline, names))
        rows = [row for row in rows if baseline in (row["first_model"], row["second_model"])]
    if not rows:
        raise UserError(f"{snapshot.name} has nothing to judge: push a batch first")
    pairs = [_pair(row) for row in rows if row["second"] is not None]
    if not pairs and not alone:
        raise UserError(f"{snapshot.name} asks about single responses: judge them with --template single")
    compared = sorted({(pair.first_model, pair.second_model) for pair in pairs})
    responses = [_response(row, side) for row in rows for side in ("first", "second") if row[side] is not None]
    silent = still_unanswered(snapshot)
    unanswered = sorted({(each.model, each.prompt_id) for each in silent})
    kinds = {each.prompt_id: (each.category, each.turns > 1) for each in silent}
    return Pairs(sorted(pairs, key=_order), compared, unanswered, _sorted(responses), kinds)


def _pair(row: Mapping[str, Any]) -> Pair:
    models = row["first_model"] or "", row["second_model"] or ""
    about = row["pair_id"], row["prompt_id"], row["category"], _messages(row)
    return Pair(*about, *models, row["first"], row["second"])


def _response(row: Mapping[str, Any], side: str) -> Response:
    return Response(row["prompt_id"], row["category"], _messages(row), row[f"{side}_model"] or "", row[side])


def _messages(row: Mapping[str, Any]) -> Messages:
    return tuple((turn["role"], turn["content"]) for turn in row["prompt"])


def _sorted(responses: Sequence[Response]) -> list[Response]:
    """The responses without repetitions, sorted."""
    return [each for _, each in sorted({each.identity: each for each in responses}.items())]


def _turns(messages: Messages) -> int:
    return sum(role == "user" for role, _ in messages)


def _order(pair: Pair) -> tuple[str, ...]:
    return pair.prompt_id, pair.first_model, pair.second_model, pair.pair_id


def _pair_id(prompt_id: str, messages: Messages, models: tuple[str, str], texts: tuple[str, str]) -> str:
    """A hash of the content that does not depend on the order: 32 hexadecimal digits."""
    content = [prompt_id, messages, sorted(zip(models, texts, strict=True))]
    return hashlib.blake2b(orjson.dumps(content), digest_size=16).hexdigest()
