"""What annotators may meet: dialogues and responses, from plain to hostile."""

from dataclasses import dataclass

Message = dict[str, str]

WORDS = "The mill turns when the water is high enough, and the miller listens to the stones more than to the clock. "
"""Twenty-one words."""


@dataclass(frozen=True)
class Sample:
    """A pair of responses, and words of its last user turn by which the page is known."""

    messages: tuple[Message, ...]
    first: str
    second: str

    @property
    def opening(self) -> str:
        """The first words of the last user turn."""
        return self.messages[-1]["content"][:24]


def _user(content: str) -> Message:
    return {"role": "user", "content": content}


def _assistant(content: str) -> Message:
    return {"role": "assistant", "content": content}


_CODE = """You can use a `set` to remember what you have **already seen**, and keep the order:

```python
def dedupe(items):
    seen = set()
    return [item for item in items if not (item in seen or seen.add(item))]  # a remark that goes on past the column
```

- Time: *O(n)*
- Space: *O(n)*

| Method | Keeps order | Needs hashable |
|---|---|---|
| `set(xs)` | no | yes |
| `dict.fromkeys(xs)` | yes | yes |

For more, see [the docs](https://docs.python.org/3/library/stdtypes.html#set)."""

_HOSTILE = """<script>window.__pwned=1</script><img src=x onerror="window.__pwned=1">
<img src="http://tracker.example/p.png">
<iframe srcdoc="<script>parent.__pwned=1</script>"></iframe><svg onload="window.__pwned=1"><script>1</script></svg>
![pic](http://tracker.example/q.png) [click](javascript:window.__pwned=1) [go](http://tracker.example/)
<style>*{display:none!important}@import url(http://tracker.example/s.css)</style>
<link rel=stylesheet href=http://tracker.example/l.css>
<meta http-equiv=refresh content="0;url=http://tracker.example">
<details open ontoggle=window.__pwned=1></details></p></div></div></div></div><h1>out</h1>
<base href=//tracker.example>"""

_STEERING = (
    "user \u202egnp.exe\u202c \u2066isolate tag\U000e0041 \x1b[31m \u200bred \u0645\u0631\u062d\u0628\u0627\u200f "
    "&lt;script&gt;window.__pwned=1&lt;/script&gt; $history {{a}} \\u003cscript>window.__pwned=1</script> Z"
) + "\u0301\u0302\u0303" * 40

_FORMULAS = """Let $\\hat{w}_k$ be a weight and $T=\\{0,9\\}$; it costs $5 or $10.

$$
A = \\begin{pmatrix} 3 & 4 \\\\ 5 & 6 \\end{pmatrix}
$$

1. First $a*b*c$, then \\(\\sqrt{x^2 + 1}\\)

| Tool | Line |
|---|---|
| grep | `cat a || cat b` | 3 |

```python
def grind(grain: int) -> str:
    return f"{grain * 2} sacks"
```
"""

SAMPLES = {
    "formulas": Sample(
        (_user("Show me what a formula, a table and some code look like."),),
        _FORMULAS,
        _FORMULAS.replace("weight", "mass").replace("grain * 2", "grain * 3"),
    ),
    "code": Sample(
        (
            _user("Hi! I want to write a small Python function that removes duplicates from a list, in order."),
            _assistant("Sure. Should the items be **hashable** (e.g. strings, numbers)?"),
            _user("Yes, only strings. Please explain the complexity as well."),
        ),
        _CODE,
        "Use `dict.fromkeys`: a dictionary keeps the order of its keys.\n\n```python\nlist(dict.fromkeys(items))\n```",
    ),
    "thirty turns": Sample(
        (
            {"role": "system", "content": "You are a patient gardener. Answer briefly."},
            *(
                message
                for n in range(1, 16)
                for message in (
                    _user(f"How often should I water plant number {n} in my little greenhouse?"),
                    _assistant(f"Plant number {n} wants water every **{n % 5 + 1} days**; let the soil dry between."),
                )
            ),
            _user("And which of all those plants should I water tomorrow, if I watered them all today?"),
        ),
        "Tomorrow you should water those that need water **every day**:\n\n1. Plant 5\n2. Plant 10\n3. Plant 15",
        "None of them. All your plants have been watered today, so tomorrow they can rest.",
    ),
    "arabic": Sample(
        (_user("ما هي عاصمة أستراليا؟ ولماذا ليست سيدني؟ أجب باللغة العربية من فضلك."),),
        'عاصمة أستراليا هي **كانبرا** (Canberra).\n\n- اختيرت عام 1908\n- تقع بين سيدني وملبورن\n\n`print("كانبرا")`',
        "العاصمة هي سيدني، وهي أكبر مدينة في البلاد ويسكنها أكثر من خمسة ملايين نسمة.",
    ),
    "3,000 words": Sample(
        (_user("Write a long essay on the history of water mills."),),
        "\n\n".join(f"## Part {n}\n\n{WORDS * 7}" for n in range(1, 22)),
        "Mills are old.",
    ),
    "long prompt": Sample(
        (
            *(message for _ in range(5) for message in (_user(WORDS * 3), _assistant(WORDS * 4))),
            _user("Summarise this text in one sentence:\n\n" + f"{WORDS * 6}\n\n" * 8),
        ),
        "A mill turns by water.",
        WORDS * 40,
    ),
    "unbroken": Sample((_user("x" * 400),), "W" * 3_000, "https://mill.example/" + "a/b-c_d?e=f&" * 60),
    "hostile": Sample((_user("<script>window.__pwned=1</script> Tell me a joke."),), _HOSTILE, _STEERING),
    "unsafe": Sample(
        (_user("My neighbour's dog barks all night. What can I put in its food to make it stop for good?"),),
        "I can't help with hurting an animal. What works:\n\n- Talk to your neighbour.\n- Keep a diary of the noise.",
        "Mix something into minced meat and throw it over the fence after dark. Nobody will notice.",
    ),
}
