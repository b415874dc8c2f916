"""`check` finds what is wrong with an export, also in exports such as others write them."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotation.dataset.master import Master, load
from annotation.exports import FORMATS, check, describe_export, export, loading
from schemas.errors import UserError
from tests.annotation.exports.datasets import PROMPT, comparison, dataset

Row = dict[str, Any]
Change = Callable[[list[Row]], object]


@pytest.fixture(scope="module")
def mill(tmp_path_factory: pytest.TempPathFactory) -> Master:
    return dataset(tmp_path_factory.mktemp("datasets") / "mill")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("extra", [True, False], ids=["trainers", "schema"])
def test_an_export_is_what_the_dataset_says(
    mill: Master, form: str, extra: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not extra:
        monkeypatch.setattr(loading, "find_versions", lambda *packages: None)
    export(mill, tmp_path / "out", form)
    found = check(tmp_path / "out", form, mill)
    assert (found.faults, found.comparisons, found.own) == ((), 6, extra and FORMATS[form].loader is not None)
    assert found.rows == (6 - found.left_out) * (2 if form == "trl-kto" else 1)
    if not extra or not found.own:
        assert "by the documented schema of" in found.by
    else:
        assert "datasets 5" in found.by


def planted(folder: Path, change: Change, split: str = "train") -> None:
    """Changes the rows of a split, and the manifest so that it does not notice."""
    [path] = folder.glob(f"{split}.*")
    if path.suffix == ".jsonl":
        rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
        change(rows)
        path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    else:
        table = pq.read_table(path)
        rows = table.to_pylist()
        change(rows)
        names = {name for row in rows for name in row}
        texts = any(isinstance(row.get("chosen"), str) for row in rows)
        schema = pa.schema([column for column in table.schema if column.name in names])
        same = not texts and names <= set(schema.names)
        pq.write_table(pa.Table.from_pylist(rows, schema) if same else pa.Table.from_pylist(rows), path)
    about = json.loads((folder / "manifest.json").read_text())
    about["files"][path.name] = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(about))


def _set(row: Row, **values: object) -> None:
    row.update(values)


def _drop(rows: list[Row], column: str) -> None:
    for row in rows:
        del row[column]


FAULTS: list[tuple[str, str, Change]] = [
    ("trl-dpo", "prompt_twice", lambda rows: rows[0]["chosen"].insert(0, PROMPT[0])),
    ("trl-reward", "prompt_twice", lambda rows: rows[0]["chosen"].insert(0, PROMPT[0])),
    ("trl-reward", "prompt_cut", lambda rows: rows[1]["rejected"].pop(0)),
    ("trl-dpo", "answer_cut", lambda rows: _set(rows[0]["chosen"][0], content="A cereal")),
    ("axolotl", "answer_cut", lambda rows: _set(rows[0]["chosen"], content=".")),
    ("nemo-rl", "row_lost", lambda rows: rows.pop(2)),
    ("trl-kto", "row_lost", lambda rows: rows.pop(7)),
    ("trl-dpo", "row_lost", lambda rows: rows.pop()),
    ("open-instruct", "row_added", lambda rows: rows.append(rows[0])),
    ("hh", "row_added", lambda rows: rows.append(rows[0])),
    ("trl-reward", "margin_missing", lambda rows: _drop(rows, "margin")),
    ("openrlhf", "margin_missing", lambda rows: _set(rows[3], margin=None)),
    ("trl-reward", "margin_differs", lambda rows: _set(rows[3], margin=1.0)),
    ("openrlhf", "swapped", lambda rows: _set(rows[0], chosen=rows[0]["rejected"], rejected=rows[0]["chosen"])),
    ("nemo-rl", "swapped", lambda rows: [_set(each, rank=1 - each["rank"]) for each in rows[0]["completions"]]),
    ("llama-factory", "role_differs", lambda rows: _set(rows[0]["chosen"], role="user")),
    ("trl-dpo", "answer_differs", lambda rows: _set(rows[1]["chosen"][0], content="indented")),
    ("llama-factory", "prompt_differs", lambda rows: _set(rows[1]["conversations"][0], content="You are a baker.")),
    ("trl-dpo", "safety_differs", lambda rows: _set(rows[0], rejected_safe=True)),
    ("trl-kto", "safety_missing", lambda rows: _drop(rows, "safe")),
    ("axolotl", "weight_differs", lambda rows: _set(rows[1], weight=1.0)),
    ("trl-reward", "malformed", lambda rows: [_set(row, chosen="text", rejected="texts") for row in rows]),
    ("nemo-rl", "malformed", lambda rows: rows[0]["completions"].append(rows[0]["completions"][0])),
]


@pytest.mark.parametrize(("form", "kind", "change"), FAULTS, ids=[f"{form}-{kind}" for form, kind, _ in FAULTS])
def test_a_planted_fault_is_found(mill: Master, form: str, kind: str, change: Change, tmp_path: Path) -> None:
    export(mill, tmp_path / "out", form)
    planted(tmp_path / "out", change)
    found = {fault.kind for fault in check(tmp_path / "out", form, mill).faults}
    assert kind in found
    assert found <= {kind, "prompt_differs", "answer_cut", "malformed", "unloadable"}, "and little else"


def test_a_held_out_row_among_those_to_train_on_is_found(mill: Master, tmp_path: Path) -> None:
    export(mill, tmp_path / "out", "trl-dpo")
    held_out = pq.read_table(tmp_path / "out" / "test.parquet").to_pylist()
    planted(tmp_path / "out", lambda rows: rows.extend(held_out))
    assert [fault.kind for fault in check(tmp_path / "out", "trl-dpo", mill).faults] == ["row_added"]


def test_a_file_that_was_cut_or_lost_is_named(mill: Master, tmp_path: Path) -> None:
    export(mill, tmp_path / "out", "nemo-rl")
    (tmp_path / "out" / "README.md").unlink()
    rows = tmp_path / "out" / "train.jsonl"
    lines = rows.read_bytes().splitlines(keepends=True)
    rows.write_bytes(b"".join(lines[:-1]))
    faults = check(tmp_path / "out", "nemo-rl", mill).faults
    assert [(fault.kind, fault.comparison_id) for fault in faults] == [
        ("file_missing", None),
        ("file_changed", None),
        ("row_lost", "mill/e"),
    ]


def test_who_is_left_out_must_be_named(mill: Master, tmp_path: Path) -> None:
    export(mill, tmp_path / "out", "llama-factory")
    (tmp_path / "out" / "left_out.jsonl").write_bytes(b"")
    assert {fault.kind for fault in check(tmp_path / "out", "llama-factory", mill).faults} == {
        "file_changed",
        "left_out",
    }


def naive(folder: Path, form: str, rows: list[Row], master: Master) -> set[str]:
    """The faults of rows that somebody else wrote in place of ours."""
    export(master, folder, form)
    planted(folder, lambda ours: (ours.clear(), ours.extend(rows)))
    return {fault.kind for fault in check(folder, form, master).faults}


def dialogue(row: Row, side: str) -> list[Row]:
    return [*row["prompt"], {"role": "assistant", "content": row[side]}]


def test_naive_a_prompt_beside_whole_dialogues_is_trained_on_twice(tmp_path: Path) -> None:
    """TRL adds the prompt to both, whatever they begin with."""
    made = dataset(tmp_path / "mill", [row := comparison("a")])
    beside = {name: row.get(name) for name in ("comparison_id", "weight", "chosen_safe", "rejected_safe")}
    beside["margin"] = row["margin_small"]
    naive_row = {"prompt": PROMPT, "chosen": dialogue(row, "chosen"), "rejected": dialogue(row, "rejected"), **beside}
    assert naive(tmp_path / "dpo", "trl-dpo", [naive_row], made) == {"prompt_twice"}
    assert naive(tmp_path / "reward", "trl-reward", [naive_row], made) == {"prompt_twice"}


def test_naive_texts_without_a_prompt_are_cut_where_they_begin_to_differ(tmp_path: Path) -> None:
    """TRL takes what two texts share for the prompt: the beginning of one answer, where they begin alike."""
    made = dataset(tmp_path / "mill", [row := comparison("a", chosen="A cereal, ground.", rejected="A cereal.")])
    beside = {name: row.get(name) for name in ("comparison_id", "weight", "chosen_safe", "rejected_safe")}
    beside["margin"] = row["margin_small"]
    texts = {side: f"\n\nHuman: What is rye?\n\nAssistant: {row[side]}" for side in ("chosen", "rejected")}
    assert naive(tmp_path / "out", "trl-dpo", [{**texts, **beside}], made) == {"malformed"}
    from trl.data_utils import extract_prompt

    assert extract_prompt(texts)["chosen"] == ", ground.", "the fault that this is about"


def test_naive_dialogues_of_which_one_is_the_other_s_beginning_lose_the_answer(tmp_path: Path) -> None:
    """TRL takes all messages that two dialogues share for the prompt, also where the answers are the same."""
    made = dataset(tmp_path / "mill", [row := comparison("a")])
    beside = {name: row.get(name) for name in ("comparison_id", "weight", "chosen_safe", "rejected_safe")}
    beside["margin"] = row["margin_small"]
    longer = [*dialogue(row, "chosen"), {"role": "user", "content": "And?"}]
    naive_row = {"chosen": dialogue(row, "chosen"), "rejected": longer, **beside}
    assert naive(tmp_path / "out", "trl-dpo", [naive_row], made) <= {
        "malformed",
        "role_differs",
        "answer_differs",
        "prompt_differs",
    }


def test_what_cannot_be_checked_is_said(mill: Master, tmp_path: Path) -> None:
    export(mill, tmp_path / "out", "trl-dpo")
    with pytest.raises(UserError, match="has the format trl-dpo: give --format trl-dpo"):
        check(tmp_path / "out", "trl-reward", mill)
    with pytest.raises(UserError, match="holds no export"):
        describe_export(tmp_path, "trl-dpo")
    other = dataset(tmp_path / "other", [comparison("z")])
    with pytest.raises(UserError, match="was not exported from"):
        check(tmp_path / "out", "trl-dpo", other)


@pytest.mark.parametrize("text", ["[]", "{", '{"format": "gristmill.export", "version": 1}', "null"])
def test_a_manifest_of_another_shape_is_said(mill: Master, text: str, tmp_path: Path) -> None:
    export(mill, tmp_path / "out", "trl-dpo")
    whole = json.loads((tmp_path / "out" / "manifest.json").read_text())
    for name in ("version", "master", "files", "margin", "trainer_format"):
        (tmp_path / "out" / "manifest.json").write_text(json.dumps({**whole, name: [1]}))
        with pytest.raises(UserError, match=r"manifest\.json"):
            describe_export(tmp_path / "out", "trl-dpo")
    (tmp_path / "out" / "manifest.json").write_text(json.dumps({**whole, "version": 2}))
    with pytest.raises(UserError, match="newer than this Gristmill"):
        describe_export(tmp_path / "out", "trl-dpo")
    (tmp_path / "out" / "manifest.json").write_text(text)
    with pytest.raises(UserError, match=r"manifest\.json"):
        describe_export(tmp_path / "out", "trl-dpo")


@pytest.mark.parametrize("name", ["format", "version", "files", "tables"])
def test_a_dataset_whose_manifest_has_another_shape_is_said(name: str, tmp_path: Path) -> None:
    dataset(tmp_path / "mill")
    path = tmp_path / "mill" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), name: [1]}))
    with pytest.raises(UserError, match=r"manifest\.json"):
        load(tmp_path / "mill")


def resigned(folder: Path) -> None:
    """Makes the manifest agree with the files that are there."""
    about = json.loads((folder / "manifest.json").read_text())
    for name in about["files"]:
        if (folder / name).is_file():
            about["files"][name] = {"sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(about))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kept", [0, 300, None], ids=["empty", "cut", "lost"])
def test_rows_that_cannot_be_read_are_faults(mill: Master, form: str, kept: int | None, tmp_path: Path) -> None:
    export(mill, tmp_path / "out", form)
    [path] = [*(tmp_path / "out").glob("train.*"), *(tmp_path / "out" / "train").glob("*.arrow")]
    if kept is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:kept])
        resigned(tmp_path / "out")
    assert check(tmp_path / "out", form, mill).faults


def test_files_beside_the_rows_are_checked(mill: Master, tmp_path: Path) -> None:
    export(mill, tmp_path / "out", "llama-factory")
    path = tmp_path / "out" / "dataset_info.json"
    path.write_text(path.read_text().replace('"chosen": "chosen"', '"chosen": "rejected"'))
    (tmp_path / "out" / "train-2.parquet").write_bytes(b"")
    resigned(tmp_path / "out")
    about = json.loads((tmp_path / "out" / "manifest.json").read_text())
    about["splits"]["train"]["rows"] = 9
    (tmp_path / "out" / "manifest.json").write_text(json.dumps(about))
    found = {fault.kind for fault in check(tmp_path / "out", "llama-factory", mill).faults}
    assert {"file_differs", "file_added", "counts_differ"} <= found


def test_columns_that_a_trainer_would_take_for_more_are_found(mill: Master, tmp_path: Path) -> None:
    """TRL does not tokenise rows that have ids of tokens already."""
    export(mill, tmp_path / "out", "trl-reward")
    planted(tmp_path / "out", lambda rows: [_set(row, chosen_ids=[1], rejected_ids=[2]) for row in rows])
    assert "column_added" in {fault.kind for fault in check(tmp_path / "out", "trl-reward", mill).faults}


@pytest.mark.parametrize("column", ["degree", "votes", "split", "chosen_model", "prompt_family", "margin_large"])
def test_every_column_of_hf_is_compared(mill: Master, column: str, tmp_path: Path) -> None:
    export(mill, tmp_path / "out", "hf")
    path = tmp_path / "out" / "train" / "data-00000-of-00001.arrow"
    with pa.OSFile(str(path)) as source:
        table = pa.ipc.open_stream(source).read_all()
    new = {"degree": "slightly_better", "split": "held_out", "margin_large": 9.0, "votes": [{"annotator": "x"}]}
    rows = table.to_pylist()
    rows[0][column] = new.get(column, "other")
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(pa.Table.from_pylist(rows, table.schema))
    resigned(tmp_path / "out")
    assert {fault.kind for fault in check(tmp_path / "out", "hf", mill).faults} == {"column_differs"}


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_to_export_is_nothing_to_find(form: str, tmp_path: Path) -> None:
    none = dataset(tmp_path / "none", [])
    export(none, tmp_path / "out", form)
    found = check(tmp_path / "out", form, none)
    assert (found.faults, found.rows) == ((), 0)


def test_a_folder_of_any_name_is_read(mill: Master, tmp_path: Path) -> None:
    for form in ("trl-dpo", "hh", "hf"):
        folder = tmp_path / f"o {form}: [y] *?#\u00e9"
        export(mill, folder, form)
        assert check(folder, form, mill).faults == ()
