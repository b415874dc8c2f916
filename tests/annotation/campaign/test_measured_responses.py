"""Responses of a campaign that measures models: what is known about prompts, and what was not answered."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from annotation.campaign.facts import Facts
from annotation.campaign.moves import adjudicate, find_disputed, reassign
from annotation.campaign.pairing import make_singles
from annotation.campaign.responses import read_prompts
from annotation.campaign.settings import Campaign, Pairing
from annotation.campaign.tasks import task_data
from annotation.campaign.unanswered import list_unanswered
from annotation.judgments.policy import Policy
from annotation.judgments.resolve import resolve
from schemas import RATINGS
from schemas.errors import UserError
from tests.annotation.campaigns import choices, desk, write_rows

PEOPLE = ("ann@mill.example",)


def read(path: Path, *rows: dict[str, Any], measures: bool = True) -> tuple[list[Any], list[Any]]:
    write_rows(path / "rows.jsonl", rows)
    return read_prompts(path / "rows.jsonl", measures=measures)


def test_a_row_of_a_prompt_may_leave_out_its_messages(tmp_path: Path) -> None:
    first = {"prompt_id": "p", "prompt": "Q?", "model": "alpha", "response": "A.", "category": "code"}
    second = {"prompt_id": "p", "model": "beta", "response": "B.", "attack_vector": "logic"}
    for rows in ((first, second), (second, first)):
        [prompt], problems = read(tmp_path, *rows)
        assert [(each.model, each.text) for each in prompt.responses] == [("alpha", "A."), ("beta", "B.")]
        assert prompt.facts == Facts(category="code", attack_vector="logic")
        assert problems == []


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"prompt_id": "p", "model": "a", "response": "A."}], "no row gives the messages or the prompt of p"),
        (
            [
                {"prompt_id": "p", "prompt": "Q?", "model": "a", "response": "A.", "category": "x"},
                {"prompt_id": "p", "model": "b", "response": "B.", "category": "y"},
            ],
            "prompt p has the category 'x' in one row and 'y' in another: give each prompt one",
        ),
        ([{"prompt_id": "p", "prompt": "Q?", "model": "a", "response": "A.", "harmless": "maybe"}], "harmless must be"),
        (
            [{"prompt_id": "p", "prompt": "Q?", "model": "a", "response": "A.", "category": 3}],
            "category must be a text",
        ),
        ([{"prompt_id": "p", "prompt": "Q?", "model": "a"}], "the row has no response; give null"),
        ([{"prompt_id": "p", "prompt": "Q?", "response": "A."}], "the row has a response, but no model"),
    ],
)
def test_rows_that_cannot_be_used_say_why(rows: list[dict[str, Any]], said: str, tmp_path: Path) -> None:
    prompts, problems = read(tmp_path, *rows)
    assert prompts == []
    assert {problem.message[: len(said)] for problem in problems} == {said}
    assert len(problems) == len(rows)


def test_for_a_dataset_facts_are_not_read_and_null_is_no_response(tmp_path: Path) -> None:
    """Files of before the columns had a meaning are read as before."""
    rows = [{"prompt_id": "p", "prompt": "Q?", "model": "a", "text": "A.", "category": ["x"], "harmless": 7}]
    [prompt], problems = read(tmp_path, *rows, measures=False)
    assert (prompt.facts, problems) == (Facts(), [])
    _, [problem] = read(tmp_path, {**rows[0], "text": None}, measures=False)
    assert problem.message == "text must be a text"


@pytest.mark.parametrize("measures", [False, True])
def test_a_response_may_be_called_text_or_response(measures: bool, tmp_path: Path) -> None:
    row = {"prompt_id": "p", "prompt": "Q?", "model": "a"}
    for given in ({"text": "A."}, {"response": "A."}, {"text": None, "response": "A."}, {"text": "A.", "response": 3}):
        [prompt], problems = read(tmp_path, {**row, **given}, measures=measures)
        assert ([each.text for each in prompt.responses], problems) == (["A."], [])


def test_facts_are_read_from_csv(tmp_path: Path) -> None:
    lines = ["prompt_id,prompt,model,response,category,harmless", "1,Q?,a,A.,code,TRUE", "2,R?,a,B.,,false"]
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    prompts, problems = read_prompts(tmp_path / "rows.csv", measures=True)
    assert problems == []
    assert [prompt.facts for prompt in prompts] == [Facts(category="code", harmless=True), Facts(harmless=False)]


def test_what_was_not_answered_is_listed_for_each_compared_model(tmp_path: Path) -> None:
    """Null, empty and absent responses are the same; a model that is not compared is not asked."""
    answers = {"a": ["A.", "A.", "A."], "b": ["B.", None, " "], "c": ["C.", "C.", "C."]}
    rows = [
        {"prompt_id": f"p{n}", "prompt": f"Q{n}?", "model": model, "response": given[n]}
        for model, given in answers.items()
        for n in range(3)
        if (model, n) != ("c", 0)
    ]
    prompts, _ = read(tmp_path, *rows)
    found = [(each.model, each.prompt_id) for each in list_unanswered(prompts, Pairing(), harmless=False)]
    assert found == [("b", "p1"), ("b", "p2"), ("c", "p0")]
    some = Pairing(policy="new_vs_previous", new="a", previous="b")
    assert [each.model for each in list_unanswered(prompts, some, harmless=False)] == ["b", "b"]
    assert len(make_singles(prompts, Pairing()).pairs) == 3 + 1 + 2


def test_the_journal_names_what_was_not_answered(tmp_path: Path) -> None:
    rows = [{"prompt_id": "p", "prompt": "Q?", "model": model, "response": f"{model}."} for model in ("a", "b")]
    rows.append({"prompt_id": "q", "prompt": "R?", "model": "a", "response": "A.", "category": "code"})
    with desk(tmp_path, rows, protocol="evaluation") as made:
        [batch] = made.record.batches.values()
        [each] = batch.unanswered
        assert (each.model, each.prompt_id, each.category, each.turns) == ("b", "q", "code", 1)
        assert batch.dropped == {"single": 1, "unanswered": 1}
        body = next(iter(made.journal.rows("batch")))[2]
        assert json.loads(body)["unanswered"][0]["model"] == "b"


def test_a_campaign_can_be_harmless_as_a_whole(tmp_path: Path) -> None:
    rows = [
        {"prompt_id": "p", "prompt": "Q?", "model": "a", "response": "A."},
        {"prompt_id": "q", "prompt": "R?", "model": "a", "response": "A.", "harmless": False},
    ]
    with desk(tmp_path, rows, protocol="safety-rating", harmless=True) as made:
        found = {row["prompt_id"]: row["harmless"] for row in made.record.pairs.to_pylist()}
    assert found == {"p": True, "q": False}


@pytest.mark.parametrize(
    ("protocol", "changes", "said"),
    [
        ("safety-rating", {"gold": {"file": "gold.jsonl"}}, "shows single responses: remove [gold]"),
        ("safety-rating", {"pairs": Pairing(policy="random")}, "shows single responses: remove pairs.policy"),
        ("evaluation", {"harmless": True}, "asks about no refusals: remove harmless"),
        ("evaluation", {"categories": {"x": "X"}}, "takes no categories"),
        ("evaluation", {"resolve": Policy(use="unanimous")}, "use 'majority' or 'median'"),
        ("safety-rating", {"resolve": Policy(use="median")}, "use 'majority'"),
        ("preference", {"resolve": Policy(use="median")}, "use 'majority' or 'unanimous'"),
    ],
)
def test_settings_of_other_protocols_are_refused(protocol: str, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        Campaign(name="mill", protocol=protocol, batch="b1", responses="r.jsonl", annotators=PEOPLE, **changes)
    assert said in str(caught.value)


RATED = [
    {"prompt_id": f"p{n}", "prompt": f"How about number {n}?", "model": model, "response": f"It is {n} of {n % 3}.",
     "risk_category": "rye-risk", "attack_vector": "oats-vector", "harmless": n % 2 == 0, "category": "bran-kind"}
    for n in range(6) for model in ("groats-7b", "bulgur-13b")
]  # fmt: skip


def test_a_page_tells_neither_the_model_nor_the_kind_of_prompt(tmp_path: Path) -> None:
    """Whoever knew that a prompt is harmless, or whose response it is, would rate it otherwise."""
    with desk(tmp_path, RATED, protocol="safety-rating") as made:
        record = made.record
        [batch] = record.batches.values()
        shown = [*task_data(record.tasks, record.pairs), batch.page.config, batch.page.instruction]
    words = json.dumps(shown)
    for word in ("groats", "bulgur", "rye-risk", "oats-vector", "bran-kind"):
        assert word not in words
    fields = {"uid", "history", "prompt", "a"}
    assert all(set(data) == fields for data in shown if isinstance(data, dict))


def test_two_equal_responses_are_two_tasks_and_no_side_is_drawn(tmp_path: Path) -> None:
    with desk(tmp_path, RATED, protocol="safety-rating") as made:
        assert len(made.record.pairs) == 12
        tasks = made.tasks()
    assert (len(tasks), {task["swapped"] for task in tasks}) == (36, {False})
    people = Counter(task["annotator"] for task in tasks)
    assert set(people.values()) == {12}


def test_ratings_pass_to_others_and_to_adjudicators(tmp_path: Path) -> None:
    people = (*("ann@mill.example", "bob@mill.example", "cy@mill.example"), "eve@mill.example")
    settings = {"annotators": people, "adjudicators": ("dee@mill.example",), "votes": 2}
    with desk(tmp_path, RATED, protocol="safety-rating", **settings) as made:
        moved = reassign(made.folder, made.journal, giver=people[0])
        assert moved == len(RATED) * 2 // 4
        for number, task in enumerate(made.tasks()):
            rating = RATINGS[0 if number % 2 else 4]
            made.answer(task, choices(rating=rating, refusal="none"))
        tied = find_disputed(resolve(made.load()).unresolved)
        given, stuck = adjudicate(made.folder, made.journal, tied)
        assert (given, stuck) == (len(tied), [])
        for task in made.tasks(round_="adjudication"):
            made.answer(task, choices(rating=RATINGS[4], refusal="none"))
        found = made.load()
    verdicts = resolve(found).resolved
    assert (len(verdicts), sum(verdicts["adjudicated"].to_pylist())) == (len(RATED), len(tied))
    assert tied
