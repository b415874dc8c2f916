"""A recipe pays for what it asks: signals that nobody wants are not measured, and all others have the same values."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.engine.driver import curate
from curation.engine.selection import Selection
from curation.engine.takedown import takedown
from curation.filters import columns
from curation.filters.c4 import C4Pages
from curation.filters.gopher_quality import GopherQuality
from curation.filters.gopher_repetition import GopherRepetition
from curation.job import Execution
from curation.judge import judge
from curation.kernels import signals as kernels
from curation.recipe import Recipe
from curation.recipes.tables import make_recipe, recipe_of, recipe_table
from curation.release.opening import open_release
from curation.sources.inputs import Input
from jobs.corpus.job_file import make_job
from schemas import RECORDS
from schemas.errors import UserError
from tests.curation.filters.test_signals import TEXTS

FINEWEB = make_recipe("fineweb", recipe_table("fineweb"))
ALL = FINEWEB.measured_signals.names
MILL = "The mill turns the grain of the village into flour, and the bakers have to be with it. " * 12


def records(texts: list[str]) -> pa.RecordBatch:
    rows = len(texts)
    plain = {name: [""] * rows for name in ("url", "source", "date", "file", "metadata")}
    ids = [str(number) for number in range(rows)]
    return RECORDS.batch({**plain, "doc_id": ids, "text": texts, "offset": list(range(rows))}, rows)


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4), st.sets(st.sampled_from(ALL)), st.booleans(), st.booleans())
def test_wanted_signals_and_verdicts_are_those_of_the_full_set(
    texts: list[str], names: set[str], with_steps: bool, normalised: bool
) -> None:
    steps, normalise = FINEWEB.steps if with_steps else (), FINEWEB.normalise if normalised else None
    full = replace(FINEWEB, steps=steps, normalise=normalise)
    batch = records(texts)
    everything = judge(batch, full)
    some = judge(batch, replace(full, signals=tuple(names)))
    assert names <= set(some.signals.schema.names)
    for name in some.signals.schema.names:
        assert some.signals[name].equals(everything.signals[name]), name
    np.testing.assert_array_equal(some.failed, everything.failed)
    assert judge(batch, full).signals.equals(everything.signals), "a narrow measurement is not taken for a full one"


@pytest.mark.parametrize(
    ("step", "gopher", "page"),
    [
        (GopherQuality(), kernels.QUALITY, None),
        (GopherRepetition(), kernels.PIECES | kernels.NGRAMS, None),
        (GopherRepetition(**{f"max_{name}": None for name in kernels.GOPHER[12:21]}), kernels.PIECES, None),
        (C4Pages(), None, kernels.SENTENCES | kernels.PHRASES),
        (C4Pages(min_sentences=None), None, kernels.PHRASES),
    ],
    ids=["quality", "repetition", "pieces", "pages", "phrases"],
)
def test_a_step_alone_measures_what_its_rules_compare(
    step: GopherQuality | GopherRepetition | C4Pages,
    gopher: int | None,
    page: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, int] = {}

    def gopher_values(texts: pa.LargeStringArray, parts: int) -> kernels.Measured:
        asked["gopher"] = parts
        return kernels.gopher_values(texts, parts)

    def page_values(texts: pa.LargeStringArray, before: kernels.Measured | None, parts: int) -> kernels.Measured:
        asked["page"] = parts
        return kernels.page_values(texts, before, parts)

    monkeypatch.setattr(columns, "gopher_values", gopher_values)
    monkeypatch.setattr(columns, "page_values", page_values)
    judge(records([MILL]), Recipe(name="alone", signals=False, steps=(step,)))
    assert (asked.get("gopher"), asked.get("page")) == (gopher, page)


def test_a_corpus_holds_the_listed_signals_also_after_a_takedown(tmp_path: Path) -> None:
    lines = (json.dumps({"id": str(number), "text": f"{MILL} {number}"}) for number in range(3))
    (tmp_path / "in.jsonl").write_text("".join(f"{line}\n" for line in lines))
    changes = ["signals=['words', 'top_2_gram']", "keep.policy=signal", "keep.signal=lines", "near=false"]
    job = make_job([Input(glob=str(tmp_path / "in.jsonl"))], "gopher", changes)
    curate(job, str(tmp_path / "out"), Execution(workers=0))
    release, before = open_release(str(tmp_path / "out"))
    assert recipe_of(before.recipe) == job.recipe
    takedown(
        release, before, job.recipe, Selection.of(["1"], [], [], False), str(tmp_path / "new"), Execution(workers=0)
    )
    for folder, rows in ((tmp_path / "out", 3), (tmp_path / "new", 2)):
        table = ds.dataset(folder / "signals").to_table()
        assert set(table.column_names) == {"doc_id", "file", "offset", "words", "top_2_gram"}
        assert len(table) == rows


def test_an_unknown_signal_is_refused() -> None:
    with pytest.raises(UserError, match=r"^signals cannot have 'word' \(did you mean 'words'\?\): choose from "):
        make_recipe("own", {"signals": ["word"]})
    with pytest.raises(UserError, match=r"^signals is 5: give true, false or a list of names$"):
        make_recipe("own", {"signals": 5})
