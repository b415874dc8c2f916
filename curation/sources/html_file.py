"""An HTML file: one page, one document."""

from collections.abc import Iterator

from curation.sources.chunks import Rows
from curation.sources.decoding import UndecodableError, decode
from curation.sources.events import Event
from curation.sources.html import ExtractionError, main_text, title
from curation.sources.json_objects import canonical_json
from curation.sources.plain_text import whole


def read_html(events: Iterator[Event], rows: Rows) -> None:
    """Adds the main text of the page, or the reason why it has none; ``metadata`` holds its encoding and title."""
    data = whole(events, rows)
    if not data:
        return
    try:
        page, encoding = decode(data, None)
        text = main_text(page, rows.reading.extract)
    except (ExtractionError, UndecodableError) as bad:
        word = bad.error if isinstance(bad, ExtractionError) else "unknown_encoding"
        rows.broken(word, str(bad), offset=0, size=len(data), record=data)
        return
    found = {"encoding": encoding, "title": title(page)}
    metadata = canonical_json({name: value for name, value in found.items() if value is not None})
    rows.document(text=text, offset=0, metadata=metadata)
