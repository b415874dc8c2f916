"""Whatever an endpoint does is a reply, a named failure, or one clear sentence; and no key is shown."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.evaluation.backend import ATTEMPTS, PATIENT_ATTEMPTS, Backend, Endpoint, endpoint_of
from annotation.evaluation.pace import Pace
from annotation.evaluation.replies import Failure, FailureReason, Reply
from schemas.errors import RunError, UserError
from tests.annotation.evaluation.endpoint import MODEL, Play, Script, Server, endpoint, fails, says

KEY = "sk-live-1234567890abcdef"
BODY = {"model": MODEL, "messages": [{"role": "user", "content": "A or B?"}]}


@dataclass
class Clock:
    """A clock that only sleeping moves."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def pace(self, **changes: Any) -> Pace:
        return Pace(now=self.now, sleep=self.sleep, draw=lambda: 0.5, **changes)


def ask(url: str, clock: Clock | None = None, attempts: int = ATTEMPTS, **changes: Any) -> Reply | Failure:
    fields = {"base_url": url, "model": MODEL, "key": KEY, "key_from": "JUDGE_KEY", "timeout": 30.0, **changes}

    async def run() -> Reply | Failure:
        async with Backend(Endpoint(**fields), (clock or Clock()).pace(), attempts) as backend:
            return await backend.ask(BODY)

    return asyncio.run(run())


def played(script: Script, **changes: Any) -> tuple[Reply | Failure, Server]:
    with endpoint(script) as server:
        return ask(server.url, **changes), server


HTML = Play(b"<!DOCTYPE html><title>504 Gateway Time-out</title>", 200, {"Content-Type": "text/html"})
STREAM = Play(b'data: {"choices": [{"delta": {"content": "A"}}]}\n\ndata: [DONE]\n\n')
PASSING: dict[str, tuple[Play, FailureReason, str]] = {
    "rate limit": (fails(429), "rate_limited", "status 429"),
    "overloaded": (fails(503, "overloaded"), "server_error", "overloaded"),
    "conflict": (fails(409), "server_error", "status 409"),
    "gateway": (Play(HTML.body, 502, HTML.headers), "server_error", "504 Gateway"),
    "error in a 200": (Play(b'{"error": {"message": "no worker"}}'), "server_error", "no worker"),
    "cut": (Play(says("A").body, sent=25), "cut", "connection ended"),
    "nothing sent": (Play(says("A").body, sent=0), "cut", "connection ended"),
    "HTML": (HTML, "not_json", "<!DOCTYPE html>"),
    "not JSON": (Play(b'{"choices": ['), "not_json", '{"choices": ['),
    "not UTF-8": (Play(b"\xff\xfe"), "not_json", "not JSON"),
    "empty": (Play(b""), "empty", "no content"),
    "blank": (Play(b" \n"), "empty", "no content"),
    "stream": (STREAM, "malformed", "stream of events"),
    "no choice": (Play(b'{"model": "judge-1", "choices": []}'), "malformed", "not a chat completion"),
    "a list": (Play(b"[]"), "malformed", "not a chat completion"),
    "null": (Play(b"null"), "malformed", "not a chat completion"),
    "a message that is a text": (
        Play(b'{"model": "judge-1", "choices": [{"message": "A"}]}'),
        "malformed",
        "not a chat",
    ),
    "usage that is a text": (
        Play(b'{"model": "judge-1", "choices": [{"message": {"content": "A"}}], "usage": "100"}'),
        "malformed",
        "not a chat completion",
    ),
    "choices that are a table": (Play(b'{"model": "judge-1", "choices": {"0": {}}}'), "malformed", "not a chat"),
    "content of parts": (says([{"type": "text", "text": "A"}]), "malformed", "not a chat completion"),  # type: ignore[arg-type]
    "bad gzip": (
        Play(b"no gzip", headers={"Content-Encoding": "gzip", "Content-Type": "application/json"}),
        "cut",
        "connection ended",
    ),
}


@pytest.mark.parametrize("name", PASSING)
def test_a_failure_that_may_pass_is_tried_again(name: str) -> None:
    play, reason, message = PASSING[name]
    found, server = played(lambda body, number: play)
    assert isinstance(found, Failure)
    assert (found.reason, len(server.requests)) == (reason, ATTEMPTS)
    assert message in found.message
    found, server = played(lambda body, number: play if number < 3 else says("B"))
    assert isinstance(found, Reply)
    assert (found.content, len(server.requests)) == ("B", 3)


TOO_LONG = {
    "OpenAI": fails(400, "This model's maximum context length is 128000 tokens.", "context_length_exceeded"),
    "vLLM": fails(400, "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"),
    "Anthropic": fails(400, "prompt is too long: 208310 tokens > 200000 maximum", "invalid_request_error"),
    "llama.cpp": fails(400, "the request exceeds the available context size", "exceed_context_size_error"),
    "Google": fails(400, "The input token count exceeds the maximum number of tokens allowed"),
    "proxy": Play(b"Request Entity Too Large", 413, {"Content-Type": "text/plain"}),
}


@pytest.mark.parametrize("name", TOO_LONG)
def test_a_request_that_is_too_long_is_asked_once(name: str) -> None:
    found, server = played(lambda body, number: TOO_LONG[name])
    assert isinstance(found, Failure)
    assert (found.reason, len(server.requests)) == ("context_length", 1)


def test_a_request_that_is_refused_is_asked_once() -> None:
    found, server = played(lambda body, number: fails(400, "temperature does not fit this model"))
    assert isinstance(found, Failure)
    assert (found.reason, len(server.requests)) == ("bad_request", 1)
    assert "temperature does not fit" in found.message


BLOCKED = [
    fails(400, "The response was filtered", "content_filter"),
    fails(403, "Your input was flagged: violence"),
    fails(400, "rejected", "content_policy_violation"),
    says(None, "content_filter"),
]


@pytest.mark.parametrize("play", BLOCKED)
def test_a_block_is_a_reply_of_its_own(play: Play) -> None:
    found, server = played(lambda body, number: play)
    assert isinstance(found, Reply)
    assert (found.finish, found.content, len(server.requests)) == ("content_filter", "", 1)


def test_refusal_length_and_tokens_are_passed_on() -> None:
    found, _ = played(lambda body, number: says(None, refusal="I will not."))
    assert isinstance(found, Reply)
    assert (found.refusal, found.prompt_tokens, found.completion_tokens) == ("I will not.", 100, 20)
    found, _ = played(lambda body, number: says("A is", "length"))
    assert isinstance(found, Reply)
    assert (found.content, found.finish) == ("A is", "length")


@pytest.mark.parametrize(
    ("written", "read"),
    [(rb"A \ud83d.", "A \ufffd."), (b"A \xf0\x9f.", "A \ufffd."), (rb"A \ud83d\ude00.", "A \U0001f600.")],
)
def test_an_answer_that_ends_within_a_character_is_kept(written: bytes, read: str) -> None:
    """It was paid for: it is not asked for again."""
    body = says("A X.").body.replace(b"A X.", written)
    found, server = played(lambda body_asked, number: Play(body))
    assert isinstance(found, Reply)
    assert (found.content, len(server.requests)) == (read, 1)


def test_an_answer_with_numbers_that_json_lacks_is_kept() -> None:
    value = json.loads(says("A").body) | {"logprobs": float("-inf")}
    found, server = played(lambda body, number: Play(json.dumps(value).encode()))
    assert (isinstance(found, Reply), len(server.requests)) == (True, 1)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": -1, "completion_tokens": True},
        {"prompt_tokens": "7"},
        {"prompt_tokens": 2**63, "completion_tokens": 2**62},
    ],
)
def test_tokens_that_are_not_reported_are_unknown(usage: Any) -> None:
    value = json.loads(says("A").body) | {"usage": usage}
    found, _ = played(lambda body, number: Play(json.dumps(value).encode()))
    assert isinstance(found, Reply)
    assert (found.prompt_tokens, found.completion_tokens) == (None, None)


@pytest.mark.parametrize(
    ("answered", "taken"),
    [
        ("judge-1", True),
        ("judge-1-2024-08-06", True),
        ("judge-1-0613", True),
        ("judge-10", False),
        ("judge-1-mini", False),
        ("judge-1-5", False),
        ("other", False),
        ("", False),
        (None, False),
    ],
)
def test_another_model_is_no_answer(answered: Any, taken: bool) -> None:
    found, server = played(lambda body, number: says("A", model=answered))
    assert isinstance(found, Reply) == taken
    assert len(server.requests) == 1
    if isinstance(found, Failure):
        assert found.reason == "other_model"
        accepted, _ = played(lambda body, number: says("A", model=answered), accepted=(answered or "",))
        assert isinstance(accepted, Reply)


def test_an_endpoint_that_does_not_answer_is_slow() -> None:
    found, _ = played(lambda body, number: Play(hang=True), timeout=1.0, attempts=1)
    assert isinstance(found, Failure)
    assert found.reason == "slow"
    assert "within 1 s" in found.message


def test_pauses_double_and_are_jittered_up_to_a_minute() -> None:
    clock = Clock()
    with endpoint(lambda body, number: fails(500)) as server:
        ask(server.url, clock)
    assert clock.slept == [0.75 * wait for wait in (1, 2, 4, 8, 16, 32, 60)]


def test_a_wait_that_the_endpoint_asks_for_is_kept() -> None:
    clock = Clock()
    with endpoint(lambda body, number: fails(429, Retry_After="37") if number == 1 else says("A")) as server:
        assert isinstance(ask(server.url, clock), Reply)
    assert clock.seconds >= 37


def test_a_wait_holds_all_other_requests() -> None:
    clock = Clock()
    pace = clock.pace()

    async def run() -> None:
        pace.hold(30.0)
        await pace.turn(0)

    asyncio.run(run())
    assert clock.seconds >= 30


def test_an_endpoint_that_says_how_long_to_wait_is_asked_more_often() -> None:
    clock = Clock()
    with endpoint(lambda body, number: fails(429, Retry_After="20") if number <= 20 else says("A")) as server:
        assert isinstance(ask(server.url, clock), Reply)
    assert 20 * 20 <= clock.seconds < 21 * 21
    found, server = played(lambda body, number: fails(429, Retry_After="0"))
    assert isinstance(found, Failure)
    assert len(server.requests) == PATIENT_ATTEMPTS


def test_a_wait_of_hours_ends_the_run() -> None:
    with pytest.raises(RunError, match=r"asks to wait 2\.0 hours"):
        played(lambda body, number: fails(429, Retry_After="7200"))


@pytest.mark.parametrize(("limits", "seconds"), [({"requests_per_minute": 30}, 18), ({"tokens_per_minute": 600}, 90)])
def test_requests_keep_the_limits_per_minute(limits: dict[str, float], seconds: float) -> None:
    """Ten requests of 100 tokens: nine intervals of 2 s, or of 10 s."""
    clock = Clock()
    pace = clock.pace(**limits)

    async def run() -> None:
        for _ in range(10):
            await pace.turn(100)

    asyncio.run(run())
    assert clock.seconds == pytest.approx(seconds)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_never_shown(status: int) -> None:
    with pytest.raises(UserError) as error:
        played(lambda body, number: fails(status, f"Incorrect API key provided: {KEY}"))
    assert "JUDGE_KEY" in str(error.value)
    assert KEY not in str(error.value)


@pytest.mark.parametrize(("key", "kept"), [(KEY, "The key is ..., A."), ("A", "The key is A, A.")])
def test_a_key_in_an_answer_is_not_kept_unless_it_is_a_word(key: str, kept: str) -> None:
    found, _ = played(lambda body, number: says(f"The key is {key}, A."), key=key)
    assert isinstance(found, Reply)
    assert found.content == kept


@pytest.mark.parametrize("play", [fails(500, f"bad {KEY}"), Play(KEY.encode()), fails(400, KEY)])
def test_a_key_that_the_endpoint_repeats_is_left_out(play: Play) -> None:
    found, _ = played(lambda body, number: play)
    assert isinstance(found, Failure)
    assert KEY not in repr(found)
    with pytest.raises(UserError) as error:
        played(lambda body, number: fails(404, KEY))
    assert KEY not in str(error.value)


def test_the_key_is_sent_and_not_in_the_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", f"{KEY}\n")
    made = endpoint_of("http://127.0.0.1:1/v1/?api-key=secret", MODEL, "JUDGE_KEY", (), 1.0)
    assert made.key == KEY
    assert KEY not in repr(made)
    assert "secret" not in made.shown
    _, server = played(lambda body, number: says("A"))
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    _, server = played(lambda body, number: says("A"), key="")
    assert "Authorization" not in server.headers[0]


def test_a_query_of_the_address_is_kept() -> None:
    with endpoint(lambda body, number: says("A")) as server:
        ask(f"{server.url}?api-version=1")
    assert server.paths == ["/v1/chat/completions?api-version=1"]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("127.0.0.1:8000", "must begin with http"),
        ("ftp://mill.example/v1", "must begin with http"),
        ("http://", "must begin with http"),
        ("http://ann:secret@mill.example/v1", "holds a password"),
        ("http://mill.example:port/v1", "is not a valid address"),
    ],
)
def test_a_wrong_address_is_one_sentence(url: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        endpoint_of(url, MODEL, "JUDGE_KEY", (), 1.0)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("key", ["sk-ключ", "sk-1\nHost: x", "sk\x1b"])
def test_a_key_that_no_header_can_hold_is_refused_unseen(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", key)
    with pytest.raises(UserError, match="JUDGE_KEY") as error:
        endpoint_of("http://127.0.0.1/v1", MODEL, "JUDGE_KEY", (), 1.0)
    assert key not in str(error.value)


STOPS: dict[str, tuple[Play, type[Exception], str]] = {
    "no money": (fails(429, "You exceeded your quota", "insufficient_quota"), RunError, "no money left"),
    "payment": (fails(402), RunError, "no money left"),
    "unknown model": (fails(404, "model not found"), UserError, "model not found.*check --base-url"),
    "unknown path": (Play(b"", 405), UserError, "check --base-url"),
    "redirect": (Play(b"", 302, {"Location": "http://127.0.0.1:1/"}), UserError, "check --base-url"),
}


@pytest.mark.parametrize("name", STOPS)
def test_what_no_retry_can_mend_ends_the_run(name: str) -> None:
    play, kind, message = STOPS[name]
    with pytest.raises(kind, match=message):
        played(lambda body, number: play)


NAMES = [
    "choices",
    "message",
    "content",
    "refusal",
    "finish_reason",
    "model",
    "usage",
    "error",
    "prompt_tokens",
    "code",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=5) | st.just("stop"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=12,
)


@given(VALUES, st.sampled_from([200, 201, 400, 403, 422, 429, 500, 503]))
@settings(max_examples=60, deadline=None)
def test_any_json_is_a_reply_or_a_named_failure(value: Any, status: int) -> None:
    body = json.dumps(value, allow_nan=True).encode()
    with endpoint(lambda _, number: Play(body, status)) as server:
        try:
            found: Any = ask(server.url, attempts=1)
        except (UserError, RunError) as error:
            found = str(error)
    assert isinstance(found, Failure | Reply) or "JUDGE_KEY" in found or "no money" in found
