"""Prints, as JSON, the kernels that runs with every step compile after warming, each with the types of its arguments.

python -P -m tests.curation.compiling FOLDER
"""

import importlib
import json
import pkgutil
import sys
from pathlib import Path
from typing import Any

from numba.core.dispatcher import Dispatcher

import curation.kernels
from curation.engine.driver import curate
from curation.job import Execution
from curation.recipe import STEPS
from curation.recipes import RECIPE_NAMES
from curation.rewrites.personal import KINDS
from curation.sources.inputs import Input
from curation.warm import warm
from jobs.corpus.job_file import make_job

LISTS: dict[str, dict[str, Any]] = {
    "url": {name: ["mill.example", "bad"] for name in ("hosts", "domains", "urls", "words", "subwords", "soft_words")},
    "redact": {"kinds": KINDS, "regions": ["US", "DE"]},
    "word_list": {"words": ["grain", "of flour"]},
    "pattern": {"patterns": ["mill+"]},
    "line_rules": {"patterns": ["^menu$"]},
    "replace": {"patterns": ["x+"], "replacement": "y"},
    "url_substrings": {"substrings": ["bad"]},
    "robots": {"robots": ['{"host": "mill.example", "robots": "User-agent: *\\nDisallow: /x"}']},
    "madlad": {"patterns": ["javascript"]},
}


def compiled() -> set[tuple[str, str]]:
    """The names of the kernels that were called, and the types of the arguments of each call."""
    found = set()
    for module in pkgutil.iter_modules(curation.kernels.__path__, "curation.kernels."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Dispatcher):
                name = f"{value.py_func.__module__}.{value.py_func.__qualname__}"
                found |= {(name, str(signature)) for signature in value.signatures}
    return found


def text(number: int) -> str:
    words = " ".join(f"word{(number // 2 * 7 + place) % 50}" for place in range(80))
    return (
        f"{words}. The mill turns {number}.\nThe same line of more than forty characters in every document.\n"
        f"{'-' * 1200}\nAsk miller{number}@mill.example or 192.168.1.{number}, 602-272-9781, DE89370400440532013000,\n"
        "4111 1111 1111 1111, 123-45-6789 and \u00e9\u6c34\u8f66 \u201cagain\u201d.\n"
    )


def main(folder: Path) -> None:
    warm()
    warmed = compiled()
    documents = [{"text": text(i), "id": str(i), "url": f"http://mill.example/{i // 3}"} for i in range(40)]
    (folder / "in.jsonl").write_text("".join(f"{json.dumps(document)}\n" for document in documents))
    every: Any = {"steps": [{"use": step.use, **LISTS.get(step.use, {})} for step in STEPS]}
    runs: list[tuple[Any, list[str]]] = [(every, ["dedup.url=true"]), *((name, []) for name in RECIPE_NAMES)]
    runs += [("none", [f"pieces.unit={unit}"]) for unit in ("line", "paragraph", "sentences", "substring")]
    runs += [("none", [f"near.{change}"]) for change in ("verify=signature", "survivor=0", "threshold=0.7")]
    for number, (recipe, changes) in enumerate(runs):
        job = make_job([Input(glob=str(folder / "in.jsonl"))], recipe, ["unit_bytes=20000", *changes])
        curate(job, str(folder / str(number)), Execution(workers=0))
    print(json.dumps([f"{name}{types}" for name, types in sorted(compiled() - warmed)]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
