"""The step ``contaminated`` measures, removes and cuts what the naive programs find."""

import io
import json
import pickle
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.benchmarks import carried
from curation.filters.contaminated import Contaminated
from curation.filters.rules import failures
from curation.recipes.tables import make_recipe
from curation.recipes.writing import recipe_text
from curation.tokenizers.tokenizer import Encoder, open_tokenizer
from jobs.benchmark_rows import benchmark_rows
from schemas.errors import UserError
from schemas.toml_file import parse_toml
from tests.curation.contamination.naive_passages import passages
from tests.curation.packing.corpora import byte_level, saved

KALE = "The old miller of Kale grinds oats for nine farms, and each farm pays him 4 sacks for every 90 that he makes."
STONES = "Which stone turns, the bedstone or the runner stone above it, and how is the gap between both of them set?"
SAMPLES = (KALE, STONES, "Why?")
KINDS: Mapping[str, dict[str, Any]] = {
    "llama2": {"definition": "llama2", "tokenizer": "tokenizer.json"},
    "llama2, none": {"definition": "llama2", "tokenizer": "tokenizer.json", "normalise": "none"},
    "gpt3": {"definition": "gpt3"},
    "palm": {"definition": "palm"},
}


DECON = {"definition": "decon"}


def write_files(folder: Path) -> None:
    """The benchmark and the tokenizer that KINDS name."""
    rows = [{"id": f"s{number}", "text": text} for number, text in enumerate(SAMPLES)]
    (folder / "quiz.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    saved(folder / "tokenizer.json", byte_level())


def made(kind: str, **more: Any) -> Contaminated:
    with TemporaryDirectory() as folder:
        write_files(Path(folder))
        return Contaminated(benchmarks=("quiz.jsonl",), **KINDS[kind], **more).with_files(Path(folder), benchmark_rows)


@cache
def steps(kind: str) -> tuple[Contaminated, Contaminated, Encoder | None]:
    """The step that removes and the one that cuts, and the encoder of a definition by tokens."""
    encoder = None
    if "tokenizer" in KINDS[kind]:
        with TemporaryDirectory() as folder:
            encoder = open_tokenizer(saved(Path(folder) / "tokenizer.json", byte_level())).encoder()
    return made(kind), made(kind, action="cut"), encoder


def batch(*texts: str) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"text": pa.array(texts, pa.large_string())})


def skipping(count: int) -> str:
    """A sample with so many other words, one after the other."""
    return " ".join("zzz" if 11 <= place < 11 + count else word for place, word in enumerate(KALE.split()))


@st.composite
def planted(draw: st.DrawFn) -> str:
    """Parts of samples with other words at up to five places, re-wrapped and in any case, between other words."""
    parts = []
    for _ in range(draw(st.integers(0, 3))):
        words = draw(st.sampled_from([KALE, STONES])).split()
        first = draw(st.sampled_from([0, 0, 3]))
        words = words[first : first + draw(st.sampled_from([9, 14, 30]))]
        for place in draw(st.lists(st.integers(0, len(words) - 1), max_size=5, unique=True)):
            words[place] = draw(st.sampled_from(["zzz", "Oats", "-"]))
        text = draw(st.sampled_from([" ", " ", "\n", "  "])).join(words)
        parts += [draw(st.sampled_from([text, text, text.lower(), text.upper()])), draw(st.sampled_from(["", "So."]))]
    lead = draw(st.sampled_from(["", "They say: ", "...\n"]))
    return lead + draw(st.sampled_from([" ", "\n\n", ""])).join(parts)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=30)
@given(st.lists(planted(), min_size=1, max_size=3))
@example([KALE, f"They say: {KALE} So it is.", KALE.replace(" ", "\n"), KALE.lower(), "", "..."])
@example(
    [
        " ".join("zzz" if place in range(11, 11 + n) else word for place, word in enumerate(KALE.split()))
        for n in range(6)
    ]
)
@example([KALE[:50], f"and {KALE[50:]}", f"{STONES} {KALE}", f"{KALE} {KALE}"])
def test_it_finds_and_cuts_what_a_naive_program_finds(kind: str, texts: list[str]) -> None:
    removing, cutting, encoder = steps(kind)
    signals = removing.measure(batch(*texts))
    assert cutting.measure(batch(*texts)).equals(signals)
    cut = cutting.cut(batch(*texts)["text"]).to_pylist()
    removed = failures(signals, removing.rules()).any(axis=1).tolist()
    for row, text in enumerate(texts):
        longest, found = passages(
            str(KINDS[kind]["definition"]), SAMPLES, text, encoder, KINDS[kind].get("normalise", "words")
        )
        left, at = "", 0
        for start, end in found:
            left, at = left + text[at:start], end
        left += text[at:]
        assert cut[row] == left
        own = {
            name.removeprefix("contaminated_"): value for name, value in signals.slice(row, 1).to_pylist()[0].items()
        }
        assert (own["longest"], own["passages"], own["bytes"]) == (longest, len(found), len(text) - len(left))
        assert removed[row] == bool(found)
        assert (own["sample"] is None, own["start"] is None, own["left"] is None) == (not found,) * 3
        assert own["share"] == (pytest.approx(own["bytes"] / len(text)) if text else None)
        if found:
            assert own["left"] == sum(map(str.isalnum, left))
            assert any(start <= own["start"] < own["end"] <= end for start, end in found)


def test_the_place_and_the_sample_are_those_of_the_longest_span() -> None:
    text = f"é {KALE[:60]} – zzz {STONES} – zzz {KALE[:60]}"
    [own] = made("palm").measure(batch(text)).to_pylist()
    assert own["contaminated_sample"] == "quiz/s1"
    assert text.encode()[own["contaminated_start"] : own["contaminated_end"]].decode() == STONES.removesuffix("?")
    assert (own["contaminated_samples"], own["contaminated_passages"]) == (2, 3)


def test_characters_around_a_passage_are_cut_with_it() -> None:
    passage = KALE.removesuffix(".")
    texts = batch(f"zé {passage}: öz", f"{passage}, zz. {passage}", PLAIN)
    sizes = [len(text.as_py().encode()) for text in texts["text"]]
    for around, left, count in (
        (1, ["zé öz", " zz.", PLAIN], 2),
        (2, ["zöz", "zz", PLAIN], 2),
        (3, ["z", "", PLAIN], 1),
    ):
        step = made("palm", action="cut", around=around)
        assert step.cut(texts["text"]).to_pylist() == left
        signals = step.measure(texts)
        assert signals["contaminated_passages"].to_pylist() == [1, count, 0]
        cut = [size - len(text.encode()) for size, text in zip(sizes, left, strict=True)]
        assert signals["contaminated_bytes"].to_pylist() == cut


def test_each_threshold_removes_beyond_its_value() -> None:
    measured = made("palm").measure(batch(KALE, f"{KALE} {PLAIN} {STONES}", PLAIN))

    def removed(**thresholds: Any) -> list[bool]:
        found = failures(measured, Contaminated(benchmarks=("q",), definition="palm", **thresholds).rules())
        return found.any(axis=1).tolist()  # type: ignore[no-any-return]

    assert removed() == [True, True, False]
    assert removed(max_longest=22) == [True, True, False]
    assert removed(max_longest=23) == [False, False, False]
    assert removed(max_longest=None, max_passages=1) == [False, True, False]
    assert removed(max_longest=None, max_share=0.9) == [True, False, False]
    assert removed(action="cut") == [True, False, False]
    assert removed(action="cut", min_left=len(PLAIN)) == [True, True, False]
    assert removed(action="cut", min_left=None) == [False, False, False]


PLAIN = "A sluice lets water onto the wheel of every mill on this river but two."


@pytest.fixture
def no_held() -> Iterator[None]:
    before = dict(carried._held)
    carried._held.clear()
    yield
    carried._held.update(before)


@pytest.mark.usefixtures("no_held")
@pytest.mark.parametrize("kind", KINDS)
def test_samples_travel_apart_from_the_recipe(kind: str, tmp_path: Path) -> None:
    step = made(kind)
    expected = step.measure(batch(KALE, PLAIN))
    sent = pickle.dumps(step)
    assert KALE.encode() not in sent
    content = io.BytesIO()
    [file] = step.carried_files()
    file.copy_to(content)
    (tmp_path / "copy").write_bytes(content.getvalue())
    carried._held.clear()
    received = pickle.loads(sent)
    [other] = received.carried_files()
    assert not other.is_held
    with pytest.raises(AssertionError):
        received.measure(batch(KALE, PLAIN))
    other.hold(tmp_path / "copy")
    assert received.measure(batch(KALE, PLAIN)).equals(expected)


def test_the_text_of_a_recipe_makes_the_same_recipe() -> None:
    table = {"steps": [{"use": "contaminated", "benchmarks": ["quiz.jsonl"], "action": "cut", **KINDS["llama2, none"]}]}
    recipe = make_recipe("own", table)
    assert make_recipe("own", parse_toml(recipe_text(recipe), "own")) == recipe


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"benchmarks": []}, "names no benchmark"),
        ({"benchmarks": ["a/quiz.jsonl", "b/quiz.csv"]}, "two benchmarks are named quiz: name one of them otherwise"),
        ({"definition": "llama2"}, "compares tokens: give the model's contaminated.tokenizer"),
        ({"tokenizer": "tokenizer.json"}, "compares lower-case words: leave out contaminated.tokenizer"),
        ({"normalise": "none"}, 'compares lower-case words: leave out contaminated.normalise = "none"'),
        ({"action": "cut", "max_longest": 5}, "with action = cut every passage is cut"),
        ({"min_left": 5}, "contaminated.min_left is for texts that are cut"),
        ({"around": 5}, "contaminated.around is for texts that are cut: leave it out, or set action to cut"),
        ({"action": "cut", "around": -1}, "contaminated.around is -1: give a number of characters"),
        ({"sha256": ["0", "1"]}, "give one for each benchmark"),
        ({"definition": "decontaminate"}, "cannot be 'decontaminate'"),
        ({"action": "mark"}, "contaminated.action cannot be 'mark'"),
        ({"question": "ask"}, "contaminated.question is for definition = decon: give the text of a sample as"),
        ({"answer": "reply"}, "contaminated.answer is for definition = decon"),
        ({"passage": "context"}, "contaminated.passage is for definition = decon"),
        ({"max_score": 0.9}, "contaminated.max_score is for definition = decon: leave it out, or set max_longest"),
        (
            {**DECON, "template": "{text}"},
            "decon has no template: name fields as contaminated.question, contaminated.a",
        ),
        ({**DECON, "action": "cut"}, "decon scores a document as a whole, and has no passage to cut: set action to"),
        ({**DECON, "max_longest": 5}, "contaminated.max_longest is about passages, and contaminated.definition decon"),
        ({**DECON, "max_longest": "none"}, "contaminated.max_longest is about passages"),
        ({**DECON, "max_share": 0.5}, "contaminated.max_share is about passages"),
        ({**DECON, "max_passages": 5}, "contaminated.max_passages is about passages"),
        ({**DECON, "around": 5}, "contaminated.around is for texts that are cut"),
        ({**DECON, "normalise": "none"}, "decon compares lower-case words: leave out contaminated.normalise"),
        ({**DECON, "tokenizer": "tokenizer.json"}, "decon compares lower-case words: leave out contaminated.tokenizer"),
        ({**DECON, "max_score": -0.1}, "contaminated.max_score is -0.1: give a score from 0 to 1"),
        ({**DECON, "max_score": 1.5}, "contaminated.max_score is 1.5: give a score from 0 to 1"),
    ],
)
def test_a_wrong_setting_is_refused(given: dict[str, Any], says: str) -> None:
    step = {"use": "contaminated", "benchmarks": ["quiz.jsonl"], "definition": "palm", **given}
    with pytest.raises(UserError) as error:
        make_recipe("own", {"steps": [step]})
    assert says in str(error.value)
    assert str(error.value).count("\n") == 0


def test_only_thresholds_differ_by_language() -> None:
    own: dict[str, Any] = {"max_longest": 20}
    step = {"use": "contaminated", "benchmarks": ["quiz.jsonl"], "definition": "palm"}
    table = {"steps": [{"use": "language"}, step], "languages": {"en": {"contaminated": own}}}
    [english] = make_recipe("own", table).languages
    assert english.steps[1] == Contaminated(benchmarks=("quiz.jsonl",), definition="palm", max_longest=20)
    own["definition"] = "gpt3"
    with pytest.raises(UserError, match=r"languages\.en\.contaminated cannot differ by language"):
        make_recipe("own", table)
