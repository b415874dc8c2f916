"""A batch that was undone is as if it was never made, and its name can be used again."""

from pathlib import Path

from annotation.campaign.plan import plan
from annotation.journal.bodies import Numbers, ProjectMade, Seen, Undone, write
from annotation.journal.fold import fold
from annotation.journal.made import Made, made
from annotation.journal.places import Place
from annotation.judgments.snapshot import load
from curation.dedup.near import families
from tests.annotation.campaigns import campaign, desk, prompts, write_rows

UNDONE = write(Undone(("b1/vote/mill/a1",)))


def test_an_undone_batch_leaves_nothing_and_can_be_made_again(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        first = at.record
        at.journal.extend("dropped", [(uid, b"null") for uid in first.tasks["uid"].to_pylist()])
        at.journal.append("undone", "b1", UNDONE)
        gone = at.record
        assert (gone.batches, gone.pairs.num_rows, gone.tasks.num_rows, gone.dropped) == ({}, 0, 0, frozenset())
        assert gone.undone == ("b1",)

        write_rows(tmp_path / "b1.jsonl", prompts(range(2, 7)))
        at.folder = campaign(tmp_path, guidelines="# Edited\n", seed=4)
        assert plan(at.folder, at.journal, families).pairs == 5
        again = at.record
        assert (again.tasks.num_rows, again.dropped) == (15, frozenset()), "the same task has the same uid"
        assert set(first.tasks["uid"].to_pylist()) & set(again.tasks["uid"].to_pylist())
        assert load(tmp_path).assignments.num_rows == 15
        assert fold(at.journal, first.revision).tasks.equals(first.tasks)


def test_projects_of_an_undone_batch_are_forgotten(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        for number, place in enumerate(("b1/vote/mill/a1", "b2/vote/mill/a1"), 1):
            at.journal.append("project", place, write(ProjectMade(number, "2026", "p", "l", "i")))
            at.journal.append("numbers", place, write(Numbers(number, {"u": number * 10})))
            at.journal.append("seen", place, write(Seen(gone=True)))
        at.journal.append("undone", "b1", UNDONE)
        state = made(at.journal)
        assert [*state.projects] == [*state.seen] == [Place("b2", "vote", "mill/a1")]
        assert (state.places, state.tasks) == ({2: Place("b2", "vote", "mill/a1")}, {2: {20: "u"}})
        assert state.numbers == {"u": {(2, 20)}}
        empty = Made()
        empty.note("undone", "b1", UNDONE)
        assert empty == Made()
