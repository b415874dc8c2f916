"""Which responses are compared: nothing is lost, nothing comes twice, and ids depend on content alone."""

import random
from itertools import combinations
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.campaign.pairing import make_pairs, names_its_model, pair_id, whole_name
from annotation.campaign.responses import Prompt, Response
from annotation.campaign.settings import Pairing
from schemas.errors import UserError

RESPONSES = st.builds(
    Response,
    st.sampled_from(["alpha", "beta", "gamma"]),
    st.sampled_from([None, 0.0, 0.7]),
    st.sampled_from(["", " ", "one", "one ", "two", "three", "I am Alpha."]),
)
PROMPTS = st.lists(
    st.builds(
        lambda name, text, responses: Prompt(name, (("user", text),), tuple(responses)),
        st.uuids(version=4).map(str),
        st.sampled_from(["?", "!"]),
        st.lists(RESPONSES, max_size=5, unique=True),
    ),
    max_size=4,
)
PAIRINGS = st.one_of(
    st.builds(Pairing, self_naming=st.sampled_from(["keep", "drop"])),
    st.builds(Pairing, policy=st.just("random"), per_prompt=st.integers(1, 4)),
    st.just(Pairing(policy="new_vs_previous", new="beta", previous="alpha")),
)


def prompt(*texts: str, name: str = "p", model: str = "m{}") -> Prompt:
    return Prompt(name, (("user", "?"),), tuple(Response(model.format(n), 0.7, text) for n, text in enumerate(texts)))


def usable(each: Prompt, pairing: Pairing) -> list[Response]:
    kept = [response for response in each.responses if response.text.strip()]
    return [response for response in kept if pairing.self_naming == "keep" or not names_its_model(response)]


@given(PROMPTS, PAIRINGS, st.integers(0, 3))
def test_every_combination_is_accounted_for(prompts: list[Prompt], pairing: Pairing, seed: int) -> None:
    """Paired, identical, not drawn or repeated under another prompt: together all there are."""
    out, considered = make_pairs(prompts, pairing, seed), 0
    for each in prompts:
        responses = usable(each, pairing)
        if pairing.policy == "new_vs_previous":
            models = [response.model for response in responses]
            considered += models.count("beta") * models.count("alpha")
        else:
            considered += comb(len(responses), 2)
    counts = out.counts
    assert counts["paired"] + counts["identical"] + counts["not_drawn"] + counts["repeated"] == considered
    assert len(out.pairs) == counts["paired"] == len({each.pair_id for each in out.pairs})
    assert all(each.first.text.strip() != each.second.text.strip() for each in out.pairs)
    assert all(each.first in each.prompt.responses and each.second in each.prompt.responses for each in out.pairs)
    assert sum(problem.reason == "empty" for problem in out.problems) == counts["empty"]


@given(PROMPTS, PAIRINGS, st.randoms(use_true_random=False))
def test_the_order_of_prompts_and_responses_never_matters(
    prompts: list[Prompt], pairing: Pairing, draw: random.Random
) -> None:
    shuffled = [
        Prompt(each.prompt_id, each.messages, tuple(draw.sample(each.responses, len(each.responses))))
        for each in draw.sample(prompts, len(prompts))
    ]
    expected, found = make_pairs(prompts, pairing, 1), make_pairs(shuffled, pairing, 1)
    key = [(each.pair_id, each.prompt.prompt_id, each.first, each.second) for each in expected.pairs]
    assert [(each.pair_id, each.prompt.prompt_id, each.first, each.second) for each in found.pairs] == key
    assert found.counts == expected.counts


def test_an_id_depends_on_content_alone() -> None:
    here, there = prompt("one", "two"), prompt("one", "two", "three", name="other")
    first, second = here.responses
    assert pair_id(here, first, second) == pair_id(there, second, first) == "196d450e3c5e6b0dadd6a1ecf14683e1"
    others = [
        Response("m0", 0.7, "One"),
        Response("m0", 0.8, "one"),
        Response("m0", None, "one"),
        Response("x", 0.7, "one"),
    ]
    ids = {pair_id(here, other, second) for other in (first, *others)}
    assert len(ids) == 5
    assert pair_id(Prompt("p", (("user", "!"),), ()), first, second) not in ids


def test_a_pair_that_two_prompts_share_is_asked_once() -> None:
    out = make_pairs([prompt("one", "two", name="b"), prompt("one", "two", name="a")], Pairing(), 1)
    assert [each.prompt.prompt_id for each in out.pairs] == ["a"]
    assert out.counts["repeated"] == 1


def test_a_pair_is_the_same_under_every_policy() -> None:
    """A later batch under another policy knows what was asked before."""
    given_ = prompt("one", "two", "three")
    all_ = {each.pair_id for each in make_pairs([given_], Pairing(), 1).pairs}
    newer = make_pairs([given_], Pairing(policy="new_vs_previous", new="m2", previous="m0"), 1).pairs
    assert {each.pair_id for each in newer} < all_


def test_policies() -> None:
    given_ = Prompt(
        "p",
        (("user", "?"),),
        tuple(Response(model, heat, f"{model} {heat}") for model in ("old", "new", "other") for heat in (0.5, 1.0)),
    )
    assert len(make_pairs([given_], Pairing(), 1).pairs) == 15
    against = make_pairs([given_], Pairing(policy="new_vs_previous", new="new", previous="old"), 1)
    assert sorted((each.first.text, each.second.text) for each in against.pairs) == [
        (f"new {one}", f"old {other}") for one in (0.5, 1.0) for other in (0.5, 1.0)
    ]
    drawn = [make_pairs([given_], Pairing(policy="random", per_prompt=4), seed) for seed in range(20)]
    assert all(len(each.pairs) == 4 and each.counts["not_drawn"] == 11 for each in drawn)
    assert {each.pair_id for out in drawn for each in out.pairs} == {
        pair_id(given_, *two) for two in combinations(given_.responses, 2)
    }, "every pair can be drawn"


@pytest.mark.parametrize(
    ("model", "text", "named"),
    [
        ("llama-2-70b", "I am LLaMA.", True),
        ("llama-2-70b", "I am Llama2, at your service.", True),
        ("llama-2-70b", "I run on llama_2 70B", True),
        ("llama-2-70b", "Llamas eat grass.", False),
        ("meta-llama/Llama-2-7b-chat-hf", "As Llama 2, I cannot say.", True),
        ("mistralai/Mistral-7B", "My name is Mistral.", True),
        ("gpt-4", "This is GPT4.", True),
        ("gpt-4", "GPT-4o is another one.", False),
        ("gpt-4", "There are 4.", False),
        ("o1", "I am o1.", True),
        ("o1", "Go1 is a name.", False),
        ("a", "A mill is a mill.", False),
        ("模型", "我是模型。", False),  # no words are told apart in that script: only a name that stands alone is seen
        ("模型", "我是 模型 。", True),
        ("***", "***", False),
    ],
)
def test_a_response_that_names_its_model_is_found(model: str, text: str, named: bool) -> None:
    assert names_its_model(Response(model, None, text)) == named


def test_a_name_in_guidelines_is_the_whole_name() -> None:
    assert whole_name("stone-2").search("about Stone 2 and others")
    assert not whole_name("stone-2").search("stones and stone-20")


def test_what_is_empty_or_names_its_model_is_reported() -> None:
    given_ = prompt("I am m0.", "  ", "fine")
    kept, dropped = (make_pairs([given_], Pairing(self_naming=fate), 1) for fate in ("keep", "drop"))  # type: ignore[arg-type]
    assert [each.reason for each in kept.problems] == ["names_its_model", "empty"]
    assert (kept.counts["paired"], dropped.counts["paired"]) == (1, 0)
    assert "m0 names its own model: not paired" in dropped.problems[0].message


def test_pairings_that_cannot_be_are_refused() -> None:
    for wrong in (
        {"per_prompt": 0},
        {"policy": "new_vs_previous"},
        {"policy": "new_vs_previous", "new": "a", "previous": "a"},
    ):
        with pytest.raises(UserError):
            Pairing(**wrong)  # type: ignore[arg-type]
