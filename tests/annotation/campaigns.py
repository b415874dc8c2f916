"""Campaigns in folders, and annotators whose answers go straight into the journal, as a pull would write them."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from annotation.campaign.plan import Planned, plan
from annotation.campaign.settings import Campaign, CampaignFolder
from annotation.journal.fold import Record, fold
from annotation.journal.journal import Journal
from annotation.judgments.snapshot import Snapshot, load
from annotation.protocols import PROTOCOLS
from curation.dedup.near import families

PEOPLE = ("ann@mill.example", "bob@mill.example", "cy@mill.example")
TOPICS = [
    "wheel",
    "grain",
    "river",
    "miller",
    "flour",
    "bread",
    "oven",
    "sluice",
    "gear",
    "stone",
    "sack",
    "cart",
    "winter",
    "harvest",
    "barley",
]


def prompts(numbers: Iterable[int], models: Sequence[str] = ("alpha", "beta")) -> list[dict[str, Any]]:
    """Rows of a responses file; no two prompts are alike."""
    rows = []
    for n in numbers:
        prompt = f"Number {n}: tell {n * 7} things {n * 11} of {TOPICS[n % 15]} and {TOPICS[n // 15 % 15]}{n}."
        responses = [
            {"model": name, "temperature": 0.7, "text": f"Answer {k} to {n}."} for k, name in enumerate(models)
        ]
        rows.append({"prompt_id": f"p{n:05}", "prompt": prompt, "responses": responses})
    return rows


def golden(numbers: Iterable[int]) -> list[dict[str, Any]]:
    return [
        {"prompt_id": f"g{n}", "prompt": f"{n} + 1?", "chosen": f"{n + 1}.", "rejected": f"{n + 2}."} for n in numbers
    ]


def write_rows(path: Path, rows: Iterable[Any]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def campaign(path: Path, guidelines: str = "# Be fair\n", **changes: Any) -> CampaignFolder:
    """A folder with guidelines and a campaign of three annotators; ``changes`` are fields of Campaign."""
    (path / "guidelines.md").write_text(guidelines, encoding="utf-8")
    settings = {"name": "mill", "protocol": "preference", "batch": "b1", "responses": "b1.jsonl", "annotators": PEOPLE}
    made = Campaign(**{**settings, **changes})  # type: ignore[arg-type]
    return CampaignFolder(path, made, repr(made))


@dataclass
class Desk:
    """A campaign that was planned, and its annotators at work without a Label Studio."""

    folder: CampaignFolder
    journal: Journal
    numbers: int = 0

    @property
    def record(self) -> Record:
        return fold(self.journal)

    def plan(self) -> Planned:
        return plan(self.folder, self.journal, families)

    def load(self, as_of: int | None = None) -> Snapshot:
        return load(self.folder.path, as_of)

    def tasks(self, annotator: str | None = None, round_: str = "vote") -> list[dict[str, Any]]:
        """The tasks that were not taken from anybody, in their order."""
        record = self.record
        return [
            task
            for task in record.tasks.to_pylist()
            if task["round"] == round_ and annotator in (None, task["annotator"]) and task["uid"] not in record.dropped
        ]

    def email(self, annotator: str) -> str:
        return next(email for email, name in self.record.annotators.items() if name == annotator)

    def answer(
        self,
        task: Mapping[str, Any],
        result: Any = "a_better",
        *,
        second: float = 0,
        number: int | None = None,
        skip: bool = False,
        **changes: Any,
    ) -> str:
        """An annotation that a pull brought, made or changed at that ``second``; its key in the journal.

        ``result`` may be a point of the protocol's scale; ``changes`` are those of the journal's row.
        """
        if number is None:
            self.numbers = number = self.numbers + 1
        if isinstance(result, str):
            protocol = PROTOCOLS[self.folder.campaign.protocol]
            result = [] if skip else choices(**{protocol.scale.question: result})
        author = self.email(task["annotator"])
        whole, _, part = f"{second:09.6f}".partition(".")
        moment = f"2026-05-04T03:02:{whole}" + (f".{part}Z" if int(part) else "Z")  # as Label Studio writes it
        annotation = {
            "id": number,
            "completed_by": {"id": 1, "email": author},
            "updated_by": 1,
            "result": result,
            "was_cancelled": skip,
            "created_at": "2026-05-04T03:02:00.000001Z",
            "updated_at": moment,
            "lead_time": 20.0,
        }
        row = {
            "uid": task["uid"],
            "shown": task["shown"].hex(),
            "author": author,
            "editor": author,
            "project": 1,
            "task": 1,
            "annotation": annotation,
            **changes,
        }
        key = f"{row['uid'] or ''}/{number}"
        with self.journal.writing():
            body = orjson.dumps(row, option=orjson.OPT_SORT_KEYS)
            self.journal.keep_annotation(key, 1, number, moment, body)
        return key


def choices(**answers: str | Sequence[str]) -> list[dict[str, Any]]:
    """The result of an annotation: question to what was chosen."""
    lists = {name: [chosen] if isinstance(chosen, str) else list(chosen) for name, chosen in answers.items()}
    return [
        {"id": "x", "from_name": name, "type": "choices", "value": {"choices": chosen}}
        for name, chosen in lists.items()
    ]


@contextmanager
def desk(path: Path, rows: Sequence[Any] | None = None, **changes: Any) -> Iterator[Desk]:
    """A campaign with its first batch planned: four pairs unless ``rows`` says otherwise."""
    write_rows(path / "b1.jsonl", prompts(range(4)) if rows is None else rows)
    folder = campaign(path, **changes)
    with Journal(folder.store, create=True) as journal:
        made = Desk(folder, journal)
        made.plan()
        yield made
