"""How long a report of full size takes: ``python -m tests.benchmarks.evaluations``."""

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from annotation.campaign.plan import plan
from annotation.campaign.settings import CampaignFolder, Pairing
from annotation.evaluation.book import Request
from annotation.evaluation.folder import fill, writing
from annotation.evaluation.judging import Answer, Judge, Question, Verdict, combine
from annotation.evaluation.manifest import SourceEntry
from annotation.evaluation.pairs import Pair, Pairs
from annotation.evaluation.replies import Reply
from annotation.evaluation.tables import tables_of
from annotation.evaluation.templates import load
from annotation.evaluation.verdicts import Outcome, Reading
from annotation.journal.fold import fold
from annotation.journal.journal import Journal
from tests.annotation.campaigns import campaign, choices, write_rows
from tests.benchmarks.corpora import GRISTMILL
from tests.benchmarks.process import measure

PROMPTS, VOTES, MATCHES, JUDGED = 4_000, 3, 5, 100_000
MODELS = ("alpha", "beta", "delta", "gamma")
PEOPLE = tuple(f"ann{number}@mill.example" for number in range(30))
POINTS = (
    *("a_much_better", "a_better", "a_slightly_better", "about_the_same"),
    *("b_slightly_better", "b_better", "b_much_better"),
)
Row = tuple[str, str, str]


def main() -> None:
    table = Table("work", "measured", "asked", title="An evaluation", title_justify="left")
    with tempfile.TemporaryDirectory() as work:
        for row in bars(Path(work)):
            table.add_row(*row)
    Console().print(table)


def bars(work: Path) -> Iterator[Row]:
    people, judge = work / "people", work / "judge"
    people.mkdir(parents=True)
    voted(people, PROMPTS)
    run = measure([GRISTMILL, "evaluation", "report", people, "--output", work / "report-people"])
    name = f"report, {PROMPTS:,} prompts, {VOTES} votes, {MATCHES} pairs of models"
    yield name, f"{run.seconds:.1f} s", "30 s"
    yield f"{name}: memory", f"{run.peak_bytes / 1e9:.2f} GB", "1 GB"
    judged(judge, JUDGED)
    run = measure([GRISTMILL, "evaluation", "report", judge, "--output", work / "report-judge"])
    yield f"report, {JUDGED:,} judged pairs", f"{run.seconds:.1f} s", "10 s"
    shutil.rmtree(work)


def voted(path: Path, prompts: int) -> CampaignFolder:
    """A campaign whose votes prefer the later of the two models by name in about two of three votes."""
    draw = random.Random(1)
    rows = [
        {
            "prompt_id": f"p{number}",
            "prompt": f"Question {number}, {draw.random()}?",
            "category": f"category {number % 8}",
            "responses": [{"model": name, "text": f"{name[0]}{draw.random()} " * 30} for name in MODELS],
        }
        for number in range(prompts)
    ]
    write_rows(path / "b1.jsonl", rows)
    pairing = Pairing(policy="random", per_prompt=MATCHES)
    folder = campaign(path, protocol="evaluation", annotators=PEOPLE, pairs=pairing, votes=VOTES)
    with Journal(folder.store, create=True) as journal:
        plan(folder, journal, lambda texts: {text: text for text in texts})
        _vote(journal, draw)
    return folder


def _vote(journal: Journal, draw: random.Random) -> None:
    record = fold(journal)
    models = {
        row["pair_id"]: row for row in record.pairs.select(["pair_id", "first_model", "second_model"]).to_pylist()
    }
    email = {name: address for address, name in record.annotators.items()}
    with journal.writing():
        for number, task in enumerate(record.tasks.to_pylist()):
            pair = models[task["pair_id"]]
            left = (pair["first_model"] > pair["second_model"]) != task["swapped"]
            point = draw.choice(POINTS[:4] if left == (draw.random() < 2 / 3) else POINTS[3:])
            _keep(journal, task, number, email[task["annotator"]], choices(evaluation=point))


def _keep(journal: Journal, task: dict[str, Any], number: int, email: str, result: Any) -> None:
    moment = "2026-05-04T03:02:20.000001Z"
    annotation = {
        "id": number,
        "completed_by": {"id": 1, "email": email},
        "updated_by": 1,
        "result": result,
        "was_cancelled": False,
        "created_at": moment,
        "updated_at": moment,
        "lead_time": 20.0,
    }
    row = {"uid": task["uid"], "shown": task["shown"].hex(), "author": email, "editor": email, "project": 1}
    body = orjson.dumps({**row, "task": number, "annotation": annotation}, option=orjson.OPT_SORT_KEYS)
    journal.keep_annotation(f"{task['uid']}/{number}", 1, number, moment, body)


def judged(path: Path, pairs: int) -> None:
    """A folder of verdicts in both orders, of which some contradict each other and some have none."""
    judge, draw = Judge(model="judge-1", template=load("pairwise")), random.Random(1)
    said: list[Outcome] = ["first", "first", "second", "tie", "unparsed"]
    found, text = [], "word " * 100
    for number in range(pairs):
        first, second = sorted(draw.sample(MODELS, 2))
        prompt = number // MATCHES
        pair = Pair(
            f"{number:032x}",
            f"p{prompt:06}",
            f"category {prompt % 8}",
            (("user", f"Question {prompt}?"),),
            first,
            second,
            f"{text}{number} 1",
            f"{text}{number} 2",
        )
        asked = [Question(pair, swapped, "0", Request(f"{number}-{swapped}".encode(), {})) for swapped in (False, True)]
        reply = Reply("verdict", "stop", "", "judge-1", "")
        found.append(combine([Answer(each, reply, Reading(draw.choice(said))) for each in asked]))
    compared = sorted({(each.pair.first_model, each.pair.second_model) for each in found})
    tables = tables_of(sorted(found, key=_order), Pairs([], compared))
    with writing(path) as writer:
        fill(writer, tables, judge, SourceEntry(files={}, compared=tuple(compared)))


def _order(verdict: Verdict) -> tuple[str, ...]:
    pair = verdict.pair
    return pair.prompt_id, pair.first_model, pair.second_model, pair.pair_id


if __name__ == "__main__":
    main()
