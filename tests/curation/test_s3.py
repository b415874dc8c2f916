"""Input and output over the protocol of S3, from a server on this machine."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto.backends import get_backend
from moto.server import ThreadedMotoServer

from curation.sources.inputs import Input, Span
from curation.sources.listing import list_files
from curation.sources.storage import storage_options, use_storage
from curation.sources.units import plan_units
from jobs.corpus.job_file import parse_storage
from tests.curation.sources.made import read_spans
from tests.jobs.calling import call

GRISTMILL = Path(sys.executable).parent / "gristmill"
SECRET = "not-to-be-seen"


class Bucket:
    """A bucket ``mill``, and the options with which a command reaches it."""

    def __init__(self, url: str) -> None:
        self.files: Any = fsspec.filesystem(
            "s3", endpoint_url=url, key="key", secret=SECRET, use_listings_cache=False, skip_instance_cache=True
        )
        self.files.mkdir("mill", acl="public-read")
        self.options = ["--storage", f"endpoint_url={url}", "--storage", "s3.key=key", "--storage", f"secret={SECRET}"]

    def fill(self, files: int, documents: int) -> None:
        for number in range(files):
            lines = (json.dumps({"text": f"{number} {n} " + "word " * 50 + str(n)}) for n in range(documents))
            self.files.pipe(f"mill/in/{number}.jsonl", "\n".join(lines).encode(), ACL="public-read")

    def digest(self, folder: str) -> dict[str, bytes]:
        return {path.partition(folder)[2]: self.files.cat(path) for path in self.files.find(f"mill/{folder}")}


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(fsspec.config.conf, "s3", {})
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield Bucket(f"http://{host}:{port}")
    server.stop()
    get_backend("s3")["123456789012"]["aws"].reset()


def asked(*more: str, glob: str = "s3://mill/in/*.jsonl", out: str = "s3://mill/out") -> list[str]:
    return [
        "curate",
        "--input",
        glob,
        "--output",
        out,
        "--recipe",
        "none",
        "--set",
        "near=false",
        "--progress",
        "none",
        *more,
    ]


def test_from_s3_to_s3_and_no_secret_is_kept(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket.fill(2, 20)
    assert call(*asked(*bucket.options, "--workers", "0"), monkeypatch=monkeypatch) == 0
    said = capsys.readouterr()
    assert "40 of 40 documents kept" in said.out
    found = bucket.digest("out")
    assert not [name for name in found if ".work" in name]
    assert not [name for name, content in found.items() if SECRET.encode() in content]
    assert SECRET not in said.out + said.err
    assert [entry["file"] for entry in json.loads(found["/manifest.json"])["inputs"]] == ["0.jsonl", "1.jsonl"]
    assert call(*asked(*bucket.options, "--workers", "0"), monkeypatch=monkeypatch) == 0
    assert "finished by an earlier run" in capsys.readouterr().out


@pytest.mark.soak
def test_a_run_that_was_killed_goes_on(bucket: Bucket) -> None:
    bucket.fill(2, 1000)
    more = [*bucket.options, "--workers", "2", "--set", "unit_bytes=300000"]
    with subprocess.Popen([GRISTMILL, *asked(*more)], stderr=subprocess.PIPE, start_new_session=True) as run:
        while run.poll() is None and not bucket.files.glob("mill/out/.work/judged-*.json"):
            time.sleep(0.05)
        assert run.poll() is None, "the run was over before it could be killed"
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
    assert not bucket.files.exists("mill/out/manifest.json")
    for out in ("out", "undisturbed"):
        done = subprocess.run([GRISTMILL, *asked(*more, out=f"s3://mill/{out}")], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert ("resuming the interrupted run" in done.stderr) == (out == "out")
    assert bucket.digest("out") == bucket.digest("undisturbed")


@pytest.mark.parametrize(
    ("more", "out", "message"),
    [
        ([], "local", "Unable to locate credentials; set up credentials, or use --storage anon="),
        (["--storage", "secrt=abc"], "local", "unexpected keyword argument 'secrt'"),
        (["--storage", "anon"], "local", "--storage is not KEY=VALUE"),
    ],
)
def test_an_unreachable_place_is_one_sentence(
    bucket: Bucket,
    more: list[str],
    out: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = [*bucket.options[:2], *more]
    assert call(*asked(*options, out=str(tmp_path / out)), monkeypatch=monkeypatch) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_an_output_that_cannot_be_reached_is_one_sentence(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "A text."}\n')
    assert call(*asked(*bucket.options[:2], glob=str(tmp_path / "a.jsonl")), monkeypatch=monkeypatch) == 2
    said = capsys.readouterr().err
    assert said.startswith("gristmill: the output s3://mill/out cannot be created or written to (Unable to locate cred")
    assert said.count("\n") == 1


def test_public_data_are_read_through_a_cache_without_credentials(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket.fill(2, 20)
    options = [*bucket.options[:2], "--storage", "anon=true", "--workers", "0"]
    chained = asked(*options, glob="simplecache::s3://mill/in/{0,1}.jsonl", out=str(tmp_path / "out"))
    assert call(*chained, monkeypatch=monkeypatch) == 0
    assert "40 of 40 documents kept" in capsys.readouterr().out


def test_parquet_is_read_from_s3(bucket: Bucket) -> None:
    sink = BytesIO()
    pq.write_table(pa.table({"text": [f"Text {n}." for n in range(5000)]}), sink, row_group_size=1000)
    bucket.files.pipe("mill/in/a.parquet", sink.getvalue())
    use_storage(storage_options([*map(parse_storage, bucket.options[1::2])], ["s3://mill"]))
    files = list_files([Input("s3://mill/in/*.parquet")])
    assert read_spans([Span(file) for file in files]).texts == [f"Text {n}." for n in range(5000)]
    units = plan_units(files, 10_000)
    assert len(units) > 1
    assert sum(len(read_spans(unit.spans).texts) for unit in units) == 5000


def test_hugging_face_without_a_network_is_one_sentence(tmp_path: Path) -> None:
    """The proxy that child processes of the tests find is not there."""
    command = [GRISTMILL, *asked(glob="hf://datasets/a/b/*.parquet", out=str(tmp_path / "out"))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("gristmill: the input 'hf://datasets/a/b/*.parquet' cannot be listed: ")
    assert done.stderr.count("\n") == 1
