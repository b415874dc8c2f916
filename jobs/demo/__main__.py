"""``make demo``: make the input, curate it, explain three removals. A glob as argument replaces the made input."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from jobs.demo.packages import write_packages
from jobs.demo.pages import write_pages

HERE = Path("build", "demo")


def main(globs: list[str]) -> None:
    if HERE.exists():
        shutil.rmtree(HERE)
    corpus = HERE / "corpus"
    if not globs:
        print("Gathering the licences, readmes, descriptions and docstrings of the installed packages", flush=True)
        globs = make_input(HERE / "input")
    inputs = [word for glob in globs for word in ("--input", glob)]
    gristmill("curate", *inputs, "--output", str(corpus))
    for reason in reasons_to_explain(corpus):
        gristmill("explain", str(corpus), "--sample", "1", "--reason", reason)


def make_input(folder: Path) -> list[str]:
    """Writes the demo's own input into the folder and returns the globs that read it."""
    for name in ("packages", "crawl"):
        (folder / name).mkdir(parents=True)
    write_packages(folder / "packages")
    write_pages(folder / "crawl" / "mill.warc.gz")
    return [f"{folder}/packages/*.jsonl.gz", f"crawl={folder}/crawl/*.warc.gz"]


def reasons_to_explain(corpus: Path) -> list[str]:
    """The most frequent reason of a filter, and the two kinds of duplicates: those of them that occurred."""
    rejected = json.loads((corpus / "manifest.json").read_bytes())["ledger"]["rejected"]
    counts: dict[tuple[str, str], int] = {}
    for entry in rejected:
        place = (entry["stage"], entry["reason"])
        counts[place] = counts.get(place, 0) + entry["documents"]
    by_count = sorted(counts, key=lambda place: (-counts[place], place))
    filters = [reason for stage, reason in by_count if stage not in ("url", "exact", "near")][:1]
    return filters + [reason for wanted in ("exact", "near") for stage, reason in by_count if stage == wanted]


def gristmill(*words: str) -> None:
    """Shows the command and runs it; ends where it fails, with its exit code."""
    print(f"\n$ gristmill {shlex.join(words)}", flush=True)
    done = subprocess.run([str(Path(sys.executable).with_name("gristmill")), *words], check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main(sys.argv[1:])
