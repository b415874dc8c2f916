"""Which responses are compared: plain functions from prompts to pairs."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations

import orjson

from annotation.campaign.responses import Problem, Prompt, Response, order
from annotation.campaign.settings import Pairing


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
    """Combinations that were considered: ``paired`` or the reason why not (identical, not_drawn, repeated: the same
    under another prompt's id); and responses: empty, names_its_model."""


def pair(prompts: Iterable[Prompt], pairing: Pairing, seed: int) -> Paired:
    """All pairs that the policy asks for.

    Responses without text are never paired, nor are two with the same text (surrounding space aside).
    """
    out = Paired()
    found: dict[str, Pair] = {}
    for prompt in sorted(prompts, key=lambda each: each.prompt_id):
        usable = _usable(prompt, pairing, out)
        kept = []
        for first, second in _combinations(usable, pairing):
            if first.text.strip() == second.text.strip():
                out.counts["identical"] += 1
            else:
                kept.append(Pair(pair_id(prompt, first, second), prompt, first, second))
        if pairing.policy == "random" and len(kept) > pairing.per_prompt:
            kept.sort(key=lambda each: seeded_key(seed, "draw", each.pair_id))
            out.counts["not_drawn"] += len(kept) - pairing.per_prompt
            kept = kept[: pairing.per_prompt]
        fresh = [each for each in kept if each.pair_id not in found]
        found.update((each.pair_id, each) for each in fresh)
        out.counts["paired"] += len(fresh)
        out.counts["repeated"] += len(kept) - len(fresh)
    out.pairs = [found[each] for each in sorted(found)]
    return out


def pair_id(prompt: Prompt, first: Response, second: Response) -> str:
    """The same content has the same id, in every campaign and run, whichever comes first: 32 hex digits (BLAKE2b)."""
    responses = sorted((first, second), key=order)
    content = [prompt.messages, *([each.model, each.temperature, each.text] for each in responses)]
    return hashlib.blake2b(orjson.dumps(content), digest_size=16).hexdigest()


def blind_key(pair: Pair) -> str:
    """Made of the prompt and the two texts alone: the same whichever model wrote which."""
    content = [pair.prompt.messages, sorted((pair.first.text, pair.second.text))]
    return hashlib.blake2b(orjson.dumps(content), digest_size=16).hexdigest()


def seeded_key(seed: int, *words: str) -> bytes:
    """16 bytes that look random and depend on nothing but the arguments."""
    return hashlib.blake2b("\0".join((str(seed), *words)).encode(), digest_size=16).digest()


def names_its_model(response: Response) -> bool:
    """Whether the text holds the model's name, whole or its first word of four letters or more, in any spelling.

    A name with slashes is also looked for by what follows each of them. Digits may be glued to the first word.

    >>> names_its_model(Response("meta/llama-2-70b", 0.7, "I am LLaMA2, a language model."))
    True
    >>> names_its_model(Response("llama-2-70b", 0.7, "A mill grinds grain."))
    False
    """
    return any(pattern.search(response.text) for pattern in _patterns(response.model))


@cache
def whole_name(model: str) -> re.Pattern[str]:
    """Finds a model's name in a text, whatever stands between its words and numbers.

    A single letter is no name that could be found: it stands in any text, and tells nothing.
    """
    words = _words(model)
    if len("".join(words)) < 2:
        return re.compile(r"(?!)")
    name = r"[\W_]*".join(map(re.escape, words))
    return re.compile(rf"(?<![^\W_]){name}(?![^\W_])", re.IGNORECASE)


@cache
def _patterns(model: str) -> tuple[re.Pattern[str], ...]:
    parts = [words for part in model.split("/") if (words := _words(part))]
    names = [whole_name(model), *(whole_name(" ".join(words)) for words in parts if len(parts) > 1 and len(words) > 1)]
    first = {words[0] for words in parts if words[0].isalpha() and len(words[0]) >= 4}
    names += [re.compile(rf"(?<![^\W\d_]){re.escape(word)}(?![^\W\d_])", re.IGNORECASE) for word in sorted(first)]
    return tuple(names)


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W\d_]+|\d+", name)


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
    return sorted(usable, key=order)


def _combinations(responses: Sequence[Response], pairing: Pairing) -> Iterable[tuple[Response, Response]]:
    if pairing.policy != "new_vs_previous":
        return combinations(responses, 2)
    new = [response for response in responses if response.model == pairing.new]
    previous = [response for response in responses if response.model == pairing.previous]
    return ((one, other) for one in new for other in previous)
