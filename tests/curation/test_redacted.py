"""What a recipe's `redact` replaced is counted in the corpus and explained, and the values are nowhere in it."""

import json
from pathlib import Path

import pyarrow.parquet as pq

from curation.engine.driver import curate
from curation.job import Execution
from curation.release.lookup import Lookup
from curation.reports.explain import explain
from curation.sources.inputs import Input
from jobs.corpus.job_file import make_job

RECIPE = """
[[steps]]
use = "redact"
kinds = ["email", "card", "phone"]
regions = ["US"]

[dedup]
near = false
"""
SECRETS = ("jo@example.org", "ann@example.org", "4111 1111 1111 1111", "602-272-9781")
TEXT = "Write to {0}, {1} or {0}, call {3}, and pay with {2}.".format(*SECRETS)


def test_what_was_replaced_is_counted_and_explained_without_the_values(tmp_path: Path) -> None:
    rows = [{"id": "d0", "text": TEXT}, {"id": "d1", "text": "The mill grinds."}]
    (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (tmp_path / "own.toml").write_text(RECIPE)
    out = tmp_path / "out"
    job = make_job([Input(glob=str(tmp_path / "in.jsonl"))], str(tmp_path / "own.toml"), [], {})
    curate(job, str(out), Execution(workers=0))
    texts = pq.read_table(out / "documents")["text"].to_pylist()
    assert texts[0] == "Write to <EMAIL_1>, <EMAIL_2> or <EMAIL_1>, call <PHONE_1>, and pay with <CARD_1>."
    signals = pq.read_table(out / "signals").to_pylist()
    assert [row["redacted_email"] for row in signals] == [3, 0]
    assert [row["redacted_ssn"] for row in signals] == [None, None]
    lookup = Lookup(str(out))
    lines = [list(explain(lookup, row)) for name in ("d0", "d1") for row in lookup.find(name)]
    assert (
        lines[0][1] == "  replaced in its text: e-mail addresses (3), payment card numbers (1), telephone numbers (1)"
    )
    assert len(lines[1]) == 1
    assert "phonenumbers" in json.loads((out / "manifest.json").read_text())["job"]["lists"]
    for path in out.rglob("*"):
        held = path.read_bytes() if path.is_file() else b""
        assert not [secret for secret in SECRETS if secret.encode() in held], path
