"""Compares what a rendering shows of a text with the text itself."""

_MARKS = "*_~`#>|:-\\"
"""The characters of Markdown's marks: emphasis, code, headings, quotes, tables, lists and escapes."""
_WITHOUT_MARKS = str.maketrans("", "", _MARKS)


def keeps_signs(text: str, shown: str) -> bool:
    r"""Whether ``shown`` is ``text`` without some of Markdown's marks and without regard to white space.

    >>> keeps_signs("# *Two* words", "Two words"), keeps_signs("1 \\ 2", "1 2"), keeps_signs("a + b", "a b")
    (True, True, False)
    """
    own, seen = "".join(text.split()), "".join(shown.split())
    if own == seen:
        return True
    if own.translate(_WITHOUT_MARKS) != seen.translate(_WITHOUT_MARKS):
        return False
    rest = iter(own)
    return all(character in rest for character in seen)
