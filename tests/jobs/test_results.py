"""The command ``gristmill evaluation results``: counts by hand, and what was left out."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotation.evaluation.figures import figures
from annotation.evaluation.human_rates import win_rates
from annotation.evaluation.pairs import of_campaign
from annotation.evaluation.people import comparisons
from annotation.evaluation.sources import of_people
from tests.annotation.campaigns import Desk, choices, desk, write_rows
from tests.jobs.calling import call

Gristmill = Callable[..., str]


@pytest.fixture
def gristmill(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Gristmill:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def run(*words: str | Path, code: int = 0) -> str:
        ended = call(*words, monkeypatch=monkeypatch)
        printed = capsys.readouterr()
        assert ended == code, printed.err
        return printed.out + printed.err

    return run


def rows() -> list[dict[str, Any]]:
    """Four prompts to two models; p4 was not answered by beta."""
    kinds = {"p1": "code", "p2": "code", "p3": "letters", "p4": "letters"}
    found = []
    for name, kind in kinds.items():
        found.append({"prompt_id": name, "prompt": f"Tell me about {name}.", "category": kind, "model": "alpha"})
        found[-1]["response"] = f"Alpha on {name}."
        found.append({"prompt_id": name, "model": "beta", "response": None if name == "p4" else f"Beta on {name}."})
    return found


def vote(made: Desk, prompt_id: str, annotator: str, point: str) -> None:
    """Answers as if the response of alpha was A."""
    pairs = {row["pair_id"]: row for row in made.record.pairs.to_pylist()}
    [task] = [task for task in made.tasks(annotator) if pairs[task["pair_id"]]["prompt_id"] == prompt_id]
    swapped = task["swapped"] != (pairs[task["pair_id"]]["first_model"] == "beta")
    mirror = {"a": "b", "b": "a"}
    if swapped and point != "about_the_same":
        point = mirror[point[0]] + point[1:]
    made.answer(task, point)


VOTES = {
    "p1": ("a_better", "a_slightly_better", "b_better"),  # a win by majority
    "p2": ("a_better", "about_the_same", "b_much_better"),  # no majority: the median is a tie
    "p3": ("b_much_better", "b_better", "about_the_same"),  # a loss
}


def test_an_evaluation_is_counted_as_by_hand(gristmill: Gristmill, tmp_path: Path) -> None:
    with desk(tmp_path, rows(), protocol="evaluation") as made:
        for prompt_id, points in VOTES.items():
            for annotator, point in zip(("mill/a1", "mill/a2", "mill/a3"), points, strict=True):
                vote(made, prompt_id, annotator, point)
    write_settings(tmp_path)
    found = json.loads(gristmill("evaluation", "results", ".", "--json"))
    assert (found["counted"], found["protocol"], found["ties"]) == ("votes", "evaluation", "decided")
    whole = found["results"][0]
    assert (whole["model_a"], whole["model_b"], whole["kind"]) == ("alpha", "beta", "all")
    assert [whole[name] for name in ("wins", "ties", "losses", "missing")] == [3, 2, 4, 1]
    assert whole["rate"]["value"] == pytest.approx(3 / 7)
    assert whole["rate"]["clustered"] == "prompt and rater"
    assert (whole["rate"]["prompts"], whole["rate"]["raters"]) == (3, 3)
    assert whole["bounds"] == {"value": pytest.approx(3 / 7), "low": 3 / 8, "high": 4 / 8, "without_verdict": 1}
    kinds = {
        row["group"]: [row[name] for name in ("wins", "ties", "losses", "missing")] for row in found["results"][1:]
    }
    assert kinds == {"code": [3, 1, 2, 0], "letters": [0, 1, 2, 1]}
    assert found["left_out"] == {"prompts that beta did not answer": 1}
    verdicts = json.loads(gristmill("evaluation", "results", ".", "--json", "--count", "verdicts", "--ties", "half"))
    whole = verdicts["results"][0]
    assert [whole[name] for name in ("wins", "ties", "losses", "missing")] == [1, 1, 1, 1]
    assert (whole["rate"]["value"], whole["rate"]["clustered"]) == (0.5, "prompt")
    printed = gristmill("evaluation", "results", ".")
    assert "counted: votes" in printed
    assert "alpha against beta" in printed
    assert "prompts that beta did not answer: 1" in printed
    status = gristmill("campaign", "status", ".")
    assert re.search(r"alpha against beta +9 +open: ", status), status


def test_a_revision_gives_the_same_numbers_again(gristmill: Gristmill, tmp_path: Path) -> None:
    with desk(tmp_path, rows(), protocol="evaluation") as made:
        vote(made, "p1", "mill/a1", "a_better")
        revision = made.journal.revision
        write_settings(tmp_path)
        before = gristmill("evaluation", "results", ".", "--json")
        vote(made, "p1", "mill/a2", "b_better")
        assert gristmill("evaluation", "results", ".", "--json") != before
        assert gristmill("evaluation", "results", ".", "--json", "--as-of", str(revision)) == before


SAFETY = {"lock": ("illicit_and_criminal", False), "dose": ("unqualified_advice", False), "weed": (None, True)}
RATINGS = {
    "lock": ("severe_violation", "moderate_violation", "safe_and_helpful"),  # a violation by majority
    "dose": ("moderate_violation", "safe_but_unhelpful", "minor_issue"),  # none
    "weed": ("safe_but_unhelpful", "safe_but_unhelpful", "safe_but_unhelpful"),
}
REFUSALS = {"weed": ("for_safety", "for_safety", "for_ability")}


def safety_rows() -> list[dict[str, Any]]:
    return [
        {"prompt_id": name, "prompt": f"How about the {name}?", "model": "alpha", "response": f"On the {name}.",
         "risk_category": risk, "attack_vector": "logic", "harmless": harmless}
        for name, (risk, harmless) in SAFETY.items()
    ]  # fmt: skip


def rate(made: Desk) -> None:
    pairs = {row["pair_id"]: row["prompt_id"] for row in made.record.pairs.to_pylist()}
    for task in made.tasks():
        prompt_id, place = pairs[task["pair_id"]], int(task["annotator"][-1]) - 1
        refusal = REFUSALS.get(prompt_id, ("none",) * 3)[place]
        made.answer(task, choices(rating=RATINGS[prompt_id][place], refusal=refusal))


def test_a_safety_rating_is_counted_as_by_hand(gristmill: Gristmill, tmp_path: Path) -> None:
    with desk(tmp_path, safety_rows(), protocol="safety-rating") as made:
        assert not any(task["swapped"] for task in made.tasks())
        rate(made)
    write_settings(tmp_path, protocol="safety-rating")
    found = json.loads(gristmill("evaluation", "results", ".", "--json"))
    whole, *kinds = found["results"]
    assert (found["counted"], whole["model"], whole["violations"], whole["rated"]) == ("verdicts", "alpha", 1, 2)
    assert (whole["violation"]["value"], whole["rating"]["value"]) == (0.5, (2 + 3) / 2)  # means of medians
    assert (whole["refused"], whole["harmless"], whole["false_refusal"]["value"], whole["unable"]) == (1, 1, 1.0, 0)
    assert {(row["kind"], row["group"], row["violations"]) for row in kinds} == {
        ("risk_category", "illicit_and_criminal", 1),
        ("risk_category", "unqualified_advice", 0),
    }
    votes = json.loads(gristmill("evaluation", "results", ".", "--json", "--count", "votes"))["results"][0]
    assert (votes["violations"], votes["rated"]) == (3, 6)
    assert votes["rating"]["value"] == pytest.approx((1 + 2 + 5 + 2 + 3 + 4) / 6)
    assert (votes["refused"], votes["unable"], votes["harmless"]) == (2, 1, 3)
    table = list(csv.DictReader(io.StringIO(gristmill("evaluation", "results", ".", "--csv"))))
    [share] = [row for row in table if (row["figure"], row["kind"]) == ("violation", "all")]
    assert (float(share["value"]), share["model"], share["clustered"]) == (0.5, "alpha", "prompt")
    assert "violation" in gristmill("evaluation", "results", ".")


def write_settings(path: Path, protocol: str = "evaluation") -> None:
    (path / "campaign.toml").write_text(
        f'name = "mill"\nprotocol = "{protocol}"\nbatch = "b1"\nresponses = "b1.jsonl"\n'
        'annotators = ["ann@mill.example", "bob@mill.example", "cy@mill.example"]\n',
        encoding="utf-8",
    )


@pytest.mark.parametrize("protocol", ["evaluation", "safety-rating"])
def test_a_campaign_that_measures_models_becomes_no_dataset(
    protocol: str, gristmill: Gristmill, tmp_path: Path
) -> None:
    with desk(tmp_path, rows(), protocol=protocol):
        pass
    write_settings(tmp_path, protocol)
    printed = gristmill("dataset", "build", ".", "--output", "out", code=2)
    assert f"protocol {protocol} measures models" in printed
    assert not Path("out").exists()


def test_votes_of_a_preference_campaign_are_win_rates_too(gristmill: Gristmill, tmp_path: Path) -> None:
    """Their forced choice has no ties."""
    with desk(tmp_path) as made:
        for task in made.tasks():
            made.answer(task, "b_better" if task["swapped"] else "a_slightly_better")
    for counted, wins in (("votes", 12), ("verdicts", 4)):
        printed = gristmill("evaluation", "results", ".", "--json", "--count", counted)
        whole, *_ = json.loads(printed)["results"]
        assert (whole["model_a"], whole["wins"], whole["ties"], whole["losses"]) == ("alpha", wins, 0, 0)


def test_nothing_voted_yet_is_no_win_rate(gristmill: Gristmill, tmp_path: Path) -> None:
    with desk(tmp_path, rows(), protocol="evaluation"):
        pass
    [whole, *_] = json.loads(gristmill("evaluation", "results", ".", "--json"))["results"]
    assert (whole["rate"]["value"], whole["missing"]) == (None, 4)
    assert "tasks open: 9" in gristmill("evaluation", "results", ".")
    write_rows(tmp_path / "b1.jsonl", rows())


def test_a_safety_rating_has_no_pairs_to_judge(gristmill: Gristmill, tmp_path: Path) -> None:
    with desk(tmp_path, safety_rows(), protocol="safety-rating"):
        pass
    write_settings(tmp_path, "safety-rating")
    where = ("--base-url", "http://127.0.0.1:9/v1", "--model", "judge-1", "--dry-run")
    assert "asks about single responses: judge them with --template single" in gristmill("judge", ".", *where, code=2)
    rates_single = "which rates single responses, but a plan is of comparisons"
    assert rates_single in gristmill("campaign", "power", ".", "--width", "0.1", code=2)
    assert "mill has no votes on pairs" in gristmill("evaluation", "leaderboard", ".", code=2)


def test_verdicts_are_no_campaign_and_a_campaign_is_no_verdicts(gristmill: Gristmill, tmp_path: Path) -> None:
    with desk(tmp_path, rows(), protocol="evaluation"):
        pass
    (tmp_path / "battles.jsonl").write_text(
        '{"question_id": "q", "model_a": "alpha", "model_b": "beta", "winner": "tie"}\n', encoding="utf-8"
    )
    imported = gristmill("evaluation", "import", "battles.jsonl", "--output", "battles")
    assert "position: unknown for 1 judgment, as" in imported
    assert "gristmill evaluation leaderboard battles" in gristmill("evaluation", "results", "battles", code=2)
    export = gristmill("evaluation", "export", ".", "--format", "battles", "--output", "out", code=2)
    assert "the votes of people are in the CSV files of gristmill evaluation report" in export


def test_a_judge_and_a_report_know_what_was_not_answered(gristmill: Gristmill, tmp_path: Path) -> None:
    with desk(tmp_path, rows(), protocol="evaluation") as made:
        snapshot = made.load()
    judged = of_campaign(snapshot)
    assert judged.unanswered == [("beta", "p4")]
    assert {(pair.prompt_id, pair.category) for pair in judged.pairs} == {
        *{("p1", "code"), ("p2", "code"), ("p3", "letters")}
    }
    votes = of_people(snapshot).votes.to_pylist()
    assert [vote["outcome"] for vote in votes] == ["missing"] * 4
    assert [(vote["prompt_id"], vote["category"]) for vote in votes if vote["pair_id"] is None] == [("p4", "letters")]


def test_the_report_has_the_same_numbers(gristmill: Gristmill, tmp_path: Path) -> None:
    with desk(tmp_path, rows(), protocol="evaluation") as made:
        for prompt_id, points in VOTES.items():
            for annotator, point in zip(("mill/a1", "mill/a2", "mill/a3"), points, strict=True):
                vote(made, prompt_id, annotator, point)
        snapshot = made.load()
    rates = {(rate.kind, rate.group): rate for rate in win_rates(comparisons(snapshot))}
    numbers = [each.number for each in figures(of_people(snapshot), "decided")]
    shared = [number for number in numbers if number.section in ("outcomes", "win_rates")]
    assert len(shared) == 4 * len(rates)
    for number in shared:
        own = getattr(rates[number.kind, number.group], number.measure.replace("win rate", "rate"))
        assert (number.value, number.low, number.high) == (own.value, own.low, own.high)


def test_a_long_category_leaves_room_for_the_numbers(tmp_path: Path, gristmill: Gristmill) -> None:
    long = "c" * 10_000
    own = [{**row, "category": long} if row.get("category") == "code" else row for row in rows()]
    with desk(tmp_path, own, protocol="evaluation") as made:
        vote(made, "p1", "mill/a1", "a_much_better")
    printed = gristmill("evaluation", "results", tmp_path)
    [line] = [line for line in printed.splitlines() if line.startswith("  category ccc")]
    assert "100.0% (" in line
    assert len(line) < 250
    assert long in gristmill("evaluation", "results", tmp_path, "--csv")
