"""FIFOs and devices in the place of files that commands read: refused at once, with one sentence."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

COMMAND = "from jobs.cli import main; main()"
"""In a process of its own: a read of a FIFO would never end."""


def gristmill(*words: str | Path, folder: Path, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", COMMAND, *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONSAFEPATH": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False, **options
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FIFOs in the place of a file, of a corpus's shard, of a manifest and of a campaign's files."""
    folder = tmp_path_factory.mktemp("named")
    for name in ("corpus", "shards", "folder", "campaign", "guided"):
        (folder / name).mkdir()
    pq.write_table(pa.table({"text": ["the mill"]}), folder / "corpus/a.parquet")
    for name in ("pipe", "pipe.toml", "shards/x.parquet", "folder/manifest.json", "campaign/campaign.toml"):
        os.mkfifo(folder / name)
    return folder


REFUSED = [
    ("curate pipe", "pipe"),
    ("curate --input corpus --output out --recipe pipe.toml", "pipe.toml"),
    ("curate --input corpus --output out --against folder", "manifest.json"),
    ('curate --input corpus --output out --set url.hosts=["@file://{folder}/pipe"]', "pipe"),
    ("dataset import pipe --schema hh --output out", "pipe"),
    ("dataset import corpus/a.parquet --schema pipe.toml --output out", "pipe.toml"),
    ("dataset mix pipe --output out", "pipe"),
    ("dataset export folder --format hf --output out", "manifest.json"),
    ("pack corpus --tokenizer pipe --output out", "pipe"),
    ("pack corpus --tokenizer /dev/zero --output out", "/dev/zero"),
    ("pack --mixture pipe --tokenizer pipe --output out", "pipe"),
    ("pack-export folder --format megatron --output out", "manifest.json"),
    ("train-tokenizer shards --output out", "x.parquet"),
    ("train-tokenizer pipe --output out", "pipe"),
    ("plan --documents 1 --bytes 1 --constants pipe", "pipe"),
    ("campaign status campaign", "campaign.toml"),
    ("verify folder", "manifest.json"),
    ("explain folder d0", "manifest.json"),
]


REFUSING = """
import io, json, sys
from contextlib import redirect_stderr
from jobs.cli import main
for words in json.loads(sys.argv[1]):
    sys.argv = ["gristmill", *words]
    with redirect_stderr(io.StringIO()) as said:
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code
    print(json.dumps([code, said.getvalue()]), flush=True)
"""


@pytest.fixture(scope="module")
def refused(folder: Path) -> list[tuple[int, str]]:
    """The exit code of each command of REFUSED, and what it said; fewer, if one of them reads without end."""
    commands = json.dumps([words.format(folder=folder).split() for words, _ in REFUSED])
    with subprocess.Popen(
        [sys.executable, "-P", "-c", REFUSING, commands], cwd=folder, stdout=subprocess.PIPE, text=True
    ) as run:
        try:
            printed, _ = run.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            run.kill()
            printed, _ = run.communicate()
    return [tuple(json.loads(line)) for line in printed.splitlines()]


@pytest.mark.parametrize("number", range(len(REFUSED)), ids=[words for words, _ in REFUSED])
def test_a_fifo_is_refused_in_one_sentence(number: int, refused: list[tuple[int, str]]) -> None:
    assert number < len(refused), f"this command reads without end, or command {len(refused)} before it"
    code, said = refused[number]
    assert code == 2, said
    assert said.count("\n") == 1
    assert f"{REFUSED[number][1]} " in said
    assert "is a FIFO: " in said or "is a device: " in said


def test_a_list_is_read_from_a_pipe_of_the_shell_but_not_from_a_fifo(folder: Path) -> None:
    words = ("takedown", "nothing", "--workers", "0", "--output", "out", "--doc-id")
    assert "pipe is a FIFO: " in gristmill(*words, "pipe", folder=folder).stderr
    assert "nothing holds no finished run" in gristmill(*words, "/dev/stdin", folder=folder, input="d0\n").stderr
    reading, writing = os.pipe()
    os.write(writing, b"d0\n")
    os.close(writing)
    done = gristmill(*words, f"/dev/fd/{reading}", folder=folder, pass_fds=[reading])
    os.close(reading)
    assert "nothing holds no finished run" in done.stderr


CAMPAIGN = """
from pathlib import Path
from annotation.campaign.settings import Campaign, CampaignFolder
from annotation.rows.reading import digest
from annotation.campaign.responses import read_gold, read_prompts
from schemas.named_files import NamedFileError

campaign = Campaign(
    name="m", protocol="preference", batch="b", responses="pipe", annotators=("a@mill.example",), guidelines="pipe"
)
pipe = Path("pipe")
for read in (lambda: digest(pipe), lambda: read_prompts(pipe), lambda: read_gold(pipe),
             CampaignFolder(Path(), campaign, "").guidelines):
    try:
        read()
    except NamedFileError as error:
        print(error)
"""


def test_the_files_of_a_campaign_are_refused(folder: Path) -> None:
    command = [sys.executable, "-c", CAMPAIGN]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.count("pipe is a FIFO: copy its content into a regular file first\n") == 4
