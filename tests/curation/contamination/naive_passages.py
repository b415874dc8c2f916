"""The passages that a text shares with samples, by programs for ASCII that compare everything with everything."""

import re
from collections.abc import Sequence

from curation.tokenizers.tokenizer import Encoder
from tests.curation.contamination.naive import longest_spans, size_of_ngrams

Found = tuple[int, list[tuple[int, int]]]
"""The tokens or words of the longest span, 0 for none, and the places of all passages."""


def passages(
    definition: str, samples: Sequence[str], text: str, encoder: Encoder | None = None, normalise: str = "words"
) -> Found:
    """What a text shares with the samples of one benchmark."""
    if encoder is None:
        return _by_words(definition, samples, text)
    own = [encoder.plain([_form(sample, normalise)[0]])[0].tolist() for sample in samples]
    form, origin = _form(text, normalise)
    places = encoder.places(form).tolist()
    covered, longest = [False] * len(places), 0
    for sample in own:
        spans, inside = longest_spans(sample, [token for token, _, _ in places])
        covered = [any(pair) for pair in zip(covered, inside, strict=True)]
        longest = max([longest, *spans])
    return longest, [
        _stripped(form, origin, places[first][1], places[last][2], normalise) for first, last in _runs(covered)
    ]


def _form(text: str, normalise: str) -> tuple[str, list[int]]:
    """The text as it is compared, and the place in the text that each of its characters comes from."""
    if normalise == "none":
        return text, list(range(len(text)))
    form, origin = "", list[int]()
    for match in re.finditer(r"[A-Za-z0-9]+", text):
        form += f" {match[0].lower()}"
        origin += [match.start(), *range(match.start(), match.end())]
    return form, origin


def _stripped(form: str, origin: list[int], start: int, end: int, normalise: str) -> tuple[int, int]:
    if normalise == "words":
        end -= form[end - 1] == " "
    return origin[start], origin[end - 1] + 1


def _by_words(definition: str, samples: Sequence[str], text: str) -> Found:
    own = [re.findall("[a-z0-9]+", sample.lower()) for sample in samples]
    words = [(match[0].lower(), *match.span()) for match in re.finditer("[A-Za-z0-9]+", text)]
    size = size_of_ngrams(definition, [len(each) for each in own])
    covered, longest = [False] * len(words), 0
    for sample in own:
        for i in range(len(sample)):
            for j in range(len(words)):
                run = 0
                while max(i, j) + run < len(words) + len(sample) and _equal(sample, words, i + run, j + run):
                    run += 1
                if run >= size:
                    longest = max(longest, run)
                    covered[j : j + run] = [True] * run
    return longest, [(words[first][1], words[last][2]) for first, last in _runs(covered)]


def _equal(sample: list[str], words: list[tuple[str, int, int]], i: int, j: int) -> bool:
    return i < len(sample) and j < len(words) and sample[i] == words[j][0]


def _runs(covered: list[bool]) -> list[tuple[int, int]]:
    """The first and the last place of each run."""
    found: list[tuple[int, int]] = []
    for place, inside in enumerate(covered):
        if inside and found and found[-1][1] == place - 1:
            found[-1] = (found[-1][0], place)
        elif inside:
            found.append((place, place))
    return found
