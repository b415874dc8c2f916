"""Contamination word for word as Llama 2 (appendix A.6), GPT-3 and PaLM define it, in time that grows with the product
of lengths."""

from collections.abc import Sequence
from fractions import Fraction

from curation.kernels.unicode import PUNCTUATION, SPACELESS, WORD, tables


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


def word_list(text: str) -> list[str]:
    """The words of a text, of which each character is one in scripts without spaces."""
    classes, _ = tables()
    spaced = [f" {each} " if classes[ord(each)] & SPACELESS else each for each in words(text)]
    return "".join(spaced).split()


def size_of_ngrams(definition: str, lengths: Sequence[int]) -> int:
    """8 for PaLM; for GPT-3 the shortest length that at least 5% of all do not exceed, from 8 to 13."""
    if definition == "palm":
        return 8
    fifth = min((own for own in lengths if sum(each <= own for each in lengths) * 20 >= len(lengths)), default=8)
    return max(8, min(13, fifth))


def ngrams(found: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(found[place : place + size]) for place in range(len(found) - size + 1)]


def contaminated_ngrams(
    definition: str, samples: Sequence[str], documents: Sequence[str]
) -> list[tuple[int, list[bool], bool]]:
    """For each sample of a benchmark the words of an n-gram, whether each n-gram is in a document, and whether the
    sample is dirty."""
    own = [word_list(sample) for sample in samples]
    size = size_of_ngrams(definition, [len(each) for each in own])
    known = {ngram for document in documents for ngram in ngrams(word_list(document), size)}
    rows = []
    for each in own:
        found = [ngram in known for ngram in ngrams(each, size)]
        share = Fraction(sum(found), max(len(found), 1))
        rows.append((size, found, share > 0 if definition == "gpt3" else share >= Fraction(7, 10)))
    return rows
