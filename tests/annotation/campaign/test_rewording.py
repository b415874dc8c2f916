"""Guidelines can be reworded in a batch that runs; each vote says which wording its annotator saw, or that it may be
one of several."""

from pathlib import Path
from typing import Any

import pytest

from annotation.campaign.rewording import reword_batches
from annotation.dataset import build
from annotation.dataset.wordings import by_wording
from annotation.journal.bodies import Undone, write
from annotation.judgments.audit import statements
from curation.dedup.near import families
from schemas import WORDINGS
from schemas.errors import UserError
from tests.annotation.campaigns import Desk, campaign, choices, desk, prompts, write_rows


def marked(number: int) -> list[dict[str, Any]]:
    return [*choices(preference="a_better"), {"from_name": "wording", "type": "number", "value": {"number": number}}]


def change(at: Desk, guidelines: str, **changes: Any) -> None:
    at.folder = campaign(at.folder.path, guidelines=guidelines, **changes)


def test_a_change_is_refused_with_the_option_that_allows_it(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        change(at, "# Be kind\n")
        with pytest.raises(UserError, match=r"the guidelines changed after batch b1 .* --new-guidelines$"):
            at.plan()
        first = at.record.batches["b1"]
        assert reword_batches(at.folder, at.journal) == {"b1": 2}
        assert reword_batches(at.folder, at.journal) == {}, "a repeated command gives no other wording"
        assert not at.plan().new
        second = at.record.batches["b1"]
        assert "Be kind" in second.page.instruction
        assert at.record.wordings == {"b1": (first.asked.guidelines, second.asked.guidelines)}
        write_rows(tmp_path / "b2.jsonl", prompts(range(10, 14)))
        change(at, "# Be kind\n", batch="b2", responses="b2.jsonl")
        assert at.plan().new, "the next batch begins with the newest wording"
        assert "b2" not in at.record.wordings

        change(at, "# Alpha is the newer one\n")
        with pytest.raises(UserError, match="holds 'alpha', the name of a model"):
            reword_batches(at.folder, at.journal)
        change(at, "# Other\n", version=2)
        assert reword_batches(at.folder, at.journal) == {}, "guidelines of another version are for a new batch"
        at.journal.append("undone", "b1", write(Undone(())))
        assert (list(at.record.batches), at.record.wordings) == (["b2"], {})


NEW_BATCH = {"batch": "b2", "responses": "b2.jsonl"}
OTHER_CATEGORIES = {"categories": {"burns": "Burns"}}


@pytest.mark.parametrize(
    ("changes", "others"),
    [
        ({}, None),
        ({"votes": 2}, "votes"),
        ({"version": 2}, "version"),
        ({"seed": 9, "votes": 2}, "votes and seed"),
        (OTHER_CATEGORIES, "categories"),
        (NEW_BATCH, None),
        ({**NEW_BATCH, **OTHER_CATEGORIES}, "categories"),
    ],
    ids=str,
)
def test_every_refusal_of_new_guidelines_names_a_way_that_works(
    tmp_path: Path, changes: dict[str, Any], others: str | None
) -> None:
    write_rows(tmp_path / "b2.jsonl", prompts(range(10, 14)))
    with desk(tmp_path, protocol="safety") as at:
        change(at, "# Be kind\n", protocol="safety", **changes)
        with pytest.raises(UserError, match=r"guidelines.* changed after batch b1.* --new-guidelines$") as refused:
            at.plan()
        assert (f", or change the {others} back and give the new" in str(refused.value)) == (others is not None)
        at.folder = campaign(tmp_path, "# Be kind\n", protocol="safety", **(NEW_BATCH if "batch" in changes else {}))
        assert reword_batches(at.folder, at.journal) == {"b1": 2}
        assert at.plan().new == ("batch" in changes)


def test_a_vote_is_never_given_a_wording_that_its_annotator_may_not_have_seen(tmp_path: Path) -> None:
    with desk(tmp_path, votes=1) as at:
        before, open_page, after, edited = at.tasks()
        at.answer(before)
        first = at.answer(edited, second=1)
        before_any = list(statements(at.journal))
        change(at, "# Be kind\n", votes=1)
        reword_batches(at.folder, at.journal)
        at.answer(open_page, second=2)
        at.answer(after, marked(2), second=3)
        at.answer(edited, "b_better", second=4, number=int(first.rpartition("/")[2]))
        found = {row["pair_id"]: (row["first_wording"], row["last_wording"]) for row in at.load().wordings.to_pylist()}
        assert found == {
            before["pair_id"]: (1, 1),
            open_page["pair_id"]: (1, 2),
            after["pair_id"]: (2, 2),
            edited["pair_id"]: (1, 2),
        }
        change(at, "# Be fair\n", votes=1)
        assert reword_batches(at.folder, at.journal) == {"b1": 3}
        again = {row["pair_id"]: (row["first_wording"], row["last_wording"]) for row in at.load().wordings.to_pylist()}
        assert again == found, "a later change is not a vote's business"
        at.answer(after, marked(3), second=5, number=99)
        at.answer(open_page, marked(7), second=6, number=98)
        last = {row["pair_id"]: (row["first_wording"], row["last_wording"]) for row in at.load().wordings.to_pylist()}
        assert (last[after["pair_id"]], last[open_page["pair_id"]]) == ((3, 3), (3, 3))
        said = [
            line
            for line in statements(at.journal)
            if line.startswith((b'{"statement":"wording"', b'{"statement":"guide'))
        ]
        assert len(said) == 4 + 2
        assert not any(b'"wording"' in line or b'"guidelines"' in line for line in before_any)


def test_a_dataset_says_it_for_each_vote_only_if_there_are_several(tmp_path: Path) -> None:
    with desk(tmp_path, votes=1) as at:
        for task in at.tasks()[:2]:
            at.answer(task)
        plain = build([at.load()], tmp_path / "plain", families)
        assert "wordings" not in plain.manifest.tables
        assert "guidelines" not in (tmp_path / "plain/manifest.json").read_text()
        assert "## Guidelines" not in (tmp_path / "plain/README.md").read_text()
        change(at, "# Be kind\n", votes=1)
        reword_batches(at.folder, at.journal)
        at.answer(at.tasks()[2], marked(2))
        at.answer(at.tasks()[3])
        snapshot = at.load()
        built = build([snapshot], tmp_path / "several", families)
        assert built.manifest.tables["wordings"] == WORDINGS.version
        assert built.manifest.campaigns[0].batches[0].guidelines == snapshot.guidelines["b1"]
        assert "wordings.parquet" in built.manifest.files
        assert [(cells[2], cells[4]) for cells in by_wording([snapshot])] == [("1", "2"), ("1 to 2", "1"), ("2", "1")]
        card = (tmp_path / "several/README.md").read_text()
        assert "## Guidelines" in card
        assert snapshot.guidelines["b1"][1] in card
