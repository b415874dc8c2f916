"""Files of open sets into a dataset: nothing is lost, splits are clean, equal files give equal bytes."""

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.dataset.prompts import SplitProof
from annotation.imports import SETS, ImportedSet, ImportLedger, Layout, OpenSet, import_set
from annotation.imports.hh import render
from annotation.imports.ledger import FileCounts
from curation.dedup.near import families
from schemas import COMPARISONS, IMPORT_REJECTS
from schemas.balance import LedgerError
from schemas.errors import UserError
from tests.annotation.imports.published import EXPECTED, A, B, Q, hh, kto, ultra


def written(path: Path, rows: Sequence[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def table(folder: Path, name: str) -> list[dict[str, Any]]:
    """The rows of a table, the same in both of its files."""
    with pa.memory_map(str(folder / f"{name}.arrow")) as file:
        rows: list[dict[str, Any]] = pa.ipc.open_file(file).read_all().to_pylist()
    assert pq.read_table(folder / f"{name}.parquet").to_pylist() == rows
    return rows


def comparisons(folder: Path) -> list[dict[str, Any]]:
    return [row for split in ("train", "held_out") for row in table(folder, f"comparisons/{split}")]


def run(tmp_path: Path, schema: str, rows: Sequence[Any], name: str | None = None) -> ImportedSet:
    path = written(tmp_path / "train.jsonl", rows)
    return import_set([path], [], SETS[schema], tmp_path / "out", families, name)


@pytest.mark.parametrize("name", SETS)
def test_every_set_becomes_a_dataset(name: str, tmp_path: Path) -> None:
    rows = [row for row, _ in EXPECTED[name]]
    others = [kto(A, True, "Who?"), kto(B, False, "Who?")] if name == "kto" else []
    built = run(tmp_path, name, [*rows, *others, "not json"])
    rejects = Counter(expected for _, expected in EXPECTED[name] if isinstance(expected, str))
    rejects["unreadable"] += 1
    out = comparisons(built.folder)
    for reject in table(built.folder, "rejects"):
        rejects[reject["reason"]] -= 1
        if reject["reason"] == "near_held_out":
            assert json.loads(reject["raw"]).keys() == {"prompt", "chosen", "rejected"}
        elif reject["message"].startswith("the line is no JSON"):
            assert json.loads(reject["raw"]) == "not json"
        else:
            assert json.loads(reject["raw"])
    assert {reason for reason, left in rejects.items() if left} <= {"near_held_out"}
    assert {row["protocol_version"] for row in out} == {f"{name}-1"}
    assert {(row["protocol"], row["batch"], row["source"]) for row in out} == {("imported", "train", SETS[name].source)}
    assert [row["comparison_id"] for row in out if row["split"] == "train"] == sorted(
        row["comparison_id"] for row in out if row["split"] == "train"
    )
    assert built.manifest.tables == {"comparisons": COMPARISONS.version, "import_rejects": IMPORT_REJECTS.version}


def test_a_row_as_it_is_written(tmp_path: Path) -> None:
    text = f"\n\nHuman: {Q}\n\nAssistant: "
    built = run(tmp_path, "hh", [hh(text + A, text + B)], name="mine")
    [row] = comparisons(built.folder)
    digest = hashlib.blake2b(json.dumps([["user", Q]], separators=(",", ":")).encode(), digest_size=16).hexdigest()
    family = hashlib.blake2b(Q.encode(), digest_size=16).hexdigest()
    assert {name: value for name, value in row.items() if value is not None and value != []} == {
        "comparison_id": "mine/train/00000001",
        "prompt": [{"role": "user", "content": Q}],
        "chosen": A,
        "rejected": B,
        "weight": 1.0,
        "adjudicated": False,
        "source": "mine",
        "batch": "train",
        "protocol": "imported",
        "protocol_version": "hh-1",
        "prompt_id": digest,
        "prompt_family": family,
        "split": "train",
    }


def test_degrees_have_their_margins_and_flags_their_bin(tmp_path: Path) -> None:
    built = run(tmp_path, "helpsteer3", [row for row, _ in EXPECTED["helpsteer3"]])
    margins = {(row["degree"], row["margin_small"], row["margin_large"]) for row in comparisons(built.folder)}
    assert margins == {("significantly_better", 1.0, 3.0), ("better", 2 / 3, 2.0), ("slightly_better", 1 / 3, 1.0)}
    safe = import_set(
        [written(tmp_path / "safe.jsonl", [row for row, _ in EXPECTED["safe-rlhf"]])],
        *([], SETS["safe-rlhf"], tmp_path / "safe", families),
    )
    bins = {(row["chosen_safe"], row["rejected_safe"], row["safety_bin"]) for row in comparisons(safe.folder)}
    assert bins == {
        (True, True, "both_safe"),
        (False, False, "both_unsafe"),
        (True, False, "chosen_safe"),
        (None, True, None),
    }


def test_pairs_of_one_row_have_ids_of_their_own(tmp_path: Path) -> None:
    built = run(tmp_path, "ultrafeedback", [ultra(("a", 1), ("b", 3), ("c", 2))])
    ids = [row["comparison_id"] for row in comparisons(built.folder)]
    assert ids == [f"ultrafeedback/train/00000001-0{pair}" for pair in (1, 2, 3)]
    assert (built.ledger.total().rows, built.ledger.total().pairs) == (1, 3)


def test_rows_may_have_ids_of_their_own_but_each_once(tmp_path: Path) -> None:
    known = OpenSet(
        name="own",
        source="own",
        origin="here",
        rule="as it says",
        layouts=(Layout(prompt="q", chosen="a", rejected="b", id="k"),),
    )
    rows = [{"q": f"What is {k}?", "a": "x", "b": "y", "k": k} for k in ("rye", "oats", "rye")]
    built = import_set([written(tmp_path / "f.jsonl", rows)], [], known, tmp_path / "out", families)
    assert [row["comparison_id"] for row in comparisons(built.folder)] == ["own/f/oats", "own/f/rye"]
    [reject] = table(built.folder, "rejects")
    assert (reject["row"], reject["reason"]) == (3, "repeated_id")


def dialogue(question: str, answer: str) -> dict[str, str]:
    return hh(f"\n\nHuman: {question}\n\nAssistant: {answer}", f"\n\nHuman: {question}\n\nAssistant: {answer} Or not.")


def test_no_prompt_of_training_is_near_a_held_out_one(tmp_path: Path) -> None:
    train = [dialogue("How do I bake a good loaf of rye bread at home?", "Slowly.")]
    train += [dialogue("How do I bake a good loaf of RYE bread at home", "In an oven."), dialogue("Who sang?", "She.")]
    test = [dialogue("How do I bake a good loaf of rye bread at home?", "Well.")]
    built = import_set(
        [written(tmp_path / "train.jsonl", train)],
        [written(tmp_path / "test.jsonl", test)],
        *(SETS["hh"], tmp_path / "out", families),
    )
    assert [row["comparison_id"] for row in comparisons(built.folder)] == [
        "anthropic-hh/train/00000003",
        "anthropic-hh/test/00000001",
    ]
    assert [(row["file"], row["row"], row["reason"]) for row in table(built.folder, "rejects")] == [
        ("train", 1, "near_held_out"),
        ("train", 2, "near_held_out"),
    ]
    assert built.manifest.split == SplitProof(prompts=3, families=2, families_in_both_splits=0)
    [entry] = built.manifest.imports
    assert [(file.name, file.split) for file in entry.files] == [("test", "held_out"), ("train", "train")]


def test_equal_files_give_equal_bytes_in_any_order(tmp_path: Path) -> None:
    rows = [row for row, _ in EXPECTED["hh"]]
    files = [written(tmp_path / name / "train.jsonl", rows[k::2]) for k, name in enumerate(("base", "online"))]
    for out, order in (("one", files), ("two", files[::-1])):
        import_set(order, [], SETS["hh"], tmp_path / out, families)
    names = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))
    assert len(names) == 8
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in names)
    assert {row["batch"] for row in comparisons(tmp_path / "one")} == {"base-train", "online-train"}
    for name, about in json.loads((tmp_path / "one" / "manifest.json").read_text())["files"].items():
        assert hashlib.sha256((tmp_path / "one" / name).read_bytes()).hexdigest() == about["sha256"]


KNOWN = [row for table in EXPECTED.values() for row, _ in table]
lines = st.lists(st.sampled_from([*KNOWN, "", "{", "[]", "7"]), max_size=12)


@settings(max_examples=25)
@given(st.sampled_from(sorted(SETS)), lines, lines)
def test_every_candidate_is_a_comparison_or_a_reject_and_none_is_both(
    name: str, train: list[Any], held_out: list[Any]
) -> None:
    with TemporaryDirectory() as folder:
        tmp_path = Path(folder)
        files = [written(tmp_path / f"{k}.jsonl", rows) for k, rows in enumerate((train, held_out))]
        try:
            built = import_set(files[:1], files[1:], SETS[name], tmp_path / "out", lambda texts: families(texts))
        except UserError:  # no row of a file can be read
            return
        total = built.ledger.total()
        out, rejects = comparisons(built.folder), table(built.folder, "rejects")
        assert total.rows == sum(bool(row) for rows in (train, held_out) for row in rows)
        assert total.pairs == len(out) + len(rejects)
        ids = [row["comparison_id"] for row in out]
        places = [(row["file"], row["row"], row["pair"]) for row in rejects]
        assert len(set(ids)) == len(ids)
        assert len(set(places)) == len(places)
        taken = {tuple(each.split("/")[1:]) for each in ids}
        for file, row, pair in places:
            assert not {(file, f"{row:08}"), (file, f"{row:08}-{pair:02}")} & taken
        prompts = [{row["prompt_family"] for row in out if row["split"] == split} for split in ("train", "held_out")]
        assert not prompts[0] & prompts[1]


def test_a_ledger_that_does_not_add_up_fails() -> None:
    with pytest.raises(LedgerError, match="pairs of f: 2 came in, and 1 went out"):
        ImportLedger({"f": FileCounts(rows=2, pairs=2, train=1)}).check()


@pytest.mark.parametrize(
    ("train", "held_out", "name", "said"),
    [
        (["a.jsonl", "a.jsonl"], [], None, "named twice"),
        (["a.jsonl"], ["a.jsonl"], None, "named twice"),
        (["a.jsonl", "a.json"], [], None, "two files would be named"),
        (["a.jsonl"], [], "a/b", "without a slash"),
        (["a.jsonl"], [], " ", "the name ' ' is invalid"),
        (["wrong.jsonl"], [], None, "can be read as hh (row 1: a row needs chosen, rejected)"),
        (["none.jsonl"], [], None, "No such file"),
    ],
)
def test_mistakes(train: list[str], held_out: list[str], name: str | None, said: str, tmp_path: Path) -> None:
    for file in ("a.jsonl", "a.json"):
        written(tmp_path / file, [dialogue(Q, A)])
    written(tmp_path / "wrong.jsonl", [{"prompt": Q}])
    files, others = ([tmp_path / each for each in names] for names in (train, held_out))
    with pytest.raises(UserError) as caught:
        import_set(files, others, SETS["hh"], tmp_path / "out", families, name)
    assert said in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_real_dialogues_come_back_to_the_letter(real_dialogues: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in gzip.decompress(real_dialogues.read_bytes()).splitlines()]
    built = import_set([real_dialogues], [], SETS["hh"], tmp_path / "out", families)
    rejected = {row["row"]: row for row in table(built.folder, "rejects")}
    out = {int(row["comparison_id"].rpartition("/")[2]): row for row in comparisons(built.folder)}
    assert sorted([*out, *rejected]) == list(range(1, len(rows) + 1))
    assert {row["reason"] for row in rejected.values()} <= {"differing_prefixes", "empty_answer", "unreadable_dialogue"}
    for number, row in out.items():
        prompt = tuple((turn["role"], turn["content"]) for turn in row["prompt"])
        for side in ("chosen", "rejected"):
            assert render((*prompt, ("assistant", row[side]))) == rows[number - 1][side]


def test_a_file_without_rows_is_said(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_bytes(b"")
    with pytest.raises(UserError, match="holds no rows: leave it out"):
        import_set([empty], [], SETS["hh"], tmp_path / "out", families)
