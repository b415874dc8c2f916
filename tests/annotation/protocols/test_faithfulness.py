"""An annotator sees every sign of a response but Markdown's own marks, read back from the HTML."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from annotation.protocols import PROTOCOLS
from annotation.protocols.faithfulness import keeps_signs
from annotation.protocols.rendering import render_model_text, render_responses

MARKS = "*_~`#>|:-\\"
PIECES = st.sampled_from(
    [
        *("word", "2*3*4", "__init__", "a_b", "x", " ", "\n", "\n\n", "    ", "* ", "- ", "+ ", "1. ", "07) "),
        *("**", "*", "_", "~~", "`", "``", "```\n", "```python\n", "# ", "> ", "| ", "|", "|-|-|\n", "---\n", "==="),
        *("$", "$$", "$x_1*y*z$", "$5", "\\(", "\\)", "\\[", "\\]\n", "\\frac{1}{2}", "\\", "\\*", "\\{", "{", "}"),
        *("&amp;", "&", "<b>", "](", "[", "![", "https://mill.example/a_b*c*", "'", '"', "%", "é", "中文", "= ", ", "),
    ]
)
TEXTS = st.lists(PIECES, max_size=30).map("".join)


def squeeze(text: str) -> str:
    return "".join(text.split())


def read(rendered: str) -> Iterator[tuple[str, str]]:
    """(tag of the nearest element, its characters) in the order of a page; of a formula, what it was written as."""
    for part in html.fragments_fromstring(f"<div>{rendered}</div>"):
        yield from _walk(part)


def _walk(element: html.HtmlElement) -> Iterator[tuple[str, str]]:
    if element.tag == "math":
        yield "math", element.get("title", "")
    else:
        yield str(element.tag), element.text or ""
        for child in element:
            yield from _walk(child)
            yield str(element.tag), child.tail or ""


def visible(rendered: str) -> str:
    return squeeze("".join(characters for _, characters in read(rendered)))


def without_marks(text: str) -> str:
    return "".join(character for character in text if character not in MARKS)


@given(left=TEXTS, right=TEXTS)
def test_only_marks_of_markdown_are_out_of_sight(left: str, right: str) -> None:
    for text, rendered in zip((left, right), render_responses(left, right), strict=True):
        own, seen = squeeze(text), visible(rendered)
        assert without_marks(seen) == without_marks(own)
        rest = iter(own)
        assert all(character in rest for character in seen), "the page shows characters of the text in their order"


@given(text=TEXTS)
def test_code_and_formulas_keep_every_sign(text: str) -> None:
    for tag, characters in read(render_model_text(text)):
        if tag in ("code", "math"):
            assert squeeze(characters) in squeeze(text)


@pytest.mark.parametrize(
    "text", ["2*3*4", "2**3**4", "a__b__c", "__init__", "5*(3+2)*4", "f(x)*g(y)*h", "9~~8~~7", "_", "C:\\{a}"]
)
def test_signs_within_words_are_no_marks(text: str) -> None:
    assert visible(render_model_text(f"Is {text} right? {text}")) == f"Is{text}right?{text}"


@given(text=TEXTS, other=TEXTS)
def test_a_pair_is_shown_alike(text: str, other: str) -> None:
    raw = ["gm-plain" in each for each in render_responses(text, other)]
    assert raw[0] == raw[1]
    assert render_responses(other, text) == render_responses(text, other)[::-1], "the order says nothing"


TABLE = """| Tool | Line |
|---|---|
| grep | `cat a || cat b` | 3 |
| awk | $|x| + 1$ |
| sed | a \\| b | c | d |
| cut |"""


def test_tables_keep_every_cell() -> None:
    rows = html.fromstring(render_model_text(TABLE)).findall(".//tr")
    cells = [[squeeze("".join(text for _, text in _walk(cell))) for cell in row] for row in rows]
    assert cells == [
        ["Tool", "Line", "", ""],
        ["grep", "cata||catb", "3", ""],
        ["awk", "$|x|+1$", "", ""],
        ["sed", "a|b", "c", "d"],
        ["cut", "", "", ""],
    ]


FORMULAS = [
    "Both $\\hat{w}_k$ and $w_k*v*w_j$ are in $T=\\{0,9\\}$.",
    "$$\n\\begin{pmatrix} 3 & 4 \\\\ 5 & 6 \\end{pmatrix}\n$$",
    "Then\n\\[\nz = u\n- v\n\n+ 7\n\\]\nholds",
    "1. First\n   $$\n   q = p\n   - r\n   $$\n2. Second \\(t_1 + t_2\\), the $n$th",
    "> $$\n> a_1\n> + b\n> $$",
    "\\begin{aligned} is only typeset within $\\begin{aligned} a &= 1 \\\\ &= 2 \\end{aligned}$",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_are_typeset(text: str) -> None:
    rendered = render_model_text(text)
    written = [squeeze(characters) for tag, characters in read(rendered) if tag == "math"]
    quoted = squeeze(text.replace("\n> ", "\n"))
    assert written == [squeeze(each) for each in re.findall(r"\$\$.+?\$\$|\$.+?\$|\\\(.+?\\\)|\\\[.+?\\\]", quoted)]
    assert not re.search("<(li|em|ul)[^<]*(- |<em>)", rendered)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "from $5 to $10",
            "US$5, or A$7",
            "$HOME/bin:$PATH",
            "$1,000 (about 900€) or 20$ less",
            "${a}${b}",
            "$a = $b . $c",
        ),
        *("`$x$` and ```$y$```", "```\n$x$ \\(y\\)\n```", "    $x$", "\\$x\\$ $ x $ and $$", "$(this).on($(that))"),
        "\\[citation needed\\]",
    ],
)
def test_prices_and_code_are_no_formulas(text: str) -> None:
    assert "math" not in {tag for tag, _ in read(render_model_text(text))}


@pytest.mark.parametrize(
    "formula", ["$\\frac{1}{2$", "$\\foo{x}$", "$a % b$", "$\\color{red}{x}$", "$x^a^b$", "$\\href{u}{x}$"]
)
def test_a_formula_that_cannot_be_read_is_shown_as_written(formula: str) -> None:
    [code] = [characters for tag, characters in read(render_model_text(formula)) if tag == "code"]
    assert code == formula


def test_a_response_that_layout_would_alter_is_raw_on_both_sides() -> None:
    deep = "> " * 40 + "a **b**"
    task = PROTOCOLS["preference"].show([{"role": "user", "content": "Go on."}], "*one*", deep, swapped=True)
    assert visible(task["a"]) == squeeze(deep)
    assert visible(task["b"]) == "*one*"


@pytest.mark.parametrize(
    ("text", "shown", "kept"),
    [
        ("**a** # `b`", "a # b", True),
        ("a * b", "a b", True),
        ("a + b", "a b", False),
        ("a b", "a b c", False),
        ("a*b-c", "a-b*c", False),
        ("ab", "ba", False),
    ],
)
def test_what_counts_as_kept(text: str, shown: str, kept: bool) -> None:
    assert keeps_signs(text, shown) is kept
