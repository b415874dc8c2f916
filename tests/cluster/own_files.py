"""A corpus in two languages, and a recipe with files of the user's own: a function, a classifier and an identifier."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from curation.fasttext.training import LabelledTexts, Training
from curation.fasttext.writing import write_model
from tests.cluster.corpus import sentences

RECIPE = """
[languages.eng_Latn.gopher_quality]
min_words = 30

[languages.deu_Latn]
words = "white_space"
gopher_quality = { min_words = 40, definition = { stop_words = ["die", "und", "der"] } }

[[steps]]
use = "language"
identifier = "identifier.bin"
languages = []
min_score = 0.6

[[steps]]
use = "gopher_quality"
min_stop_words = 1

[[steps]]
use = "function"
file = "signals.py"
function = "marks"
max = {exclamations = 2}

[[steps]]
use = "fasttext"
model = "classifier.bin"
labels = {wanted = "wanted"}
min = {wanted = 0.5}
"""
SIGNALS = """
import pyarrow as pa
import pyarrow.compute as pc

def marks(documents):
    return pa.table({"exclamations": pc.count_substring(documents["text"], "!")})
"""
GERMAN = "Im Jahr {} stand die alte Mühle am Fluss, und der Müller von Haus {} mahlte das Korn bis zum Abend."
SPAM = "Buy the cheap flour of mill {} now and click here for offer {} in the shop."
EXCLAIMED = (
    "Look at this, the wheel of mill {} turns for house {} and it has bread for all of the people in the village!"
)


def write_texts(folder: Path, documents: int = 800, files: int = 4) -> Path:
    """JSON lines of English and German texts, some of them short, unwanted, exclaimed, or copies."""
    chance = np.random.default_rng(11)
    english = sentences(chance)
    folder.mkdir()
    lines: list[list[str]] = [[] for _ in range(files)]
    for number in range(documents):
        kind, length = number % 8, int(chance.integers(1, 7))
        template = [GERMAN, GERMAN, SPAM, EXCLAIMED][kind] if kind < 4 else "{}"
        said = [english[int(chance.integers(0, 900))] for _ in range(length)]
        drawn = chance.integers(1, 90, (length, 2)).tolist()
        text = " ".join(each if kind > 3 else template.format(*pair) for each, pair in zip(said, drawn, strict=True))
        lines[number % files].append(json.dumps({"id": f"d{number}", "text": text}))
    for number, rows in enumerate(lines):
        (folder / f"{number}.jsonl").write_text("".join(f"{row}\n" for row in rows))
    return folder


def write_recipe(folder: Path) -> Path:
    """A folder with ``own.toml`` and the files that it names."""
    folder.mkdir()
    (folder / "own.toml").write_text(RECIPE)
    (folder / "signals.py").write_text(SIGNALS)
    english = sentences(np.random.default_rng(11))[:40]
    german, spam, exclaimed = ([text.format(n, 2 * n) for n in range(40)] for text in (GERMAN, SPAM, EXCLAIMED))
    _train(folder / "identifier.bin", {"eng_Latn": [*english, *spam, *exclaimed], "deu_Latn": german * 3})
    _train(folder / "classifier.bin", {"wanted": [*english, *german, *exclaimed], "spam": spam * 3})
    return folder


def _train(path: Path, examples: Mapping[str, Sequence[str]]) -> None:
    with LabelledTexts() as texts:
        for label, given in enumerate(examples.values()):
            texts.add(pa.array(given, pa.large_string()), label)
        order = np.random.default_rng(3).permutation(sum(map(len, examples.values())))
        write_model(path, texts.train(tuple(examples), Training(), order, lambda steps: None))
