"""Documents are judged by what they state of their rights, and nothing unknown is taken for something known."""

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.filters.rights import Rights
from curation.filters.rules import failures
from curation.rights.opt_outs import OPT_OUTS
from schemas.errors import UserError

PLAIN: dict[str, Any] = {"opt_outs": {}, "licence": "none"}


def batch(*metadata: dict[str, Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"metadata": pa.array(map(json.dumps, metadata), pa.large_string())})


def measured(step: Rights, *metadata: dict[str, Any]) -> list[dict[str, Any]]:
    found = step.measure(batch(*metadata))
    assert found.schema.equals(step.signals, check_metadata=True)
    return found.to_pylist()


def failed(step: Rights, *metadata: dict[str, Any]) -> list[list[str]]:
    rules = step.rules()
    found = failures(step.measure(batch(*metadata)), rules)
    return [[rule.reason for rule, fails in zip(rules, row, strict=True) if fails] for row in found.tolist()]


def test_a_page_has_what_it_states() -> None:
    licences = [{"licence": "cc-by-4.0", "place": "link"}, {"licence": "cc-by-4.0", "place": "footer"}]
    stated = {"opt_outs": {"tdm_reservation": "meta", "noai": "header"}, "tdm_reservation": 1, "licence": "cc-by-4.0"}
    step = Rights(opt_outs=("noai", "noindex"))
    rows = measured(step, {"rights": stated | {"licences": licences}}, {"rights": PLAIN}, {}, {"rights": "reserved"})
    assert rows[0] == {
        "opt_outs": "noai, tdm_reservation",
        "honoured_opt_outs": 1,
        "tdm_reservation": 1,
        "licence": "cc-by-4.0",
        "licence_place": "link, footer",
    }
    assert list(rows[1].values()) == ["", 0, None, "none", None]
    assert [list(row.values()) for row in rows[2:]] == [[None, None, None, "unknown", None]] * 2
    assert measured(step) == []


def test_opt_outs_reject_if_the_recipe_honours_them() -> None:
    pages = [{"rights": PLAIN | {"opt_outs": {name: "meta"}}} for name in OPT_OUTS]
    for place, name in enumerate(OPT_OUTS):
        expected = [["opt_out"] if page == place else [] for page in range(len(pages))]
        assert failed(Rights(opt_outs=(name,)), *pages, {}) == [*expected, []]
    assert failed(Rights(), *pages, {}) == [[]] * (len(pages) + 1)


def test_only_listed_licences_stay_and_unknown_ones_only_if_listed() -> None:
    licences = ["cc-by-4.0", "cc-by", "cc-by-sa-4.0", "cc0-1.0", "none", "other", "ambiguous"]
    pages = [*({"rights": PLAIN | {"licence": licence}} for licence in licences), {}]

    def kept(*names: str) -> list[str]:
        rows = zip([*licences, "unknown"], failed(Rights(licences=names), *pages), strict=True)
        return [licence for licence, reasons in rows if not reasons]

    assert kept("cc-by", "cc0") == ["cc-by-4.0", "cc-by", "cc0-1.0"]
    assert kept("cc-by-sa-4.0", "none") == ["cc-by-sa-4.0", "none"]
    assert kept("unknown", "ambiguous") == ["ambiguous", "unknown"]


def test_records_that_name_their_licence_are_judged_by_it() -> None:
    records = [{"license": "CC BY 4.0"}, {"metadata": {"license": "MIT"}}, {"license": ["MIT"]}, {"license": {"id": 1}}]
    assert [row["licence"] for row in measured(Rights(), *records)] == ["cc-by-4.0", "other", "other", "unknown"]
    assert [row["licence_place"] for row in measured(Rights(), *records)] == ["record", "record", "record", None]
    assert {row["opt_outs"] for row in measured(Rights(), *records)} == {None}
    lists = [{"license": ["CC0", "CC-BY-4.0"]}, {"license": [None, 5]}, {"license": "Unknown"}, {"license": " "}]
    assert [row["licence"] for row in measured(Rights(), *lists)] == ["ambiguous", "unknown", "unknown", "unknown"]


@pytest.mark.parametrize("reserved", [1.0, 2, "1", [1], None])
def test_a_record_with_an_invalid_reservation_does_not_say(reserved: object) -> None:
    [row] = measured(Rights(opt_outs=("noai",)), {"rights": {"opt_outs": {"noai": 1}, "tdm_reservation": reserved}})
    assert (row["honoured_opt_outs"], row["tdm_reservation"]) == (1, None)


def test_a_corpus_that_is_read_again_states_what_it_stated() -> None:
    stated = {"rights": {"opt_outs": {"noai": "meta"}, "licence": "cc-by-4.0", "tdm_reservation": 0}}
    assert measured(Rights(), {"metadata": json.dumps(stated)}) == measured(Rights(), stated)
    assert measured(Rights(), {"metadata": '{"rights": broken'})[0]["licence"] == "unknown"


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from(["cc-by-4.0", "noai", "link", "{", ""])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["rights", "opt_outs", "licence", "license", "licences", "place", "tdm_reservation", "noai"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(["rights", "license", "metadata"]), JSON), max_size=4))
def test_any_metadata_is_measured(metadata: list[dict[str, Any]]) -> None:
    for row in measured(Rights(opt_outs=("noai",)), *metadata):
        assert row["licence"]
        assert (row["opt_outs"] is None) == (row["honoured_opt_outs"] is None)


@pytest.mark.parametrize(
    ("given", "asked"), [({"opt_outs": ("nofollow",)}, "opt_outs"), ({"licences": ("cc-by-9.0",)}, "licences")]
)
def test_unknown_names_are_refused(given: dict[str, Any], asked: str) -> None:
    with pytest.raises(UserError, match=f"rights.{asked} cannot have"):
        Rights(**given)
