"""What an endpoint says to a request: a reply that arrived, or a failure with its reason in one word."""

from dataclasses import dataclass
from typing import Literal

FailureReason = Literal[
    "down",
    "slow",
    "cut",
    "rate_limited",
    "server_error",
    "empty",
    "not_json",
    "malformed",
    "other_model",
    "context_length",
    "bad_request",
]

FAILURES: dict[FailureReason, str] = {
    "down": "the endpoint cannot be reached",
    "slow": "the endpoint did not answer in time",
    "cut": "the connection ended in the middle of an answer",
    "rate_limited": "the endpoint refuses more requests for now",
    "server_error": "the endpoint reports an error of its own",
    "empty": "the answer has no content",
    "not_json": "the answer is not JSON",
    "malformed": "the answer is not a chat completion",
    "other_model": "another model answered than was asked",
    "context_length": "the request is too long for the model",
    "bad_request": "the endpoint refuses the request",
}
"""What each reason means, for messages."""


@dataclass(frozen=True)
class Reply:
    """An answer that arrived: the text, and why it ended, as the endpoint reports it.

    ``finish`` is ``stop`` for a complete answer, ``length`` for a truncated one, ``content_filter`` for a blocked one.
    ``refusal`` is the model's refusal in a field of its own, empty if the model did not refuse. ``model`` is the model
    that answered, as the endpoint names it; ``endpoint`` the address that was asked. Tokens are those of the endpoint's
    usage; None if it does not report any.
    """

    content: str
    finish: str
    refusal: str
    model: str
    endpoint: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True)
class Failure:
    """A request without an answer. ``message`` is a sentence that holds no key; ``wait`` the seconds that the endpoint
    asked to wait, None if it did not ask."""

    reason: FailureReason
    message: str
    wait: float | None = None
