"""Makes a batch: pairs and tasks, decided once and written into the journal. Label Studio is not involved."""

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from annotation.campaign import responses
from annotation.campaign.assignment import choose_swaps, gold_share, shuffle, spread
from annotation.campaign.pairing import Pair, blind_key, pair, pair_id, seeded_key, whole_name
from annotation.campaign.responses import GoldPair, Problem, Prompt, Response, read_gold, read_prompts
from annotation.campaign.settings import CampaignFolder
from annotation.campaign.split import Families, Placed, assign_splits, prompt_text
from annotation.campaign.tasks import shown_digest, task_data, task_uid
from annotation.journal.bodies import Asked, Batch, Counted, PairsAsked, Resolving, Settings, read, write
from annotation.journal.fold import TASKS, Record, fold, pack, record_settings
from annotation.journal.journal import Journal
from annotation.protocols import PROTOCOLS, Page
from schemas import PAIRS
from schemas.errors import UserError


@dataclass
class Planned:
    """What `plan` read and decided. ``new``: whether this call made the batch."""

    new: bool
    pairs: int = 0
    gold: int = 0
    tasks: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    without_tasks: list[str] = field(default_factory=list)
    """People who have no task in this batch: they joined after it was made."""


def page_of(folder: CampaignFolder) -> Page:
    campaign = folder.campaign
    return PROTOCOLS[campaign.protocol].page(folder.guidelines(), campaign.risk_categories)


def version_of(folder: CampaignFolder) -> str:
    """The version of what annotators see: the protocol's, a dot, the campaign's."""
    campaign = folder.campaign
    return f"{PROTOCOLS[campaign.protocol].version}.{campaign.version}"


def note_settings(folder: CampaignFolder, journal: Journal) -> None:
    """Appends changed settings and new people to the journal; each new person gets the next pseudonym.

    Raises UserError if the campaign has another name or protocol than before.
    """
    _refuse_other_campaign(folder, journal)
    campaign = folder.campaign
    settings = Settings(
        name=campaign.name,
        protocol=campaign.protocol,
        protocol_version=version_of(folder),
        votes=campaign.votes,
        resolve=Resolving(campaign.resolve.use, campaign.resolve.min_votes),
        toml=folder.text,
        guidelines=folder.guidelines(),
    )
    with journal.writing():
        record_settings(journal, settings)
        known = {key for _, key, _ in journal.rows("annotator")}
        for person in (*campaign.annotators, *campaign.adjudicators):
            if person not in known:
                known.add(person)
                journal.append("annotator", person, write(f"{campaign.name}/a{len(known)}"))


def _refuse_other_campaign(folder: CampaignFolder, journal: Journal) -> None:
    body = journal.newest_body("settings", "settings")
    known = read(Settings, body, f"{journal.path}: the row settings") if body else None
    for name in ("name", "protocol") if known else ():
        before = getattr(known, name)
        if getattr(folder.campaign, name) != before:
            raise UserError(
                f"the campaign in {folder.path} began with the {name} {before!r}: change campaign.toml back, or "
                "make another folder for another campaign"
            )


def plan(folder: CampaignFolder, journal: Journal, families: Families) -> Planned:
    """Makes the batch that campaign.toml names, or reads it if it exists.

    Raises UserError if the batch exists and what its annotators see, or how it was drawn, has changed.
    """
    campaign = folder.campaign
    with journal.writing():
        note_settings(folder, journal)
        record = fold(journal)
        page = page_of(folder)
        asked = _ask(folder)
        _refuse_changes(campaign.batch, asked, record)
        if campaign.batch not in record.batches:
            planned = _make(folder, journal, record, page, asked, families)
        else:
            planned = Planned(new=False, **vars(record.batches[campaign.batch].counted))
        mine = fold(journal).tasks
        have = set(mine.filter(pc.equal(mine["batch"], campaign.batch))["annotator"].to_pylist())
        busy = have | record.withdrawn
        planned.without_tasks = [person for person in campaign.annotators if record.annotators[person] not in busy]
    return planned


def _ask(folder: CampaignFolder) -> Asked:
    campaign, gold = folder.campaign, folder.campaign.gold
    return Asked(
        protocol=campaign.protocol,
        version=campaign.version,
        guidelines=hashlib.sha256(folder.guidelines().encode()).hexdigest(),
        categories=tuple(campaign.categories.items()),
        votes=campaign.votes,
        responses=responses.digest(folder.file(campaign.responses)),
        gold=(responses.digest(folder.file(gold.file)), gold.share) if gold else None,
        pairs=PairsAsked(**dataclasses.asdict(campaign.pairs)),
        seed=campaign.seed,
    )


def _refuse_changes(batch: str, asked: Asked, record: Record) -> None:
    known = record.batches.get(batch)
    if known:
        changed = [name for name, value in vars(asked).items() if getattr(known.asked, name) != value]
        seen = [name for name in ("guidelines", "categories") if name in changed]
        if seen and "version" not in changed:
            raise UserError(
                f"the {' and '.join(seen)} changed after batch {batch} was made, whose annotators keep what they were "
                "asked: change them back, or give campaign.toml a higher version and a new batch"
            )
        if changed:
            what = " and ".join(changed)
            raise UserError(f"batch {batch} was made with other {what}: change campaign.toml back, or name a new batch")
        return
    for name, other in record.batches.items():
        seen = [each for each in ("guidelines", "categories") if getattr(other.asked, each) != getattr(asked, each)]
        if seen and other.asked.version == asked.version:
            newest = max(each.asked.version for each in record.batches.values())
            raise UserError(
                f"the {' and '.join(seen)} changed after batch {name}: give campaign.toml the version {newest + 1}"
            )


def _make(
    folder: CampaignFolder, journal: Journal, record: Record, page: Page, asked: Asked, families: Families
) -> Planned:
    campaign = folder.campaign
    if campaign.votes > len(campaign.annotators):
        raise UserError(
            f"votes is {campaign.votes} and annotators names {len(campaign.annotators)}: "
            "each vote on a pair comes from another annotator, so ask for as many as there are, or fewer"
        )
    _refuse_withdrawn(folder, record)
    prompts, problems = read_prompts(folder.file(campaign.responses))
    models = {each.model for prompt in prompts for each in prompt.responses}
    _refuse_model_names(folder, models)
    _refuse_unknown_models(folder, models)
    paired = pair(prompts, campaign.pairs, campaign.seed)
    earlier = set(record.pairs["pair_id"].to_pylist())
    fresh = [each for each in paired.pairs if each.pair_id not in earlier]
    paired.counts["in_an_earlier_batch"] += len(paired.pairs) - len(fresh)
    paired.counts["paired"] = len(fresh)
    if not fresh:
        ways = "give prompts responses that were not compared before"
        if problems:
            first = f"{problems[0].where}: {problems[0].message}"
            ways = f"put its unusable rows right ({len(problems):,}; the first is {first}), or {ways}"
        raise UserError(
            f"{campaign.responses} gives no new pair for batch {campaign.batch} "
            f"({_list_counts(paired.counts) or 'no prompts'}): {ways}"
        )
    gold: list[GoldPair] = []
    if campaign.gold:
        gold, unusable = read_gold(folder.file(campaign.gold.file))
        problems += unusable
    table = _pair_rows(fresh, record, families, folder)
    gold_table = _gold_rows(gold, record, folder, problems)
    people = {person: record.annotators[person] for person in campaign.annotators}
    keys = {each.pair_id: blind_key(each) for each in fresh}
    assigned = spread(keys, list(people.values()), campaign.votes, campaign.seed, drawn_by=keys.__getitem__)
    given = {name: sorted(pair for pair, names in assigned.items() if name in names) for name in people.values()}
    golden = {
        name: gold_for(name, len(pairs), campaign.batch, gold_table, record, folder) for name, pairs in given.items()
    }
    used = pa.array(sorted({pair for pairs in golden.values() for pair in pairs}), pa.string())
    gold_table = gold_table.filter(pc.is_in(gold_table["pair_id"], used))
    new_gold = gold_table.filter(pc.invert(pc.is_in(gold_table["pair_id"], pa.array(sorted(earlier), pa.string()))))
    everything = pa.concat_tables([table, gold_table])
    tasks = [
        task_rows(journal, name, (*given[name], *golden[name]), campaign.batch, "vote", everything)
        for name in people.values()
    ]
    for body in pack(pa.concat_tables([table, new_gold])):
        journal.append("pairs", campaign.batch, body)
    for body in pack(pa.concat_tables(tasks)):
        journal.append("tasks", campaign.batch, body)
    total = sum(each.num_rows for each in tasks)
    counted = Counted(table.num_rows, len(used), total)
    journal.append("batch", campaign.batch, write(Batch(asked, counted, page, campaign.categories)))
    return Planned(new=True, **vars(counted), counts=paired.counts, problems=problems + paired.problems)


def task_rows(
    journal: Journal,
    annotator: str,
    pairs: Iterable[str],
    batch: str,
    round_: str,
    table: pa.Table,
    since: str = "",
) -> pa.Table:
    """The tasks of one annotator in the order in which they are shown, with the side of each response; the
    campaign's secret decides both.

    ``table`` holds the PAIRS rows of ``pairs``; ``since`` gives tasks that somebody gets later other uids.
    """
    strata, secret = _strata(table), journal.campaign_id
    asked = {task_uid(secret, batch, round_ + since, annotator, each): each for each in pairs}
    right = choose_swaps({uid: strata[each] for uid, each in asked.items()}, secret)
    order = shuffle(asked, secret)
    columns: dict[str, Any] = {
        "uid": order,
        "pair_id": [asked[uid] for uid in order],
        "batch": [batch] * len(order),
        "annotator": [annotator] * len(order),
        "round": [round_] * len(order),
        "swapped": [right[uid] for uid in order],
    }
    rows = pa.table(columns, schema=pa.schema([TASKS.field(name) for name in columns]))
    digests = [shown_digest(data) for data in task_data(rows, table)]
    return rows.append_column(TASKS.field("shown"), pa.array(digests, TASKS.field("shown").type))


def _strata(table: pa.Table) -> dict[str, str]:
    columns = (table[name].to_pylist() for name in ("pair_id", "first_model", "second_model"))
    return {each: f"{first or ''}\0{second or ''}" for each, first, second in zip(*columns, strict=True)}


def _pair_rows(fresh: Sequence[Pair], record: Record, families: Families, folder: CampaignFolder) -> pa.Table:
    campaign = folder.campaign
    texts = {each.prompt.prompt_id: prompt_text(each.prompt.messages) for each in fresh}
    weights = Counter(each.prompt.prompt_id for each in fresh)
    splits = assign_splits(texts, weights, _list_placed(record), families, campaign.seed)
    rows = [
        {
            **_row(each.pair_id, each.prompt, each.first, each.second, folder),
            "gold": None,
            "split": splits[each.prompt.prompt_id],
        }
        for each in fresh
    ]
    return pa.Table.from_pylist(rows, PAIRS.schema)


def _list_placed(record: Record) -> list[Placed]:
    seen = {}
    judged = record.pairs.filter(pc.is_null(record.pairs["gold"]))
    for row in judged.select(["prompt", "split"]).to_pylist():
        text = prompt_text(tuple((turn["role"], turn["content"]) for turn in row["prompt"]))
        seen[text, row["split"]] = Placed(text, row["split"])
    return list(seen.values())


def _gold_rows(gold: Sequence[GoldPair], record: Record, folder: CampaignFolder, problems: list[Problem]) -> pa.Table:
    """Rows of gold pairs, without those whose answer differs from an earlier batch, which tested annotators by it."""
    known = dict(zip(record.pairs["pair_id"].to_pylist(), record.pairs["gold"].to_pylist(), strict=True))
    rows = []
    for each in gold:
        texts = [each.chosen, each.rejected]
        texts.sort(key=lambda text: seeded_key(0, "gold", text))  # the same in each batch, whatever its seed
        first, second = (Response("", None, text) for text in texts)
        prompt = Prompt(each.prompt_id, each.messages, ())
        row = _row(pair_id(prompt, first, second), prompt, first, second, folder)
        answer = "first" if texts[0] == each.chosen else "second"
        if known.get(row["pair_id"], answer) != answer:
            message = "an earlier batch has this gold pair with the other answer: change its texts, or leave it out"
            problems.append(Problem(f"gold prompt {each.prompt_id}", "gold_changed", message))
            continue
        rows.append({**row, "first_model": None, "second_model": None, "gold": answer, "split": None})
    return pa.Table.from_pylist(rows, PAIRS.schema)


def _row(pair_id: str, prompt: Prompt, first: Response, second: Response, folder: CampaignFolder) -> dict[str, Any]:
    campaign = folder.campaign
    return {
        "pair_id": pair_id,
        "batch": campaign.batch,
        "prompt_id": prompt.prompt_id,
        "prompt": [{"role": role, "content": content} for role, content in prompt.messages],
        "first": first.text,
        "second": second.text,
        "first_model": first.model,
        "second_model": second.model,
        "first_temperature": first.temperature,
        "second_temperature": second.temperature,
        "protocol": campaign.protocol,
        "protocol_version": version_of(folder),
        "votes": campaign.votes,
    }


def gold_for(
    annotator: str,
    tasks: int,
    batch: str,
    gold: pa.Table,
    record: Record,
    folder: CampaignFolder,
    besides: Iterable[str] = (),
) -> list[str]:
    """Gold pairs that this annotator has not met yet, drawn by the seed; their number follows from ``tasks``.

    ``besides``: pairs that the annotator gets at the same time.
    """
    campaign = folder.campaign
    if not campaign.gold or not gold.num_rows:
        return []
    met = record.tasks.filter(pc.equal(record.tasks["annotator"], annotator))
    left = sorted(set(gold["pair_id"].to_pylist()) - set(met["pair_id"].to_pylist()) - set(besides))
    left.sort(key=lambda each: seeded_key(campaign.seed, "gold", batch, annotator, each))
    return left[: gold_share(tasks, campaign.gold.share, len(left))]


def _refuse_withdrawn(folder: CampaignFolder, record: Record) -> None:
    """Raises UserError if the new batch would give tasks to somebody whose votes do not count."""
    for person in folder.campaign.annotators:
        if record.annotators[person] in record.withdrawn:
            raise UserError(
                f"the votes of {person} are withdrawn: take them out of annotators in campaign.toml for a new batch, "
                "or let their votes count again (gristmill campaign withdraw --undo)"
            )


def _refuse_unknown_models(folder: CampaignFolder, models: set[str]) -> None:
    pairs = folder.campaign.pairs
    if pairs.policy == "new_vs_previous":
        for name, model in (("new", pairs.new), ("previous", pairs.previous)):
            if model not in models:
                raise UserError(
                    f"pairs.{name} is {model!r}, and {folder.campaign.responses} has no response of that model: "
                    f"choose from {', '.join(sorted(models)) or 'none'}"
                )


def _refuse_model_names(folder: CampaignFolder, models: set[str]) -> None:
    """Raises UserError if a text that annotators can read, apart from the responses, names a model."""
    campaign = folder.campaign
    seen = {
        f"the file {campaign.guidelines}": folder.guidelines(),
        "the campaign's name": campaign.name,
        "the batch's name": campaign.batch,
        "a risk category": " ".join(f"{name} {title}" for name, title in campaign.categories.items()),
    }
    for where, text in seen.items():
        named = sorted(model for model in models if whole_name(model).search(text))
        if named:
            raise UserError(f"{where} holds {named[0]!r}, the name of a model: annotators would read it, so change it")


def _list_counts(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(counts.items()) if count)
