"""What the stored folders are made of: texts, a crawl, preferences, recipes and two campaigns, all written here."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PROSE = [
    "The miller grinds wheat and rye between two stones, and the wheel of the mill turns slowly in the stream.",
    "A sluice lets the water onto the wheel, and in a dry summer the mill of the village has to stand still.",
    "The stones of the mill are dressed when they are dull, for a dull stone warms the flour that it grinds.",
    "Every sack that is brought to the mill is weighed and counted, and so is every sack that leaves it again.",
    "In winter the river freezes, and the people of the valley have to wait for the flour until the sun is back.",
]
QUESTIONS = [
    "What is rye",
    "Who mills the grain of the valley",
    "Why does a water wheel turn",
    "When does the river freeze",
    "How heavy is a sack of flour",
    "Where do the stones come from",
    "Which bread keeps longest",
    "What does a sluice do",
]
PAGE = (
    "<html><head><title>The mill</title></head><body><nav><a href='/'>Home</a></nav>"
    "<article><h1>The mill</h1>{}</article></body></html>"
)

JOB = """\
input = [{ glob = "in/notes.jsonl", source = "notes" }, { glob = "in/crawl.warc.gz", source = "crawl" }]
output = "crawl"
recipe = "gopher"

[set]
"keep.policy" = "longest"
"url.domains" = "@in/hosts.txt"
unit_bytes = 65536
"""
MIX = """\
name = "mixture"
seed = 1

[[source]]
name = "people"
datasets = ["built"]
share = 1

[[source]]
name = "open"
datasets = ["comparisons"]
share = 1
"""
PACKS = """\
[[source]]
name = "web"
path = "corpus"
share = 0.7

[[source]]
name = "crawl"
path = "crawl"
share = 0.3
max_epochs = 1.5
"""
PEOPLE = """\
annotators = ["ann@mill.example", "bob@mill.example", "cy@mill.example"]
adjudicators = ["dee@mill.example"]
"""
MILL = f"""\
name = "mill"
protocol = "preference"
version = 1
batch = "b1"
responses = "b1.jsonl"
{PEOPLE}votes = 2
seed = 1

[gold]
file = "gold.jsonl"
share = 0.2

[resolve]
use = "majority"
"""
GUARD = f"""\
name = "guard"
protocol = "safety"
batch = "b1"
responses = "b1.jsonl"
{PEOPLE}votes = 1

[categories]
burns = "Burns and scalds"
falls = "Falls from a height"
"""


def page(number: int) -> str:
    """A text that every recipe keeps; no two are near-duplicates."""
    lines = [PROSE[(number + step) % len(PROSE)] for step in range(3)]
    return "\n".join(
        f"{line} {' '.join(f'word{number}{step}{each}' for each in range(9))}." for step, line in enumerate(lines)
    )


def write_input(folder: Path) -> None:
    """All files that the commands read, into a new folder."""
    (folder / "in").mkdir(parents=True)
    _write_corpora(folder)
    _write_preferences(folder)
    write_campaign(folder / "mill", MILL)
    write_campaign(folder / "guard", GUARD)


def _write_corpora(folder: Path) -> None:
    first: list[Any] = [{"id": f"page-{n}", "text": page(n), "url": f"https://mill.example/{n}"} for n in range(4)]
    first += [
        {"id": "copy", "text": page(1)},
        {"id": "near", "text": page(2) + " Truly so."},
        {"id": "short", "text": "Rye."},
    ]
    second = [{"id": "again", "text": page(0)}, {"id": "new", "text": page(7)}, *_bridged("bridge")]
    notes = [{"id": f"note-{n}", "text": page(n), "date": "2024-05-06"} for n in (8, 9)]
    rows = {"first": [*first, *_bridged("left", "right")], "second": second, "notes": notes}
    for name, each in rows.items():
        (folder / "in" / f"{name}.jsonl").write_text(_lines(each) + "{broken\n")
    (folder / "in" / "crawl.warc.gz").write_bytes(_crawl())
    (folder / "in" / "hosts.txt").write_text("# hosts that are left out\nother.example\n")
    (folder / "ids.txt").write_text("page-1\npage-2\npage-3\nnobody\n")
    (folder / "job.toml").write_text(JOB)
    (folder / "packs.toml").write_text(PACKS)


def _bridged(*names: str) -> list[dict[str, str]]:
    """Some of three texts: ``left`` and ``right`` are near-duplicates of ``bridge``, and not of each other."""
    words = page(16).split(" ")
    texts = {
        "bridge": words,
        "left": [*words[:-9], *(f"left{n}" for n in range(9))],
        "right": [*(f"right{n}" for n in range(9)), *words[9:]],
    }
    return [{"id": name, "text": " ".join(texts[name])} for name in names]


def _crawl() -> bytes:
    """A WARC file of responses, each record a gzip member; the body of the first breaks off, and so does the file."""
    urls = ["https://other.example/", *(f"https://mill.example/crawl/{n}" for n in range(3))]
    bodies = {url: PAGE.format(_paragraphs(page(n))) for n, url in enumerate(urls, 10)}
    records = [_response(url, body.encode()) for url, body in bodies.items()]
    broken = _response("https://mill.example/broken", b"5\r\n<html\r\nno", "Transfer-Encoding: chunked\r\n")
    return b"".join(gzip.compress(record, mtime=0) for record in [broken, *records])[:-30]


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{line}</p>" for line in text.splitlines())


def _response(url: str, body: bytes, more: str = "") -> bytes:
    answer = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n{more}\r\n".encode() + body
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:example:{url}>\r\nWARC-Date: 2025-03-01T00:00:00Z\r\n"
        f"WARC-Target-URI: {url}\r\nContent-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(answer)}\r\n\r\n"
    )
    return head.encode() + answer + b"\r\n\r\n"


def _write_preferences(folder: Path) -> None:
    asked = "\n\nHuman: {}?\n\nAssistant: "
    pairs = [
        {side: asked.format(q) + f"An answer that is {side}." for side in ("chosen", "rejected")} for q in QUESTIONS
    ]
    for name, rows in {"pairs": pairs[:6], "held_out": pairs[6:]}.items():
        (folder / "in" / f"{name}.jsonl").write_text(_lines(rows) + "{broken\n")
    (folder / "mix.toml").write_text(MIX)


def write_campaign(folder: Path, settings: str) -> None:
    """The folder of a campaign, with the files of two batches."""
    folder.mkdir()
    (folder / "campaign.toml").write_text(settings)
    (folder / "guidelines.md").write_text("# Be fair\n\nThe better answer is the one that helps.\n")
    golden = [
        {"prompt_id": f"g{n}", "prompt": f"{n} + 1?", "chosen": f"{n + 1}.", "rejected": "1."} for n in range(1, 4)
    ]
    (folder / "gold.jsonl").write_text(_lines(golden))
    for batch, numbers in {"b1": range(10), "b2": range(20, 24)}.items():
        (folder / f"{batch}.jsonl").write_text(_lines(_prompt(n) for n in numbers), encoding="utf-8")


def _prompt(number: int) -> dict[str, Any]:
    """A prompt with two responses; every third is a dialogue."""
    asked = f"{QUESTIONS[number % 8]}, and what do the {number * 7} millers of grind{number} say of it?"
    turns = [{"role": "user", "content": asked}]
    if number % 3 == 0:
        said = {"role": "assistant", "content": "Before I say: which valley?"}
        turns = [*turns, said, {"role": "user", "content": f"The valley of stream{number}, in “winter”."}]
    responses = [
        {"model": f"grist-{n}", "temperature": n / 2, "text": f"**Answer** {n} to {number}: {PROSE[(number + n) % 5]}"}
        for n in (1, 2)
    ]
    return {"prompt_id": f"p{number:02}", "messages": turns, "responses": responses}


def _lines(rows: Iterable[Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
