"""The definitions of other projects, by name: ``dialect = "dolma"`` in a recipe's step stands for all its settings.

Read in their code at these commits, and held to their own tests and to their code on real documents
(`tests/curation/peers`):

- ``datatrove`` 0.10.1, with which FineWeb was made: the default;
- ``dolma`` 669f534, tagger ``gopher_v1``;
- ``dclm`` 361714b, filters of the baseline that takes RefinedWeb's steps (``dclm_baseline_refinedweb.yaml``);
- ``datamap``: datamap-rs f771794;
- ``nemo``: NeMo Curator 1e2e427;
- ``gopher``: the paper's own words (Rae et al. 2021, appendix A.1), where they say what is counted.
"""

from typing import Literal, NamedTuple

from curation.filters.definitions import QualityDefinition, RepetitionDefinition

Dialect = Literal["datatrove", "dolma", "dclm", "datamap", "nemo", "gopher"]


class Definitions(NamedTuple):
    """The definitions of a project."""

    quality: QualityDefinition
    repetition: RepetitionDefinition


_DOLMA = Definitions(
    QualityDefinition(
        words="white_space",
        count_punctuation=True,
        word_length="median",
        symbols="containing",
        ellipses=("\u2026",),
        bullets=("*", "-"),
        line_breaks="newline",
        strip_lines=False,
        stop_words_counted="all",
    ),
    RepetitionDefinition(
        words="white_space",
        line_breaks="newline",
        paragraph_breaks="none",
        duplicate_pieces="all",
        pieces_over="words",
        spaces=False,
        duplicate_ngrams="all",
        ngrams_over="words",
    ),
)
_DCLM = Definitions(
    QualityDefinition(
        words="white_space",
        counted_words="fasttext",
        count_punctuation=True,
        symbols="summed",
        ellipses=("...", ". . .", "\u2026"),
        bullets=("\u25cf", "\u2022", "*", "-"),
        line_breaks="newline",
        bullet_lines="not_blank",
        ellipsis_lines="not_blank",
        ignore_case=True,
        stop_words_counted="all",
    ),
    RepetitionDefinition(
        words="alphanumeric",
        line_breaks="newline",
        lines="not_blank",
        paragraph_breaks="two_newlines",
        paragraphs="not_blank",
        strip_pieces=True,
        duplicate_pieces="all",
        pieces_over="pieces",
        top_least=2,
        top_ties="longest",
        spaces=False,
        duplicate_ngrams="covered",
        ngrams_over="words",
    ),
)
_DATAMAP = Definitions(
    QualityDefinition(
        words="white_space",
        counted_words="ascii_runs",
        count_punctuation=True,
        length_unit="bytes",
        symbols="summed",
        join_spaced=True,
        ellipses=("...", ". . .", "\u2026"),
        bullets=("\u25cf", "\u2022", "*", "-"),
        line_breaks="newline",
        strip_lines=False,
        bullet_lines="all",
        ellipsis_lines="not_empty",
        ignore_case=True,
        stop_words_counted="all",
    ),
    RepetitionDefinition(
        words="uax29",
        length_unit="bytes",
        line_breaks="newline",
        lines="not_empty",
        paragraph_breaks="two_newlines",
        paragraphs="not_empty",
        duplicate_pieces="all",
        pieces_over="pieces",
        top_least=2,
        top_ties="longest",
        top_counted="once",
        spaces=False,
        duplicate_ngrams="covered",
        ngrams_over="words",
    ),
)
_NEMO = Definitions(
    QualityDefinition(
        words="white_space",
        count_punctuation=True,
        symbols="alone",
        ellipses=("...", "[...]", "\u2026", "(...)", "[\u2026]", "-\u00bb", "read more..", "read more"),
        bullets=tuple("\u2022\u2023\u2043\u204c\u204d\u2219\u25cb\u25cf\u25d8\u25e6\u29be\u29bf"),
        line_breaks="newline",
        bullet_lines="not_blank",
        ellipsis_lines="not_blank",
        stop_words_counted="all",
    ),
    RepetitionDefinition(
        words="white_space",
        line_breaks="newline",
        lines="not_blank",
        paragraph_breaks="two_newlines",
        pieces_over="pieces",
        top_counted="replaced",
        duplicate_ngrams="later",
        short_texts="one",
    ),
)
_GOPHER = Definitions(
    QualityDefinition(
        words="white_space",
        count_punctuation=True,
        bullets=("\u2022", "*", "-"),
        line_breaks="newline",
        bullet_lines="not_blank",
        ellipsis_lines="not_blank",
    ),
    RepetitionDefinition(
        words="white_space",
        line_breaks="newline",
        lines="not_blank",
        paragraph_breaks="blank_lines",
        paragraphs="not_blank",
        top_least=2,
        top_counted="once",
        duplicate_ngrams="covered",
    ),
)
DIALECTS: dict[Dialect, Definitions] = {
    "datatrove": Definitions(QualityDefinition(), RepetitionDefinition()),
    "dolma": _DOLMA,
    "dclm": _DCLM,
    "datamap": _DATAMAP,
    "nemo": _NEMO,
    "gopher": _GOPHER,
}
