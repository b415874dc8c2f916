"""Writes a small crawl: a WARC file with good and bad pages as in real crawls.

``python -P -m jobs.demo.pages FILE`` writes the crawl to FILE.
"""

import html
import sys
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

CRAWLED = "2025-03-01T00:00:00Z"

_ARTICLES = tomllib.loads(files("jobs.demo").joinpath("articles.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, kw_only=True)
class Page:
    """One answer of a web server."""

    url: str
    body: bytes
    status: str = "200 OK"
    content_type: str = "text/html; charset=utf-8"


def article(title: str, text: str, encoding: str = "utf-8") -> bytes:
    """An article in the frame of its site: navigation, notice of cookies, footer."""
    return f"""<!DOCTYPE html>
<html><head><title>{html.escape(title)}</title></head><body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/visit">Visit</a></li><li><a href="/shop">Shop</a></li></ul></nav>
<div class="cookie-banner">We use cookies to improve your visit. <button>Accept all</button></div>
<main><article><h1>{html.escape(title)}</h1>{paragraphs(text)}</article></main>
<aside><h3>Most read</h3><ul><li><a href="/1">Ten mills to see</a></li><li><a href="/2">Rye bread</a></li></ul></aside>
<footer>© The Mill. <a href="/privacy">Privacy</a> | <a href="/terms">Terms</a></footer>
</body></html>""".encode(encoding)


def paragraphs(text: str) -> str:
    """A text as HTML paragraphs, which blank lines separate in the text.

    >>> paragraphs("Mind\\nthe step.\\n\\nThanks.")
    '<p>Mind the step.</p>\\n<p>Thanks.</p>'
    """
    parts = (part.replace("\n", " ") for part in text.split("\n\n"))
    return "\n".join(f"<p>{html.escape(part, quote=False)}</p>" for part in parts)


def print_page(title: str, text: str) -> bytes:
    """The same article as a bare page."""
    return (
        f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1>\n{paragraphs(text)}\n"
        "</article></body></html>"
    ).encode()


def pages() -> list[Page]:
    """The pages of the crawl, in order."""
    near = _ARTICLES["stones"].replace("A gristmill", "A grist mill").replace("a good miller", "any good miller")
    return [
        Page(url="https://mill.example/stones", body=article("How a gristmill grinds", _ARTICLES["stones"])),
        Page(url="https://mill.example/stones?print=1", body=print_page("How a gristmill grinds", _ARTICLES["stones"])),
        Page(url="https://mirror.example/stones", body=article("How a gristmill grinds", near)),
        Page(url="https://mill.example/water", body=article("Head race and tail race", _ARTICLES["races"])),
        Page(url="https://muehle.example/steine", body=article("Wie eine Mühle mahlt", _ARTICLES["german"])),
        Page(
            url="https://mill.example/cafe",
            body=article("The café", _ARTICLES["cafe"].encode().decode("cp1252", "replace")),
        ),
        Page(url="https://mill.example/archive", body=article("The archive", _ARTICLES["contact"])),
        Page(
            url="https://mill.example/prices",
            body=article("Prices", _ARTICLES["windows"], "cp1252"),
            content_type="text/html",
        ),
        Page(url="https://mill.example/soon", body=article("Soon", "This page is being written. Come back in spring.")),
        Page(
            url="https://mill.example/chorus",
            body=article("The miller's chorus", " ".join(12 * ["Round and round and round goes the wheel."])),
        ),
        Page(
            url="https://mill.example/gone", body=article("Not found", "There is no such page."), status="404 Not Found"
        ),
        Page(url="https://mill.example/wheel.png", body=b"\x89PNG\r\n\x1a\n" + bytes(64), content_type="image/png"),
    ]


def write_pages(path: Path) -> None:
    """Writes the crawl as a gzip WARC: a warcinfo record, then a request and a response for each page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        about = b"software: gristmill demo\r\nformat: WARC File Format 1.0\r\n"
        _write(writer, "warcinfo", "", about, None)
        for page in pages():
            target = page.url.partition("/")[2].partition("/")[2].partition("/")[2]
            request = StatusAndHeaders(
                f"GET /{target} HTTP/1.1", [("Host", page.url.split("/")[2])], is_http_request=True
            )
            headers = [("Content-Type", page.content_type), ("Content-Length", str(len(page.body)))]
            _write(writer, "request", page.url, b"", request)
            _write(writer, "response", page.url, page.body, StatusAndHeaders(page.status, headers, protocol="HTTP/1.1"))


def _write(writer: WARCWriter, kind: str, url: str, body: bytes, headers: StatusAndHeaders | None) -> None:
    named = {"WARC-Record-ID": f"<urn:uuid:{uuid5(NAMESPACE_URL, f'{kind} {url}')}>", "WARC-Date": CRAWLED}
    record = writer.create_warc_record(
        url, kind, payload=BytesIO(body), length=len(body), http_headers=headers, warc_headers_dict=named
    )
    writer.write_record(record)


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
