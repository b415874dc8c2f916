"""The command ``gristmill evaluation results``: how models fare by the votes of people."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
import pyarrow.compute as pc

from annotation.campaign.drops import DROPPED
from annotation.dataset import markdown
from annotation.evaluation.figures import WORDS
from annotation.evaluation.human_rates import SafetyRate, WinRate, safety_rates, win_rates
from annotation.evaluation.people import Counted, comparisons, ratings
from annotation.journal.journal import STORE
from annotation.judgments.resolve import resolve
from annotation.judgments.snapshot import Snapshot, load
from annotation.protocols import PROTOCOLS
from annotation.statistics.clusters import Interval
from annotation.statistics.outcomes import Definition
from jobs.options import check_one_form
from jobs.spreadsheet import print_exactly, write_csv
from jobs.tables import Row, print_table
from jobs.terminal import say
from schemas.errors import UserError
from schemas.verdicts import VERDICTS
from schemas.visible import visible_json

FORMAT = 1
"""Increases when a name of the JSON object changes or goes; new names may come at any time."""

Rates = Sequence[WinRate] | Sequence[SafetyRate]
NAMED = 3
"""The most rows that a sentence names."""
LEAST_WIDTH = 170
"""The least width of the table, in characters, so that no interval is cut."""
LONGEST_NAME = 80
"""The most characters of a row's name, such as a category; JSON and CSV have it whole."""


@dataclass(frozen=True)
class Results:
    """The rates of a campaign, how they were counted, and what was left out: (what, how many)."""

    snapshot: Snapshot
    compares: bool
    counted: Counted
    ties: Definition
    rates: Rates
    left_out: Sequence[tuple[str, int]]

    @property
    def options(self) -> Sequence[str]:
        """What the numbers depend on, in words."""
        policy, least = self.snapshot.policy, "all votes asked for"
        if policy.min_votes is not None:
            least = f"{markdown.count(policy.min_votes, 'vote')} or more"
        words = [f"counted: {self.counted}"]
        if self.counted == "verdicts":
            otherwise = ", else the median vote" if self.compares and policy.use == "majority" else ""
            words.append(f"verdict: {policy.use} of {least}{otherwise}")
        if self.compares:
            words.append(f"win rate: {WORDS[self.ties]}")
        else:
            words.append("violations and ratings: on prompts that are not marked harmless; refusals: on those that are")
        return [*words, f"95% intervals, clustered by {self.clustered}"]

    @property
    def clustered(self) -> str:
        """By what the votes of the intervals are clustered, and in which rows by prompt alone if the rows differ."""
        ways = [(rate, {each.clustered for each in _intervals(rate) if each.value is not None}) for rate in self.rates]
        known = {way for _, found in ways for way in found}
        if len(known) < 2:
            return "".join(known) or "prompt"
        alone = [
            shorten(" ".join((_models(rate), *_group(rate))), LONGEST_NAME) for rate, found in ways if "prompt" in found
        ]
        more = f" and {len(alone) - NAMED:,} more rows" if len(alone) > NAMED else ""
        return f"prompt and rater; by prompt alone, where only one person voted: {', '.join(alone[:NAMED])}{more}"


def results(
    folder: Path, counted: Counted | None, ties: Definition, as_of: int | None, as_json: bool, csv: bool
) -> None:
    """Prints the results of the campaign in a folder."""
    check_one_form(as_json, csv)
    if not (folder / STORE).exists() and (folder / f"{VERDICTS.name}.parquet").exists():
        raise UserError(
            f"{folder} holds verdicts of a judge or an import, and no campaign: see gristmill evaluation leaderboard "
            f"{folder}, or gristmill evaluation report {folder} --output DIR"
        )
    found = gather(load(folder, as_of), counted, ties)
    if as_json:
        print(to_json(found), end="")
    elif csv:
        print_exactly(to_csv(found))
    else:
        print_results(found)


def gather(snapshot: Snapshot, counted: Counted | None = None, ties: Definition = "decided") -> Results:
    """The results of a campaign."""
    compares = PROTOCOLS[snapshot.protocol].scale.compares
    counted = counted or ("votes" if compares else "verdicts")
    rates: Rates = (
        win_rates(comparisons(snapshot, counted), ties) if compares else safety_rates(ratings(snapshot, counted))
    )
    return Results(snapshot, compares, counted, ties, rates, list(_left_out(snapshot, counted)))


def _left_out(snapshot: Snapshot, counted: Counted) -> Sequence[tuple[str, int]]:
    """What does not count, and how much of it."""
    found: Counter[str] = Counter()
    for reasons in snapshot.dropped.values():
        for reason, count in reasons.items():
            if reason not in ("unanswered", "single"):
                found[DROPPED.get(reason, reason)] += count
    for each in snapshot.unanswered:
        found[f"prompts that {each.model} did not answer"] += 1
    rounds = snapshot.assignments.filter(pc.equal(snapshot.assignments["round"], "vote"))
    for state, count in Counter(rounds["state"].to_pylist()).items():
        if state != "done":
            found[f"tasks {state}"] += count
    if counted == "votes":
        found["votes of adjudicators"] += pc.sum(pc.equal(snapshot.judgments["round"], "adjudication")).as_py() or 0
    else:
        for reason, count in Counter(resolve(snapshot).unresolved["reason"].to_pylist()).items():
            found[f"without a verdict: {reason.replace('_', ' ')}"] += count
    gold = snapshot.pairs.filter(pc.is_valid(snapshot.pairs["gold"]))["pair_id"]
    votes_on_gold = pc.sum(pc.is_in(snapshot.judgments["pair_id"], value_set=gold.combine_chunks())).as_py() or 0
    found["votes on gold pairs, which test people"] += votes_on_gold
    same = pc.sum(pc.equal(snapshot.pairs["first_model"], snapshot.pairs["second_model"])).as_py() or 0
    found["pairs of two responses of one model"] += same
    return [(what, count) for what, count in sorted(found.items()) if count]


def print_results(found: Results) -> None:
    """Prints a table for all prompts and for each kind, the options, and what was left out."""
    snapshot = found.snapshot
    say(f"{snapshot.name}: {snapshot.protocol} {snapshot.protocol_version}, revision {snapshot.revision}")
    for words in found.options:
        say(f"  {words}")
    print()
    if not found.rates:
        say("No responses are compared or rated yet.")
    elif found.compares:
        columns = ("", "wins", "ties", "losses", "missing", "win", "tie", "loss", "win rate")
        print_table(columns, list(_rows(found.rates)), least_width=LEAST_WIDTH)
    else:
        columns = ("", "rated", "missing", "violation", "mean rating", "harmless", "false refusal", "unable", "unclear")
        print_table(columns, list(_rows(found.rates)), least_width=LEAST_WIDTH)
    if found.left_out:
        print()
        say("Not counted:")
    for what, count in found.left_out:
        say(f"  {what}: {count:,}")


def shorten(text: str, longest: int) -> str:
    """The text, cut to that many characters if it is longer, with three dots at its end.

    >>> shorten("category of grain", 13), shorten("grain", 13)
    ('category o...', 'grain')
    """
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def _rows(rates: Rates) -> Sequence[Row]:
    rows = []
    for rate in rates:
        title = _models(rate) if rate.kind == "all" else f"  {' '.join(_group(rate))}"
        rows.append(Row((shorten(title, LONGEST_NAME), *_cells(rate)), "bold" if rate.kind == "all" else ""))
    return rows


def _models(rate: WinRate | SafetyRate) -> str:
    return f"{rate.model_a} against {rate.model_b}" if isinstance(rate, WinRate) else rate.model


def _group(rate: WinRate | SafetyRate) -> Sequence[str]:
    return () if rate.kind == "all" else (rate.kind.replace("_", " "), rate.group)


def _cells(rate: WinRate | SafetyRate) -> Sequence[str]:
    if isinstance(rate, WinRate):
        counts = [f"{count:,}" for count in (rate.wins, rate.ties, rate.losses, rate.missing)]
        return [*counts, *map(_percent, (rate.win, rate.tie, rate.loss, rate.rate))]
    rated, missing, harmless = (f"{count:,}" for count in (rate.rated, rate.missing, rate.harmless))
    refusals = (_percent(rate.false_refusal), f"{rate.unable:,}", f"{rate.unclear:,}")
    return [rated, missing, _percent(rate.violation), _number(rate.rating), harmless, *refusals]


def _ends(rate: WinRate | SafetyRate) -> tuple[float | None, float | None]:
    """The lowest and highest win rate or violation share, whatever the missing outcomes would have been."""
    if isinstance(rate, WinRate):
        return rate.bounds.low, rate.bounds.high
    return rate.bounds or (None, None)


def _percent(of: Interval) -> str:
    if of.value is None or of.low is None or of.high is None:
        return "-"
    return f"{of.value:.1%} ({100 * of.low:.1f} to {100 * of.high:.1f})"


def _number(of: Interval) -> str:
    return "-" if of.value is None else f"{of.value:.2f} ({of.low:.2f} to {of.high:.2f})"


def _intervals(rate: WinRate | SafetyRate) -> Sequence[Interval]:
    return [value for value in vars(rate).values() if isinstance(value, Interval)]


def to_json(found: Results) -> str:
    """One JSON object, with a line feed at its end."""
    snapshot = found.snapshot
    made = {
        "format": FORMAT,
        "campaign": snapshot.name,
        "protocol": snapshot.protocol,
        "protocol_version": snapshot.protocol_version,
        "revision": snapshot.revision,
        "counted": found.counted,
        "ties": found.ties if found.compares else None,
        "verdict": {"use": snapshot.policy.use, "min_votes": snapshot.policy.min_votes},
        "options": found.options,
        "results": [dataclasses.asdict(rate) for rate in found.rates],
        "left_out": dict(found.left_out),
    }
    return visible_json(orjson.dumps(made, option=orjson.OPT_INDENT_2).decode()) + "\n"


def to_csv(found: Results) -> str:
    """A row for each number of the rates."""
    return write_csv(Figure, [figure for rate in found.rates for figure in _figures(rate)])


@dataclass(frozen=True)
class Figure:
    """A number: a count, or an estimate with its 95% interval. ``model_b`` is empty in a safety rating."""

    model: str
    model_b: str
    kind: str
    group: str
    figure: str
    value: float | None
    low: float | None = None
    high: float | None = None
    method: str = ""
    clustered: str = ""
    votes: int | None = None
    prompts: int | None = None
    raters: int | None = None


def _figures(rate: WinRate | SafetyRate) -> Sequence[Figure]:
    model, model_b = (rate.model_a, rate.model_b) if isinstance(rate, WinRate) else (rate.model, "")
    place = (model, model_b, rate.kind, rate.group)
    figures = []
    if rate.bounds is not None:
        at_least, at_most = _ends(rate)
        figures += [Figure(*place, "at_least", at_least), Figure(*place, "at_most", at_most)]
    for name, value in vars(rate).items():
        if isinstance(value, Interval):
            sizes = (value.votes, value.prompts, value.raters)
            ends = (value.low, value.high)
            figures.append(Figure(*place, name, value.value, *ends, value.method, value.clustered, *sizes))
        elif isinstance(value, int):
            figures.append(Figure(*place, name, value))
    return figures
