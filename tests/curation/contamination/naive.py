"""Contamination word for word as appendix A.6 of Llama 2 defines it, in time that grows with the product of lengths."""

from collections.abc import Sequence

from curation.kernels.unicode import PUNCTUATION, WORD, tables


def is_span(sample: Sequence[int], document: Sequence[int]) -> bool:
    """Whether two runs of tokens are a span: more than 10, up to 4 mismatches, none in the first 10, none trailing."""
    differ = [own != other for own, other in zip(sample, document, strict=True)]
    return len(differ) > 10 and sum(differ) <= 4 and not any(differ[:10]) and not differ[-1]


def longest_spans(sample: Sequence[int], document: Sequence[int]) -> tuple[list[int], list[bool]]:
    """For each token of the sample the longest span that it lies in, and whether each token of the document is in any
    span."""
    longest, covered = [0] * len(sample), [False] * len(document)
    for i in range(len(sample)):
        for j in range(len(document)):
            if sample[i : i + 10] != document[j : j + 10]:
                continue
            for size in range(11, min(len(sample) - i, len(document) - j) + 1):
                if is_span(sample[i : i + size], document[j : j + size]):
                    longest[i : i + size] = [max(each, size) for each in longest[i : i + size]]
                    covered[j : j + size] = [True] * size
    return longest, covered


def words(text: str, lead: bool = False) -> str:
    """The words of a text in lower case, with single blanks between them."""
    classes, lower = tables()
    kept = [
        chr(lower[ord(each)]) if classes[ord(each)] & WORD and not classes[ord(each)] & PUNCTUATION else " "
        for each in text
    ]
    found = " ".join("".join(kept).split(" ")).split()
    return (" " if lead and found else "") + " ".join(found)
