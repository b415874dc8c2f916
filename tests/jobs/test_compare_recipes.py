"""What a comparison of recipes says follows from each recipe's own verdicts."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.calling import GRAIN, call

Capsys = pytest.CaptureFixture[str]
FIELDS = [
    GRAIN,
    "Flour and bread.",
    "- Home\n- Shop\n" * 40,
    "Rye { } is sown. " * 30,
    f"{GRAIN}\nEnd\nof\nit",
    "Mehl und Brot.",
]


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """Documents on which the recipes differ."""
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps({"id": f"d{i}", "text": text}) + "\n" for i, text in enumerate(FIELDS)))
    return path


def verdicts(texts: Path, recipe: str, capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert call("verdict", "--recipe", recipe, texts, monkeypatch=monkeypatch) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def rules(verdict: dict[str, Any]) -> set[tuple[str, str]]:
    return {(failed["stage"], failed["reason"]) for failed in verdict["reasons"]}


def test_parts_are_the_rules_that_one_recipe_alone_applies(
    texts: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (verdicts(texts, name, capsys, monkeypatch) for name in ("gopher", "c4"))
    assert call("verdict", "--recipe", "gopher", "--recipe", "c4", texts, monkeypatch=monkeypatch) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["doc_id"] for line in lines] == [f"d{i}" for i in range(len(FIELDS))]
    parted = 0
    for line, gopher, c4 in zip(lines, one, other, strict=True):
        assert line["kept"] == {"gopher": gopher["kept"], "c4": c4["kept"]}
        assert {(part["stage"], part["reason"]) for part in line["parts"]} == rules(gopher) ^ rules(c4)
        for part in line["parts"]:
            for name, verdict in (("gopher", gopher), ("c4", c4)):
                found = [
                    each
                    for each in verdict["reasons"]
                    if (each["stage"], each["reason"]) == (part["stage"], part["reason"])
                ]
                assert bool(found) == bool(part[name] and part[name]["failed"])
                if found and found[0]["value"] is not None:
                    assert part[name]["value"] == pytest.approx(found[0]["value"], rel=1e-5)
                    assert part[name]["threshold"] == found[0]["threshold"]
        parted += len(line["parts"])
    assert parted


def test_counts_are_those_of_the_verdicts(texts: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = {name: verdicts(texts, name, capsys, monkeypatch) for name in ("gopher", "c4")}
    assert (
        call("compare-recipes", "--json", "--recipe", "gopher", "--recipe", "c4", texts, monkeypatch=monkeypatch) == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found["documents"] == len(FIELDS)
    assert found["kept"] == {name: sum(each["kept"] for each in own) for name, own in judged.items()}
    assert found["parted"] == sum(a["kept"] != b["kept"] for a, b in zip(*judged.values(), strict=True)) > 0
    failed = {name: Counter(rule for each in own for rule in rules(each)) for name, own in judged.items()}
    for each in found["rules"]:
        for name, count in each["failed"].items():
            assert count == failed[name].pop((each["stage"], each["reason"]), 0)
    assert not any(failed.values())


def test_a_finished_folder_is_compared_with_its_removed_documents(
    curated: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    capsys.readouterr()
    assert call("compare-recipes", curated, monkeypatch=monkeypatch) == 0
    printed = capsys.readouterr()
    assert "4 documents" in printed.out
    assert "after its rewrites" in printed.err
    kept = next(line for line in printed.out.splitlines() if line.startswith("kept"))
    assert "75.0%" in kept


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("compare-recipes", "--recipe", "gopher"), "leaves nothing to compare"),
        (("compare-recipes", "--recipe", "gopher", "--recipe", "gopher"), "is given twice"),
        (("verdict", "--recipe", "gopher", "--recipe", "gopher"), "is given twice"),
        (("verdict", "--recipe", "gopher", "--recipe", "gofer"), "gofer"),
    ],
)
def test_recipes_that_cannot_be_compared_are_refused(
    arguments: tuple[str, ...], said: str, texts: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call(*arguments, texts, monkeypatch=monkeypatch) == 2
    assert said in capsys.readouterr().err


def test_a_limit_compares_the_first_documents(texts: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("compare-recipes", "--limit", "2", "--json", texts, monkeypatch=monkeypatch) == 0
    assert json.loads(capsys.readouterr().out)["documents"] == 2
