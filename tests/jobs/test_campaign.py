"""The commands ``gristmill campaign ...`` as their users meet them: a data lead, and annotators in a browser."""

import codecs
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, Page, expect

from annotation.campaign.plan import page_of
from jobs.campaign.campaign_file import read_campaign
from tests.annotation.parts import Studio
from tests.annotation.ports import free_port
from tests.annotation.protocols.browsing import press, submit
from tests.jobs.calling import call

Gristmill = Callable[..., str]


@pytest.fixture
def gristmill(
    studio: Studio, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Gristmill:
    """Runs a command in an empty folder; returns what it printed, once its exit code is as expected."""
    monkeypatch.setenv("GRISTMILL_STUDIO_HOME", str(studio.home))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def run(*words: str | Path, code: int = 0) -> str:
        ended = call(*words, monkeypatch=monkeypatch)
        printed = capsys.readouterr()
        assert ended == code, printed.err
        assert studio.connection.token not in printed.out + printed.err
        return printed.out + printed.err

    return run


def change(old: str, new: str, folder: str = "mill") -> None:
    """Edits campaign.toml as a data lead does."""
    path = Path(folder, "campaign.toml")
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def sign_in(browser: Browser, link: str, email: str, password: str) -> Page:
    """The way of an annotator: the link of the invitation, the form, the guidelines, the first pair."""
    page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    page.goto(link)
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.locator(".gm-scale label").first.wait_for()
    expect(page.locator(".gm-guide")).to_be_visible(timeout=30_000)
    page.keyboard.press("Escape")
    expect(page.locator(".lsf-modal-ls")).to_have_count(0)
    return page


KEYS = {("preference", True): "1", ("preference", False): "8", ("safety", True): "1qph", ("safety", False): "8owa"}
"""By protocol, and whether the better response is the left one: significantly better (and safe, the other one not)."""


def label(page: Page, protocol: str, better: Callable[[str, str], bool], tasks: int) -> Counter[bool]:
    """Labels all tasks by keyboard; how often the left and the right response was the better one."""
    sides: Counter[bool] = Counter()
    for number in range(tasks):
        a, b = (letters(page.locator(f".gm-{side} .gm-response").inner_text()) for side in ("a", "b"))
        left = better(a, b)
        press(page, KEYS[protocol, left])
        prompt = page.locator(".gm-prompt").inner_text()
        submit(page)
        sides[left] += 1
        if number < tasks - 1:
            expect(page.locator(".gm-prompt")).not_to_have_text(prompt, use_inner_text=True, timeout=30_000)
            page.locator(".gm-scale label").first.wait_for()
    return sides


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


@pytest.mark.parametrize("protocol", ["preference", pytest.param("safety", marks=pytest.mark.soak)])
def test_from_new_to_a_dataset(protocol: str, gristmill: Gristmill, browser: Browser) -> None:
    """Four commands, a link and a key; what comes out is what was pressed, whatever the side."""
    email = f"lone-{protocol}@mill.example"
    assert "Next: edit campaign.toml" in gristmill("campaign", "new", "mill", "--protocol", protocol)
    change('["ann@mill.example", "bob@mill.example", "cy@mill.example"]', f'["{email}"]')
    change("votes = 3", "votes = 1")
    pushed = gristmill("campaign", "push", "mill")
    [tasks] = re.findall(r"(\d+) tasks added, 0 already there", pushed)
    [(link, password)] = re.findall(
        rf"{email}\n  link      (\S+)\n  password  (\S+)\n", gristmill("campaign", "invite", "mill")
    )

    rows = [
        json.loads(line)
        for name in ("responses", "gold")
        for line in Path(f"mill/{name}.jsonl").read_text().splitlines()
    ]
    wanted = [letters(row["chosen"] if "chosen" in row else row["responses"][1]["text"])[:12] for row in rows]

    def better(a: str, b: str) -> bool:
        left, right = (any(text.startswith(opening) for opening in wanted) for text in (a, b))
        assert left != right
        return left

    page = sign_in(browser, link, email, password)
    sides = label(page, protocol, better, int(tasks))
    page.context.close()
    assert min(sides[True], sides[False]) >= 2, "both sides were the better one"

    assert f"{tasks} annotations new or changed" in gristmill("campaign", "pull", "mill", "--quick")
    status = gristmill("campaign", "status", "mill")
    assert f"{tasks} of {tasks} tasks done" in status
    assert f"mill/a1 {email}" in status
    resolved = gristmill("campaign", "resolve", "mill")
    assert "significantly better" in resolved
    gristmill("dataset", "build", "mill", "--output", "out")
    out = [row for path in sorted(Path("out/comparisons").glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
    assert len(out) == sum("responses" in row for row in rows)
    assert {row["chosen_model"] for row in out} == {rows[0]["responses"][1]["model"]}
    assert {row["degree"] for row in out} == {"significantly_better"}
    if protocol == "safety":
        assert {(row["chosen_safe"], row["rejected_safe"]) for row in out} == {(True, False)}
        assert all(row["rejected_risks"] and not row["chosen_risks"] for row in out)


@pytest.fixture
def mill(gristmill: Gristmill) -> Gristmill:
    """The example, with two people of the tests' own."""
    gristmill("campaign", "new", "mill")
    change('["ann@mill.example", "bob@mill.example", "cy@mill.example"]', '["kim@mill.example", "lee@mill.example"]')
    change("dee@", "max@")
    change("votes = 3", "votes = 2")
    return gristmill


@pytest.mark.soak
def test_every_command_can_be_run_again(mill: Gristmill) -> None:
    first = mill("campaign", "push", "mill")
    assert "batch b1 made: 6 pairs and 2 gold pairs, 2 votes each, 16 tasks" in first
    again = mill("campaign", "push", "mill")
    assert "batch b1 is unchanged" in again
    assert "0 tasks added, 16 already there" in again
    text = mill("campaign", "invite", "mill")
    assert text == mill("campaign", "invite", "mill")
    told = re.findall(r"(\S+@\S+)\n  link      (\S+|\(no tasks yet\))\n  password  (\S+)\n", text)
    letters = json.loads(mill("campaign", "invite", "mill", "--json"))["invitations"]
    assert [(each["email"], each["link"] or "(no tasks yet)", each["password"]) for each in letters] == told
    head, *rows = mill("campaign", "invite", "mill", "--csv").splitlines()
    assert head == "email,link,password"
    assert rows == [f"{each['email']},{each['link'] or ''},{each['password']}" for each in letters]
    assert "0 annotations new or changed" in mill("campaign", "pull", "mill")
    assert "0 of 16 tasks done" in mill("campaign", "status", "mill")
    assert "too few votes so far" in mill("campaign", "resolve", "mill")
    assert "0 pairs given to adjudicators, of 0 to adjudicate" in mill("campaign", "adjudicate", "mill")


@pytest.mark.soak
def test_somebody_joins_and_somebody_leaves(mill: Gristmill) -> None:
    mill("campaign", "push", "mill")
    change('"lee@mill.example"]', '"lee@mill.example", "pat@mill.example"]')
    assert (
        "pat@mill.example joined after the batch was made and has no tasks: gristmill campaign reassign mill --to"
        in mill("campaign", "push", "mill")
    )
    assert " reassigned" in mill("campaign", "reassign", "mill", "--to", "pat@mill.example")
    assert "the votes of kim@mill.example no longer count" in mill("campaign", "withdraw", "mill", "kim@mill.example")
    assert " reassigned" in mill("campaign", "reassign", "mill", "--from", "kim@mill.example")
    status = [line.split() for line in mill("campaign", "status", "mill").splitlines()]
    open_tasks = {line[1]: int(line[3]) for line in status if line and line[0].startswith("mill/a")}
    assert open_tasks.get("kim@mill.example", 0) == 0
    assert all(open_tasks[f"{name}@mill.example"] >= 6 for name in ("lee", "pat")), "each pair still gets two votes"
    assert "the votes of kim@mill.example count again" in mill(
        "campaign", "withdraw", "mill", "kim@mill.example", "--undo"
    )


MISTAKES: list[tuple[list[str], tuple[str, str] | None, str]] = [
    (["campaign", "new", "mill"], None, "mill exists and is not an empty folder: choose another name"),
    (["campaign", "push", "nowhere"], None, "nowhere has no campaign.toml"),
    (["campaign", "pull", "mill"], None, "has no campaign.db yet: run gristmill campaign push first"),
    (["campaign", "status", "mill"], None, "run gristmill campaign push first"),
    (["campaign", "withdraw", "mill", "zoe@mill.example"], None, "run gristmill campaign push first"),
    (["campaign", "invite", "mill", "zoe@mill.example"], None, "zoe@mill.example is not in mill/campaign.toml"),
    (["campaign", "push", "mill"], ("votes = 2", "votes = 7"), "votes is 7 and annotators names 2"),
    (["campaign", "push", "mill"], ("votes = 2", "votes = "), "campaign.toml is not valid TOML"),
    (["campaign", "push", "mill"], ("votes = 2", "votes = 'two'"), "votes"),
    (["campaign", "push", "mill"], ("votes = 2", "vote = 2"), "vote"),
    (["campaign", "push", "mill"], ('"kim@mill.example"', '"kim"'), "annotators holds 'kim'"),
    (["campaign", "push", "mill"], ('"kim@mill.example"', '"zoë@mill.example"'), "by an email address, in ASCII"),
    (["campaign", "push", "mill"], ('"responses.jsonl"', '"answers.jsonl"'), "answers.jsonl"),
    (
        ["campaign", "push", "mill"],
        ('"responses.jsonl"', '"a\\u0000b"'),
        "give a text that is valid UTF-8, without null characters",
    ),
    (
        ["campaign", "push", "mill"],
        ('"gold.jsonl"', '"a\\u0000b"'),
        "give a text that is valid UTF-8, without null characters",
    ),
    (
        ["campaign", "push", "mill"],
        ('batch = "b1"', 'batch = "b1"\nguidelines = "a\\u0000b"'),
        "give a text that is valid UTF-8, without null characters",
    ),
    (["campaign", "push", "mill"], ('"gold.jsonl"', '"golden.jsonl"'), "golden.jsonl"),
    (["campaign", "push", "mill"], ('"preference"', '"liking"'), "choose from preference, safety"),
    (
        ["campaign", "push", "mill", "--home", "empty"],
        None,
        "no Label Studio runs in empty: run `gristmill",
    ),
    (["campaign", "new", "other", "--protocol", "liking"], None, "'liking' is not one of 'preference', 'safety'"),
    (["campaign", "pull", "mill", "--every", "0"], None, "--every"),
    (["campaign", "pull", "mill", "--every", "inf"], None, "--every is inf: give a number of seconds"),
    (["campaign", "pull", "mill", "--every", "nan"], None, "--every is nan: give a number of seconds"),
    (["dataset", "build", "mill", "--output", "out"], None, "run gristmill campaign push first"),
]


@pytest.mark.parametrize(
    ("words", "edit", "said"), MISTAKES, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    words: list[str], edit: tuple[str, str] | None, said: str, mill: Gristmill
) -> None:
    if edit:
        change(*edit)
    printed = mill(*words, code=2)
    assert said in printed
    assert len(printed.strip().splitlines()) == 1 or printed.startswith("Usage:"), printed


def test_a_batch_that_was_pushed_stays_as_it_is(mill: Gristmill) -> None:
    mill("campaign", "push", "mill")
    change("seed = 1", "seed = 2")
    assert "batch b1" in mill("campaign", "push", "mill", code=2)
    change("seed = 2", "seed = 1")
    guidelines = Path("mill/guidelines.md")
    guidelines.write_text(guidelines.read_text(encoding="utf-8") + "\nBe kind.\n", encoding="utf-8")
    assert "--new-guidelines" in mill("campaign", "push", "mill", code=2)
    printed = mill("campaign", "push", "mill", "--new-guidelines")
    assert "batch b1: guidelines.md is noted as wording 2 of its guidelines" in printed
    assert "2 projects got the new guidelines" in printed
    assert "Guidelines of b1: wording 2 is in force; votes: none yet." in mill("campaign", "status", "mill")


def test_a_server_that_is_down_is_one_sentence_and_exit_code_1(
    mill: Gristmill, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.studio.client.PAUSE", 0.001)
    monkeypatch.setenv("GRISTMILL_STUDIO_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("GRISTMILL_STUDIO_TOKEN", studio.connection.token)
    printed = mill("campaign", "push", "mill", code=1)
    assert "does not answer" in printed
    monkeypatch.delenv("GRISTMILL_STUDIO_TOKEN")
    assert "GRISTMILL_STUDIO_URL is set and GRISTMILL_STUDIO_TOKEN is not" in mill("campaign", "push", "mill", code=2)


def test_a_server_of_one_s_own_is_used_by_its_address_and_token(
    mill: Gristmill, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRISTMILL_STUDIO_HOME", "nowhere")
    monkeypatch.setenv("GRISTMILL_STUDIO_URL", studio.connection.url + "/")
    monkeypatch.setenv("GRISTMILL_STUDIO_TOKEN", studio.connection.token)
    printed = mill("campaign", "push", "mill")
    assert f"{studio.connection.url}: 16 tasks added" in printed
    assert "has no gate before it" in printed
    assert "has no gate before it" not in mill("campaign", "push", "mill")
    assert f"link      {studio.connection.url}/user/login/" in mill("campaign", "invite", "mill")
    monkeypatch.setenv("GRISTMILL_STUDIO_TOKEN", studio.connection.token[:-6] + "AAAAAA")
    printed = mill("campaign", "pull", "mill", code=2)
    assert "refuses the token" in printed
    assert studio.connection.token[:-6] not in printed


@pytest.mark.parametrize(
    ("url", "token", "said"),
    [
        ("http://user:hunter2@127.0.0.1:1", "abc", "GRISTMILL_STUDIO_URL holds an @"),
        ("http://127.0.0.1:1", "abc\ndef", "GRISTMILL_STUDIO_TOKEN is not a token"),
        ("http://127.0.0.1:1", "zoë", "GRISTMILL_STUDIO_TOKEN is not a token"),
    ],
)
def test_a_connection_that_cannot_be_is_one_sentence(
    url: str, token: str, said: str, mill: Gristmill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRISTMILL_STUDIO_URL", url)
    monkeypatch.setenv("GRISTMILL_STUDIO_TOKEN", token)
    printed = mill("campaign", "push", "mill", code=2)
    assert said in printed
    assert not [secret for secret in ("hunter2", "def", "zoë") if secret in printed]


def test_somebody_leaves_and_nothing_stops(mill: Gristmill) -> None:
    mill("campaign", "push", "mill")
    change('["kim@mill.example", "lee@mill.example"]', '["kim@mill.example"]')
    assert "0 of 16 tasks done" in mill("campaign", "status", "mill")
    mill("campaign", "pull", "mill")
    printed = mill("campaign", "reassign", "mill", "--from", "lee@mill.example", "--to", "kim@mill.example", code=2)
    assert "kim@mill.example was already asked about the unfinished pairs of lee@mill.example" in printed
    assert "batch b1 is unchanged" in mill("campaign", "push", "mill")
    change('batch = "b1"', 'batch = "b2"')
    assert "votes is 2 and annotators names 1" in mill("campaign", "push", "mill", code=2)


def test_a_changed_policy_holds_for_the_next_dataset(mill: Gristmill) -> None:
    mill("campaign", "push", "mill")
    mill("dataset", "build", "mill", "--output", "one")
    change('use = "majority"', 'use = "unanimous"')
    mill("dataset", "build", "mill", "--output", "two")
    policies = [
        json.loads(Path(name, "manifest.json").read_bytes())["campaigns"][0]["policy"] for name in ("one", "two")
    ]
    assert [policy["use"] for policy in policies] == ["majority", "unanimous"]


def test_an_older_revision_asks_nothing_of_campaign_toml(mill: Gristmill) -> None:
    mill("campaign", "push", "mill")
    [revision] = re.findall(r"revision (\d+)", mill("campaign", "pull", "mill"))
    Path("mill/campaign.toml").unlink()
    assert "mill has no campaign.toml" in mill("dataset", "build", "mill", "--output", "one", code=2)
    assert not Path("one").exists()
    assert "of 6 pairs unresolved" in mill("dataset", "build", "mill", "--output", "two", "--as-of", revision)


def test_files_with_a_byte_order_mark_are_read_as_without(mill: Gristmill) -> None:
    plain = read_campaign(Path("mill"))
    seen = page_of(plain)
    for name in ("campaign.toml", "guidelines.md", "responses.jsonl", "gold.jsonl"):
        path = Path("mill", name)
        path.write_bytes(codecs.BOM_UTF8 + path.read_bytes())
    marked = read_campaign(Path("mill"))
    assert (marked, page_of(marked)) == (plain, seen)
    assert "6 pairs and 2 gold pairs" in mill("campaign", "push", "mill")


def row(**changes: Any) -> str:
    both = [{"model": name, "temperature": 0.7, "text": name, **changes} for name in ("one", "two")]
    return json.dumps({"prompt_id": "p", "prompt": "?", "responses": both})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"prompt": "?"}\n' * 1200, r"\(1,200; the first is responses.jsonl, line 1: the row needs responses"),
        (row(temperature="0.7").encode(), r"\(1; the first is responses.jsonl, line 1: the temperature of a response"),
        (row().replace('"p"', "1.5").encode(), r"\(1; the first is responses.jsonl, line 1: prompt_id must be a text"),
    ],
    ids=["no responses", "temperature as a text", "decimal id"],
)
def test_responses_without_a_usable_row_say_why(data: bytes, said: str, mill: Gristmill) -> None:
    Path("mill/responses.jsonl").write_bytes(data)
    printed = mill("campaign", "push", "mill", code=2)
    assert re.search(r"\(no prompts\): correct its invalid rows " + said, printed)
    assert len(printed.strip().splitlines()) == 1
