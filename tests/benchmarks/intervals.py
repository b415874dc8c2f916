"""Whether intervals of win rates cover what they claim, at full size, and how fast they are made.

python -m tests.benchmarks.intervals [--rounds 1000]
"""

import argparse
import time
from collections.abc import Iterator
from itertools import product

import numpy as np
from rich.console import Console
from rich.table import Table

from annotation.statistics.anytime import decide
from annotation.statistics.bootstrap import bootstrap
from annotation.statistics.bradley_terry import leaderboard
from annotation.statistics.clusters import Interval, Ratio, interval
from annotation.statistics.outcomes import Outcomes, bounds, parts
from annotation.statistics.paired import difference
from annotation.statistics.power import plan
from tests.annotation.statistics.evaluation_data import JUDGES, RATED, arena, drawn, llmfao
from tests.annotation.statistics.simulated import Study, coverage, covers, false_decisions, mean_width, true_components
from tests.benchmarks.corpora import SHARED

ROUNDS = 1000
RATES = (0.5, 0.7, 0.95)
PAIRS = 100_000
Row = tuple[str, str, str]


def full(rounds: int = ROUNDS) -> Iterator[Row]:
    """The measurements that take minutes: coverage of intervals, false decisions, planned widths."""
    if (SHARED / "data" / "evaluation").is_dir():
        found = calibrated(rounds)
        yield f"PPI++ on arena votes covers, {len(found)} cells", spread(found), "93 to 97%"
        yield "clustered over independent errors, llmfao", f"{error_ratio():.2f} times", "1.2 to 1.4 times"
    cells = [Study(prompts, 30, rate) for prompts, rate in product((100, 300, 1000, 4000), RATES)]
    found = [coverage(cell, interval, rounds) for cell in cells]
    yield f"intervals of 30 raters cover, {len(found)} cells", spread(found), "92 to 98%, mean 94 to 96%"
    found = [coverage(cell, bootstrap, rounds) for cell in cells if cell.prompts < 4000]
    yield f"cluster bootstraps of 30 raters cover, {len(found)} cells", spread(found), ""
    few = [Study(*cell) for cell in product((100, 1000), (3, 4, 5, 6, 8), RATES)]
    found = [coverage(cell, interval, rounds) for cell in few]
    yield f"intervals of 3 to 8 raters cover, {len(found)} cells", spread(found), "at least 93%"
    for raters in (30, 8, 3):
        share = false_decisions(Study(400, raters, 0.5, fewest=3), rounds=2 * rounds, step=1)
        yield f"false decisions of {raters} raters under constant peeking", f"{share:.1%}", "5%"
    ratios = [planned(cell, rounds) for cell in few + cells if cell.prompts < 4000]
    yield "planned width over the simulated one", f"{min(ratios):.2f} to {max(ratios):.2f} times", "0.9 to 1.1 times"


def spread(shares: list[float]) -> str:
    return f"{min(shares):.1%} to {max(shares):.1%}, mean {np.mean(shares):.1%}"


def calibrated(rounds: int) -> list[float]:
    """How often PPI++ covers the human win rate, for each model and judge, with 300 human votes."""
    found = []
    for model, judge in product(RATED, JUDGES):
        human, judged = arena(SHARED, model, judge)
        draw = np.random.default_rng(0)
        rates = [drawn(human, judged, 300, draw).interval for _ in range(rounds)]
        found.append(float(np.mean([covers(each, float(human.mean())) for each in rates])))
    return found


def error_ratio() -> float:
    """The median over models of the standard error clustered by comparison over the independent one."""
    outcomes, comparison = llmfao(SHARED)
    found: list[Interval] = []
    for number, model in enumerate(outcomes.models):
        own = (outcomes.model_a == number) ^ (outcomes.model_b == number)
        found.append(interval(Ratio(*parts(outcomes.of_model(model).outcome, "half"), comparison[own])))
    return float(np.median([(each.error or 0.0) / (each.iid_error or 1.0) for each in found]))


def planned(study: Study, rounds: int) -> float:
    """The planned width over the mean width of simulated campaigns, from the true parts of the variance."""
    parts = true_components(study)
    votes = (min(study.fewest, study.raters) + min(study.most, study.raters)) / 2
    width = plan(study.rate, parts, study.prompts, study.raters, votes).width
    return width / mean_width(study, rounds)


def speed() -> Iterator[Row]:
    started = time.perf_counter()
    votes = judged_pairs(PAIRS)
    for model in votes.models:
        own = votes.of_model(model)
        ratio = Ratio(*parts(own.outcome, "half"), own.prompt, own.rater)
        bounds(own.outcome), interval(ratio), bootstrap(ratio), decide(ratio.numerator, ratio.prompt, ratio.rater)
    leaderboard(votes), leaderboard(votes, "davidson")
    one, two = (votes.of_model(model) for model in votes.models[:2])
    difference(*(Ratio(*parts(each.outcome, "half"), each.prompt, each.rater) for each in (one, two)))
    yield f"all statistics of {PAIRS:,} judged pairs", f"{time.perf_counter() - started:.1f} s", "10 s"


def judged_pairs(pairs: int, models: int = 20) -> Outcomes:
    draw = np.random.default_rng(0)
    first = draw.integers(0, models, pairs)
    second = (first + draw.integers(1, models, pairs)) % models
    won = draw.random(pairs) < 1 / (1 + np.exp((second - first) / 10))
    outcome = np.where(draw.random(pairs) < 0.2, "tie", np.where(won, "win", "loss"))
    columns = draw.integers(0, pairs // 3, pairs), draw.integers(0, 100, pairs), first, second
    return Outcomes.of(*(column.astype(str).tolist() for column in columns), outcome.tolist())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    table = Table("bar", "measured", "asked")
    for row in (*speed(), *full(asked.rounds)):
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
