"""A page with reworded guidelines asks the same, and its answers name its wording."""

from xml.etree import ElementTree

import pytest

from annotation.protocols import PROTOCOLS
from annotation.protocols.wording import reword, wording_of
from tests.annotation.campaigns import choices


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_only_the_guidelines_and_the_hidden_number_differ(name: str) -> None:
    first = PROTOCOLS[name].page("# Old", ())
    second = reword(first, "new", 2)
    [hidden] = [
        view for view in ElementTree.fromstring(second.config).iter("View") if "gm-wording" in view.attrib.values()
    ]
    assert (hidden.attrib["style"], hidden[0].attrib["defaultValue"]) == ("display: none", "2")
    assert second.instruction == "new"
    assert reword(second, "newer", 3) == reword(first, "newer", 3)
    tags = [
        [each.tag for each in ElementTree.fromstring(page.config).iter() if each is not None]
        for page in (first, second)
    ]
    assert len(tags[1]) == len(tags[0]) + 2


def test_an_answer_is_read_alike_whatever_its_wording() -> None:
    plain = choices(preference="a_better")
    marked = [*plain, {"from_name": "wording", "type": "number", "value": {"number": 3}}]
    read = PROTOCOLS["preference"].read
    assert read(marked, False, ()) == read(plain, False, ())
    assert (wording_of(plain), wording_of(marked)) == (1, 3)
    for odd in (None, {"number": None}, {"number": "4"}, {"number": -1}, {}):
        assert wording_of([{"from_name": "wording", "value": odd}]) == 1
