"""Corpora with planted duplicates, as ../shared/bench makes them, and where that folder and the command lie."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
GRISTMILL = Path(sys.executable).parent / "gristmill"


def make_corpus(work: Path, megabytes: int, seed: int = 1) -> tuple[Path, int]:
    """The folder of a corpus of that size, made where it is missing, and the bytes of its JSON lines."""
    folder = work / f"corpus-{megabytes}-{seed}"
    if not (folder / "truth.jsonl").exists():
        maker = SHARED / "bench" / "make_corpus.py"
        asked = ["--megabytes", str(megabytes), "--seed", str(seed), "--out", folder]
        subprocess.run([sys.executable, maker, *asked], check=True)
    return folder, megabytes * 1_000_000
