"""``gristmill report``: a page about a corpus, of which nothing but the page's own search runs."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from curation.release.lookup import Lookup
from curation.reports.clusters import clusters
from curation.reports.corpus_report import corpus_report
from tests.jobs.calling import GRAIN, call
from tests.jobs.report_page import SIZES, check_page, opened
from tests.jobs.test_evaluation_report import EVIL

LIMIT = 5_000_000
HIDDEN = "\U000e0041"
"""A tag character, which becomes ten characters when it is shown."""

Gristmill = Callable[..., str]


@pytest.fixture
def gristmill(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Gristmill:
    """Runs a command, which has to succeed; returns what it printed."""

    def run(*words: str | Path) -> str:
        ended = call(*words, monkeypatch=monkeypatch)
        printed = capsys.readouterr()
        assert ended == 0, printed.err
        return printed.out

    return run


def page_of(gristmill: Gristmill, corpus: Path, *words: str | Path) -> str:
    output = corpus.with_name(f"{corpus.name}.html")
    gristmill("report", corpus, "--output", output, *words)
    return output.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page about documents whose texts, urls, ids, files and sources hold markup, scripts and hidden characters."""
    tmp_path, count = tmp_path_factory.mktemp("evil"), 30
    rows = [{"id": f"{EVIL}{n}", "text": f"{EVIL} {n}", "url": f"https://x.example/{EVIL}{n}"} for n in range(count)]
    rows += [
        {"id": f"good {n} {EVIL}", "text": f"{EVIL}\n{GRAIN}\n{n} {'more words ' * n}", "url": f"https://{EVIL}/"}
        for n in range(4)
    ]
    rows += [{"id": f"tags {n}", "text": f"{n} {HIDDEN * 5_000}"} for n in range(count)]
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / "<b onclick=alert(1)>.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    job = tmp_path / "job.toml"
    source = {"glob": str(path), "source": EVIL}
    job.write_text(
        f"output = {json.dumps(str(tmp_path / 'evil'))}\n[[input]]\n"
        + "".join(f"{name} = {json.dumps(value)}\n" for name, value in source.items())
    )
    with pytest.MonkeyPatch.context() as patch:
        assert call("curate", job, "--progress", "none", "--workers", "0", monkeypatch=patch) == 0
        corpus = tmp_path / "evil"
        assert call("report", corpus, "--against", corpus, "--output", tmp_path / "evil.html", monkeypatch=patch) == 0
    return tmp_path / "evil.html"


def test_a_page_has_the_counts_of_the_manifest(curated: Path, gristmill: Gristmill) -> None:
    text = page_of(gristmill, curated)
    ledger = json.loads((curated / "manifest.json").read_bytes())["ledger"]
    assert f"A corpus of {ledger['kept']['default']['documents']} document" in text
    for each in ledger["rejected"]:
        assert f"{each['stage']}: {each['reason']}" in text
    assert "<mark>good friends</mark>" in text or "<mark>good</mark>" in text, "near-duplicates differ in a word"
    assert text.count("<script>") == 1
    assert len(text.encode()) < LIMIT


def test_bars_that_fail_hold_the_documents_that_fail(curated: Path) -> None:
    rules = corpus_report(str(curated)).rules
    for rule in rules:
        if rule.histogram is not None:
            counted = zip(rule.histogram.counts, rule.histogram.fails, strict=True)
            assert sum(count for count, fails in counted if fails) == rule.failed
            assert sum(rule.histogram.counts) <= 4
    assert any(rule.failed for rule in rules if rule.histogram is not None)


def test_the_same_corpus_gives_the_same_page_anywhere(curated: Path, tmp_path: Path, gristmill: Gristmill) -> None:
    shutil.copytree(curated, tmp_path / "elsewhere")
    assert page_of(gristmill, curated) == page_of(gristmill, tmp_path / "elsewhere")


def test_what_others_wrote_is_only_text(evil: Path) -> None:
    text = evil.read_text(encoding="utf-8")
    assert re.findall("<script[^>]*>", text) == ["<script>"]
    assert not re.search(r"<(img|b|iframe|link rel=.?style)\b", text)
    assert not re.search(r"<[a-z][^<>]*\son\w+=", text)
    assert "&lt;script&gt;" in text
    assert not {"\u202e", HIDDEN} & set(text)
    assert "script-src &#39;sha256-" in text or "script-src 'sha256-" in text
    assert len(text.encode()) < LIMIT


@pytest.mark.parametrize(
    "settings",
    [
        ("--set", "signals=false"),
        ("--set", "rejects_text=false"),
        ("--recipe", "none"),
        ("--set", "pieces.unit=line"),
        pytest.param(("--recipe", "fineweb2"), marks=pytest.mark.soak),
    ],
    ids=lambda each: each[-1],
)
def test_corpora_of_all_kinds_have_a_page(
    settings: tuple[str, str], corpus: Path, tmp_path: Path, gristmill: Gristmill
) -> None:
    gristmill("curate", "--input", corpus, "--output", tmp_path / "out", *settings, "--progress", "none")
    out = tmp_path / "out"
    said = gristmill("report", out, "--against", out, "--output", tmp_path / "out.html")
    assert f"A: {out} (release " in said
    assert f"B: {out} (release " in said
    text = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "From read to kept" in text
    assert ("a value of each language" in text) == ("fineweb2" in settings)


def test_clusters_are_counted_as_the_rejects_say(tmp_path: Path, gristmill: Gristmill) -> None:
    """Three groups of near-duplicates, of five, three and two documents, and one document alone."""
    themes = {"mill": 5, "river": 3, "baker": 2, "valley": 1}
    rows = [
        {"id": f"{theme}-{n}", "text": " ".join(f"{theme}{word}" for word in range(300)) + f" {theme} end{n}"}
        for theme, size in themes.items()
        for n in range(size)
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    given = ("--input", tmp_path / "in.jsonl", "--recipe", "none", "--progress", "none", "--workers", "0")
    gristmill("curate", *given, "--output", tmp_path / "out")
    lookup = Lookup(str(tmp_path / "out"))
    found = clusters(lookup.folder, lookup.manifest, 1_000)
    assert dict(found.sizes) == {2: 1, 3: 1, 5: 1}
    assert [cluster.count for cluster in found.shown] == [4, 2, 1]
    for cluster in found.shown:
        theme = cluster.kept["doc_id"].partition("-")[0]
        assert cluster.kept["text"].startswith(f"{theme}0 ")
        assert len(cluster.removed) == min(cluster.count, 3)
        assert all(each["doc_id"].startswith(f"{theme}-") for each in cluster.removed)


def test_a_removal_for_its_url_marks_the_url_and_one_for_the_document_says_so(
    tmp_path: Path, gristmill: Gristmill
) -> None:
    (tmp_path / "own.py").write_text(
        "import pyarrow as pa\n"
        "def rye(documents):\n"
        "    return pa.table({'rye': [text.count('rye') for text in documents['text'].to_pylist()]})\n"
    )
    (tmp_path / "own.toml").write_text(
        '[[steps]]\nuse = "url"\nwords = ["casino"]\ndomains = ["bad.example"]\n'
        '[[steps]]\nuse = "function"\nfile = "own.py"\nfunction = "rye"\nmeasures = ["rye"]\n'
        "max = { rye = 0 }\n"
        '[sites]\nkinds = ["email"]\nper_thousand_words = 5\nmin_documents = 1\n'
    )
    rows = [
        {"text": "One.", "url": "https://mill.example/casino?a=1"},
        {"text": "Two.", "url": "https://www.bad.example/b"},
        {"text": "Three of rye.", "url": "https://mill.example/c"},
        {"text": "Four: jo@stone-mill.org", "url": "https://mail.example/d"},
    ]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = ("--recipe", tmp_path / "own.toml", "--workers", "0", "--progress", "none")
    gristmill("curate", "--input", tmp_path / "in.jsonl", "--output", tmp_path / "made", *asked)
    gristmill("report", tmp_path / "made", "--output", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "<bdi><mark>https://mill.example/casino?a=1</mark></bdi>" in page
    assert "<bdi>https://<mark>www.bad.example</mark>/b</bdi>" in page
    assert "<bdi>https://<mark>mail.example</mark>/d</bdi>" in page
    assert "<bdi>https://mill.example/c</bdi>" in page
    assert page.count("No passage is marked: the rule is about the document as a whole.") == 1


def test_cut_pieces_are_shown_in_their_texts(tmp_path: Path, gristmill: Gristmill) -> None:
    line = "This line about the millers of the valley is in both of the documents, and so it is cut out of the second."
    rows = [{"id": each, "text": f"{each} begins here.\n{line}\n{each} ends here."} for each in ("first", "second")]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    given = ("--input", tmp_path / "in.jsonl", "--recipe", "none", "--set", "near=false", "--progress", "none")
    pieces = ("--set", "pieces.unit=line", "--set", "pieces.copies=1")
    gristmill("curate", *given, *pieces, "--output", tmp_path / "out")
    text = page_of(gristmill, tmp_path / "out")
    assert f"Cut out of 1 document: 1 piece, {len(line) + 1} B." in text
    assert re.search(rf"second begins here\.\n<mark>{line}\n?</mark>\n?second ends here\.", text)


def test_a_corpus_of_no_documents_has_a_page(tmp_path: Path, gristmill: Gristmill) -> None:
    (tmp_path / "none.jsonl").write_text("")
    gristmill("curate", "--input", tmp_path / "none.jsonl", "--output", tmp_path / "out", "--progress", "none")
    assert "A corpus of 0 documents" in page_of(gristmill, tmp_path / "out", "--against", tmp_path / "out")


def test_mistakes_are_one_sentence(
    curated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.html").write_text("my notes")
    for words, message in (
        (("nowhere",), "nowhere holds no finished run"),
        ((curated, "--against", tmp_path / "in"), "holds no finished run"),
        ((curated, "--output", curated / "report.html"), "is inside the corpus"),
        ((curated, "--output", tmp_path / "notes.html"), "exists and is not a page of gristmill report"),
    ):
        assert call("report", *words, monkeypatch=monkeypatch) == 2
        assert message in capsys.readouterr().err
    assert (tmp_path / "notes.html").read_text() == "my notes"


@pytest.mark.soak
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_the_page_without_asking_anybody(
    scheme: str, size: tuple[int, int], browser: Browser, artifacts: Path, evil: Path
) -> None:
    opening = opened(browser, evil, size, scheme)
    tab = opening[0]
    assert tab.title().startswith("A corpus of")
    check_page(opening, size[0], scheme)
    tab.screenshot(path=artifacts / f"corpus, {scheme}, {size[0]}.png", full_page=True)
    tab.context.close()


@pytest.mark.soak
def test_the_sample_is_searched_by_keyboard(browser: Browser, evil: Path) -> None:
    tab, _, told = opened(browser, evil, (1366, 768), "light")
    tab.get_by_label("Words").focus()
    tab.keyboard.type("MILLER <script> baker")
    assert tab.locator("#search-found").text_content() == "4 of 64 documents"
    assert tab.locator("#search-documents > li:visible").count() == 4
    tab.keyboard.press("Tab")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    assert tab.locator("#search-documents > li:visible details").first.evaluate("each => each.open")
    tab.get_by_label("Words").fill("")
    assert tab.locator("#search-documents > li:visible").count() == 25
    tab.get_by_role("button", name="Show more").press("Enter")
    assert tab.locator("#search-documents > li:visible").count() == 50
    assert tab.evaluate("document.activeElement.tagName") == "SUMMARY"
    assert told == []
    tab.context.close()


@pytest.mark.soak
def test_a_page_about_long_lines_stays_small(tmp_path: Path, gristmill: Gristmill) -> None:
    """Lines of 10 MB, and every drawn text and name of characters that take the most room on the page."""
    rows = [{"id": str(n), "text": "grain " * 1_700_000 + str(n)} for n in range(4)]
    rows += [{"id": f"{n}{HIDDEN * 300}", "text": f"{n} {HIDDEN * 9_000}", "url": HIDDEN * 300} for n in range(300)]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    given = ("--input", tmp_path / "in.jsonl", "--progress", "none", "--workers", "0", "--set", "normalise=false")
    gristmill("curate", *given, "--output", tmp_path / "out")
    text = page_of(gristmill, tmp_path / "out")
    assert HIDDEN not in text
    assert len(text.encode()) < LIMIT
