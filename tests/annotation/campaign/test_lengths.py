"""Tokens counted without a tokenizer."""

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.campaign.lengths import token_counts


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        (" \n\t", 0),
        ("The mill grinds.", 4),
        ("don't", 3),
        ("snake_case 3.14", 4),
        ("café déjà", 2),
        ("مرحبا بك", 2),
        ("磨坊很老", 4),
        ("“quoted”", 3),
        ("a—b", 3),
        ("🙂🙂", 2),
    ],
)
def test_by_hand(text: str, count: int) -> None:
    assert token_counts(pa.array([text])).tolist() == [count]


RULE = re.compile("[0-9A-Za-z_\u0080-\u07ff]+|[!-/:-@\\[-^`{-~\u0800-\U0010ffff]")


@given(st.lists(st.text("aZ_9 .\n\x00é磨🙂ß"), max_size=20))
def test_token_counts_follow_the_rule(texts: list[str]) -> None:
    expected = [len(RULE.findall(text)) for text in texts]
    assert token_counts(pa.array(texts, pa.string())).tolist() == expected
    assert token_counts(pa.array(["a b", *texts], pa.large_string())[1:]).tolist() == expected


def test_more_rows_than_a_block_and_nulls() -> None:
    column = pa.array(["one two"] * 1000 + [None])
    assert token_counts(column).sum() == 2000
    assert token_counts(pa.array([None], pa.string())).tolist() == [0]
