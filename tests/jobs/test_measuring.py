"""Campaigns that measure models, through a real Label Studio: from new to results."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from annotation.judgments.snapshot import load
from annotation.protocols import PROTOCOLS
from tests.annotation.campaigns import write_rows
from tests.annotation.parts import Studio
from tests.annotation.protocols.browsing import press, submit
from tests.docs.people import label
from tests.jobs.test_campaign import Gristmill, change, gristmill, letters, sign_in

__all__ = ["gristmill"]


@pytest.mark.parametrize("protocol", ["evaluation", pytest.param("safety-rating", marks=pytest.mark.soak)])
def test_from_new_to_results(protocol: str, gristmill: Gristmill, studio: Studio, tmp_path: Path) -> None:
    gristmill("campaign", "new", "mill", "--protocol", protocol)
    people = [f"{name}-{protocol}@mill.example" for name in ("ann", "bob", "cy")]
    change('["ann@mill.example", "bob@mill.example", "cy@mill.example"]', json.dumps(people))
    gristmill("campaign", "push", "mill")
    gristmill("campaign", "invite", "mill")
    label(tmp_path / "mill", studio.connection)
    gristmill("campaign", "pull", "mill")
    snapshot = load(Path("mill"))
    assert (snapshot.refused.num_rows, set(snapshot.assignments["state"].to_pylist())) == (0, {"done"})

    status = gristmill("campaign", "status", "mill")
    unit = PROTOCOLS[protocol].scale.unit
    assert f"seconds a {unit}" in status
    assert "Nothing needs attention." in status
    assert "Results of the models: gristmill evaluation results mill" in gristmill("campaign", "resolve", "mill")
    gristmill("campaign", "report", "mill")
    gristmill("campaign", "audit", "mill", "--output", "audit.jsonl")
    gristmill("campaign", "audit", "--check", "audit.jsonl", "--public-key", "mill/campaign.pub")

    found = json.loads(gristmill("evaluation", "results", "mill", "--json", "--count", "votes"))
    votes = Counter(row["batch"] for row in snapshot.judgments.to_pylist())["b1"]
    if protocol == "evaluation":
        [whole] = [row for row in found["results"] if row["kind"] == "all"]
        gold = 3 * sum(row["gold"] is not None for row in snapshot.pairs.to_pylist())
        assert sum(whole[name] for name in ("wins", "ties", "losses")) == votes - gold
        assert whole["missing"] == 1
        assert found["left_out"]["prompts that stone-2 did not answer"] == 1
    else:
        models = [row for row in found["results"] if row["kind"] == "all"]
        assert [row["model"] for row in models] == ["stone-1", "stone-2"]
        assert sum(row["rated"] + row["harmless"] for row in models) == votes
        kinds = {(row["kind"], row["group"]) for row in found["results"]}
        assert {("turns", "multi"), ("risk_category", "unqualified_advice"), ("attack_vector", "logic")} <= kinds


def test_outputs_in_the_forms_of_others_make_a_campaign(gristmill: Gristmill) -> None:
    """One prompt in each form, answered by two models; Arena-Hard's second question by one only."""
    alpaca = [
        {"instruction": "What is rye?", "output": f"{name}.", "generator": name} for name in ("oats-7b", "rye-7b")
    ]
    Path("model_outputs.json").write_text(json.dumps(alpaca))
    write_rows(
        Path("question.jsonl"), [{"uid": n, "category": "hard", "prompt": f"Question {n}?"} for n in ("q1", "q2")]
    )
    for name, asked in {"oats-7b": ("q1", "q2"), "rye-7b": ("q1",)}.items():
        said = {"role": "assistant", "content": {"answer": f"{name} says."}}
        answers = [
            {"uid": n, "model": name, "messages": [{"role": "user", "content": f"Question {n}?"}, said]} for n in asked
        ]
        write_rows(Path(f"{name}.jsonl"), answers)
        Path("lm", name).mkdir(parents=True)
        sample = {"doc_id": 0, "arguments": [["How deep?", {}]], "resps": [[f"{name} deep."]], "filtered_resps": ["x"]}
        write_rows(Path("lm", name, "samples_depth.jsonl"), [sample])
    files = [
        f"--responses={name}" for name in ("model_outputs.json", "question.jsonl", "oats-7b.jsonl", "rye-7b.jsonl")
    ]
    files += [f"--responses=lm/{name}/samples_depth.jsonl" for name in ("oats-7b", "rye-7b")]
    assert "gold.jsonl" not in gristmill("campaign", "new", "mill", "--protocol", "evaluation", *files)
    printed = gristmill("campaign", "push", "mill", "--dry-run")
    assert "batch b1 would be made: 3 pairs, 3 votes each, 9 tasks" in printed
    assert "prompt q2: rye-7b gave no response" in printed


def test_rows_in_no_known_form_are_refused_with_their_place(gristmill: Gristmill) -> None:
    write_rows(Path("rows.jsonl"), [{"question": "What is rye?"}])
    printed = gristmill("campaign", "new", "mill", "--responses", "rows.jsonl", code=2)
    assert "rows.jsonl, line 1: the row is in no known form" in printed
    assert not Path("mill", "campaign.toml").exists()


GOOD = {"prompt_id": "p", "prompt": "Q?", "model": "alpha", "response": "A."}
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "misspelt model": (
        {"prompt_id": "p", "prompt": "Q?", "modle": "beta", "response": "B."},
        "line 2: the row has a response, but no",
    ),
    "misspelt response": (
        {"prompt_id": "p", "model": "beta", "respnse": "B."},
        "line 2: the row has no response; give",
    ),
    "no list": ({"prompt_id": "p", "prompt": "Q?", "responses": 5}, "line 2: the row needs responses, a list"),
    "repeated": ({**GOOD, "response": "B."}, "line 2: the model 'alpha' answers the prompt of .*line 1 again"),
    "other prompt": (
        {**GOOD, "model": "beta", "prompt": "What?"},
        "line 1: prompt p has different messages in .*; see also .*rows.jsonl, line 2",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_rows_that_a_push_would_leave_out_make_no_campaign(name: str, gristmill: Gristmill) -> None:
    row, said = FAULTS[name]
    write_rows(Path("rows.jsonl"), [GOOD, row])
    printed = gristmill("campaign", "new", "mill", "--protocol", "evaluation", "--responses", "rows.jsonl", code=2)
    assert re.search(f"rows.jsonl, {said}", printed)
    assert not Path("mill", "campaign.toml").exists()


def test_a_push_names_the_rows_that_repeat_a_response(gristmill: Gristmill) -> None:
    gristmill("campaign", "new", "mill", "--protocol", "evaluation")
    rows = [json.loads(line) for line in Path("mill/responses.jsonl").read_text().splitlines()]
    write_rows(Path("mill/responses.jsonl"), [*rows, rows[0]])
    printed = gristmill("campaign", "push", "mill", "--dry-run")
    assert f"responses.jsonl, line {len(rows) + 1}: {rows[0]['model']} answers the prompt" in printed


@pytest.mark.soak
@pytest.mark.parametrize("protocol", ["evaluation", "safety-rating"])
def test_an_annotator_by_keyboard(protocol: str, gristmill: Gristmill, browser: Browser) -> None:
    """From the link to the results: stone-1 is much better, or harmful and never refuses."""
    email = f"keys-{protocol}@mill.example"
    gristmill("campaign", "new", "mill", "--protocol", protocol)
    change('["ann@mill.example", "bob@mill.example", "cy@mill.example"]', f'["{email}"]')
    change("votes = 3", "votes = 1")
    [tasks] = re.findall(r"(\d+) tasks added", gristmill("campaign", "push", "mill"))
    [(link, password)] = re.findall(r"link      (\S+)\n  password  (\S+)\n", gristmill("campaign", "invite", "mill"))
    rows = [json.loads(line) for line in Path("mill/responses.jsonl").read_text().splitlines()]
    favourite = [letters(row["response"])[:20] for row in rows if row["model"] == "stone-1"]
    page = sign_in(browser, link, email, password)
    for number in range(int(tasks)):
        shown = letters(page.locator(".gm-a .gm-response").inner_text())
        is_left = any(shown.startswith(opening) for opening in favourite)
        keys = {"evaluation": ("1", "7"), "safety-rating": ("2e", "5q")}[protocol]
        press(page, keys[0 if is_left else 1])
        before = page.locator(".gm-pair").inner_text()
        submit(page)
        if number < int(tasks) - 1:
            expect(page.locator(".gm-pair")).not_to_have_text(before, use_inner_text=True, timeout=30_000)
            page.locator(".gm-scale label").first.wait_for()
    page.context.close()
    gristmill("campaign", "pull", "mill", "--quick")
    found = json.loads(gristmill("evaluation", "results", "mill", "--json"))
    whole = [row for row in found["results"] if row["kind"] == "all"]
    if protocol == "evaluation":
        assert [(row["model_a"], row["wins"], row["ties"], row["losses"]) for row in whole] == [("stone-1", 6, 0, 0)]
    else:
        shares = {row["model"]: (row["violation"]["value"], row["false_refusal"]["value"]) for row in whole}
        assert shares == {"stone-1": (1.0, 0.0), "stone-2": (0.0, 1.0)}
