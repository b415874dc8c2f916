"""Every setting with every wrong kind of value, and files of settings that are damaged: one sentence, or a job."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.campaign.settings import Campaign, Gold, Pairing
from annotation.imports import Layout
from annotation.judgments.policy import Policy
from annotation.mixing import MixRecipe, MixSource
from curation.dedup.keep import Keep
from curation.dedup.settings import Dedup, Near
from curation.packing.shares import Mixture, MixtureSource
from curation.recipe import STEPS
from curation.rewrites.normalise import Normalise
from curation.sources.reading import ReadingSettings
from jobs.corpus.job_file import PLAIN_FIELDS
from schemas.errors import UserError
from schemas.settings import LARGEST, build
from tests.jobs.calling import call

KINDS = (*STEPS, Near, Keep, Dedup, Normalise, ReadingSettings, Campaign, Gold, Pairing, Policy, Layout)
MIXTURES = (MixRecipe, MixSource, Mixture, MixtureSource)
DEEP = ".".join(["a"] * 1000)

HOSTILE: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 1, LARGEST, -LARGEST, LARGEST + 1, 10**400, -(10**400), 2**31, 2**32]),
    st.integers(),
    st.sampled_from([float("nan"), float("inf"), -float("inf"), -0.0, 5e-324, 1e308]),
    st.floats(),
    st.sampled_from(["", "\0", "\ud800", "none", "@/nowhere", "a" * 10_000, "{", "{0.__class__}", "..", "\n"]),
    st.text(max_size=5),
    st.recursive(
        st.just([]), lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2)
    ),
    st.sampled_from([[1, "a"], {"use": 3}, [[[]]], {"": ""}]),
)


@pytest.mark.parametrize("kind", [*KINDS, *MIXTURES], ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_value_of_any_kind_makes_the_settings_or_one_sentence(kind: type, data: st.DataObject) -> None:
    fields = [field.name for field in dataclasses.fields(kind) if field.init]
    table = data.draw(st.dictionaries(st.sampled_from(fields), HOSTILE, max_size=3) | HOSTILE)
    said = refusal(kind, table)
    assert said is None or len(said.splitlines()) == 1
    assert len(said or "") < 2000


def refusal(kind: type, table: object) -> str | None:
    """What is said of a table that makes no settings."""
    try:
        build(kind, table, "here")
    except UserError as error:
        return str(error)
    return None


JOB = 'input = "{corpus}"\noutput = "{out}"\n'
FILES: list[bytes] = [
    *(line.encode() for line in ("input = 5", "input = []", "input = [[]]", "input.source = 3", 'input = ""')),
    *(f"{JOB}{line}".encode() for line in ("recipe = 5", "set = 5", "beam = 5", "reading = 5", "against = [5]")),
    *(f"{JOB}[recipe]\n{line}".encode() for line in ("steps = 5", "steps = [5]", "steps = [{use = [1]}]", "dedup = 5")),
    *(f"{JOB}[beam]\n{line}".encode() for line in ("nosuch = 1", 'runner = "Nosuch"', 'runner = "DataflowRunner"')),
    *(f"{JOB}[recipe]\n{line}".encode() for line in ("normalise = 5", "signals = 5", "dedup.near = 5")),
    *(f"{JOB}{line}".encode() for line in ("limit = true", "limit = nan", "unit_bytes = 1.5", "max_quarantined = nan")),
    *(f"{JOB}{line}".encode() for line in (f"limit = {'9' * 5000}", f"limit = {'9' * 30}", "beam.x = 2020-01-01")),
    *(f"{JOB}{line}".encode() for line in (f"{DEEP} = 1", f"set.{DEEP} = 1", f"reading = {'[' * 1000}{']' * 1000}")),
    f'{JOB}[set]\n"language.min_score" = nan'.encode(),
    f'{JOB}"nul\\u0000" = 1'.encode(),
    JOB.replace("{out}", "a\\u0000b").encode(),
    JOB.encode("utf-16"),
    b"\xff\xfe\x00",
    b"\x00" * 100,
    b"[" * 100_000,
    b"a = " + b"[" * 100_000,
    b"x" * (5 << 20),
]


@pytest.mark.parametrize("content", FILES, ids=lambda content: repr(content[:60]))
def test_a_damaged_job_file_is_one_sentence(
    content: bytes, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job, out = tmp_path / "job.toml", tmp_path / "out"
    job.write_bytes(content.replace(b"{corpus}", str(corpus).encode()).replace(b"{out}", str(out).encode()))
    assert call("curate", job, monkeypatch=monkeypatch) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1, said
    assert len(said) < 2000
    assert not out.exists()


def test_a_byte_order_mark_is_no_damage(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = tmp_path / "job.toml"
    job.write_text(f'input = "{corpus}"\noutput = "{tmp_path}/out"\n', encoding="utf-8-sig")
    assert call("curate", job, "--dry-run", monkeypatch=monkeypatch) == 0


@pytest.mark.parametrize("path", ["/dev/zero", ".", "nowhere.toml", "a\x1b.toml"])
def test_what_is_no_file_of_settings_is_one_sentence(
    path: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (
        ("curate", path),
        ("curate", "--input", "x", "--output", "y", "--recipe", f"./{path}/../{path}" if path == "." else path),
        ("pack", "--mixture", path, "--tokenizer", "x", "--output", "y"),
        ("plan", "--documents", "1", "--bytes", "1", "--constants", path),
        ("dataset", "mix", path, "--output", "y"),
    ):
        assert call(*words, monkeypatch=monkeypatch) in (1, 2), words
        assert capsys.readouterr().err.count("\n") == 1, words


@pytest.mark.parametrize(
    "change",
    [
        *("near.bands=100000000", "near.rows=100000", "near.seed=-1", "near.seed=4294967296", "near.ngram=0"),
        *("near.threshold=nan", "near.threshold=0.9999999", "near.min_similarity=inf", "near.permutations=100000"),
        *(
            "language.min_score=nan",
            "language.min_score=inf",
            "gopher_quality.max_words=1e999",
            "limit=0",
            "unit_bytes=0",
        ),
        *("language.characters=-1", "reading.batch_bytes=9223372036854775807", "max_quarantined=nan", "steps=1", "=1"),
        *("near.x.y=3", f"near.{DEEP}=1", f"near=[{'[' * 100}{']' * 100}]", "keep.sources=5", 'keep.policy="x"', "x"),
        *('language.languages=["eng"]', 'language.languages=["en", "EN"]'),
        *("gopher_quality.max_words=1", "gopher_quality.min_mean_word_length=11"),
        *('url.hosts=["@/dev/zero"]', 'url.hosts=["@/nowhere"]', "normalise=5", "dedup=5", "signals=3", "reading=4"),
    ],
)
def test_a_change_that_cannot_be_is_one_sentence(
    change: str, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("curate", "--input", corpus, "--output", tmp_path / "out", "--dry-run", "--set", change)
    assert call(*words, monkeypatch=monkeypatch) == 2
    said = capsys.readouterr().err
    assert said.startswith("gristmill: ")
    assert said.count("\n") == 1
    assert len(said) < 2000


@pytest.mark.parametrize(
    "words",
    [
        *(("--workers", "99999999999999999999"), ("--partitions", "99999999999999999999"), ("--memory", "1e300GB")),
        *(("--memory", "nan"), ("--limit", "99999999999999999999"), ("--partitions", "10000000000000")),
        ("--partitions", "10001"),
        ("--set", "near.bands=800", "--set", "near.rows=20", "--memory", "1.5GB"),
        *(("--storage", f"x={'[' * 5000}"), ("--storage", f"x={'9' * 5000}"), ("--storage", "x=1\ny=2")),
        *(("--workers", "0", "--", "--runner=Nope"), ("--workers", "0", "--", "--direct_num_workers=many")),
    ],
)
def test_an_option_that_cannot_be_is_one_sentence(
    words: tuple[str, ...],
    corpus: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = ("--input", corpus, "--output", tmp_path / "out", "--progress", "none")
    assert call("curate", *own, *words, monkeypatch=monkeypatch) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 or said[0].startswith("Usage:")


def integers() -> Iterator[str]:
    """The settings of a job that hold a whole number, as --set names them."""
    places: list[tuple[str, type]] = [(step.use, step) for step in STEPS]
    for name, kind in [*places, ("near", Near), ("reading", ReadingSettings)]:
        yield from (f"{name}.{field.name}" for field in dataclasses.fields(kind) if "int" in str(field.type))
    yield from (name for name in PLAIN_FIELDS if name in ("limit",))


@pytest.mark.soak
@pytest.mark.parametrize("name", list(integers()))
def test_a_run_with_the_largest_and_least_number_ends_well(
    name: str, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, value in enumerate((LARGEST, -LARGEST, 2**32, 0, 1)):
        change = ("--set", f"{name}={value}", "--workers", "0", "--progress", "none")
        recipe = ("--recipe", "c4") if name.startswith("c4") else ()
        code = call(
            "curate", "--input", corpus, "--output", tmp_path / f"{number}", *change, *recipe, monkeypatch=monkeypatch
        )
        assert code in (0, 1, 2)
        if code:
            assert capsys.readouterr().err.count("\n") <= 3


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("input = 5", "job.toml: input is 5: give a glob, a list of globs, or [[input]] tables with a glob"),
        ('input = "x"\nagainst = 3', "against is 3: give a list of folders"),
        ('input = "x"\nset = {"url.hosts" = 3}', "url.hosts is 3: give a list of texts"),
    ],
)
def test_a_setting_that_should_be_a_list_is_refused(
    line: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job = tmp_path / "job.toml"
    job.write_text(f'output = "{tmp_path}/out"\n{line}\n')
    assert call("curate", job, monkeypatch=monkeypatch) == 2
    assert said in capsys.readouterr().err
