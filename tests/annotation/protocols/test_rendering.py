"""What models and users wrote reaches the annotator in full, and can do nothing."""

import re
import time
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.protocols import markdown, rendering
from annotation.protocols.formulas import _ATTRIBUTE, _ELEMENT
from annotation.protocols.marks import mark_invisible
from annotation.protocols.rendering import LONGEST_LAYOUT, render_guidelines, render_model_text, render_user_text

TAGS = {
    *("p", "br", "hr", "div", "span", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li"),
    "mark",
    *("table", "thead", "tbody", "tr", "th", "td"),
    *_ELEMENT.pattern.split("|"),
    "math",
}
ATTRIBUTES = {"dir", "class", "title", "display", *_ATTRIBUTE.pattern.split("|")}
PIECES = st.sampled_from(
    [
        *(
            "word",
            "two words",
            "\n",
            "\n\n",
            "  ",
            "    ",
            "\t",
            "\r\n",
            "*",
            "**",
            "_",
            "`",
            "```",
            "~~~",
            "~~",
            "#",
            "##",
        ),
        *(
            "> ",
            "- ",
            "+ ",
            "1. ",
            "7) ",
            "|",
            "|-|-|",
            "---",
            "===",
            "[a](b)",
            "![a](b)",
            "[a]: b",
            "<b>",
            "</div>",
            "\\",
            "$x",
        ),
        *(
            "&amp;",
            "&#8238;",
            "&",
            "<script>x</script>",
            "javascript:x",
            "http://a.example",
            "\u202e",
            "\u200b",
            "\0",
            "עברית",
        ),
        *(
            "$",
            "$$",
            "$a*b$",
            "$x_1",
            "\\(",
            "\\)",
            "\\[",
            "\\]",
            "\\frac",
            "{",
            "}",
            "+ ",
            "`a || b`",
            "\\|",
            "\\*",
            "2*3*4",
            "__init__",
        ),
        *("\\(a_1\\)", "\\[b\\]", "é", "👩\u200d💻", "\ud800"),
    ],
)
TEXTS = st.lists(PIECES | st.text(max_size=5), max_size=40).map("".join)


class Seen(HTMLParser):
    """The text, tags and attributes of some HTML; refuses what is not balanced."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.tags, self.attributes = "", set[str](), set[tuple[str, str]]()
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}
        self.text += " " if ("class", "gm-mark") in attrs else ""
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


@pytest.mark.parametrize("render", [render_model_text, render_user_text, render_guidelines])
@given(text=TEXTS)
def test_only_harmless_tags_come_out_and_they_balance(render: Callable[[str], str], text: str) -> None:
    seen = Seen(render(text))
    assert seen.tags <= TAGS
    assert {name for name, _ in seen.attributes} <= ATTRIBUTES
    assert all(value in ("auto", "ltr") for name, value in seen.attributes if name == "dir")
    assert all(re.fullmatch("(gm-[a-z0-9]+ ?)+", value) for name, value in seen.attributes if name == "class")


@pytest.mark.parametrize("render", [render_model_text, render_user_text, render_guidelines])
@given(text=TEXTS)
def test_every_word_is_shown(render: Callable[[str], str], text: str) -> None:
    shown = "".join(re.findall("[A-Za-z]+", Seen(render(text)).text))  # an emphasis in a word leaves no gap
    assert not [word for word in re.findall("[A-Za-z]+", text) if word not in shown]


@given(text=TEXTS)
def test_nothing_invisible_is_left(text: str) -> None:
    for html in (render_model_text(text), render_user_text(text)):
        html.encode("utf-8")
        assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\U000e0000-\U000e0fff]", html)


@given(text=TEXTS)
def test_the_short_cut_for_plain_lines_equals_the_parser(text: str) -> None:
    shortened = rendering._lay_out(rendering._MODEL_PARSER, text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(markdown, "_MAYBE_INLINE", re.compile(""))
        assert shortened.html == rendering._lay_out(rendering._MODEL_PARSER, text).html


@given(
    text=st.lists(st.sampled_from(["word", "\n", "\n\n", " ", "  ", "\t", "(a) b.", "é", "<", "'\"", "x!"])).map(
        "".join
    )
)
def test_the_short_cut_for_plain_text_equals_the_parser(text: str) -> None:
    if not rendering._MAYBE_MARKUP.search(text):
        paragraphs = "".join(piece.html for piece in rendering._render_paragraphs(text))
        assert paragraphs == rendering._lay_out(rendering._MODEL_PARSER, text).html


def test_markdown_is_laid_out() -> None:
    table, code = "| x | y |\n|---|---|\n| 1 | 2 |\n", "```py\nif a < b:\n```\n"
    text = f"## Why\n\n1. *a*\n3. `b<`\n\n{table}\n{code}> quoted\n\n\\(a_1 * b_1\\)"
    assert render_model_text(text).split("\n") == [
        '<div dir="auto" class="gm-heading gm-h2">Why</div>',
        '<ol dir="auto">',
        '<li dir="auto"><span class="gm-number">1.</span><em>a</em>',
        "</li>",
        '<li dir="auto"><span class="gm-number">3.</span><code dir="ltr">b&lt;</code>',
        "</li>",
        "</ol>",
        '<div class="gm-wide"><table dir="auto">',
        "<thead>",
        '<tr><th dir="auto">x</th><th dir="auto">y</th></tr>',
        "</thead>",
        "<tbody>",
        '<tr><td dir="auto">1</td><td dir="auto">2</td></tr>',
        "</tbody>",
        "</table></div>",
        '<div class="gm-code"><div class="gm-language">py</div><pre dir="ltr"><code>'
        '<span class="gm-k">if</span> a &lt; b:',
        "</code></pre></div>",
        '<blockquote dir="auto">',
        '<p dir="auto">quoted</p>',
        "</blockquote>",
        '<p dir="auto"><math title="\\(a_1 * b_1\\)"><msub><mi>a</mi><mn>1</mn></msub><mo>*</mo>'
        "<msub><mi>b</mi><mn>1</mn></msub></math></p>",
        "",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[label](https://mill.example/a) ![image](https://mill.example/b.png)",
        "<https://mill.example> https://mill.example",
        "[ref]: https://mill.example 'title'",
        "[x](javascript:alert(1))",
        "<img src=x onerror=alert(1)><!-- hidden --><?php ?><![CDATA[x]]>",
    ],
)
def test_links_images_and_html_stay_text(text: str) -> None:
    seen = Seen(render_model_text(text))
    assert seen.text.strip() == text
    assert seen.tags <= {"p", "span"}


def test_overrides_show_by_name() -> None:
    assert Seen(render_model_text("abc\u202edef")).text.strip() == "abc RLOdef"
    assert Seen(render_model_text("&#8238;")).text.strip() == "&#8238;", "a sign is shown as it was written"
    assert "U+E0041" in render_user_text("\U000e0041")


@pytest.mark.parametrize("text", ["👩\u200d💻", "❤\ufe0f", "می\u200cخواهم", "1\ufe0f\u20e3", "क्\u200dष"])
def test_joiners_stay_where_scripts_and_emoji_need_them(text: str) -> None:
    assert mark_invisible(text) == text


def test_hidden_joiners_between_plain_letters_show() -> None:
    assert Seen(mark_invisible("pass\u200dword\ufe0f")).text == "pass ZWJword U+FE0F"


NASTY = {
    "brackets": "[" * 100_000,
    "stars": "*" * 100_000,
    "quotes": ">" * 100_000,
    "backticks": "`a" * 50_000,
    "ticks of all lengths": "".join("`" * n + "a" for n in range(1, 450)),
    "emphasis": "*a **b " * 15_000,
    "underscores": "_a" * 50_000,
    "images": "![" * 50_000,
    "links": "[a](" * 25_000,
    "tags": "<a" * 50_000,
    "comments": "<!--" * 25_000,
    "backslashes": "\\(" * 50_000,
    "brackets of mathematics": "\\[\\(" * 25_000,
    "entities": "&#1" * 30_000,
    "nested lists": "\n".join("  " * n + "- a" for n in range(450)),
    "quotes in lines": ("> " * 50 + "a\n") * 900,
    "headings": "# a\n" * 25_000,
    "a table of many columns": "|a" * 300 + "\n" + "|-" * 300 + "\n" + "|\n" * 3_000,
    "fences": "```\n" * 25_000,
    "items": "- \n" * 30_000,
    "numbers": "1. a\n\n" * 15_000,
    "blanks": "a" + " " * 100_000 + "b",
    "blanks and more": "a" + " " * 100_000 + "*b*",
    "blanks in lines": ("a" + " " * 1_000 + "\n") * 100 + "`b`",
    "tabs": "\t" * 100_000 + "a",
    "combining": "a" + "\u0301" * 100_000,
    "invisible": "\u200b" * 30_000,
    "formulas": "$a$ " * 30_000,
    "open dollars": ("$" + "a" * 480 + "\n\n") * 200,
    "open brackets": ("\\[`\\]" + "\\[" * 900) * 50,
    "lines in brackets": "\\[\n" * 30_000 + "\\]",
    "schemes": "://" * 30_000,
    "brackets of addresses": "http://a)" + ")" * 100_000,
    "code in cells": "|" + "`a|" * 30_000 + "\n|-|\n",
    "a short table after another": "a|b\n-|-\n" * 4_000,
    "a table with a wide row": "|a|\n|-|\n" + "|b|\n" * 10_000 + "|" + "c|" * 1_000,
    "blank lines of code": "```java\n" + "\n" * 100_000 + "```",
    "a long line of code": "```make\n" + "a" * 100_000 + "\n```",
    "blocks of code": "```ts\na_.b_.c\n```\n" * 6_000,
}


@pytest.mark.parametrize("render", [render_model_text, render_user_text])
@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
def test_no_text_takes_long(text: str, render: Callable[[str], str]) -> None:
    begin = time.process_time()
    seen = Seen(render(text))
    assert time.process_time() - begin < 4  # seconds; a quadratic layout takes minutes
    assert len(re.findall("[A-Za-z]", text)) <= len(re.findall("[A-Za-z]", seen.text))


@pytest.mark.parametrize("unit", ["The mill turns. ", "a **b** `c`\n\n- d\n\n", "x", "[", "\n", "é\u202e "])
def test_a_megabyte_is_shown(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    assert len(text) > LONGEST_LAYOUT
    begin = time.process_time()
    html = render_model_text(text)
    assert time.process_time() - begin < 4
    assert html.count("<p") <= text.count("\n\n") + 1
