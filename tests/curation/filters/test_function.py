"""A user's function gives signals as any filter does, and every fault of it is one sentence that names the document."""

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from curation.filters.function import Function
from curation.filters.rules import failures
from curation.recipe import Recipe
from curation.recipes.tables import make_recipe
from schemas import RECORDS
from schemas.errors import UserError

TEXTS = ("one", "THE MILL", "three words here", "", "naïve 日本", "Last!")
SIGNALS = """
import pyarrow as pa
import pyarrow.compute as pc

def characters(documents):
    return pa.table({"length": pc.utf8_length(documents["text"])})

def word(documents):
    texts = documents["text"].to_pylist()
    return pa.table({"words": pa.array([len(text.split()) or None for text in texts])})

class NotAFunction: ...
"""


def records(texts: tuple[str, ...] = TEXTS) -> pa.RecordBatch:
    rows = [
        {"doc_id": f"d{n}", "text": text, "url": f"https://mill.example/{n}", "source": "s", "date": None}
        | {"file": "in.jsonl", "offset": n, "metadata": "{}"}
        for n, text in enumerate(texts)
    ]
    return pa.RecordBatch.from_pylist(rows, RECORDS.columns)


def step(folder: Path, source: str, function: str = "measure", **settings: object) -> Function:
    (folder / "signals.py").write_text(source)
    given = {"file": "signals.py", "function": function, "measures": ("length",), **settings}
    return Function(**given).with_file(folder)  # type: ignore[arg-type]


def test_a_function_measures_and_thresholds_decide(tmp_path: Path) -> None:
    made = step(tmp_path, SIGNALS, "characters", measures=(), min={"length": 4}, max={"length": 9})
    signals = made.measure(records())
    assert signals.to_pydict() == {"length": [float(len(text)) for text in TEXTS]}
    assert [rule.reason for rule in made.rules()] == ["low_length", "high_length"]
    assert failures(signals, made.rules()).tolist() == [[len(t) < 4, len(t) > 9] for t in TEXTS]


def test_null_and_nan_fail_no_rule(tmp_path: Path) -> None:
    source = "import pyarrow as pa\ndef measure(t):\n    return pa.table({'length': [float('nan')] * t.num_rows})"
    made = step(tmp_path, source, min={"length": 1})
    assert made.measure(records()).to_pydict() == {"length": [None] * len(TEXTS)}
    assert not failures(made.measure(records()), made.rules()).any()


@pytest.mark.parametrize("kind", ["int8", "uint64", "float32", "double", "bool", "null"])
def test_numbers_of_any_type_are_taken(tmp_path: Path, kind: str) -> None:
    values = "None" if kind == "null" else "1"
    source = f"import pyarrow as pa\ndef measure(t):\n    values = pa.array([{values}] * t.num_rows)\n"
    source += f"    return pa.table({{'length': values.cast('{kind}')}})"
    assert set(step(tmp_path, source).measure(records())["length"].to_pylist()) == {None if kind == "null" else 1.0}


def test_a_process_that_a_function_starts_may_end(tmp_path: Path) -> None:
    source = "import multiprocessing, os, pyarrow as pa\ndef end(): os._exit(3)\n"
    source += "def measure(t):\n    one = multiprocessing.get_context('fork').Process(target=end)\n    one.start()\n"
    source += "    one.join()\n    return pa.table({'length': [one.exitcode] * t.num_rows})"
    script = "import pickle, sys; step, batch = pickle.load(open(sys.argv[1], 'rb')); print(step.measure(batch)[0])"
    (tmp_path / "step").write_bytes(pickle.dumps((step(tmp_path, source), records(TEXTS[:1]))))
    run = subprocess.run([sys.executable, "-P", "-c", script, str(tmp_path / "step")], capture_output=True, text=True)
    assert run.stdout.split() == ["[", "3", "]"], run.stderr


def test_the_text_of_the_file_travels_and_not_its_path(tmp_path: Path) -> None:
    """Another process, where the file does not exist, measures the same."""
    made = step(tmp_path, SIGNALS, "characters")
    (tmp_path / "step").write_bytes(pickle.dumps((made, records())))
    (tmp_path / "signals.py").unlink()
    script = "import pickle, sys; step, batch = pickle.load(open(sys.argv[1], 'rb')); print(step.measure(batch)[0])"
    run = [sys.executable, "-P", "-c", script, str(tmp_path / "step")]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == f"{made.measure(records())[0]}\n"


FAULTS = {
    "raises": ("def measure(t): raise ValueError('no luck')", "fails on the document d0 .*ValueError: no luck .line 1"),
    "raises for one": (
        "import pyarrow as pa\ndef measure(t):\n"
        "    return pa.table({'length': [1 / (text != 'three words here') for text in t['text'].to_pylist()]})",
        r"fails on the document d2 \(in.jsonl at 2, https://mill.example/2\): ZeroDivisionError.*line 3",
    ),
    "exits": ("import sys\ndef measure(t): sys.exit(0)", "fails on the document d0 .*SystemExit: 0"),
    "ends the process": (
        "from os import _exit\ndef measure(t): _exit(0)",
        r"fails on the document d0 .*SystemExit: it calls os\._exit\(0\), .* raise an error instead \(line 2\)",
    ),
    "stops": ("def measure(t): raise GeneratorExit", "fails on the document d0 .*GeneratorExit"),
    "braces": ("def measure(t): raise KeyError('{0}')", "KeyError: '{0}'"),
    "fails on many": (
        "import pyarrow as pa\ndef measure(t):\n    assert t.num_rows == 1\n    return pa.table({'length': [1]})",
        "fails on 6 documents together.*d0.*AssertionError",
    ),
    "a list": ("def measure(t): return [1] * t.num_rows", "returns a list for the document d0"),
    "nothing": ("def measure(t): pass", "returns a NoneType for"),
    "rows": (
        "import pyarrow as pa\ndef measure(t): return pa.table({'length': [1, 2]})",
        "returns 2 rows, not 1, for the document d0",
    ),
    "no signal": ("import pyarrow as pa\ndef measure(t): return pa.table({})", "returns 0 rows"),
    "other signal": (
        "import pyarrow as pa\ndef measure(t): return pa.table({'size': [1] * t.num_rows})",
        "returns no column length for the document d0 .*its columns are size",
    ),
    "one more": (
        "import pyarrow as pa\ndef measure(t): return pa.table({'length': [1] * t.num_rows, 'x': [1] * t.num_rows})",
        "returns the column 'x', which the recipe does not name",
    ),
    "twice": (
        "import pyarrow as pa\n"
        "def measure(t): return pa.Table.from_arrays([pa.array([1] * t.num_rows)] * 2, ['length', 'length'])",
        "returns more than one column length",
    ),
    "texts": (
        "import pyarrow as pa\ndef measure(t): return pa.table({'length': t['text']})",
        "returns a length of type large_string for the document d0",
    ),
    "infinite": (
        "import pyarrow as pa\ndef measure(t):\n"
        "    return pa.table({'length': [float('inf') if not text else 1.0 for text in t['text'].to_pylist()]})",
        "returns an infinite length for the document d3",
    ),
    "random": (
        "import random\nimport pyarrow as pa\n"
        "def measure(t): return pa.table({'length': [random.random() for _ in range(t.num_rows)]})",
        "gives other results when it is called again: length of the document d5 ",
    ),
    "counts its calls": (
        "import pyarrow as pa\ncalls = 0\ndef measure(t):\n    global calls\n    calls += 1\n"
        "    return pa.table({'length': [calls] * t.num_rows})",
        "gives other results when it is called again",
    ),
    "looks at neighbours": (
        "import pyarrow as pa\ndef measure(t): return pa.table({'length': [t.num_rows] * t.num_rows})",
        "a signal may depend on its own document only",
    ),
    "sorts": (
        "import pyarrow as pa\nimport pyarrow.compute as pc\n"
        "def measure(t): return pa.table({'length': sorted(pc.utf8_length(t['text']).to_pylist())})",
        "rows keep their order",
    ),
    "hides its message": (
        "class Hidden(Exception):\n    def __str__(self): return 1 / 0\ndef measure(t): raise Hidden",
        r"fails on the document d0 .*Hidden: its message cannot be read \(ZeroDivisionError\) \(line 3\)",
    ),
    "changes the texts": (
        "import numpy as np\ndef measure(t):\n    np.frombuffer(t['text'].chunk(0).buffers()[2], np.uint8)[:] = 0",
        "fails on the document d0 .*read-only",
    ),
}


@pytest.mark.parametrize(("source", "sentence"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_one_sentence_that_names_the_document(tmp_path: Path, source: str, sentence: str) -> None:
    made = step(tmp_path, source)
    with pytest.raises(UserError, match=f"the function measure of signals.py .*{sentence}") as error:
        made.measure(records())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "MemoryError"])
def test_an_interrupt_and_a_lack_of_memory_pass(tmp_path: Path, error: str) -> None:
    with pytest.raises((KeyboardInterrupt, MemoryError)):
        step(tmp_path, f"def measure(t): raise {error}").measure(records())


def test_what_it_prints_goes_to_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    step(tmp_path, f"print('loaded')\n{SIGNALS}\n", "characters").measure(records())
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "loaded\n")


LOADING = {
    "syntax": ("def measure(t:", r"signals.py cannot be loaded: SyntaxError: .*\(line 1\)"),
    "raises": ("1 / 0", r"signals.py cannot be loaded: ZeroDivisionError: division by zero \(line 1\)"),
    "too deep": (f"x = {'-' * 100_000}1", "signals.py cannot be loaded: an expression in it is nested too deeply"),
    "exits": ("import sys\nsys.exit()", "signals.py cannot be loaded: SystemExit"),
    "ends the process": ("import os\nos._exit(3)", r"signals.py cannot be loaded: SystemExit: it calls os\._exit\(3\)"),
    "imports a neighbour": ("import neighbour", "No module named 'neighbour'.*cannot import files beside it"),
    "no function": ("def other(t): ...", "signals.py has no function 'measure'.*other"),
    "a class": ("class measure: ...", r"signals.py has no function 'measure': choose from \(it defines none\)"),
}


@pytest.mark.parametrize(("source", "sentence"), LOADING.values(), ids=LOADING)
def test_a_file_that_cannot_be_loaded_is_refused_before_the_run(tmp_path: Path, source: str, sentence: str) -> None:
    (tmp_path / "neighbour.py").write_text("")
    with pytest.raises(UserError, match=sentence):
        step(tmp_path, source)


def test_a_file_is_looked_for_beside_the_recipe_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "signals.py").write_text(SIGNALS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match="cannot be read"):
        Function(file="signals.py", function="characters", measures=("length",)).with_file(tmp_path / "elsewhere")


def test_another_file_than_the_recipe_asks_for_is_refused(tmp_path: Path) -> None:
    made = step(tmp_path, SIGNALS, "characters")
    assert replace(made).with_file(tmp_path) == made
    (tmp_path / "signals.py").write_text(f"{SIGNALS}\n")
    with pytest.raises(UserError, match=r"another file than the recipe asks for.*restore the file"):
        made.with_file(tmp_path)


def recipe(*steps: dict[str, object]) -> Recipe:
    own = {"use": "function", "file": "signals.py"}
    return make_recipe("own", {"steps": [{**own, **each} for each in steps]})


NAMES: dict[str, tuple[list[dict[str, object]], str]] = {
    "of a column": ([{"function": "f", "min": {"doc_id": 1}}], "the name of another signal or column"),
    "of a signal": ([{"function": "f", "min": {"stop_words": 1}}], "the name of another signal or column"),
    "of each other": ([{"function": "f", "min": {"a": 1}}, {"function": "g", "max": {"a": 1}}], "another signal"),
    "of one stage": ([{"function": "f", "min": {"a": 1}}, {"function": "f", "max": {"b": 1}}], "give each a name"),
    "of a step": ([{"function": "f", "name": "gopher_quality", "min": {"a": 1}}], "like a stage of Gristmill"),
    "of a stage": ([{"function": "near", "min": {"a": 1}}], "like a stage of Gristmill"),
    "with blanks": ([{"function": "f", "min": {"my signal": 1}}], "cannot be a name"),
    "twice": ([{"function": "f", "measures": ["a", "a"]}], "named twice"),
}


@pytest.mark.parametrize(("steps", "sentence"), NAMES.values(), ids=NAMES)
def test_names_that_clash_are_refused(steps: list[dict[str, object]], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        recipe(*steps)


def test_thresholds_that_nothing_meets_and_steps_that_measure_nothing_are_refused() -> None:
    with pytest.raises(UserError, match=r"f.min.a is 2, above f.max.a, which is 1"):
        recipe({"function": "f", "min": {"a": 2}, "max": {"a": 1}}).check()
    with pytest.raises(UserError, match="measures nothing"):
        recipe({"function": "f"}).check()
