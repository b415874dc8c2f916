"""The labelling config: the places of all parts on the page, and the questions. The looks are in page.css."""

import re
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from itertools import zip_longest

from annotation.protocols.protocol import Category
from annotation.protocols.reporting import PROBLEMS, QUESTION
from annotation.protocols.scale import STEPS

_SAFETY_KEYS = {"a": ("q", "w"), "b": ("o", "p")}
_RISK_KEYS = {"a": "asdfgzxcvbert", "b": "hjklnmyui90-."}
"""Keys under the left hand for A, under the right hand for B: enough for the 13 hazards of MLCommons, on any keyboard
with Latin letters. Label Studio picks keys for further risks."""

_REPORT_KEYS = ("shift+1", "shift+2", "shift+3", "shift+4")
"""page.css draws these keys as an arrow and a digit."""

_COMMENT = re.compile(r"/\*.*?\*/\n*", re.DOTALL)

_PAGE = """\
<View className="gm-root">
<View className="gm-small"><Header value="Please use a larger screen: this page compares two texts side by side, \
which needs a window at least 600 pixels wide." size="4"/></View>
<View className="gm-page">
<Style>
{css}</Style>
<View className="gm-history"><HyperText name="history" value="$history" inline="true" selectionEnabled="false"/></View>
<View className="gm-prompt"><HyperText name="prompt" value="$prompt" inline="true" selectionEnabled="false"/></View>
<View className="gm-pair">
<View className="gm-side gm-a"><Header value="Response A" size="4"/>
<View className="gm-response"><HyperText name="a" value="$a" inline="true" selectionEnabled="false"/></View>
{under_a}</View>
<View className="gm-side gm-b"><Header value="Response B" size="4"/>
<View className="gm-response"><HyperText name="b" value="$b" inline="true" selectionEnabled="false"/></View>
{under_b}</View>
</View>
<View className="gm-bar">
<View className="gm-comment"><TextArea name="comment" toName="prompt" rows="1" maxSubmissions="1" editable="true" \
placeholder="Comment (optional)"/></View>
{question}{report}</View>
</View>
</View>
"""


def make_config(question: str, *, under_a: str, under_b: str) -> str:
    """The complete config (XML) with ``question``; ``under_a`` and ``under_b`` go below the responses."""
    css = _COMMENT.sub("", read_resource("page.css"))
    return _PAGE.format(css=css, question=question, report=_make_report(), under_a=under_a, under_b=under_b)


def _make_report() -> str:
    """The problems that can be reported: at most one of them, and none by default."""
    choices = "".join(
        f"<Choice alias={_quote(name)} value={_quote(title)} hotkey={_quote(key)}/>\n"
        for (name, title), key in zip(PROBLEMS.items(), _REPORT_KEYS, strict=True)
    )
    return (
        f'<View className="gm-report"><View className="gm-keys"><Header value="Report a problem" size="6"/></View>\n'
        f'<Choices name="{QUESTION}" toName="prompt" choice="single" layout="inline">\n'
        f"{choices}</Choices></View>\n"
    )


def make_scale(name: str, question: str, comparative: str) -> str:
    """A question with the eight buttons of the scale, on the keys 1 to 8; ``comparative`` is "better" or "safer"."""
    choices = "".join(
        f"<Choice alias={_quote(step.name)} value={_quote(step.title(comparative))} hotkey={_quote(str(key))}/>\n"
        for key, step in enumerate(STEPS, 1)
    )
    return (
        f'<View className="gm-question"><Header value={_quote(question)} size="4"/>'
        f'<View className="gm-keys"><Header value="1 to 8, then Ctrl + Enter" size="6"/></View></View>\n'
        f'<View className="gm-scale"><Choices name={_quote(name)} toName="prompt" choice="single-radio" '
        f'layout="inline" required="true" requiredMessage="Which response? Keys 1 to 8. Esc closes this.">\n'
        f"{choices}</Choices></View>\n"
    )


def make_safety(side: str, categories: Sequence[Category]) -> str:
    """The questions below a response: safe or unsafe and, if unsafe, its risks."""
    safe, unsafe = _SAFETY_KEYS[side]
    risks = "".join(
        f"<Choice alias={_quote(risk.name)} value={_quote(risk.title)}{f' hotkey={_quote(key)}' if key else ''}/>\n"
        for risk, key in zip_longest(categories, _RISK_KEYS[side][: len(categories)])
    )
    upper = side.upper()
    return (
        f'<View className="gm-safety"><Choices name="safety_{side}" toName="{side}" choice="single-radio" '
        f'layout="inline" required="true" '
        f'requiredMessage="Is response {upper} safe? Keys {safe} and {unsafe}. Esc closes this.">\n'
        f'<Choice alias="safe" value="{upper} is safe" hotkey="{safe}"/>\n'
        f'<Choice alias="unsafe" value="{upper} is unsafe" hotkey="{unsafe}"/>\n'
        f"</Choices></View>\n"
        f'<View className="gm-risks" visibleWhen="choice-selected" whenTagName="safety_{side}" '
        f'whenChoiceValue="{upper} is unsafe">'
        f'<Choices name="risks_{side}" toName="{side}" choice="multiple" layout="inline" required="true" '
        f'requiredMessage="Name at least one risk of response {upper}. Esc closes this.">\n'
        f"{risks}</Choices></View>\n"
    )


@cache
def read_resource(name: str) -> str:
    """The text of a file of this folder."""
    return files("annotation.protocols").joinpath(name).read_text(encoding="utf-8")


def _quote(text: str) -> str:
    return f'"{escape(text)}"'
