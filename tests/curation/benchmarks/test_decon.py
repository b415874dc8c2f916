"""Scores are exactly those of decon's definition."""

from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.benchmarks.decon_index import DeconIndex
from curation.benchmarks.samples import Benchmark, samples_table
from tests.curation.contamination import naive_decon
from tests.curation.contamination.naive_decon import Parts, is_left_out

QUESTION = (
    "The old miller of Kale grinds oats for nine farms, and each farm pays him 4 sacks for every 90 that he makes. How "
    "many sacks do all of the farms pay him in a year of 360 sacks?"
)
ANSWER = "They pay him one sack for each 22.5 sacks, which makes 16 sacks in a year."
PASSAGE = (
    "In the north a miller is paid in kind: farms leave a part of their oats at the mill, and the part is fixed by a "
    "court that sits in spring, when stones are dressed."
)
WORDS = QUESTION.split()
OTHERS = " ".join(f"mill{number}" for number in range(400)).split()


def index(references: Sequence[Parts]) -> DeconIndex:
    questions, answers, passages = zip(*references, strict=True) if references else ((), (), ())
    ids = tuple(map(str, range(len(references))))
    made = Benchmark(name="quiz", template="", sample_ids=ids, texts=questions, answers=answers, passages=passages)
    return DeconIndex(samples_table([made]))


def check(references: Sequence[Parts], documents: Sequence[str]) -> None:
    made = index(references)
    found = made.search(made.form.texts(pa.array(documents, pa.large_string())))
    assert made.left_out.tolist() == [is_left_out(parts) for parts in references]
    rows = {
        (row[0], row[1]): (*numbers, *row[2:4])
        for row, numbers in zip(found.places.tolist(), found.scores.tolist(), strict=True)
    }
    assert len(rows) == len(found.places)
    expected = {
        (number, reference): (each.score, each.question, each.answer, each.passage, each.start, each.stop)
        for number, document in enumerate(documents)
        for reference, each in naive_decon.matches(references, document).items()
    }
    assert rows.keys() == expected.keys()
    for pair, row in rows.items():
        assert row == pytest.approx(expected[pair], abs=1e-9)


@st.composite
def quizzes(draw: st.DrawFn) -> tuple[list[Parts], list[str]]:
    """References, and documents made of their parts, whole or in pieces, with other words between."""
    alphabet = [*WORDS[:6], *OTHERS[:3]] if draw(st.booleans()) else [*WORDS, *OTHERS[:40]]

    def text(least: int, most: int) -> str:
        return " ".join(draw(st.lists(st.sampled_from(alphabet), min_size=least, max_size=most)))

    references = [(QUESTION, ANSWER, PASSAGE)] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(0, 3))):
        answer = draw(st.sampled_from(["", "4", "nine farms", ANSWER])) or text(0, 8)
        references.append((text(3, 30), answer, draw(st.sampled_from(["", "a b", PASSAGE])) or text(0, 20)))
    pieces = [part for reference in references for part in reference] or [""]
    documents = []
    for _ in range(draw(st.integers(1, 3))):
        parts = []
        for _ in range(draw(st.integers(0, 4))):
            if references and draw(st.booleans()):
                question, answer, passage = draw(st.sampled_from(references))
                order = draw(st.permutations([question, answer]))
                parts += [passage, text(0, 3), order[0], text(0, 3), order[1]]
            else:
                words = draw(st.sampled_from(pieces)).split()
                start = draw(st.integers(0, 12))
                parts.append(" ".join(words[start : start + draw(st.integers(0, 30))]))
            size = draw(st.sampled_from([0, 1, 2, 7, 11, 13, 60, 110]))
            parts.append(
                " ".join(OTHERS[start : start + size] if (start := draw(st.integers(0, 40))) else OTHERS[:size])
            )
        words = " ".join(parts).split()
        for _ in range(draw(st.integers(0, 3)) if words else 0):
            words[draw(st.integers(0, len(words) - 1))] = draw(st.sampled_from(["zzz", *WORDS[:3]]))
        documents.append(" ".join(words))
    return references, documents


@settings(max_examples=60, deadline=None)
@given(quizzes())
@example(([(QUESTION, ANSWER, PASSAGE)], [f"{PASSAGE} {QUESTION} {ANSWER}", QUESTION, "a " * 50]))
@example(([("a b " * 15, "b", "")] * 2, ["a b " * 40, "a " * 90, ""]))
@example(([], [QUESTION]))
def test_scores_are_those_of_the_definition(both: tuple[list[Parts], list[str]]) -> None:
    check(*both)


@pytest.mark.soak
@settings(max_examples=300, deadline=None)
@given(quizzes())
def test_many_scores_are_those_of_the_definition(both: tuple[list[Parts], list[str]]) -> None:
    check(*both)


def test_a_benchmark_of_one_row_is_found() -> None:
    check([(QUESTION, "", "")], [QUESTION])
    made = index([(QUESTION, "", "")])
    assert made.search(made.form.texts(pa.array([QUESTION], pa.large_string()))).scores[:, 0].tolist() == [1]


@pytest.mark.parametrize(
    ("gap", "answer", "score"), [(0, "16", 1), (49, "16", 1), (50, "16", 0), (98, ANSWER, 0), (60, ANSWER, 1)]
)
def test_an_answer_is_near_its_question(gap: int, answer: str, score: float) -> None:
    made = index([(QUESTION, answer, "")])
    document = f"{QUESTION} {' '.join(OTHERS[:gap])} {answer}"
    found = made.search(made.form.texts(pa.array([document], pa.large_string())))
    assert (found.scores[0, 2] == 1) == score
    check([(QUESTION, answer, "")], [document])


def test_a_long_question_needs_four_fifths() -> None:
    long, short = " ".join(OTHERS[:104]), " ".join(OTHERS[200:224])
    made = index([(long, "", ""), (short, "", "")])
    documents = [" ".join(OTHERS[:84]), " ".join(OTHERS[:83]), short, " ".join(OTHERS[201:224])]
    found = made.search(made.form.texts(pa.array(documents, pa.large_string())))
    sure = {
        (row[0], row[1])
        for row, scores in zip(found.places.tolist(), found.scores, strict=True)
        if scores[0] >= made.thresholds[row[1]]
    }
    assert sure == {(0, 0), (2, 1)}
