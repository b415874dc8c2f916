"""What is read of a file of responses or gold pairs: the same from JSON lines and Parquet, in whatever order."""

import bz2
import csv
import gzip
import io
import json
import lzma
import math
import random
import re
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.campaign.responses import GoldPair, Prompt, Response, read_gold, read_prompts
from annotation.rows.reading import digest
from schemas.errors import UserError

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.floats() | TEXTS,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(TEXTS, inside, max_size=3),
    max_leaves=8,
)
RESPONSE = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["alpha", "beta", "gamma"]),
        "temperature": st.none() | st.sampled_from([0.0, -0.0, 0.7, 1.0]),
        "text": TEXTS,
    }
)
TURNS = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": TEXTS}), max_size=3
)
ROW = st.fixed_dictionaries(
    {
        "prompt_id": st.none() | st.sampled_from(["one", "two", "three"]),
        "messages": TURNS.map(lambda turns: [*turns, {"role": "user", "content": f"{len(turns)} {turns}"}]),
        "responses": st.lists(RESPONSE, min_size=1, max_size=3),
    }
)
FILES = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def lines(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@FILES
@given(st.lists(ROW, max_size=6))
def test_json_lines_and_parquet_give_the_same(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    as_json = read_prompts(lines(tmp_path / "r.jsonl", rows))
    turn = pa.struct([("role", pa.string()), ("content", pa.string())])
    response = pa.struct([("model", pa.string()), ("temperature", pa.float64()), ("text", pa.string())])
    columns = [("prompt_id", pa.string()), ("messages", pa.list_(turn)), ("responses", pa.list_(response))]
    pq.write_table(pa.Table.from_pylist(rows, pa.schema(columns)), tmp_path / "r.parquet")
    as_parquet = read_prompts(tmp_path / "r.parquet")
    assert as_json[0] == as_parquet[0]
    assert [each.message for each in as_json[1]] == [each.message for each in as_parquet[1]]


@FILES
@given(st.lists(ROW, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(tmp_path: Path, rows: list[dict[str, Any]], draw: random.Random) -> None:
    expected, problems = read_prompts(lines(tmp_path / "r.jsonl", rows))
    draw.shuffle(rows)
    found, others = read_prompts(lines(tmp_path / "r.jsonl", rows))
    assert repr(found) == repr(expected)  # repr: -0.0 is not 0.0
    assert sorted(each.message for each in others) == sorted(each.message for each in problems)


@FILES
@given(st.lists(ROW, min_size=1, max_size=3), st.data())
def test_odd_json_is_a_problem_of_its_own_row(tmp_path: Path, rows: list[dict[str, Any]], data: st.DataObject) -> None:
    for number, row in enumerate(rows):
        row["prompt_id"] = f"good {number}"
    odd = dict(data.draw(ROW))
    spoilt = data.draw(
        st.sampled_from(["prompt_id", "messages", "responses", "turn", "response", "temperature", "row"])
    )
    value = data.draw(JSON)
    if spoilt == "turn":
        odd["messages"] = [value, *odd["messages"]]
    elif spoilt == "response":
        odd["responses"] = [value]
    elif spoilt == "temperature":
        odd["responses"] = [{"model": "alpha", "temperature": value, "text": "words"}]
    elif spoilt != "row":
        odd[spoilt] = value
    everything = [*rows, value if spoilt == "row" else odd]
    for read in (read_prompts, read_gold):
        read(lines(tmp_path / "r.jsonl", everything))
    found, problems = read_prompts(tmp_path / "r.jsonl")
    assert {row["prompt_id"] for row in rows} <= {prompt.prompt_id for prompt in found}
    assert len(problems) <= 1


BROKEN = {
    '{"prompt": "?", "responses": [': "unusable_row",
    '{"prompt": "?", "responses": NaN}': "unusable_row",
    '{"prompt": "\\ud800", "responses": [{"model": "m", "text": "x"}]}': "unusable_row",
    "[" * 2000: "unusable_row",
    "17": "unusable_row",
    "{}": "unusable_row",
    '{"prompt": "?"}': "unusable_row",
    '{"prompt": "?", "responses": []}': "unusable_row",
    '{"prompt": "?", "responses": [null]}': "unusable_row",
    '{"prompt": "?", "responses": [{"text": "x"}]}': "unusable_row",
    '{"prompt": "?", "responses": [{"model": "m"}]}': "unusable_row",
    '{"prompt": "?", "responses": [{"model": "m", "text": "x", "temperature": -1}]}': "unusable_row",
    '{"prompt": "?", "responses": [{"model": "m", "text": "x", "temperature": true}]}': "unusable_row",
    '{"prompt": " ", "responses": [{"model": "m", "text": "x"}]}': "unusable_row",
    '{"messages": [], "responses": [{"model": "m", "text": "x"}]}': "unusable_row",
    '{"messages": [{"role": "user"}], "responses": [{"model": "m", "text": "x"}]}': "unusable_row",
    '{"messages": [{"role": "user", "content": "?", "images": ["x"]}], "responses": [{"model": "m", "text": "x"}]}': (
        "unusable_row"
    ),
    '{"prompt": "?", "tools": [{"name": "x"}], "responses": [{"model": "m", "text": "x"}]}': "unusable_row",
    '{"prompt": "?", "responses": [{"model": "m", "text": "x", "tool_calls": [{"id": "1"}]}]}': "unusable_row",
    '{"prompt": "?", "responses": [{"model": "m", "text": "x", "thinking": "y"}]}': "unusable_row",
    '{"messages": [{"role": "bot", "content": "?"}], "responses": [{"model": "m", "text": "x"}]}': "unusable_row",
    '{"messages": [{"role": "assistant", "content": "?"}], "responses": [{"model": "m", "text": "x"}]}': "unusable_row",
    '{"prompt_id": 1.5, "prompt": "?", "responses": [{"model": "m", "text": "x"}]}': "unusable_row",
    '{"prompt_id": true, "prompt": "?", "responses": [{"model": "m", "text": "x"}]}': "unusable_row",
    '{"prompt_id": "", "prompt": "?", "responses": [{"model": "m", "text": "x"}]}': "unusable_row",
}


@pytest.mark.parametrize(("line", "reason"), BROKEN.items())
def test_a_broken_row_is_one_problem_and_its_neighbours_stay(tmp_path: Path, line: str, reason: str) -> None:
    good = '{"prompt_id": %s, "prompt": "?", "responses": [{"model": "m", "text": "x"}]}'
    path = tmp_path / "r.jsonl"
    path.write_text("\n".join([good % 1, line, "", good % '"b"']), encoding="utf-8")
    found, [problem] = read_prompts(path)
    assert [prompt.prompt_id for prompt in found] == ["1", "b"]
    assert (problem.where, problem.reason) == ("r.jsonl, line 2", reason)


def test_rows_of_one_prompt_are_put_together(tmp_path: Path) -> None:
    """Also by the messages alone, where no row has an id; and the same response counts once."""
    both = [{"model": "m", "text": "x"}, {"model": "n", "temperature": 1, "text": "y"}]
    rows = [{"prompt": "?", "responses": both[:1]}, {"prompt": "?", "responses": both}]
    [prompt], problems = read_prompts(lines(tmp_path / "r.jsonl", rows))
    assert prompt.responses == (Response("m", None, "x"), Response("n", 1.0, "y"))
    assert (prompt.repeated, problems) == (1, [])
    assert [each.where for each in prompt.repeats] == ["r.jsonl, line 2"]


def test_one_id_for_different_messages_is_never_guessed(tmp_path: Path) -> None:
    rows = [{"prompt_id": "p", "prompt": text, "responses": [{"model": "m", "text": "x"}]} for text in ("one", "two")]
    found, problems = read_prompts(lines(tmp_path / "r.jsonl", rows))
    assert (found, [each.where for each in problems]) == ([], ["r.jsonl, line 1", "r.jsonl, line 2"])


def test_only_columns_that_are_read_can_be_wrong(tmp_path: Path) -> None:
    """A time in nanoseconds, which Python cannot hold, and numbers that are not whole may stand in unread columns."""
    rows = [{"prompt_id": 7, "prompt": "?", "responses": [{"model": "m", "text": "x", "logprob": math.pi}]}]
    table = pa.Table.from_pylist(rows).append_column("at", pa.array([1], pa.timestamp("ns")))
    pq.write_table(table, tmp_path / "r.parquet")
    expected = [Prompt("7", (("user", "?"),), (Response("m", None, "x"),))]
    assert read_prompts(tmp_path / "r.parquet") == (expected, [])
    (tmp_path / "r.jsonl").write_bytes(b"\xef\xbb\xbf" + orjson.dumps(rows[0]) + b"\r\n")
    assert read_prompts(tmp_path / "r.jsonl") == (expected, [])


def test_a_file_that_cannot_be_read_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and no more")
    (tmp_path / "folder").mkdir()
    for name in ("missing.jsonl", "folder", "cut.parquet", "nu\0l", "long" * 99):
        for read in (read_prompts, read_gold):
            with pytest.raises(UserError, match=re.escape(repr(name)[1:-1])):
                read(tmp_path / name)
    for name in ("missing.jsonl", "folder", "nu\0l", "long" * 99):
        with pytest.raises(UserError, match="name an existing file"):
            digest(tmp_path / name)


@pytest.mark.parametrize(
    "value",
    [
        pa.scalar(2**31 - 1, pa.date32()),
        pa.scalar(2**62, pa.duration("s")),
        pa.scalar(2**62, pa.timestamp("us")),
        pa.scalar(1, pa.timestamp("us", "Mill/Pond")),
    ],
    ids=lambda value: str(value.type),
)
@pytest.mark.parametrize("deep", [False, True], ids=["plain", "in a list"])
def test_a_time_that_python_cannot_hold_costs_its_row_or_is_the_users_mistake(
    tmp_path: Path, value: pa.Scalar, deep: bool
) -> None:
    column = pa.array([value], value.type)
    column = pa.ListArray.from_arrays([0, 1], column) if deep else column
    pq.write_table(pa.table({"messages": column}), tmp_path / "odd.parquet")
    try:
        found, [problem] = read_prompts(tmp_path / "odd.parquet")
    except UserError as error:
        said = str(error)
    else:
        said = "odd.parquet is broken in one row"
        assert (found, problem.where) == ([], "odd.parquet, row 1")
    assert "odd.parquet is broken" in said


RESPONSES = [
    {"prompt_id": "1", "prompt": "[1] + [2]?", "model": "m", "text": "[1, 2]", "temperature": 0.5},
    {"prompt_id": "1", "prompt": "[1] + [2]?", "model": "n", "text": 'No,\n"r\u00e9al"', "temperature": None},
]
"""A row for each response; two texts look like JSON, which CSV also uses for lists."""


def as_csv(delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(RESPONSES[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(RESPONSES)
    return out.getvalue()


def quoted(value: object) -> str:
    """JSON as a cell of CSV."""
    return '"{}"'.format(json.dumps(value).replace('"', '""'))


WHOLE = {"prompt_id": "1", "prompt": "[1] + [2]?", "responses": RESPONSES}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.jsonl", "".join(json.dumps(row) + "\n" for row in RESPONSES).encode()),
        ("r.jsonl", gzip.compress(json.dumps(WHOLE).encode())),
        ("r.jsonl", json.dumps(WHOLE).encode("utf-16")),
        ("r.json", json.dumps(RESPONSES, indent=1).encode()),
        ("r.json.bz2", bz2.compress(json.dumps([WHOLE]).encode("utf-16"))),
        ("r.csv", as_csv().encode()),
        ("r.csv", as_csv().encode("utf-8-sig")),
        ("r.csv", b"\xfe\xff" + as_csv().encode("utf-16-be")),
        ("r.tsv.gz", gzip.compress(as_csv("\t").encode("utf-16"))),
        ("r.csv.zst", zstandard.compress(as_csv().encode())),
        ("r.csv.xz", lzma.compress(f"prompt_id,prompt,responses\n1,[1] + [2]?,{quoted(RESPONSES)}\n".encode())),
    ],
)
def test_the_same_responses_come_out_of_every_kind_of_file(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    texts = (Response("m", 0.5, "[1, 2]"), Response("n", None, 'No,\n"r\u00e9al"'))
    assert read_prompts(tmp_path / name) == ([Prompt("1", (("user", "[1] + [2]?"),), texts)], [])


def test_a_cell_that_is_wrong_costs_its_row(tmp_path: Path) -> None:
    head, good = "prompt_id,prompt,model,text,temperature", "a,What?,m,,"
    (tmp_path / "r.csv").write_text("\n".join([head, good, "b,What?,m,x,warm", "c,What?,,x,", "d,What?,m", ",,m,x,"]))
    found, problems = read_prompts(tmp_path / "r.csv")
    assert found == [Prompt("a", (("user", "What?"),), (Response("m", None, ""),))]
    assert [each.where for each in problems] == [f"r.csv, row {number}" for number in (2, 3, 4, 5)]


def test_gold_pairs_are_there_once_and_never_contradict(tmp_path: Path) -> None:
    rows = [
        {"prompt_id": "b", "prompt": "?", "chosen": "x", "rejected": "y"},
        {"prompt_id": "a", "prompt": "?", "chosen": "x", "rejected": "y"},
        {"prompt_id": "c", "prompt": "!", "chosen": "x", "rejected": "y"},
        {"prompt_id": "c", "prompt": "!", "chosen": "y", "rejected": "x"},
        {"prompt_id": "d", "prompt": "!", "chosen": "x", "rejected": "x"},
        {"prompt_id": "d", "prompt": "!", "chosen": "x", "rejected": " "},
    ]
    found, problems = read_gold(lines(tmp_path / "g.jsonl", rows))
    assert found == [GoldPair("a", (("user", "?"),), "x", "y", repeated=1)]
    assert sorted(each.where[-1] for each in problems) == ["3", "4", "5", "6"]
    assert read_gold(lines(tmp_path / "g.jsonl", rows[::-1]))[0] == found
