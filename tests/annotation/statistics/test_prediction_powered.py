"""The human win rate from few human votes and many verdicts of a judge: valid with any judge."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from annotation.statistics.clusters import Ratio, interval
from annotation.statistics.prediction_powered import Judged, Labelled, prediction_powered, tuned
from tests.annotation.statistics.evaluation_data import JUDGES, RATED, arena, calibrated, drawn
from tests.annotation.statistics.simulated import covers


def test_a_judge_who_always_says_the_same_is_worth_nothing() -> None:
    human = np.array([1.0, 0, 1, 1, 0.5, 0])
    found = calibrated(human, np.ones(6), np.ones(100))
    assert (found.tuning, found.worth) == (0, 0)
    assert found.interval == found.human == interval(Ratio(human, np.ones(6), np.arange(6)))


def test_a_perfect_judge_is_worth_its_verdicts() -> None:
    """With the tuning N / (n + N) the estimate is the mean of all n + N verdicts."""
    human, others = np.tile([1.0, 0, 1, 1], 25), np.tile([1.0, 0, 1, 1], 225)
    found = calibrated(human, human, others)
    assert found.tuning == pytest.approx(0.9, abs=0.01)
    assert found.interval.value == pytest.approx(0.75)
    assert found.worth == pytest.approx(900, rel=0.1)


def test_the_estimate_and_its_tuning_by_hand() -> None:
    """Tuning: the covariance 1/8 over the judge's variance among all six, 4/15, times 1 + 4/2."""
    labelled = Labelled(np.array([1.0, 1, 0, 0]), np.array([1.0, 1, 1, 0]), np.arange(4))
    judged = Judged(np.array([1.0, 0]), np.array([4, 5]))
    assert tuned(labelled, judged) == pytest.approx(1 / 8 / (4 / 15 * 3))
    found = prediction_powered(labelled, judged)
    assert found.interval.value == pytest.approx(0.5 + found.tuning * (0.5 - 0.75))


def test_no_human_votes_give_no_estimate() -> None:
    found = calibrated(np.zeros(0), np.zeros(0), np.ones(5))
    assert found.interval.value is None


def test_the_mirrored_votes_have_the_mirrored_interval() -> None:
    draw = np.random.default_rng(3)
    human = draw.choice([0, 0.5, 1], 80)
    judge = np.where(draw.random(80) < 0.7, human, 1.0)
    others = draw.choice([0, 0.5, 1], 400)
    one, two = calibrated(human, judge, others), calibrated(1 - human, 1 - judge, 1 - others)
    assert one.interval.low is not None
    assert one.interval.high is not None
    assert (two.interval.low, two.interval.high) == pytest.approx((1 - one.interval.high, 1 - one.interval.low))
    assert one.worth == pytest.approx(two.worth)


def test_the_order_of_votes_never_matters() -> None:
    draw = np.random.default_rng(4)
    human, judge, others = (draw.choice([0, 0.5, 1], size) for size in (60, 60, 300))
    prompt, rater, other_prompt = np.arange(60) // 2, np.arange(60) % 7, 60 + np.arange(300)
    found = prediction_powered(Labelled(human, judge, prompt, rater), Judged(others, other_prompt))
    order, other_order = draw.permutation(60), draw.permutation(300)
    labelled = Labelled(human[order], judge[order], prompt[order], rater[order])
    assert prediction_powered(labelled, Judged(others[other_order], other_prompt[other_order])) == found


def test_the_estimate_and_error_are_those_of_ppi_py() -> None:
    """ppi_mean_ci of ppi-python, on 40 labelled and 300 other items, has this estimate and half width."""
    draw = np.random.default_rng(7)
    human = draw.choice([0, 0.5, 1], 40)
    judge = np.where(draw.random(40) < 0.7, human, draw.choice([0, 0.5, 1], 40))
    found = calibrated(human, judge, draw.choice([0, 0.5, 1], 300)).interval
    assert found.value == pytest.approx(0.51757932, abs=5e-9)
    assert found.iid_error is not None
    assert 1.959964 * found.iid_error == pytest.approx((0.60780018 - 0.42735847) / 2, abs=5e-8)


def test_a_good_judge_narrows_the_interval_of_real_votes(shared: Path) -> None:
    """Facts of the arena's votes: GPT-4 saves 15 to 20% of 300 votes, GPT-3.5 about 1%."""
    worth = {}
    for judge in ("gpt_4", "gpt_3_5"):
        human, judged = arena(shared, "vicuna-13b", judge)
        draw = np.random.default_rng(0)
        worth[judge] = np.mean([drawn(human, judged, 300, draw).worth for _ in range(50)]) / 300
    assert 0.1 < worth["gpt_4"] < 0.35
    assert -0.02 < worth["gpt_3_5"] < 0.06


@pytest.mark.soak
@pytest.mark.parametrize(("model", "judge"), [*product(RATED, JUDGES)])
def test_real_votes_are_covered(shared: Path, model: str, judge: str) -> None:
    human, judged = arena(shared, model, judge)
    draw = np.random.default_rng(0)
    found = [drawn(human, judged, 300, draw).interval for _ in range(1000)]
    assert 0.93 <= np.mean([covers(each, float(human.mean())) for each in found]) <= 0.97
