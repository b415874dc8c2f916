"""What requests and answers cost, in tokens and money, and the budget for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from annotation.evaluation.replies import Reply

CHARACTERS_PER_TOKEN = 4
"""About as many in English; a token of another language is shorter."""
USUAL_ANSWER = 300
"""Tokens of an answer where no answer is known yet."""


@dataclass(frozen=True)
class Prices:
    """Prices per million tokens of prompts and of completions, in any currency."""

    prompt: float = 0.0
    completion: float = 0.0

    def cost(self, tokens: "Tokens") -> float:
        return (tokens.prompt * self.prompt + tokens.completion * self.completion) / 1e6


@dataclass(frozen=True)
class Tokens:
    """Numbers of tokens of prompts and completions."""

    prompt: float = 0
    completion: float = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(self.prompt + other.prompt, self.completion + other.completion)

    @property
    def total(self) -> float:
        return self.prompt + self.completion


@dataclass(frozen=True)
class Budget:
    """The most that an evaluation may cost in all, with the answers of earlier runs; None is no limit."""

    money: float | None = None
    tokens: float | None = None
    prices: Prices = Prices()

    def allows(self, tokens: Tokens) -> bool:
        within = self.money is None or self.prices.cost(tokens) <= self.money
        return within and (self.tokens is None or tokens.total <= self.tokens)


def prompt_tokens(body: Mapping[str, Any]) -> float:
    """About how many tokens the messages of a request have."""
    return sum(len(message["content"]) for message in body["messages"]) / CHARACTERS_PER_TOKEN


def used(body: Mapping[str, Any], reply: Reply) -> Tokens:
    """The tokens of a request and its answer, estimated from the texts where the endpoint does not report them."""
    prompt = prompt_tokens(body) if reply.prompt_tokens is None else reply.prompt_tokens
    completion = (
        len(reply.content) / CHARACTERS_PER_TOKEN if reply.completion_tokens is None else reply.completion_tokens
    )
    return Tokens(prompt, completion)


def total(spent: Iterable[Tokens]) -> Tokens:
    return sum(spent, Tokens())
