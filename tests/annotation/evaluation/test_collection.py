"""Votes that are collected for training also compare a new model with the previous one, step by step."""

from pathlib import Path

import pytest

from annotation.campaign.settings import Pairing
from annotation.evaluation.collection import Step, steps_of
from annotation.evaluation.reported import Choices, report_of, write
from annotation.evaluation.sources import Source, read_sources
from jobs.evaluation.sections import sections
from tests.annotation.campaigns import Desk, desk, prompts, write_rows
from tests.jobs.calling import call


def against(new: str, previous: str) -> Pairing:
    return Pairing(policy="new_vs_previous", new=new, previous=previous)


def prefer(mill: Desk, *, model: str, but: int) -> None:
    """Everybody prefers a model in the newest batch, except in the first ``but`` votes."""
    pairs = {row["pair_id"]: row for row in mill.record.pairs.to_pylist()}
    newest = [task for task in mill.tasks() if task["batch"] == mill.folder.campaign.batch]
    for place, task in enumerate(newest):
        on_left = (pairs[task["pair_id"]]["first_model"] == model) ^ task["swapped"]
        mill.answer(task, "a_better" if on_left ^ (place < but) else "b_better")


@pytest.fixture
def collected(tmp_path: Path) -> Source:
    """Two steps: beta wins 10 of 12 votes against alpha, then gamma 3 of 12 against beta."""
    with desk(tmp_path, pairs=against("beta", "alpha")) as mill:
        prefer(mill, model="beta", but=2)
        write_rows(tmp_path / "b2.jsonl", prompts(range(4, 8), ("beta", "gamma")))
        for name, value in (("batch", "b2"), ("responses", "b2.jsonl"), ("pairs", against("gamma", "beta"))):
            object.__setattr__(mill.folder.campaign, name, value)
        mill.plan()
        prefer(mill, model="gamma", but=9)
        assert steps_of(mill.record) == (Step("beta", "alpha", ("b1",)), Step("gamma", "beta", ("b2",)))
    [source] = read_sources([tmp_path])
    return source


def test_each_step_has_the_win_rate_of_its_new_model(
    collected: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = report_of([collected], Choices())
    found = [each.number for each in report.section("collection")]
    assert [(each.model, each.opponent, each.value, each.votes) for each in found] == [
        ("beta", "alpha", pytest.approx(10 / 12), 12),
        ("gamma", "beta", pytest.approx(3 / 12), 12),
    ]
    assert all(each.low is not None and each.low < (each.value or 0) for each in found)
    assert found[1].method.endswith("; all votes on the two models, which batch b2 compares as new and previous")
    write(tmp_path / "report", report, {})
    assert call("evaluation", "why", tmp_path / "report", str(found[1].number), monkeypatch=monkeypatch) == 0
    assert "made from 12 rows of votes.parquet, of which 12 count" in capsys.readouterr().out


def test_votes_of_other_batches_on_the_two_models_count_and_the_method_says_so(tmp_path: Path) -> None:
    with desk(tmp_path, pairs=against("beta", "alpha")) as mill:
        prefer(mill, model="beta", but=0)
        write_rows(tmp_path / "b2.jsonl", prompts(range(4, 8), ("alpha", "beta")))
        for name, value in (("batch", "b2"), ("responses", "b2.jsonl"), ("pairs", Pairing())):
            object.__setattr__(mill.folder.campaign, name, value)
        mill.plan()
        prefer(mill, model="alpha", but=0)
    [found] = report_of(read_sources([tmp_path]), Choices()).section("collection")
    assert (found.number.value, found.number.votes) == (0.5, 24)
    assert "all votes on the two models, which batch b1 compares as new and previous" in found.number.method


def test_the_page_has_a_chart_of_its_own_with_a_table_behind(collected: Source) -> None:
    [section] = [each for each in sections(report_of([collected], Choices())) if each.name == "collection"]
    [[(_, plot)]] = [group.plots for group in section.groups]
    assert plot.index("beta against alpha") < plot.index("gamma against beta")
    assert "83.3%" in plot
    assert [len(panel.numbers) for panel in section.panels] == [2]


@pytest.mark.parametrize(("protocol", "pairs"), [("evaluation", against("beta", "alpha")), ("preference", Pairing())])
def test_other_campaigns_have_no_such_chart(protocol: str, pairs: Pairing, tmp_path: Path) -> None:
    with desk(tmp_path, protocol=protocol, pairs=pairs) as mill:
        assert steps_of(mill.record) == ()
    [source] = read_sources([tmp_path])
    assert report_of([source], Choices()).section("collection") == []
