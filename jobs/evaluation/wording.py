"""Numbers of an evaluation as words, with their intervals."""

from collections.abc import Mapping

from annotation.dataset.markdown import count
from annotation.evaluation.calibration import WORTH
from annotation.evaluation.numbers import Number
from jobs.terminal import say

_COEFFICIENTS = ("AC1", "kappa with most votes", "mean rating", "mean grade")


def say_unanswered(prompts: Mapping[str, int]) -> None:
    """Prints how many prompts each model did not answer."""
    for model, number in sorted(prompts.items()):
        say(f"unanswered: {model} has no response to {count(number, 'prompt')}")


def percent(number: Number) -> str:
    """A share in percent, with its interval.

    >>> percent(Number(section="", source="", voters="", measure="", value=0.5, low=0.25, high=1.0, votes=3, method=""))
    '50.0% (25.0 to 100.0)'
    """
    if number.value is None:
        return "no verdict" if number.method == "no verdict" else "no votes"
    shown = f"{100 * number.value:.1f}%"
    if number.low is None or number.high is None:
        return shown
    return f"{shown} ({100 * number.low:.1f} to {100 * number.high:.1f})"


def plain(number: Number) -> str:
    """A number with two decimals, and its interval."""
    if number.value is None:
        return "no verdict" if number.method == "no verdict" else "-"
    return f"{number.value:.2f}" + ("" if number.low is None else f" ({number.low:.2f} to {number.high:.2f})")


def ranks(rank: Number) -> str:
    """A rank, with the best and the worst that it may be."""
    low, high = f"{rank.low:.0f}", f"{rank.high:.0f}"
    return f"rank {rank.value:.0f}" + (f" ({low} to {high})" if low != high else "")


def cell(number: Number, value: float | None) -> str:
    """A value of a number, such as a bound, in the form that its measure needs."""
    if value is None:
        return ""
    if number.measure == "rank":
        return f"{value:.0f}"
    if number.section == "imported_ratings":
        return f"{value:,.10g}"
    if number.measure == WORTH:
        return f"{value:,.1f}"
    if number.measure in _COEFFICIENTS:
        return f"{value:.2f}"
    if number.section == "leaderboard":
        return f"{value:+.2f}"
    return f"{100 * value:.1f}%"
