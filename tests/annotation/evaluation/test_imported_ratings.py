"""Ratings of others are read in the forms of leaderboards, and stand apart from what votes say."""

from pathlib import Path

import pytest

from annotation.evaluation.imported_ratings import imported, read_ratings
from annotation.evaluation.reported import Choices, leaders
from schemas.errors import UserError
from tests.annotation.evaluation.reports import judged

FORMS = {
    "arena.csv": "rank,model,rating,95_pct_ci\n1,alpha,1301.5,+3/-3\n2,gamma,1250,+3/-3\n",
    "table.csv": "key,Model,Arena Elo rating,License\nalpha-1,alpha,1301.5,MIT\ngamma-1,gamma,1250,MIT\n",
    "ratings.jsonl": '{"model_name": "alpha", "arena_score": 1301.5}\n{"model_name": "gamma", "arena_score": 1250}\n',
    "elo.json": '[{"model": "alpha", "elo": 1301.5}, {"model": "gamma", "elo": 1250}]',
}


@pytest.mark.parametrize("name", FORMS)
def test_the_forms_of_leaderboards_are_read(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(FORMS[name])
    found = read_ratings(tmp_path / name)
    assert (found.name, found.ratings) == (name, {"alpha": 1301.5, "gamma": 1250.0})


def test_imported_ratings_change_no_other_number(tmp_path: Path) -> None:
    (tmp_path / "arena.csv").write_text(FORMS["arena.csv"])
    held = judged(["first", "first", "second", "tie"])
    alone = list(leaders([held], Choices()))
    beside = list(leaders([held], Choices(imported=(read_ratings(tmp_path / "arena.csv"),))))
    assert beside[: len(alone)] == alone
    rated, lacking = (each.number for each in beside[len(alone) :])
    assert (rated.model, rated.value, rated.voters, rated.votes) == ("alpha", 1301.5, "imported", 0)
    assert rated.left_out == "1 model not compared here"
    assert (lacking.model, lacking.value, lacking.method) == ("beta", None, "not in arena.csv")
    assert list(imported([], ["alpha"])) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model,rating\nalpha,strong\n", "row 1: the rating is 'strong': give a number"),
        ("model,rating\nalpha,1\nalpha,2\n", "row 2: 'alpha' already has a rating: keep one of them"),
        (f"model,rating\n{'x' * 1000},1\n{'x' * 1000},2\n", r"row 2: 'x+\.\.\.x+' already has a rating"),
        ("name of it,rating\nalpha,1\n", "row 1: model is missing"),
        ("model,rating\n", "holds no rating"),
    ],
)
def test_a_wrong_file_is_one_sentence(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "arena.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        read_ratings(tmp_path / "arena.csv")
