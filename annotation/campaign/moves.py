"""What changes after a batch was made: tasks that pass to others, votes withdrawn, pairs for adjudication."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from annotation.campaign.assignment import spread
from annotation.campaign.pairing import seeded_key
from annotation.campaign.plan import gold_for, note_settings, task_rows
from annotation.campaign.settings import CampaignFolder
from annotation.journal.bodies import write
from annotation.journal.fold import Record, fold, pack
from annotation.journal.journal import Journal
from annotation.judgments.judge import judge
from schemas.errors import UserError

ADJUDICATED = ("unsafe_chosen", "tied", "no_majority")
"""Why a pair that has its votes is without a verdict: another person decides."""


@dataclass(frozen=True)
class Task:
    """A task without a vote that counts. ``state`` is that of ASSIGNMENTS; ``gold``: whether its pair is gold."""

    uid: str
    pair_id: str
    batch: str
    annotator: str
    state: str
    gold: bool


Moves = list[tuple[Task, str]]
"""Tasks and who gets each; empty: nobody."""


def withdraw(journal: Journal, person: str, *, undo: bool = False) -> None:
    """From now on no vote of this annotator counts; ``undo`` makes them count again. Nothing is deleted."""
    with journal.writing():
        record = fold(journal)
        name = _name(record, person)
        if (name in record.withdrawn) == undo:
            journal.append("withdrawn", name, write(not undo))


def reassign(folder: CampaignFolder, journal: Journal, giver: str | None = None, taker: str | None = None) -> int:
    """Passes on tasks without a vote that counts, and says how many.

    ``giver``: all of this person's, skipped ones and those whose votes are refused or withdrawn too; otherwise open
    ones of whoever has more to do than others. ``taker``: who gets them; otherwise whoever has the least to do. Nobody
    gets a pair twice. Pull first, so that votes are known. Raises UserError for people who are not in the campaign, or
    who cannot take tasks.
    """
    campaign = folder.campaign
    with journal.writing():
        note_settings(folder, journal)
        record = fold(journal)
        people = [record.annotators[person] for person in campaign.annotators]
        takers = [_name(record, taker)] if taker else [name for name in people if name not in record.withdrawn]
        if taker and takers[0] in record.withdrawn:
            raise UserError(f"the votes of {taker} are withdrawn: name somebody else, whose votes count")
        unfinished = _find_unfinished(journal, record)
        if giver:
            name = _name(record, giver)
            others = [each for each in takers if each != name]
            if not others:
                raise UserError(
                    f"{giver} has these tasks already: name two people"
                    if taker
                    else f"nobody can take the tasks of {giver}: there is nobody else whose votes count"
                )
            moves = _give(unfinished, name, others, record, campaign.seed)
            moves += [(task, "") for task in unfinished if moves and task.annotator == name and task.gold]
        else:
            waiting = [task for task in unfinished if task.state == "open" and not task.gold]
            moves = _level(waiting, takers, record, campaign.seed)
        _move(folder, journal, record, moves)
    return sum(bool(to) for _, to in moves)


def find_disputed(unresolved: pa.Table) -> list[str]:
    """Pairs of Resolution.unresolved for an adjudicator: no adjudicator has decided, or several disagree."""
    wanted = pc.is_in(unresolved["reason"], pa.array(ADJUDICATED))
    open_ = pc.or_(pc.invert(unresolved["adjudicated"]), pc.equal(unresolved["reason"], "tied"))
    ids: list[str] = unresolved["pair_id"].filter(pc.and_(wanted, open_)).to_pylist()
    return ids


def adjudicate(folder: CampaignFolder, journal: Journal, pairs: Iterable[str]) -> tuple[int, list[str]]:
    """Gives each pair to an adjudicator who was not asked about it, unless a current adjudicator has it open.

    Returns the number of new tasks, and the pairs for which nobody is left. Tasks that an adjudicator skipped, and open
    tasks of people who no longer adjudicate, go to another adjudicator. Raises UserError if the campaign has none.
    """
    campaign = folder.campaign
    if not campaign.adjudicators:
        raise UserError("campaign.toml names no adjudicators: add adjudicators = [...], one email address each")
    with journal.writing():
        note_settings(folder, journal)
        record = fold(journal)
        people = [record.annotators[person] for person in campaign.adjudicators]
        able = [name for name in people if name not in record.withdrawn]
        assignments, _, _ = judge(journal, record)
        waiting = pc.and_(pc.equal(assignments["round"], "adjudication"), pc.equal(assignments["state"], "open"))
        given_up = []
        under_way = set()
        for task in assignments.filter(waiting).select(["uid", "pair_id", "annotator"]).to_pylist():
            if task["annotator"] in able:
                under_way.add(task["pair_id"])
            else:
                given_up.append(task)
        wanted = sorted(set(pairs) - under_way)
        met = _collect_asked(record)
        secret = journal.campaign_id
        free = {pair: [name for name in able if (name, pair) not in met] for pair in wanted}
        stuck = [pair for pair in wanted if not free[pair]]
        batches = dict(zip(record.pairs["pair_id"].to_pylist(), record.pairs["batch"].to_pylist(), strict=True))
        given: dict[tuple[str, str], list[str]] = {}
        loads: Counter[str] = Counter()
        for pair in wanted:
            if free[pair]:
                [name] = spread([pair], free[pair], 1, campaign.seed, loads, lambda each: f"{secret} {each}")[pair]
                loads[name] += 1
                given.setdefault((batches[pair], name), []).append(pair)
        taken = {pair for each in given.values() for pair in each}
        journal.extend("dropped", ((task["uid"], b"null") for task in given_up if task["pair_id"] in taken))
        for (batch, name), each in sorted(given.items()):
            _append(journal, task_rows(journal, name, each, batch, "adjudication", record.pairs), batch)
    return len(taken), stuck


def _name(record: Record, person: str) -> str:
    name = record.annotators.get(person.lower())
    if name is None:
        known = ", ".join(record.annotators) or "nobody"
        raise UserError(f"{person} is not in this campaign: it knows {known}")
    return name


def _find_unfinished(journal: Journal, record: Record) -> list[Task]:
    """The tasks without a vote that counts, in a fixed order."""
    assignments, _, _ = judge(journal, record)
    gold = set(record.pairs.filter(pc.is_valid(record.pairs["gold"]))["pair_id"].to_pylist())
    waiting = pc.and_(pc.equal(assignments["round"], "vote"), pc.not_equal(assignments["state"], "done"))
    rows = assignments.filter(waiting).select(["uid", "pair_id", "batch", "annotator", "state"]).to_pylist()
    return [Task(**row, gold=row["pair_id"] in gold) for row in rows]


def _collect_asked(record: Record) -> set[tuple[str, str]]:
    """Who was asked about which pair, and was not relieved of it."""
    columns = (record.tasks[name].to_pylist() for name in ("uid", "annotator", "pair_id"))
    return {(annotator, pair) for uid, annotator, pair in zip(*columns, strict=True) if uid not in record.dropped}


def _give(tasks: Sequence[Task], giver: str, takers: Sequence[str], record: Record, seed: int) -> Moves:
    met, moves = _collect_asked(record), []
    load = Counter(task.annotator for task in tasks)
    for task in _in_order(tasks, seed):
        if task.annotator != giver or task.gold:
            continue
        free = [name for name in takers if (name, task.pair_id) not in met]
        if free:
            to = min(free, key=lambda name, uid=task.uid: (load[name], seeded_key(seed, uid, name)))  # type: ignore[misc]
            load[to] += 1
            met.add((to, task.pair_id))
            moves.append((task, to))
    return moves


def _level(tasks: Sequence[Task], takers: Sequence[str], record: Record, seed: int) -> Moves:
    """Moves from whoever has most to whoever has least, until they differ by one, or no pair can move."""
    met, moves = _collect_asked(record), []
    load = Counter(dict.fromkeys(takers, 0))
    load.update(task.annotator for task in tasks)
    left: dict[str, list[Task]] = {}
    for task in _in_order(tasks, seed):
        left.setdefault(task.annotator, []).append(task)
    while left:
        giver = max(left, key=lambda name: (load[name], name))
        task = left[giver].pop()  # what cannot move now cannot move later: loads have come closer
        if not left[giver]:
            del left[giver]
        free = [name for name in takers if (name, task.pair_id) not in met]
        to = min(free, key=lambda name, uid=task.uid: (load[name], seeded_key(seed, uid, name)), default=giver)  # type: ignore[misc]
        if load[to] + 1 < load[giver]:
            load[to] += 1
            load[giver] -= 1
            met.add((to, task.pair_id))
            moves.append((task, to))
    return moves


def _in_order(tasks: Sequence[Task], seed: int) -> list[Task]:
    return sorted(tasks, key=lambda task: seeded_key(seed, "move", task.uid))


def _move(folder: CampaignFolder, journal: Journal, record: Record, moves: Moves) -> None:
    journal.extend("dropped", ((task.uid, b"null") for task, _ in moves))
    given: dict[tuple[str, str], list[str]] = {}
    for task, to in moves:
        if to:
            given.setdefault((task.batch, to), []).append(task.pair_id)
    gold = record.pairs.filter(pc.is_valid(record.pairs["gold"]))
    tests: dict[str, list[str]] = {}
    for (batch, name), pairs in sorted(given.items()):
        extra = gold_for(name, len(pairs), batch, gold, record, folder, tests.get(name, []))
        tests.setdefault(name, []).extend(extra)
        since = f"/{len(record.dropped)}"
        rows = task_rows(journal, name, [*pairs, *extra], batch, "vote", record.pairs, since)
        _append(journal, rows, batch)


def _append(journal: Journal, rows: pa.Table, batch: str) -> None:
    for body in pack(rows):
        journal.append("tasks", batch, body)
