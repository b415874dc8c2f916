"""What a tokenizer does to texts is counted: unknown tokens, control tokens in texts, texts that do not come back."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Plain
from tokenizers import decoders, models, normalizers, pre_tokenizers

from curation.packing.corpus import ParquetCorpus
from curation.packing.noticed import ControlTokens, Noticed, change_kind
from curation.packing.packing import pack
from curation.tokenizers.tokenizer import open_tokenizer
from tests.curation.packing.corpora import (
    PROSE,
    Row,
    byte_level,
    copies,
    losing_line_feeds,
    saved,
    sentence_piece,
    write_corpus,
)

VERSE = ["The mill stands still.\n\nThe river\nruns on.", "one\ntwo\nthree"]


def word_level(lowercase: bool = False) -> bytes:
    """A tokenizer.json that knows three words."""
    tokenizer = Plain(models.WordLevel({"</s>": 0, "[UNK]": 1, "mill": 2, "stone": 3, "wheel": 4}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    if lowercase:
        tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(["</s>", "[UNK]"])
    return tokenizer.to_str().encode()


def noticed(folder: Path, tokenizer: bytes, texts: Sequence[str], files: int = 1) -> Noticed:
    corpus = write_corpus(folder / "corpus", [Row(f"d{n}", text) for n, text in enumerate(texts)], files)
    opened = open_tokenizer(saved(folder / "tokenizer", tokenizer))
    return Noticed.of(pack([ParquetCorpus(path=str(corpus))], opened, 1, folder / "out").noticed)


def test_a_byte_level_tokenizer_changes_nothing(tmp_path: Path) -> None:
    texts = [*PROSE, *VERSE, "wéb\0 \r\n\t\U0001f33e", "  two blanks ", ""]
    assert noticed(tmp_path, byte_level(), texts) == Noticed(sampled=len(texts) - 1)


def test_a_model_that_loses_line_feeds_is_found_out(tmp_path: Path) -> None:
    found = noticed(tmp_path, losing_line_feeds(), [*PROSE, *VERSE])
    assert found.changed["line_feeds"] == len(VERSE)


def test_a_tokenizer_that_says_nothing_of_decoding_is_not_compared(tmp_path: Path) -> None:
    tokenizer = Plain.from_str(word_level().decode())
    tokenizer.decoder = None
    assert noticed(tmp_path, tokenizer.to_str().encode(), ["mill\nstone"]) == Noticed()


def test_unknown_tokens_are_counted(tmp_path: Path) -> None:
    found = noticed(tmp_path, word_level(), ["mill stone", "mill quern quern", "stone"])
    assert found.unknown == 2
    assert dict(found.changed) == {"unknown": 1}
    of_piece = noticed(tmp_path / "piece", losing_line_feeds(), ["\U0001f33e", "wheat"])
    assert of_piece.unknown == 1


@pytest.fixture(autouse=True)
def places(tmp_path: Path) -> None:
    (tmp_path / "piece").mkdir()


def test_control_tokens_in_texts_are_counted_and_stay_characters(tmp_path: Path) -> None:
    texts = ["a mill</s>and</s>", "plain", "<s>", "</s>"]
    found = noticed(tmp_path, byte_level(), texts)
    assert found.controls == {"</s>": 3}
    for copy in copies(tmp_path / "out"):
        assert copy.tokens.count(0) == 1
        assert copy.tokens[-1] == 0
    assert noticed(tmp_path / "piece", sentence_piece(), texts).controls == {"</s>": 3, "<s>": 1}


@given(texts=st.lists(st.text("</s>a |e", max_size=30), max_size=5))
def test_every_control_token_counts_once_the_longest_first(texts: list[str]) -> None:
    found = ControlTokens(["</s>", "</s>a", "<|e|>"]).count(texts)
    longer = sum(text.count("</s>a") for text in texts)
    assert found.total() == sum(text.count("</s>") + text.count("<|e|>") for text in texts)
    assert found["</s>a"] == longer


@pytest.mark.parametrize(
    ("text", "decoded", "unknown", "kind"),
    [
        ("a\nb", "a\nb", False, None),
        ("a b", " a b", False, None),
        (" a b", "a b", False, None),
        ("a\nb", "a b", False, "line_feeds"),
        ("a\nb", "a b", True, "line_feeds"),
        ("a\tb  c", "a b c", False, "white_space"),
        ("a b", "a ?", True, "unknown"),
        ("A b", "a b", False, "unicode"),
        ("\ufb01n", "fin", False, "unicode"),
        ("caf\u00e9", "cafe", False, "characters"),
    ],
)
def test_a_change_has_a_kind(text: str, decoded: str, unknown: bool, kind: str | None) -> None:
    assert change_kind(text, decoded, unknown) == kind


def test_neither_files_nor_batches_change_what_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curation.packing.packing.SAMPLE", 40)
    texts = [f"{'Mill' if n % 3 else 'mill'} </s> {n}" for n in range(200)]
    one = noticed(tmp_path, word_level(lowercase=True), texts)
    monkeypatch.setattr("curation.packing.corpus.BATCH_BYTES", 50)
    assert noticed(tmp_path / "piece", word_level(lowercase=True), texts, files=7) == one
    assert 10 < one.sampled < 100
    assert one.controls == {"</s>": 200}
