"""Writes texts, and a folder of packed sequences with padding: python -m tests.stored.write_padded FOLDER BIN.

FOLDER is new; BIN holds a ``gristmill``. The archive ``padded_2.tar.xz`` is from when packed sequences had version 2,
the first with padding. It is never written again: tests/jobs/test_stored.py says that every later version reads it.
"""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.stored.inputs import PROSE
from tests.stored.office import Writer, pack_up

COMMANDS = """
train-tokenizer texts.parquet --vocabulary 300 --output tokenizer.json
pack texts.parquet --tokenizer tokenizer.json --length 128 --packing best-fit --output packed
"""


def main() -> None:
    folder, programs = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True)
    texts = [f"{number} " + " ".join(PROSE[: number % 6]) for number in range(60)]
    ids = [f"text-{number}" for number in range(60)]
    pq.write_table(pa.table({"doc_id": ids, "text": texts}), folder / "texts.parquet")
    Writer(folder, programs).run_all(COMMANDS)
    pack_up(folder, "padded_2.tar.xz")


if __name__ == "__main__":
    main()
