"""Nothing is asked twice, failures are asked again, and a run that stops loses no answer."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from annotation.evaluation.asking import FAILURES_IN_A_ROW, Asked, Limits, Progress, ask_all
from annotation.evaluation.book import Book, Request, request_of
from annotation.evaluation.replies import Failure, FailureReason, Reply
from annotation.evaluation.spending import Budget, Prices
from schemas.errors import RunError, UserError

NO_LIMIT = Budget()


def requests(count: int) -> list[Request]:
    bodies = ({"messages": [{"role": "user", "content": f"{n:04}" * 100}]} for n in range(count))
    return [request_of("", body) for body in bodies]


@dataclass
class Judge:
    """Answers with the begin of the request after some turns of the loop, in an order of its own."""

    seed: int = 0
    failing: Mapping[str, FailureReason] = field(default_factory=dict)
    raises: Mapping[str, Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    waiting: int = 0
    most: int = 0

    async def ask(self, body: Mapping[str, Any], tokens: float = 0) -> Reply | Failure:
        text = body["messages"][0]["content"][:4]
        self.asked.append(text)
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        for _ in range(random.Random(f"{self.seed}{text}").randrange(5)):
            await asyncio.sleep(0)
        self.waiting -= 1
        if text in self.raises:
            raise self.raises[text]
        if text in self.failing:
            return Failure(self.failing[text], "no")
        return Reply(text, "stop", "", "judge-1", "", 100, 20)


def run(
    judge: Judge,
    path: Path,
    asked: Sequence[Request],
    budget: Budget = NO_LIMIT,
    concurrency: int = 3,
    progress: list[Progress] | None = None,
) -> Asked:
    with Book(path / "judge.db") as book:
        show = (lambda state: None) if progress is None else progress.append
        return asyncio.run(ask_all(asked, book, judge, Limits(budget, concurrency), show))


@pytest.mark.parametrize("concurrency", [1, 3, 50])
def test_each_request_is_asked_once_whatever_the_order(tmp_path: Path, concurrency: int) -> None:
    """In at most so many at a time; a second run with another order asks nothing."""
    first = Judge(1)
    found = run(first, tmp_path, requests(20), concurrency=concurrency).found
    assert {key: reply.content for key, reply in found.items() if isinstance(reply, Reply)} == {
        each.key: f"{n:04}" for n, each in enumerate(requests(20))
    }
    assert sorted(first.asked) == [f"{n:04}" for n in range(20)]
    assert first.most <= concurrency
    again = Judge(2)
    assert run(again, tmp_path, requests(20)[::-1]).found == found
    assert again.asked == []


def test_a_failure_is_asked_again_by_the_next_run(tmp_path: Path) -> None:
    asked = run(Judge(failing={"0003": "cut", "0007": "context_length"}), tmp_path, requests(10))
    failed = [reply.reason for reply in asked.found.values() if isinstance(reply, Failure)]
    assert (sorted(failed), asked.progress.answered, asked.progress.failed) == (["context_length", "cut"], 8, 2)
    judge = Judge()
    asked = run(judge, tmp_path, requests(10))
    assert sorted(judge.asked) == ["0003", "0007"]
    assert (asked.progress.before, asked.progress.answered, asked.progress.repeated) == (8, 2, 0)


def test_failures_in_a_row_end_the_run(tmp_path: Path) -> None:
    judge = Judge(failing={f"{n:04}": "down" for n in range(5, 50)})
    with pytest.raises(RunError, match=r"5 requests in a row failed: no; 5 of 50 requests are answered and kept, 45 "):
        run(judge, tmp_path, requests(50), concurrency=1)
    assert len(judge.asked) == 5 + FAILURES_IN_A_ROW
    judge = Judge()
    run(judge, tmp_path, requests(50))
    assert len(judge.asked) == 45


def test_requests_that_are_too_long_do_not_end_the_run(tmp_path: Path) -> None:
    asked = run(Judge(failing={f"{n:04}": "context_length" for n in range(20)}), tmp_path, requests(21))
    assert (asked.progress.failed, asked.progress.answered) == (20, 1)


def test_the_end_of_a_run_counts_answers_that_arrived_after_the_failures(tmp_path: Path) -> None:
    failing: Mapping[str, FailureReason] = dict.fromkeys([f"{n:04}" for n in range(10, 30)], "down")
    with pytest.raises(RunError, match="5 requests in a row failed") as error:
        run(Judge(7, failing=failing), tmp_path, requests(50), concurrency=20)
    with Book(tmp_path / "judge.db") as book:
        kept = len(book.answers([each.key for each in requests(50)]))
    assert f"{kept} of 50 requests are answered and kept, {50 - kept} are left" in str(error.value)


@pytest.mark.parametrize("error", [UserError("wrong key"), RunError("no money")])
def test_an_error_is_raised_after_all_in_flight_arrived(error: Exception, tmp_path: Path) -> None:
    judge = Judge(raises={"0004": error})
    with pytest.raises(type(error), match=str(error)):
        run(judge, tmp_path, requests(30), concurrency=5)
    with Book(tmp_path / "judge.db") as book:
        kept = book.answers([each.key for each in requests(30)])
        assert book.in_flight() == set()
    assert sorted(reply.content for reply in kept.values()) == sorted(set(judge.asked) - {"0004"})
    assert len(judge.asked) < 30


def test_a_bug_is_not_hidden(tmp_path: Path) -> None:
    with pytest.raises(ExceptionGroup) as error:
        run(Judge(raises={"0004": ZeroDivisionError("bug")}), tmp_path, requests(30))
    assert error.group_contains(ZeroDivisionError)


@pytest.mark.parametrize("concurrency", [1, 4, 8])
def test_a_budget_is_spent_whatever_is_expected_of_requests_in_flight(concurrency: int, tmp_path: Path) -> None:
    """A request has 100 tokens and is expected to have 100, an answer has 20 and is at first expected to have 300: at
    first the budget has room for three requests, and each waits until it has room."""
    judge = Judge()
    budget = Budget(tokens=1200)
    with pytest.raises(RunError, match=r"the budget is used up: 10 of 50 requests are answered and kept, 40 are left"):
        run(judge, tmp_path, requests(50), budget, concurrency)
    assert len(judge.asked) == 10
    with pytest.raises(RunError, match="the budget is used up"):
        run(again := Judge(), tmp_path, requests(50), Budget(tokens=120 * len(judge.asked)), concurrency)
    assert again.asked == []
    run(Judge(), tmp_path, requests(50), Budget(tokens=120 * 50), concurrency)


def test_a_budget_in_money_uses_the_prices(tmp_path: Path) -> None:
    """A request costs 100 x 1 + 20 x 5 = 200 millionths."""
    budget = Budget(money=200e-6 * 50, prices=Prices(1, 5))
    asked = run(Judge(), tmp_path, requests(50), budget, 1)
    assert budget.prices.cost(asked.progress.spent) == pytest.approx(0.01)
    with pytest.raises(RunError, match="the budget is used up"):
        run(Judge(), tmp_path, requests(51), budget, 1)


def test_progress_adds_up(tmp_path: Path) -> None:
    run(Judge(), tmp_path, requests(4))
    seen: list[tuple[int, int]] = []
    with Book(tmp_path / "judge.db") as book:
        asyncio.run(
            ask_all(
                requests(10), book, Judge(), Limits(NO_LIMIT, 2), lambda state: seen.append((state.kept, state.total))
            )
        )
    assert seen == [(kept, 10) for kept in range(4, 11)]


def test_requests_in_flight_when_a_run_died_are_counted(tmp_path: Path) -> None:
    with Book(tmp_path / "judge.db") as book:
        for each in requests(3):
            book.send(each)
    asked = run(Judge(), tmp_path, requests(10))
    assert (asked.progress.answered, asked.progress.repeated) == (10, 3)


def test_answers_that_are_stale_are_asked_again_and_replaced(tmp_path: Path) -> None:
    run(Judge(), tmp_path, requests(5))
    stale = {requests(5)[number].key for number in (1, 3)}
    with Book(tmp_path / "judge.db") as book:
        judge = Judge()
        found = asyncio.run(ask_all(requests(5), book, judge, Limits(NO_LIMIT, 2), lambda state: None, stale))
    assert sorted(judge.asked) == ["0001", "0003"]
    assert (found.progress.before, found.progress.answered) == (3, 2)


@pytest.mark.parametrize(("reason", "advice"), [("bad_request", "--parameter"), ("other_model", "--accept-model")])
def test_the_end_of_a_run_says_what_to_do(reason: FailureReason, advice: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=advice):
        run(Judge(failing=dict.fromkeys([f"{n:04}" for n in range(9)], reason)), tmp_path, requests(9))


def test_a_run_without_any_answer_fails(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="all 3 requests failed: no; when the endpoint works"):
        run(Judge(failing=dict.fromkeys(["0000", "0001", "0002"], "down")), tmp_path, requests(3))
    asked = run(Judge(failing=dict.fromkeys(["0000", "0001"], "down")), tmp_path, requests(3))
    assert (asked.progress.failed, asked.progress.answered) == (2, 1)


@pytest.mark.parametrize("pages", [4, 5, 6, 8])
def test_a_full_disk_is_one_sentence_and_keeps_what_was_kept(pages: int, tmp_path: Path) -> None:
    """An answer that could not be kept stays noted as sent, and the next run counts it as repeated."""
    judge, asked = Judge(), requests(40)
    with Book(tmp_path / "judge.db") as book:
        book._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(RunError, match="check for free disk space"):
            asyncio.run(ask_all(asked, book, judge, Limits(NO_LIMIT, 3), lambda state: None))
        kept, lost = book.answers(each.key for each in asked), book.in_flight()
        assert not lost & kept.keys()
        assert len(kept) + len(lost) == len(judge.asked)
    found = run(again := Judge(), tmp_path, asked)
    assert (len(again.asked), found.progress.repeated) == (40 - len(kept), len(lost))


def test_replaced_answers_stay_in_later_budgets(tmp_path: Path) -> None:
    """Each answer has 120 tokens. Two are asked again: a later run knows that six were paid for."""
    asked = requests(4)
    run(Judge(), tmp_path, asked)
    with Book(tmp_path / "judge.db") as book:
        stale = {asked[0].key, asked[1].key}
        asyncio.run(ask_all(asked, book, Judge(), Limits(NO_LIMIT, 2), lambda state: None, stale))
    progress = run(Judge(), tmp_path, asked).progress
    assert (progress.spent.total, progress.usual_answer) == (6 * 120, 20)
    with pytest.raises(RunError, match="the budget is used up: 4 of 5 requests"):
        run(Judge(), tmp_path, requests(5), Budget(tokens=6 * 120 + 119))
    assert run(Judge(), tmp_path, requests(5), Budget(tokens=6 * 120 + 121)).progress.answered == 1


def test_answers_that_are_asked_for_again_stay_in_the_budget(tmp_path: Path) -> None:
    asked = requests(4)
    run(Judge(), tmp_path, asked)
    with Book(tmp_path / "judge.db") as book:
        limits = Limits(Budget(tokens=590), 1)
        stale = {asked[0].key, asked[1].key}
        with pytest.raises(RunError, match="the budget is used up: 2 of 4 requests"):
            asyncio.run(ask_all(asked, book, Judge(), limits, lambda state: None, stale))
