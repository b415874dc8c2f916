"""Changes a batch after it was made: passes tasks to other people, withdraws votes, sends pairs to adjudication."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from annotation.campaign.assignment import spread
from annotation.campaign.pairing import seeded_key
from annotation.campaign.plan import draw_gold, make_task_rows, record_changes
from annotation.campaign.settings import CampaignFolder
from annotation.journal.bodies import write
from annotation.journal.fold import Record, fold, pack
from annotation.journal.journal import Journal
from annotation.judgments.judge import judge
from schemas.errors import UserError

ADJUDICATED = ("unsafe_chosen", "tied", "no_majority")
"""The reasons of unresolved pairs that an adjudicator decides."""


@dataclass(frozen=True)
class Task:
    """A task without a vote that counts. ``state`` is from ASSIGNMENTS; ``gold``: whether the pair is a gold pair."""

    uid: str
    pair_id: str
    batch: str
    annotator: str
    state: str
    gold: bool


Moves = list[tuple[Task, str]]
"""(task, pseudonym of the person who gets it); an empty pseudonym means that nobody gets the task."""


def withdraw(journal: Journal, person: str, *, undo: bool = False) -> None:
    """Stops counting the past and future votes of a person; ``undo`` counts them again. Nothing is deleted."""
    with journal.writing():
        record = fold(journal)
        name = _pseudonym(record, person)
        if (name in record.withdrawn) == undo:
            journal.append("withdrawn", name, write(not undo))


def reassign(
    folder: CampaignFolder,
    journal: Journal,
    giver: str | None = None,
    taker: str | None = None,
    *,
    skipped: bool = False,
) -> int:
    """Passes tasks without a vote that counts to other people, and returns the number of these tasks.

    ``giver``: pass on all tasks of this person, also skipped tasks and tasks whose votes are refused or withdrawn; if
    None, pass on open tasks of the people who have the most. ``taker``: the person who gets the tasks; if None, the
    people who have the fewest. ``skipped``: pass on only tasks that their annotators skipped. Nobody gets a pair twice.
    Pull first, so that all votes are known. Raises UserError for a person who is not in the campaign or cannot take
    tasks, and if everybody was already asked about the pairs of ``giver``, or about the ``skipped`` pairs.
    """
    campaign = folder.campaign
    with journal.writing():
        record_changes(folder, journal)
        record = fold(journal)
        people = [record.annotators[person] for person in campaign.annotators]
        takers = [_pseudonym(record, taker)] if taker else people
        takers = [name for name in takers if name not in record.withdrawn]
        if taker and not takers:
            raise UserError(f"the votes of {taker} are withdrawn: name a person whose votes count")
        unfinished = _find_unfinished(journal, record)
        if giver:
            name = _pseudonym(record, giver)
            others = [other for other in takers if other != name]
            if not others:
                raise UserError(
                    f"{giver} cannot take their own tasks: name two different people"
                    if taker
                    else f"nobody can take the tasks of {giver}: no other annotator has votes that count"
                )
            own = [task for task in unfinished if task.annotator == name]
            own = [task for task in own if task.state == "skipped"] if skipped else own
            moves = _pass_on(own, unfinished, others, record, campaign.seed, ever=skipped)
            pairs = [task.pair_id for task in own if not task.gold]
            if pairs and not moves:
                raise UserError(
                    f"{taker or 'every other annotator'} was already asked about the unfinished pairs of {giver} (such "
                    f"as {pairs[0]}): add an annotator to {folder.path}/campaign.toml and repeat the command"
                )
            moves += [(task, "") for task in own if moves and task.gold and not skipped]
        elif skipped:
            given_up = [task for task in unfinished if task.state == "skipped" and not task.gold]
            moves = _pass_on(given_up, unfinished, takers, record, campaign.seed, ever=True)
            if given_up and not moves:
                raise UserError(
                    f"every annotator was already asked about the skipped pairs (such as {given_up[0].pair_id}): "
                    f"add an annotator to {folder.path}/campaign.toml and repeat the command"
                )
        else:
            waiting = [task for task in unfinished if task.state == "open" and not task.gold]
            moves = _even_out(waiting, takers, record, campaign.seed)
        _write_moves(folder, journal, record, moves)
    return sum(bool(name) for _, name in moves)


def find_disputed(unresolved: pa.Table) -> list[str]:
    """The unresolved pairs that need an adjudicator: no adjudicator has decided yet, or several disagree.

    ``unresolved`` is the table of a Resolution.
    """
    wanted = pc.is_in(unresolved["reason"], pa.array(ADJUDICATED))
    open_ = pc.or_(pc.invert(unresolved["adjudicated"]), pc.equal(unresolved["reason"], "tied"))
    ids: list[str] = unresolved["pair_id"].filter(pc.and_(wanted, open_)).to_pylist()
    return ids


def adjudicate(folder: CampaignFolder, journal: Journal, pairs: Iterable[str]) -> tuple[int, list[str]]:
    """Gives each pair to an adjudicator who was not asked about it yet, unless a current adjudicator has it open.

    Returns the number of new tasks, and the pairs for which no adjudicator is left. Tasks that an adjudicator skipped,
    and open tasks of people who no longer adjudicate, go to another adjudicator. Raises UserError if the campaign has
    no adjudicators.
    """
    campaign = folder.campaign
    if not campaign.adjudicators:
        raise UserError("campaign.toml names no adjudicators: add adjudicators = [...] with their email addresses")
    with journal.writing():
        record_changes(folder, journal)
        record = fold(journal)
        people = [record.annotators[person] for person in campaign.adjudicators]
        able = [name for name in people if name not in record.withdrawn]
        assignments = judge(journal, record).assignments
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
                [name] = spread([pair], free[pair], 1, campaign.seed, loads, lambda pair: f"{secret} {pair}")[pair]
                loads[name] += 1
                given.setdefault((batches[pair], name), []).append(pair)
        taken = {pair for group in given.values() for pair in group}
        journal.extend("dropped", ((task["uid"], b"null") for task in given_up if task["pair_id"] in taken))
        for (batch, name), group in sorted(given.items()):
            _append_tasks(journal, make_task_rows(journal, name, group, batch, "adjudication", record.pairs), batch)
    return len(taken), stuck


def _pseudonym(record: Record, person: str) -> str:
    """The pseudonym of a person, who is named by email address or, if it was erased, by the pseudonym itself."""
    if person in record.erased:
        return person
    name = record.annotators.get(person.lower())
    if name is None:
        known = ", ".join(record.emails.values()) or "nobody"
        erased = f"; name a person whose address was erased as {' or '.join(record.erased)}" if record.erased else ""
        raise UserError(f"{person} is not in this campaign, which has {known}{erased}")
    return name


def _find_unfinished(journal: Journal, record: Record) -> list[Task]:
    """The tasks without a vote that counts, in the order of ASSIGNMENTS."""
    assignments = judge(journal, record).assignments
    gold = set(record.pairs.filter(pc.is_valid(record.pairs["gold"]))["pair_id"].to_pylist())
    waiting = pc.and_(pc.equal(assignments["round"], "vote"), pc.not_equal(assignments["state"], "done"))
    rows = assignments.filter(waiting).select(["uid", "pair_id", "batch", "annotator", "state"]).to_pylist()
    return [Task(**row, gold=row["pair_id"] in gold) for row in rows]


def _collect_asked(record: Record, *, ever: bool = False) -> set[tuple[str, str]]:
    """(annotator, pair) of each task that was not taken back; with ``ever``, also of tasks that were taken back."""
    columns = (record.tasks[name].to_pylist() for name in ("uid", "annotator", "pair_id"))
    tasks = zip(*columns, strict=True)
    return {(annotator, pair) for uid, annotator, pair in tasks if ever or uid not in record.dropped}


def _pass_on(
    tasks: Sequence[Task], unfinished: Sequence[Task], takers: Sequence[str], record: Record, seed: int, *, ever: bool
) -> Moves:
    """Gives ``tasks``, apart from gold pairs, to the takers with the fewest ``unfinished`` tasks.

    With ``ever``, nobody gets a pair that was taken back from them: they may have skipped it.
    """
    met, moves = _collect_asked(record, ever=ever), []
    load = Counter(task.annotator for task in unfinished)
    for task in _shuffle_tasks(tasks, seed):
        if task.gold:
            continue
        free = [name for name in takers if (name, task.pair_id) not in met]
        if free:
            to = min(free, key=lambda name, uid=task.uid: (load[name], seeded_key(seed, uid, name)))  # type: ignore[misc]
            load[to] += 1
            met.add((to, task.pair_id))
            moves.append((task, to))
    return moves


def _even_out(tasks: Sequence[Task], takers: Sequence[str], record: Record, seed: int) -> Moves:
    """Moves tasks from the person with most to the person with fewest, until they differ by one or no task can move."""
    met, moves = _collect_asked(record), []
    load = Counter(dict.fromkeys(takers, 0))
    load.update(task.annotator for task in tasks)
    left: dict[str, list[Task]] = {}
    for task in _shuffle_tasks(tasks, seed):
        left.setdefault(task.annotator, []).append(task)
    while left:
        giver = max(left, key=lambda name: (load[name], name))
        task = left[giver].pop()  # if a task cannot move now, it cannot move later, when the loads are closer
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


def _shuffle_tasks(tasks: Sequence[Task], seed: int) -> list[Task]:
    return sorted(tasks, key=lambda task: seeded_key(seed, "move", task.uid))


def _write_moves(folder: CampaignFolder, journal: Journal, record: Record, moves: Moves) -> None:
    journal.extend("dropped", ((task.uid, b"null") for task, _ in moves))
    given: dict[tuple[str, str], list[str]] = {}
    for task, to in moves:
        if to:
            given.setdefault((task.batch, to), []).append(task.pair_id)
    gold = record.pairs.filter(pc.is_valid(record.pairs["gold"]))
    new_gold: dict[str, list[str]] = {}
    for (batch, name), pairs in sorted(given.items()):
        extra = draw_gold(name, len(pairs), batch, gold, record, folder, new_gold.get(name, []))
        new_gold.setdefault(name, []).extend(extra)
        since = f"/{len(record.dropped)}"
        rows = make_task_rows(journal, name, [*pairs, *extra], batch, "vote", record.pairs, since)
        _append_tasks(journal, rows, batch)


def _append_tasks(journal: Journal, rows: pa.Table, batch: str) -> None:
    for body in pack(rows):
        journal.append("tasks", batch, body)
