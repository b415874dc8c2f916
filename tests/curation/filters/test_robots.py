"""Documents that a site refuses to an agent fail; all others, and documents of unknown sites, do not."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.filters.robots import Robots
from schemas.errors import UserError

PRIVATE = "User-agent: *\nDisallow: /private\nAllow: /private/open\n"
ROBOTS = {
    "mill.example": PRIVATE,
    "www.mill.example": "User-agent: CCBot\nDisallow: /\n\nUser-agent: *\nAllow: /\n",
    "wild.example": "User-agent: *\nDisallow: /*.pdf$\n",
}


def entries(robots: dict[str, str]) -> tuple[str, ...]:
    return tuple(json.dumps({"host": host, "robots": text}) for host, text in robots.items())


def refused(step: Robots, *urls: str | None) -> list[int | None]:
    batch = pa.RecordBatch.from_arrays([pa.array(urls, pa.string())], ["url"])
    return step.measure(batch)["robots_refused"].to_pylist()  # type: ignore[no-any-return]


def test_rules_hold_for_the_host_and_the_agent(tmp_path: Path) -> None:
    (tmp_path / "robots.jsonl").write_text("".join(f"{line}\n" for line in entries(ROBOTS)))
    step = Robots(robots=(f"@{tmp_path}/robots.jsonl",))
    urls = ("http://mill.example/private/a", "https://MILL.example:443/private/open/a", "http://mill.example/")
    assert refused(step, *urls) == [1, 0, 0]
    assert refused(step, "http://www.mill.example/a", "http://wild.example/a.pdf", "http://wild.example/a.pdf?b") == [
        1,
        1,
        0,
    ]
    assert refused(Robots(robots=step.robots, agent="Other"), "http://www.mill.example/a") == [0]
    assert refused(step, "http://other.example/private", None, "", "http://[broken") == [None] * 4
    assert [rule.reason for rule in step.rules()] == ["robots"]
    assert list(step.list_digests()) == [f"{tmp_path}/robots.jsonl"]
    assert Robots().rules() == ()
    assert refused(Robots(), *urls) == [None] * 3


def test_a_byte_order_mark_before_the_rules_does_not_count() -> None:
    step = Robots(robots=entries({"mill.example": "\ufeffUser-agent: *\nDisallow: /"}))
    assert refused(step, "http://mill.example/a") == [1]


PATHS = st.lists(st.sampled_from(["/a", "/b", "/ab", "/a/b"]), max_size=3).map("".join)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.booleans(), PATHS.filter(bool)), max_size=5), PATHS)
def test_the_longest_rule_decides_and_allow_wins_a_tie(rules: list[tuple[bool, str]], path: str) -> None:
    """RFC 9309, section 2.2.2."""
    text = "User-agent: *\n" + "".join(f"{'Allow' if allow else 'Disallow'}: {rule}\n" for allow, rule in rules)
    path = path or "/"
    matching = sorted((len(rule), allow) for allow, rule in rules if path.startswith(rule))
    expected = bool(matching) and not matching[-1][1]
    assert refused(Robots(robots=entries({"mill.example": text})), f"http://mill.example{path}") == [int(expected)]


@pytest.mark.parametrize("entry", ["mill.example", "[]", '{"host": "mill.example"}', '{"host": "a/b", "robots": ""}'])
def test_an_entry_that_is_no_host_with_its_robots_is_refused(entry: str) -> None:
    with pytest.raises(UserError):
        Robots(robots=(entry,)).read_lists()


@pytest.mark.parametrize("agent", ["", " "])
def test_an_agent_without_a_name_is_refused(agent: str) -> None:
    with pytest.raises(UserError, match=r"robots\.agent is empty: give the product token of a crawler, such as CCBot"):
        Robots(agent=agent)
