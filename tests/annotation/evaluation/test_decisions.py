"""What status says of two models, and what a plan takes from an earlier campaign, by votes in a real journal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotation.evaluation.correlations import Correlations, earlier
from annotation.evaluation.decisions import Question, decisions
from annotation.judgments.snapshot import Snapshot
from schemas.errors import UserError
from tests.annotation.campaigns import desk, prompts

Opinion = Callable[[int, int], str]
"""The winner (alpha, beta or neither) by the number of the prompt and of the annotator."""


def voted(path: Path, size: int, opinion: Opinion, **changes: Any) -> Snapshot:
    with desk(path, prompts(range(size)), protocol="evaluation", **changes) as made:
        pairs = {row["pair_id"]: row for row in made.record.pairs.to_pylist()}
        for task in made.tasks():
            pair = pairs[task["pair_id"]]
            winner = opinion(int(pair["prompt_id"][1:]), int(task["annotator"][-1]))
            left = pair["second_model"] if task["swapped"] else pair["first_model"]
            side = "a" if winner == left else "b"
            made.answer(task, "about_the_same" if winner == "neither" else f"{side}_better")
        return made.load()


def test_one_model_that_everybody_prefers_is_decided(tmp_path: Path) -> None:
    [question] = decisions(voted(tmp_path, 60, lambda prompt, person: "beta"))
    assert (question.model_a, question.model_b, question.votes) == ("alpha", "beta", 180)
    assert (question.verdict, question.more_votes, question.obstacle) == ("below", None, None)
    assert question.evidence > 20


def test_even_votes_and_no_votes_are_open_for_that_reason(tmp_path: Path) -> None:
    [even] = decisions(voted(tmp_path, 20, lambda prompt, person: ("alpha", "beta")[prompt % 2]))
    assert (even.verdict, even.more_votes, even.obstacle) == ("open", None, "even")
    (tmp_path / "new").mkdir()
    with desk(tmp_path / "new", prompts(range(3)), protocol="evaluation") as made:
        assert decisions(made.load()) == [Question("alpha", "beta", 0, "open", None, "no votes", 1.0)]


def test_a_campaign_for_a_dataset_has_no_such_question(tmp_path: Path) -> None:
    with desk(tmp_path, prompts(range(3))) as made:
        assert decisions(made.load()) == []


def test_votes_that_are_alike_on_a_prompt_correlate_by_1(tmp_path: Path) -> None:
    found = earlier(voted(tmp_path, 60, lambda prompt, person: ("alpha", "beta", "neither")[prompt % 3]))
    assert found.prompt == pytest.approx(1, abs=0.02)
    assert found.rater == pytest.approx(0, abs=0.02)
    assert found.ties == pytest.approx(1 / 3)


def test_people_who_always_prefer_one_model_correlate_by_1(tmp_path: Path) -> None:
    found = earlier(voted(tmp_path, 60, lambda prompt, person: "alpha" if person == 1 else "beta"))
    assert found.rater == pytest.approx(1, abs=0.02)
    assert found.prompt == pytest.approx(0, abs=0.02)


def test_votes_that_all_agree_say_nothing_of_correlations(tmp_path: Path) -> None:
    found = earlier(voted(tmp_path, 60, lambda prompt, person: "beta"))
    assert (found.prompt, found.rater) == (Correlations().prompt, Correlations().rater)
    assert found.source.startswith("Assumed")


def test_too_few_votes_are_one_sentence(tmp_path: Path) -> None:
    snapshot = voted(tmp_path, 20, lambda prompt, person: "beta")
    with pytest.raises(UserError, match="mill has 60 votes without ties, too few to plan by: 100 are needed"):
        earlier(snapshot)
