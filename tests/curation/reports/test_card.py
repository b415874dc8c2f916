"""What a data card counts: on hand-counted texts, and as a naive program counts on any text."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.filters.hosts import host_of
from curation.kernels.listed_terms import hashes, occurrences, terms
from curation.reports.card_columns import clusters, hosts, languages, top_level_domains, years
from curation.reports.card_measures import SCORE_UNITS, Measured, measure
from curation.reports.card_scores import Classifier, by_function
from curation.reports.card_terms import GENDERED, KINDS, PERSONAL, wanted_terms
from schemas import DOCUMENTS
from schemas.errors import UserError

HAND_COUNTED = {
    "She said: it is hers.": {"she", "third"},
    "Himself, he thought of the mill": {"he", "third"},
    "THEIR bread, not theirself's": {"unspecified", "third"},
    "I gave you it.": {"first", "second", "third"},
    "Yourselves!": {"second"},
    "we, us & ours": {"first"},
    "The theory of sheep, a hero and an item.": set(),
    "she_mill her2 mine-field": {"first"},
    "Itself\nmyself": {"first", "third"},
    "": set(),
}
"""Texts and the kinds of pronouns in them."""
WORDS = re.compile(r"\w+")
PIECES = st.sampled_from(
    [
        "she",
        "SHE",
        "Her",
        "their",
        "I",
        "you",
        "it",
        "theory",
        "black",
        "hard",
        "of",
        "hearing",
        "Deaf",
        "é",
        "ß",
        "1",
        "_",
        "'",
        "-",
        " ",
        " ",
        "\n",
        ".",
        "漢",
    ]
)
DESCRIPTORS = {
    "ability": ["Deaf", "hard-of-hearing", "hard"],
    "race": {"a": [{"descriptor": "Black", "preference": "x"}]},
    "both": ["deaf"],
}
HOSTS = ["a.b", "A.B.", "u:p@a.b:80", "[::1]:8", "10.0.0.1", "bücher.de", "a..b", "x" * 300]


def documents(texts: list[str], **columns: Any) -> pa.RecordBatch:
    given = {"text": texts, "doc_id": [f"{n:032x}" for n in range(len(texts))], "near_cluster_size": 1, **columns}
    filled = {}
    for field in DOCUMENTS.columns:
        default = None if field.nullable else 0 if pa.types.is_integer(field.type) else ""
        value = given.get(field.name, default)
        filled[field.name] = pa.array(value if isinstance(value, list) else [value] * len(texts), field.type)
    return DOCUMENTS.batch(filled, len(texts))


@pytest.fixture
def descriptors(tmp_path: Path) -> Path:
    path = tmp_path / "descriptors.json"
    path.write_text(json.dumps(DESCRIPTORS))
    return path


def measured(texts: list[str], share: float = 1, classifier: Classifier | None = None, **columns: Any) -> Measured:
    return measure(
        documents(texts, **columns),
        pa.table({}),
        wanted_terms(),
        share,
        None if classifier is None else classifier.scores,
    )


def test_the_pronouns_of_hand_counted_texts() -> None:
    found = measured(list(HAND_COUNTED))
    assert dict(zip(KINDS, found.groups.tolist(), strict=True)) == {
        "she": 1, "he": 1, "unspecified": 1, "first": 4, "second": 2, "third": 5
    }  # fmt: skip
    assert (found.documents, found.gendered, found.personal) == (10, 3, 8)


@pytest.mark.parametrize(("text", "kinds"), HAND_COUNTED.items())
def test_the_pronouns_of_each_text(text: str, kinds: set[str]) -> None:
    counts = measured([text]).groups.tolist()
    assert {kind for kind, count in zip(KINDS, counts, strict=True) if count} == kinds


def test_the_lists_are_those_of_the_paper() -> None:
    assert sum(len(words.split()) for words in GENDERED.values()) == 15
    assert [len(PERSONAL[person].split()) for person in ("first", "second", "third")] == [10, 5, 18]


def naive(text: str, entry: str) -> bool:
    """Whether the words of an entry are in a row in a text, without case; letters, digits and underscores are words."""
    words, wanted = ([word.lower() for word in WORDS.findall(each)] for each in (text, entry))
    return any(words[place : place + len(wanted)] == wanted for place in range(len(words)))


@settings(max_examples=150)
@given(texts=st.lists(st.lists(PIECES, max_size=12).map("".join), max_size=6))
def test_terms_occur_as_a_naive_program_says(texts: list[str]) -> None:
    entries = [
        ("she", 0),
        ("her", 0),
        ("hard-of-hearing", 1),
        ("hard", 1),
        ("Deaf", 2),
        ("deaf", 3),
        ("of hearing", 4),
        ("I", 63),
    ]
    made, names = terms(entries)
    found = occurrences(pa.array(texts, pa.large_string()), made)
    assert names == ["she", "her", "hard-of-hearing", "hard", "Deaf", "of hearing", "I"]
    assert found.texts.tolist() == [sum(naive(text, name) for text in texts) for name in names]
    assert found.groups.tolist() == [
        sum(1 << group for group in {group for entry, group in entries if naive(text, entry)}) for text in texts
    ]
    assert found.words.tolist() == [len(WORDS.findall(text)) for text in texts]


def test_descriptors_are_read_from_lists_and_objects(descriptors: Path) -> None:
    wanted = wanted_terms(descriptors)
    assert wanted.axes == ("ability", "both", "race")
    texts = ["A deaf miller", "hard of hearing, and black", "hardly"]
    found = measure(documents(texts), pa.table({}), wanted, 1, None)
    assert found.groups[len(KINDS) :].tolist() == [2, 1, 1]
    counts = {wanted.names[number]: int(found.terms[number]) for number in wanted.numbers(len(KINDS))}
    assert counts == {"Deaf": 1, "hard-of-hearing": 1, "hard": 1}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "holds no axes"),
        ('{"a": []}', "a has no descriptors"),
        ('{"a": [3]}', "a holds 3"),
        ('{"a": ["deaf", "!"]}', "a holds '!', which has no word"),
        ('{"a": [{"descriptor": ""}]}', "a holds '', which has no word"),
        ('{"a": ["\\ud800"]}', "half of a surrogate pair"),
    ],
)
def test_a_file_without_descriptors_is_refused(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(content)
    with pytest.raises(UserError, match=re.escape(said)):
        wanted_terms(path)


def test_more_axes_than_there_is_room_for_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "many.json"
    path.write_text(json.dumps({f"axis {number}": ["x"] for number in range(59)}))
    with pytest.raises(UserError, match="give at most 58"):
        wanted_terms(path)


URLS = st.one_of(
    st.none(),
    st.text("aZ09.-_:/?#@[]é \n", max_size=12),
    st.builds(
        "{}://{}{}".format,
        st.sampled_from(["http", "HTTPS", "ftp"]),
        st.sampled_from(HOSTS),
        st.sampled_from(["", "/", "/p@q", "?x#y", "#"]),
    ),
)


@settings(max_examples=100)
@given(urls=st.lists(URLS, max_size=8))
def test_hosts_are_those_that_filters_find(urls: list[str | None]) -> None:
    named = [host_of(url) if url is not None else "" for url in urls]
    assert hosts(pa.array(urls, pa.string())).to_pylist() == [host if 0 < len(host) <= 253 else None for host in named]


def test_columns_are_counted_by_value() -> None:
    found = measured(
        ["a", "b c", "d", "e"],
        url=["http://mill.example/1", "https://MILL.example", None, "http://10.0.0.1/"],
        date=["2024-01-02", "2024", None, "yesterday"],
        language=["en", "de", "en", None],
        language_score=[0.9, 0.4, 0.5, None],
        source=["x", "x", "y", "x"],
        near_cluster_size=[1, 2, 9, 1000],
    )
    counted: dict[str, dict[str, int]] = {}
    for row in pa.concat_tables(found.tallies.parts()).to_pylist():
        counted.setdefault(row["table"], {})[row["value"]] = row["documents"]
    assert counted == {
        "host": {"mill.example": 2, "10.0.0.1": 1},
        "top_level_domain": {"example": 2, "address": 1},
        "year": {"2024": 2},
        "language": {"en": 2, "unknown": 2},
        "source": {"x": 3, "y": 1},
        "cluster": {"1": 1, "2": 1, "3 to 9": 1, "1000 or more": 1},
    }
    assert {name: (values.tolist(), counts.tolist()) for name, (values, counts) in found.lengths.items()} == {
        "bytes": ([1, 3], [3, 1]), "characters": ([1, 3], [3, 1]), "words": ([1, 2], [3, 1])
    }  # fmt: skip


def test_columns_without_rows() -> None:
    nothing = pa.array([], pa.string())
    for column in (
        years(nothing),
        hosts(nothing),
        top_level_domains(nothing),
        languages(nothing, pa.array([], pa.float32())),
    ):
        assert len(column) == 0
    assert len(clusters(pa.array([], pa.int64()))) == 0
    assert measured([]).documents == 0


TEXTS = st.lists(st.lists(PIECES, max_size=6).map("".join), max_size=8)


@given(one=TEXTS, other=TEXTS)
def test_parts_add_up_to_the_whole(one: list[str], other: list[str]) -> None:
    parts, whole = Measured(), measured([*one, *other])
    parts.add(measured(one))
    parts.add(measured(other))
    for name in ("documents", "gendered", "personal"):
        assert getattr(parts, name) == getattr(whole, name)
    assert parts.groups.tolist() == whole.groups.tolist()
    assert parts.terms.tolist() == whole.terms.tolist()
    assert parts.tallies.columns() == whole.tallies.columns()
    assert [each.tolist() for each in parts.lengths["words"]] == [each.tolist() for each in whole.lengths["words"]]


def test_a_sample_is_chosen_by_the_documents_ids() -> None:
    texts = ["she"] * 2000
    sizes = [measured(texts, share).documents for share in (0.1, 0.2, 0.5, 1)]
    assert sizes == sorted(sizes)
    assert 150 < sizes[0] < 250
    ids = documents(texts)["doc_id"]
    chosen = set(np.flatnonzero(hashes(ids) < np.uint64(int(0.1 * 2**64))).tolist())
    again = hashes(ids.take(pa.array(sorted(chosen))))
    assert (again < np.uint64(int(0.1 * 2**64))).all()
    assert len(chosen) == sizes[0]


def test_a_documents_score_is_the_mean_of_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(
        "import pyarrow as pa\n"
        "def score(lines):\n"
        "    known = {'bad': 1.0, 'so so': 0.5, 'good': 0.0}\n"
        "    return pa.table({'score': [known.get(line) for line in lines['text'].to_pylist()]})\n"
    )
    classifier = by_function(f"{path}:score")
    texts = ["bad\ngood", "bad\n\n  \nbad\ngood", "good", "", "\n", "unknown\nso so", "unknown"]
    scores = classifier.scores(documents(texts))
    assert [None if np.isnan(score) else round(score, 4) for score in scores] == [0.5, 0.6667, 0, None, None, 0.5, None]
    found = measured(texts, classifier=classifier)
    assert (found.scored, found.toxic) == (4, 3)
    assert found.score / SCORE_UNITS == pytest.approx(0.5 + 2 / 3 + 0.5)
    assert classifier.named["function"] == "score in own.py"


@pytest.mark.parametrize("score", [-0.001, 1.001, 1e300])
def test_a_score_below_0_or_above_1_is_refused(score: float, tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(
        "import pyarrow as pa\n"
        "def score(lines):\n"
        f"    return pa.table({{'score': [{score} if line == 'bad' else 1 for line in lines['text'].to_pylist()]}})\n"
    )
    texts = documents(["good\ngood", "good\nbad"])
    with pytest.raises(
        UserError, match=f"score {score:g} for a line of {texts['doc_id'][1]}: return 0 to 1".replace("+", ".")
    ):
        by_function(f"{path}:score").scores(texts)


@pytest.mark.parametrize("given", ["own.py", "own.py:", ":score", "own.py:no name"])
def test_a_function_without_file_or_name_is_refused(given: str) -> None:
    with pytest.raises(UserError):
        by_function(given)
