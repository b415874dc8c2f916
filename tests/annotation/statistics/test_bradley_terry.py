"""Ratings as published, the laws of a leaderboard, and what its intervals cover."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.statistics.bradley_terry import Leaderboard, leaderboard, length_difference
from annotation.statistics.outcomes import Outcomes
from schemas.errors import UserError
from tests.annotation.statistics.evaluation_data import llmfao, table

WIKIPEDIA = {"AB": (2, 3), "AD": (1, 4), "BC": (5, 3), "CD": (1, 3)}
"""Wins of the first and of the second in 22 games: the example of Wikipedia's article on the model."""
Row = tuple[str, str, str, str, str]


def games(wins: dict[str, tuple[int, int]]) -> Outcomes:
    rows = [
        (*pair, word)
        for pair, counts in wins.items()
        for word, count in zip(("win", "loss"), counts, strict=True)
        for _ in range(count)
    ]
    return outcomes([(str(n), "r", *row) for n, row in enumerate(rows)])


def outcomes(rows: list[Row]) -> Outcomes:
    return Outcomes.of(*(list(column) for column in zip(*rows, strict=True)))


def strengths(board: Leaderboard) -> dict[str, float]:
    """With a geometric mean of 1."""
    return dict(zip(board.models, np.exp(board.rating).tolist(), strict=True))


def test_the_strengths_of_wikipedia_s_example() -> None:
    found = leaderboard(games(WIKIPEDIA))
    assert strengths(found) == pytest.approx({"A": 0.6398, "B": 1.0433, "C": 0.6598, "D": 2.2704}, abs=5e-5)
    assert found.votes == 22
    assert found.ranks.rank.tolist() == [4, 2, 3, 1]


def test_ratings_of_real_votes_as_published(shared: Path) -> None:
    """The ratings of evalica: Bradley and Terry's with half ties sum to 1; Newman's algorithm for Davidson's model has
    another unit, so its ratings are compared by their ratios."""
    votes, _ = llmfao(shared)
    golden = table(shared, "llmfao_golden")
    published = {
        (algorithm, model): float(score)
        for algorithm, model, score in zip(golden["algorithm"], golden["item"], golden["score"], strict=True)
    }
    half, davidson = strengths(leaderboard(votes)), strengths(leaderboard(votes, "davidson"))
    assert len(half) == len(davidson) == 59
    for model in votes.models:
        assert half[model] / sum(half.values()) == pytest.approx(published["bradley_terry", model], rel=1e-9)
        ratio = published["newman", model] / published["newman", "GPT 4"]
        assert davidson[model] / davidson["GPT 4"] == pytest.approx(ratio, rel=1e-5)


def test_two_models_have_the_log_odds_of_their_votes() -> None:
    """With 6 wins, 3 losses and 3 ties: log 2 without ties; log(7.5 / 4.5) with half ties; Davidson's tie parameter is
    the ties over the geometric mean of wins and losses."""
    words = ["win"] * 6 + ["loss"] * 3 + ["tie"] * 3
    rows = [(str(n), "r", "x", "y", word) for n, word in enumerate(words)]
    half, davidson = leaderboard(outcomes(rows)), leaderboard(outcomes(rows), "davidson")
    assert half.rating[0] - half.rating[1] == pytest.approx(np.log(7.5 / 4.5))
    assert half.tie is None
    assert davidson.rating[0] - davidson.rating[1] == pytest.approx(np.log(2))
    assert davidson.tie == pytest.approx(3 / np.sqrt(18))
    assert leaderboard(outcomes(rows[:9])).rating[0] == pytest.approx(np.log(2) / 2)


def test_the_error_of_two_models_is_that_of_a_proportion() -> None:
    """The log-odds of 6 wins in 9 votes has the variance 1/6 + 1/3, times 9/8 for few clusters."""
    rows = [(str(n), "r", "x", "y", "win" if n < 6 else "loss") for n in range(9)]
    [variance, *_] = leaderboard(outcomes(rows)).covariance.ravel()
    assert 4 * variance == pytest.approx((1 / 6 + 1 / 3) * 9 / 8)


def test_the_effect_of_position_is_told_apart_from_the_models() -> None:
    """Each model wins 3 of 4 votes when shown first: equal models, and log-odds of 3 for the first position."""
    rows = [(str(n), "r", "x", "y", "win" if n % 4 < 3 else "loss") for n in range(8)]
    rows += [(str(n), "r", "x", "y", "loss" if n % 4 < 3 else "win") for n in range(8, 16)]
    found = leaderboard(outcomes(rows), covariates={"first": np.repeat([1.0, -1.0], 8)})
    assert found.rating == pytest.approx([0, 0], abs=1e-9)
    effect, error = found.effects["first"]
    assert effect == pytest.approx(np.log(3))
    assert error > 0


def test_models_of_equal_quality_are_equal_at_equal_length() -> None:
    """Whoever is longer wins 3 of 4 votes, and y is longer more often: without the covariate y seems better."""
    rows, lengths = [], []
    for n in range(80):
        x_longer = n % 5 == 0
        x_wins = x_longer == (n % 4 < 3)
        rows.append((str(n), "r", "x", "y", "win" if x_wins else "loss"))
        lengths.append((300.0, 100.0) if x_longer else (100.0, 300.0))
    length = length_difference(*np.array(lengths).T)
    seeming, found = leaderboard(outcomes(rows)), leaderboard(outcomes(rows), covariates={"length": length})
    assert seeming.rating[1] - seeming.rating[0] > 0.5
    assert found.rating == pytest.approx([0, 0], abs=1e-6)
    assert found.effects["length"][0] * abs(length[0]) == pytest.approx(np.log(3))
    assert length_difference(np.ones(3), np.ones(3)).tolist() == [0, 0, 0]


def test_a_covariate_that_names_the_models_is_refused() -> None:
    votes = games(WIKIPEDIA)
    always = (votes.model_a == 0).astype(np.float64) - (votes.model_b == 0)
    with pytest.raises(UserError, match="length cannot be told apart from the models"):
        leaderboard(votes, covariates={"length": always})


def test_models_without_a_finite_rating_are_named() -> None:
    wins = {"AB": (2, 1), "AC": (1, 2), "AW": (3, 0), "BL": (2, 0), "EF": (1, 1), "EA": (2, 0), "BF": (1, 0)}
    found = leaderboard(games({**wins, "BF": (0, 1)}))
    assert found.models == ("A", "B", "C")
    assert found.unrated == {"E": "apart", "F": "apart", "L": "winless", "W": "winless"}
    alone = leaderboard(games({"AB": (2, 1), "AC": (1, 2)}))
    assert strengths(found) == pytest.approx(strengths(alone))
    assert leaderboard(games({"AB": (2, 1), "AC": (0, 2)})).unrated == {"C": "unbeaten"}


def test_votes_that_connect_no_models_are_refused() -> None:
    with pytest.raises(UserError, match="no two models can be rated"):
        leaderboard(games({"AB": (2, 0)}))


def test_votes_that_tell_no_odds_of_a_tie_are_refused() -> None:
    rows = [(str(n), "r", "x", "y", "win" if n < 3 else "tie") for n in range(6)]
    assert leaderboard(outcomes(rows)).tie is None
    for few in (rows, rows[3:]):
        with pytest.raises(UserError, match="count them as half wins"):
            leaderboard(outcomes(few), "davidson")


def test_a_vote_without_a_verdict_changes_nothing() -> None:
    rows = [("p", "r", "A", "B", "win"), ("q", "r", "A", "B", "loss"), ("s", "r", "A", "B", "win")]
    more = [*rows, ("t", "r", "A", "B", "unparsed"), ("u", "s", "B", "A", "missing")]
    one, two = leaderboard(outcomes(rows)), leaderboard(outcomes(more))
    assert (one.rating == two.rating).all()
    assert (one.covariance == two.covariance).all()


VOTES = st.lists(
    st.tuples(
        st.sampled_from("pqrst"), st.sampled_from("xyz"), st.sampled_from(["AB", "BC", "CA"]), st.sampled_from("wtl")
    ),
    max_size=20,
)
WORDS = {"w": "win", "t": "tie", "l": "loss"}
CYCLE = [(prompt, "x", *pair, word) for prompt in "pq" for pair in ("AB", "BC", "CA") for word in ("win", "tie")]
"""Wins and ties that connect the models, so that every list of further votes can be rated."""


@given(VOTES, st.sampled_from(["half", "davidson"]))
def test_neither_sides_nor_order_matter(votes: list[tuple[str, str, str, str]], ties: str) -> None:
    rows = [*CYCLE, *((prompt, rater, *pair, WORDS[word]) for prompt, rater, pair, word in votes)]
    one, mirrored = leaderboard(outcomes(rows), ties), leaderboard(outcomes(rows).mirrored(), ties)
    reordered = leaderboard(outcomes(rows[::-1]), ties)
    assert reordered.rating.tobytes() == one.rating.tobytes()
    assert reordered.covariance.tobytes() == one.covariance.tobytes()
    assert mirrored.rating == pytest.approx(one.rating, abs=1e-6)
    assert mirrored.covariance == pytest.approx(one.covariance, abs=1e-6)


@pytest.mark.parametrize("ties", ["half", "davidson"])
def test_identical_copies_have_identical_intervals(ties: str) -> None:
    """Two models under other names with the same votes against the same rivals."""
    draw = np.random.default_rng(0)
    rows = []
    for prompt in range(60):
        for rival in ("A", "B"):
            word = str(draw.choice(["win", "loss", "tie"], p=[0.5, 0.3, 0.2]))
            rows += [(str(prompt), "r", name, rival, word) for name in ("copy 1", "copy 2")]
    found = leaderboard(outcomes(rows), ties)
    one, two = found.models.index("copy 1"), found.models.index("copy 2")
    ranks = found.ranks
    for values in (found.rating, found.error, ranks.low, ranks.high, ranks.best, ranks.worst):
        assert values[one] == pytest.approx(values[two], rel=1e-9)


def test_ranks_are_between_best_and_worst(shared: Path) -> None:
    ranks = leaderboard(llmfao(shared)[0]).ranks
    assert (ranks.best <= ranks.rank).all()
    assert (ranks.rank <= ranks.worst).all()
    assert sorted(ranks.rank.tolist()) == list(range(1, 60))


@pytest.mark.soak
def test_intervals_and_ranks_hold_for_all_models_together() -> None:
    """300 simulated leaderboards of 6 models: three standard deviations below 95% are 91.2%."""
    draw = np.random.default_rng(0)
    truth = np.array([-0.8, -0.5, 0.0, 0.05, 0.45, 0.8])
    held, ranked = [], []
    for _ in range(300):
        ranks = leaderboard(_simulated(truth, draw)).ranks
        held.append(((ranks.low <= truth) & (truth <= ranks.high)).all())
        place = np.arange(6, 0, -1)
        ranked.append(((ranks.best <= place) & (place <= ranks.worst)).all())
    assert 0.912 <= np.mean(held) <= 0.988
    assert np.mean(ranked) >= 0.912


def _simulated(truth: np.ndarray, draw: np.random.Generator) -> Outcomes:
    """200 prompts with 2 pairs of models each. Three of 30 raters judge a pair, and agree."""
    prompt = np.repeat(np.arange(200), 2)
    pair = np.array([draw.choice(6, 2, replace=False) for _ in prompt])
    won = draw.random(len(prompt)) < 1 / (1 + np.exp(truth[pair[:, 1]] - truth[pair[:, 0]]))
    rows = zip(prompt.tolist(), pair.tolist(), won.tolist(), strict=True)
    return outcomes(
        [
            (f"{number:04}", f"r{(3 * number + turn) % 30}", f"m{first}", f"m{second}", "win" if one else "loss")
            for number, (first, second), one in rows
            for turn in range(3)
        ]
    )
