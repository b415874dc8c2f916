"""Texts made to take time or memory: a piece repeated, which some rule, table or library might go over too often."""

import random
from collections.abc import Callable

Make = Callable[[int], str]
"""A text of about so many bytes of UTF-8."""


def ordinary(size: int) -> str:
    words = "mill turns grain flour bakers have with their bread of the and to be that it was brought a".split(" ")  # noqa: SIM905
    draw = random.Random(1)
    lines = (" ".join(draw.choices(words, k=12)) + ".\n" for _ in range(size // 50))
    return "".join(lines)[:size]


def repeated(piece: str) -> Make:
    return lambda size: (piece * (size // len(piece.encode()) + 1))[: size * len(piece) // len(piece.encode())]


def drawn(letters: str) -> Make:
    return lambda size: "".join(random.Random(2).choices(letters, k=size))


def garbled(size: int) -> str:
    """UTF-8 that was read as Windows-1252 ten times over."""
    text = "é"
    for _ in range(10):
        text = text.encode().decode("sloppy-windows-1252")
    return repeated(text)(size)


PIECES = {
    "a letter": "a", "a capital": "A", "a letter beyond ASCII": "é", "an ideograph": "漢字", "Thai": "สวัสดี",
    "Hebrew": "שלום ", "beyond the first plane": "\U0001d400", "Hangul in parts": "\u1100\u1161\u11a8",
    "marks out of order": "\u0315\u0300", "marks that come apart": "\u0f73\u0344\u0323",
    "voiced kana": "か\u3099\u0323",
    "letters with a mark": "e\u0301", "half-width marks": "\uff76\uff9e\u0301", "emoji": "\U0001f469\u200d",
    "variation selectors": "\u2764\ufe0f", "writing turned round": "\u202e\u05d0", "NUL": "\0", "C1": "\x80",
    "byte order marks": "\ufeff", "replacement characters": "\ufffd", "line separators": "\u2028",
    "line feeds": "\n", "CR LF": "\r\n", "spaces": " ", "tabs": "\t", "no-break spaces": "\u00a0",
    "mojibake": "Ã©", "mojibake of quotes": "â€™", "mojibake of mojibake": "ÃƒÂ©", "half of mojibake": "Ã",
    "mojibake of Cyrillic": "ÐŸÑ€Ð¸", "lines of mojibake": "Ã©\n", "<": "<", "&amp;": "&amp;", "{": "{", "@": "@",
    "a@": "a@", "addresses": "a@a.b ", "no addresses": "a+" * 60 + "..@", "no domains": "a@" + "a-" * 100 + ".",
    "brackets of domains": "a@[1.", "a.": "a.", "1.": "1.", "1.1.1.1": "1.1.1.1 ", "8.8.8.8": "8.8.8.8", "1": "1",
    "section 8.8.8.8": "section 8.8.8.8 ", ":": ":", "1:": "1:", "::1": "::1", "2001:": "2001:4860:", "[": "[",
    "[1": "[1", "[edit": "[edit", "[1]": "[1]", "http://": "http://", "www.": "www.", ".": ".", "...": "...",
    "a...b": "a...b", ". ": ". ", "a? ": "a? ", "U.S.": "U.S.", "I.": "I.", "can't": "can't", "'": "'", '"': '"',
    "'s": "'s", "-": "-", "a--b": "a--b", "(": "(", "(a)": "(a)", "$1": "$1", "1,000": "1,000.", "5km": "5km",
    "%": "%", "a/b": "a/b", ":)": ":)", ":-(": ":-(", "_": "_", "#": "#", "* ": "* ", "- a\n": "- a\n", "x y": "x y ",
    "a\n": "a\n", "a\n\n": "a\n\n", "javascrip": "javascrip", "javascript": "javascript ", "use cookie": "use cookie",
    "lorem ipsu": "lorem ipsu", "p": "p", "terms of us": "terms of us",
}  # fmt: skip

HOSTILE: dict[str, Make] = {name: repeated(piece) for name, piece in PIECES.items()} | {
    "garbled often": garbled,
    "one mark after a letter and many more": lambda size: f"a{repeated(chr(0x315) + chr(0x300))(size)}",
    "words that are all different": lambda size: "".join(f"{n:x} " for n in range(size // 6)),
    "lines that are all different": lambda size: "".join(f"w{n:x}\n" for n in range(size // 7)),
    "marks of punctuation": drawn("()[]{}<>,;!?'\"-"),
    "letters and spaces": drawn("ab \n"),
    "bits of addresses": drawn("a.@1:[]-"),
}
