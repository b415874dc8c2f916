"""Length-controlled win rates of imported and of judged votes: whose votes, which difficulty, and what is said."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotation.evaluation.difficulties import LARGEST, read_difficulties
from annotation.evaluation.forms.importing import tables_of_votes
from annotation.evaluation.forms.judgments import read_votes
from annotation.evaluation.length_control import LengthControl, length_controlled_rates
from annotation.evaluation.numbers import Number
from annotation.evaluation.reported import Choices, report_of
from annotation.evaluation.sources import Source, of_verdicts
from annotation.statistics.length_controlled import Compared, length_controlled
from schemas.errors import UserError
from tests.annotation.evaluation.reports import judged, manifest_of, rated, voted
from tests.annotation.statistics.test_length_controlled import HARD, PROMPTS, made

BASE = 900


def annotations(kind: str, model: str, baseline: str, *, turned: bool = False) -> list[dict[str, Any]]:
    """The made votes as alpaca_eval writes them; ``turned``: the baseline is the second output."""
    held = made(kind, whole=False)
    rows = []
    for n, (preference, longer) in enumerate(zip(held.preference.tolist(), held.longer.tolist(), strict=True)):
        sides = [(baseline, "b" * BASE), (model, "m" * int(BASE + longer))]
        (one, first), (other, second) = sides[::-1] if turned else sides
        about: dict[str, Any] = {"instruction": f"What is {n}?", "annotator": "judge"}
        about["preference"] = 2 - preference if turned else 1 + preference
        rows.append({**about, "generator_1": one, "output_1": first, "generator_2": other, "output_2": second})
    return rows


def source(folder: Path, *groups: list[dict[str, Any]]) -> Source:
    folder.mkdir(exist_ok=True)
    path = folder / "annotations.json"
    path.write_text(json.dumps([row for rows in groups for row in rows]))
    tables = tables_of_votes(read_votes([path]))
    return of_verdicts("others", manifest_of(compared=[list(pair) for pair in tables.compared]), tables)


def numbers(*sources: Source, **control: Any) -> list[Number]:
    return [each.number for each in length_controlled_rates(sources, LengthControl(**control))]


def written(folder: Path) -> tuple[Path, Path]:
    """Difficulties in alpaca_eval's own form, and the instructions that their index counts."""
    hard, order = folder / "instruction_difficulty.csv", folder / "alpaca_eval.json"
    hard.write_text(
        "index,instruction_difficulty\n" + "".join(f"{n},{value!r}\n" for n, value in enumerate(HARD.tolist()))
    )
    order.write_text(json.dumps([{"instruction": f"What is {n}?", "dataset": "made"} for n in PROMPTS.tolist()]))
    return hard, order


def test_an_import_of_alpaca_eval_has_its_win_rate(tmp_path: Path) -> None:
    """Whichever of the two models is the first by name, and the first output. Weighted preferences count as such."""
    expected = length_controlled(made("long", whole=False)).interval
    known = read_difficulties(*written(tmp_path))
    for model, baseline, turned in (("new", "old", False), ("new", "old", True), ("a", "b", False), ("b", "a", True)):
        held = source(tmp_path / f"{model}{turned}", annotations("long", model, baseline, turned=turned))
        [found] = numbers(held, baseline=baseline, difficulties=known)
        assert (found.model, found.opponent, found.votes) == (model, baseline, len(PROMPTS))
        assert found.value == pytest.approx(expected.value, abs=5e-3), "prompts are divided in another order"
        assert found.low == pytest.approx(expected.low, abs=1e-2)
        assert "difficulty from instruction_difficulty.csv" in found.method


def test_difficulties_are_estimated_from_the_other_models(tmp_path: Path) -> None:
    one = annotations("long", "one", "old")
    alone = numbers(source(tmp_path / "alone", one), baseline="old")
    assert "not used, as there is no other model" in alone[0].method
    held = source(tmp_path / "three", one, annotations("short", "two", "old"), annotations("even", "three", "old"))
    found = numbers(held, baseline="old")
    assert [each.model for each in found] == ["one", "three", "two"], "the highest first"
    assert all("estimated from 2 other models of the source" in each.method for each in found)


def test_variants_of_the_baseline_hold_the_effect_of_length_and_are_not_rated(tmp_path: Path) -> None:
    held = source(tmp_path, annotations("even", "new", "old"), annotations("long", "old-verbose", "old"))
    [found] = numbers(held, baseline="old", variants=("old-verbose",))
    assert found.model == "new"
    assert "of length, held near that of old-verbose" in found.method


def test_people_and_verdicts_without_texts_are_named() -> None:
    people = voted({"a": ["win", "loss"] * 4, "b": ["win", "win"] * 4})
    [found] = numbers(people, baseline="beta")
    assert (found.value, found.left_out) == (None, "16 without texts")
    assert found.method == "no value: fewer than 5 prompts have a verdict"
    judge = judged(
        ["first", "second", "tie", "refused", "first", "first", "second"] * 3, unanswered=[("alpha", "p9999")]
    )
    [rate] = numbers(judge, baseline="beta")
    assert rate.value is not None
    assert (rate.votes, rate.left_out) == (18, "3 refused, 1 missing")


def test_a_source_without_the_baseline_says_so() -> None:
    one, other = judged(["first", "second"] * 5, name="one"), judged(["first"] * 5, ("gamma", "delta"), name="other")
    found = numbers(one, other, baseline="beta")
    assert [(each.source, each.model) for each in found] == [("one", "alpha"), ("other", None)]
    assert found[1].method == "no votes on beta and another model"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("prompt_id,instruction_difficulty\np0000,0.5\n", "has no difficulty of the prompt 'p0001' and of 8 others"),
        ("prompt_id,instruction_difficulty\np1,hard\n", "row 1: instruction_difficulty is 'hard': give a number"),
        ("prompt_id,instruction_difficulty\np1,1e200\n", "is '1e200': give a number from -1,000,000 to 1,000,000"),
        ("index,instruction_difficulty\n0,0.5\n", "row 1: index '0' is not the place of one of any instructions"),
        ("prompt_id,instruction_difficulty\np1,1\np1,2\n", "row 2: the prompt already has another difficulty"),
        ("prompt_id,instruction_difficulty\n", "holds no difficulty"),
    ],
)
def test_a_wrong_file_of_difficulties_is_one_sentence(lines: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "hard.csv").write_text(lines)
    with pytest.raises(UserError, match=message):
        numbers(judged(["first", "second"] * 5), baseline="beta", difficulties=read_difficulties(tmp_path / "hard.csv"))


def test_an_unknown_baseline_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="no source compares a model 'bata': choose one of alpha, beta"):
        numbers(judged(["first", "second"]), baseline="bata")


def test_equal_votes_of_several_people_count_each() -> None:
    """Two people who say the same have the votes of one twice; the value stays, up to the strength of the penalty."""
    held = made("even", whole=True)
    twice = Compared(*(np.repeat(column, 2) for column in (held.preference, held.longer, HARD)), np.repeat(PROMPTS, 2))
    assert length_controlled(twice).interval.value == pytest.approx(length_controlled(held).interval.value, abs=0.005)


@pytest.mark.parametrize("hardest", [-LARGEST, 1e-300, LARGEST])
def test_the_hardest_instruction_that_a_file_may_name_has_a_rate(hardest: float, tmp_path: Path) -> None:
    lines = [f"p{n:04},{hardest if n % 3 else 0.5}" for n in range(30)]
    (tmp_path / "hard.csv").write_text("\n".join(["prompt_id,instruction_difficulty", *lines]))
    held = judged(["first", "second", "first", "tie", "first"] * 6)
    [found] = numbers(held, baseline="beta", difficulties=read_difficulties(tmp_path / "hard.csv"))
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert "nan" not in found.method


def test_a_variant_without_votes_against_the_baseline_is_said_to_hold_nothing(tmp_path: Path) -> None:
    beside = source(tmp_path / "beside", annotations("even", "new", "old"), annotations("long", "loud", "new"))
    [found] = numbers(beside, baseline="old", variants=("loud",))
    assert "held near" not in found.method
    assert "no votes with texts and a verdict on loud against old" in found.method


def test_a_source_of_variants_alone_says_so(tmp_path: Path) -> None:
    [found] = numbers(source(tmp_path, annotations("long", "loud", "old")), baseline="old", variants=("loud",))
    assert (found.value, found.method) == (None, "no votes on old and another model than its variants")


def test_sources_without_votes_on_pairs_are_refused() -> None:
    with pytest.raises(UserError, match="no source has votes on pairs"):
        report_of([rated({"v1": [1, 4], "v2": [2, 5]})], Choices(length_control=LengthControl("old")))
