"""What the dataset card says, and that its head is what Hugging Face reads."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from annotation.dataset import build
from annotation.dataset.page import page
from annotation.judgments.snapshot import Snapshot
from curation.dedup.near import families
from tests.annotation.written import pair, snapshot, votes

DIALOGUE = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "What is rye?"},
    {"role": "assistant", "content": "A grain."},
    {"role": "user", "content": "And spelt, is it older?"},
]


def card(folder: Path, *snapshots: Snapshot) -> str:
    build(snapshots, folder, families)
    return (folder / "README.md").read_text(encoding="utf-8")


def line(text: str, beginning: str) -> list[str]:
    """The cells of the only table row that begins so."""
    [found] = [each for each in text.splitlines() if each.startswith(f"| {beginning} |")]
    return [cell.strip() for cell in found.strip("|").split(" | ")]


@pytest.fixture
def text(tmp_path: Path) -> str:
    pairs = [
        pair("a", prompt=DIALOGUE, first="Yes, much older.", second="No."),
        pair("b", prompt=DIALOGUE[-1:], first="It is.", second="I do not know."),
        pair("c", split="held_out", first_model="beta", second_model="alpha"),
        pair("g", gold="first"),
    ]
    rows = [
        *votes("a", "f3:yy f3:yy s1:yy"),
        *votes("b", "f2 f2 f2"),
        *votes("c", "s1:nn s1:nn s1:nn"),
        *votes("g", "f1"),
    ]
    return card(tmp_path / "out", snapshot(pairs, rows))


def test_the_head_names_both_splits(text: str) -> None:
    head = text.split("---\n")[1]
    assert 'pretty_name: "Comparisons: mill"\n' in head
    assert "  - split: train\n    path: comparisons/train.parquet\n" in head
    assert "  - split: held_out\n    path: comparisons/held_out.parquet\n" in head
    assert "- n<1K\n" in head


def test_a_split_without_rows_is_not_in_the_head(tmp_path: Path) -> None:
    assert "split: held_out" not in card(tmp_path / "one", snapshot([pair("a")], votes("a", "f1 f1 f1")))
    assert "configs" not in card(tmp_path / "two", snapshot([pair("a")], []))


def test_the_columns_of_table_6(text: str) -> None:
    # a: 2 turns, prompt 7 tokens, dialogue 3 + 4 + 3 + 7, responses 5 and 2; b: 1 turn, 7, responses 3 and 5;
    # c: 1 turn, prompt 12 tokens, responses 6 and 10
    assert line(text, "mill | batch-1 | preference 1") == [
        *("mill", "batch-1", "preference 1", "3", "3"),
        f"{4 / 3:.1f}",
        f"{(17 + 3.5 + 7 + 4 + 12 + 8) / 3:.1f}",
        f"{(7 + 7 + 12) / 3:.1f}",
        f"{(3.5 + 4 + 8) / 3:.1f}",
    ]


def test_shares_of_degrees_bins_and_models(text: str) -> None:
    assert line(text, "significantly better") == ["significantly better", "1", "33.3%"]
    assert line(text, "both safe") == ["both safe", "1", "33.3%"]
    assert line(text, "both unsafe") == ["both unsafe", "1", "33.3%"]
    assert line(text, "not asked") == ["not asked", "1", "33.3%"]
    assert line(text, "alpha / beta") == ["alpha / beta", "3", "100.0%", "100.0%"]


def test_the_ledger_and_the_agreement(text: str) -> None:
    assert line(text, "mill | batch-1 | 3") == ["mill", "batch-1", "3", "2", "1", "1", "10"]
    assert line(text, "mill | all")[2] == "3"
    assert "3 comparisons of two responses to a prompt, by 3 annotators: 2 to train on and 1 held out." in text


def test_names_cannot_break_a_table(tmp_path: Path) -> None:
    made = snapshot([pair("a", batch="one | two\n<b>")], votes("a", "f1 f1 f1", batch="one | two\n<b>"))
    assert "| mill | one \\| two &lt;b&gt; | preference 1 |" in card(tmp_path / "out", made)


def test_a_value_that_a_template_lacks_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="total"):
        page("dataset/card.md.j2", title="Comparisons: mill", splits={"train": 1, "held_out": 0})
