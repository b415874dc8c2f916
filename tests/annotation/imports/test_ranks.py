"""Ranks are no scores: the lowest one is the best, and a mapping has to say so."""

from pathlib import Path
from typing import Any

import pytest

from annotation.imports import Layout, OpenSet, import_set
from annotation.imports.outcomes import Pair
from annotation.imports.pairs import Reader
from curation.dedup.near import families
from schemas.errors import UserError
from tests.annotation.imports.published import message, nectar, tree
from tests.annotation.imports.test_build import comparisons, written

NAMES: dict[str, Any] = {"prompt": "prompt", "answers": "answers", "text": "answer"}


def mapped(**names: Any) -> OpenSet:
    return OpenSet(name="own", source="own", origin="here", rule="", layouts=(Layout(**names),), mapped=True)


@pytest.mark.parametrize(
    "name", ["rank", "human_rank", "rank_of_b", "avgRank", "Ranking", "place", "a.position", "RANK"]
)
def test_a_field_named_like_a_rank_needs_the_better_end(name: str) -> None:
    with pytest.raises(UserError, match=f'{name} may hold ranks: add better = "lower" if the best answer'):
        Layout(**NAMES, score=name)
    for better in ("lower", "higher"):
        Layout(**NAMES, score=name, better=better)


def test_first_and_second_scores_are_asked_too() -> None:
    with pytest.raises(UserError, match="rank_a may hold ranks"):
        Layout(prompt="q", first="a", second="b", first_score="rank_a", second_score="rank_b")
    layout = Layout(prompt="q", first="a", second="b", first_score="rank_a", second_score="rank_b", better="lower")
    [found] = Reader([layout]).read(iter([(1, {"q": "Why?", "a": "x", "b": "y", "rank_a": 2, "rank_b": 1})]))
    assert isinstance(found.outcome, Pair)
    assert (found.outcome.chosen, found.outcome.rejected) == ("y", "x")


@pytest.mark.parametrize("name", ["score", "frankness", "replacement", "helpfulness", "crank"])
def test_other_names_are_scores(name: str) -> None:
    Layout(**NAMES, score=name)


def answers(*scores: Any) -> dict[str, Any]:
    listed = [{"answer": f"answer {k}", "order": score} for k, score in enumerate(scores)]
    return {"prompt": f"What of {scores}?", "answers": listed}


@pytest.mark.parametrize(
    "rows",
    [
        [answers(1, 2, 3), answers(3, 1, 2)],
        [answers(0, 1)],
        [answers(2.0, 1.0), answers(1, 1, 2)],
        [*(answers(1, 2, 3, k) for k in range(4, 5)), *(answers(0, 1, 2) for _ in range(9)), answers(1, 4)],
    ],
)
def test_numbers_that_look_like_ranks_need_better(rows: list[Any], tmp_path: Path) -> None:
    path = written(tmp_path / "f.jsonl", rows)
    with pytest.raises(UserError, match=r'order are whole numbers from 0 or 1 without a gap.* better = "lower"'):
        import_set([path], [], mapped(**NAMES, score="order"), tmp_path / "out", families)
    assert not (tmp_path / "out").exists()
    for better, best in (("lower", min), ("higher", max)):
        known = mapped(**NAMES, score="order", better=better)
        import_set([path], [], known, tmp_path / better, families)
        order = {(row["prompt"], each["answer"]): each["order"] for row in rows for each in row["answers"]}
        for row in comparisons(tmp_path / better):
            asked = row["prompt"][0]["content"]
            one, other = order[asked, row["chosen"]], order[asked, row["rejected"]]
            assert one != other
            assert best(one, other) == one


@pytest.mark.parametrize(
    "rows", [[answers(4, 2)], [answers(1, 2), answers(1, 5)], [answers(0.5, 1.0)], [answers(2, 3)], [answers(1, -1)]]
)
def test_what_does_not_look_like_ranks_is_a_score(rows: list[Any], tmp_path: Path) -> None:
    path = written(tmp_path / "f.jsonl", rows)
    import_set([path], [], mapped(**NAMES, score="order"), tmp_path / "out", families)
    for row in comparisons(tmp_path / "out"):
        [found] = [each for each in rows if each["prompt"] == row["prompt"][0]["content"]]
        score = {each["answer"]: each["order"] for each in found["answers"]}
        assert score[row["chosen"]] > score[row["rejected"]]


def test_chosen_scores_must_agree_with_the_choice() -> None:
    names = {"prompt": "q", "chosen": "a", "rejected": "b", "chosen_score": "rank_a", "rejected_score": "rank_b"}
    row = {"q": "Why?", "a": "x", "b": "y", "rank_a": 1, "rank_b": 2}
    [found] = Reader([Layout(**names, better="lower")]).read(iter([(1, row)]))
    assert isinstance(found.outcome, Pair)
    [found] = Reader([Layout(**names, better="higher")]).read(iter([(1, row)]))
    assert found.outcome.message == "rank_a is lower than rank_b"  # type: ignore[union-attr]


def results(name: str, row: dict[str, Any]) -> list[Any]:
    from annotation.imports.sets import SETS

    found = Reader(SETS[name].layouts).read(iter([(1, row)]))
    return [
        (each.outcome.chosen, each.outcome.rejected, len(each.outcome.prompt))
        if isinstance(each.outcome, Pair)
        else each.outcome.reason
        for each in found
    ]


def test_every_two_of_nectar_s_seven_answers() -> None:
    found = results("nectar", nectar(*((f"rank {k}", float(k)) for k in (3, 1, 2, 7, 5, 4, 6))))
    assert found == [(f"rank {one}", f"rank {other}", 1) for one in range(1, 8) for other in range(one + 1, 8)]


def test_every_level_of_a_tree() -> None:
    deep = message("assistant", "best deep", 0), message("assistant", "worst deep", 1)
    asked = message("prompter", "And oats?", 0, *deep), message("prompter", "And spelt?", 1)
    row = tree(
        message("assistant", "middle", 1),
        message("assistant", "best", 0, *asked),
        message("assistant", "worst", 2, message("prompter", "Alone?", None, message("assistant", "one", None))),
        message("assistant", "unranked", None),
    )
    assert results("oasst", row) == [
        ("best", "middle", 1),
        ("best", "worst", 1),
        ("middle", "worst", 1),
        "no_votes",
        ("best deep", "worst deep", 3),
    ]
