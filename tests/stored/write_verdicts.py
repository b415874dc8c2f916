"""Writes verdicts, grades, imported judgments and a report of them: python -m tests.stored.write_verdicts FOLDER BIN.

FOLDER is new; BIN holds a ``gristmill``. The archive ``verdicts_1.tar.xz`` is from when tables of verdicts and of votes
had version 1, without preferences. It is never written again: tests/jobs/test_stored.py says that every later version
reads it.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.annotation.evaluation.endpoint import MODEL, Play, endpoint, prefers_quality, quality, says
from tests.stored.office import Writer, pack_up

MODELS = ("stone-1", "stone-2", "stone-3")
PROMPTS = 9
REPORT = "evaluation report verdicts graded others --output report --together"


def responses() -> Iterator[dict[str, Any]]:
    """Responses of three models in two categories; stone-3 leaves one prompt unanswered."""
    for n in range(PROMPTS):
        for k, model in enumerate(MODELS, 1):
            text = None if (n, k) == (4, 3) else f"{model} says: {'grain ' * (n * k % 5)}quality {n * k % 7}"
            about = {"prompt_id": f"p{n}", "prompt": f"What is {n}?", "category": ("grain", "water")[n % 2]}
            yield {**about, "model": model, "response": text}


def annotations() -> Iterator[dict[str, Any]]:
    """Judgments of alpaca_eval: two wins, a tie, a weighted loss and a judgment without a preference."""
    for n, preference in enumerate([2, 2.0, 1.5, 1.1, None]):
        sides = {
            "generator_1": "stone-1",
            "output_1": f"Short {n}.",
            "generator_2": "stone-2",
            "output_2": f"Long {n}.",
        }
        yield {"instruction": f"What is {n}?", **sides, "annotator": "other-judge", "preference": preference}


def answer(body: dict[str, Any], number: int) -> Play:
    """A judge that says what the quality says: a verdict, or a grade; one answer has neither."""
    system, user = (message["content"] for message in body["messages"])
    if "What is 7?" in user and "stone-1" in user:
        return says("I cannot say.")
    if "<response_b" in user:
        return prefers_quality(body)
    [key] = re.findall(r"carry the code (\w+)", system)
    return says(f"grade {key}: {quality(user) + 1}")


def main() -> None:
    folder, programs = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True)
    writer = Writer(folder, programs)
    (folder / "responses.jsonl").write_text("".join(json.dumps(row) + "\n" for row in responses()))
    (folder / "annotations.json").write_text(json.dumps(list(annotations())))
    with endpoint(answer) as server:
        judge = ("judge", "responses.jsonl", "--model", MODEL, "--base-url", server.url, "--progress", "none")
        writer.run(*judge, "--output", "verdicts")
        writer.run(*judge, "--template", "single", "--output", "graded")
    writer.run("evaluation", "import", "annotations.json", "--output", "others")
    writer.run(*REPORT.split())
    (folder / "judge.db.lock").unlink(missing_ok=True)
    pack_up(folder, "verdicts_1.tar.xz")


if __name__ == "__main__":
    main()
