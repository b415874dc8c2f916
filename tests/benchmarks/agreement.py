"""Whether the fineweb recipe's verdicts are datatrove's, document by document, and why where they are not.

    python tests/benchmarks/agreement.py --peer PYTHON [FILE.jsonl.gz]

``--peer`` names the Python of an environment with datatrove[processing] and spaCy. Both judge by the rules of Gopher,
C4 (without its rule on the end of lines) and FineWeb; language and redaction are left out. The file is that of the bar,
600 documents of C4 in ../shared/data/web, unless another one is named.
"""

import argparse
import gzip
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa

from curation.filters.c4 import C4Pages
from curation.filters.fineweb import Fineweb
from curation.filters.gopher_quality import GopherQuality
from curation.filters.gopher_repetition import GopherRepetition
from curation.filters.rules import failures
from curation.rewrites.c4_lines import C4Lines
from tests.benchmarks.corpora import SHARED

C4 = SHARED / "data" / "web" / "c4_600.jsonl.gz"
PEER = """
import json, sys
from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter, FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter)
filters = [GopherRepetitionFilter(), GopherQualityFilter(), C4QualityFilter(filter_no_terminal_punct=False),
           FineWebQualityFilter()]
for line in sys.stdin:
    document, reason = Document(text=json.loads(line), id=""), None
    for one in filters:
        verdict = one.filter(document)
        if verdict is not True:
            reason = verdict[1] if isinstance(verdict, tuple) else one.name
            break
    print(json.dumps(reason))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", nargs="?", type=Path, default=C4)
    parser.add_argument("--peer", required=True, help="Python of an environment with datatrove and spaCy")
    asked = parser.parse_args()
    with gzip.open(asked.file, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    ours, theirs = our_reasons(texts), peer_reasons(asked.peer, texts)
    different = [row for row in range(len(texts)) if bool(ours[row]) != bool(theirs[row])]
    share = 1 - len(different) / max(len(texts), 1)
    print(f"{len(texts)} documents, the same verdict on {share:.2%}; kept by both: {sum_kept(ours, theirs)}")
    for row in different:
        print(f"document {row}: ours {ours[row] or 'keeps'}, datatrove's {theirs[row] or 'keeps'}: {texts[row][:60]!r}")
    print("datatrove's reasons:", dict(Counter(filter(None, theirs))))
    sys.exit(share < 0.98)


def sum_kept(ours: list[list[str]], theirs: list[str | None]) -> int:
    return sum(not mine and not other for mine, other in zip(ours, theirs, strict=True))


def our_reasons(texts: list[str]) -> list[list[str]]:
    """Every rule that each text fails, with the measured value."""
    column = pa.array(texts, pa.large_string())
    lines = C4Lines(terminal_punctuation=False).rewrite(column)
    found: list[list[str]] = [[] for _ in texts]
    for one, read in ((GopherRepetition(), column), (GopherQuality(), column), (C4Pages(), lines), (Fineweb(), lines)):
        signals = one.measure(pa.RecordBatch.from_arrays([read], ["text"]))
        for row, rule in zip(*np.nonzero(failures(signals, one.rules())), strict=True):
            reason = one.rules()[rule]
            found[row].append(f"{reason.reason} ({signals[reason.signal][int(row)].as_py():.6g})")
    return found


def peer_reasons(python: str, texts: list[str]) -> list[str | None]:
    """The first reason of datatrove for each text, or None."""
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    run = subprocess.run([python, "-c", PEER], input=lines, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


if __name__ == "__main__":
    main()
