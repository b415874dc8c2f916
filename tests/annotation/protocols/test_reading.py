"""`read` undoes `show`, says exactly what is wrong, and stands any payload."""

import copy
from html import escape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.protocols import PROTOCOLS, AnnotationReading, Category, Unreadable
from annotation.protocols.reporting import Report, read_report
from annotation.protocols.safety import CATEGORIES
from annotation.protocols.scale import EVALUATION, SAFETY_RATING, Scale
from annotation.protocols.scale import PREFERENCE as PREFERENCE_SCALE
from annotation.protocols.scale import SAFETY as SAFETY_SCALE
from schemas.errors import UserError
from schemas.preference import DEGREES, EVALUATION_DEGREES, RATINGS, REFUSALS

PREFERENCE, SAFETY = PROTOCOLS["preference"], PROTOCOLS["safety"]
COMPARING = [protocol for protocol in PROTOCOLS.values() if protocol.scale.compares]
PROMPT = [{"role": "user", "content": "Which stone grinds finer?"}]


def choice(question: str, *values: str) -> dict[str, Any]:
    """An answer as Label Studio 1.23.2 stores it."""
    return {
        "id": "wp1Q2",
        "from_name": question,
        "to_name": "prompt",
        "type": "choices",
        "origin": "manual",
        "value": {"choices": list(values)},
    }


def text(*values: str) -> dict[str, Any]:
    return {
        "id": "wp1Q3",
        "from_name": "comment",
        "to_name": "prompt",
        "type": "textarea",
        "value": {"text": [*values]},
    }


def unsafe(*risks: str) -> list[dict[str, Any]]:
    """A is safe and better, B is unsafe."""
    labels = [choice("safest", "a_better"), choice("safety_a", "safe"), choice("safety_b", "unsafe")]
    return [*labels, choice("risks_b", *risks)] if risks else labels


def reason(read: AnnotationReading | Unreadable) -> str:
    assert isinstance(read, Unreadable)
    assert read.message
    assert "\n" not in read.message
    return read.reason


@pytest.mark.parametrize("protocol", COMPARING, ids=lambda protocol: protocol.name)
@given(first=st.text(min_size=1), second=st.text(min_size=1), swapped=st.booleans())
def test_a_stands_where_the_sides_say(protocol: Any, first: str, second: str, swapped: bool) -> None:
    shown = protocol.show(PROMPT, first, second, swapped)
    assert shown == protocol.show(PROMPT, second, first, not swapped)
    assert set(shown) == {"history", "prompt", "a", "b"}
    assert all(isinstance(value, str) for value in shown.values())


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("step", PREFERENCE_SCALE.points, ids=lambda step: step.name)
def test_the_response_that_the_annotator_meant_is_read(step: Any, swapped: bool) -> None:
    shown = PREFERENCE.show(PROMPT, "the first", "the second", swapped)
    read = PREFERENCE.read([choice("preference", step.name)], swapped, ())
    assert isinstance(read, AnnotationReading)
    assert f"the {read.prefers}" in shown[step.side]
    assert read.degree == step.degree
    assert (read.first_safe, read.second_safe, read.first_risks, read.second_risks, read.comment) == (
        *(None, None),
        *((), ()),
        None,
    )


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("step", SAFETY_SCALE.points, ids=lambda step: step.name)
def test_safety_is_read_of_the_right_response(step: Any, swapped: bool) -> None:
    shown = SAFETY.show(PROMPT, "the first", "the second", swapped)
    answers = [*unsafe("unqualified_advice", "illicit_and_criminal")[1:], choice("safest", step.name)]
    read = SAFETY.read(answers, swapped, ())
    assert isinstance(read, AnnotationReading)
    assert f"the {read.prefers}" in shown[step.side]
    assert (read.first_safe, read.second_safe) == ((False, True) if swapped else (True, False))
    risks = ("illicit_and_criminal", "unqualified_advice")  # in the order in which they are offered
    assert (read.first_risks, read.second_risks) == ((risks, ()) if swapped else ((), risks))


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("step", EVALUATION.points, ids=lambda step: step.name)
def test_an_evaluation_is_read_of_the_right_response(step: Any, swapped: bool) -> None:
    protocol = PROTOCOLS["evaluation"]
    shown = protocol.show(PROMPT, "the first", "the second", swapped)
    read = protocol.read([choice("evaluation", step.name)], swapped, ())
    assert isinstance(read, AnnotationReading)
    assert read.degree == step.degree
    if step.side is None:
        assert (read.prefers, step.title) == ("tie", "About the same")
    else:
        assert f"the {read.prefers}" in shown[step.side]


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("rating", [1, 2, 3, 4, 5])
def test_a_rating_is_that_of_its_key(rating: int, refusal: str) -> None:
    protocol = PROTOCOLS["safety-rating"]
    [step] = [step for step in protocol.scale.points if step.key == str(rating)]
    read = protocol.read([choice("rating", step.name), choice("refusal", refusal)], False, ())
    assert isinstance(read, AnnotationReading)
    assert (read.rating, read.degree, read.refusal, read.prefers) == (rating, RATINGS[5 - rating], refusal, None)
    assert (step.outcome == "violation") == (rating <= 2)


def test_a_rating_without_the_other_answer_is_unreadable() -> None:
    protocol = PROTOCOLS["safety-rating"]
    assert reason(protocol.read([choice("rating", RATINGS[0])], False, ())) == "missing_answer"
    assert reason(protocol.read([choice("refusal", "none")], False, ())) == "missing_answer"


def test_the_scales_are_those_of_the_tables() -> None:
    for scale in (PREFERENCE_SCALE, SAFETY_SCALE):
        assert [step.degree for step in scale.points] == [*DEGREES, *reversed(DEGREES)]
        assert [step.side for step in scale.points] == ["a"] * 4 + ["b"] * 4
        assert scale.values == (-4, -3, -2, -1, 1, 2, 3, 4)
    assert [step.degree for step in EVALUATION.points] == [*EVALUATION_DEGREES, *reversed(EVALUATION_DEGREES[:-1])]
    assert EVALUATION.values == (-3, -2, -1, 0, 1, 2, 3)
    assert [step.title for step in EVALUATION.points][:4] == [
        *("A is much better", "A is better", "A is slightly better", "About the same")
    ]
    assert SAFETY_RATING.values == (1, 2, 3, 4, 5)


@pytest.mark.parametrize("scale", [PREFERENCE_SCALE, SAFETY_SCALE, EVALUATION], ids=lambda scale: scale.question)
def test_a_swap_mirrors_a_scale(scale: Scale) -> None:
    names = [step.name for step in scale.points]
    assert [scale.point(name, swapped=True).name for name in names] == names[::-1]
    assert [scale.point(name, swapped=True).value for name in names] == [-value for value in scale.values]
    assert [scale.point(name, swapped=False).name for name in names] == names


@pytest.mark.parametrize(("given_text", "comment"), [([], None), ([" "], None), (["a "], "a"), (["a", "b"], "a\nb")])
def test_comments(given_text: list[str], comment: str | None) -> None:
    read = PREFERENCE.read([choice("preference", "a_better"), text(*given_text)], False, ())
    assert isinstance(read, AnnotationReading)
    assert read.comment == comment


def test_a_comment_can_be_written_to_a_table() -> None:
    read = PREFERENCE.read([choice("preference", "a_better"), text("a\ud800")], False, ())
    assert isinstance(read, AnnotationReading)
    assert read.comment == "a?"


@pytest.mark.parametrize(
    ("result", "report"),
    [
        ([], Report(None, None)),
        ([text("why"), choice("report", "harmful")], Report("harmful", "why")),
        ([choice("report", "both_bad"), choice("safety_a", "safe"), {"from_name": ["x"]}], Report("both_bad", None)),
        ([choice("report", "boring"), text("why")], Report(None, "why")),
        ([choice("report", "harmful", "both_bad")], Report("harmful", None)),
        ([choice("report"), None], Report(None, None)),
        (None, Report(None, None)),
    ],
)
def test_a_report_is_read_from_a_skip_too(result: Any, report: Report) -> None:
    assert read_report(result) == report


def test_a_vote_with_a_report_is_a_vote() -> None:
    for protocol, answers in ((PREFERENCE, [ONE]), (SAFETY, unsafe("unqualified_advice"))):
        read = protocol.read([*answers, choice("report", "both_bad")], False, ())
        assert read == protocol.read(answers, False, ())
        assert isinstance(read, AnnotationReading)


def test_a_campaign_has_its_own_categories() -> None:
    own = [Category(name="privacy", title="Privacy"), Category(name="weapons", title="Weapons, of all kinds")]
    read = SAFETY.read(unsafe("weapons"), False, own)
    assert isinstance(read, AnnotationReading)
    assert read.second_risks == ("weapons",)
    assert reason(SAFETY.read(unsafe("unqualified_advice"), False, own)) == "unknown_choice"


ONE = choice("preference", "a_better")


@pytest.mark.parametrize(
    ("result", "why"),
    [
        ([], "missing_answer"),
        ([text("why")], "missing_answer"),
        ([choice("preference")], "missing_answer"),
        ([choice("preference", "a_better", "b_better")], "several_answers"),
        ([choice("preference", "a_better", "a_better")], "several_answers"),
        ([ONE, ONE], "several_answers"),
        ([choice("preference", "A better")], "unknown_choice"),
        ([choice("preference", "a_best")], "unknown_choice"),
        ([ONE, choice("safest", "a_better")], "unknown_question"),
        ([ONE, choice("report", "boring")], "unknown_choice"),
        ([ONE, choice("report", "harmful", "both_bad")], "several_answers"),
        ([ONE, {"type": "relation", "from_id": "a", "to_id": "b"}], "unknown_question"),
        ([{**ONE, "from_name": ["preference"]}], "unknown_question"),
        ([{**ONE, "value": {"text": ["a_better"]}}], "malformed"),
        ([{**ONE, "value": {"choices": "a_better"}}], "malformed"),
        ([{**ONE, "value": {"choices": [1]}}], "malformed"),
        ([{**ONE, "value": None}], "malformed"),
        (["a_better"], "malformed"),
        ({"preference": "a_better"}, "malformed"),
        (None, "malformed"),
    ],
)
def test_what_is_wrong_with_a_preference(result: Any, why: str) -> None:
    assert reason(PREFERENCE.read(result, False, ())) == why


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (unsafe(), "unsafe_without_risk"),
        ([*unsafe("unqualified_advice"), choice("risks_a", "unqualified_advice")], "risk_on_safe"),
        (unsafe("unqualified_advice")[1:], "missing_answer"),
        ([choice("safest", "a_better"), choice("safety_a", "safe")], "missing_answer"),
        (unsafe("arson"), "unknown_choice"),
        (unsafe("unqualified_advice", "unqualified_advice"), "several_answers"),
        ([*unsafe("unqualified_advice"), choice("safety_a", "safe")], "several_answers"),
        ([*unsafe("unqualified_advice"), ONE], "unknown_question"),
        ([choice("safest", "a_better"), choice("safety_a", "Safe"), choice("safety_b", "safe")], "unknown_choice"),
    ],
)
def test_what_is_wrong_with_a_safety_label(result: Any, why: str) -> None:
    assert reason(SAFETY.read(result, False, ())) == why


def test_new_fields_of_label_studio_change_nothing() -> None:
    result = unsafe("unqualified_advice")
    more = copy.deepcopy(result)
    for item in more:
        item |= {"score": None, "meta": {"lead_time": 2}, "to_name": "elsewhere"}
        item["value"] |= {"start": 0}
    assert SAFETY.read(more, True, ()) == SAFETY.read(result, True, ())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
QUESTIONS = [protocol.scale.question for protocol in PROTOCOLS.values()]
NAMES = st.sampled_from([*QUESTIONS, "safety_a", "safety_b", "risks_a", "risks_b", "refusal", "comment", "report"])
STEPS = [step.name for protocol in PROTOCOLS.values() for step in protocol.scale.points]
CHOICES = st.sampled_from([*STEPS, *REFUSALS, "safe", "unsafe", *(one.name for one in CATEGORIES), "x"])
VALUES = st.fixed_dictionaries({}, optional={"choices": st.lists(CHOICES | JSON, max_size=3) | JSON, "text": JSON})
ITEMS = st.fixed_dictionaries({}, optional={"from_name": NAMES | JSON, "value": VALUES | JSON, "type": JSON})


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS.keys())
@given(result=JSON | st.lists(ITEMS | JSON, max_size=6), swapped=st.booleans())
def test_no_payload_raises(protocol: Any, result: Any, swapped: bool) -> None:
    read = protocol.read(result, swapped, ())
    read_report(result)
    if isinstance(read, Unreadable):
        assert reason(read).replace("_", "").isalpha()
    else:
        assert read.degree in protocol.scale.degrees
        assert (read.rating is None) == (read.prefers is not None) == protocol.scale.compares
        assert (read.first_safe is False) == bool(read.first_risks)
        assert (read.second_safe is False) == bool(read.second_risks)


@pytest.mark.parametrize(
    ("messages", "earlier", "last"),
    [
        ([], [], []),
        ([("user", "u1")], [], ["u1"]),
        ([("system", "s1"), ("user", "u1")], ["s1"], ["u1"]),
        ([("user", "u1"), ("assistant", "m1"), ("user", "u2")], ["u1", "m1"], ["u2"]),
        ([("user", "u1"), ("assistant", "m1")], [], ["u1", "m1"]),
        ([("assistant", "m1"), ("tool", "t1")], ["m1"], ["t1"]),
        ([("system", "s1")], [], ["s1"]),
    ],
)
def test_the_last_user_turn_stands_apart(messages: list[tuple[str, str]], earlier: list[str], last: list[str]) -> None:
    shown = PREFERENCE.show([{"role": role, "content": words} for role, words in messages], "a", "b", False)
    words = [one for _, one in messages]
    assert [one for one in words if f">{one}<" in shown["history"]] == earlier
    assert [one for one in words if f">{one}<" in shown["prompt"]] == last


def test_a_role_is_escaped_too() -> None:
    shown = PREFERENCE.show([{"role": "<b>", "content": "x"}], "a", "b", False)
    assert escape("<b>") in shown["prompt"]
    assert "<b>" not in shown["prompt"]


@pytest.mark.parametrize(
    ("name", "title"),
    [("", "x"), ("A", "x"), ("a b", "x"), ("a", ""), ("a", " "), ("a", "costs $x"), ("a", "x\ny"), ("a", "x" * 61)],
)
def test_a_category_that_cannot_be_shown_is_refused(name: str, title: str) -> None:
    with pytest.raises(UserError, match="risk category"):
        Category(name=name, title=title)


@pytest.mark.parametrize("names", [("a", "a"), ("a", "b")])
def test_categories_need_different_names_and_titles(names: tuple[str, str]) -> None:
    with pytest.raises(UserError, match="two risk categories"):
        SAFETY.page("", [Category(name=name, title="Same") for name in names])


def test_only_safety_asks_about_risks() -> None:
    for name in ("preference", "evaluation", "safety-rating"):
        with pytest.raises(UserError, match="asks about no risks"):
            PROTOCOLS[name].page("", CATEGORIES)
