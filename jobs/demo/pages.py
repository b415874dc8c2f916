"""Writes a small crawl: a WARC file with good and bad pages as in real crawls."""

import html
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

CRAWLED = "2025-03-01T00:00:00Z"

_STONES = """\
A gristmill grinds grain between two stones. The lower one, the bedstone, lies still; the upper one, the runner,
turns over it without ever touching. The miller sets the gap between them with a screw, and a good miller hears from
the sound of the stones, before he feels it in the flour, that the gap has to be changed.

The grain falls from the hopper through a small trough that the turning spindle shakes, so that the faster the mill
runs the more grain it is given. It enters at the eye of the runner, is broken near the middle, and is ground finer
and finer on the way out, along furrows that are cut into both stones and cross each other like the blades of
scissors.

Stones grow dull. Every two or three weeks the runner was lifted with a crane, turned over, and dressed with a steel
pick, furrow by furrow. The dressers who travelled from mill to mill were asked to show their metal: the splinters
of steel under the skin of their hands told how many stones they had worked on."""

_RACES = """\
Water reaches the wheel through a channel that millers call the head race, and leaves it through the tail race.
Between the two lies all the power that the mill will ever have: the height that the water falls, and the amount of
it that comes in a second. Neither can be made, only kept, and most of the law about mills is about who may keep it.

An overshot wheel carries the water in buckets and uses its weight, and with a fall of four metres or more nothing
that was built of wood did better. An undershot wheel only dips its boards into the stream and is pushed along; it
needs no dam, and gives less than a third of the power. In a dry summer both stand still, and the village waits for
its bread."""

_GERMAN = """\
Eine Getreidemühle mahlt das Korn zwischen zwei Steinen. Der untere Stein, der Bodenstein, liegt fest; der obere,
der Läufer, dreht sich über ihm, ohne ihn jemals zu berühren. Der Müller stellt den Abstand mit einer Schraube ein,
und ein guter Müller hört am Klang der Steine, dass er den Abstand ändern muss, bevor er es am Mehl spürt.

Das Korn fällt aus dem Trichter durch eine kleine Rinne, die von der Spindel gerüttelt wird: Je schneller die Mühle
läuft, desto mehr Korn bekommt sie. Alle zwei bis drei Wochen wurde der Läufer angehoben, umgedreht und neu
geschärft."""

_CAFE = """\
The mill’s café opens at nine, and on Saturdays the baker’s first loaves are still warm when the doors open. It
seats thirty – more when the weather lets us put tables beside the race – and we don’t take bookings. On the first
Sunday of the month there’s music, for which nobody has to pay.

Bring children: there’s a box of wooden gears that they can put together, and nobody minds if it isn’t put away.

We serve what the mill grinds: spelt, rye and wheat, as bread, as pancakes and as the miller’s own ‘crushed
porridge’, which is better than it sounds and has been on the menu since the café opened in the summer of 1987."""

_CONTACT = """\
The archive of the mill is open to everybody who asks in time. It holds the account books of four families, the
drawings of two wheels that were never built, and some three hundred letters about the level of the water.

To read in it, write to the keeper of the archive at keeper@mill.example, and say which years you would like to see.

The catalogue can be searched on the old server, which has no name any more and answers at 93.184.216.34 on most
days. We scan on request, and charge for nothing but the postage when a letter has to be sent."""

_WINDOWS = """\
Café prices were raised for the first time in six years. The “small loaf” now costs £3 – as much as the large one
did when the mill was opened again – and the miller’s flour is sold at £2 the kilo. We don’t like it either.

The reason is not the grain, whose price has hardly moved, but the wheel: its shaft is of oak, two hundred years
old, and has to be replaced before the winter. There are three carpenters in the country who can do that, and all of
them have been asked. The work will be done in October, and the mill will stand still for as long as it takes."""


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
    near = _STONES.replace("A gristmill", "A grist mill").replace("a good miller", "any good miller")
    return [
        Page(url="https://mill.example/stones", body=article("How a gristmill grinds", _STONES)),
        Page(url="https://mill.example/stones?print=1", body=print_page("How a gristmill grinds", _STONES)),
        Page(url="https://mirror.example/stones", body=article("How a gristmill grinds", near)),
        Page(url="https://mill.example/water", body=article("Head race and tail race", _RACES)),
        Page(url="https://muehle.example/steine", body=article("Wie eine Mühle mahlt", _GERMAN)),
        Page(url="https://mill.example/cafe", body=article("The café", _CAFE.encode().decode("cp1252", "replace"))),
        Page(url="https://mill.example/archive", body=article("The archive", _CONTACT)),
        Page(
            url="https://mill.example/prices",
            body=article("Prices", _WINDOWS, "cp1252"),
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
