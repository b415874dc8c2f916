"""Reads an HTML file as one document."""

from collections.abc import Iterator

from curation.sources.chunks import ChunkBuilder, RecordError
from curation.sources.decoding import decode
from curation.sources.events import Event
from curation.sources.html import main_text, rights, title
from curation.sources.json_objects import canonical_json
from curation.sources.plain_text import read_whole


def read_html(events: Iterator[Event], builder: ChunkBuilder) -> None:
    """Adds the main text of the page, or quarantines the page; ``metadata`` holds its encoding and title."""
    data = read_whole(events, builder)
    if not data:
        return
    try:
        page, encoding = decode(data, None)
        extraction = main_text(page, builder.reading.extract)
        stated = rights(extraction.tree or page) if builder.rights else {}
    except RecordError as bad:
        builder.quarantine(bad.error, str(bad), record=data)
        return
    found = {"encoding": encoding, "title": title(page)} | extraction.metadata | stated
    metadata = canonical_json({name: value for name, value in found.items() if value is not None})
    builder.add_document(text=extraction.text, offset=0, metadata=metadata)
