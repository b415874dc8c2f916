"""A mixture has the shares that were asked for, the same bytes each time, and nothing near a held-out prompt."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.campaign.lengths import token_counts
from annotation.dataset.master import Master, load
from annotation.mixing import Mixed, MixRecipe, MixSource, mix
from annotation.mixing.draw import draw
from curation.dedup.near import alike_to_any, families
from jobs.dataset.mix_file import EXAMPLES, datasets, example, read_recipe
from schemas.errors import UserError
from tests.annotation.exports.datasets import comparison, dataset

NOUNS = ("rye", "oats", "barley", "spelt", "maize", "millet", "rice", "sorghum", "teff", "wheat", "bran", "malt")
VERBS = ("grow", "grind", "bake", "dry", "store", "sow", "reap", "sift", "weigh", "sell", "soak", "toast")


def asked(number: int, source: str = "") -> list[dict[str, str]]:
    noun, verb = NOUNS[number % 12], VERBS[number // 12 % 12]
    who = source.replace("-", "") or "anybody"
    words = (
        f"How would {who} {verb} {noun} number {number} at {who} for {who} if the {VERBS[number * 5 % 12]}er is away?"
    )
    return [{"role": "user", "content": words}]


def made(folder: Path, count: int, held_out: int = 0, **changes: Any) -> Master:
    """A dataset of that many different prompts, whose source is the folder's name."""
    name = folder.name
    rows = [
        comparison(
            f"{place:03}",
            comparison_id=f"{name}/{place:03}",
            source=name,
            prompt=asked(place, name),
            split="held_out" if place < held_out else "train",
            **changes,
        )
        for place in range(count)
    ]
    return dataset(folder, rows)


@pytest.fixture(scope="module")
def masters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Master]:
    folder = tmp_path_factory.mktemp("masters")
    return {
        "helpfulness": made(folder / "helpfulness", 50, held_out=10),
        "safety": made(folder / "safety", 90),
        "anthropic-hh": made(folder / "anthropic-hh", 60, held_out=5),
    }


def mixed(masters: dict[str, Master], folder: Path, *sources: MixSource, **changes: Any) -> Mixed:
    recipe = MixRecipe(name="flour", source=sources, seed=1, **changes)
    used = {name: masters[name] for source in sources for name in source.datasets}
    return mix(recipe, used, folder, families, alike_to_any)


HALF = (
    MixSource(name="own", datasets=("helpfulness",), share=0.5, all=True),
    MixSource(name="rest", datasets=("safety", "anthropic-hh"), share=0.5),
)


def test_the_helpfulness_mix_of_llama_2(masters: dict[str, Master], tmp_path: Path) -> None:
    """All 40 of its own, and 40 of the 145 others."""
    found = mixed(masters, tmp_path / "out", *HALF)
    own, rest = found.yields
    assert (own.rows, own.distinct, own.epochs) == (40, 40, 1.0)
    assert (rest.rows, rest.distinct, rest.available) == (40, 40, 145)
    assert sum(rest.datasets.values()) == 40
    assert min(rest.datasets.values()) > 5, "drawn from both"
    rows = load(tmp_path / "out").splits
    assert Counter(rows["train"]["source"].to_pylist()) == {"helpfulness": 40, **rest.datasets}
    assert Counter(rows["held_out"]["source"].to_pylist()) == {"helpfulness": 10, "anthropic-hh": 5}
    first = Counter(rows["train"]["source"].to_pylist()[:40])
    assert 10 < first["helpfulness"] < 30, "every stretch is mixed"


def test_the_same_recipe_gives_the_same_bytes_and_another_seed_others(
    masters: dict[str, Master], tmp_path: Path
) -> None:
    again = {name: masters[name] for name in reversed(masters)}
    mixed(masters, tmp_path / "one", *HALF)
    mixed(again, tmp_path / "two", *HALF)
    one, two = (
        {path.name: path.read_bytes() for path in sorted((tmp_path / name).rglob("*")) if path.is_file()}
        for name in ("one", "two")
    )
    assert one == two
    recipe = MixRecipe(name="flour", source=HALF, seed=2)
    mix(recipe, masters, tmp_path / "three", families, alike_to_any)
    assert (tmp_path / "three" / "comparisons" / "train.arrow").read_bytes() != one["train.arrow"]


def test_epochs_are_capped_and_what_is_short_is_said(masters: dict[str, Master], tmp_path: Path) -> None:
    sources = (
        MixSource(name="safety", datasets=("safety",), share=0.9, all=True),
        MixSource(name="own", datasets=("helpfulness",), share=0.9, max_epochs=1.5),
    )
    found = mixed(masters, tmp_path / "out", *sources)
    own = found.yields[1]
    assert (own.asked, own.rows, own.distinct, own.epochs, own.short) == (90, 60, 40, 1.5, True)
    times = Counter(load(tmp_path / "out").splits["train"]["comparison_id"].to_pylist())
    assert Counter(count for name, count in times.items() if name.startswith("helpfulness")) == {1: 20, 2: 20}
    text = (tmp_path / "out" / "README.md").read_text()
    assert "own gives 60 of the 90 rows of its share: max_epochs holds it." in text


def test_shares_of_tokens(tmp_path: Path) -> None:
    long = made(tmp_path / "long", 30, chosen="grain " * 40)
    short = made(tmp_path / "short", 100)
    sources = [MixSource(name=name, datasets=(name,), share=1) for name in ("long", "short")]
    found = mixed({"long": long, "short": short}, tmp_path / "out", *sources, unit="tokens", size=1500)
    rows = load(tmp_path / "out").splits["train"]
    for each in found.yields:
        kept = rows.filter(pa.compute.equal(rows["source"], each.name))
        prompts = pa.array([row[0]["content"] for row in kept["prompt"].to_pylist()])
        counted = sum(int(token_counts(text).sum()) for text in (prompts, kept["chosen"].combine_chunks()))
        counted += int(token_counts(kept["rejected"].combine_chunks()).sum())
        assert counted == each.taken
        assert 650 < each.taken <= each.asked == 750


def test_no_held_out_prompt_of_any_source_nor_a_near_one_is_trained_on(tmp_path: Path) -> None:
    """Also not where the other dataset did not know of it."""
    near = asked(7, "held")
    changed = [{"role": "user", "content": near[0]["content"].replace("away", "ill")}]
    further = [*near, {"role": "assistant", "content": "Slowly."}, {"role": "user", "content": "And then?"}]
    held = dataset(tmp_path / "held", [comparison("h", comparison_id="held/h", prompt=near, split="held_out")])
    rows = [
        comparison(name, comparison_id=f"open/{name}", prompt=prompt)
        for name, prompt in (("same", near), ("near", changed), ("further", further), ("other", asked(8, "open")))
    ]
    masters = {"held": held, "open": dataset(tmp_path / "open", rows)}
    recipe = MixRecipe(name="flour", source=(MixSource(name="open", datasets=("open",), share=1),))
    found = mix(recipe, masters, tmp_path / "out", families, alike_to_any)
    assert load(tmp_path / "out").splits["train"]["comparison_id"].to_pylist() == ["open/other"]
    assert found.yields[0].near_held_out == 3
    proof = json.loads((tmp_path / "out" / "manifest.json").read_text())["split"]
    assert proof == {
        "held_out_prompts": 1,
        "train_prompts": 1,
        "pairs_compared": 1,
        "matches_found": 0,
        "near_held_out": 3,
    }


def test_a_near_prompt_that_the_families_miss_is_found_by_comparing_all(tmp_path: Path) -> None:
    rows = [comparison("a", prompt=asked(1)), comparison("b", prompt=asked(2))]
    rows.append(comparison("c", prompt=asked(1), split="held_out"))
    master = dataset(tmp_path / "mill", rows)
    recipe = MixRecipe(name="flour", source=(MixSource(name="mill", datasets=("mill",), share=1),))
    blind = lambda texts: np.arange(len(texts))  # noqa: E731 - families that see nothing
    changed = [{"role": "user", "content": asked(1)[0]["content"].upper()}]
    rows[0] = comparison("a", prompt=changed)
    master = dataset(tmp_path / "other", rows)
    found = mix(recipe, {"mill": master}, tmp_path / "out", blind, alike_to_any)
    assert found.rows == {"train": 1, "held_out": 1}


def test_where_tells_sources_of_one_dataset_apart(tmp_path: Path) -> None:
    rows = [comparison(f"{n:02}", prompt=asked(n), batch="week-1" if n % 3 else "week-2") for n in range(30)]
    masters = {"mill": dataset(tmp_path / "mill", rows)}
    sources = [
        MixSource(name="new", datasets=("mill",), share=0.5, where={"batch": ("week-2",)}, all=True),
        MixSource(name="old", datasets=("mill",), share=0.5, where={"batch": ("week-1",)}),
    ]
    found = mixed(masters, tmp_path / "out", *sources)
    assert [(each.rows, each.available) for each in found.yields] == [(10, 10), (10, 20)]


def test_a_recipe_that_cannot_be_followed_is_said(masters: dict[str, Master], tmp_path: Path) -> None:
    own = MixSource(name="own", datasets=("helpfulness",), share=1)
    for sources, said in (
        ((own, MixSource(name="all", datasets=("helpfulness", "safety"), share=1)), "own and all share comparisons"),
        ((MixSource(name="own", datasets=("helpfulness",), share=1, where={"batch": ("x",)}),), "has no training"),
        ((MixSource(name="own", datasets=("helpfulness",), share=1, where={"color": ("x",)}),), "where names color"),
        ((MixSource(name="own", datasets=("helpfulness",), share=0),), "the share of own is 0"),
    ):
        with pytest.raises(UserError, match=said):
            mixed(masters, tmp_path / "out", *sources)
    assert not (tmp_path / "out").exists()
    with pytest.raises(UserError, match="is in a and in b"):
        twice = {"a": masters["safety"], "b": masters["safety"]}
        mix(MixRecipe(name="x", source=(own,)), twice, tmp_path / "out", families, alike_to_any)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_are_recipes_with_llama_2_s_shares(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.toml"
    path.write_text(example(name))
    recipe = read_recipe(path)
    for source in recipe.source:
        for each in source.datasets:
            if not (tmp_path / each).exists():
                made(tmp_path / each, 40)
    found = mix(recipe, datasets(recipe, tmp_path), tmp_path / "out", families, alike_to_any)
    shares = [round(each.taken / sum(other.taken for other in found.yields), 2) for each in found.yields]
    assert shares == {"helpfulness": [0.5, 0.5], "safety": [0.9, 0.1]}[name]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=20), st.integers(0, 300), st.randoms(use_true_random=False))
def test_what_is_drawn_is_as_near_as_whole_rows_allow(sizes: list[int], wanted: int, random: Any) -> None:
    order = list(range(len(sizes)))
    random.shuffle(order)
    rows, epochs = draw(np.array(sizes), np.array(order), wanted)
    total = sum(sizes[row] for row in rows)
    assert total <= wanted
    last = {row for row, epoch in zip(rows.tolist(), epochs.tolist(), strict=True) if epoch == wanted // sum(sizes)}
    assert all(wanted - total < sizes[row] for row in set(order) - last), "what is not there does not fit"
    times = Counter(rows.tolist())
    assert max(times.values(), default=0) - min((times[row] for row in order), default=0) <= 1
    assert len({*zip(rows.tolist(), epochs.tolist(), strict=True)}) == len(rows)


def test_every_pair_of_prompts_is_compared() -> None:
    """The same answer as comparing each pair of bags of words by hand."""
    rng = np.random.default_rng(1)
    words = np.array(["rye", "oat", "malt", "bran", "mill", "stone"])
    texts = [" ".join(rng.choice(words, rng.integers(0, 9))) for _ in range(300)]
    left, right = texts[:200], texts[200:]

    def alike(one: str, other: str) -> bool:
        a, b = Counter(one.split()), Counter(other.split())
        return (a & b).total() * 5 >= 4 * (a | b).total()

    expected = [any(alike(one, other) for other in right) for one in left]
    assert alike_to_any(pa.array(left), pa.array(right)).tolist() == expected
    assert 20 < sum(expected) < 180
