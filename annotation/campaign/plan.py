"""Makes a batch: draws pairs and tasks once, and writes them into the journal. Label Studio is not involved."""

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from annotation.campaign.assignment import choose_swaps, gold_share, shuffle, spread
from annotation.campaign.changes import refuse_changes
from annotation.campaign.drawing import draw_prompts
from annotation.campaign.drops import count_drops
from annotation.campaign.facts import known_facts
from annotation.campaign.pairing import Pair, blind_key, make_pairs, make_singles, pair_id, seeded_key, whole_name
from annotation.campaign.responses import GoldPair, Problem, Prompt, Response, read_gold, read_prompts
from annotation.campaign.settings import CampaignFolder
from annotation.campaign.split import Families, OldPrompt, assign_splits, prompt_text
from annotation.campaign.tasks import shown_digest, task_data, task_uid
from annotation.campaign.unanswered import list_unanswered, name_unanswered
from annotation.journal.bodies import Asked, Batch, Counted, PairsAsked, Resolving, Settings, read, write
from annotation.journal.fold import TASKS, Record, fold, pack, record_settings
from annotation.journal.journal import Journal
from annotation.protocols import PROTOCOLS, Page
from annotation.rows.reading import digest
from schemas import PAIRS
from schemas.errors import UserError


@dataclass
class Planned:
    """The result of `plan`. ``new``: whether this call made the batch."""

    new: bool
    pairs: int = 0
    gold: int = 0
    tasks: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    """What the batch leaves out of its files, by reason of DROPPED of `drops`."""
    problems: list[Problem] = field(default_factory=list)
    without_tasks: list[str] = field(default_factory=list)
    """Annotators without a task in this batch, since they joined after it was made."""


def page_of(folder: CampaignFolder) -> Page:
    campaign = folder.campaign
    return PROTOCOLS[campaign.protocol].page(folder.guidelines(), campaign.risk_categories)


def version_of(folder: CampaignFolder) -> str:
    """The version of the page that annotators see: the protocol's version, a dot, and the campaign's."""
    campaign = folder.campaign
    return f"{PROTOCOLS[campaign.protocol].version}.{campaign.version}"


def record_changes(folder: CampaignFolder, journal: Journal) -> None:
    """Appends changed settings and new people to the journal; each new person gets the next pseudonym.

    Raises UserError if the campaign's name or protocol has changed.
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
                f"the {name} of the campaign in {folder.path} was {before!r} at first: change campaign.toml back, or "
                "make a new folder for another campaign"
            )


def _say_nothing(planned: Planned) -> None:
    pass


def plan(
    folder: CampaignFolder,
    journal: Journal,
    families: Families,
    announce: Callable[[Planned], None] = _say_nothing,
) -> Planned:
    """Makes the batch that campaign.toml names, or reads it if it exists.

    ``announce`` is called before a new batch is written, so that the user learns first what the batch leaves out.
    Raises UserError if the batch exists and the settings or files behind it have changed since.
    """
    campaign = folder.campaign
    with journal.writing():
        record_changes(folder, journal)
        record = fold(journal)
        page = page_of(folder)
        asked = _describe_batch(folder)
        refuse_changes(folder.path, campaign.batch, asked, record)
        if campaign.batch not in record.batches:
            planned = _make_batch(folder, journal, record, page, asked, families, announce)
        else:
            known = record.batches[campaign.batch]
            planned = Planned(new=False, **vars(known.counted), dropped=known.dropped)
        tasks = fold(journal).tasks
        served = {*tasks.filter(pc.equal(tasks["batch"], campaign.batch))["annotator"].to_pylist(), *record.withdrawn}
        planned.without_tasks = [person for person in campaign.annotators if record.annotators[person] not in served]
    return planned


def _describe_batch(folder: CampaignFolder) -> Asked:
    campaign, gold = folder.campaign, folder.campaign.gold
    return Asked(
        protocol=campaign.protocol,
        version=campaign.version,
        guidelines=hashlib.sha256(folder.guidelines().encode()).hexdigest(),
        categories=tuple(campaign.categories.items()),
        votes=campaign.votes,
        responses=digest(folder.file(campaign.responses)),
        gold=(digest(folder.file(gold.file)), gold.share) if gold else None,
        pairs=PairsAsked(**dataclasses.asdict(campaign.pairs)),
        seed=campaign.seed,
        harmless=campaign.harmless,
    )


def _make_batch(
    folder: CampaignFolder,
    journal: Journal,
    record: Record,
    page: Page,
    asked: Asked,
    families: Families,
    announce: Callable[[Planned], None],
) -> Planned:
    campaign = folder.campaign
    if campaign.votes > len(campaign.annotators):
        raise UserError(
            f"votes is {campaign.votes} and annotators names {len(campaign.annotators)}: "
            "each vote on a pair comes from a different annotator, so lower votes or add annotators"
        )
    _refuse_withdrawn(folder, record)
    protocol = PROTOCOLS[campaign.protocol]
    prompts, problems = read_prompts(folder.file(campaign.responses), measures=not protocol.trains)
    models = {response.model for prompt in prompts for response in prompt.responses}
    check_shown_texts(folder, models)
    _refuse_unknown_models(folder, models)
    drawn = draw_prompts(prompts, campaign)
    not_drawn, prompts = len(prompts) - len(drawn), drawn
    unanswered = () if protocol.trains else list_unanswered(prompts, campaign.pairs, campaign.harmless)
    paired = (
        make_pairs(prompts, campaign.pairs, campaign.seed)
        if protocol.scale.compares
        else make_singles(prompts, campaign.pairs)
    )
    if not protocol.trains:
        name_unanswered(paired, unanswered)
    paired.counts["prompt_not_drawn"] = not_drawn
    earlier = set(record.pairs["pair_id"].to_pylist())
    fresh = [pair for pair in paired.pairs if pair.pair_id not in earlier]
    paired.counts["in_an_earlier_batch"] += len(paired.pairs) - len(fresh)
    paired.counts["paired"] = len(fresh)
    if not fresh:
        ways = "add responses that were not compared before"
        if problems:
            first = f"{problems[0].where}: {problems[0].message}"
            ways = f"correct its invalid rows ({len(problems):,}; the first is {first}), or {ways}"
        raise UserError(
            f"{campaign.responses} gives no new {protocol.scale.unit} for batch {campaign.batch} "
            f"({_list_counts(paired.counts) or 'no prompts'}): {ways}"
        )
    gold: list[GoldPair] = []
    gold_problems: list[Problem] = []
    if campaign.gold:
        gold, gold_problems = read_gold(folder.file(campaign.gold.file))
    table = _pair_rows(fresh, record, families, folder)
    gold_table = _gold_rows(gold, record, folder, gold_problems)
    if campaign.pairs.self_naming == "keep":
        del paired.counts["names_its_model"]
    dropped = count_drops(paired.counts, len(problems), gold, gold_problems)
    people = {person: record.annotators[person] for person in campaign.annotators}
    keys = {pair.pair_id: blind_key(pair) for pair in fresh}
    assigned = spread(keys, list(people.values()), campaign.votes, campaign.seed, drawn_by=keys.__getitem__)
    given = {name: sorted(pair for pair, names in assigned.items() if name in names) for name in people.values()}
    golden = {
        name: draw_gold(name, len(pairs), campaign.batch, gold_table, record, folder) for name, pairs in given.items()
    }
    used = pa.array(sorted({pair for pairs in golden.values() for pair in pairs}), pa.string())
    dropped["gold_not_drawn"] = len(gold_table) - len(used)
    share = campaign.gold.share if campaign.gold else 0
    wanted = sum(gold_share(len(pairs), share, len(pairs)) for pairs in given.values())
    dropped["gold_missing"] = wanted - sum(map(len, golden.values()))
    gold_table = gold_table.filter(pc.is_in(gold_table["pair_id"], used))
    new_gold = gold_table.filter(pc.invert(pc.is_in(gold_table["pair_id"], pa.array(sorted(earlier), pa.string()))))
    everything = pa.concat_tables([table, gold_table])
    tasks = [
        make_task_rows(journal, name, (*given[name], *golden[name]), campaign.batch, "vote", everything)
        for name in people.values()
    ]
    counted = Counted(table.num_rows, len(used), sum(rows.num_rows for rows in tasks))
    left_out = {reason: count for reason, count in sorted(dropped.items()) if count}
    every = problems + gold_problems + paired.problems
    planned = Planned(new=True, **vars(counted), dropped=left_out, problems=every)
    announce(planned)
    for body in pack(pa.concat_tables([table, new_gold])):
        journal.append("pairs", campaign.batch, body)
    for body in pack(pa.concat_tables(tasks)):
        journal.append("tasks", campaign.batch, body)
    batch = Batch(asked, counted, page, campaign.categories, left_out, unanswered)
    journal.append("batch", campaign.batch, write(batch))
    return planned


def make_task_rows(
    journal: Journal,
    annotator: str,
    pairs: Iterable[str],
    batch: str,
    round_: str,
    table: pa.Table,
    since: str = "",
) -> pa.Table:
    """The rows of an annotator's tasks, in the order of display; the campaign's secret decides order and sides.

    ``table`` holds the PAIRS rows of ``pairs``. ``since`` gives tasks that are made later other uids.
    """
    strata, secret = _strata(table), journal.campaign_id
    asked = {task_uid(secret, batch, round_ + since, annotator, pair): pair for pair in pairs}
    swaps = choose_swaps({uid: strata[pair] for uid, pair in asked.items() if pair in strata}, secret)
    order = shuffle(asked, secret)
    columns: dict[str, Any] = {
        "uid": order,
        "pair_id": [asked[uid] for uid in order],
        "batch": [batch] * len(order),
        "annotator": [annotator] * len(order),
        "round": [round_] * len(order),
        "swapped": [swaps.get(uid, False) for uid in order],
    }
    rows = pa.table(columns, schema=pa.schema([TASKS.field(name) for name in columns]))
    digests = [shown_digest(data) for data in task_data(rows, table)]
    return rows.append_column(TASKS.field("shown"), pa.array(digests, TASKS.field("shown").type))


def _strata(table: pa.Table) -> dict[str, str]:
    """The models of each pair; a single response has no side, and is left out."""
    table = table.filter(pc.is_valid(table["second"]))
    columns = (table[name].to_pylist() for name in ("pair_id", "first_model", "second_model"))
    return {pair: f"{first or ''}\0{second or ''}" for pair, first, second in zip(*columns, strict=True)}


def _pair_rows(fresh: Sequence[Pair], record: Record, families: Families, folder: CampaignFolder) -> pa.Table:
    campaign = folder.campaign
    splits: Mapping[str, str] = {}
    if PROTOCOLS[campaign.protocol].trains:
        texts = {pair.prompt.prompt_id: prompt_text(pair.prompt.messages) for pair in fresh}
        weights = Counter(pair.prompt.prompt_id for pair in fresh)
        splits = assign_splits(texts, weights, _list_earlier_prompts(record), families, campaign.seed)
    rows = [
        {
            **_make_row(pair.pair_id, pair.prompt, pair.first, pair.second, folder),
            "gold": None,
            "split": splits.get(pair.prompt.prompt_id),
        }
        for pair in fresh
    ]
    return pa.Table.from_pylist(rows, PAIRS.schema)


def _list_earlier_prompts(record: Record) -> list[OldPrompt]:
    seen = {}
    judged = record.pairs.filter(pc.is_null(record.pairs["gold"]))
    for row in judged.select(["prompt", "split"]).to_pylist():
        text = prompt_text(tuple((turn["role"], turn["content"]) for turn in row["prompt"]))
        seen[text, row["split"]] = OldPrompt(text, row["split"])
    return list(seen.values())


def _gold_rows(gold: Sequence[GoldPair], record: Record, folder: CampaignFolder, problems: list[Problem]) -> pa.Table:
    """The rows of gold pairs; a pair whose answer differs from an earlier batch is skipped, with a problem."""
    known = dict(zip(record.pairs["pair_id"].to_pylist(), record.pairs["gold"].to_pylist(), strict=True))
    rows = []
    for gold_pair in gold:
        texts = [gold_pair.chosen, gold_pair.rejected]
        texts.sort(key=lambda text: seeded_key(0, "gold", text))  # in the same order in all batches, with any seed
        first, second = (Response("", None, text) for text in texts)
        prompt = Prompt(gold_pair.prompt_id, gold_pair.messages, ())
        row = _make_row(pair_id(prompt, first, second), prompt, first, second, folder)
        answer = "first" if texts[0] == gold_pair.chosen else "second"
        if known.get(row["pair_id"], answer) != answer:
            message = "an earlier batch has this gold pair with the other answer: change its texts, or remove it"
            problems.append(Problem(f"gold prompt {gold_pair.prompt_id}", "gold_changed", message))
            continue
        rows.append({**row, "first_model": None, "second_model": None, "gold": answer, "split": None})
    return pa.Table.from_pylist(rows, PAIRS.schema)


def _make_row(
    pair_id: str, prompt: Prompt, first: Response, second: Response | None, folder: CampaignFolder
) -> dict[str, Any]:
    campaign = folder.campaign
    return {
        "pair_id": pair_id,
        "batch": campaign.batch,
        "prompt_id": prompt.prompt_id,
        "prompt": [{"role": role, "content": content} for role, content in prompt.messages],
        "first": first.text,
        "second": second.text if second else None,
        "first_model": first.model,
        "second_model": second.model if second else None,
        "first_temperature": first.temperature,
        "second_temperature": second.temperature if second else None,
        "protocol": campaign.protocol,
        "protocol_version": version_of(folder),
        "votes": campaign.votes,
        **vars(known_facts(prompt.facts, campaign.harmless)),
    }


def draw_gold(
    annotator: str,
    tasks: int,
    batch: str,
    gold: pa.Table,
    record: Record,
    folder: CampaignFolder,
    excluded: Iterable[str] = (),
) -> list[str]:
    """Draws by the seed gold pairs that are new to an annotator, as many as ``tasks`` other tasks require.

    ``excluded``: pairs that the annotator gets at the same time.
    """
    campaign = folder.campaign
    if not campaign.gold or not gold.num_rows:
        return []
    met = record.tasks.filter(pc.equal(record.tasks["annotator"], annotator))
    left = sorted(set(gold["pair_id"].to_pylist()) - set(met["pair_id"].to_pylist()) - set(excluded))
    left.sort(key=lambda pair: seeded_key(campaign.seed, "gold", batch, annotator, pair))
    return left[: gold_share(tasks, campaign.gold.share, len(left))]


def _refuse_withdrawn(folder: CampaignFolder, record: Record) -> None:
    """Raises UserError if the new batch would give tasks to a person whose votes are withdrawn."""
    for person in folder.campaign.annotators:
        if record.annotators[person] in record.withdrawn:
            raise UserError(
                f"the votes of {person} are withdrawn: remove {person} from annotators in campaign.toml for a new "
                "batch, or let the votes count again (gristmill campaign withdraw --undo)"
            )


def _refuse_unknown_models(folder: CampaignFolder, models: set[str]) -> None:
    pairs = folder.campaign.pairs
    if pairs.policy == "new_vs_previous":
        for name, model in (("new", pairs.new), ("previous", pairs.previous)):
            if model not in models:
                raise UserError(
                    f"pairs.{name} is {model!r}, but {folder.campaign.responses} has no response of that model: "
                    f"choose from {', '.join(sorted(models)) or 'none'}"
                )


def check_shown_texts(folder: CampaignFolder, models: set[str]) -> None:
    """Raises UserError without guidelines, or if a text that annotators read, other than a response, names a model."""
    campaign = folder.campaign
    if not folder.guidelines().strip():
        raise UserError(f"{folder.path}/{campaign.guidelines} is empty: write what annotators should look at")
    seen = {
        f"the file {campaign.guidelines}": folder.guidelines(),
        "the campaign's name": campaign.name,
        "the batch's name": campaign.batch,
        "a risk category": " ".join(f"{name} {title}" for name, title in campaign.categories.items()),
    }
    for where, text in seen.items():
        named = sorted(model for model in models if whole_name(model).search(text))
        if named:
            raise UserError(
                f"{where} holds {named[0]!r}, the name of a model: remove it, since annotators would read it"
            )


def _list_counts(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(counts.items()) if count)
