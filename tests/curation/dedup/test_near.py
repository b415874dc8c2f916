"""Families of prompts: what belongs together, what only looks alike, and that order never matters."""

import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup.near import families

MILL = "Explain how an overshot water wheel turns the stones of a grist mill, step by step."
TEN = "Name ten good books about old mills in northern Europe"
CAFE = "Où est le café près du moulin ?"
LONG = (
    "I run a small grist mill on a river in the north and want to grind spelt for a baker who asks for flour that is "
    "both fine and cool. The stones are four feet wide and turn a hundred times a minute. How should I dress them, how "
    "far apart should they stand, and what would you do when the flour comes out warm to the hand in summer?"
)

SAME = {
    "case": (MILL, MILL.upper()),
    "punctuation": (MILL, MILL.replace(",", " -").rstrip(".") + "!!"),
    "white space": (MILL, "  " + MILL.replace(" ", "\n\t ") + "\n"),
    "NFC and NFD": (CAFE, unicodedata.normalize("NFD", CAFE)),
    "one word of ten": (TEN, TEN.replace("good", "fine")),
    "a word more": (MILL, MILL.replace("grist mill", "small grist mill")),
    "a word less": (MILL, MILL.replace("water ", "")),
    "a sentence moved": (LONG, " ".join(reversed(LONG.split(". ")))),
    "some words of many": (LONG, LONG.replace("river", "stream").replace("baker", "shop").replace("hundred", "dozen")),
    "short": ("Sing.", " sing"),
    "one character of ten in Chinese": ("水车怎样带动磨坊的石头转", "水车如样带动磨坊的石头转"),
    "no words": ("???", " ???\n"),
    "nothing": ("", "  "),
}

APART = {
    "a template": (
        "Translate this sentence into French: The miller sleeps.",
        "Translate this sentence into French: My sister plays the piano on Sundays.",
    ),
    "one word of six": ("What is the capital of France?", "What is the capital of Spain?"),
    "a poem about something": (
        "Write a short poem about the sea in the style of Keats",
        "Write a short poem about war in the style of Plath",
    ),
    "other words": (MILL, LONG),
    "other short words": ("Sing.", "Dance."),
    "without words": ("???", "!!!"),
    "a word and nothing": ("Sing.", ""),
    "a beginning": (MILL, MILL + " " + LONG),
}


@pytest.mark.parametrize("name", SAME)
def test_what_is_nearly_the_same_is_one_family(name: str) -> None:
    left, right = families(pa.array(SAME[name]))
    assert left == right


@pytest.mark.parametrize("name", APART)
def test_texts_that_only_look_alike_are_two_families(name: str) -> None:
    left, right = families(pa.array(APART[name]))
    assert left != right


def test_a_chain_is_one_family() -> None:
    words = [f"word{n}" for n in range(20)]
    chain = [" ".join([*(f"other{k}" for k in range(n)), *words[n:]]) for n in range(20)]
    assert set(families(pa.array(chain)).tolist()) == {0}
    assert len(set(families(pa.array([chain[0], chain[-1]])).tolist())) == 2


def test_a_change_of_one_word_in_nine_is_found_nearly_always() -> None:
    draw = np.random.default_rng(0)
    for size in (9, 20, 60, 200):
        texts = draw.integers(0, 5000, (500, size))
        changed = texts.copy()
        for row in changed:
            row[draw.choice(size, size // 9, replace=False)] += 10_000
        found = families(pa.array([" ".join(f"w{word}" for word in row) for row in (*texts, *changed)]))
        assert (found[:500] == found[500:]).mean() >= 0.998
        assert len(set(found[:500].tolist())) == 500


def test_a_near_duplicate_is_found_among_thousands_of_one_template() -> None:
    draw = np.random.default_rng(1)
    one = "Write a short poem about {} in the manner of {} with {} stanzas and {} lines for {} and {}"
    texts = [one.format(*(f"w{n}" for n in row)) for row in draw.integers(0, 5000, (5000, 6))]
    twins = [text.replace("stanzas", "verses") for text in texts[:300]]
    found = families(pa.array([*texts, *twins]))
    assert (found[:300] == found[5000:]).mean() >= 0.99
    assert len(set(found[:5000].tolist())) > 4900


TEXT = st.lists(st.sampled_from(["mill", "Mill,", "stone", "a", "the", "é", "磨", "?"]), max_size=12).map(" ".join)


@given(st.lists(TEXT, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(texts: list[str], draw: object) -> None:
    found = dict(zip(texts, families(pa.array(texts, pa.string())).tolist(), strict=True))
    order = sorted(texts, reverse=True)
    assert [found[text] for text in order] == families(pa.array(order, pa.large_string())).tolist()
    assert sorted(set(found.values())) == list(range(len(set(found.values()))))


def test_slices_nulls_and_nothing() -> None:
    column = pa.array(["left out", MILL, None, "", MILL.lower()])
    mill, null, empty, again = families(column[1:])
    assert (mill == again, null == empty, mill == null) == (True, True, False)
    assert families(pa.array([], pa.string())).tolist() == []
