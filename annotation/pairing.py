"""Which responses are compared: plain functions from prompts to pairs."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations

import orjson

from annotation.campaign import Pairing
from annotation.responses import Problem, Prompt, Response


@dataclass(frozen=True)
class Pair:
    """Two responses to one prompt; ``first`` comes first by a rule that says nothing about quality."""

    pair_id: str
    prompt: Prompt
    first: Response
    second: Response

    @property
    def models(self) -> tuple[str, str]:
        return self.first.model, self.second.model


@dataclass
class Paired:
    """The pairs sorted by id, and what was left out or is worth a look."""

    pairs: list[Pair] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """Combinations that were considered: ``paired`` or the reason why not (identical, not_drawn); and responses:
    empty, names_its_model."""


def pair(prompts: Iterable[Prompt], pairing: Pairing, seed: int) -> Paired:
    """All pairs that the policy asks for.

    Responses without text are never paired, nor are two with the same text (surrounding space aside).
    """
    out = Paired()
    for prompt in prompts:
        usable = _usable(prompt, pairing, out)
        kept = []
        for first, second in _combinations(usable, pairing):
            if first.text.strip() == second.text.strip():
                out.counts["identical"] += 1
            else:
                kept.append(Pair(pair_id(prompt, first, second), prompt, first, second))
        if pairing.policy == "random" and len(kept) > pairing.per_prompt:
            kept.sort(key=lambda each: seeded(seed, "draw", each.pair_id))
            out.counts["not_drawn"] += len(kept) - pairing.per_prompt
            kept = kept[: pairing.per_prompt]
        out.counts["paired"] += len(kept)
        out.pairs += kept
    out.pairs.sort(key=lambda each: each.pair_id)
    return out


def pair_id(prompt: Prompt, first: Response, second: Response) -> str:
    """The same content has the same id, in every campaign and run: 128 bits of BLAKE2b, as 32 hex digits."""
    content = [prompt.messages, *([each.model, each.temperature, each.text] for each in (first, second))]
    return hashlib.blake2b(orjson.dumps(content), digest_size=16).hexdigest()


def seeded(seed: int, *words: str) -> bytes:
    """16 bytes that look random and depend on nothing but the arguments."""
    return hashlib.blake2b("\0".join((str(seed), *words)).encode(), digest_size=16).digest()


def names_its_model(response: Response) -> bool:
    """Whether the text holds the model's name, whole or its first word of four letters or more, in any spelling.

    >>> names_its_model(Response("llama-2-70b", 0.7, "I am LLaMA, a language model."))
    True
    >>> names_its_model(Response("llama-2-70b", 0.7, "A mill grinds grain."))
    False
    """
    return any(pattern.search(response.text) for pattern in _patterns(response.model))


@cache
def _patterns(model: str) -> tuple[re.Pattern[str], ...]:
    words = re.findall(r"[^\W\d_]+|\d+", model)
    if not words:
        return ()
    names = [r"[\W_]*".join(map(re.escape, words))]
    if words[0].isalpha() and len(words[0]) >= 4:
        names.append(re.escape(words[0]))
    return tuple(re.compile(rf"(?<![^\W_]){name}(?![^\W_])", re.IGNORECASE) for name in names)


def _usable(prompt: Prompt, pairing: Pairing, out: Paired) -> list[Response]:
    usable = []
    for response in prompt.responses:
        where = f"prompt {prompt.prompt_id}"
        if not response.text.strip():
            out.counts["empty"] += 1
            out.problems.append(Problem(where, "empty", f"the response of {response.model} is empty: not paired"))
            continue
        if names_its_model(response):
            out.counts["names_its_model"] += 1
            fate = "paired all the same" if pairing.self_naming == "keep" else "not paired"
            message = f"the response of {response.model} names its own model: {fate}"
            out.problems.append(Problem(where, "names_its_model", message))
            if pairing.self_naming == "drop":
                continue
        usable.append(response)
    return sorted(usable, key=_order)


def _order(response: Response) -> tuple[str, bool, float, str]:
    return response.model, response.temperature is not None, response.temperature or 0.0, response.text


def _combinations(responses: Sequence[Response], pairing: Pairing) -> Iterable[tuple[Response, Response]]:
    if pairing.policy != "new_vs_previous":
        return combinations(responses, 2)
    new = [response for response in responses if response.model == pairing.new]
    previous = [response for response in responses if response.model == pairing.previous]
    return ((one, other) for one in new for other in previous)
