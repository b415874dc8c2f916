"""Near-duplicates are removed only for a survivor that is like them: whole runs against the definition in plain Python,
over chains, stars, cliques and templates."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from curation.dedup.settings import Near
from curation.engine.driver import curate
from curation.job import Execution
from curation.sources.inputs import Input
from jobs.corpus.job_file import make_job
from tests.curation.dedup.naive_survivors import Document, survivors
from tests.curation.test_laws import digest, rows

BRIEF = settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
LONG = settings(BRIEF, max_examples=60)
WORDS = [f"w{number:03d}" for number in range(400)]
POLICIES = {
    "first": (["keep.policy=first"], lambda each: 0),
    "longest": (["keep.policy=longest"], lambda each: -len(each["text"])),
    "newest": (["keep.policy=newest"], lambda each: -each["day"]),
    "source": (["keep.policy=source", 'keep.sources=["f2", "f1"]'], lambda each: {2: 0, 1: 1, 0: 2}[each["file"]]),
    "signal": (
        ["keep.policy=signal", 'signals=["words"]', "keep.signal=words"],
        lambda each: -len(each["text"].split()),
    ),
}
"""Settings of a policy, and the rank of a document."""
NEARS = [{}, {"bands": 40, "rows": 2}, {"verify": "signature"}, {"min_similarity": 0.5, "survivor": 0.7}]


def chain(draw: random.Random, size: int) -> list[str]:
    words, step = draw.choices(WORDS, k=400), draw.randint(2, 9)
    return [" ".join(words[step * link : step * link + 70]) for link in range(size)]


def star(draw: random.Random, size: int) -> list[str]:
    centre = draw.choices(WORDS, k=80)
    texts = [list(centre) for _ in range(size)]
    for words in texts[1:]:
        for _ in range(draw.randint(1, 4)):
            words[draw.randrange(80)] = draw.choice(WORDS)
    return list(map(" ".join, texts))


def clique(draw: random.Random, size: int) -> list[str]:
    words = draw.choices(WORDS, k=50)
    return [" ".join([*words, draw.choice(WORDS)]) for _ in range(size)]


def template(draw: random.Random, size: int) -> list[str]:
    frame = draw.choices(WORDS, k=70)
    return [" ".join([*frame, *draw.choices(WORDS, k=draw.randint(4, 25))]) for _ in range(size)]


GROUPS = st.lists(
    st.tuples(st.sampled_from([chain, star, clique, template]), st.integers(1, 14)), min_size=1, max_size=4
)


def corpus(groups: list[Any], seed: int) -> list[dict[str, Any]]:
    """Documents in the order in which they are read, in three files."""
    draw = random.Random(seed)
    texts = [text for make, size in groups for text in make(draw, size)]
    texts += draw.choices(texts, k=2)  # copies
    draw.shuffle(texts)
    places = sorted(draw.randrange(3) for _ in texts)
    return [{"text": text, "file": file, "day": draw.randint(1, 28)} for text, file in zip(texts, places, strict=True)]


def write(folder: Path, documents: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """Writes three files, and returns the place of each document."""
    folder.mkdir()
    places, ends = [], [0, 0, 0]
    for each in documents:
        line = json.dumps({"text": each["text"], "date": f"2024-05-{each['day']:02d}"}) + "\n"
        places.append((f"f{each['file']}.jsonl", ends[each["file"]]))
        ends[each["file"]] += len(line)
        with (folder / f"f{each['file']}.jsonl").open("a") as stream:
            stream.write(line)
    return places


def run(folder: Path, out: str, changes: list[str], against: Any = (), **how: Any) -> Path:
    found = sorted(folder.glob("*.jsonl"))
    inputs = [Input(glob=str(path), source=path.stem) for path in found]
    folders = {"against": [str(folder.parent / each) for each in against]}
    job = make_job(inputs, "none", ["unit_bytes=2000", *changes], folders)
    curate(job, str(folder.parent / out), Execution(**{"workers": 0, "partitions": 3, **how}))
    return folder.parent / out


def removed_by(folder: Path, numbers: dict[tuple[str, int], int]) -> dict[int, tuple[int, int, float, float]]:
    """What `survivors` returns, of a finished folder."""
    return {
        numbers[row["file"], row["offset"]]: (
            numbers[row["survivor_file"], row["survivor_offset"]],
            numbers[row["matched_file"], row["matched_offset"]],
            row["similarity"],
            row["survivor_similarity"],
        )
        for row in rows(folder, "rejects/duplicates")
    }


def changes_of(near: dict[str, Any]) -> list[str]:
    return [f"near.{name}={json.dumps(value)}" for name, value in near.items()]


def check(root: Path, documents: list[dict[str, Any]], policy: str, given_near: dict[str, Any], **how: Any) -> Path:
    """Compares a run with the definition."""
    changes, rank = POLICIES[policy]
    near = Near(**given_near)
    places = write(root / "in", documents)
    folder = run(root / "in", "out", [*changes, *changes_of(given_near)], **how)
    found = removed_by(folder, {place: number for number, place in enumerate(places)})
    expected, linked = survivors([Document(each["text"], rank(each)) for each in documents], near)
    assert {number: each[0] for number, each in found.items()} == {number: each[0] for number, each in expected.items()}
    for number, each in found.items():
        assert each[1:] == pytest.approx(expected[number][1:]), number
        assert each[3] >= near.required_survivor
    kept = set(range(len(documents))) - found.keys()
    could_stand = [pair for pair, share in linked.items() if kept.issuperset(pair) and share >= near.required_survivor]
    assert not could_stand
    sizes = {(row["file"], row["offset"]): row["near_cluster_size"] for row in rows(folder, "documents")}
    for number in kept:
        assert sizes[places[number]] == 1 + sum(each[0] == number for each in expected.values())
    return folder


@pytest.mark.parametrize("policy", POLICIES)
@settings(BRIEF, max_examples=1)
@given(groups=GROUPS, seed=st.integers(0, 1 << 30), near=st.sampled_from(NEARS))
def test_survivors_are_those_of_the_definition(
    tmp_path_factory: pytest.TempPathFactory, policy: str, groups: list[Any], seed: int, near: dict[str, Any]
) -> None:
    check(tmp_path_factory.mktemp("true"), corpus(groups, seed), policy, near)


@pytest.mark.soak
@LONG
@given(
    groups=GROUPS,
    seed=st.integers(0, 1 << 30),
    near=st.sampled_from(NEARS),
    policy=st.sampled_from(sorted(POLICIES)),
    partitions=st.integers(1, 7),
    links=st.sampled_from([None, 1]),
)
def test_neither_partitions_nor_rounds_over_links_change_survivors(
    tmp_path_factory: pytest.TempPathFactory,
    groups: list[Any],
    seed: int,
    near: dict[str, Any],
    policy: str,
    partitions: int,
    links: int | None,
) -> None:
    root = tmp_path_factory.mktemp("true")
    folder = check(root, corpus(groups, seed), policy, near)
    changes = [*POLICIES[policy][0], *changes_of(near)]
    other = run(root / "in", "other", changes, partitions=partitions, links=links)
    assert digest(folder) == digest(other)


def check_against(
    root: Path, documents: list[dict[str, Any]], new: int, policy: str, given_near: dict[str, Any]
) -> None:
    """Compares a run over the documents from ``new`` on, against a release of those before it, with the definition."""
    changes, rank = POLICIES[policy]
    changes = [*changes, *changes_of(given_near), "dedup.exact=false"]
    places = write(root / "old", documents[:new])
    released = run(root / "old", "released", changes)
    gone = {(row["file"], row["offset"]) for row in rows(released, "rejects/duplicates")}
    parts = [
        Document(each["text"], rank(each), release=number >= new, lost=number < new and places[number] in gone)
        for number, each in enumerate(documents[:new])
    ]
    parts += [Document(each["text"], rank(each), release=1) for each in documents[new:]]
    expected, _ = survivors(parts, Near(**given_near), exact=False)
    numbers = {(True, *place): number for number, place in enumerate(places)}
    numbers |= {(False, *place): new + number for number, place in enumerate(write(root / "new", documents[new:]))}
    found = run(root / "new", "found", changes, ["released"])
    removed = {
        numbers[False, row["file"], row["offset"]]: (
            numbers[row["survivor_release"] is not None, row["survivor_file"], row["survivor_offset"]],
            pytest.approx(row["survivor_similarity"]),
        )
        for row in rows(found, "rejects/duplicates")
    }
    assert removed == {number: (each[0], each[3]) for number, each in expected.items() if number >= new}
    assert not rows(found, "superseded"), "released documents were decided by their own run"


@pytest.mark.parametrize("policy", ["first", "longest"])
@settings(BRIEF, max_examples=1)
@given(groups=GROUPS, seed=st.integers(0, 1 << 30), share=st.floats(0.2, 0.8), near=st.sampled_from(NEARS))
def test_against_a_release_the_definition_is_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    policy: str,
    groups: list[Any],
    seed: int,
    share: float,
    near: dict[str, Any],
) -> None:
    documents = corpus(groups, seed)
    check_against(tmp_path_factory.mktemp("true"), documents, int(share * len(documents)) or 1, policy, near)


def test_released_documents_are_compared_as_they_were_before_cutting(tmp_path: Path) -> None:
    """The release cut a line that all its documents have; the line counts in the similarity to them."""
    line, *pages = (" ".join(WORDS[start : start + 60]) for start in (0, 100, 200, 300))
    cut = ['dedup.pieces.unit="line"', "unit_bytes=600"]
    for name, texts in {"old": pages[:2], "new": [pages[1] + " extra", pages[2]]}.items():
        (tmp_path / name).mkdir()
        lines = (json.dumps({"text": f"{text}\n{line}"}) + "\n" for text in texts)
        (tmp_path / name / "f0.jsonl").write_text("".join(lines))
    released = run(tmp_path / "old", "released", cut)
    assert [row["text"].endswith(line) for row in rows(released, "documents")] == [True, False]
    (removed,) = rows(run(tmp_path / "new", "found", cut, ["released"]), "rejects/duplicates")
    assert removed["survivor_similarity"] == 112 / 121, "one more word changes 4 of 116 shingles to 5 others"


@pytest.mark.soak
@LONG
@given(
    groups=GROUPS,
    seed=st.integers(0, 1 << 30),
    share=st.floats(0.2, 0.8),
    near=st.sampled_from(NEARS),
    policy=st.sampled_from(sorted(POLICIES)),
)
def test_against_a_release_every_policy_follows_the_definition(
    tmp_path_factory: pytest.TempPathFactory,
    groups: list[Any],
    seed: int,
    share: float,
    near: dict[str, Any],
    policy: str,
) -> None:
    documents = corpus(groups, seed)
    check_against(tmp_path_factory.mktemp("true"), documents, int(share * len(documents)) or 1, policy, near)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("policy", "near"),
    [*((policy, NEARS[0]) for policy in POLICIES), *(("first", near) for near in NEARS[1:])],
    ids=str,
)
def test_chains_of_small_edits_do_not_run_away(tmp_path: Path, policy: str, near: dict[str, Any]) -> None:
    """60 texts, each with 12 words of the one before it replaced: neighbours are 0.77 alike on average."""
    draw = random.Random(7)
    words, texts = draw.choices(WORDS, k=450), []
    for _ in range(60):
        texts.append(" ".join(words))
        for place in draw.sample(range(450), 12):
            words[place] = draw.choice(WORDS)
    documents = [{"text": text, "file": n // 20, "day": draw.randint(1, 28)} for n, text in enumerate(texts)]
    found = rows(check(tmp_path, documents, policy, near), "rejects/duplicates")
    assert 20 <= len(found) <= 50, "some go, and the chain does not"


@pytest.mark.soak
@pytest.mark.parametrize("policy", POLICIES)
def test_workers_and_runners_do_not_change_survivors(tmp_path: Path, policy: str) -> None:
    documents = corpus([(chain, 40), (star, 20), (template, 30), (clique, 10)], 5)
    folder = check(tmp_path, documents, policy, {})
    changes = POLICIES[policy][0]
    assert digest(run(tmp_path / "in", "two", changes, workers=2)) == digest(folder)
    beam = run(tmp_path / "in", "beam", changes, beam_options=("--runner=FnApiRunner",))
    assert digest(beam) == digest(folder)
