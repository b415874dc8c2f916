"""The labelling config: the places of all parts on the page, and the questions. The looks are in page.css."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from itertools import zip_longest

from annotation.protocols.protocol import Category
from annotation.protocols.reporting import PROBLEMS, QUESTION, SINGLE_PROBLEMS
from annotation.protocols.scale import Scale
from schemas.preference import REFUSALS

_SAFETY_KEYS = {"a": ("q", "w"), "b": ("o", "p")}
_RISK_KEYS = {"a": "asdfgzxcvbert", "b": "hjklnmyui90-."}
"""Keys under the left hand for A, under the right hand for B: enough for the 13 hazards of MLCommons, on any keyboard
with Latin letters. Label Studio picks keys for further risks."""

_REPORT_KEYS = ("shift+1", "shift+2", "shift+3", "shift+4")
"""page.css draws these keys as an arrow and a digit."""

_COMMENT = re.compile(r"/\*.*?\*/\n*", re.DOTALL)

_PAGE = """\
<View className="gm-root">
<View className="gm-small"><Header value="Please use a larger screen: {reason}." size="4"/></View>
<View className="gm-page">
<Style>
{css}</Style>
<View className="gm-history"><HyperText name="history" value="$history" inline="true" selectionEnabled="false"/></View>
<View className="gm-prompt"><HyperText name="prompt" value="$prompt" inline="true" selectionEnabled="false"/></View>
<View className="gm-pair">
{responses}</View>
<View className="gm-bar">
<View className="gm-comment"><TextArea name="comment" toName="prompt" rows="1" maxSubmissions="1" editable="true" \
placeholder="Comment (optional)"/></View>
{question}{report}</View>
</View>
</View>
"""


_RESPONSE = """\
<View className="gm-side gm-{side}"><Header value="{title}" size="4"/>
<View className="gm-response"><HyperText name="{side}" value="${side}" inline="true" selectionEnabled="false"/></View>
{below}</View>
"""


def make_config(question: str, *, under_a: str = "", under_b: str = "", styles: str = "") -> str:
    """The complete config (XML) with ``question``; ``under_a`` and ``under_b`` go below the responses. ``styles`` names
    a file of further styles."""
    responses = _RESPONSE.format(side="a", title="Response A", below=under_a)
    responses += _RESPONSE.format(side="b", title="Response B", below=under_b)
    reason = "this page compares two texts side by side, which needs a window at least 600 pixels wide"
    return _make_page(question, responses, reason, _make_report(PROBLEMS), "page.css", *([styles] if styles else []))


def make_single_config(question: str, styles: str) -> str:
    """As `make_config`, for a page with a single response."""
    response = _RESPONSE.format(side="a", title="Response", below="")
    reason = "this page needs a window at least 600 pixels wide"
    return _make_page(question, response, reason, _make_report(SINGLE_PROBLEMS), "page.css", styles)


def _make_page(question: str, responses: str, reason: str, report: str, *styles: str) -> str:
    css = "".join(_COMMENT.sub("", read_resource(name)) for name in styles)
    return _PAGE.format(css=css, question=question, report=report, responses=responses, reason=reason)


def _choices(buttons: Iterable[tuple[str, str, str | None]]) -> str:
    """Buttons by (name, title, key); a button without a key is for the mouse and Tab."""
    return "".join(
        f"<Choice alias={_quote(name)} value={_quote(title)}{f' hotkey={_quote(key)}' if key else ''}/>\n"
        for name, title, key in buttons
    )


def _make_report(problems: Mapping[str, str]) -> str:
    """The problems that can be reported: at most one of them, and none by default."""
    choices = _choices((*problem, key) for problem, key in zip(problems.items(), _REPORT_KEYS, strict=False))
    return (
        f'<View className="gm-report"><View className="gm-keys"><Header value="Report a problem" size="6"/></View>\n'
        f'<Choices name="{QUESTION}" toName="prompt" choice="single" layout="inline">\n'
        f"{choices}</Choices></View>\n"
    )


def make_scale(scale: Scale, question: str, missing: str = "Which response?") -> str:
    """A question with a button for each point of the scale, on its key. ``missing`` asks for a missing answer."""
    choices = _choices((point.name, point.title, point.key) for point in scale.points)
    keys = f"{scale.points[0].key} to {scale.points[-1].key}"
    return (
        f'<View className="gm-question"><Header value={_quote(question)} size="4"/>'
        f'<View className="gm-keys"><Header value="{keys}, then Ctrl + Enter" size="6"/></View></View>\n'
        f'<View className="gm-scale"><Choices name={_quote(scale.question)} toName="prompt" choice="single-radio" '
        f'layout="inline" required="true" requiredMessage={_quote(f"{missing} Keys {keys}. Esc closes this.")}>\n'
        f"{choices}</Choices></View>\n"
    )


def make_safety(side: str, categories: Sequence[Category]) -> str:
    """The questions below a response: safe or unsafe and, if unsafe, its risks."""
    safe, unsafe = _SAFETY_KEYS[side]
    keys = zip_longest(categories, _RISK_KEYS[side][: len(categories)])
    risks = _choices((risk.name, risk.title, key) for risk, key in keys)
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


_REFUSALS = dict(zip(REFUSALS, ("For safety", "For lack of ability", "No"), strict=True))
_REFUSAL_KEYS = "qwe"


def make_refusal(name: str) -> str:
    """The question whether a single response refuses."""
    choices = _choices((*refusal, key) for refusal, key in zip(_REFUSALS.items(), _REFUSAL_KEYS, strict=True))
    return (
        f'<View className="gm-refusal"><Header value="Does it refuse?" size="5"/>\n'
        f'<Choices name={_quote(name)} toName="a" choice="single-radio" layout="inline" required="true" '
        f'requiredMessage="Does the response refuse? Keys q, w and e. Esc closes this.">\n'
        f"{choices}</Choices></View>\n"
    )


@cache
def read_resource(name: str) -> str:
    """The text of a file of this folder."""
    return files("annotation.protocols").joinpath(name).read_text(encoding="utf-8")


def _quote(text: str) -> str:
    return f'"{escape(text)}"'
