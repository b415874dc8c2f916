"""A trained tokenizer: the same bytes each time, every text comes back, every digit stands alone."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from tokenizers import Tokenizer as Plain

from curation.packing.corpus import ParquetCorpus
from curation.packing.training import train_tokenizer
from curation.tokenizers.tokenizer import open_tokenizer
from schemas.errors import UserError
from tests.curation.packing.corpora import PROSE, Row, write_corpus

TRAIN = """
import sys; from pathlib import Path; from curation.packing.corpus import ParquetCorpus
from curation.packing.training import train_tokenizer
train_tokenizer([ParquetCorpus(path=sys.argv[1])], 400, Path(sys.argv[2]))
"""


def corpus(folder: Path, files: int = 1) -> ParquetCorpus:
    rows = [Row(f"d{number}", f"{PROSE[number % 3]} {number * 7919} {_words(number)}") for number in range(60)]
    return ParquetCorpus(path=str(write_corpus(folder, rows, files)))


def _words(number: int) -> str:
    drawn = random.Random(number)
    return " ".join("".join(drawn.choices("aeiou" * 2 + "bcdlmnrst", k=5)) for _ in range(20))


def test_threads_and_files_change_no_byte(tmp_path: Path) -> None:
    train_tokenizer([corpus(tmp_path / "one")], 400, tmp_path / "here.json")
    four = corpus(tmp_path / "four", files=4)
    for threads in ("1", "3"):
        words = [sys.executable, "-c", TRAIN, four.path, str(tmp_path / f"{threads}.json")]
        subprocess.run(words, check=True, env=os.environ | {"RAYON_NUM_THREADS": threads})
        assert (tmp_path / f"{threads}.json").read_bytes() == (tmp_path / "here.json").read_bytes()


def test_it_is_a_tokenizer_to_pack_with(tmp_path: Path) -> None:
    assert train_tokenizer([corpus(tmp_path / "corpus")], 400, tmp_path / "t.json", end_token="<|endoftext|>") == 400
    tokenizer = open_tokenizer(tmp_path / "t.json")
    assert (tokenizer.end_token, tokenizer.end_id, tokenizer.vocabulary) == ("<|endoftext|>", 0, 400)
    plain = Plain.from_file(str(tmp_path / "t.json"))
    text = "  In 1823: <|endoftext|> \u212b \r\n\t\U0001f33e"
    tokens, _ = tokenizer.encoder().documents([text])
    assert plain.decode(tokens[:-1].tolist(), skip_special_tokens=False) == text
    assert [token.strip("\u0120") for token in plain.encode("1823 1823").tokens if token != "\u0120"] == list(
        "18231823"
    )


def test_a_sample_is_the_same_documents_wherever_they_lie(tmp_path: Path) -> None:
    sizes = []
    for number, files in enumerate((1, 5)):
        corpora = [corpus(tmp_path / str(number), files)]
        train_tokenizer(corpora, 2000, tmp_path / f"{number}.json", sample=10)
        sizes.append((tmp_path / f"{number}.json").read_bytes())
    assert sizes[0] == sizes[1]
    assert train_tokenizer(corpora, 2000, tmp_path / "all.json") > Plain.from_str(sizes[0].decode()).get_vocab_size()


def test_what_cannot_be_trained_is_said(tmp_path: Path) -> None:
    corpora = [corpus(tmp_path / "corpus")]
    with pytest.raises(UserError, match="give at least 257 tokens"):
        train_tokenizer(corpora, 100, tmp_path / "t.json")
    (tmp_path / "t.json").write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        train_tokenizer(corpora, 400, tmp_path / "t.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "t.json"]
