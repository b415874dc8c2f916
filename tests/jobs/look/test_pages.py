"""``gristmill look``: a local page over the tables of a corpus, in which nothing of a document runs."""

import html
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser

from curation.release.lookup import Lookup
from curation.reports.explain import explain
from jobs.corpus.look_pages import LONGEST_TEXT, Pages
from jobs.corpus.look_server import LookServer
from jobs.corpus.look_tables import PAGE_ROWS, START, CorpusTables, Name, Place
from schemas.visible import visible_lines
from tests.jobs.calling import call
from tests.jobs.look.corpus import QUOTES, Rows
from tests.jobs.report_page import SIZES


@pytest.fixture(scope="module")
def server(lookup: Lookup, tables: CorpusTables) -> Iterator[LookServer]:
    with LookServer(Pages(lookup, tables)) as listening:
        serving = threading.Thread(target=listening.serve_forever, args=(0.01,))
        serving.start()
        yield listening
        listening.shutdown()
        serving.join()


def asked(
    server: LookServer, path: str, hosts: tuple[str, ...] | None = None
) -> tuple[int, http.client.HTTPMessage, str]:
    """The answer to a request for a path, with the headers Host that are given."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)) as connection:
        connection.putrequest("GET", path, skip_host=True)
        for host in hosts if hosts is not None else (f"127.0.0.1:{server.server_port}",):
            connection.putheader("Host", host)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


def page(server: LookServer, path: str = "") -> str:
    status, _, text = asked(server, f"/{server.token}/{path}")
    assert status == 200, text
    return text


def test_only_who_knows_the_address_is_answered(server: LookServer) -> None:
    port = server.server_port
    own = f"/{server.token}/"
    foreign = [("evil.example",), (f"evil.example:{port}",), ("127.0.0.1",), (f"127.0.0.1:{port + 1}",), ()]
    foreign.append((f"127.0.0.1:{port}", "evil.example"))
    for hosts in foreign:
        assert asked(server, own, hosts)[0] == 403, hosts
    changed = server.token[:-1] + ("A" if server.token[-1] != "A" else "B")
    for path in (
        "/",
        "//",
        "/documents/0/0",
        f"/{changed}/",
        f"/{server.token[:-1]}/",
        f"/{server.token}x/",
        "/\u00fc/",
    ):
        status, _, text = asked(server, path.encode().decode("latin-1") if path.isascii() else "/%C3%BC/")
        assert status == 403, path
        assert "kept" not in text
    for hosts in ((f"127.0.0.1:{port}",), (f"localhost:{port}",)):
        assert asked(server, own, hosts)[0] == 200


def test_every_answer_forbids_scripts_and_copies(server: LookServer) -> None:
    for path in ("", "documents/0/0", "nowhere", "?verdict=nothing"):
        _, headers, text = asked(server, f"/{server.token}/{path}")
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "script-src" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert server.token not in text


@pytest.mark.parametrize("begins", ["HEAD", "POST", "<script>", "GET /" + "a" * 70_000])
def test_other_requests_are_answered_by_the_same_headers(begins: str, server: LookServer) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=60) as connection:
        connection.sendall(
            f"{begins} /{server.token}/ HTTP/1.0\r\nHost: 127.0.0.1:{server.server_port}\r\n\r\n".encode()
        )
        head, _, body = b"".join(iter(lambda: connection.recv(1 << 16), b"")).partition(b"\r\n\r\n")
    assert head.split()[1] in (b"501", b"414")
    assert b"default-src 'none'" in head
    assert (b"cannot be answered" in body) == (begins != "HEAD")
    assert b"<script" not in body


def walked(server: LookServer, query: str) -> list[str]:
    """The addresses of the documents on all pages that a query gives."""
    found: list[str] = []
    following: str | None = query
    while following is not None:
        text = page(server, following)
        links = re.findall(r'href="((?:documents|rejects)/\d+/\d+)"', text)
        assert len(links) <= PAGE_ROWS
        found += links
        onward = re.search(r'href="(\?[^"]*)" rel="next"', text)
        following = html.unescape(onward[1]) if onward else None
    return found


@pytest.mark.parametrize(("verdict", "table"), [("kept", "documents"), ("removed", "rejects")])
def test_paging_sees_each_document_once(
    verdict: str, table: Name, server: LookServer, tables: CorpusTables, rows: Rows
) -> None:
    links = walked(server, f"?verdict={verdict}")
    assert len(links) > 2 * PAGE_ROWS
    seen = [tables.row(table, Place(*map(int, link.split("/")[1:]))) for link in links]
    assert seen == rows[table]


def test_counts_are_those_of_the_ledger(server: LookServer, folder: Path) -> None:
    ledger = json.loads((folder / "manifest.json").read_bytes())["ledger"]
    counted = {"kept": sum(each["documents"] for each in ledger["kept"].values())}
    for each in ledger["rejected"]:
        name = f"{each['stage']}: {each['reason']}"
        counted["removed"] = counted.get("removed", 0) + each["documents"]
        counted[name] = counted.get(name, 0) + each["documents"]
    assert len(counted) >= 4
    shown = page(server)
    for name, count in counted.items():
        assert f">{name} ({count:,})</option>" in shown
        text = page(server, f"?verdict={name.replace(' ', '+')}")
        assert f">{count:,} document" in text
        assert len(walked(server, f"?verdict={name.replace(' ', '+')}")) == count


def test_a_document_has_its_text_and_explanation(server: LookServer, lookup: Lookup, rows: Rows) -> None:
    for table in rows:
        links = walked(server, "?verdict=kept" if table == "documents" else "?verdict=removed")
        for link, row in list(zip(links, rows[table], strict=True))[::11]:
            text = html.unescape(page(server, link))
            assert visible_lines(row["text"][:LONGEST_TEXT]) in text
            for line in explain(lookup, row):
                assert f"<bdi>{visible_lines(line)}</bdi>" in text
    [link] = walked(server, "?verdict=removed&doc_id=long+1")
    assert f"The first {LONGEST_TEXT:,} of" in page(server, link)


def test_what_others_wrote_is_only_text(server: LookServer) -> None:
    for path in ("", "?verdict=removed", f"?text={QUOTES.replace(' ', '+')}", *walked(server, "?text=number+7")):
        text = page(server, path.replace(";", "%3B"))
        assert not re.search(r"<(script|img|b|iframe)\b", text)
        assert "&lt;script&gt;" in text
        assert "\u202e" not in text


def test_wrong_addresses_are_one_sentence(server: LookServer) -> None:
    for path, status, message in (
        ("?verdict=nothing", 400, "no such verdict"),
        ("?source=nothing", 400, "no such source"),
        ("?host=%2A.example", 400, "is not a host"),
        ("?from=1", 400, "begin at the first page"),
        ("?from=-1--1", 400, "begin at the first page"),
        ("?" + "&".join(f"a{n}=1" for n in range(50)), 400, "too many fields"),
        ("documents/0/999999999999999", 404, "no such page"),
        ("documents/99/0", 404, "no such page"),
        ("signals/0/0", 404, "no such page"),
        ("documents/../../etc/passwd", 404, "no such page"),
    ):
        answered, _, text = asked(server, f"/{server.token}/{path}")
        assert (answered, message in text) == (status, True), path
        [back] = re.findall('href="([^"]*)">All documents', text)
        if ".." not in path:  # which browsers resolve themselves
            assert urljoin(f"http://h/{server.token}/{path}", back) == f"http://h/{server.token}/"
    assert "no more documents" in page(server, "?from=999-0")


def test_a_corpus_of_no_documents_has_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "none.jsonl").write_text("")
    words = ("--input", tmp_path / "none.jsonl", "--output", tmp_path / "out", "--progress", "none")
    assert call("curate", *words, monkeypatch=monkeypatch) == 0
    lookup = Lookup(str(tmp_path / "out"))
    with closing(CorpusTables.of(lookup)) as tables:
        shown = Pages(lookup, tables)
        assert "no documents" in shown.list({})
        assert 'href="?doc_id=lost&amp;verdict=removed"' in shown.list({"doc_id": "lost"})
        assert "no documents" in shown.list({"verdict": "removed", "text": "mill"})
        assert shown.document("documents", START) is None


def test_mistakes_are_one_sentence(
    server: LookServer, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, message in (
        (("nowhere",), "nowhere holds no finished run"),
        (("s3://bucket/corpus",), "is not on this machine"),
        ((folder, "--port", str(server.server_port)), "choose another --port"),
    ):
        assert call("look", *words, monkeypatch=monkeypatch) == 2
        assert message in capsys.readouterr().err


@pytest.mark.soak
def test_a_browser_shows_the_pages_until_the_command_is_interrupted(
    folder: Path, browser: Browser, artifacts: Path
) -> None:
    command = [str(Path(sys.executable).with_name("gristmill")), "look", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        found = re.search(r"open (http://127\.0\.0\.1:\d+/\S+/) in a browser", running.stdout.readline())
        assert found
        for scheme in ("light", "dark"):
            for size in SIZES:
                context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)  # type: ignore[arg-type]
                tab = context.new_page()
                told: list[str] = []
                tab.on("console", lambda message, told=told: told.append(message.text))
                tab.on("pageerror", lambda error, told=told: told.append(str(error)))
                tab.on("dialog", lambda dialog, told=told: told.append(dialog.message))
                tab.goto(found[1])
                assert tab.evaluate("document.documentElement.scrollWidth") <= size[0]
                dark = tab.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g)[0] < 128")
                assert dark == (scheme == "dark")
                tab.screenshot(path=artifacts / f"look, {scheme}, {size[0]}.png", full_page=True)
                tab.keyboard.press("Tab")
                tab.keyboard.press("Enter")
                tab.keyboard.press("Tab")
                assert "documents/0/0" in (tab.locator(":focus").get_attribute("href") or "")
                tab.get_by_label("Verdict").select_option("removed")
                tab.get_by_label("Text contains").fill("NUMBER 7.")
                tab.get_by_label("Text contains").press("Enter")
                tab.get_by_role("link", name="copy 1 7").press("Enter")
                assert "was removed by exact" in (tab.locator(".why").text_content() or "")
                assert tab.evaluate("document.documentElement.scrollWidth") <= size[0]
                tab.screenshot(path=artifacts / f"look at a document, {scheme}, {size[0]}.png", full_page=True)
                tab.get_by_role("link", name="All documents").press("Enter")
                assert tab.get_by_label("Verdict").input_value() == "kept"
                assert told == []
                context.close()
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == -signal.SIGINT
