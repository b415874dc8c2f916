"""The cutting of duplicate pieces once more, as slow and plain Python over all documents at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from curation.dedup.settings import Pieces
from curation.kernels.piece_bounds import CLOSING_MARKS, END_MARKS

WIDE = END_MARKS[-3:]
Span = tuple[int, int]
"""Start and end in characters."""

Copy = tuple[int, int, int, int]
"""Start and end in bytes, the number of the text with the first copy, and what to add to the start for its place."""


@dataclass(frozen=True)
class Cut:
    """What was cut out of a text, in characters; the number of the text with the first copy, and the place there."""

    text: int
    start: int
    end: int
    first: int
    first_start: int


def lines(text: str) -> list[Span]:
    """The lines with a character that is not white space, without the white space at their ends."""
    found, place = [], 0
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        if bare:
            start = place + line.index(bare)
            found.append((start, start + len(bare)))
        place += len(line)
    return found


def paragraphs(text: str) -> list[Span]:
    found: list[Span] = []
    place, joined = 0, False
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        if bare:
            start = place + line.index(bare)
            if joined:
                found[-1] = (found[-1][0], start + len(bare))
            else:
                found.append((start, start + len(bare)))
        joined = bool(bare)
        place += len(line)
    return found


def sentences(text: str) -> list[Span]:
    found: list[Span] = []
    for place, end in lines(text):
        while place < end:
            stop = place
            while stop < end:
                stop, wide = _marks_end(text, stop, end)
                if stop == end or wide or text[stop].isspace():
                    break
            found.append((place, stop))
            place = stop
            while place < end and text[place].isspace():
                place += 1
    return found


def _marks_end(text: str, place: int, end: int) -> tuple[int, bool]:
    """The end of the next end mark and the marks behind it, and whether any of them needs no white space."""
    while place < end and text[place] not in END_MARKS:
        place += 1
    first = place
    while place < end and text[place] in END_MARKS + CLOSING_MARKS:
        place += 1
    return place, any(mark in WIDE for mark in text[first:place])


SPLIT = {"line": lines, "paragraph": paragraphs, "sentences": sentences}


def cut_pieces(texts: Sequence[str], settings: Pieces) -> tuple[list[str], list[Cut]]:
    """The texts after cutting, and what was cut."""
    pieces = [SPLIT[settings.unit](text) for text in texts]
    count = settings.sentences if settings.unit == "sentences" else 1
    gone: dict[tuple[int, int], tuple[int, int]] = {}
    stayed: dict[tuple[str, ...], list[tuple[int, int, int]]] = {}
    for number, spans in enumerate(pieces):
        for place in range(len(spans) - count + 1):
            content = tuple(texts[number][start:end] for start, end in spans[place : place + count])
            if sum(map(len, content)) < settings.min_characters:
                continue
            known = stayed.setdefault(content, [])
            if known and known[-1][0] == number and place < known[-1][2]:
                continue
            if len(known) < settings.copies:
                known.append((number, place, place + count))
                continue
            first, at, _ = known[0]
            for each in range(place, place + count):
                gone.setdefault((number, each), (first, pieces[first][at][0]))
    results, cuts = [], list[Cut]()
    for number, (text, spans) in enumerate(zip(texts, pieces, strict=True)):
        stays = [place for place in range(len(spans)) if (number, place) not in gone]
        found = []
        for place in range(len(spans)):
            if (number, place) not in gone:
                continue
            start = spans[place][0] if place else 0
            if stays and place == stays[-1] + 1:  # what separates the last piece that stays from the end
                start = spans[place - 1][1]
            end = spans[place + 1][0] if place + 1 < len(spans) else len(text)
            found.append(Cut(number, start, end, *gone[number, place]))
        cuts += found
        results.append(remaining(text, [(each.start, each.end) for each in found]))
    return results, cuts


def cut_substrings(texts: Sequence[str], least: int) -> tuple[list[str], list[Cut]]:
    """The texts after cutting substrings of at least ``least`` bytes, and what was cut."""
    first: dict[bytes, tuple[int, int]] = {}
    results, cuts = [], list[Cut]()
    for number, text in enumerate(texts):
        places = [0]
        for letter in text:
            places.append(places[-1] + len(letter.encode()))
        content = text.encode()
        copies = list[Copy]()
        for start in places[:-1]:
            window = content[start : start + least]
            if len(window) < least:
                break
            of, began = first.setdefault(window, (number, start))
            if of == number and start - began < least:
                continue
            last = copies[-1] if copies else None
            if last is not None and last[2:] == (of, began - start) and start <= last[1]:
                copies[-1] = (last[0], start + least, *last[2:])
            else:
                copies.append((start, start + least, of, began - start))
        found: list[tuple[int, int, int, int] | None] = [None] * len(text)
        for begin, end, of, shift in furthest(copies):
            for letter in range(len(text)):
                if begin <= places[letter] and places[letter + 1] <= end and found[letter] is None:
                    found[letter] = (of, shift + places[letter], letter, letter + 1)
        spans = list[Cut]()
        for each in filter(None, found):
            of, there, letter, after = each
            before = len(texts[of].encode()[:there].decode())
            joins = bool(spans) and spans[-1].end == letter and spans[-1].first == of
            if joins and spans[-1].first_start + letter - spans[-1].start == before:
                spans[-1] = replace(spans[-1], end=after)
            else:
                spans.append(Cut(number, letter, after, of, before))
        cuts += spans
        results.append(remaining(text, [(each.start, each.end) for each in spans]))
    return results, cuts


def furthest(copies: Sequence[Copy]) -> list[Copy]:
    """From the first byte in a copy on, the copy that reaches furthest of all that begin before or at the end of the
    last."""
    chosen = list[Copy]()
    place = 0
    while ahead := [copy for copy in copies if copy[1] > place]:
        place = max(place, min(copy[0] for copy in ahead))
        chosen.append(max((copy for copy in ahead if copy[0] <= place), key=lambda copy: copy[1]))
        place = chosen[-1][1]
    return chosen


def remaining(text: str, cuts: Sequence[Span]) -> str:
    bounds = [0, *(place for cut in cuts for place in cut), len(text)]
    return "".join(text[start:end] for start, end in zip(bounds[::2], bounds[1::2], strict=True))
