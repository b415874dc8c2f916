"""Questions about Python's standard library, answered by three rules over docstrings and signatures."""

import inspect
import json
import pydoc
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

NAMES = (
    *("ast.literal_eval", "asyncio.gather", "bisect.insort", "collections.Counter", "contextlib.suppress"),
    *("copy.deepcopy", "difflib.get_close_matches", "fnmatch.fnmatch", "functools.lru_cache", "glob.glob"),
    *("heapq.merge", "itertools.groupby", "json.dumps", "operator.itemgetter", "os.walk", "random.sample"),
    *("secrets.token_urlsafe", "shutil.copytree", "shutil.which", "statistics.quantiles", "subprocess.run"),
    *("tempfile.mkdtemp", "textwrap.dedent", "urllib.parse.urlsplit"),
)
KNOWN_ANSWERS = ("dataclasses.replace", "filecmp.cmp", "platform.platform", "statistics.median", "textwrap.shorten")
"""Questions for gold pairs: the wrong answer is the answer to the next question."""

Row = dict[str, Any]


def write_questions(folder: Path) -> None:
    """Overwrites ``responses.jsonl`` and ``gold.jsonl`` of a campaign, with two answers to each question."""
    _write(folder, comparisons())


def write_models(folder: Path) -> None:
    """Overwrites ``responses.jsonl`` and ``gold.jsonl`` of a campaign, with the answers of three models."""
    _write(folder, answers())


def _write(folder: Path, responses: Iterable[Row]) -> None:
    for name, rows in (("responses", responses), ("gold", known_answers())):
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")


def comparisons() -> Iterator[Row]:
    """One row per question, with two responses."""
    for name in NAMES:
        opening, more = documentation(name)
        texts = {"opening": opening, "docstring": f"{opening}\n\n```text\n{more}\n```"}
        responses = [{"model": model, "temperature": 0.0, "text": text} for model, text in texts.items()]
        yield {"prompt_id": name, "prompt": question(name), "responses": responses}


def answers() -> Iterator[Row]:
    """One row per answer of the models ``opening``, ``docstring`` and ``signature``, which has no answer to some."""
    for name in NAMES:
        opening, more = documentation(name)
        known = signature(name)
        texts: dict[str, str | None] = {"opening": opening, "docstring": f"{opening}\n\n```text\n{more}\n```"}
        texts["signature"] = None if known is None else f"`{name}{known}`\n\n{opening}"
        for model, text in texts.items():
            yield {"prompt_id": name, "prompt": question(name), "model": model, "response": text}


def known_answers() -> Iterator[Row]:
    """One row per question, with a right and a wrong answer."""
    for name, other in zip(KNOWN_ANSWERS, (*KNOWN_ANSWERS[1:], KNOWN_ANSWERS[0]), strict=True):
        chosen, rejected = documentation(name)[0], documentation(other)[0]
        yield {"prompt_id": name, "prompt": question(name), "chosen": chosen, "rejected": rejected}


def question(name: str) -> str:
    return f"What does Python's `{name}` do?"


def documentation(name: str) -> tuple[str, str]:
    """(first paragraph, other paragraphs) of a docstring.

    >>> documentation("copy.deepcopy")[0]
    'Deep copy operation on arbitrary Python objects.'
    """
    opening, _, more = (inspect.getdoc(pydoc.locate(name)) or "").partition("\n\n")
    return opening, more


def signature(name: str) -> str | None:
    """The parameters of a function, without annotations; of a class, those that an instance is made with.

    None if Python does not know them, as for some classes written in C.

    >>> signature("bisect.insort")
    '(a, x, lo=0, hi=None, *, key=None)'
    """
    found = pydoc.locate(name)
    assert callable(found)
    try:
        known = inspect.signature(found)
    except ValueError:
        return None
    return str(inspect.Signature([each.replace(annotation=each.empty) for each in known.parameters.values()]))
