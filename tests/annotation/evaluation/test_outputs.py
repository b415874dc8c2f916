"""Responses are read from files of many forms; what cannot be meant is an error with its place."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotation.campaign.settings import Gold
from annotation.evaluation.outputs import Outputs, Question, read_outputs
from annotation.evaluation.pairs import of_campaign, of_outputs
from schemas.errors import UserError
from tests.annotation.campaigns import desk, golden, write_rows

ROWS: list[dict[str, Any]] = [
    {"prompt_id": "rye", "prompt": "What is rye?", "model": "a", "response": "A cereal."},
    {"prompt_id": "rye", "prompt": "What is rye?", "model": "b", "response": "A bread."},
    {"prompt_id": "oats", "prompt": "What is oats?", "model": "a", "response": ""},
]


def read(path: Path, *rows: Any) -> Outputs:
    write_rows(path / "r.jsonl", rows)
    return read_outputs([path / "r.jsonl"])


def test_rows_are_gathered_by_prompt_and_model(tmp_path: Path) -> None:
    found = read(tmp_path, *ROWS)
    assert found.questions == {
        "oats": Question("oats", (("user", "What is oats?"),)),
        "rye": Question("rye", (("user", "What is rye?"),)),
    }
    assert found.models == {"a": {"oats": "", "rye": "A cereal."}, "b": {"rye": "A bread."}}
    assert found.unanswered == [("b", "oats")]


def test_every_form_of_file_gives_the_same(tmp_path: Path) -> None:
    expected = read(tmp_path, *ROWS)
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "r.parquet")
    (tmp_path / "r.json").write_text(json.dumps(ROWS))
    with gzip.open(tmp_path / "r.csv.gz", "wt") as file:
        writer = csv.DictWriter(file, [*ROWS[0]])
        writer.writeheader()
        writer.writerows(ROWS)
    (tmp_path / "q.jsonl").write_text('{"prompt_id": "rye", "prompt": "What is rye?"}\n')
    for name in ("r.parquet", "r.json", "r.csv.gz"):
        assert read_outputs([tmp_path / name]) == expected
    assert read_outputs([tmp_path / "q.jsonl", tmp_path / "r.json"]) == expected
    assert read(tmp_path, *reversed(ROWS)) == expected


def test_responses_may_be_a_list_and_prompts_dialogues(tmp_path: Path) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is rye?"}]
    responses = [{"model": "a", "text": "A cereal."}, {"model": "b", "text": None}]
    found = read(tmp_path, {"prompt_id": 7, "messages": messages, "responses": responses, "category": "grain"})
    assert found.questions["7"] == Question("7", (("system", "Be brief."), ("user", "What is rye?")), "grain")
    assert found.unanswered == [("b", "7")]


FAULTS: dict[str, tuple[list[Any], str]] = {
    "no id": ([{**ROWS[0], "prompt_id": None}], "line 1: prompt_id is missing"),
    "empty id": ([{**ROWS[0], "prompt_id": ""}], "line 1: prompt_id is missing"),
    "no model": ([{**ROWS[0], "model": None}], "line 1: the row has a response, but no model"),
    "nothing": ([{"prompt_id": "rye"}], "line 1: the row has neither a prompt nor a model"),
    "model of no name": ([{**ROWS[0], "model": ""}], "line 1: model is missing"),
    "no response": ([{"prompt_id": "rye", "prompt": "?", "model": "a"}], "line 1: the row has no response"),
    "a response that is a list": ([{**ROWS[0], "response": ["x"]}], "line 1: response must be a text"),
    "repeated": ([ROWS[0], ROWS[0]], "line 2: the model 'a' answers the prompt 'rye' again, after .*line 1"),
    "repeated null": ([ROWS[0], {**ROWS[0], "response": None}], "line 2: the model 'a' answers the prompt 'rye' again"),
    "two prompts": ([ROWS[0], {**ROWS[1], "prompt": "What?"}], "line 2: the prompt 'rye' has other messages than at"),
    "two categories": (
        [{**ROWS[0], "category": "x"}, {**ROWS[1], "category": "y"}],
        "line 2: the prompt 'rye' has category 'y', but 'x' at",
    ),
    "no prompt": ([{"prompt_id": "rye", "model": "a", "response": "x"}], "line 1: no row gives the prompt 'rye'"),
    "assistant last": (
        [{"prompt_id": "x", "messages": [{"role": "assistant", "content": "Rye"}], "model": "a", "response": "x"}],
        "line 1: the last message must be the user's",
    ),
    "unknown role": (
        [{"prompt_id": "x", "messages": [{"role": "tool", "content": "Rye"}], "model": "a", "response": "x"}],
        "line 1: messages must be a list",
    ),
    "not a row": ([["rye"]], "line 1: a row is a JSON object"),
    "no responses": ([{"prompt_id": "rye", "prompt": "What is rye?"}], "holds no response"),
    "only nulls": ([{**ROWS[0], "response": None}], "holds no response"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_its_place(name: str, tmp_path: Path) -> None:
    rows, message = FAULTS[name]
    with pytest.raises(UserError, match=message):
        read(tmp_path, *rows)


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text('{"prompt_id": "rye"')
    with pytest.raises(UserError, match=r"r\.jsonl, line 1: the line is no JSON"):
        read_outputs([tmp_path / "r.jsonl"])
    with pytest.raises(UserError, match="cannot be read"):
        read_outputs([tmp_path / "missing.jsonl"])


def three(path: Path) -> Outputs:
    rows = [{**row, "prompt_id": f"p{n}"} for n in range(3) for row in ROWS[:2]]
    rows += [{**ROWS[0], "prompt_id": f"p{n}", "model": "c"} for n in range(2)]
    return read(path, *rows)


def test_all_models_are_compared_or_each_with_the_baseline(tmp_path: Path) -> None:
    found = of_outputs(three(tmp_path))
    assert [(each.prompt_id, each.first_model, each.second_model) for each in found.pairs] == [
        (f"p{n}", first, second) for n in range(3) for first, second in ("ab", "ac", "bc") if n < 2 or second != "c"
    ]
    assert found.unanswered == [("c", "p2")]
    against = of_outputs(three(tmp_path), "b")
    assert {(each.first_model, each.second_model) for each in against.pairs} == {("b", "a"), ("b", "c")}
    assert len({each.pair_id for each in found.pairs}) == len(found.pairs)


def test_a_pair_keeps_its_id_in_another_order(tmp_path: Path) -> None:
    outputs = three(tmp_path)
    ids = {each.prompt_id: each.pair_id for each in of_outputs(outputs, "a").pairs if each.second_model == "b"}
    turned = {each.prompt_id: each.pair_id for each in of_outputs(outputs, "b").pairs if each.second_model == "a"}
    assert ids == turned


def test_pairs_need_two_models_and_a_known_baseline(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="all responses are of the model 'a'"):
        of_outputs(read(tmp_path, ROWS[0]))
    with pytest.raises(UserError, match="there is no baseline 'd'"):
        of_outputs(three(tmp_path), "d")


def test_the_pairs_of_a_campaign_are_those_of_its_journal_without_gold(tmp_path: Path) -> None:
    write_rows(tmp_path / "gold.jsonl", golden(range(3)))
    with desk(tmp_path, gold=Gold(file="gold.jsonl", share=0.5)) as mill:
        snapshot = mill.load()
    found = of_campaign(snapshot)
    rows = {row["pair_id"]: row for row in snapshot.pairs.to_pylist() if row["gold"] is None}
    assert len(rows) < len(snapshot.pairs)
    assert {each.pair_id for each in found.pairs} == rows.keys()
    for each in found.pairs:
        assert (each.first, each.second) == (rows[each.pair_id]["first"], rows[each.pair_id]["second"])
    assert found.models == [("alpha", "beta")]
    assert len(of_campaign(snapshot, "beta").pairs) == len(found.pairs)
    with pytest.raises(UserError, match="no baseline 'gamma'"):
        of_campaign(snapshot, "gamma")
