"""The length-controlled win rate is that of alpaca_eval, and its interval covers the truth.

The expected values are those of alpaca_eval's own code (src/alpaca_eval/metrics/glm_winrate.py, commit cd543a1, with
scikit-learn 1.5.2): the win rate and its standard error, in percent.
"""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from annotation.statistics.length_controlled import Compared, Floats, length_controlled
from schemas.errors import UserError
from tests.annotation.statistics.evaluation_data import table

PROMPTS = np.arange(240)
HARD = 2 * np.sin(1.7 * PROMPTS)
SHIFTS = {"long": (400, 0.5), "short": (-400, -1.0), "even": (0, 0.2)}
"""Of a model: by how many characters its responses are longer, and its log-odds against the baseline."""

# of preferences that weigh, and of wins, ties and losses; without the term of difficulty, with it, and with variants
MINIMAL = {"long": (55.1260, 52.7938), "short": (36.1902, 30.3559), "even": (53.1668, 54.2964)}
FREE = {
    "long": ((55.7805, 1.3461), (54.4196, 2.1158)),
    "short": ((35.9137, 1.2863), (29.0784, 1.8671)),
    "even": ((53.1493, 1.3321), (54.0205, 2.0078)),
}
HELD = {
    "long": ((55.1945, 1.1962), (59.1847, 1.7337)),
    "short": ((36.2072, 1.1149), (28.1611, 1.4000)),
    "even": ((53.1624, 1.1987), (54.1979, 1.7709)),
}
PUBLISHED = {
    "Mixtral-8x7B-Instruct-v0.1_concise": (16.0954, 0.8655),
    "claude-2": (19.2044, 0.9528),
    "gpt-3.5-turbo-1106_verbose": (12.4969, 0.7530),
    "oasst-sft-pythia-12b": (2.1117, 0.2110),
    "openbuddy-falcon-40b-v9": (6.4382, 0.5386),
}
"""Of judged runs of alpaca_eval, with the log-odds of the mean preference of all models as the difficulty."""
NEAR = 0.1
"""Another penalty may be chosen than there, as cross-validation divides the prompts in another way."""


def made(kind: str, whole: bool, hard: Floats = HARD) -> Compared:
    """Preferences that a formula gives, or the wins, ties and losses nearest to them."""
    shift, lead = SHIFTS[kind]
    longer = np.round(250 * np.sin(3.1 * PROMPTS) + shift + 150 * np.cos(0.3 * PROMPTS))
    wish = 0.9 * np.tanh(longer / 300) + 0.8 * HARD + lead + 1.5 * np.sin(5.3 * PROMPTS)
    preference = np.round(expit(wish), 6)
    if whole:
        preference = np.where(preference > 0.6, 1.0, np.where(preference < 0.4, 0.0, 0.5))
    return Compared(preference, longer, hard, PROMPTS)


def variant(sign: int, mean: int) -> Compared:
    """The baseline, asked to write longer or shorter."""
    longer = np.round(sign * 200 * np.sin(1.1 * PROMPTS) + mean)
    preference = np.round(expit(0.8 * np.tanh(longer / 250) + 0.2 * HARD + 0.6 * np.cos(4.7 * PROMPTS)), 6)
    return Compared(preference, longer, HARD, PROMPTS)


@pytest.mark.parametrize("kind", SHIFTS)
@pytest.mark.parametrize("whole", [False, True])
def test_the_win_rate_is_that_of_alpaca_eval(kind: str, whole: bool) -> None:
    free = length_controlled(made(kind, whole))
    assert 100 * (free.interval.value or 0) == pytest.approx(FREE[kind][whole][0], abs=NEAR)
    assert 100 * free.published_error == pytest.approx(FREE[kind][whole][1], abs=NEAR)
    held = length_controlled(made(kind, whole), [variant(1, 500), variant(-1, -450)])
    assert 100 * (held.interval.value or 0) == pytest.approx(HELD[kind][whole][0], abs=NEAR)
    assert 100 * held.published_error == pytest.approx(HELD[kind][whole][1], abs=NEAR)
    minimal = length_controlled(made(kind, whole, np.zeros(len(PROMPTS))))
    assert 100 * (minimal.interval.value or 0) == pytest.approx(MINIMAL[kind][whole], abs=NEAR)


@pytest.mark.parametrize("model", PUBLISHED)
def test_judged_runs_have_the_win_rate_of_alpaca_eval(model: str, shared: Path) -> None:
    rows = table(shared, "alpaca_eval_preferences")
    judged = np.array(rows["annotator"]) == "weighted_alpaca_eval_gpt4_turbo"
    judged &= np.array(rows["model"]) != "gpt4_1106_preview"
    number, models = np.array(rows["row"], np.int64), np.array(rows["model"])
    raw = np.array(rows["preference"], np.float64)
    preference = np.where(raw == 0, 0.5, raw - 1)
    longer = np.array(rows["characters_2"], np.float64) - np.array(rows["characters_1"], np.float64)
    mean = np.bincount(number[judged], preference[judged]) / np.bincount(number[judged])
    own = np.flatnonzero(judged & (models == model))
    hard = np.log(mean / (1 - mean))[number[own]]
    found = length_controlled(Compared(preference[own], longer[own], hard, number[own]))
    assert 100 * (found.interval.value or 0) == pytest.approx(PUBLISHED[model][0], abs=NEAR)
    assert 100 * found.published_error == pytest.approx(PUBLISHED[model][1], abs=NEAR)
    assert found.interval.error is not None
    assert found.interval.error > found.published_error


def test_equal_lengths_leave_the_win_rate_as_it_is() -> None:
    held = made("even", whole=True)
    same = Compared(held.preference, np.zeros(len(PROMPTS)), np.zeros(len(PROMPTS)), PROMPTS)
    assert length_controlled(same).interval.value == pytest.approx(held.preference.mean(), abs=0.002)


def test_the_mirrored_votes_give_the_mirrored_win_rate() -> None:
    held = made("long", whole=True)
    turned = Compared(1 - held.preference, -held.longer, -held.difficulty, PROMPTS)
    one, other = length_controlled(held).interval.value, length_controlled(turned).interval.value
    assert one is not None
    assert other == pytest.approx(1 - one, abs=1e-6)


def test_the_order_of_votes_never_matters() -> None:
    held = made("short", whole=True)
    order = np.random.default_rng(1).permutation(len(PROMPTS))
    mixed = Compared(held.preference[order], held.longer[order], held.difficulty[order], PROMPTS[order])
    assert length_controlled(mixed) == length_controlled(held)


def test_a_model_that_always_wins_has_no_interval_of_nothing() -> None:
    held = made("even", whole=True)
    found = length_controlled(Compared(np.ones(len(PROMPTS)), held.longer, HARD, PROMPTS)).interval
    assert found.low is not None
    assert found.value is not None
    assert 0.9 < found.low < 0.99 < found.value <= 1
    assert found.high == 1


def test_votes_without_a_verdict_are_predicted_and_count_for_nothing_else() -> None:
    held = made("even", whole=True)
    preference = held.preference.copy()
    preference[:40] = np.nan
    found = length_controlled(Compared(preference, held.longer, HARD, PROMPTS))
    assert found.interval.votes == 200
    few = np.where(PROMPTS < 4, held.preference, np.nan)
    with pytest.raises(UserError, match="fewer than 5 prompts"):
        length_controlled(Compared(few, held.longer, HARD, PROMPTS))


@pytest.mark.soak
@pytest.mark.parametrize(("prompts", "lead"), [(100, 0.0), (300, 1.0), (300, -2.0)])
def test_the_interval_covers_the_truth(prompts: int, lead: float) -> None:
    """Votes drawn from the model that is fitted: 95% of 200 intervals hold the rate at equal lengths, 91% at least."""
    draw = np.random.default_rng(7)
    truth = float(expit(lead + 0.8 * draw.normal(size=200_000)).mean())
    covered = 0
    for _ in range(200):
        hard, longer = draw.normal(size=prompts), draw.normal(200, 300, prompts)
        wish = lead + 0.8 * hard + 1.2 * np.tanh(longer / 300)
        said = (draw.random(prompts) < expit(wish)).astype(np.float64)
        found = length_controlled(Compared(said, longer, hard, np.arange(prompts))).interval
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth <= found.high
    assert 182 <= covered <= 199
