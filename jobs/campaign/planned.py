"""Prints what a batch holds, and what it leaves out."""

from collections import Counter

from annotation.campaign.drops import DROPPED
from annotation.campaign.plan import Planned
from annotation.campaign.settings import CampaignFolder
from annotation.dataset import markdown
from annotation.protocols import PROTOCOLS
from jobs.terminal import say

SHOWN_PROBLEMS = 10


def print_dropped(at: CampaignFolder, planned: Planned) -> None:
    """Prints the number of everything that the batch leaves out, with the reason, and the first of its problems."""
    if planned.dropped:
        say(f"batch {at.campaign.batch} leaves out:")
    for reason, words in DROPPED.items():
        if planned.dropped.get(reason):
            say(f"  {words}: {planned.dropped[reason]:,}")
    kinds = Counter(problem.reason for problem in planned.problems)
    for reason, count in sorted(kinds.items()):
        some = [problem for problem in planned.problems if problem.reason == reason][:SHOWN_PROBLEMS]
        for problem in some:
            say(f"  {problem.where}: {problem.message}", err=True)
        if count > len(some):
            say(f"  ... and {count - len(some):,} more ({reason})", err=True)


def print_planned(at: CampaignFolder, planned: Planned, *, dry: bool = False) -> None:
    """Prints the numbers of pairs and tasks of the batch. ``dry``: the batch was only rehearsed."""
    campaign = at.campaign
    made = ("would be made" if dry else "made") if planned.new else "is unchanged"
    unit = PROTOCOLS[campaign.protocol].scale.unit
    with_gold = f" and {markdown.count(planned.gold, 'gold pair')}" if planned.gold else ""
    say(
        f"batch {campaign.batch} {made}: {markdown.count(planned.pairs, unit)}{with_gold}, "
        f"{campaign.votes} votes each, {markdown.count(planned.tasks, 'task')}"
    )
    if not planned.new:
        for reason, count in planned.dropped.items():
            say(f"  left out: {DROPPED.get(reason, reason)}: {count:,}")
    for person in planned.without_tasks:
        say(
            f"  {person} joined after the batch was made and has no tasks: "
            f"gristmill campaign reassign {at.path} --to {person}"
        )
