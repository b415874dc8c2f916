"""A recipe with the step `rights` reads what pages state of their rights; other recipes do not."""

import json
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest

from curation.engine.driver import curate
from curation.job import Execution
from curation.release.lookup import Lookup
from curation.reports.explain import explain
from curation.reports.recipe_warnings import dead_rules
from curation.reports.verdicts import verdicts
from curation.sources.inputs import Input
from jobs.corpus.job_file import load_recipe, make_job
from tests.curation.sources.made import http, lines, page, warc

BY = "https://creativecommons.org/licenses/by/4.0/"
RECIPE = """
{signals}

[[steps]]
use = "rights"
{settings}

[dedup]
near = false
"""


def _page(name: str, head: str = "", footer: str = "Imprint") -> bytes:
    made = page(f"The mill {name}.").decode()
    return made.replace("</head>", f"{head}</head>").replace("Imprint", footer).encode()


@pytest.fixture
def inputs(tmp_path: Path) -> list[Input]:
    """Pages of an archive, an HTML file and JSON lines, of which each states something else."""
    folder = tmp_path / "in"
    folder.mkdir()
    pages = {
        "plain": http(_page("plain")),
        "header": http(_page("header"), X_Robots_Tag="noai, noimageai", TDM_Reservation="1"),
        "meta": http(_page("meta", '<meta name="robots" content="noindex">')),
        "footer": http(_page("footer", footer=f'<a href="{BY}">CC BY</a>')),
        "link": http(_page("link"), Link=f'<{BY}>; rel="license"'),
        "text": http(b"The text of the mill.", "text/plain", X_Robots_Tag="noai"),
        "cut": http(_page("cut")),
    }
    cut = {"cut": {"WARC_Truncated": "length"}}
    (folder / "a.warc").write_bytes(
        b"".join(
            warc("response", made, f"http://mill.example/{name}", **cut.get(name, {})) for name, made in pages.items()
        )
        + warc("conversion", b"The plain text of a mill.", "http://mill.example/wet", Content_Type="text/plain")
    )
    (folder / "b.html").write_bytes(_page("file", f'<link rel="license" href="{BY}">'))
    records = [{"text": "A mill.", "license": "CC BY 4.0"}, {"text": "One more mill."}]
    (folder / "c.jsonl").write_bytes(lines(*records))
    return [Input(glob=f"{folder}/*")]


def run(inputs: list[Input], out: Path, settings: str, workers: int = 0) -> dict[str, dict[str, Any]]:
    """The signals of all documents, by the last part of their url or their place."""
    recipe = out.parent / "own.toml"
    recipe.write_text(RECIPE.format(settings=settings, signals=""))
    curate(make_job(inputs, str(recipe), [], {}), str(out), Execution(workers=0))
    rows = ds.dataset(out / "signals").to_table().to_pylist()
    texts = {row["doc_id"]: row for name in ("documents", "rejects") for row in _rows(out, name)}
    return {_name(texts[row["doc_id"]]): row for row in rows}


def _rows(out: Path, table: str) -> list[dict[str, Any]]:
    return ds.dataset(out / table).to_table().to_pylist()  # type: ignore[no-any-return]


def _name(row: dict[str, Any]) -> str:
    return row["url"].rsplit("/", 1)[1] if row["url"] else f"{row['file']} {row['offset']}"


def test_each_document_has_what_it_states(inputs: list[Input], tmp_path: Path) -> None:
    found = run(inputs, tmp_path / "out", "")
    second = next(name for name in found if name.startswith("c.jsonl") and name != "c.jsonl 0")
    stated = {name: (row["opt_outs"], row["licence"], row["licence_place"]) for name, row in found.items()}
    assert stated == {
        "plain": ("", "none", None),
        "header": ("noai, noimageai, tdm_reservation", "none", None),
        "meta": ("noindex", "none", None),
        "footer": ("", "cc-by-4.0", "footer"),
        "link": ("", "cc-by-4.0", "header"),
        "text": ("noai", "none", None),
        "cut": ("", "unknown", None),
        "wet": (None, "unknown", None),
        "b.html 0": ("", "cc-by-4.0", "link"),
        "c.jsonl 0": (None, "cc-by-4.0", "record"),
        second: (None, "unknown", None),
    }
    assert [row["tdm_reservation"] for row in found.values()].count(1) == 1
    assert not [row for row in _rows(tmp_path / "out", "rejects") if row["stage"] == "rights"]
    metadata = {_name(row): json.loads(row["metadata"]) for row in _rows(tmp_path / "out", "documents")}
    assert metadata["header"]["rights"]["opt_outs"]["noai"] == "header"
    assert metadata["footer"]["rights"]["licences"] == [{"licence": "cc-by-4.0", "place": "footer", "address": BY}]
    assert "rights" not in metadata["wet"]
    assert not list(dead_rules(load_recipe(str(tmp_path / "own.toml"), ())))


def test_documents_go_for_opt_outs_and_licences_and_explain_says_why(inputs: list[Input], tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(inputs, out, 'opt_outs = ["noai", "tdm_reservation"]\nlicences = ["cc-by", "none"]')
    removed = {_name(row): row for row in _rows(out, "rejects") if row["stage"] == "rights"}
    reasons = {name: [each["reason"] for each in row["failed"]] for name, row in removed.items()}
    second = next(name for name in reasons if name.startswith("c.jsonl"))
    assert reasons == {
        "header": ["opt_out"],
        "text": ["opt_out"],
        **{name: ["licence"] for name in ("cut", "wet", second)},
    }
    lookup = Lookup(str(out))
    said = {name: "\n".join(explain(lookup, row)) for name, row in removed.items()}
    assert "honoured_opt_outs is 2, the recipe asks for at most 0" in said["header"]
    assert "licence is unknown, the recipe asks for cc-by or cc-by-1.0" in said["wet"]
    kept = {_name(row): "\n".join(explain(lookup, row)) for row in _rows(out, "documents")}
    assert "its licence: cc-by-4.0 (footer); its opt-outs: none" in kept["footer"]
    assert "its licence: cc-by-4.0 (record); its opt-outs: not known" in kept["c.jsonl 0"]
    recipe = load_recipe(str(tmp_path / "own.toml"), ())
    files = sorted(str(path) for path in (tmp_path / "in").iterdir())
    judged = {each["doc_id"]: each for each in verdicts(files, recipe, lambda _: None)}
    assert {doc_id for doc_id, each in judged.items() if not each["kept"]} == {
        row["doc_id"] for row in removed.values()
    }


def test_a_corpus_is_judged_again_by_what_its_pages_stated(inputs: list[Input], tmp_path: Path) -> None:
    run(inputs, tmp_path / "all", "")
    settings = 'opt_outs = ["noai"]\nlicences = ["cc-by", "none"]'
    run(inputs, tmp_path / "once", settings)
    run([Input(glob=str(tmp_path / "all" / "documents"))], tmp_path / "twice", settings)
    once, twice = ({row["doc_id"] for row in _rows(tmp_path / name, "documents")} for name in ("once", "twice"))
    assert once
    assert twice == once


def test_without_written_signals_the_rules_still_decide(inputs: list[Input], tmp_path: Path) -> None:
    out = tmp_path / "out"
    recipe = tmp_path / "own.toml"
    recipe.write_text(RECIPE.format(settings='licences = ["cc0"]', signals="signals = false"))
    curate(make_job(inputs, str(recipe), [], {}), str(out), Execution(workers=0))
    assert not _rows(out, "documents")
    lookup = Lookup(str(out))
    assert "the recipe asks for cc0 or cc0-1.0" in "\n".join(explain(lookup, _rows(out, "rejects")[0]))


def test_a_recipe_without_the_step_reads_no_rights(inputs: list[Input], tmp_path: Path) -> None:
    out = tmp_path / "out"
    curate(make_job(inputs, "none", [], {}), str(out), Execution(workers=0))
    documents = _rows(out, "documents")
    assert documents
    assert not [row for row in documents if "rights" in json.loads(row["metadata"])]


@pytest.mark.soak
@pytest.mark.parametrize("way", [Execution(workers=2), Execution(beam_options=("--runner=FnApiRunner",))])
def test_the_bytes_do_not_depend_on_workers_or_runners(inputs: list[Input], tmp_path: Path, way: Execution) -> None:
    settings = 'opt_outs = ["noai"]\nlicences = ["cc-by", "none"]'
    one, two = tmp_path / "one", tmp_path / "two"
    run(inputs, one, settings)
    curate(make_job(inputs, str(tmp_path / "own.toml"), [], {}), str(two), way)
    files = {path.relative_to(one) for path in one.rglob("*") if path.is_file()}
    assert files == {path.relative_to(two) for path in two.rglob("*") if path.is_file()}
    for name in files:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name
