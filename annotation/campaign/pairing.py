"""Makes the pairs of responses to compare."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations

import orjson

from annotation.campaign.responses import Problem, Prompt, Response, sort_key
from annotation.campaign.settings import Pairing


@dataclass(frozen=True)
class Pair:
    """Two responses to one prompt; ``first`` comes first in an order that is independent of quality. For a protocol
    that shows single responses, ``second`` is None."""

    pair_id: str
    prompt: Prompt
    first: Response
    second: Response | None

    @property
    def responses(self) -> tuple[Response, ...]:
        return (self.first,) if self.second is None else (self.first, self.second)


@dataclass
class PairingResult:
    """The pairs, sorted by id, and the responses that were skipped or need attention."""

    pairs: list[Pair] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """Numbers of combinations that became pairs (``paired``) or did not (``identical``, ``not_drawn``, or ``repeated``:
    the same content has another prompt's id), of responses (``empty``, ``names_its_model``, ``repeated_response``), and
    of prompts without two responses to compare (``single``)."""


def make_pairs(prompts: Iterable[Prompt], pairing: Pairing, seed: int) -> PairingResult:
    """The pairs that the policy asks for.

    Empty responses are never paired, nor are responses that differ only in leading and trailing whitespace.
    """
    out = PairingResult()
    found: dict[str, Pair] = {}
    for prompt in sorted(prompts, key=lambda prompt: prompt.prompt_id):
        usable = _find_usable(prompt, pairing, out)
        out.counts["repeated_response"] += prompt.repeated
        out.problems += prompt.repeats
        combined, kept = list(_combinations(usable, pairing)), []
        out.counts["single"] += not combined
        for first, second in combined:
            if first.text.strip() == second.text.strip():
                out.counts["identical"] += 1
            else:
                kept.append(Pair(pair_id(prompt, first, second), prompt, first, second))
        if pairing.policy == "random" and len(kept) > pairing.per_prompt:
            kept.sort(key=lambda pair: seeded_key(seed, "draw", pair.pair_id))
            out.counts["not_drawn"] += len(kept) - pairing.per_prompt
            kept = kept[: pairing.per_prompt]
        fresh = {pair.pair_id: pair for pair in kept if pair.pair_id not in found}
        found.update(fresh)
        out.counts["paired"] += len(fresh)
        out.counts["repeated"] += len(kept) - len(fresh)
    out.pairs = [found[pair_id] for pair_id in sorted(found)]
    return out


def make_singles(prompts: Iterable[Prompt], pairing: Pairing) -> PairingResult:
    """Each response that is not empty, on its own."""
    out = PairingResult()
    found: dict[str, Pair] = {}
    for prompt in sorted(prompts, key=lambda prompt: prompt.prompt_id):
        out.counts["repeated_response"] += prompt.repeated
        out.problems += prompt.repeats
        for response in _find_usable(prompt, pairing, out):
            made = Pair(pair_id(prompt, response), prompt, response, None)
            out.counts["repeated" if made.pair_id in found else "paired"] += 1
            found.setdefault(made.pair_id, made)
    out.pairs = [found[pair_id] for pair_id in sorted(found)]
    return out


def pair_id(prompt: Prompt, *responses: Response) -> str:
    """A hash of the content that does not depend on the campaign or the order: 32 hexadecimal digits (BLAKE2b)."""
    ordered = sorted(responses, key=sort_key)
    content = [prompt.messages, *([response.model, response.temperature, response.text] for response in ordered)]
    return hashlib.blake2b(orjson.dumps(content), digest_size=16).hexdigest()


def blind_key(pair: Pair) -> str:
    """A hash of the prompt and the texts; it does not depend on the models."""
    content = [pair.prompt.messages, sorted(response.text for response in pair.responses)]
    return hashlib.blake2b(orjson.dumps(content), digest_size=16).hexdigest()


def seeded_key(seed: int, *words: str) -> bytes:
    """16 pseudorandom bytes that depend on the arguments alone."""
    return hashlib.blake2b("\0".join((str(seed), *words)).encode(), digest_size=16).digest()


def names_its_model(response: Response) -> bool:
    """Whether the text has the model's complete name, or the name's first word if that has four letters or more.

    Case and punctuation do not matter, and digits may follow the first word directly. Each part of a name with slashes
    is also searched for.

    >>> names_its_model(Response("meta/llama-2-70b", 0.7, "I am LLaMA2, a language model."))
    True
    >>> names_its_model(Response("llama-2-70b", 0.7, "A mill grinds grain."))
    False
    """
    return any(pattern.search(response.text) for pattern in _name_patterns(response.model))


@cache
def whole_name(model: str) -> re.Pattern[str]:
    """A pattern that finds a model's complete name, with any punctuation between its words and numbers.

    For a name of a single letter, the pattern finds nothing, since every text has such letters.
    """
    words = _split_words(model)
    if len("".join(words)) < 2:
        return re.compile(r"(?!)")
    name = r"[\W_]*".join(map(re.escape, words))
    return re.compile(rf"(?<![^\W_]){name}(?![^\W_])", re.IGNORECASE)


@cache
def _name_patterns(model: str) -> tuple[re.Pattern[str], ...]:
    parts = [words for part in model.split("/") if (words := _split_words(part))]
    names = [whole_name(model), *(whole_name(" ".join(words)) for words in parts if len(parts) > 1 and len(words) > 1)]
    first = {words[0] for words in parts if words[0].isalpha() and len(words[0]) >= 4}
    names += [re.compile(rf"(?<![^\W\d_]){re.escape(word)}(?![^\W\d_])", re.IGNORECASE) for word in sorted(first)]
    return tuple(names)


def _split_words(name: str) -> list[str]:
    return re.findall(r"[^\W\d_]+|\d+", name)


def _find_usable(prompt: Prompt, pairing: Pairing, out: PairingResult) -> list[Response]:
    usable = []
    for response in prompt.responses:
        where = f"prompt {prompt.prompt_id}"
        if not response.text.strip():
            out.counts["empty"] += 1
            out.problems.append(Problem(where, "empty", f"the response of {response.model} is empty: not paired"))
            continue
        if names_its_model(response):
            out.counts["names_its_model"] += 1
            fate = "paired nevertheless" if pairing.self_naming == "keep" else "not paired"
            message = f"the response of {response.model} names its own model: {fate}"
            out.problems.append(Problem(where, "names_its_model", message))
            if pairing.self_naming == "drop":
                continue
        usable.append(response)
    return sorted(usable, key=sort_key)


def _combinations(responses: Sequence[Response], pairing: Pairing) -> Iterable[tuple[Response, Response]]:
    if pairing.policy != "new_vs_previous":
        return combinations(responses, 2)
    new = [response for response in responses if response.model == pairing.new]
    previous = [response for response in responses if response.model == pairing.previous]
    return ((first, second) for first in new for second in previous)
